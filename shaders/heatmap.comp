// A picture of a rectangle of attention weights: cells of so many queries by so
// many keys, recomputed from queries, keys and the log-sum-exp of each row, and
// pooled (reference.Heatmap):
//   w[i, j]     = exp(scale * q[head, i] . k[head, j] - lse[head, i])
//   cells[r, c] = the greatest, or the sum, of w
// over those of its visible pairs that the rectangle has. A cell without any is
// left alone. Cells begin at multiples of their sides, each a power of two, at most
// QUERY_TILE.
//
// A workgroup takes a tile of 64 queries, so that no other has a part of its
// cells, and those of its tiles of keys that lie in one chunk of keys, which is a
// multiple of the cell.
//
// Grid: (query tiles from the rectangle's first, heads from first_head on, chunks from that of its first key).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in; // 4 invocations for each OWN_ROWS rows of a tile
layout(constant_id = 0) const uint LANES = 32;
layout(constant_id = 1) const uint HEAD_DIM = 64;
// Rows of an invocation's block of weights: 8 on a CPU, where loads are dear, and
// 4 on a GPU, whose registers are few.
layout(constant_id = 2) const uint OWN_ROWS = 8;

const uint QUERY_TILE = 64u;
const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row

#include "include/elements.glsl"

layout(binding = 0) readonly buffer Queries { ELEMENTS queries[]; };
layout(binding = 1) readonly buffer Keys { ELEMENTS keys[]; };
layout(binding = 2) readonly buffer BlockMap { uint block_map[]; };
layout(binding = 3) readonly buffer LogSumExp { float lse[]; }; // [heads, lse_head]
layout(binding = 4) buffer Cells { float cells[]; };            // [dispatched heads, cell_rows, cell_columns]

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint in_row, in_head;
    uint lse_head; // elements between two heads' first log-sum-exp
    uint first_head;
    float scale;
    uint first_query, end_query, first_key, end_key; // the rectangle
    uint cell_queries, cell_keys; // pairs of a cell
    uint cell_rows, cell_columns;
    uint chunk; // keys of a workgroup
    uint sum;   // 1: the sum, 0: the greatest
};

#include "include/blockmap.glsl"
#include "include/limits.glsl"
#include "include/products.glsl"

const float HIDDEN = -1.0; // below every weight

shared float tile[QUERY_TILE * KEY_TILE]; // weights, then those of each row pooled

float pool(float a, float b)
{
    return sum == 0u || a == HIDDEN || b == HIDDEN ? max(a, b) : a + b;
}

void main()
{
    uint query_tile = first_query / QUERY_TILE + gl_WorkGroupID.x, head = first_head + gl_WorkGroupID.y, id = gl_LocalInvocationID.x;
    uint first_row = query_tile * QUERY_TILE, base = head * in_head, last = rows - 1u;
    uint own_row = id / 4u * OWN_ROWS; // of the tile: the first of those whose weights are this invocation's
    uint quarter = id % 4u;      // of the tile's keys
    uint chunk_begin = (first_key / chunk + gl_WorkGroupID.z) * chunk;

    uint query[OWN_ROWS];
    float row_lse[OWN_ROWS];
    for (uint i = 0u; i < OWN_ROWS; i++) {
        uint row = min(first_row + own_row + i, last);
        query[i] = base + row * in_row;
        row_lse[i] = lse[head * lse_head + row];
    }

    // Those that matter are found ahead: on a CPU driver what a loop leaves out by
    // `continue` takes as long as what it does.
    uint entry = map_begin(query_tile), end = map_end(query_tile);
    uint begin_tile = max(first_key, chunk_begin) / KEY_TILE, end_tile = (min(end_key, chunk_begin + chunk) + KEY_TILE - 1u) / KEY_TILE;
    entry = map_seek(entry, end, begin_tile);
    end = map_seek(entry, end, end_tile);
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
