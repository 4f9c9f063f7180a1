package checkpoint

import "slices"

// requireModernBERT refuses every other kind of model by name.
func (k *keys) requireModernBERT() {
	const modernBERT = "modernbert"
	if _, ok := k.values["model_type"]; !ok {
		k.fail("model_type", "is missing: expected %q", modernBERT)
		return
	}
	switch model := k.text("model_type", ""); model {
	case modernBERT:
	case "modernbert-decoder":
		k.fail("model_type", "is %q: decoders see earlier tokens only and are another architecture; expected %q", model, modernBERT)
	default:
		k.fail("model_type", "is %.40q: only %q is supported", model, modernBERT)
	}
}

// supportedValues are keys that would change the result, each with the values,
// as JSON, that do not. null is always among them.
var supportedValues = []struct {
	key    string
	values []string
}{
	{"add_cross_attention", []string{"false"}},
	{"attribute_map", []string{"{}"}},
	{"is_causal", []string{"false"}},
	{"is_decoder", []string{"false"}},
	{"is_encoder_decoder", []string{"false"}},
	{"partial_rotary_factor", []string{"1", "1.0"}},
	{"per_layer_config", []string{"{}"}},
	// Published files say one or the other of what has no position embeddings.
	{"position_embedding_type", []string{`"absolute"`, `"sans_pos"`, `"rope"`}},
	{"pruned_heads", []string{"{}"}},
	{"quantization_config", nil},
	{"tie_last_hidden_states", []string{"true"}},
	{"transformers_weights", nil},
}

// refuseUnsupported refuses what is not supported by name.
func (k *keys) refuseUnsupported() {
	for _, s := range supportedValues {
		if value, _ := k.take(s.key); k.has(s.key) && !slices.Contains(s.values, string(value)) {
			expected := "nothing"
			if len(s.values) > 0 {
				expected = s.values[0]
			}
			k.fail(s.key, "is %s, which is not supported: expected %s", excerpt(value), expected)
		}
	}
}

// harmless are the keys that change nothing: those of training, of how
// transformers itself runs a model, and ids that the tokenizer knows better.
// layer_norm_eps is among them, because norm_eps is what counts.
var harmless = func() map[string]bool {
	set := map[string]bool{}
	for _, key := range []string{
		"_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path",
		"attention_dropout", "attn_implementation", "bos_token_id", "chunk_size_feed_forward",
		"classifier_dropout", "cls_token_id", "deterministic_flash_attn", "dtype", "embedding_dropout",
		"eos_token_id", "finetuning_task", "gradient_checkpointing", "initializer_cutoff_factor",
		"initializer_range", "label2id", "layer_norm_eps", "mask_token_id", "mlp_dropout", "name_or_path",
		"output_attentions", "output_hidden_states", "reference_compile", "repad_logits_with_grad",
		"return_dict", "sep_token_id", "sparse_pred_ignore_index", "sparse_prediction",
		"task_specific_params", "tokenizer_class", "torch_dtype", "transformers_version", "unk_token_id",
		"use_cache",
	} {
		set[key] = true
	}
	return set
}()
