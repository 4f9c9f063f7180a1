// Attention weights of the visible tiles, recomputed from queries, keys and the
// log-sum-exp of each row (reference.Weights):
//   weights[head, i, j] = exp(scale * q[head, i] . k[head, j] - lse[head, i])
// and 0 where the block map hides the key. Tiles it leaves out are not written.
//
// Grid: (query tiles, heads).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "include/query_key.glsl"

layout(binding = 3) readonly buffer LogSumExp { float lse[]; };    // [heads, lse_head]
layout(binding = 4) writeonly buffer Weights { vec4 weights[]; }; // [heads, chunk_rows, key_stride]

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint lane = gl_LocalInvocationID.x;
    uint row = query_tile * QUERY_TILE + lane;
    float row_lse = lse[head * lse_head + min(row, rows - 1u)];
    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;
        uint visible = map_visible(entry, lane);
        for (uint k = 0u; k < KEY_TILE; k += STEP) {
            float w[STEP];
            query_key(head, row, first_key + k, w);
            for (uint j = 0u; j < STEP; j++) {
                w[j] = (visible >> (k + j) & 1u) == 0u ? 0.0 : exp2((w[j] - row_lse) * LOG2_E);
            }
            if (row < rows) {
                uint at = result_at(head, row, first_key + k);
                weights[at] = vec4(w[0], w[1], w[2], w[3]);
                weights[at + 1u] = vec4(w[4], w[5], w[6], w[7]);
            }
        }
    }
}
