package checkpoint

import (
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// small is a config.json of a small model to which keys can be added: of two
// equal keys the last counts.
func small(keys string) []byte {
	text := `{"model_type":"modernbert","vocab_size":96,"hidden_size":64,"intermediate_size":48,` +
		`"num_hidden_layers":4,"num_attention_heads":2`
	if keys != "" {
		text += "," + keys
	}
	return []byte(text + "}")
}

func TestParseConfigErrors(t *testing.T) {
	for keys, want := range map[string]string{
		`"model_type":"modernbert-decoder"`:                        `dir/config.json: model_type is "modernbert-decoder"`,
		`"model_type":"bert"`:                                      `model_type is "bert": only "modernbert" is supported`,
		`"model_type":null`:                                        `model_type is null: expected a string`,
		`"vocab_size":1e12`:                                        `dir/config.json: vocab_size is 1e12: expected a whole number from 1 to 16777216`,
		`"vocab_size":1000000000000`:                               `vocab_size is 1000000000000: expected`,
		`"vocab_size":99999999999999999999999`:                     `vocab_size is 99999999999999999999999: expected`,
		`"vocab_size":"96"`:                                        `vocab_size is "96": expected`,
		`"vocab_size":[96]`:                                        `vocab_size is [96]: expected`,
		`"vocab_size":true`:                                        `vocab_size is true: expected`,
		`"vocab_size":null`:                                        `vocab_size is null: expected`,
		`"hidden_size":0`:                                          `hidden_size is 0: expected a whole number from 2 to 65536`,
		`"hidden_size":64.0`:                                       `hidden_size is 64.0: expected a whole number`,
		`"hidden_size":-64`:                                        `hidden_size is -64: expected`,
		`"hidden_size":62`:                                         `hidden_size is 62: that gives each of 2 heads 31 elements`,
		`"intermediate_size":0`:                                    `intermediate_size is 0`,
		`"num_hidden_layers":0`:                                    `num_hidden_layers is 0`,
		`"num_hidden_layers":1000000000`:                           `num_hidden_layers is 1000000000`,
		`"num_attention_heads":0`:                                  `num_attention_heads is 0`,
		`"num_attention_heads":3`:                                  `hidden_size is 64: num_attention_heads, 3, does not divide it`,
		`"max_position_embeddings":0`:                              `max_position_embeddings is 0`,
		`"norm_eps":0`:                                             `norm_eps is 0: expected a number above 0`,
		`"norm_eps":-1e-5`:                                         `norm_eps is -1e-5`,
		`"norm_eps":"1e-5"`:                                        `norm_eps is "1e-5": expected a number`,
		`"norm_eps":1e999`:                                         `norm_eps is 1e999: expected a number`,
		`"norm_bias":1`:                                            `norm_bias is 1: expected true or false`,
		`"mlp_bias":null`:                                          `mlp_bias is null: expected true or false`,
		`"hidden_activation":"swoosh"`:                             `hidden_activation is "swoosh": expected one of ["gelu" `,
		`"hidden_activation":3`:                                    `hidden_activation is 3: expected a string`,
		`"hidden_activation":null`:                                 `hidden_activation is null: expected a string`,
		`"classifier_activation":"tanh"`:                           `classifier_activation is "tanh": expected one of`,
		`"classifier_pooling":"max"`:                               `classifier_pooling is "max": expected one of ["cls" "mean"]`,
		`"architectures":"ModernBertModel"`:                        `architectures is "ModernBertModel": expected a list of strings`,
		`"architectures":[null]`:                                   `architectures is [null]: expected a list of strings`,
		`"layer_types":["full_attention"]`:                         `layer_types has 1 entries: expected num_hidden_layers, 4`,
		`"layer_types":["a","full_attention","b","c"]`:             `layer_types has "a" for layer 0: expected "full_attention" or "sliding_attention"`,
		`"layer_types":"full_attention"`:                           `layer_types is "full_attention": expected a list of strings`,
		`"global_attn_every_n_layers":0`:                           `global_attn_every_n_layers is 0`,
		`"local_attention":-1`:                                     `local_attention is -1`,
		`"sliding_window":null`:                                    `sliding_window is null`,
		`"global_rope_theta":0`:                                    `global_rope_theta is 0: expected a number from 1 to 3.4e+38`,
		`"global_rope_theta":null`:                                 `global_rope_theta is null: expected a number`,
		`"local_rope_theta":"10000"`:                               `local_rope_theta is "10000": expected a number`,
		`"rope_parameters":[1]`:                                    `rope_parameters is [1]: expected an object`,
		`"rope_parameters":{"rope_theta":5000}`:                    `rope_parameters.rope_theta is not supported there`,
		`"rope_parameters":{"full_attention":null}`:                `rope_parameters.full_attention is null: expected an object`,
		`"rope_parameters":{"full_attention":{"rope_theta":null}}`: `rope_parameters.full_attention.rope_theta is null: expected a number`,
		`"rope_parameters":{"full_attention":{"rope_theta":0}}`:    `rope_parameters.full_attention.rope_theta is 0: expected`,
		`"rope_parameters":{"sliding_attention":{"rope_type":"llama3"}}`:     `rope_parameters.sliding_attention.rope_type is "llama3": expected one of ["default" "linear" "yarn"]`,
		`"rope_parameters":{"full_attention":{"partial_rotary_factor":0.5}}`: `rope_parameters.full_attention.partial_rotary_factor is 0.5: expected 1`,
		`"rope_scaling":"yarn"`:                                                                     `rope_scaling is "yarn": expected an object`,
		`"rope_scaling":{"type":"yarn","factor":4}`:                                                 `rope_scaling.type is "yarn" and rope_type "default"`,
		`"rope_scaling":{"rope_type":"dynamic","factor":4}`:                                         `rope_scaling.rope_type is "dynamic": expected one of`,
		`"rope_scaling":{"rope_type":"linear"}`:                                                     `rope_scaling.factor is missing: rope_type "linear" needs it`,
		`"rope_scaling":{"rope_type":"linear","factor":0}`:                                          `rope_scaling.factor is 0: it must be`,
		`"rope_scaling":{"rope_type":"linear","factor":null}`:                                       `rope_scaling.factor is null: expected a number`,
		`"rope_scaling":{"rope_type":"yarn","factor":-4}`:                                           `rope_scaling.factor is -4: it must be`,
		`"rope_scaling":{"rope_type":"yarn"}`:                                                       `rope_scaling.factor is missing`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"truncate":false}`:                           `rope_scaling.truncate is false`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"attention_factor":0}`:                       `rope_scaling.attention_factor is 0: expected a number above 0`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"beta_fast":-1}`:                             `rope_scaling.beta_fast is -1`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"beta_slow":"1"}`:                            `rope_scaling.beta_slow is "1": expected a number`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"mscale":-9,"mscale_all_dim":1}`:             `rope_scaling.mscale is -9`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":0}`:       `rope_scaling.original_max_position_embeddings is 0`,
		`"rope_scaling":{"rope_type":"yarn","factor":4,"rope_theta":1}`:                             `rope_scaling.rope_theta is 1`,
		`"rope_scaling":{"full_attention":{"rope_type":"yarn"}}`:                                    `rope_scaling.full_attention is not supported there`,
		`"rope_parameters":{"full_attention":{}},"rope_scaling":{"rope_type":"linear","factor":-1}`: `rope_parameters.full_attention.factor is -1`,
		`"id2label":{"0":"a","2":"c"}`:                                                              `id2label has 2 labels and none for "1"`,
		`"id2label":{}`:                                                                             `id2label has 0 labels`,
		`"id2label":["a"]`:                                                                          `id2label is ["a"]: expected an object`,
		`"id2label":{"0":1}`:                                                                        `id2label.0 is 1: expected a string`,
		`"num_labels":0`:                                                                            `num_labels is 0`,
		`"num_labels":3,"id2label":{"0":"a"}`:                                                       `id2label has 1 labels`,
		`"problem_type":"guess"`:                                                                    `problem_type is "guess": expected one of`,
		`"problem_type":"single_label_classification","num_labels":1`:                               `problem_type is "single_label_classification", which needs at least two labels`,
		`"pad_token_id":"[PAD]"`:                                                                    `pad_token_id is "[PAD]": expected a whole number`,
		`"head_dim":64`:                                                                             `head_dim is 64: only hidden_size/num_attention_heads, 32, is supported`,
		`"position_embedding_type":"relative_key"`:                                                  `position_embedding_type is "relative_key", which is not supported: expected "absolute"`,
		`"quantization_config":{"bits":4}`:                                                          `quantization_config is {"bits":4}, which is not supported: expected nothing`,
		`"per_layer_config":{"1":{"norm_eps":1}}`:                                                   `per_layer_config is {"1":{"norm_eps":1}}, which is not supported`,
		`"is_decoder":true`:                                                                         `is_decoder is true, which is not supported: expected false`,
		`"partial_rotary_factor":0.5`:                                                               `partial_rotary_factor is 0.5, which is not supported`,
		`"tie_last_hidden_states":false`:                                                            `tie_last_hidden_states is false, which is not supported`,
		`"transformers_weights":"other.safetensors"`:                                                `transformers_weights is "other.safetensors", which is not supported`,
		`"sentence_transformers":{"activation_fn":"torch.nn.modules.activation.Tanh"}`:              `sentence_transformers.activation_fn is "torch.nn.modules.activation.Tanh": expected`,
		`"sentence_transformers":{"activation_fn":"os.system"}`:                                     `sentence_transformers.activation_fn is "os.system": of the classes of torch.nn`,
		`"sbert_ce_default_activation_function":"mine.Identity"`:                                    `sbert_ce_default_activation_function is "mine.Identity"`,
	} {
		if _, err := ParseConfig("dir/config.json", small(keys)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v: expected an error with %q", keys, err, want)
		} else if !strings.HasPrefix(err.Error(), "dir/config.json: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v: expected one line that begins with the file", keys, err)
		}
	}
	for text, want := range map[string]string{
		``:                            "it is not JSON",
		`{`:                           "it is not JSON",
		`{"a":NaN}`:                   "it is not JSON",
		`null`:                        "it holds null",
		`[]`:                          "it holds a JSON array: expected an object",
		`"modernbert"`:                "it holds a JSON string: expected an object",
		`{}`:                          `model_type is missing: expected "modernbert"`,
		`{"model_type": []}`:          "model_type is []: expected a string",
		`{"Model_Type":"modernbert"}`: "model_type is missing",
	} {
		if _, err := ParseConfig("config.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v: expected an error with %q", text, err, want)
		}
	}
}

