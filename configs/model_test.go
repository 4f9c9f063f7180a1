package configs

import (
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// modelRun parses a file of a model and returns its only run.
func modelRun(t *testing.T, text string) Run {
	t.Helper()
	runs := mustParse(t, text)
	if len(runs) != 1 || runs[0].Model == nil {
		t.Fatalf("%d runs, the first of model %v", len(runs), runs[0].Model)
	}
	return runs[0]
}

func TestModelDefaults(t *testing.T) {
	checkRuns(t, mustParse(t, "model.path = \"builtin\"\ninput.text = [\"\"]"), Run{
		Name:   "base",
		Device: Device{Name: "auto", Precision: "auto"},
		Model:  &Model{Path: Builtin, Directory: filepath.Join("dir", "builtin"), Input: ModelInput{Text: []string{""}}},
	})
}

func TestEveryModelKey(t *testing.T) {
	theta, none := 500.0, 0.0
	checkRuns(t, mustParse(t, `
name = "a model"
[device]
precision = "f16"
[model]
path = "models/tiny"
[[model.layer]]
layers = "global"
rope_theta = 500
combine = "all"
[[model.layer.pattern]]
kind = "causal"
[[model.layer.pattern]]
kind = "global_tokens"
tokens = [0]
[[model.layer]]
layers = [3, 1]
pattern = []
[[model.layer]]
layers = "all"
rope_theta = 0
[[model.layer]]
layers = "local"
pattern = [{kind = "causal"}, {kind = "full"}]
[input]
ids = [[1, 0x10], [16777215]]
[output]
tensors = "out.safetensors"
hidden_states = true
attentions = [2, 0]
heatmap = "{head}/{layer}.png"
report = "report.json"
`), Run{
		Name:   "a model",
		Device: Device{Name: "auto", Precision: "f16"},
		Model: &Model{Path: "models/tiny", Directory: filepath.Join("dir", "models", "tiny"),
			Layers: []ModelLayer{
				{Kind: "global", Pattern: gaze.All{gaze.Causal{}, gaze.GlobalTokens{Tokens: []int{0}}}, RopeTheta: &theta},
				{Numbers: []int{3, 1}, Pattern: gaze.Full{}},
				{Kind: "all", RopeTheta: &none},
				{Kind: "local", Pattern: gaze.Any{gaze.Causal{}, gaze.Full{}}},
			},
			Input: ModelInput{IDs: [][]uint32{{1, 16}, {16777215}}},
		},
		Output: Output{
			Tensors: filepath.Join("dir", "out.safetensors"), HiddenStates: true, Attentions: []int{2, 0},
			Heatmap: filepath.Join("dir", "{head}", "{layer}.png"), Report: filepath.Join("dir", "report.json"),
		},
	})
	if got := (Output{Heatmap: "{layer}/{head}-{layer}.png"}).LayerHeatmapFile(7, 11); got != "7/11-7.png" {
		t.Error(got)
	}
}

func TestModelVariants(t *testing.T) {
	runs := mustParse(t, `
[model]
path = "/models/tiny"
layer = [{layers = "local", pattern = [{kind = "causal"}]}]
[input]
file = "lines.txt"
[output]
tensors = "out.safetensors"
attentions = [0]
heatmap = "{head}.png"
[[variant]]
name = "own"
model.layer = []
[[variant]]
name = "other"
model.path = "org/other"
input.text = ["a", "b"]
output.attentions = []
output.heatmap = ""
[[variant]]
name = "full"
[[variant.model.layer]]
layers = [0]
pattern = []
`)
	file, causal := ModelInput{File: filepath.Join("dir", "lines.txt")}, []ModelLayer{{Kind: "local", Pattern: gaze.Causal{}}}
	for i, want := range []struct {
		model      Model
		attentions []int
		heatmap    string
	}{
		{Model{"/models/tiny", "/models/tiny", causal, file}, []int{0}, "dir/{head}.png"},
		{Model{"/models/tiny", "/models/tiny", []ModelLayer{}, file}, []int{0}, "dir/{head}-own.png"},
		{Model{"org/other", "dir/org/other", causal, ModelInput{Text: []string{"a", "b"}}}, nil, ""},
		{Model{"/models/tiny", "/models/tiny", []ModelLayer{{Numbers: []int{0}, Pattern: gaze.Full{}}}, file}, []int{0}, "dir/{head}-full.png"},
	} {
		r := runs[i]
		if !reflect.DeepEqual(*r.Model, want.model) || !reflect.DeepEqual(r.Output.Attentions, want.attentions) || filepath.ToSlash(r.Output.Heatmap) != want.heatmap {
			t.Errorf("run %d is %+v, %+v; want %+v", i, *r.Model, r.Output, want)
		}
	}
}

// The preset is of a model, and only what its layers see varies.
func TestModelPreset(t *testing.T) {
	runs := load(t, "modernbert-windows")
	if len(runs) != 5 || runs[0].Model == nil || runs[0].Model.Path != Builtin || len(runs[0].Model.Layers) != 0 || len(runs[0].Output.Attentions) == 0 {
		t.Fatalf("%d runs, the first %+v", len(runs), runs[0])
	}
	for _, run := range runs[1:] {
		if len(run.Model.Layers) != 1 || run.Model.Layers[0].Pattern == nil || run.Model.Layers[0].RopeTheta != nil {
			t.Errorf("%s replaces %+v", run.Name, run.Model.Layers)
		}
		if !reflect.DeepEqual(run.Model.Input, runs[0].Model.Input) || run.Device != runs[0].Device || !reflect.DeepEqual(run.Output.Attentions, runs[0].Output.Attentions) {
			t.Errorf("%s: more than the layers varies: %+v", run.Name, run)
		}
	}
}

// exampleOfModel is the part of the example that is of a model, in comments.
func exampleOfModel(t *testing.T) string {
	t.Helper()
	data, err := Preset("example")
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(data), "\n# A run of a model\n")
	if !ok {
		t.Fatal("the example has no run of a model")
	}
	return part
}

// What the example says of models is right once it is no comment.
func TestExampleOfModel(t *testing.T) {
	var text strings.Builder
	for _, line := range strings.Split(exampleOfModel(t), "\n") {
		if regexp.MustCompile(`^# (\[+[a-z.]+\]+$|[a-z_]+ = )`).MatchString(line) && !strings.HasPrefix(line, "# ids") && !strings.HasPrefix(line, "# file") {
			text.WriteString(line[2:] + "\n")
		}
	}
	run := modelRun(t, text.String())
	window := gaze.Any{gaze.SlidingWindow{Left: 32, Right: 32}, gaze.GlobalTokens{Tokens: []int{0}}}
	if l := run.Model.Layers; len(l) != 1 || l[0].Kind != "local" || !reflect.DeepEqual(l[0].Pattern, window) || *l[0].RopeTheta != 10000 {
		t.Errorf("layers %+v", l)
	}
	if o := run.Output; o.Tensors == "" || o.Report == "" || len(o.Attentions) != 2 || len(run.Model.Input.Text) != 2 {
		t.Errorf("%+v, input %+v", o, run.Model.Input)
	}
}
