package configs

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gazevk/gaze"
)

// FuzzParse: any bytes give either an error with a place in the file, or runs
// that need no further checks.
func FuzzParse(f *testing.F) {
	for _, p := range Presets() {
		data, err := Preset(p.Name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)*2/3])
		f.Add([]byte(strings.ReplaceAll(string(data), "]", "")))
		f.Add([]byte(strings.ReplaceAll(string(data), "\"", "'''")))
	}
	for _, name := range []string{goldenErrors, "testdata/tricky.toml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range strings.Split(string(data), "=== ") {
			_, file, _ := strings.Cut(c, "\n")
			file, _, _ = strings.Cut(file, "---\n")
			f.Add([]byte(file))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("run.toml", data)
		if err == nil {
			checkSound(t, file)
			return
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("an error without a place: %v", err)
		}
		lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
		if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > utf8.RuneCountInString(lines[e.Line-1])+1 {
			t.Errorf("no such place: %v", err)
		}
		if e.Message == "" || strings.Count(err.Error(), "\n") != 2 || !utf8.ValidString(e.Source) || !strings.Contains(e.Marker, "^") {
			t.Errorf("ill-formed error: %v", err)
		}
		if strings.Contains(e.Message, "the TOML parser gives up") {
			t.Errorf("the TOML parser panics: %v", err)
		}
	})
}

// checkSound checks what Parse promises of a file.
func checkSound(t *testing.T, file *File) {
	var names, written []string
	for _, run := range file.Runs {
		names = append(names, run.Name)
		written = append(written, run.Output.Tensors, run.Output.Report)
		if (run.Model == nil) != (file.Runs[0].Model == nil) || run.Name == "" || run.Device.Name == "" || run.Device.Precision == "" {
			t.Errorf("a run of another kind than the first, or without a default: %+v", run)
		}
		if run.Model != nil {
			checkSoundModel(t, run)
			for _, layer := range run.Output.Attentions {
				for head := range foreseenHeads {
					written = append(written, run.Output.LayerHeatmapFile(layer, head))
				}
			}
			continue
		}
		if err := run.Attention.Validate(); err != nil {
			t.Error(err)
		}
		if err := run.Lengths.Validate(); err != nil {
			t.Error(err)
		}
		if run.Attention.Pattern == nil || run.Output.HiddenStates || run.Output.Attentions != nil {
			t.Errorf("a default is missing, or a model's output is wanted: %+v", run)
		}
		if !slices.Contains([]Path{PathAuto, PathFused, PathExplicit}, run.Path) {
			t.Errorf("path %q", run.Path)
		}
		if run.Input.Tensors != "" && run.Input.Seed != 0 {
			t.Errorf("two inputs: %+v", run.Input)
		}
		if run.Output.Weights && run.Output.Tensors == "" {
			t.Errorf("weights without a file: %+v", run.Output)
		}
		for head := range run.Attention.Heads {
			written = append(written, run.Output.HeatmapFile(head))
		}
		// A pattern lies over its sequences without a panic.
		if run.Lengths.Tokens() <= 64 {
			gaze.NewBlockMap(run.Attention.Pattern, run.Lengths, 32)
		}
	}
	written = slices.DeleteFunc(written, func(path string) bool { return path == "" })
	for _, list := range [][]string{names, written} {
		slices.Sort(list)
		if all := len(list); len(slices.Compact(list)) != all {
			t.Errorf("something is there twice: %q", list)
		}
	}
}

// checkSoundModel checks what Parse promises of a run of a model.
func checkSoundModel(t *testing.T, run Run) {
	m := run.Model
	if m.Path == "" || run.Attention.Pattern != nil || run.Lengths != nil || run.Input != (Input{}) || run.Output.Weights {
		t.Errorf("no path, or something of attention: %+v", run)
	}
	inputs := 0
	for _, given := range []bool{m.Input.Text != nil, m.Input.IDs != nil, m.Input.File != ""} {
		if given {
			inputs++
		}
	}
	if inputs != 1 {
		t.Errorf("%d inputs: %+v", inputs, m.Input)
	}
	for _, l := range m.Layers {
		if (l.Kind == "") != (len(l.Numbers) > 0) || l.Pattern == nil && l.RopeTheta == nil {
			t.Errorf("layer %+v", l)
		}
		if l.Pattern != nil {
			if err := l.Pattern.Validate(); err != nil {
				t.Error(err)
			}
		}
		if l.RopeTheta != nil {
			if err := (gaze.RoPE{Theta: *l.RopeTheta}).Validate(); err != nil {
				t.Error(err)
			}
		}
	}
	if o := run.Output; o.Heatmap != "" && len(o.Attentions) == 0 || o.HiddenStates && o.Tensors == "" {
		t.Errorf("output %+v", o)
	}
}
