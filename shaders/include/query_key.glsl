// Products of one invocation's query row with keys of a tile. Key rows are
// addressed uniformly over the workgroup, which CPU drivers turn into broadcast
// loads and GPUs into scalar or cached ones.
layout(local_size_x_id = 0) in; // QUERY_TILE invocations: one query row each
layout(constant_id = 0) const uint QUERY_TILE = 32;
layout(constant_id = 1) const uint HEAD_DIM = 64;

const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row
const uint STEP = 8u;              // keys at a time

#include "elements.glsl"

layout(binding = 0) readonly buffer Queries { ELEMENTS queries[]; };
layout(binding = 1) readonly buffer Keys { ELEMENTS keys[]; };
layout(binding = 2) readonly buffer BlockMap { uint block_map[]; };

// Strides of queries and keys count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint in_row, in_head;
    uint first_row;  // the row that result row 0 of each head holds
    uint chunk_rows; // result rows of each head
    uint key_stride; // elements between result rows, a multiple of KEY_TILE
    uint lse_head;   // elements between two heads' first log-sum-exp (weights only)
    float scale;
};

#include "blockmap.glsl"
#include "limits.glsl"

// scale * q . k of `row` with STEP keys from first_key on; keys past the last
// row repeat it.
void query_key(uint head, uint row, uint first_key, out float scores[STEP])
{
    for (uint j = 0u; j < STEP; j++) {
        scores[j] = 0.0;
    }
    uint query = head * in_head + min(row, rows - 1u) * in_row;
    uint key = head * in_head;
    // Rolled: unrolled, AMD's compiler loads more keys ahead than it has scalar
    // registers for, and CPU drivers take seconds to compile.
    [[dont_unroll]] for (uint c = 0u; c < GROUPS; c++) {
        vec4 q = widen(queries[query + c]);
        for (uint j = 0u; j < STEP; j++) {
            scores[j] += dot(q, widen(keys[key + min(first_key + j, rows - 1u) * in_row + c]));
        }
    }
    for (uint j = 0u; j < STEP; j++) {
        scores[j] = clamp(scores[j] * scale, -SCORE_LIMIT, SCORE_LIMIT);
    }
}

// Where in the result the key tile's first key of `row` stands, in groups of four.
uint result_at(uint head, uint row, uint first_key)
{
    return ((head * chunk_rows + row - first_row) * key_stride + first_key) / 4u;
}
