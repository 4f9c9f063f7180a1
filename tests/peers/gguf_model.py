"""Writes a ModernBERT as GGUF, without a tokenizer: llama.cpp is given token ids."""

import re

import gguf
import numpy

ARCHITECTURE = "modern-bert"

# Names of llama.cpp's tensors by those of transformers; {} is the layer.
NAMES = {
    "embeddings.tok_embeddings": "token_embd",
    "embeddings.norm": "token_embd_norm",
    "final_norm": "output_norm",
    "layers.{}.attn_norm": "blk.{}.attn_norm",
    "layers.{}.attn.Wqkv": "blk.{}.attn_qkv",
    "layers.{}.attn.Wo": "blk.{}.attn_output",
    "layers.{}.mlp_norm": "blk.{}.ffn_norm",
    "layers.{}.mlp.Wi": "blk.{}.ffn_up",
    "layers.{}.mlp.Wo": "blk.{}.ffn_down",
}


def write(model, path, precision):
    """Writes model, a transformers.ModernBertModel, to path, its matrices as precision ("f32" or "f16"). It raises
    ValueError for what llama.cpp does not know."""
    config = model.config
    full = [kind == "full_attention" for kind in config.layer_types]
    period = next((i for i in range(1, len(full)) if full[i]), len(full))
    if full != [i % period == 0 for i in range(len(full))]:
        raise ValueError(f"llama.cpp knows layers of full attention at equal distances, from the first on; here they are {config.layer_types}")
    if config.hidden_activation not in ("gelu", "silu", "relu"):
        raise ValueError(f"llama.cpp knows the activations gelu (by its approximation), silu and relu; here it is {config.hidden_activation}")
    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_eps(config.norm_eps)
    writer.add_causal_attention(False)
    writer.add_sliding_window(config.local_attention)
    writer.add_sliding_window_pattern(period)
    writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    writer.add_rope_freq_base(config.rope_parameters["full_attention"]["rope_theta"])
    if "sliding_attention" in config.rope_parameters:
        writer.add_rope_freq_base_swa(config.rope_parameters["sliding_attention"]["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_string(f"{ARCHITECTURE}.hidden_activation", config.hidden_activation)
    writer.add_tokenizer_model("none")
    for name, tensor in model.state_dict().items():
        layer = re.match(r"layers\.(\d+)\.", name)
        stem = re.sub(r"^layers\.\d+\.", "layers.{}.", name.removesuffix(".weight"))
        if stem == name or stem not in NAMES:
            raise ValueError(f"llama.cpp has no place for the tensor {name}")
        half = precision == "f16" and tensor.ndim == 2
        data = tensor.numpy().astype(numpy.float16 if half else numpy.float32)
        writer.add_tensor(NAMES[stem].format(layer and layer[1]) + ".weight", data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
