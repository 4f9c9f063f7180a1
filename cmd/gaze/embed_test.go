package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/reference"
)

type embedOutput struct {
	Embeddings [][]float32
	Tokens     []int
}

// Without a modules.json an embedding is the mean, as long as it is.
func TestEmbedMean(t *testing.T) {
	directory := tinyModel(t, "ModernBertForMaskedLM", nil)
	oracle := newOracle(t, directory)
	file := write(t, t.TempDir(), "lines.txt", "the man\r\n\nan ant and another\n")
	out := filepath.Join(t.TempDir(), "new", "vectors.npy")
	text := mustCall(t, "embed", "--model", directory, "--text", "Zoë", "--file", file, "--batch-tokens", "10", "--json", "--out", out)
	var got embedOutput
	parseJSON(t, text, &got)
	if fields := shapeOf(strings.Join(strings.Fields(text), "")); !strings.HasPrefix(fields, `{"embeddings":[[0.5,0.5,`) || !strings.HasSuffix(fields, `,0.5]],"tokens":[6,6,2,14]}`) {
		t.Errorf("the output is %s", fields)
	}
	var flat []float32
	for i, text := range []string{"Zoë", "the man", "", "an ant and another"} {
		e := oracle.encode(t, text, tokenizer.Options{})
		want := reference.Pool(oracle.Forward([][]uint32{e.IDs}).Last, []gaze.Span{{End: len(e.IDs)}}, reference.PoolMean, 0, 64)
		agreeAll(t, text, got.Embeddings[i], want)
		flat = append(flat, got.Embeddings[i]...)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const header = "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (4, 64), }"
	if !strings.HasPrefix(string(data), header) || data[127] != '\n' || len(data) != 128+4*len(flat) || strings.Trim(string(data[len(header):127]), " ") != "" {
		t.Fatalf("%d bytes, which begin with %q", len(data), data[:128])
	}
	for i, x := range flat {
		if y := math.Float32frombits(binary.LittleEndian.Uint32(data[128+4*i:])); x != y {
			t.Fatalf("element %d of the file is %v, expected %v", i, y, x)
		}
	}

	safetensors := filepath.Join(t.TempDir(), "vectors.safetensors")
	said := mustCall(t, "embed", "--model", directory, "--text", "Zoë", "--out", safetensors, "--normalize", "--dimensions", "5")
	if want := safetensors + ": 1 vectors of 5 elements\n"; said != want {
		t.Errorf("it says %q, expected %q", said, want)
	}
	agreeAll(t, "normalized", readFloats(t, safetensors, "embeddings"), unit(reference.Widen(flat[:5])))
	table := mustCall(t, "embed", "--model", directory, "--text", "Zoë")
	if !strings.Contains(table, "     6        64  ") || !strings.Contains(table, "  Zoë\n") {
		t.Errorf("the table is\n%s", table)
	}
}

// Everything that sentence-transformers may put behind the encoder.
func TestEmbedModules(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	write(t, directory, "modules.json", `[
		{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
		{"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
		{"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
		{"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}]`)
	for _, name := range []string{"1_Pooling", "2_Dense"} {
		if err := os.Mkdir(filepath.Join(directory, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write(t, directory, "1_Pooling/config.json", `{"word_embedding_dimension": 64, "include_prompt": false, "pooling_mode_mean_tokens": true,
		"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true, "pooling_mode_mean_sqrt_len_tokens": true,
		"pooling_mode_weightedmean_tokens": true, "pooling_mode_lasttoken": true}`)
	write(t, directory, "2_Dense/config.json", `{"in_features": 384, "out_features": 24, "bias": true, "activation_function": "torch.nn.modules.activation.GELU"}`)
	write(t, directory, "config_sentence_transformers.json", `{"prompts": {"query": "find: ", "document": "", "long": "`+strings.Repeat("p", 40)+`"}, "default_prompt_name": "query"}`)
	write(t, directory, "sentence_bert_config.json", `{"max_seq_length": 30, "do_lower_case": true}`)
	dense := filepath.Join(directory, "2_Dense", "model.safetensors")
	if err := checkpoint.WriteRandomTensors(dense, []checkpoint.TensorShape{{Name: "linear.weight", Shape: []int{24, 384}}, {Name: "linear.bias", Shape: []int{24}}}, checkpoint.RandomOptions{}); err != nil {
		t.Fatal(err)
	}
	weight, bias := reference.Widen(readFloats(t, dense, "linear.weight")), reference.Widen(readFloats(t, dense, "linear.bias"))
	oracle := newOracle(t, directory)
	texts := []string{"The MAN", "an ant"}
	for _, c := range []struct {
		args       []string
		prompt     string
		skip, keep int
	}{
		{nil, "find: ", 7, 24}, // [CLS] and six bytes
		{[]string{"--prompt", "document"}, "", 0, 24},
		{[]string{"--dimensions", "7"}, "find: ", 7, 7},
	} {
		args := append([]string{"embed", "--model", directory, "--json", "--text", texts[0], "--text", texts[1]}, c.args...)
		var got embedOutput
		parseJSON(t, mustCall(t, args...), &got)
		for i, text := range texts {
			e := oracle.encode(t, c.prompt+strings.ToLower(text), tokenizer.Options{})
			last := oracle.Forward([][]uint32{e.IDs}).Last
			var pooled []float64
			for _, mode := range []reference.Pooling{reference.PoolCLS, reference.PoolMax, reference.PoolMean, reference.PoolMeanSqrt, reference.PoolWeightedMean, reference.PoolLast} {
				pooled = append(pooled, reference.Pool(last, []gaze.Span{{First: c.skip, End: len(e.IDs)}}, mode, c.skip, 64)...)
			}
			want := reference.MatMul(pooled, weight, bias, 1, 24, 384)
			for j, x := range want {
				want[j] = x / 2 * math.Erfc(-x/math.Sqrt2)
			}
			agreeAll(t, fmt.Sprint(c.args, text), got.Embeddings[i], unit(want[:c.keep]))
			if got.Tokens[i] != len(e.IDs) {
				t.Errorf("%v: text %d has %d tokens, expected %d", c.args, i, got.Tokens[i], len(e.IDs))
			}
		}
	}
	for _, c := range []struct{ prompt, err string }{
		{"none", "gaze embed: DIR: it has no prompt \"none\"; its prompts are document, long, query\n"},
		{"long", "gaze: warning: --text 1: 13 of its 43 tokens are cut off: max_seq_length is 30\n" +
			"gaze embed: --text 1: the prompt alone has its 30 tokens, and this model's pooling leaves the prompt out\n"},
	} {
		got := call(t.Context(), "", "embed", "--model", directory, "--text", "a", "--prompt", c.prompt)
		if got.err = strings.ReplaceAll(got.err, directory, "DIR"); got != (called{statusFailure, "", c.err}) {
			t.Errorf("%+v, expected %q", got, c.err)
		}
	}
}

func agreeAll(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, expected %d", what, len(got), len(want))
	}
	for i, x := range got {
		agree(t, fmt.Sprintf("%s: element %d", what, i), x, want[i])
	}
}

// unit divides by the Euclidean length.
func unit(x []float64) []float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	y := slices.Clone(x)
	for i := range y {
		y[i] /= math.Sqrt(sum)
	}
	return y
}
