package checkpoint

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rewrite writes a model's file anew with other tensors.
func rewrite(t *testing.T, directory string, change func([]TensorShape) []TensorShape, options RandomOptions) {
	t.Helper()
	path := filepath.Join(directory, weightsName)
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var shapes []TensorShape
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		shapes = append(shapes, TensorShape{name, tensor.Shape})
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := WriteRandomTensors(path, change(shapes), options); err != nil {
		t.Fatal(err)
	}
}

// renamed returns a change that gives a tensor another name, or with none takes
// it away.
func renamed(from, to string) func([]TensorShape) []TensorShape {
	return func(shapes []TensorShape) []TensorShape {
		var changed []TensorShape
		for _, s := range shapes {
			if s.Name == from {
				s.Name = to
			}
			if s.Name != "" {
				changed = append(changed, s)
			}
		}
		return changed
	}
}

func reshaped(name string, shape ...int) func([]TensorShape) []TensorShape {
	return func(shapes []TensorShape) []TensorShape {
		for i := range shapes {
			if shapes[i].Name == name {
				shapes[i].Shape = shape
			}
		}
		return shapes
	}
}

func added(name string, shape ...int) func([]TensorShape) []TensorShape {
	return func(shapes []TensorShape) []TensorShape { return append(shapes, TensorShape{name, shape}) }
}

func TestOpenModelTensorErrors(t *testing.T) {
	for _, c := range []struct {
		head   Head
		keys   string
		change func([]TensorShape) []TensorShape
		want   []string // all in the error
	}{
		{NoHead, ``, renamed("final_norm.weight", ""), []string{"for ModernBertModel, 1 tensors", "\n  final_norm.weight: missing, expected [64]"}},
		{NoHead, ``, renamed("layers.1.attn_norm.weight", ""), []string{"layers.1.attn_norm.weight: missing"}},
		{NoHead, ``, added("layers.0.attn_norm.weight", 64), []string{"layers.0.attn_norm.weight: found [64], expected no such tensor"}},
		{NoHead, ``, added("layers.4.attn.Wo.weight", 64, 64), []string{"layers.4.attn.Wo.weight: found [64 64], expected no such tensor"}},
		{NoHead, ``, reshaped("layers.2.mlp.Wi.weight", 64, 96), []string{"layers.2.mlp.Wi.weight: found [64 96], expected [96 64]"}},
		{NoHead, ``, added("final_norm.bias", 64), []string{"final_norm.bias: found [64], expected no such tensor"}},
		{NoHead, ``, added("head.dense.weight", 64, 64), []string{"head.dense.weight: found [64 64], expected no such tensor"}},
		{NoHead, ``, renamed("final_norm.weight", "final_norm.gamma"), []string{"final_norm.gamma: found [64]", "final_norm.weight: missing"}},
		{NoHead, ``, added("model.final_norm.weight", 64), []string{`there are tensors "final_norm.weight" and "model.final_norm.weight"`}},
		{MaskedLM, ``, renamed("decoder.bias", ""), []string{"for ModernBertForMaskedLM", "decoder.bias: missing, expected [96]"}},
		{MaskedLM, `"tie_word_embeddings":false`, renamed("decoder.weight", ""), []string{"decoder.weight: missing, expected [96 64]"}},
		{MaskedLM, ``, added("decoder.weight", 95, 64), []string{"decoder.weight: found [95 64], expected [96 64]"}},
		{SequenceClassification, `"num_labels":3`, reshaped("classifier.weight", 2, 64), []string{"classifier.weight: found [2 64], expected [3 64]"}},
		{SequenceClassification, ``, func(s []TensorShape) []TensorShape {
			return renamed("classifier.bias", "")(renamed("head.dense.weight", "")(reshaped("model.final_norm.weight", 1)(s)))
		}, []string{"3 tensors", "\n  classifier.bias: missing, expected [2]\n  final_norm.weight: found [1], expected [64]\n  head.dense.weight: missing"}},
		{MultipleChoice, ``, func([]TensorShape) []TensorShape { return nil }, []string{
			"30 tensors are not as expected", "\n  classifier.bias: missing, expected [1]\n", "and 10 more"}},
	} {
		directory := random(t, architecture(c.head)+comma(c.keys), RandomOptions{})
		rewrite(t, directory, c.change, RandomOptions{})
		m, err := OpenModel(directory)
		if err == nil {
			t.Errorf("%v, %s: was opened, expected an error with %q", c.head, c.keys, c.want)
			m.Close()
			continue
		}
		for _, want := range append(c.want, directory) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v, %s: %v: expected %q in it", c.head, c.keys, err, want)
			}
		}
	}
}

