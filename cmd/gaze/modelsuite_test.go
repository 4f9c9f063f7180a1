package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// modelToRun writes a random masked LM of four layers, 0 and 3 global, 1 and 2
// with windows of 4 to either side, and returns the directory that it is in.
func modelToRun(t *testing.T, keys map[string]any) string {
	t.Helper()
	all := map[string]any{"num_hidden_layers": 4, "local_attention": 8}
	for name, value := range keys {
		all[name] = value
	}
	directory := t.TempDir()
	if err := os.Rename(tinyModel(t, "ModernBertForMaskedLM", all), filepath.Join(directory, "model")); err != nil {
		t.Fatal(err)
	}
	return directory
}

const modelFile = `
	[model]
	path = "model"
	[input]
	text = ["the man and the cat", "", "an"]
	[output]
	tensors = "new/out.safetensors"
	hidden_states = true
	attentions = [3, 1]
	heatmap = "new/layer{layer}-head{head}.png"
	report = "new/report.json"
	[[variant]]
	name = "narrow"
	model.layer = [{layers = "local", pattern = [{kind = "sliding_window", left = 1, right = 1}]}]
	[[variant]]
	name = "other"
	output.attentions = [0, 1]
	output.hidden_states = false
	[[variant.model.layer]]
	layers = "all"
	rope_theta = 300
	[[variant.model.layer]]
	layers = [0, 2]
	pattern = [{kind = "sliding_window", left = 2, right = 3}, {kind = "global_tokens", tokens = [0]}]
	[[variant.model.layer]]
	layers = [2]
	rope_theta = 0
`

// What a run of a model and its variants write is what the reference computes
// with the same attention replaced.
func TestRunModel(t *testing.T) {
	directory := modelToRun(t, nil)
	path := write(t, directory, "run.toml", modelFile)
	var got struct {
		Runs []modelReport `json:"runs"`
	}
	parseJSON(t, mustCall(t, "run", path, "--json"), &got)
	if len(got.Runs) != 3 {
		t.Fatalf("%d reports", len(got.Runs))
	}
	o := newOracle(t, filepath.Join(directory, "model"))
	own := o.Config.Attentions()
	narrow, other := slices.Clone(own), slices.Clone(own)
	for layer := range own {
		if layer == 1 || layer == 2 {
			narrow[layer].Pattern = gaze.SlidingWindow{Left: 1, Right: 1}
		}
		other[layer].RoPE = gaze.RoPE{Theta: 300}
		if layer == 0 || layer == 2 {
			other[layer].Pattern = gaze.Any{gaze.SlidingWindow{Left: 2, Right: 3}, gaze.GlobalTokens{Tokens: []int{0}}}
		}
	}
	other[2].RoPE = gaze.RoPE{}
	var batch [][]uint32
	offsets := []int{0}
	for _, text := range []string{"the man and the cat", "", "an"} {
		batch = append(batch, o.encode(t, text, tokenizer.Options{}).IDs)
		offsets = append(offsets, offsets[len(offsets)-1]+len(batch[len(batch)-1]))
	}
	var predictions [][]int
	for i, c := range []struct {
		suffix    string
		attention []gaze.Attention
		layers    []int
		states    bool
	}{{"", own, []int{3, 1}, true}, {"-narrow", narrow, []int{3, 1}, true}, {"-other", other, []int{0, 1}, false}} {
		out := filepath.Join(directory, "new", "out"+c.suffix+".safetensors")
		o.Encoder.Attention = c.attention
		want := o.Forward(batch)
		logits := o.Logits(want)
		near(t, c.suffix+" last_hidden_state", readFloats(t, out, "last_hidden_state"), want.Last, tolerance)
		near(t, c.suffix+" logits", readFloats(t, out, "logits"), logits, 10*tolerance) // they reach 30
		names := []string{"last_hidden_state", "logits", "offsets"}
		for _, layer := range c.layers {
			name := fmt.Sprintf("attentions.%d", layer)
			names = append(names, name)
			checkWeights(t, out, name, o.Weights(want, layer), offsets)
			for head := range 2 {
				checkPicture(t, filepath.Join(directory, "new", fmt.Sprintf("layer%d-head%d%s.png", layer, head, c.suffix)))
			}
		}
		for layer := 0; c.states && layer <= 4; layer++ {
			name := fmt.Sprintf("hidden_states.%d", layer)
			names = append(names, name)
			near(t, name, readFloats(t, out, name), want.HiddenStates[layer], tolerance)
		}
		checkTensors(t, out, names, offsets)
		var rows []int
		for row := range offsets[3] {
			rows = append(rows, argmax(logits[row*268:][:268]))
		}
		predictions = append(predictions, rows)
		checkModelReport(t, got.Runs[i], offsets[3], c.layers)
	}
	checkModelDistances(t, directory, got.Runs, predictions)

	// Everything is there, and nothing else.
	want := 7 // directory, run.toml, new/, model/ and the three files in it
	for _, r := range got.Runs {
		want += len(r.Files)
	}
	if files := listing(t, directory); strings.Count(files, "\n") != want {
		t.Errorf("expected %d files:\n%s", want, files)
	}
	var stored modelReport
	data, err := os.ReadFile(filepath.Join(directory, "new", "report-narrow.json"))
	if err == nil {
		err = json.Unmarshal(data, &stored)
	}
	if err != nil || asJSON(t, stored) != asJSON(t, got.Runs[1]) {
		t.Errorf("the stored report is %+v, %v", stored, err)
	}
}

