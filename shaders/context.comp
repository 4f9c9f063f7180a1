// Weighted sum of the values (reference.Context), over the visible tiles:
//   context[head, i] = sum over j of weights[head, i, j] v[head, j]
//
// Grid: (query tiles, heads, parts of a row). One invocation a query row; value
// rows are addressed uniformly over the workgroup.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0) in; // QUERY_TILE invocations: one query row each
layout(constant_id = 0) const uint QUERY_TILE = 32;
layout(constant_id = 1) const uint HEAD_DIM = 64;

// Groups of four elements that one invocation sums: more would leave a GPU one
// wave. The engine's contextPart says the same.
const uint PART = HEAD_DIM % 64u == 0u ? 16u : 8u;

#include "include/elements.glsl"

layout(binding = 0) readonly buffer Weights { vec4 weights[]; }; // [heads, chunk_rows, key_stride]
layout(binding = 1) readonly buffer Values { ELEMENTS values[]; };
layout(binding = 2) readonly buffer BlockMap { uint block_map[]; };
layout(binding = 3) writeonly buffer Context { vec4 context[]; };

// Strides of values and context count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint in_row, in_head;
    uint out_row, out_head;
    uint first_row;  // the row that weights row 0 of each head holds
    uint chunk_rows; // weights rows of each head
    uint key_stride; // elements between weights rows
};

#include "include/blockmap.glsl"

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint row = query_tile * QUERY_TILE + gl_LocalInvocationID.x;
    uint at = (head * chunk_rows + min(row, rows - 1u) - first_row) * key_stride / 4u;
    uint first_group = gl_WorkGroupID.z * PART;
    vec4 sum[PART];
    for (uint c = 0u; c < PART; c++) {
        sum[c] = vec4(0.0);
    }
    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;
        for (uint k = 0u; k < KEY_TILE; k += 4u) {
            vec4 w = weights[at + (first_key + k) / 4u];
            // Weights past the last row are 0: any row that exists will do there.
            uint last = rows - 1u, from = head * in_head + first_group;
            uint v0 = from + min(first_key + k, last) * in_row;
            uint v1 = from + min(first_key + k + 1u, last) * in_row;
            uint v2 = from + min(first_key + k + 2u, last) * in_row;
            uint v3 = from + min(first_key + k + 3u, last) * in_row;
            for (uint c = 0u; c < PART; c++) {
                sum[c] += w.x * widen(values[v0 + c]) + w.y * widen(values[v1 + c])
                        + w.z * widen(values[v2 + c]) + w.w * widen(values[v3 + c]);
            }
        }
    }
    if (row < rows) {
        for (uint c = 0u; c < PART; c++) {
            context[head * out_head + row * out_row + first_group + c] = sum[c];
        }
    }
}