func TestParseConfigIgnored(t *testing.T) {
	for keys, want := range map[string][]string{
		`"torch_dtype":"float16","layer_norm_eps":1e-3,"cls_token_id":1,"position_embedding_type":"sans_pos","head_dim":32,"quantization_config":null,"reference_compile":false`: nil,
		`"x_custom":{"a":1},"hidden_act":"relu"`: {"config.json: hidden_act", "config.json: x_custom"},
		`"rope_theta":1`:                         {"config.json: rope_theta"},
		`"rope_parameters":{"full_attention":{"factor":3},"sliding_attention":{"rope_type":"linear","factor":3,"beta_fast":1}}`: {
			"config.json: rope_parameters.full_attention.factor", "config.json: rope_parameters.sliding_attention.beta_fast"},
		`"rope_scaling":{"rope_type":"linear","factor":2,"low_freq_factor":1}`: {"config.json: rope_scaling.low_freq_factor"},
	} {
		c, err := ParseConfig("some/where/config.json", small(keys))
		if err != nil || !slices.Equal(c.Ignored, want) {
			t.Errorf("%s: ignored %q, %v: expected %q", keys, c.Ignored, err, want)
		}
	}
}

// What transformers 4 made of a file whose local base is null.
func TestParseConfigLocalThetaNull(t *testing.T) {
	c, err := ParseConfig("config.json", small(`"global_rope_theta":80000,"local_rope_theta":null`))
	if err != nil || c.GlobalRoPE != (gaze.RoPE{Theta: 80000}) || c.LocalRoPE != c.GlobalRoPE {
		t.Errorf("%+v, %+v, %v", c.GlobalRoPE, c.LocalRoPE, err)
	}
}

