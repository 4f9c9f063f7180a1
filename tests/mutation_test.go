package tests

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/verify"
	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/shaders/compile"
)

// A mutation is one fault planted in a shader.
type mutation struct {
	file, old, new string
	kernel         string // whose verification must fail
}

var mutations = []mutation{
	// Rotation.
	{"rope.comp", "low * cosine - high * sine", "low * cosine + high * sine", "rope_f32"},
	{"rope.comp", "y[to + HALF] = narrow(high", "y[to + HALF] = narrow(low", "rope_f32"},
	{"rope.comp", "positions[row] * HALF", "positions[max(row, 1u) - 1u] * HALF", "rope_f32"},
	{"rope.comp", "if (row >= rows)", "if (row > rows)", "rope_f32"},
	{"rope.comp", "head * x_head", "0u * x_head", "rope_f32"},
	// The block map: edges, masks, order.
	{"include/blockmap.glsl", "block_map[query_tile + 1u]", "block_map[query_tile + 1u] - 1u", "attention_lanes_f32"},
	{"include/blockmap.glsl", "(mask - 1u) * QUERY_TILE + row", "(mask - 1u) * QUERY_TILE + (row ^ 1u)", "attention_lanes_f32"},
	{"include/blockmap.glsl", "mask == 0u ? 0xffffffffu", "mask <= 1u ? 0xffffffffu", "softmax"},
	{"include/blockmap.glsl", "mask == 0u ? 0xffffffffu", "mask == 0u ? 0x7fffffffu", "attention_lanes_f32"},
	// Storage.
	{"include/elements.glsl", "unpackHalf2x16(stored.x), unpackHalf2x16(stored.y)", "unpackHalf2x16(stored.y), unpackHalf2x16(stored.x)", "context_f16"},
	// Scores and weights.
	{"include/query_key.glsl", "clamp(scores[j] * scale,", "clamp(scores[j],", "scores_f32"},
	{"include/query_key.glsl", "head * chunk_rows + row - first_row", "head * chunk_rows + row", "scores_f32"},
	{"include/query_key.glsl", "c < GROUPS", "c < GROUPS - 1u", "scores_f32"},
	{"scores.comp", "scores[at + 1u] =", "scores[at] =", "scores_f32"},
	{"scores.comp", "if (row < rows)", "if (true)", "scores_f32"},
	{"weights.comp", "(visible >> (k + j) & 1u) == 0u", "(visible >> (k + j) & 1u) == 2u", "weights_f32"},
	{"weights.comp", "lse[head * lse_head", "lse[0u * lse_head", "weights_f32"},
	// Softmax.
	{"softmax.comp", "    maxima[lane] = maximum;\n    sums[lane] = sum;\n    barrier();", "    maxima[lane] = maximum;\n    sums[lane] = sum;", "softmax"},
	{"softmax.comp", "half_width /= 2u) {", "half_width /= 4u) {", "softmax"},
	{"softmax.comp", "maximum + log2(sum) * LN_2", "maximum + log2(sum)", "softmax"},
	{"softmax.comp", "sum * exp2((maximum - larger) * LOG2_E)", "sum", "softmax"},
	{"softmax.comp", "sum == 0.0 ? MINUS_INFINITY", "sum < 0.0 ? MINUS_INFINITY", "softmax"},
	// Context.
	{"context.comp", "w.w * widen(values[v3 + c])", "w.w * widen(values[v2 + c])", "context_f32"},
	{"context.comp", "row * out_row + first_group + c", "row * out_row + c", "context_f32"},
	// Fused attention.
	{"include/attention.glsl", "(maximum + log2(sum)) * LN_2", "maximum + log2(sum) * LN_2", "attention_tiled_f32"},
	{"attention_lanes.comp", "total[r] * less + part", "total[r] + part", "attention_lanes_f32"},
	{"attention_lanes.comp", "sum[r][g] *= less;", "", "attention_lanes_f32"},
	{"attention_lanes.comp", "score[r][j] == NOTHING_SEEN ? 0.0 : exp2(score[r][j] - most)", "exp2(score[r][j] - most)", "attention_lanes_f32"},
	{"attention_lanes.comp", "(bits >> j & 1u) == 0u", "(bits >> (j ^ 1u) & 1u) == 0u", "attention_lanes_f32"},
	{"include/query_key_lanes.glsl", "vec4 z = OF_ROW(x, r)", "vec4 z = subgroupShuffle(x[r / LANES], gl_SubgroupInvocationID)", "attention_lanes_f32"},
	{"attention_lanes.comp", "subgroupShuffle(score[r][j], owner)", "subgroupShuffle(score[r][j], owner ^ 1u)", "attention_lanes_f32"},
	{"attention_lanes.comp", "most = max(most, subgroupShuffleXor(most, 2u));", "", "attention_lanes_f32"},
	{"attention_lanes.comp", "all += subgroupShuffleXor(all, 1u);", "all += subgroupShuffleXor(all, 2u);", "attention_lanes_f32"},
	{"attention_lanes.comp", "map_visible(entry, tile_row + f", "map_visible(entry, f", "attention_lanes_f32"},
	{"attention_tiled.comp", "            barrier(); // the last step, or the last values and weights, are used up\n", "", "attention_tiled_f32"},
	{"attention_tiled.comp", " = k[f];\n            }\n            barrier();", " = k[f];\n            }", "attention_tiled_f32"},
	{"attention_tiled.comp", "        barrier(); // queries and keys are used up, the parts' maxima are there\n", "", "attention_tiled_f32"},
	{"attention_tiled.comp", "                barrier(); // the last values are used up\n", "", "attention_tiled_f32"},
	{"attention_tiled.comp", " = v[f];\n            }\n            barrier();", " = v[f];\n            }", "attention_tiled_f32"},
	{"attention_tiled.comp", "total[r] * shrink +", "total[r] +", "attention_tiled_f32"},
	{"attention_tiled.comp", "sum[r * OWN_GROUPS + c] *= shrink;", "", "attention_tiled_f32"},
	{"attention_tiled.comp", "visible[r] = 0xffffffffu", "visible[r] = 0x7fffffffu", "attention_tiled_f32"},
	{"attention_tiled.comp", "visible[r] >> across", "visible[r] >> down", "attention_tiled_f32"},
	{"attention_tiled.comp", "map_visible(entry, down * OWN + r)", "map_visible(entry, down * OWN)", "attention_tiled_f32"},
	{"attention_tiled.comp", "equal(scores[r], vec4(NOTHING_SEEN))", "equal(scores[r], vec4(0.0))", "attention_tiled_f32"},
	{"attention_tiled.comp", "i < ACROSS; i++) {\n                larger", "i < ACROSS / 2u; i++) {\n                larger", "attention_tiled_f32"},
	{"attention_tiled.comp", "f * (APART / DOWN) * in_row", "f * in_row", "attention_tiled_f32"}, // with 64 invocations
	{"attention_tiled.comp", "(first_key + f * APART) * in_row, last_at)", "(first_key + f * APART) * in_row, last_at - in_row)", "attention_tiled_f32"},
	{"attention_tiled.comp", "vec4(a[j], b[j], c[j], d[j])", "vec4(a[j], b[j], d[j], c[j])", "attention_tiled_f32"},
	{"attention_tiled.comp", "weights_at + h * DOWN]", "weights_at]", "attention_tiled_f32"}, // with 64 invocations
	{"attention_tiled.comp", "if (row < rows)", "if (true)", "attention_tiled_f32"},
	// Keys that are split, and what joins their shares.
	{"include/attention.glsl", "* share / SPLITS;", "/ SPLITS * share;", "attention_tiled_f32"},
	{"include/attention.glsl", "share_begin(query_tile, share + 1u);", "map_end(query_tile);", "attention_tiled_f32"},
	{"include/attention.glsl", "gl_WorkGroupID.z / workgroups;", "gl_WorkGroupID.z % SPLITS;", "attention_lanes_f32"},
	{"attention_tiled.comp", "result_head = head * SPLITS + share;", "result_head = head + share;", "attention_tiled_f32"},
	{"attention_tiled.comp", "write_lse(result_head,", "write_lse(head,", "attention_tiled_f32"},
	{"attention_lanes.comp", "(gl_WorkGroupID.z - share * (QUERY_TILE / ROWS)) * ROWS;", "gl_WorkGroupID.z * ROWS;", "attention_lanes_f32"},
	{"attention_lanes.comp", "write_output(result_head *", "write_output(head *", "attention_lanes_f32"},
	{"merge.comp", "max(greatest, share_lse[first + s * rows])", "share_lse[first + s * rows]", "merge_f32"},
	{"merge.comp", "s < SPLITS; s++) {\n            float own", "s < SPLITS - 1u; s++) {\n            float own", "merge_f32"},
	{"merge.comp", "exp2((own - greatest) * LOG2_E)", "exp2(own - greatest)", "merge_f32"},
	{"merge.comp", "own > NOTHING_SEEN ? exp2((own - greatest) * LOG2_E) : 0.0", "exp2((max(own, NOTHING_SEEN) - greatest) * LOG2_E)", "merge_f32"},
	{"merge.comp", "head * SPLITS * rows + row", "head * rows + row", "merge_f32"},
	{"merge.comp", "(first + s * rows) * groups + c", "(first + s) * groups + c", "merge_f32"},
	{"merge.comp", "narrow(sum * inverse)", "narrow(sum)", "merge_f32"},
	{"merge.comp", "c += PER_ROW", "c += 2u * PER_ROW", "merge_f32"},
	{"merge.comp", "if (row >= rows)", "if (row > rows)", "merge_f32"},
	{"merge.comp", "log2(total) * LN_2", "log2(total)", "merge_f32"},
	{"merge.comp", "lse[head * lse_head + row]", "lse[head * rows + row]", "merge_f32"},
	// Pictures.
	{"include/heatmap.glsl", "chunk_begin + chunk) + KEY_TILE - 1u)", "chunk_begin + chunk))", "heatmap_lanes_f32"},
	{"include/blockmap.glsl", "map_key_tile(middle) < tile", "map_key_tile(middle) <= tile", "heatmap_lanes_f32"},
	{"heatmap_tiled.comp", "column < end_key;", "column <= end_key;", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "(first_row + row) / cell_queries - first_query / cell_queries", "(first_row + row - first_query) / cell_queries", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "/ cell_keys - first_key / cell_keys", "/ cell_queries - first_key / cell_queries", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "QUERY_TILE / cell_queries * pooled", "QUERY_TILE / cell_keys * pooled", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "min(cell_keys, KEY_TILE)", "min(cell_queries, KEY_TILE)", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "j < cell_queries; j++", "j < cell_keys; j++", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "row < end_query ?", "row <= end_query ?", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "row_lse[i] = lse[head * lse_head + row];", "row_lse[i] = lse[head * lse_head + first_row];", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "        barrier();\n        // Then down", "        // Then down", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "        barrier(); // the last tile is pooled\n", "", "heatmap_tiled_f32"},
	{"include/heatmap.glsl", "max(max(a, b), sum == 0u ? a : a + b)", "sum == 0u ? max(a, b) : a + b", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "cells[at] = pool(cells[at], value);", "cells[at] = value;", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "if (value != HIDDEN) {", "if (true) {", "heatmap_tiled_f32"},
	{"heatmap_tiled.comp", "(head - first_head) * cell_rows", "head * cell_rows", "heatmap_tiled_f32"},
	{"cells.comp", "if (column >= columns)", "if (column > columns)", "cells"},
	{"cells.comp", "(plane * rows + row)", "(plane + row)", "cells"},
	{"cells.comp", "first_to + ", "", "cells"},
	{"cells.comp", "first_from + ", "", "cells"},
	{"cells.comp", "plane * heads * from_head", "plane * from_head", "cells"},
	{"cells.comp", "row * from_row", "row * columns", "cells"},
	{"cells.comp", "column * from_column", "column", "cells"},
	{"cells.comp", "head_at + h * from_head", "head_at + h", "cells"},
	{"cells.comp", "fresh == 0u && ", "", "cells"},
	{"cells.comp", "fresh == 0u && !is_nan(to[at])", "fresh == 0u", "cells"},
	{"cells.comp", "word != hidden && ", "", "cells"},
	{"cells.comp", " && !is_nan(word)", "", "cells"},
	{"cells.comp", "(word & 0x7fffffffu) > INFINITY", "word > INFINITY", "cells"},
	{"cells.comp", "(word & 0x7fffffffu) > INFINITY", "word == NAN", "cells"},
	{"cells.comp", "max(begin, first)", "begin", "cells"},
	{"cells.comp", "min(begin + size, end)", "(begin + size)", "cells"},
	{"cells.comp", "extent(column, cell_keys, first_key", "extent(column, cell_keys, first_query", "cells"},
	{"cells.comp", "pairs > 1u", "pairs > 2u", "cells"},
	{"cells.comp", "value * factor", "value", "cells"},
	{"cells.comp", "shown = true;", "", "cells"},
	{"cells.comp", "floatBitsToUint(sum) : NAN", "floatBitsToUint(sum) : hidden", "cells"},
	{"include/query_key_lanes.glsl", "z.w * y[j].w", "z.w * y[j].z", "heatmap_lanes_f32"},
	{"include/query_key_lanes.glsl", "fetched[(r) / LANES], (r) % LANES", "fetched[(r) / LANES], ((r) + 1u) % LANES", "statistics_lanes_f32"},
	{"heatmap_lanes.comp", "if (sum != 0u) {", "if (true) {", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "exponent == NOTHING_SEEN ? HIDDEN", "exponent == NOTHING_SEEN ? 0.0", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "max(first_key, tile_key) - tile_key", "0u", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "min(end_key, tile_key + KEY_TILE)", "min(end_key + 1u, tile_key + KEY_TILE)", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "own < end_query ?", "own <= end_query ?", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "own >= first_query &&", "own > first_query &&", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "first_query / ROWS * ROWS", "(first_query + ROWS - 1u) / ROWS * ROWS", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "lse[head * lse_head + min(own, last)]", "lse[head * lse_head + row]", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "map_visible(entry, row % QUERY_TILE + f", "map_visible(entry, f", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "(bits >> j & 1u) == 0u", "(bits >> (j ^ 1u) & 1u) == 0u", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "w[r][j] = cell_queries > 4u ?", "w[r][j] = cell_queries > 8u ?", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "w[r][j] = cell_keys > 2u ?", "w[r][j] = cell_keys > 1u ?", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "subgroupShuffleXor(w[r][0], 2u)", "subgroupShuffleXor(w[r][0], 1u)", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "cell_queries <= ROWS && cell_keys", "cell_keys", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "&& cell_keys <= KEY_TILE;", ";", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "value != HIDDEN && first_of_cell", "first_of_cell", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "from + r < pooled_rows && ", "", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", " && j < pooled_keys", "", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "w[r][j] = w[r + STORED][j];", "w[r][j] = w[r][j];", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "(head - first_head) * cell_rows", "head * cell_rows", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "(row >> query_shift) - (first_query >> query_shift)", "(row - first_query) >> query_shift", "heatmap_lanes_f32"},
	{"heatmap_lanes.comp", "cell_columns - (first_key >> key_shift)", "cell_columns", "heatmap_lanes_f32"},
	{"statistics_tiled.comp", "-w * exponent", "w * exponent", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "float(column))", "float(first_key))", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "row - 1u, row + 1u", "row, row + 1u", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "row + 1u, token.y", "row + 1u, token.z", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "column == token.z,", "column == last,", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "&& column != row));", "));", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "id[j] == token", "id[0] == token", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "+ far_parts[from + 3u]", "", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "+ near_parts[from + 3u]", "", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "(visible >> j & 1u) == 1u", "true", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "max(max(a.w, b.w), max(c.w, d.w))", "max(max(a.w, b.w), c.w)", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "if (first_row + row < rows) {", "if (true) {", "statistics_tiled_f32"},
	{"statistics_tiled.comp", "    barrier();\n", "", "statistics_tiled_f32"},
	{"statistics_lanes.comp", "total[r] += x", "total[r] = x", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "entropy[r] -=", "entropy[r] +=", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "shown ? x * exponent : 0.0", "x * exponent", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "float(ahead) + float(offset)", "float(ahead)", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "max(greatest[r], x)", "x", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "ahead == -offset ?", "ahead == 1 - offset ?", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "-offset - 1 ?", "-offset - 2 ?", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "-offset + 1 ?", "-offset ?", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "row_begin[f] = tokens[rows + row];", "row_begin[f] = 0u;", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "row_end[f] = tokens[2u * rows + row];", "row_end[f] = last;", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "id[j] == same && ahead != -offset", "id[j] == same", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "id[j] == same", "id[0] == same", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "(bits >> j & 1u) == 1u", "true", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "map_visible(entry, tile_row + f", "map_visible(entry, f", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "= self[r];", "= next[r];", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "i % COLUMNS == 3u ? max(value, part)", "i % COLUMNS == 3u ? value", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "l = 1u; l < LANES", "l = 1u; l < LANES - 1u", "statistics_lanes_f32"},
	{"statistics_lanes.comp", "if (first_row + i / COLUMNS < rows)", "if (true)", "statistics_lanes_f32"},
	{"include/products.glsl", "dot(q, k[5])", "dot(q, k[4])", "heatmap_tiled_f32"},
	// Matrix product and its epilogues.
	{"matmul_lanes.comp", "z.w * y[c].w", "z.w * y[c].z", "matmul_lanes_f32"},
	{"matmul_lanes.comp", "min(first_row + r, rows - 1u) * a_row + k", "min(first_row + r, rows - 2u) * a_row + k", "matmul_lanes_f32"},
	{"matmul_lanes.comp", "sums[row * LANES + GROUPS + group] : u", "sums[row * LANES + group] : u", "matmul_lanes_f32"},
	{"matmul_lanes.comp", "i < ROWS * GROUPS; i", "i < (ROWS - 1u) * GROUPS; i", "matmul_lanes_f32"},
	{"matmul_tiled.comp", "if (k + group >= depth) {", "if (k + group > depth) {", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "        barrier(); // the last tiles are used up\n", "", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "            }\n        }\n        barrier();\n", "            }\n        }\n", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "fetched + f * APART, COLUMNS", "fetched, COLUMNS", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "fetched + f * APART, rows - 1u", "fetched + f * APART, rows - 2u", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "= y[f][e];", "= y[f][e ^ 1u];", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "(e + n) * PITCH_A", "e * PITCH_A", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "low[to + r] += x[r]", "low[to + r] += x[r ^ 1u]", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "+ HIGH, first, second, 4u)", ", first, second, 4u)", "matmul_tiled_f32"},
	{"attention_tiled.comp", "c = widen(keys_or_values[keys_at + 2u * ACROSS])", "c = widen(keys_or_values[keys_at + ACROSS])", "attention_tiled_f16"},
	{"matmul_tiled.comp", "pair.y * second_odd", "pair.y * second_even", "matmul_tiled_f16"},
	{"matmul_tiled.comp", "unpackHalf2x16(words.w).y", "unpackHalf2x16(words.z).y", "matmul_tiled_f16"},
	{"matmul_tiled.comp", "(r / 4u * HIGH + down) * 4u", "(r / 4u * WIDE + down) * 4u", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "first + (WIDE + across) * 4u", "first + (HIGH + across) * 4u", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "low[r], high[r]);", "high[r], low[r]);", "matmul_tiled_f32"},
	{"include/matmul.glsl", "if (row >= rows || column >= columns) {", "if (row > rows || column >= columns) {", "matmul_lanes_f32"},
	{"include/matmul.glsl", "columns + min(first + c - half_width, columns - 1u)", "columns + min(first + c - half_width, columns - 2u)", "matmul_lanes_f32"},
	{"include/matmul.glsl", "g += bias4(columns + column);", "g += bias4(column);", "matmul_lanes_f32"},
	{"include/matmul.glsl", "RESIDUAL ? result[at] + u : u", "RESIDUAL ? result[at] - u : u", "matmul_lanes_f32"},
	{"include/matmul.glsl", "x.x * t.x - x.y * t.y", "x.x * t.x + x.y * t.y", "matmul_lanes_f32"},
	{"include/matmul.glsl", "x.w * t.z + x.z * t.w", "x.w * t.z + x.z * t.y", "matmul_lanes_f32"},
	{"include/matmul.glsl", "positions[row] * (HEAD", "positions[max(row, 1u) - 1u] * (HEAD", "matmul_tiled_f32"},
	{"include/matmul.glsl", "column < turned", "column <= turned", "matmul_lanes_f32"},
	{"include/matmul.glsl", "column % HEAD / 4u", "column / 4u", "matmul_lanes_f32"},
	{"include/matmul.glsl", "u = turn4(row, column, u);", "u = BIAS ? turn4(row, column, u - bias4(column)) + bias4(column) : turn4(row, column, u);", "matmul_lanes_f32"},
	{"include/activation.glsl", "p = p * s - 0.3761262595653534;", "p = p * s - 0.3761362595653534;", "matmul_lanes_f32"},
	{"include/activation.glsl", "p = p * t + 0.6382256746292114;", "p = p * t + 0.6383256746292114;", "matmul_lanes_f32"},
	// The other kernels of the encoder.
	{"layernorm.comp", "    barrier(); // the last sum was read\n    sums[lane] = value;\n    barrier();", "    sums[lane] = value;", "layernorm_f32"},
	{"layernorm.comp", "1.0 / sqrt(variance + epsilon)", "1.0 / (sqrt(variance) + epsilon)", "layernorm_f32"},
	{"layernorm.comp", "if (row < rows) {", "if (row <= rows) {", "layernorm_f32"},
	{"gather.comp", "if (index >= count)", "if (index > count)", "gather_f32"},
	{"gather.comp", "if (row >= rows)", "if (row > rows)", "gather_f32"},
	{"pool.comp", "end - 1u : begin", "end - 2u : begin", "pool"},
	{"pool.comp", "row - begin + offset + 1u", "row - begin + offset", "pool"},
	{"pool.comp", "uint row = begin + 1u; row < end; row++) {\n            value = max", "uint row = begin + 2u; row < end; row++) {\n            value = max", "pool"},
}

// matrixMutations are faults in kernels on matrix units.
var matrixMutations = []mutation{
	{"attention_matrix.comp", "        barrier(); // the queries, or", "        // the queries, or", "attention_matrix_f16"},
	{"attention_matrix.comp", "total[t] *= shrink;", "", "attention_matrix_f16"},
	{"attention_matrix.comp", "sums[o][c] = sums[o][c] * shrink;", "", "attention_matrix_f16"},
	{"attention_matrix.comp", "visible >> 4u * four", "visible >> 4u", "attention_matrix_f16"},
	{"attention_matrix.comp", "min(first_key + (id", "min(first_key + 1u + (id", "attention_matrix_f16"},
	{"attention_matrix.comp", "equal(high, vec4(NOTHING_SEEN))", "equal(high, vec4(0.0))", "attention_matrix_f16"},
	{"attention_matrix.comp", "write_lse(result_head, first_row + row, maximum[t] - LIFT,", "write_lse(result_head, first_row + row, maximum[t],", "attention_matrix_f16"},
	{"attention_matrix.comp", "group = c * N / 4u + i % 8u", "group = i % 8u", "attention_matrix_f16"},
	{"attention_matrix.comp", "if (first_row + row < rows && group", "if (group", "attention_matrix_f16"},
	{"attention_matrix2.comp", "        barrier(); // the queries, or", "        // the queries, or", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "total[o] = total[o] * less;", "", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "sums[o][c] = sums[o][c] * less;", "", "attention_matrix2_f16"},
	{"attention_matrix2.comp", ">> first_key + column & 1u", ">> column & 1u", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "visible[first_row + row]", "visible[row]", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "next_visible[i] = map_visible(next,", "next_visible[i] = map_visible(begin,", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "score == NOTHING_SEEN ? 0.0 : weight", "weight", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "min(first_key + (id", "min(first_key + 1u + (id", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "top, top, larger_element, s[o][c]", "top, s[o][c], larger_element, s[o][c]", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "gl_CooperativeMatrixReduceRowNV, larger)", "gl_CooperativeMatrixReduceColumnNV, larger)", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "coopMatReduceNV(total[o], total[o], gl_CooperativeMatrixReduceRowNV, sum);", "", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "(KEY_TILE + e * N) * PITCH", "(KEY_TILE + e) * PITCH", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "total == 0.0 ? 0.0 : 1.0 / total", "1.0 / total", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "column == 0u ? level :", "column == 0u ? level + LIFT :", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "out_row + c * N / 4u + group", "out_row + group", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "if (first_row + row < rows) {\n                write_output", "{\n                write_output", "attention_matrix2_f16"},
	{"include/blockmap.glsl", "entry + 1u] != 0u", "entry + 1u] > 1u", "attention_matrix2_f16"},
	{"attention_matrix2.comp", "result_head = head * SPLITS + share;", "result_head = head * SPLITS;", "attention_matrix2_f16_f32"},
	{"attention_matrix2.comp", "begin = share_begin(query_tile, share), end", "begin = map_begin(query_tile), end", "attention_matrix2_f16_f32"},
	{"attention_matrix.comp", "result_head = head * SPLITS + share;", "result_head = head * SPLITS;", "attention_matrix_f16_f32"},
	{"attention_matrix.comp", "begin = share_begin(query_tile, share), end", "begin = map_begin(query_tile), end", "attention_matrix_f16_f32"},
	{"matmul_matrix.comp", "            barrier(); // the last step is used up\n", "", "matmul_matrix_f16"},
	{"matmul_matrix.comp", "weight_row(first, (id", "weight_row(first + 1u, (id", "matmul_matrix_f16"},
	{"matmul_matrix.comp", "(ACROSS + across - 1u) * (COLUMNS / 2u) + c", "across * (COLUMNS / 2u) + c", "matmul_matrix_f16"},
	{"matmul_matrix.comp", "stage[GATED ? at + HALF : at]", "stage[at]", "matmul_matrix_f16"},
	{"matmul_matrix.comp", "[[dont_unroll]] for (uint e = 0u; e < STEP / K; e++)", "[[dont_unroll]] for (uint e = 1u; e < STEP / K; e++)", "matmul_matrix_f16"},
	{"matmul_matrix.comp", "(down * ROWS + r) * M + row, first", "(down * ROWS) * M + row, first", "matmul_matrix_f16"},
	{"include/matmul.glsl", "x.z * t.z - x.w * t.w", "x.z * t.z + x.w * t.w", "matmul_matrix_f16"},
}

// TestMutations plants one fault after another in the shaders, and demands that
// verification finds each. It runs on SwiftShader, whose compiler is the quickest.
func TestMutations(t *testing.T) {
	d := findDriver(t, "swiftshader")
	t.Setenv("VK_DRIVER_FILES", d.manifest)
	t.Setenv("VK_ICD_FILENAMES", d.manifest)
	// One that is compiled as they are, but not changed. Of the others TestVerify says so.
	t.Run("unchanged", func(t *testing.T) {
		if found(t, mutation{kernel: "rope_f32"}) {
			t.Error("verification finds fault in a kernel that was not changed")
		}
	})
	testMutations(t, mutations)
}

// inside is set in the environment of a test that runs itself again with the loader
// of another driver.
const inside = "GAZE_TESTS_INSIDE"

// TestMatrixMutations does the same to kernels on matrix units, on the driver that
// has them.
func TestMatrixMutations(t *testing.T) {
	if os.Getenv(inside) != "" {
		testMutations(t, matrixMutations)
		return
	}
	d := findDriver(t, "lavapipe-coopmat")
	t.Parallel()
	c := d.command(os.Args[0], "-test.v", "-test.run", "^TestMatrixMutations$")
	c.Env = append(c.Env, inside+"=1", "GALLIVM_PERF=nopt") // faults show without the optimizer, which takes a quarter of the time
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n, want := strings.Count(string(out), "    --- PASS: TestMatrixMutations/"), len(matrixMutations); n != want {
		t.Errorf("%d mutations were tried, expected %d\n%s", n, want, out)
	}
}

// testMutations demands that verification finds each of the mutations.
func testMutations(t *testing.T, mutations []mutation) {
	for _, m := range mutations {
		t.Run(m.kernel+"/"+m.new, func(t *testing.T) {
			t.Parallel() // what takes long is compiling, by one thread of the driver's
			if !found(t, m) {
				t.Errorf("%s: with %q in place of %q verification still passes", m.file, m.new, m.old)
			}
		})
	}
}

var findTools = sync.OnceValues(compile.FindTools)

// proved is how many problems TestVerify has at least, on every driver.
const proved = 24

// found plants a fault and reports whether verification finds it.
func found(t *testing.T, m mutation) bool {
	tools, err := findTools()
	if err != nil {
		t.Fatal(err)
	}
	variants, err := compile.Variants(shaders.Sources)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	if err := os.CopyFS(directory, shaders.Sources); err != nil {
		t.Fatal(err)
	}
	if m.file != "" {
		file := filepath.Join(directory, m.file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Fatalf("%s holds %q %d times: bring this mutation up to date", m.file, m.old, n)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set := committed(t)
	code, err := tools.Build(directory, variants[slices.IndexFunc(variants, func(v compile.Variant) bool { return v.Name == m.kernel })])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(set, m.kernel+".spv"), code, 0o644); err != nil {
		t.Fatal(err)
	}
	report := verified(t, m.kernel, set, verify.Options{Cases: 150, Stop: true})
	for _, row := range report.Rows {
		if row.Fault != "" {
			t.Logf("found in case %d, of problem %d: %s", report.Cases, report.Problems, row.Fault)
		}
	}
	if !report.Passed() && report.Problems > proved { // is it the mutation?
		if !verified(t, m.kernel, committed(t), verify.Options{Problem: report.Problems}).Passed() {
			t.Errorf("verification finds fault in problem %d of %s though nothing was changed", report.Problems, m.kernel)
		}
	}
	return !report.Passed()
}

// verified verifies one of a directory of kernels.
func verified(t *testing.T, kernel, directory string, o verify.Options) *verify.Report {
	t.Helper()
	set, err := shaders.Dir(directory)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open("auto", engine.Options{Shaders: set})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	o.Kernel, o.Exact, o.Seed = kernel, true, 1
	report, err := verify.Run(context.Background(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// committed returns a directory with a copy of the committed SPIR-V.
func committed(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	if err := os.CopyFS(directory, must(fs.Sub(os.DirFS("../shaders"), "spirv"))); err != nil {
		t.Fatal(err)
	}
	return directory
}

func must(f fs.FS, err error) fs.FS {
	if err != nil {
		panic(err)
	}
	return f
}
