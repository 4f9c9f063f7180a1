package checkpoint

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// random returns the directory of a new small checkpoint with those keys added.
func random(t *testing.T, keys string, options RandomOptions) string {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "model")
	if err := WriteRandom(directory, small(keys), options); err != nil {
		t.Fatal(err)
	}
	return directory
}

func openModel(t *testing.T, path string) *Model {
	t.Helper()
	m, err := OpenModel(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func architecture(head Head) string { return fmt.Sprintf(`"architectures":[%q]`, head) }

// Every head, element type, prefix and division into files.
func TestOpenModel(t *testing.T) {
	for head := range Head(len(architectures)) {
		for _, options := range []RandomOptions{
			{}, {DType: F16}, {DType: BF16, OtherPrefix: true}, {Shards: 3}, {Shards: 2, OtherPrefix: true},
		} {
			keys := architecture(head) + `,"norm_bias":true,"x":1`
			m := openModel(t, random(t, keys, options))
			if m.Head != head || m.Embedding != nil || !slices.Equal(m.Ignored, []string{"config.json: x"}) {
				t.Errorf("%v, %+v: head %v, embedding %v, ignored %q", head, options, m.Head, m.Embedding, m.Ignored)
			}
			want := m.Config.Tensors(head)
			names := len(want)
			if head == MaskedLM {
				names++ // the tied decoder.weight
			}
			if len(m.Names()) != names {
				t.Errorf("%v, %+v: %d tensors, expected %d", head, options, len(m.Names()), names)
			}
			for _, shape := range want {
				tensor, ok := m.Tensor(shape.Name)
				dtype := options.DType
				if dtype == "" {
					dtype = F32
				}
				if !ok || !slices.Equal(tensor.Shape, shape.Shape) || tensor.DType != dtype {
					t.Errorf("%v, %+v: %s: %v %v %v", head, options, shape.Name, ok, tensor.DType, tensor.Shape)
				}
			}
		}
	}
}

// The weights do not depend on how they are stored, but for rounding.
func TestWriteRandom(t *testing.T) {
	plain := openModel(t, random(t, architecture(MaskedLM), RandomOptions{Seed: 7}))
	for _, options := range []RandomOptions{{Seed: 7, Shards: 4, OtherPrefix: true}, {Seed: 7, DType: F16}, {Seed: 7, DType: BF16}} {
		m := openModel(t, random(t, architecture(MaskedLM), options))
		for _, name := range plain.Names() {
			first, second := floats(t, plain, name), floats(t, m, name)
			for i := range first {
				want := first[i]
				switch options.DType {
				case F16:
					want = Float16ToFloat32(Float32ToFloat16(want))
				case BF16:
					want = BFloat16ToFloat32(Float32ToBFloat16(want))
				}
				if second[i] != want {
					t.Fatalf("%+v: %s, element %d: %v, expected %v", options, name, i, second[i], want)
				}
			}
		}
	}
	other := openModel(t, random(t, architecture(MaskedLM), RandomOptions{Seed: 8}))
	if slices.Equal(floats(t, plain, "final_norm.weight"), floats(t, other, "final_norm.weight")) {
		t.Error("another seed gives the same weights")
	}
	if slices.Equal(floats(t, plain, "layers.1.attn.Wo.weight"), floats(t, plain, "layers.2.attn.Wo.weight")) {
		t.Error("two layers have the same weights")
	}
	for name, want := range map[string][2]float64{ // mean and standard deviation
		"embeddings.tok_embeddings.weight": {0, 1}, "layers.2.mlp.Wo.weight": {0, 1 / math.Sqrt(48)}, "final_norm.weight": {1, 0.1}, "decoder.bias": {0, 0.1},
	} {
		values := floats(t, plain, name)
		sum, squares := 0.0, 0.0
		for _, v := range values {
			sum += float64(v)
			squares += (float64(v) - want[0]) * (float64(v) - want[0])
		}
		n := float64(len(values))
		if math.Abs(sum/n-want[0]) > 5*want[1]/math.Sqrt(n) || math.Abs(math.Sqrt(squares/n)/want[1]-1) > 5/math.Sqrt(n) {
			t.Errorf("%s: mean %v, deviation %v, expected %v", name, sum/n, math.Sqrt(squares/n), want)
		}
	}
	for _, c := range []struct {
		config  string
		options RandomOptions
		want    string
	}{
		{`{}`, RandomOptions{}, "model_type is missing"},
		{string(small(`"architectures":["Other"]`)), RandomOptions{}, `architectures names "Other"`},
		{string(small("")), RandomOptions{DType: I8}, `type is "I8"`},
	} {
		directory := filepath.Join(t.TempDir(), "model")
		if err := WriteRandom(directory, []byte(c.config), c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: expected an error with %q", c.config, err, c.want)
		}
		if files, _ := os.ReadDir(directory); len(files) > 0 {
			t.Errorf("%s: left %v", c.config, files)
		}
	}
}

func floats(t *testing.T, m *Model, name string) []float32 {
	t.Helper()
	tensor, _ := m.Tensor(name)
	values, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestModelClose(t *testing.T) {
	m, err := OpenModel(random(t, "", RandomOptions{Shards: 2}))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, ok := m.Tensor("final_norm.weight"); ok || len(m.Names()) != 0 {
		t.Error("a closed model still has tensors")
	}
}

func TestHeadFromTensors(t *testing.T) {
	for head, want := range map[Head]string{NoHead: "", MaskedLM: "", SequenceClassification: "architectures is missing, and the weights have a classifier"} {
		directory := random(t, architecture(head), RandomOptions{})
		if err := os.WriteFile(filepath.Join(directory, "config.json"), small(`"architectures":null`), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := OpenModel(directory)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v: expected an error with %q", head, err, want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if m.Head != head {
			t.Errorf("%v was taken for %v", head, m.Head)
		}
	}
	for keys, want := range map[string]string{
		`"architectures":["ModernBertForCausalLM"]`:                         `architectures names "ModernBertForCausalLM": expected one of ModernBertModel, `,
		`"architectures":["ModernBertForQuestionAnswering"],"num_labels":3`: "id2label has 3 labels: ModernBertForQuestionAnswering needs 2",
	} {
		directory := random(t, "", RandomOptions{})
		if err := os.WriteFile(filepath.Join(directory, "config.json"), small(keys), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v: expected an error with %q", keys, err, want)
		}
	}
}

func TestOpenModelFileErrors(t *testing.T) {
	for what, c := range map[string]struct {
		spoil func(directory string) error
		want  string
	}{
		"no config":  {func(d string) error { return os.Remove(filepath.Join(d, "config.json")) }, "has no config.json: it is no Hugging Face model"},
		"bad config": {func(d string) error { return os.WriteFile(filepath.Join(d, "config.json"), []byte("{"), 0o666) }, "config.json: it is not JSON"},
		"a directory": {func(d string) error {
			os.Remove(filepath.Join(d, "config.json"))
			return os.Mkdir(filepath.Join(d, "config.json"), 0o777)
		}, "config.json: it is not a regular file"},
		"no weights": {func(d string) error { return os.Remove(filepath.Join(d, weightsName)) }, "has no weights: expected model.safetensors"},
		"a pickle": {func(d string) error {
			return os.Rename(filepath.Join(d, weightsName), filepath.Join(d, "pytorch_model.bin"))
		}, "pytorch_model.bin, which can run code"},
		"cut off": {func(d string) error { return os.Truncate(filepath.Join(d, weightsName), 5000) }, "cut off"},
		"an adapter": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "adapter_config.json"), []byte("{}"), 0o666)
		}, "adapter_config.json: adapters are not supported"},
	} {
		directory := random(t, "", RandomOptions{})
		if err := c.spoil(directory); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), directory) {
			t.Errorf("%s: %v: expected an error with %q and the directory", what, err, c.want)
		}
	}
}
