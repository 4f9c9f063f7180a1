// What both kernels of statistics bind and are told (reference.RowStatistics): what
// each row of attention weights amounts to, recomputed from queries, keys and the
// log-sum-exp of the row, over the visible keys:
//   w[j]            = exp(scale * q[head, i] . k[head, j] - lse[head, i])
//   statistics[i, 0] = sum of w[j], which is 1 where all of this belongs together
//   statistics[i, 1] = entropy, sum of -w[j] log2 w[j], in bits
//   statistics[i, 2] = mean distance, sum of w[j] |i - j|, in tokens
//   statistics[i, 3] = the greatest w[j]
//   statistics[i, 4] = w[i], of the token itself
//   statistics[i, 5] = w[i - 1], of the one before
//   statistics[i, 6] = w[i + 1], of the one after
//   statistics[i, 7] = w[j] of the first token of the sequence
//   statistics[i, 8] = w[j] of its last
//   statistics[i, 9] = sum of w[j] over other tokens of the same id
// What is hidden counts as 0. A query that sees nothing gets zeros.
const uint QUERY_TILE = 64u;
const uint COLUMNS = 10u;

#include "inputs.glsl"

INPUT(0, Queries, queries);
INPUT(1, Keys, keys);
layout(binding = 2) readonly buffer BlockMap { uint block_map[]; };
layout(binding = 3) readonly buffer LogSumExp { float lse[]; };          // [heads, lse_head]
layout(binding = 4) writeonly buffer Statistics { float statistics[]; }; // [heads, rows, COLUMNS]
layout(binding = 5) readonly buffer Tokens { uint tokens[]; };           // [3, rows]: ids, then the first row and the last of their sequences

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint in_row, in_head;
    uint lse_head; // elements between two heads' first log-sum-exp
    float scale;
};

#include "blockmap.glsl"
#include "limits.glsl"
