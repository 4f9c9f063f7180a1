package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// mustParse parses a file of directory "dir" that nothing is wrong with.
func mustParse(t *testing.T, text string) []Run {
	t.Helper()
	file, err := Parse(filepath.Join("dir", "run.toml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join("dir", "run.toml"); file.Path != want {
		t.Errorf("path %s, want %s", file.Path, want)
	}
	return file.Runs
}

func checkRuns(t *testing.T, got []Run, want ...Run) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d runs, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("run %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestDefaults(t *testing.T) {
	want := Run{
		Name:      "base",
		Device:    Device{Name: "auto", Precision: "auto"},
		Attention: gaze.Attention{Heads: 12, HeadDim: 64, Pattern: gaze.Full{}},
		Lengths:   gaze.Lengths{512},
		Path:      PathAuto,
		Input:     Input{Seed: 1},
	}
	for _, text := range []string{
		"",
		"# nothing but a comment",
		"\ufeff[attention]\r\n",
		"[device]\n[attention]\npattern = []\n[input]\n[output]\ntensors = \"\"\nheatmap = \"\"\nreport = \"\"",
	} {
		checkRuns(t, mustParse(t, text), want)
	}
}

// TestEveryKey sets each key to something other than its default.
func TestEveryKey(t *testing.T) {
	checkRuns(t, mustParse(t, `
name = "all of it"
[device]
name = "llvmpipe"
precision = "f16"
[attention]
heads = 3
head_dim = 96
scale = 1
rope_theta = 160_000
sequences = [7, 0x10, 1]
path = "explicit"
combine = "all"
[[attention.pattern]]
kind = "sliding_window"
left = 3
right = 0
[[attention.pattern]]
kind = "dilated_window"
reach = 2
dilation = 4
[[attention.pattern]]
kind = "global_tokens"
tokens = [0, 5]
[[attention.pattern]]
kind = "causal"
[[attention.pattern]]
kind = "any"
patterns = [{kind = "full"}, {kind = "all", patterns = [{kind = "causal"}, {kind = "full"}]}]
[input]
tensors = "qkv.safetensors"
[output]
tensors = "out.safetensors"
weights = true
heatmap = "head{head}.png"
report = "report.json"
`), Run{
		Name:   "all of it",
		Device: Device{Name: "llvmpipe", Precision: "f16"},
		Attention: gaze.Attention{Heads: 3, HeadDim: 96, Scale: 1, RoPE: gaze.RoPE{Theta: 160000},
			Pattern: gaze.All{
				gaze.SlidingWindow{Left: 3, Right: 0},
				gaze.DilatedWindow{Reach: 2, Dilation: 4},
				gaze.GlobalTokens{Tokens: []int{0, 5}},
				gaze.Causal{},
				gaze.Any{gaze.Full{}, gaze.All{gaze.Causal{}, gaze.Full{}}},
			}},
		Lengths: gaze.Lengths{7, 16, 1},
		Path:    PathExplicit,
		Input:   Input{Tensors: filepath.Join("dir", "qkv.safetensors")},
		Output: Output{
			Tensors: filepath.Join("dir", "out.safetensors"),
			Weights: true,
			Heatmap: filepath.Join("dir", "head{head}.png"),
			Report:  filepath.Join("dir", "report.json"),
		},
	})
}

// TestValues covers what one value can mean.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		text string
		read func(Run) any
		want any
	}{
		{`device.name = 1`, func(r Run) any { return r.Device.Name }, "1"},
		{`device.name = "0"`, func(r Run) any { return r.Device.Name }, "0"},
		{`device.precision = "f32"`, func(r Run) any { return r.Device.Precision }, "f32"},
		{`attention.path = "fused"`, func(r Run) any { return r.Path }, PathFused},
		{`attention.scale = 0.125`, func(r Run) any { return r.Attention.Scale }, 0.125},
		{`attention.scale = -0.0`, func(r Run) any { return 1/r.Attention.Scale > 0 }, true},
		{`input.seed = 0`, func(r Run) any { return r.Input }, Input{}},
		{`input.seed = 9223372036854775807`, func(r Run) any { return r.Input.Seed }, uint64(1<<63 - 1)},
		{`attention.pattern = [{kind = "causal"}]`, func(r Run) any { return r.Attention.Pattern }, gaze.Causal{}},
		{`attention.pattern = [{kind = "causal"}, {kind = "full"}]`, func(r Run) any { return r.Attention.Pattern },
			gaze.Any{gaze.Causal{}, gaze.Full{}}},
		{"attention.heads = 1\noutput.heatmap = 'one.png'", func(r Run) any { return r.Output.Heatmap }, filepath.Join("dir", "one.png")},
		{`output.report = "../up/./r.json"`, func(r Run) any { return r.Output.Report }, filepath.Join("up", "r.json")},
	} {
		if got := c.read(mustParse(t, c.text)[0]); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.text, got, c.want)
		}
	}
}