func comma(keys string) string {
	if keys == "" {
		return ""
	}
	return "," + keys
}

func TestOpenModelElementType(t *testing.T) {
	directory := random(t, "", RandomOptions{})
	path := filepath.Join(directory, weightsName)
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	entries := entriesOf(file)
	for i := range entries {
		if entries[i].Name == "final_norm.weight" {
			entries[i].DType = I32
		}
	}
	if err := WriteSafetensors(path, nil, entries); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), "final_norm.weight: found I32, expected F32, F16 or BF16") {
		t.Errorf("opened: %v", err)
	}
}

// As in transformers, any tensor may have the prefix.
func TestOpenModelPrefix(t *testing.T) {
	directory := random(t, architecture(MaskedLM), RandomOptions{})
	rewrite(t, directory, renamed("head.norm.weight", "model.head.norm.weight"), RandomOptions{})
	openModel(t, directory)
}

// Tables that older versions stored have no effect.
func TestOpenModelBuffers(t *testing.T) {
	directory := random(t, architecture(MaskedLM), RandomOptions{})
	rewrite(t, directory, func(s []TensorShape) []TensorShape {
		return append(s, TensorShape{"model.layers.0.attn.rotary_emb.inv_freq", []int{16}}, TensorShape{"model.rotary_emb.full_attention_inv_freq", []int{16}},
			TensorShape{"model.embeddings.position_ids", []int{1, 8192}})
	}, RandomOptions{})
	m := openModel(t, directory)
	if _, ok := m.Tensor("embeddings.position_ids"); ok {
		t.Error("position_ids are among the tensors")
	}
}

// The four ways of a decoder to share the embedding matrix, or not.
func TestTiedDecoder(t *testing.T) {
	same := func(m *Model) bool {
		return slices.Equal(floats(t, m, decoderWeight), floats(t, m, embeddingWeight))
	}
	tied := openModel(t, random(t, architecture(MaskedLM), RandomOptions{}))
	if !tied.Config.TieWordEmbeddings || !same(tied) || len(tied.Ignored) > 0 {
		t.Errorf("tied: %v, the same %v, ignored %q", tied.Config.TieWordEmbeddings, same(tied), tied.Ignored)
	}
	untied := openModel(t, random(t, architecture(MaskedLM)+`,"tie_word_embeddings":false`, RandomOptions{}))
	if untied.Config.TieWordEmbeddings || same(untied) {
		t.Errorf("untied: %v, the same %v", untied.Config.TieWordEmbeddings, same(untied))
	}
	// transformers finds both and believes them.
	directory := random(t, architecture(MaskedLM), RandomOptions{})
	rewrite(t, directory, added(decoderWeight, 96, 64), RandomOptions{})
	both := openModel(t, directory)
	if both.Config.TieWordEmbeddings || same(both) || !slices.Equal(both.Ignored, []string{"config.json: tie_word_embeddings"}) {
		t.Errorf("both: %v, the same %v, ignored %q", both.Config.TieWordEmbeddings, same(both), both.Ignored)
	}
	// Only the decoder's is there, and stands for both.
	directory = random(t, architecture(MaskedLM), RandomOptions{})
	rewrite(t, directory, renamed("model."+embeddingWeight, decoderWeight), RandomOptions{})
	one := openModel(t, directory)
	if !one.Config.TieWordEmbeddings || !same(one) {
		t.Errorf("one: %v, the same %v", one.Config.TieWordEmbeddings, same(one))
	}
	// Both are there and equal.
	directory = random(t, architecture(MaskedLM), RandomOptions{})
	path := filepath.Join(directory, weightsName)
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	entries := entriesOf(file)
	for _, entry := range entries {
		if entry.Name == "model."+embeddingWeight {
			entry.Name = decoderWeight
			entries = append(entries, entry)
		}
	}
	if err := WriteSafetensors(path, nil, entries); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if equal := openModel(t, directory); !equal.Config.TieWordEmbeddings || !same(equal) || len(equal.Ignored) > 0 {
		t.Errorf("equal: %v, the same %v, ignored %q", equal.Config.TieWordEmbeddings, same(equal), equal.Ignored)
	}
}
