package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/reference"
)

// tinyTokenizer returns a byte-level tokenizer.json: special tokens, one token a
// byte, and a few words.
func tinyTokenizer(t *testing.T) string {
	t.Helper()
	vocabulary := map[string]int{"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "[MASK]": 4}
	var added []map[string]any
	for _, name := range []string{"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"} {
		added = append(added, map[string]any{"id": vocabulary[name], "content": name, "single_word": false,
			"lstrip": name == "[MASK]", "rstrip": false, "normalized": false, "special": true})
	}
	next := rune(256)
	for b := range 256 { // GPT-2's alphabet of bytes
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE) {
			r = next
			next++
		}
		vocabulary[string(r)] = len(vocabulary)
	}
	var merges []string
	for _, pair := range [][2]string{{"t", "h"}, {"th", "e"}, {"Ġ", "the"}, {"a", "n"}} {
		merges = append(merges, pair[0]+" "+pair[1])
		vocabulary[pair[0]+pair[1]] = len(vocabulary)
	}
	special := func(name string) map[string]any {
		return map[string]any{"SpecialToken": map[string]any{"id": name, "type_id": 0}}
	}
	sequence := func(id string) map[string]any {
		return map[string]any{"Sequence": map[string]any{"id": id, "type_id": 0}}
	}
	tokens := map[string]any{}
	for _, name := range []string{"[CLS]", "[SEP]"} {
		tokens[name] = map[string]any{"id": name, "ids": []int{vocabulary[name]}, "tokens": []string{name}}
	}
	return asJSON(t, map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added,
		"normalizer":    map[string]any{"type": "NFC"},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
		"post_processor": map[string]any{"type": "TemplateProcessing", "special_tokens": tokens,
			"single": []any{special("[CLS]"), sequence("A"), special("[SEP]")},
			"pair":   []any{special("[CLS]"), sequence("A"), special("[SEP]"), sequence("B"), special("[SEP]")}},
		"decoder": map[string]any{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
		"model": map[string]any{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
			"end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary, "merges": merges},
	})
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// tinyModel writes a random checkpoint with a tokenizer and returns its directory.
func tinyModel(t *testing.T, architecture string, keys map[string]any) string {
	t.Helper()
	config := map[string]any{
		"model_type": "modernbert", "architectures": []string{architecture}, "vocab_size": 268,
		"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
		"pad_token_id": 3, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2,
	}
	maps.Copy(config, keys)
	directory := t.TempDir()
	if err := checkpoint.WriteRandom(directory, []byte(asJSON(t, config)), checkpoint.RandomOptions{Seed: 7}); err != nil {
		t.Fatal(err)
	}
	write(t, directory, "tokenizer.json", tinyTokenizer(t))
	return directory
}

// An oracle is a checkpoint in float64, and its tokenizer.
type oracle struct {
	*reference.Encoder
	*tokenizer.Tokenizer
}

func newOracle(t *testing.T, directory string) oracle {
	t.Helper()
	m, err := checkpoint.OpenModel(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	e, err := reference.NewEncoder(m)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := tokenizer.Load(directory)
	if err != nil {
		t.Fatal(err)
	}
	return oracle{e, tokens}
}

func (o oracle) encode(t *testing.T, text string, options tokenizer.Options) tokenizer.Encoding {
	t.Helper()
	e, err := o.Encode(text, options)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (o oracle) logits(e tokenizer.Encoding) []float64 { return o.Logits(o.Forward([][]uint32{e.IDs})) }

// probabilities is the softmax in float64.
func probabilities(x []float64) []float64 {
	p, sum := make([]float64, len(x)), 0.0
	for i, v := range x {
		p[i] = math.Exp(v)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func parseJSON(t *testing.T, text string, value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), value); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// tolerance is what f32 on a device may differ by from float64 in these models.
const tolerance = 1e-4

func agree[T float32 | float64](t *testing.T, what string, got T, want float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

var fraction = regexp.MustCompile(`-?\d+(\.\d+)?e-\d+|-?\d+\.\d+`)

// shapeOf replaces all fractions, which differ from device to device.
func shapeOf(text string) string { return fraction.ReplaceAllString(text, "0.5") }

func TestModelErrors(t *testing.T) {
	directory := tinyModel(t, "ModernBertForSequenceClassification", nil)
	masked := tinyModel(t, "ModernBertForMaskedLM", nil)
	bare := tinyModel(t, "ModernBertModel", nil)
	asker := tinyModel(t, "ModernBertForQuestionAnswering", nil)
	wide := tinyModel(t, "ModernBertModel", map[string]any{"vocab_size": 200})
	untold := filepath.Join(t.TempDir(), "model")
	if err := checkpoint.WriteRandom(untold, []byte(`{"model_type": "modernbert", "architectures": ["ModernBertModel"], "vocab_size": 100,
		"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 2}`), checkpoint.RandomOptions{}); err != nil {
		t.Fatal(err)
	}
	empty := write(t, t.TempDir(), "empty.txt", "")
	names := strings.NewReplacer(directory, "CLASSIFIER", masked, "MASKED", bare, "BARE", wide, "WIDE", untold, "UNTOLD", empty, "EMPTY")
	var text strings.Builder
	for _, c := range []struct {
		stdin string
		args  []string
	}{
		{"", []string{"embed", "--text", "a"}},
		{"", []string{"embed", "--model", bare}},
		{"", []string{"embed", "--model", bare, "--text", "a", "--batch-tokens", "0"}},
		{"", []string{"embed", "--model", bare, "--text", "a", "--precision", "f64"}},
		{"", []string{"embed", "--model", bare, "--text", "a", "--dimensions", "-1"}},
		{"", []string{"embed", "--model", bare, "--text", "a", "--dimensions", "65"}},
		{"", []string{"embed", "--model", bare, "--text", "a", "--out", "a.txt"}},
		{"", []string{"embed", "--model", bare, "--text", "a", "--prompt", "query"}},
		{"", []string{"embed", "--model", bare, "--file", empty}},
		{"", []string{"embed", "--model", bare, "--file", "-"}},
		{"", []string{"embed", "--model", bare, "--file", "no such file"}},
		{"good\nb\xffd\n", []string{"embed", "--model", bare, "--file", "-"}},
		{"", []string{"embed", "--model", "/no such directory", "--text", "a"}},
		{"", []string{"embed", "--model", untold, "--text", "a"}},
		{"", []string{"embed", "--model", wide, "--text", "a"}},
		{"", []string{"fill-mask", "--model", bare, "--text", "a [MASK]"}},
		{"", []string{"fill-mask", "--model", directory, "--text", "a [MASK]"}},
		{"", []string{"fill-mask", "--model", masked, "--text", "a [MASK]", "--text", "a <mask>"}},
		{"", []string{"fill-mask", "--model", masked, "--text", "a [MASK]", "--top", "0"}},
		{"", []string{"classify", "--model", masked, "--text", "a"}},
		{"", []string{"tokens", "--model", directory, "--text", "a"}},
		{"", []string{"rerank", "--model", directory, "--text", "a", "--query", "q"}},
		{"", []string{"rerank", "--model", directory, "--text", "a"}},
		{"", []string{"answer", "--model", directory, "--text", "a", "--question", "q"}},
		{"", []string{"answer", "--model", directory, "--text", "a", "--question", "\xff"}},
		{"", []string{"answer", "--model", directory, "--text", "a", "--question", "q", "--window", "-1"}},
		{"", []string{"answer", "--model", directory, "--text", "a", "--question", "q", "--stride", "-1"}},
		{"", []string{"answer", "--model", asker, "--text", "a", "--question", "q", "--window", "65"}},
		{"", []string{"answer", "--model", asker, "--text", "a long text", "--question", "q", "--window", "12", "--stride", "8"}},
		{"", []string{"answer", "--model", asker, "--text", "a", "--question", "q", "--window", "4"}},
	} {
		got := call(t.Context(), c.stdin, c.args...)
		if got.status == statusOK || got.out != "" || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%q: %+v", c.args, got)
		}
		fmt.Fprintf(&text, "%d %s", got.status, names.Replace(got.err))
	}
	golden(t, "model-errors.txt", text.String())
}

// What is cut is said, once a text at first and then in sum.
func TestTruncation(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil) // 64 positions
	long, short := strings.Repeat("x", 100), strings.Repeat("x", 62)
	got := call(t.Context(), strings.Repeat(long+"\n", 6), "embed", "--model", directory, "--text", short, "--file", "-", "--json")
	var want strings.Builder
	for i := range 5 {
		fmt.Fprintf(&want, "gaze: warning: standard input, line %d: 38 of its 102 tokens are cut off: max_position_embeddings is 64\n", i+1)
	}
	want.WriteString("gaze: warning: 6 texts are too long, 228 tokens are cut off\n")
	if got.status != statusOK || got.err != want.String() {
		t.Errorf("status %d\n%s\nexpected\n%s", got.status, got.err, want.String())
	}
	var result struct {
		Embeddings [][]float32
		Tokens     []int
	}
	parseJSON(t, got.out, &result)
	if fmt.Sprint(result.Tokens) != "[64 64 64 64 64 64 64]" {
		t.Errorf("tokens are %v", result.Tokens)
	}
	for i, v := range result.Embeddings[1:] { // what is left of each is the short text
		for j, x := range v {
			agree(t, fmt.Sprintf("element %d of text %d", j, i+1), x, float64(result.Embeddings[0][j]))
		}
	}
}

func TestModelInterrupted(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "new", "out.npy")
	got := call(ctx, "", "embed", "--model", directory, "--text", "a", "--out", out)
	if got != (called{statusInterrupted, "", "gaze embed: interrupted\n"}) {
		t.Errorf("%+v", got)
	}
	if left := listing(t, filepath.Dir(filepath.Dir(out))); strings.Contains(left, "new") {
		t.Errorf("it leaves\n%s", left)
	}
}
