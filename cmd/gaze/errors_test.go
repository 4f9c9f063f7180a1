package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/visualize"
)

// Whatever is wrong: one message, status 1, and nothing new in the directory.
func TestRunErrors(t *testing.T) {
	directory := t.TempDir()
	good := "[attention]\nheads = 1\nhead_dim = 32\nsequences = [4]\n"
	input := good + "[input]\ntensors = \"%s.safetensors\"\n[output]\ntensors = \"new/deep/out.safetensors\"\nweights = true\n"
	tensor := func(change int, value float32) checkpoint.Entry {
		data := make([]float32, 4*32)
		data[change] = value
		return checkpoint.Float32Entry("q", []int{1, 4, 32}, data)
	}
	named := func(e checkpoint.Entry, name string) checkpoint.Entry {
		e.Name = name
		return e
	}
	zero := tensor(0, 0)
	for name, entries := range map[string][]checkpoint.Entry{
		"short":   {checkpoint.Float32Entry("q", []int{1, 3, 32}, make([]float32, 96)), named(zero, "k"), named(zero, "v")},
		"flat":    {checkpoint.Float32Entry("q", []int{128}, make([]float32, 128)), named(zero, "k"), named(zero, "v")},
		"nan":     {zero, named(tensor(2*32+5, float32(math.NaN())), "k"), named(zero, "v")},
		"inf":     {zero, named(zero, "k"), named(tensor(127, float32(math.Inf(-1))), "v")},
		"large":   {tensor(33, 70000), named(zero, "k"), named(zero, "v")},
		"missing": {named(zero, "queries"), named(zero, "k"), named(zero, "v")},
		"empty":   {},
		"type":    {zero, rawEntry("k", checkpoint.I32, []int{1, 4, 32}, make([]byte, 4*128)), named(zero, "v")},
	} {
		if err := checkpoint.WriteSafetensors(filepath.Join(directory, name+".safetensors"), nil, entries); err != nil {
			t.Fatal(err)
		}
	}
	write(t, directory, "garbage.safetensors", "this is no safetensors file")
	write(t, directory, "file", "a file where a directory should be")
	for _, name := range []string{"directory.safetensors", "map0.png"} {
		if err := os.Mkdir(filepath.Join(directory, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}

	var text strings.Builder
	for _, c := range []struct {
		name, toml string
		args       []string
	}{
		{"key", "[attention]\nhead = 3\n", nil},
		{"no tensors", fmt.Sprintf(input, "none"), nil},
		{"tensors are a directory", fmt.Sprintf(input, "directory"), nil},
		{"garbage", fmt.Sprintf(input, "garbage"), nil},
		{"too few tokens", fmt.Sprintf(input, "short"), nil},
		{"one dimension", fmt.Sprintf(input, "flat"), nil},
		{"not a number", fmt.Sprintf(input, "nan"), nil},
		{"infinite", fmt.Sprintf(input, "inf"), nil},
		{"too large for f16", fmt.Sprintf(input, "large") + "[device]\nprecision = \"f16\"\n", nil},
		{"tensor is missing", fmt.Sprintf(input, "missing"), nil},
		{"no tensor at all", fmt.Sprintf(input, "empty"), nil},
		{"integers", fmt.Sprintf(input, "type"), nil},
		{"of a variant", good + "[[variant]]\nname = \"file\"\ninput.tensors = \"nan.safetensors\"\n", nil},
		{"directory is a file", good + "[output]\nreport = \"file/report.json\"\n", nil},
		{"output is a directory", good + "[output]\nheatmap = \"map{head}.png\"\n", nil},
		{"no such device", good + "[output]\nreport = \"new/report.json\"\n", []string{"--device", "no such device"}},
		{"no such index", good, []string{"--device=99"}},
	} {
		path := write(t, directory, "run.toml", c.toml)
		before := listing(t, directory)
		got := call(t.Context(), "", append([]string{"run", path}, c.args...)...)
		if got.status != statusFailure || got.out != "" {
			t.Errorf("%s: status %d, output %q", c.name, got.status, got.out)
		}
		if after := listing(t, directory); after != before {
			t.Errorf("%s leaves\n%s\nexpected\n%s", c.name, after, before)
		}
		message := strings.ReplaceAll(got.err, directory, "DIR")
		// Which devices there are is the machine's affair.
		if before, _, found := strings.Cut(message, ": there "); found {
			message = before + "...\n"
		}
		fmt.Fprintf(&text, "# %s\n%s", c.name, message)
	}
	golden(t, "errors.txt", text.String())

	for _, c := range []struct{ path, err string }{
		{filepath.Join(directory, "none.toml"), "gaze run: cannot read run file DIR/none.toml: no such file or directory\n"},
		{directory, "gaze run: cannot read run file DIR: is a directory\n"},
	} {
		got := call(t.Context(), "", "run", c.path)
		if got.err = strings.ReplaceAll(got.err, directory, "DIR"); got != (called{statusFailure, "", c.err}) {
			t.Errorf("%s: %+v", c.path, got)
		}
	}
}

// Whenever a run is interrupted it says so and leaves nothing.
func TestRunInterrupted(t *testing.T) {
	directory := t.TempDir()
	path := write(t, directory, "run.toml", "[attention]\nsequences = [4000]\n[output]\nreport = \"new/report.json\"\nheatmap = \"new/{head}.png\"")
	before := listing(t, directory)
	for _, wait := range []time.Duration{0, 200 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		start := time.Now()
		got := call(ctx, "", "run", path)
		late := time.Since(start) - wait
		cancel()
		if got != (called{statusInterrupted, "", "gaze run: interrupted\n"}) {
			t.Errorf("after %v: %+v", wait, got)
		}
		if after := listing(t, directory); after != before {
			t.Errorf("after %v it leaves\n%s", wait, after)
		}
		if late > 5*time.Second {
			t.Errorf("it ends %v late", late)
		}
	}
}

// Interrupted while the weights come, of the base or of a variant, it leaves no
// temporary file and no half of a tensor.
func TestRunInterruptedAmongWeights(t *testing.T) {
	directory, temporary := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	file, err := configs.Parse(filepath.Join(directory, "run.toml"), []byte(`
		[attention]
		heads = 2
		head_dim = 32
		sequences = [100]
		[output]
		tensors = "new/out.safetensors"
		weights = true
		heatmap = "new/{head}.png"
		[[variant]]
		name = "again"`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"base":  directory + "\n",
		"again": strings.ReplaceAll("DIR\nDIR/new\nDIR/new/0.png\nDIR/new/1.png\nDIR/new/out.safetensors\n", "DIR", directory),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		kept := 0
		s := &suite{streams: streams{err: io.Discard}, picture: func(o *outcome, head int, _ visualize.Picture) {
			if o.run.Name == name && head == 0 {
				files, err := os.ReadDir(temporary)
				if err != nil {
					t.Error(err)
				}
				kept = len(files)
				cancel()
			}
		}}
		if _, err := s.run(ctx, file.Runs); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted in %s: %v", name, err)
		}
		if after := listing(t, directory); after != want {
			t.Errorf("interrupted in %s it leaves\n%s\nexpected\n%s", name, after, want)
		}
		if files, err := os.ReadDir(temporary); err != nil || kept != 1 || len(files) > 0 {
			t.Errorf("interrupted in %s it leaves %v of %d files, %v", name, files, kept, err)
		}
		if err := os.RemoveAll(filepath.Join(directory, "new")); err != nil {
			t.Fatal(err)
		}
	}
}
