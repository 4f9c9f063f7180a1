package checkpoint

import (
	"encoding/json"
	"fmt"
	"slices"
)

// prompts reads what a SentenceTransformer's settings say.
func (e *Embedding) prompts(k *keys) {
	e.Prompts = map[string]string{}
	if k.has("prompts") {
		if prompts := k.object("prompts"); prompts != nil {
			for name := range prompts.values {
				e.Prompts[name] = ""
				if prompts.has(name) {
					e.Prompts[name] = prompts.text(name, "")
				}
			}
		}
	}
	if k.has("default_prompt_name") {
		e.DefaultPrompt = k.text("default_prompt_name", "")
		// These two are there, and empty, in every model.
		if _, ok := e.Prompts[e.DefaultPrompt]; !ok && e.DefaultPrompt != "query" && e.DefaultPrompt != "document" {
			k.wrong("default_prompt_name", "the name of one of prompts")
		}
	}
	if k.has("similarity_fn_name") {
		e.Similarity = choose(k, "similarity_fn_name", "", map[string]Similarity{
			"cosine": Cosine, "dot": Dot, "euclidean": Euclidean, "manhattan": Manhattan,
		})
	}
	if k.has("truncate_dim") {
		e.TruncateTo = k.integer("truncate_dim", 0, 1, maxHidden)
	}
}

// readTransformer reads how a SentenceTransformer calls its transformer.
func (m *Model) readTransformer(root, in folder, e *Embedding) error {
	k, err := optionalKeys(in, "sentence_bert_config.json")
	if err != nil {
		return err
	}
	if k.has("max_seq_length") {
		e.MaxSequenceLength = k.integer("max_seq_length", 0, 1, maxPositions)
	}
	e.LowerCase = k.boolean("do_lower_case", false)
	k.only("transformer_task", "feature-extraction")
	k.only("module_output_name", "token_embeddings")
	for _, key := range []string{"query_length", "document_length", "query_expansion", "processing_kwargs", "tokenizer_name_or_path"} {
		if k.has(key) && string(k.values[key]) != "{}" {
			k.fail(key, "is %s, which is not supported: leave it out", excerpt(k.values[key]))
		}
	}
	for _, key := range []string{"model_args", "model_kwargs", "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs"} {
		if !k.has(key) {
			continue
		}
		if arguments := k.object(key); arguments != nil {
			for _, harmless := range []string{"trust_remote_code", "attn_implementation", "torch_dtype", "dtype", "reference_compile"} {
				arguments.take(harmless)
			}
			for _, name := range arguments.rest() {
				k.fail(name, "is not supported: leave it out")
			}
		}
	}
	k.take("modality_config") // for text it can say but one thing
	k.take("unpad_inputs")
	return m.finish(root, k)
}

// only refuses any string at key but value.
func (k *keys) only(key, value string) {
	if k.has(key) && k.text(key, value) != value {
		k.wrong(key, fmt.Sprintf("%q", value))
	}
}

// readPooling reads which poolings are concatenated, and in which order.
func (m *Model) readPooling(root, in folder, e *Embedding) error {
	k, err := optionalKeys(in, configName)
	if err != nil {
		return err
	}
	hidden := m.Config.HiddenSize
	for _, key := range []string{"embedding_dimension", "word_embedding_dimension"} {
		if dimension := k.integer(key, hidden, 1, maxHidden); dimension != hidden {
			k.fail(key, "is %d: the hidden states have %d elements", dimension, hidden)
		}
	}
	for _, legacy := range []struct {
		key     string
		pooling Pooling
	}{ // in the order of their concatenation
		{"pooling_mode_cls_token", CLS}, {"pooling_mode_max_tokens", Max}, {"pooling_mode_mean_tokens", Mean},
		{"pooling_mode_mean_sqrt_len_tokens", MeanSqrt}, {"pooling_mode_weightedmean_tokens", WeightedMean},
		{"pooling_mode_lasttoken", LastToken},
	} {
		if k.boolean(legacy.key, false) {
			e.Pooling = append(e.Pooling, legacy.pooling)
		}
	}
	if value, ok := k.take("pooling_mode"); ok {
		e.Pooling = nil
		modes := []string{}
		if one := ""; json.Unmarshal(value, &one) == nil {
			modes = append(modes, one)
		} else {
			modes = k.texts("pooling_mode")
		}
		for _, mode := range modes {
			e.Pooling = append(e.Pooling, Pooling(mode))
		}
		known := []Pooling{CLS, Max, Mean, MeanSqrt, WeightedMean, LastToken}
		if len(modes) == 0 || slices.ContainsFunc(e.Pooling, func(p Pooling) bool { return !slices.Contains(known, p) }) {
			k.wrong("pooling_mode", fmt.Sprintf("one or several of %q", known))
		}
	}
	if len(e.Pooling) == 0 {
		e.Pooling = []Pooling{Mean}
	}
	e.IncludePrompt = k.boolean("include_prompt", true)
	return m.finish(root, k)
}

// readNormalize refuses to normalize anything but the embedding.
func (m *Model) readNormalize(root, in folder) error {
	k, err := optionalKeys(in, configName)
	if err != nil {
		return err
	}
	k.ends()
	return m.finish(root, k)
}

// ends refuses a module that takes or gives anything but the embedding.
func (k *keys) ends() {
	k.only("module_input_name", "sentence_embedding")
	k.only("module_output_name", "sentence_embedding")
}

// readDense reads a layer, whose tensors lie in a file of its own.
func (m *Model) readDense(root, in folder, e *Embedding) error {
	k, err := optionalKeys(in, configName)
	if err != nil {
		return err
	}
	inputs := e.Dimensions(m.Config.HiddenSize)
	d := Dense{
		Inputs:     k.integer("in_features", 0, 1, maxHidden),
		Outputs:    k.integer("out_features", 0, 1, maxHidden),
		Activation: Tanh,
	}
	if d.Inputs != inputs || d.Outputs == 0 {
		k.fail("in_features", "is %d and out_features %d: expected both, and the %d elements that come in", d.Inputs, d.Outputs, inputs)
	}
	expected := []TensorShape{{"linear.weight", []int{d.Outputs, d.Inputs}}}
	if k.boolean("bias", true) {
		expected = append(expected, TensorShape{"linear.bias", []int{d.Outputs}})
	}
	if class := k.text("activation_function", "torch.nn.Tanh"); *k.err == nil {
		if d.Activation, err = torchActivation(class); err != nil {
			k.fail("activation_function", "%v", err)
		}
	}
	k.ends()
	if k.boolean("use_residual", false) {
		k.wrong("use_residual", "false, because a residual connection is not supported")
	}
	if err := m.finish(root, k); err != nil {
		return err
	}
	w, err := openWeights(in)
	if err != nil {
		return err
	}
	m.files = append(m.files, w.files...)
	if err := match(expected, w.tensors); err != nil {
		return fmt.Errorf("%s: %w", in.path, err)
	}
	d.Weight, d.Bias = w.tensors["linear.weight"], w.tensors["linear.bias"]
	e.Dense = append(e.Dense, d)
	return nil
}
