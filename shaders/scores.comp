// Scores of the visible tiles (reference.Scores):
//   scores[head, i, j] = scale * q[head, i] . k[head, j]
// Tiles that the block map leaves out are not written; within a listed tile
// masked keys are computed too, and softmax leaves them out.
//
// Grid: (query tiles, heads).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "include/query_key.glsl"

layout(binding = 3) writeonly buffer Scores { vec4 scores[]; }; // [heads, chunk_rows, key_stride]

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint row = query_tile * QUERY_TILE + gl_LocalInvocationID.x;
    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;
        for (uint k = 0u; k < KEY_TILE; k += STEP) {
            float s[STEP];
            query_key(head, row, first_key + k, s);
            if (row < rows) {
                uint at = result_at(head, row, first_key + k);
                scores[at] = vec4(s[0], s[1], s[2], s[3]);
                scores[at + 1u] = vec4(s[4], s[5], s[6], s[7]);
            }
        }
    }
}