func TestConfigAttention(t *testing.T) {
	c, err := ParseConfig("config.json", small(`"local_attention":20,"global_rope_theta":80000`))
	if err != nil {
		t.Fatal(err)
	}
	for layer, want := range []gaze.Attention{
		{Heads: 2, HeadDim: 32, RoPE: gaze.RoPE{Theta: 80000}, Pattern: gaze.Full{}},
		{Heads: 2, HeadDim: 32, RoPE: gaze.RoPE{Theta: 10000}, Pattern: gaze.SlidingWindow{Left: 10, Right: 10}},
		{Heads: 2, HeadDim: 32, RoPE: gaze.RoPE{Theta: 10000}, Pattern: gaze.SlidingWindow{Left: 10, Right: 10}},
		{Heads: 2, HeadDim: 32, RoPE: gaze.RoPE{Theta: 80000}, Pattern: gaze.Full{}},
	} {
		if got := c.Attention(layer); got != want || got.Validate() != nil {
			t.Errorf("layer %d: %+v, expected %+v", layer, got, want)
		}
	}
	if GlobalAttention.String() != "global" || LocalAttention.String() != "local" {
		t.Errorf("layers are %v and %v", GlobalAttention, LocalAttention)
	}
}

func TestScoreActivation(t *testing.T) {
	for keys, want := range map[string]Activation{
		``: "",
		`"sentence_transformers":{"version":"5.0.0","activation_fn":"torch.nn.modules.linear.Identity"}`: Identity,
		`"sentence_transformers":{"version":"5.0.0"}`:                                                    "",
		`"sbert_ce_default_activation_function":"torch.nn.modules.activation.Sigmoid"`:                   Sigmoid,
		`"sbert_ce_default_activation_function":null`:                                                    "",
	} {
		if c, err := ParseConfig("config.json", small(keys)); err != nil || c.ScoreActivation != want {
			t.Errorf("%s: %q, %v: expected %q", keys, c.ScoreActivation, err, want)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, keys := range []string{
		``, `"layer_types":["full_attention","sliding_attention","full_attention","attention"]`,
		`"rope_scaling":{"rope_type":"yarn","factor":4.0,"mscale":1,"mscale_all_dim":2}`,
		`"rope_parameters":{"full_attention":{"rope_type":"linear","factor":2,"type":"linear"},"sliding_attention":{"rope_theta":1e4}}`,
		`"id2label":{"0":"a","1":"b"},"num_labels":2,"problem_type":"regression","pad_token_id":null,"x":[]`,
		`"sentence_transformers":{"activation_fn":"torch.nn.modules.activation.Sigmoid"},"head_dim":32`,
	} {
		f.Add(small(keys))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig("config.json", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "config.json: ") {
				t.Errorf("%v: expected the file first", err)
			}
			return
		}
		// What was accepted can be computed with.
		for layer := range c.LayerAttention {
			a := c.Attention(layer)
			if a.Heads < 1 || a.HeadDim < 2 || a.HeadDim%2 != 0 || a.RoPE.Validate() != nil || !a.RoPE.Enabled() || a.Pattern.Validate() != nil {
				t.Fatalf("layer %d: %+v", layer, a)
			}
		}
		for head := range Head(len(architectures)) {
			if n := c.Parameters(head); n < c.VocabSize*c.HiddenSize {
				t.Fatalf("%v has %d parameters", head, n)
			}
		}
	})
}
