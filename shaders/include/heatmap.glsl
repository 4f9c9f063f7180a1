// What both kernels of pictures bind and are told (reference.Heatmap): cells of so
// many queries by so many keys of a rectangle of attention weights, recomputed
// from queries, keys and the log-sum-exp of each row, and pooled:
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
const uint QUERY_TILE = 64u;

#include "inputs.glsl"

INPUT(0, Queries, queries);
INPUT(1, Keys, keys);
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

#include "blockmap.glsl"
#include "limits.glsl"

const float HIDDEN = -1.0; // below every weight

float pool(float a, float b)
{
    // What is hidden adds less than nothing.
    return max(max(a, b), sum == 0u ? a : a + b);
}

// The entries begin .. end-1 of a query tile that lie in the workgroup's chunk and
// in the rectangle. They are found ahead: on a CPU driver what a loop leaves out by
// `continue` takes as long as what it does.
void chunk_entries(uint query_tile, out uint begin, out uint end)
{
    uint chunk_begin = (first_key / chunk + gl_WorkGroupID.z) * chunk;
    uint begin_tile = max(first_key, chunk_begin) / KEY_TILE, end_tile = (min(end_key, chunk_begin + chunk) + KEY_TILE - 1u) / KEY_TILE;
    begin = map_begin(query_tile);
    end = map_end(query_tile);
    begin = map_seek(begin, end, begin_tile);
    end = map_seek(begin, end, end_tile);
}
