package tests

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
	{"include/blockmap.glsl", "mask == 0u ? 0xffffffffu", "mask == 0u ? 0x7fffffffu", "attention_tiled_f32"},
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
	{"attention_lanes.comp", "subgroupShuffle(score[r][j], owner)", "subgroupShuffle(score[r][j], owner ^ 1u)", "attention_lanes_f32"},
	{"attention_lanes.comp", "most = max(most, subgroupShuffleXor(most, 2u));", "", "attention_lanes_f32"},
	{"attention_lanes.comp", "all += subgroupShuffleXor(all, 1u);", "all += subgroupShuffleXor(all, 2u);", "attention_lanes_f32"},
	{"attention_lanes.comp", "map_visible(entry, tile_row + f", "map_visible(entry, f", "attention_lanes_f32"},
	{"attention_tiled.comp", "            barrier(); // the last block's values are used up\n", "", "attention_tiled_f32"},
	{"attention_tiled.comp", "            barrier(); // the keys are used up, the parts' maxima are there\n", "", "attention_tiled_f32"},
	{"attention_tiled.comp", "total *= shrink;", "", "attention_tiled_f32"},
	{"attention_tiled.comp", "min(first_key + i / GROUPS, last) * in_row + i % GROUPS]);\n            }\n            barrier();\n\n            for", "min(first_key + i / GROUPS, last) * in_row + i % GROUPS]);\n            }\n\n            for", "attention_tiled_f32"},
	{"attention_tiled.comp", "visible >> (k + j * PARTS + part)", "visible >> (k + j + part)", "attention_tiled_f32"},
	// Pictures.
	{"heatmap.comp", "chunk_begin + chunk) + KEY_TILE - 1u)", "chunk_begin + chunk))", "heatmap_f32"},
	{"include/blockmap.glsl", "map_key_tile(middle) < tile", "map_key_tile(middle) <= tile", "heatmap_f32"},
	{"heatmap.comp", "column < end_key;", "column <= end_key;", "heatmap_f32"},
	{"heatmap.comp", "(first_row + row) / cell_queries - first_query / cell_queries", "(first_row + row - first_query) / cell_queries", "heatmap_f32"},
	{"heatmap.comp", "/ cell_keys - first_key / cell_keys", "/ cell_queries - first_key / cell_queries", "heatmap_f32"},
	{"heatmap.comp", "QUERY_TILE / cell_queries * pooled", "QUERY_TILE / cell_keys * pooled", "heatmap_f32"},
	{"heatmap.comp", "min(cell_keys, KEY_TILE)", "min(cell_queries, KEY_TILE)", "heatmap_f32"},
	{"heatmap.comp", "j < cell_queries; j++", "j < cell_keys; j++", "heatmap_f32"},
	{"heatmap.comp", "row < end_query ?", "row <= end_query ?", "heatmap_f32"},
	{"heatmap.comp", "row_lse[i] = lse[head * lse_head + row];", "row_lse[i] = lse[head * lse_head + first_row];", "heatmap_f32"},
	{"heatmap.comp", "        barrier();\n        // Then down", "        // Then down", "heatmap_f32"},
	{"heatmap.comp", "        barrier(); // the last tile is pooled\n", "", "heatmap_f32"},
	{"heatmap.comp", "a == HIDDEN || b == HIDDEN ? max(a, b)", "a == HIDDEN ? max(a, b)", "heatmap_f32"},
	{"heatmap.comp", "cells[at] = pool(cells[at], value);", "cells[at] = value;", "heatmap_f32"},
	{"heatmap.comp", "if (value != HIDDEN) {", "if (true) {", "heatmap_f32"},
	{"heatmap.comp", "(head - first_head) * cell_rows", "head * cell_rows", "heatmap_f32"},
	{"statistics.comp", "-w * exponent", "w * exponent", "statistics_f32"},
	{"statistics.comp", "float(column))", "float(first_key))", "statistics_f32"},
	{"statistics.comp", "row - 1u, row + 1u", "row, row + 1u", "statistics_f32"},
	{"statistics.comp", "row + 1u, token.y", "row + 1u, token.z", "statistics_f32"},
	{"statistics.comp", "column == token.z,", "column == last,", "statistics_f32"},
	{"statistics.comp", "&& column != row));", "));", "statistics_f32"},
	{"statistics.comp", "id[j] == token", "id[0] == token", "statistics_f32"},
	{"statistics.comp", "+ far_parts[from + 3u]", "", "statistics_f32"},
	{"statistics.comp", "+ near_parts[from + 3u]", "", "statistics_f32"},
	{"statistics.comp", "(visible >> j & 1u) == 1u", "true", "statistics_f32"},
	{"statistics.comp", "max(max(a.w, b.w), max(c.w, d.w))", "max(max(a.w, b.w), c.w)", "statistics_f32"},
	{"statistics.comp", "if (first_row + row < rows) {", "if (true) {", "statistics_f32"},
	{"statistics.comp", "    barrier();\n", "", "statistics_f32"},
	{"include/products.glsl", "dot(q, k[5])", "dot(q, k[4])", "heatmap_f32"},
	// Matrix product and its epilogues.
	{"matmul_lanes.comp", "z.w * y[c].w", "z.w * y[c].z", "matmul_lanes_f32"},
	{"matmul_lanes.comp", "subgroupShuffle(x[r / LANES], r % LANES)", "subgroupShuffle(x[r / LANES], lane)", "matmul_lanes_f32"},
	{"matmul_lanes.comp", "sums[row * LANES + GROUPS + group] : u", "sums[row * LANES + group] : u", "matmul_lanes_f32"},
	{"matmul_lanes.comp", "i < ROWS * GROUPS; i", "i < (ROWS - 1u) * GROUPS; i", "matmul_lanes_f32"},
	{"matmul_tiled.comp", "bool inside = k + s < depth;", "bool inside = k + s <= depth;", "matmul_tiled_f32"},
	{"matmul_tiled.comp", "            }\n        }\n        barrier();\n", "            }\n        }\n", "matmul_tiled_f32"},
	{"include/matmul.glsl", "if (row >= rows || column >= columns) {", "if (row > rows || column >= columns) {", "matmul_lanes_f32"},
	{"include/matmul.glsl", "columns + min(first + c - half_width, columns - 1u)", "columns + min(first + c - half_width, columns - 2u)", "matmul_lanes_f32"},
	{"include/matmul.glsl", "g += bias4(columns + column);", "g += bias4(column);", "matmul_lanes_f32"},
	{"include/matmul.glsl", "RESIDUAL ? result[at] + u : u", "RESIDUAL ? result[at] - u : u", "matmul_lanes_f32"},
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
	{"attention_tiled.comp", "max(parts[first_part + 2u], parts[first_part + 3u]));\n            larger", "parts[first_part + 2u]);\n            larger", "attention_tiled_f32"},
}

