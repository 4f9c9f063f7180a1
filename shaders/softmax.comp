// Masked softmax in place (reference.Softmax), over the visible tiles:
//   weights[head, i, j] = exp(scores[head, i, j] - lse[head, i]) where i sees j, else 0
//   lse[head, i]        = log sum over visible j of exp(scores[head, i, j])
// A query that sees nothing gets zeros and the lse of minus infinity.
//
// Grid: (query tiles, heads, QUERY_TILE): one workgroup a row. Each invocation
// keeps a running maximum and sum of its own keys; they are merged once.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint QUERY_TILE = 32;

layout(binding = 0) buffer Weights { float weights[]; };           // [heads, chunk_rows, key_stride], scores on entry
layout(binding = 1) readonly buffer BlockMap { uint block_map[]; };
layout(binding = 2) writeonly buffer LogSumExp { float lse[]; };   // [heads, lse_head]

layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint first_row;  // the row that weights row 0 of each head holds
    uint chunk_rows; // weights rows of each head
    uint key_stride; // elements between weights rows
    uint lse_head;   // elements between two heads' first lse
};

#include "include/blockmap.glsl"
#include "include/limits.glsl"

shared float maxima[64];
shared float sums[64];

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y, tile_row = gl_WorkGroupID.z;
    uint lane = gl_LocalInvocationID.x;
    uint row = query_tile * QUERY_TILE + tile_row;
    if (row >= rows) { // for the whole workgroup alike
        return;
    }
    uint begin = map_begin(query_tile), end = map_end(query_tile);
    uint at = (head * chunk_rows + row - first_row) * key_stride;
    uint key = lane % KEY_TILE;
    const uint TILES = 64u / KEY_TILE; // tiles at a time

    float maximum = NOTHING_SEEN, sum = 0.0;
    for (uint entry = begin + lane / KEY_TILE; entry < end; entry += TILES) {
        if ((map_visible(entry, tile_row) >> key & 1u) != 0u) {
            float s = weights[at + map_key_tile(entry) * KEY_TILE + key];
            float larger = max(maximum, s);
            sum = sum * exp2((maximum - larger) * LOG2_E) + exp2((s - larger) * LOG2_E);
            maximum = larger;
        }
    }
    maxima[lane] = maximum;
    sums[lane] = sum;
    barrier();
    for (uint half_width = 32u; half_width > 0u; half_width /= 2u) {
        if (lane < half_width) {
            float a = maxima[lane], b = maxima[lane + half_width], larger = max(a, b);
            sums[lane] = sums[lane] * exp2((a - larger) * LOG2_E) + sums[lane + half_width] * exp2((b - larger) * LOG2_E);
            maxima[lane] = larger;
        }
        barrier();
    }
    maximum = maxima[0];
    sum = sums[0];
    if (lane == 0u) {
        lse[head * lse_head + row] = sum == 0.0 ? MINUS_INFINITY : maximum + log2(sum) * LN_2;
    }
    for (uint entry = begin + lane / KEY_TILE; entry < end; entry += TILES) {
        uint to = at + map_key_tile(entry) * KEY_TILE + key;
        bool visible = (map_visible(entry, tile_row) >> key & 1u) != 0u;
        weights[to] = visible ? exp2((weights[to] - maximum) * LOG2_E) / sum : 0.0;
    }
}