// tableShape keeps the words of a table and what stands in the place of numbers.
func tableShape(text string) string {
	text = regexp.MustCompile(`[0-9][0-9.,]*(e-[0-9]+)?`).ReplaceAllString(text, "#")
	return regexp.MustCompile(`[KMG]iB`).ReplaceAllString(regexp.MustCompile(` +`).ReplaceAllString(text, " "), "B")
}

// The table of variants and the summary of one run, but for numbers and device.
func TestRunModelTables(t *testing.T) {
	directory := modelToRun(t, nil)
	text := mustCall(t, "run", write(t, directory, "run.toml", modelFile+"[[variant]]\nname = \"fewer texts\"\ninput.text = [\"the\"]\n[[variant]]\nname = \"as it is\"\n"))
	device, table, _ := strings.Cut(strings.ReplaceAll(text, directory, "DIR"), "\n")
	if !strings.HasPrefix(device, "device 0: ") {
		t.Errorf("the first line is %q", device)
	}
	table, files, _ := strings.Cut(table, "\n\nwrote ")
	golden(t, "model-run.txt", tableShape(strings.Replace(table, "A device without a clock is timed by the host.\n", "", 1)))
	if !strings.HasPrefix(files, "DIR/new/out.safetensors\nwrote DIR/new/layer3-head0.png\nwrote DIR/new/layer3-head1.png\nwrote DIR/new/layer1-head0.png\n") {
		t.Errorf("it wrote %s", files)
	}
	if !regexp.MustCompile(`(?m)^as it is .* 1\.000000 +0 +0 of 19 +0 +0\.00%$`).MatchString(text) {
		t.Errorf("nothing changed, and the table is\n%s", text)
	}
	single := mustCall(t, "run", write(t, directory, "one.toml", "model.path = \"model\"\ninput.ids = [[1, 2, 3], [267]]\n"))
	for _, part := range []string{"device  ", "model: ModernBertForMaskedLM, 4 layers, hidden size 64, heads 2, head_dim 32", "3 + 1 tokens",
		"layers 0, 3  full, 10 of 16 pairs visible (62.5%)", "layers 1, 2  sliding_window(-4..+4), ", "for the output", " tokens a second\n"} {
		if !strings.Contains(single, part) {
			t.Errorf("the summary lacks %q:\n%s", part, single)
		}
	}
}

// Texts come from a file too; what is too long is cut, and that is said once.
func TestRunModelCutsTexts(t *testing.T) {
	directory := modelToRun(t, nil)
	write(t, directory, "lines.txt", "the\n"+strings.Repeat("x", 100)+"\n")
	path := write(t, directory, "run.toml", "model.path = \"model\"\ninput.file = \"lines.txt\"\noutput.report = \"report.json\"\n[[variant]]\nname = \"b\"\nmodel.layer = [{layers = [0], rope_theta = 0}]\n")
	want := fmt.Sprintf("gaze: warning: %s, line 2: 38 of its 102 tokens are cut off: max_position_embeddings is 64\n", filepath.Join(directory, "lines.txt"))
	got := call(t.Context(), "", "run", path, "--json")
	if got.status != statusOK || got.err != want {
		t.Errorf("status %d, %q, expected %q", got.status, got.err, want)
	}
	var out struct{ Runs []modelReport }
	parseJSON(t, got.out, &out)
	if r := out.Runs[1]; fmt.Sprint(r.Request.Sequences) != "[3 64]" || r.Request.File != filepath.Join(directory, "lines.txt") || r.Distance == nil || r.Distance.Weights != nil {
		t.Errorf("%+v", r)
	}
}