func TestVariants(t *testing.T) {
	runs := mustParse(t, `
[attention]
heads = 2
rope_theta = 10000.0
combine = "all"
[[attention.pattern]]
kind = "causal"
[[attention.pattern]]
kind = "sliding_window"
left = 8
right = 8
[input]
tensors = "qkv.safetensors"
[output]
heatmap = "pictures/{head}.png"
report = "report.v1.json"

[[variant]]
name = "Window: 32 / wide"
[[variant.attention.pattern]]
kind = "sliding_window"
left = 32
right = 32

[[variant]]
name = "other"
attention = {combine = "any", heads = 1}
input.seed = 7
output.report = "other.json"
output.heatmap = ""
device.precision = "f32"

[[variant]]
name = "full"
attention.pattern = []
attention.sequences = [3]
`)
	base := Run{
		Name:   "base",
		Device: Device{Name: "auto", Precision: "auto"},
		Attention: gaze.Attention{Heads: 2, HeadDim: 64, RoPE: gaze.RoPE{Theta: 10000},
			Pattern: gaze.All{gaze.Causal{}, gaze.SlidingWindow{Left: 8, Right: 8}}},
		Lengths: gaze.Lengths{512},
		Path:    PathAuto,
		Input:   Input{Tensors: filepath.Join("dir", "qkv.safetensors")},
		Output: Output{
			Heatmap: filepath.Join("dir", "pictures", "{head}.png"),
			Report:  filepath.Join("dir", "report.v1.json"),
		},
	}
	window, other, full := base, base, base
	window.Name = "Window: 32 / wide"
	window.Attention.Pattern = gaze.SlidingWindow{Left: 32, Right: 32}
	window.Output.Heatmap = filepath.Join("dir", "pictures", "{head}-window-32-wide.png")
	window.Output.Report = filepath.Join("dir", "report.v1-window-32-wide.json")
	other.Name = "other"
	other.Device.Precision = "f32"
	other.Attention.Heads = 1
	other.Attention.Pattern = gaze.Any{gaze.Causal{}, gaze.SlidingWindow{Left: 8, Right: 8}}
	other.Input = Input{Seed: 7}
	other.Output = Output{Report: filepath.Join("dir", "other.json")}
	full.Name = "full"
	full.Attention.Pattern = gaze.Full{}
	full.Lengths = gaze.Lengths{3}
	full.Output.Heatmap = filepath.Join("dir", "pictures", "{head}-full.png")
	full.Output.Report = filepath.Join("dir", "report.v1-full.json")
	checkRuns(t, runs, base, window, other, full)
}

// A variant may name a file where the base has a seed.
func TestVariantInput(t *testing.T) {
	runs := mustParse(t, "input.seed = 5\n[[variant]]\nname = \"v\"\ninput.tensors = \"a\"")
	if want := (Input{Tensors: filepath.Join("dir", "a")}); runs[1].Input != want || runs[0].Input != (Input{Seed: 5}) {
		t.Errorf("inputs %+v and %+v", runs[0].Input, runs[1].Input)
	}
}

func TestAbsolutePath(t *testing.T) {
	absolute, err := filepath.Abs("a.json")
	if err != nil {
		t.Fatal(err)
	}
	runs := mustParse(t, "output.report = '"+filepath.ToSlash(absolute)+"'")
	if runs[0].Output.Report != absolute {
		t.Errorf("got %s, want %s", runs[0].Output.Report, absolute)
	}
}

// TestOverwrittenInput: one file named in two ways is still one file.
func TestOverwrittenInput(t *testing.T) {
	absolute, err := filepath.Abs(filepath.Join("dir", "a.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	text := "input.tensors = '" + filepath.ToSlash(absolute) + "'\noutput.tensors = 'a.safetensors'"
	_, err = Parse(filepath.Join("dir", "run.toml"), []byte(text))
	if err == nil || !strings.Contains(err.Error(), "run.toml:2:18: output.tensors would overwrite the input") {
		t.Errorf("got %v", err)
	}
}

func TestHeatmapFile(t *testing.T) {
	if got := (Output{Heatmap: "{head}/head{head}.png"}).HeatmapFile(11); got != "11/head11.png" {
		t.Error(got)
	}
	if got := (Output{}).HeatmapFile(1); got != "" {
		t.Error(got)
	}
}

func TestLoad(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "a.toml")
	if err := os.WriteFile(path, []byte("output.report = 'r.json'"), 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(directory, "r.json"); file.Path != path || file.Runs[0].Output.Report != want {
		t.Errorf("%+v", file)
	}

	missing := filepath.Join(directory, "b.toml")
	_, err = Load(missing)
	if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), missing) != 1 {
		t.Errorf("a missing file: %v", err)
	}
	if _, err = Load(directory); err == nil || !strings.Contains(err.Error(), "cannot read run file "+directory) {
		t.Errorf("a directory: %v", err)
	}

	large := filepath.Join(directory, "large.toml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#\n", maxFileSize/2+1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(large); err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("a large file: %v", err)
	}
}