// TestMutations plants one fault after another in the shaders, and demands that
// verification finds each. It runs on SwiftShader, whose compiler is the quickest.
func TestMutations(t *testing.T) {
	d := findDriver(t, "swiftshader")
	tools, err := compile.FindTools()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("VK_DRIVER_FILES", d.manifest)
	t.Setenv("VK_ICD_FILENAMES", d.manifest)
	variants, err := compile.Variants(shaders.Sources)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]compile.Variant{}
	for _, v := range variants {
		named[v.Name] = v
	}
	fails := func(t *testing.T, m mutation) bool {
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
		code, err := tools.Build(directory, named[m.kernel])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(set, m.kernel+".spv"), code, 0o644); err != nil {
			t.Fatal(err)
		}
		changed, err := shaders.Dir(set)
		if err != nil {
			t.Fatal(err)
		}
		e, err := engine.Open("auto", engine.Options{Shaders: changed})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		report, err := verify.Run(context.Background(), e, verify.Options{Kernel: m.kernel, Cases: 150, Seed: 1, Stop: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range report.Rows {
			if row.Fault != "" {
				t.Logf("found: %s", row.Fault)
			}
		}
		return !report.Passed()
	}
	for _, kernel := range []string{"rope_f32", "context_f16", "softmax", "attention_lanes_f32", "attention_tiled_f32",
		"matmul_lanes_f32", "matmul_tiled_f32", "layernorm_f32", "pool"} {
		t.Run("unchanged/"+kernel, func(t *testing.T) {
			if fails(t, mutation{kernel: kernel}) {
				t.Error("verification finds fault in a kernel that was not changed")
			}
		})
	}
	for _, m := range mutations {
		t.Run(m.kernel+"/"+m.new, func(t *testing.T) {
			if !fails(t, m) {
				t.Errorf("%s: with %q in place of %q verification still passes", m.file, m.new, m.old)
			}
		})
	}
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
