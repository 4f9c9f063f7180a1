// A picture of a rectangle of attention weights for any GPU. See
// include/heatmap.glsl for what is computed.
//
// A workgroup's weights of a tile of keys lie in shared memory, where they are
// pooled along rows, then down columns.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in; // 4 invocations for each OWN_ROWS rows of a tile
layout(constant_id = 0) const uint LANES = 32;
layout(constant_id = 1) const uint HEAD_DIM = 64;
// Rows of an invocation's block of weights: 8 on a CPU, where loads are dear, and
// 4 on a GPU, whose registers are few.
layout(constant_id = 2) const uint OWN_ROWS = 8;

const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row

#include "include/elements.glsl"
#include "include/heatmap.glsl"
#include "include/products.glsl"

shared float tile[QUERY_TILE * KEY_TILE]; // weights, then those of each row pooled

void main()
{
    uint query_tile = first_query / QUERY_TILE + gl_WorkGroupID.x, head = first_head + gl_WorkGroupID.y, id = gl_LocalInvocationID.x;
    uint first_row = query_tile * QUERY_TILE, base = head * in_head, last = rows - 1u;
    uint own_row = id / 4u * OWN_ROWS; // of the tile: the first of those whose weights are this invocation's
    uint quarter = id % 4u;      // of the tile's keys

    uint query[OWN_ROWS];
    float row_lse[OWN_ROWS];
    for (uint i = 0u; i < OWN_ROWS; i++) {
        uint row = min(first_row + own_row + i, last);
        query[i] = base + row * in_row;
        row_lse[i] = lse[head * lse_head + row];
    }

    uint entry, end;
    chunk_entries(query_tile, entry, end);
    [[dont_unroll]] for (; entry < end; entry++) {
        uint tile_key = map_key_tile(entry) * KEY_TILE;
        uint key[8];
        vec4 low[OWN_ROWS], high[OWN_ROWS];
        for (uint i = 0u; i < 8u; i++) {
            key[i] = base + min(tile_key + quarter * 8u + i, last) * in_row;
        }
        products(query, key, low, high);
        barrier(); // the last tile is pooled
        for (uint i = 0u; i < OWN_ROWS; i++) {
            uint row = first_row + own_row + i;
            uint visible = row >= first_query && row < end_query ? map_visible(entry, own_row + i) >> (quarter * 8u) : 0u;
            uint at = (own_row + i) * KEY_TILE + quarter * 8u;
            [[unroll]] for (uint j = 0u; j < 8u; j++) {
                uint column = tile_key + quarter * 8u + j;
                bool shown = (visible >> j & 1u) == 1u && column >= first_key && column < end_key;
                float score = clamp((j < 4u ? low[i][j & 3u] : high[i][j & 3u]) * scale, -SCORE_LIMIT, SCORE_LIMIT);
                tile[at + j] = shown ? exp2((score - row_lse[i]) * LOG2_E) : HIDDEN;
            }
        }
        barrier();

        // Along each row first, in place.
        uint width = min(cell_keys, KEY_TILE), pooled = KEY_TILE / width;
        [[dont_unroll]] for (uint row = id; row < QUERY_TILE && width > 1u; row += LANES) {
            uint at = row * KEY_TILE;
            [[dont_unroll]] for (uint c = 0u; c < pooled; c++) {
                float value = tile[at + c * width];
                [[dont_unroll]] for (uint j = 1u; j < width; j++) {
                    value = pool(value, tile[at + c * width + j]);
                }
                tile[at + c] = value;
            }
        }
        barrier();
        // Then down the columns. A cell's tiles of keys all come to the same invocation.
        uint count = QUERY_TILE / cell_queries * pooled;
        [[dont_unroll]] for (uint i = id; i < count; i += LANES) {
            uint row = i / pooled * cell_queries, c = i % pooled;
            float value = tile[row * KEY_TILE + c];
            [[dont_unroll]] for (uint j = 1u; j < cell_queries; j++) {
                value = pool(value, tile[(row + j) * KEY_TILE + c]);
            }
            if (value != HIDDEN) {
                uint cell_row = (first_row + row) / cell_queries - first_query / cell_queries;
                uint cell_column = (tile_key + c * width) / cell_keys - first_key / cell_keys;
                uint at = ((head - first_head) * cell_rows + cell_row) * cell_columns + cell_column;
                cells[at] = pool(cells[at], value);
            }
        }
    }
}
