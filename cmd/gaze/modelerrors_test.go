package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gazevk/gaze/configs"
)

// What only the model can tell to be wrong: one message and nothing new in the
// directory, of run and of explain, which finds the same without a device.
func TestRunModelErrors(t *testing.T) {
	directory := modelToRun(t, nil)
	for name, m := range map[string]string{
		"all-global": tinyModel(t, "ModernBertModel", map[string]any{"layer_types": []string{"full_attention", "full_attention"}}),
		"many-heads": tinyModel(t, "ModernBertModel", map[string]any{"hidden_size": 48, "num_attention_heads": 24, "num_hidden_layers": 13}),
		"wide":       tinyModel(t, "ModernBertModel", map[string]any{"vocab_size": 200}),
		"small-dim":  tinyModel(t, "ModernBertModel", map[string]any{"num_attention_heads": 4}),
	} {
		if err := os.Rename(m, filepath.Join(directory, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, directory, "empty.txt", "")
	write(t, directory, "bytes.txt", "a\nb\xff\n")
	head := "[model]\npath = \"model\"\n"
	input := "[input]\ntext = [\"the\"]\n"
	var text strings.Builder
	for _, c := range []struct {
		name, toml  string
		onlyForRuns bool // explain writes nothing
	}{
		{"no such directory", "[model]\npath = \"./none\"\n" + input, false},
		{"no such model", "[model]\npath = \"gaze-test/none\"\n" + input, false},
		{"no model", "[model]\npath = \"../" + filepath.Base(directory) + "/empty.txt\"\n" + input, false},
		{"a layer too many", head + "[[model.layer]]\nlayers = [0, 4]\npattern = []\n" + input, false},
		{"a layer too many in the second entry of a variant", head + input + "[[variant]]\nname = \"b\"\nmodel.layer = [{layers = \"local\", pattern = []}, {layers = [9], pattern = []}]\n", false},
		{"no local layer", "[model]\npath = \"all-global\"\n[[model.layer]]\nlayers = \"local\"\npattern = []\n" + input, false},
		{"attentions of a layer too many", head + input + "[output]\nattentions = [3, 4]\n", false},
		{"id out of the vocabulary", head + "[input]\nids = [[1], [2, 268]]\n", false},
		{"no such file of texts", head + "[input]\nfile = \"none.txt\"\n", false},
		{"an empty file of texts", head + "[input]\nfile = \"empty.txt\"\n", false},
		{"a text that is not UTF-8", head + "[input]\nfile = \"bytes.txt\"\n", false},
		{"a tokenizer of another model", "[model]\npath = \"wide\"\n" + input, false},
		{"heads that have no kernel", "[model]\npath = \"small-dim\"\n" + input, false},
		{"more heads than were foreseen", "[model]\npath = \"many-heads\"\n" + input + "[output]\nattentions = [1, 12]\nheatmap = \"new/{layer}{head}.png\"\n", true},
		{"more heads than were foreseen in two runs", "[model]\npath = \"many-heads\"\n" + input + "[output]\nattentions = [1]\nheatmap = \"new/{head}.png\"\n[[variant]]\nname = \"b\"\noutput.heatmap = \"new/2{head}.png\"\n", true},
		{"an output is a directory", head + input + "[output]\nreport = \"new/a.json\"\ntensors = \"directory.safetensors\"\n", true},
	} {
		if c.name == "an output is a directory" {
			if err := os.Mkdir(filepath.Join(directory, "directory.safetensors"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		path := write(t, directory, "run.toml", c.toml)
		before := listing(t, directory)
		got := call(t.Context(), "", "run", path)
		if got.status != statusFailure || got.out != "" {
			t.Errorf("%s: status %d, output %q", c.name, got.status, got.out)
		}
		if after := listing(t, directory); after != before {
			t.Errorf("%s leaves\n%s\nexpected\n%s", c.name, after, before)
		}
		message := strings.ReplaceAll(got.err, directory, "DIR")
		if before, _, found := strings.Cut(message, "the Hugging Face cache has"); found { // wherever that is
			message = before + "the Hugging Face cache has...\n"
		}
		fmt.Fprintf(&text, "# %s\n%s", c.name, strings.ReplaceAll(message, filepath.Base(directory), "BASE"))
		if explained := call(t.Context(), "", "explain", path); !c.onlyForRuns && strings.TrimPrefix(explained.err, "gaze explain") != strings.TrimPrefix(got.err, "gaze run") {
			t.Errorf("%s: explain says %q", c.name, explained.err)
		}
	}
	golden(t, "model-run-errors.txt", text.String())
}

// The plan of a model's runs needs no device.
func TestExplainModel(t *testing.T) {
	noDriver(t)
	directory := modelToRun(t, nil)
	path := write(t, directory, "run.toml", modelFile)
	golden(t, "model-explain.txt", mustCall(t, "explain", path))
	var got struct{ Plans []modelPlanDetails }
	parseJSON(t, mustCall(t, "explain", path, "--json"), &got)
	if len(got.Plans) != 3 || len(got.Plans[2].Attention) != 4 || got.Plans[0].Run != "base" || got.Plans[0].Request.Sequences.Tokens() != 19 {
		t.Fatalf("%+v", got)
	}
	for _, p := range got.Plans {
		bytes, device, multiplyAdds, weights := int64(0), int64(0), int64(0), 0
		for _, pass := range p.Passes {
			bytes, multiplyAdds = bytes+pass.Bytes, multiplyAdds+pass.MultiplyAdds
			if pass.Kernel == "weights_f32" {
				weights++
			}
		}
		for _, b := range p.Buffers {
			device += b.Bytes
		}
		if bytes != p.Bytes || multiplyAdds != p.MultiplyAdds || device != p.DeviceBytes || weights != 2 || bytes == 0 || multiplyAdds == 0 {
			t.Errorf("%s: %d bytes, %d multiply-adds, %d bytes of buffers, %d passes of weights", p.Run, bytes, multiplyAdds, device, weights)
		}
	}
}

// A picture says what it shows.
func TestModelPictureTitle(t *testing.T) {
	directory := modelToRun(t, nil)
	file, err := configs.Parse(filepath.Join(directory, "run.toml"), []byte("name = \"own\"\nmodel.path = \"model\"\ninput.ids = [[1, 2], [3]]\n"))
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := (&modelSuite{streams: streams{err: io.Discard}}).run(t.Context(), file.Runs)
	if err != nil {
		t.Fatal(err)
	}
	p := outcomes[0].painter(1)
	if got := p.title(5); got != "own, layer 1, head 5" {
		t.Error(got)
	}
	if want := "model, sliding_window(-4..+4), 2 + 1 tokens, " + outcomes[0].engine.Traits().Device; p.subtitle != want {
		t.Errorf("%q, expected %q", p.subtitle, want)
	}
}

// The base's weights may lie in files, which change nothing and do not stay; a
// run that fails while its weights come leaves no half of a tensor.
func TestModelWeightsInFiles(t *testing.T) {
	directory, temporary := modelToRun(t, nil), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	file, err := configs.Parse(filepath.Join(directory, "run.toml"), []byte(modelFile))
	if err != nil {
		t.Fatal(err)
	}
	var distances []string
	for _, memory := range []int64{weightMemory, 0} {
		outcomes, err := (&modelSuite{streams: streams{err: io.Discard}, memory: memory}).run(t.Context(), file.Runs)
		if err != nil {
			t.Fatal(err)
		}
		distances = append(distances, asJSON(t, outcomes[1].distance)+asJSON(t, outcomes[2].distance))
		if files, err := os.ReadDir(temporary); err != nil || len(files) > 0 {
			t.Errorf("it leaves %v, %v", files, err)
		}
	}
	if distances[0] != distances[1] {
		t.Errorf("distances are %s from memory and %s from files", distances[0], distances[1])
	}
	if err := os.RemoveAll(filepath.Join(directory, "new")); err != nil {
		t.Fatal(err)
	}
	before := listing(t, directory)
	t.Setenv("TMPDIR", filepath.Join(temporary, "none"))
	_, err = (&modelSuite{streams: streams{err: io.Discard}}).run(t.Context(), file.Runs)
	if err == nil || !strings.HasPrefix(err.Error(), `run "base": cannot keep 2.8 KiB of weights: `) {
		t.Errorf("the error is %v", err)
	}
	if after := listing(t, directory); after != before {
		t.Errorf("it leaves\n%s", after)
	}
}
