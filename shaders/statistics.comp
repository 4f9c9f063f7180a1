// What each row of attention weights amounts to, recomputed from queries, keys and
// the log-sum-exp of the row (reference.RowStatistics), over the visible keys:
//   w[j]            = exp(scale * q[head, i] . k[head, j] - lse[head, i])
//   statistics[i].x = sum of w[j], which is 1 where all of this belongs together
//   statistics[i].y = entropy, sum of -w[j] log2 w[j], in bits
//   statistics[i].z = mean distance, sum of w[j] |i - j|, in tokens
//   statistics[i].w = the greatest w[j]
// A query that sees nothing gets zeros.
//
// Grid: (query tiles, heads).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in; // 4 invocations for each OWN_ROWS rows of a tile
layout(constant_id = 0) const uint LANES = 32;
layout(constant_id = 1) const uint HEAD_DIM = 64;
layout(constant_id = 2) const uint OWN_ROWS = 8; // of an invocation's block: 8 on a CPU, 4 on a GPU

const uint QUERY_TILE = 64u;
const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row

#include "include/elements.glsl"

layout(binding = 0) readonly buffer Queries { ELEMENTS queries[]; };
layout(binding = 1) readonly buffer Keys { ELEMENTS keys[]; };
layout(binding = 2) readonly buffer BlockMap { uint block_map[]; };
layout(binding = 3) readonly buffer LogSumExp { float lse[]; };          // [heads, lse_head]
layout(binding = 4) writeonly buffer Statistics { vec4 statistics[]; }; // [heads, rows]

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint in_row, in_head;
    uint lse_head; // elements between two heads' first log-sum-exp
    float scale;
};

#include "include/blockmap.glsl"
#include "include/limits.glsl"
#include "include/products.glsl"

shared vec4 parts[QUERY_TILE * 4u]; // of each row, over a quarter of the keys

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y, id = gl_LocalInvocationID.x;
    uint first_row = query_tile * QUERY_TILE, base = head * in_head, last = rows - 1u;
    uint own_row = id / 4u * OWN_ROWS; // of the tile: the first of those whose weights are this invocation's
    uint quarter = id % 4u;            // of the tile's keys

    uint query[OWN_ROWS];
    float row_lse[OWN_ROWS];
    vec4 part[OWN_ROWS];
    for (uint i = 0u; i < OWN_ROWS; i++) {
        uint row = min(first_row + own_row + i, last);
        query[i] = base + row * in_row;
        row_lse[i] = lse[head * lse_head + row];
        part[i] = vec4(0.0);
    }

    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE + quarter * 8u;
        uint key[8];
        vec4 low[OWN_ROWS], high[OWN_ROWS];
        for (uint i = 0u; i < 8u; i++) {
            key[i] = base + min(first_key + i, last) * in_row;
        }
        products(query, key, low, high);
        for (uint i = 0u; i < OWN_ROWS; i++) {
            uint visible = map_visible(entry, own_row + i) >> (quarter * 8u);
            float row = float(first_row + own_row + i);
            [[unroll]] for (uint j = 0u; j < 8u; j++) {
                float score = clamp((j < 4u ? low[i][j & 3u] : high[i][j & 3u]) * scale, -SCORE_LIMIT, SCORE_LIMIT);
                float exponent = (score - row_lse[i]) * LOG2_E;
                float w = exp2(exponent);
                vec4 amount = vec4(w, -w * exponent, w * abs(row - float(first_key + j)), w);
                if ((visible >> j & 1u) == 1u) {
                    part[i] = vec4(part[i].xyz + amount.xyz, max(part[i].w, amount.w));
                }
            }
        }
    }
    for (uint i = 0u; i < OWN_ROWS; i++) {
        parts[(own_row + i) * 4u + quarter] = part[i];
    }
    barrier();
    for (uint row = id; row < QUERY_TILE; row += LANES) {
        if (first_row + row < rows) {
            vec4 a = parts[row * 4u], b = parts[row * 4u + 1u], c = parts[row * 4u + 2u], d = parts[row * 4u + 3u];
            statistics[head * rows + first_row + row] =
                vec4(a.xyz + b.xyz + c.xyz + d.xyz, max(max(a.w, b.w), max(c.w, d.w)));
        }
    }
}
