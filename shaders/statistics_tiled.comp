// What rows of attention weights amount to, for any GPU. See include/statistics.glsl
// for what is computed.
//
// Grid: (query tiles, heads).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in; // 4 invocations for each OWN_ROWS rows of a tile
layout(constant_id = 0) const uint LANES = 32;
layout(constant_id = 1) const uint HEAD_DIM = 64;
layout(constant_id = 2) const uint OWN_ROWS = 8; // of an invocation's block: 8 on a CPU, 4 on a GPU

const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row

#include "include/elements.glsl"
#include "include/statistics.glsl"
#include "include/products.glsl"

// Of each row, over a quarter of the keys: columns 0 to 3, 4 to 7, and 8 and 9. They
// are here while they grow: registers are for the products.
shared vec4 parts[QUERY_TILE * 4u];
shared vec4 near_parts[QUERY_TILE * 4u];
shared vec2 far_parts[QUERY_TILE * 4u];

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y, lane = gl_LocalInvocationID.x;
    uint first_row = query_tile * QUERY_TILE, base = head * in_head, last = rows - 1u;
    uint own_row = lane / 4u * OWN_ROWS; // of the tile: the first of those whose weights are this invocation's
    uint quarter = lane % 4u;            // of the tile's keys

    uint query[OWN_ROWS];
    float row_lse[OWN_ROWS];
    for (uint i = 0u; i < OWN_ROWS; i++) {
        uint row = min(first_row + own_row + i, last);
        query[i] = base + row * in_row;
        row_lse[i] = lse[head * lse_head + row];
        uint at = (own_row + i) * 4u + quarter;
        parts[at] = near_parts[at] = vec4(0.0);
        far_parts[at] = vec2(0.0);
    }

    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE + quarter * 8u;
        uint key[8], id[8];
        vec4 low[OWN_ROWS], high[OWN_ROWS];
        for (uint i = 0u; i < 8u; i++) {
            key[i] = base + min(first_key + i, last) * in_row;
        }
        products(query, key, low, high);
        for (uint i = 0u; i < 8u; i++) {
            id[i] = tokens[min(first_key + i, last)];
        }
        for (uint i = 0u; i < OWN_ROWS; i++) {
            uint visible = map_visible(entry, own_row + i) >> (quarter * 8u);
            uint row = first_row + own_row + i, known = min(row, last), at = (own_row + i) * 4u + quarter;
            uvec3 token = uvec3(tokens[known], tokens[rows + known], tokens[2u * rows + known]);
            vec4 part = parts[at], near = near_parts[at];
            vec2 far = far_parts[at];
            [[unroll]] for (uint j = 0u; j < 8u; j++) {
                float score = clamp((j < 4u ? low[i][j & 3u] : high[i][j & 3u]) * scale, -SCORE_LIMIT, SCORE_LIMIT);
                float exponent = (score - row_lse[i]) * LOG2_E;
                float w = exp2(exponent);
                uint column = first_key + j;
                vec4 amount = vec4(w, -w * exponent, w * abs(float(row) - float(column)), w);
                if ((visible >> j & 1u) == 1u) {
                    part = vec4(part.xyz + amount.xyz, max(part.w, amount.w));
                    near += mix(vec4(0.0), vec4(w), equal(uvec4(column), uvec4(row, row - 1u, row + 1u, token.y)));
                    far += mix(vec2(0.0), vec2(w), bvec2(column == token.z, id[j] == token.x && column != row));
                }
            }
            parts[at] = part;
            near_parts[at] = near;
            far_parts[at] = far;
        }
    }
    barrier();
    for (uint row = lane; row < QUERY_TILE; row += LANES) {
        if (first_row + row < rows) {
            uint at = (head * rows + first_row + row) * COLUMNS, from = row * 4u;
            vec4 a = parts[from], b = parts[from + 1u], c = parts[from + 2u], d = parts[from + 3u];
            vec4 near_sum = near_parts[from] + near_parts[from + 1u] + near_parts[from + 2u] + near_parts[from + 3u];
            vec2 far_sum = far_parts[from] + far_parts[from + 1u] + far_parts[from + 2u] + far_parts[from + 3u];
            for (uint column = 0u; column < 3u; column++) {
                statistics[at + column] = a[column] + b[column] + c[column] + d[column];
            }
            statistics[at + 3u] = max(max(a.w, b.w), max(c.w, d.w));
            for (uint column = 0u; column < 4u; column++) {
                statistics[at + 4u + column] = near_sum[column];
            }
            statistics[at + 8u] = far_sum.x;
            statistics[at + 9u] = far_sum.y;
        }
    }
}
