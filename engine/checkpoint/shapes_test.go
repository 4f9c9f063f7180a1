package checkpoint

import (
	"fmt"
	"testing"
)

// The numbers of parameters of published models, counted from their configs.
func TestParameters(t *testing.T) {
	shape := func(hidden, intermediate, layers, heads, vocab int) string {
		return fmt.Sprintf(`{"model_type":"modernbert","hidden_size":%d,"intermediate_size":%d,"num_hidden_layers":%d,"num_attention_heads":%d,"vocab_size":%d}`,
			hidden, intermediate, layers, heads, vocab)
	}
	for _, c := range []struct {
		model  string
		config string
		head   Head
		want   int
	}{
		{"ModernBERT-base", shape(768, 1152, 22, 12, 50368), NoHead, 149_014_272},
		{"ModernBERT-base", shape(768, 1152, 22, 12, 50368), MaskedLM, 149_655_232},
		{"ModernBERT-large", shape(1024, 2624, 28, 16, 50368), NoHead, 394_781_696},
		{"ModernBERT-large", shape(1024, 2624, 28, 16, 50368), MaskedLM, 395_881_664},
		{"granite-embedding-97m-multilingual-r2", shape(384, 1536, 12, 12, 180000), NoHead, 97_441_152},
	} {
		config, err := ParseConfig("config.json", []byte(c.config))
		if err != nil {
			t.Fatal(err)
		}
		if got := config.Parameters(c.head); got != c.want {
			t.Errorf("%s, %v: %d parameters, expected %d", c.model, c.head, got, c.want)
		}
	}
	// Published in millions, with the masked-LM head.
	for _, c := range []struct {
		model  string
		config string
		want   string
	}{
		{"ettin-encoder-17m", shape(256, 384, 7, 4, 50368), "16.8"},
		{"ettin-encoder-32m", shape(384, 576, 10, 6, 50368), "31.9"},
		{"mmBERT-small", shape(384, 1152, 22, 6, 256000), "140.5"},
		{"mmBERT-base", shape(768, 1152, 22, 12, 256000), "306.9"},
	} {
		config, err := ParseConfig("config.json", []byte(c.config))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{fmt.Sprintf("%.1f", float64(config.Parameters(NoHead))/1e6), fmt.Sprintf("%.1f", float64(config.Parameters(MaskedLM))/1e6)}
		if got[0] != c.want && got[1] != c.want {
			t.Errorf("%s: %v million parameters, expected %s", c.model, got, c.want)
		}
	}
}

func TestTensors(t *testing.T) {
	all := `"norm_bias":true,"attention_bias":true,"mlp_bias":true,"classifier_bias":true,"num_labels":5`
	for _, c := range []struct {
		keys string
		head Head
		want map[string]string // shape by name; "" for none
	}{
		{``, NoHead, map[string]string{
			"embeddings.tok_embeddings.weight": "[96 64]", "layers.0.attn_norm.weight": "", "layers.1.attn_norm.weight": "[64]",
			"layers.3.attn.Wqkv.weight": "[192 64]", "layers.3.attn.Wqkv.bias": "", "layers.0.attn.Wo.weight": "[64 64]",
			"layers.2.mlp.Wi.weight": "[96 64]", "layers.2.mlp.Wo.weight": "[64 48]", "final_norm.weight": "[64]",
			"final_norm.bias": "", "layers.4.mlp_norm.weight": "", "head.dense.weight": "",
		}},
		{``, MaskedLM, map[string]string{
			"head.dense.weight": "[64 64]", "head.dense.bias": "", "head.norm.weight": "[64]", "decoder.bias": "[96]", "decoder.weight": "", "classifier.bias": "",
		}},
		{`"tie_word_embeddings":false,"decoder_bias":false`, MaskedLM, map[string]string{"decoder.weight": "[96 64]", "decoder.bias": ""}},
		{all, MaskedLM, map[string]string{
			"embeddings.norm.bias": "[64]", "layers.0.attn_norm.bias": "", "layers.1.attn_norm.bias": "[64]", "layers.1.attn.Wqkv.bias": "[192]",
			"layers.1.attn.Wo.bias": "[64]", "layers.1.mlp_norm.bias": "[64]", "layers.1.mlp.Wi.bias": "[96]", "layers.1.mlp.Wo.bias": "[64]",
			"final_norm.bias": "[64]", "head.dense.bias": "[64]", "head.norm.bias": "[64]", "embeddings.tok_embeddings.bias": "",
		}},
		{all, SequenceClassification, map[string]string{"classifier.weight": "[5 64]", "classifier.bias": "[5]", "decoder.bias": ""}},
		{all, TokenClassification, map[string]string{"classifier.weight": "[5 64]", "classifier.bias": "[5]"}},
		{``, QuestionAnswering, map[string]string{"classifier.weight": "[2 64]", "classifier.bias": "[2]"}},
		{all, MultipleChoice, map[string]string{"classifier.weight": "[1 64]", "classifier.bias": "[1]"}},
	} {
		config, err := ParseConfig("config.json", small(c.keys))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, tensor := range config.Tensors(c.head) {
			if got[tensor.Name] != "" {
				t.Errorf("%v: %s twice", c.head, tensor.Name)
			}
			got[tensor.Name] = fmt.Sprint(tensor.Shape)
		}
		for name, want := range c.want {
			if got[name] != want {
				t.Errorf("%s, %v: %s has shape %q, expected %q", c.keys, c.head, name, got[name], want)
			}
		}
	}
}