// Another model in a variant is compared as far as it is alike.
func TestRunOtherModels(t *testing.T) {
	directory := modelToRun(t, nil)
	for name, m := range map[string]string{
		"bare": tinyModel(t, "ModernBertModel", nil), "answers": tinyModel(t, "ModernBertForQuestionAnswering", nil),
		"score": tinyModel(t, "ModernBertForSequenceClassification", map[string]any{"id2label": map[string]any{"0": "a"}}),
		"wide":  tinyModel(t, "ModernBertForMaskedLM", map[string]any{"hidden_size": 128}),
	} {
		if err := os.Rename(m, filepath.Join(directory, name)); err != nil {
			t.Fatal(err)
		}
	}
	table := mustCall(t, "run", write(t, directory, "run.toml", `
		model.path = "answers"
		input.text = ["the", "an"]
		output.attentions = [0]
		[[variant]]
		name = "again"
		[[variant]]
		name = "bare"
		model.path = "bare"
		[[variant]]
		name = "score"
		model.path = "./score"
		[[variant]]
		name = "wide"
		model.path = "wide"
		[[variant]]
		name = "half"
		device.precision = "f16"`))
	for _, row := range []string{`again .* 1\.000000 +0 +0 of 4 +0 +0\.00%`, `bare .* 1\.000000 +0 +- +0 +0\.00%`, `score .* 1\.000000 +0 +- +0 +0\.00%`, // of the same seed
		`wide .* MiB +- +- +- +- +-`, `half .* (1\.000000|0\.9999\d+) .*`} {
		if !regexp.MustCompile(`(?m)^` + row + `$`).MatchString(table) {
			t.Errorf("no row is like %s:\n%s", row, table)
		}
	}
}

// The validation layers find nothing, captures and replaced patterns included.
func TestRunModelValidated(t *testing.T) {
	directory := modelToRun(t, nil)
	mustCall(t, "run", "--validate", "--no-cache", write(t, directory, "run.toml", modelFile))
}

func TestPredictions(t *testing.T) {
	for _, c := range []struct {
		head    checkpoint.Head
		problem string
		lengths gaze.Lengths
		columns int
		logits  []float32
		want    []int
	}{
		{checkpoint.MaskedLM, "", gaze.Lengths{2}, 3, []float32{1, 3, 2, -1, -2, -3}, []int{1, 0}},
		{checkpoint.TokenClassification, "regression", gaze.Lengths{2}, 2, []float32{0, 1, 1, 0}, []int{1, 0}},
		{checkpoint.SequenceClassification, "", gaze.Lengths{4, 4}, 2, []float32{0, 1, 1, 0}, []int{1, 0}},
		{checkpoint.SequenceClassification, "regression", gaze.Lengths{4, 4}, 2, []float32{0, 1, 1, 0}, nil},
		{checkpoint.SequenceClassification, "", gaze.Lengths{4, 4}, 1, []float32{0, 1}, nil},
		{checkpoint.QuestionAnswering, "", gaze.Lengths{2, 3}, 2, []float32{1, 8, 2, 7, 1, 1, 5, 1, 1, 5}, []int{1, 0, 1, 2}},
		{checkpoint.NoHead, "", gaze.Lengths{2}, 0, nil, nil},
	} {
		out := &modernbert.Output{Lengths: c.lengths, Logits: c.logits, LogitColumns: c.columns, LogitRows: len(c.logits) / max(c.columns, 1)}
		got := predictionsOf(&checkpoint.Model{Head: c.head, Config: checkpoint.Config{ProblemType: c.problem}}, out)
		if !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%v %s: %v, expected %v", c.head, c.problem, got, c.want)
		}
	}
}

// Interrupted it says so and leaves nothing.
func TestRunModelInterrupted(t *testing.T) {
	directory := modelToRun(t, nil)
	path := write(t, directory, "run.toml", modelFile)
	before := listing(t, directory)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := call(ctx, "", "run", path); got != (called{statusInterrupted, "", "gaze run: interrupted\n"}) {
		t.Errorf("%+v", got)
	}
	if after := listing(t, directory); after != before {
		t.Errorf("it leaves\n%s", after)
	}
}
