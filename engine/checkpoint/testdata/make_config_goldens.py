"""Makes configs.json and rope.safetensors, for config_golden_test.go: what
transformers makes of many a config.json, and the rotary tables that follow,
[cosine and sine, positions, head_dim/2], each stored once.

    python -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python make_config_goldens.py
"""

import copy
import json
import os
import pathlib

# Without this, torch's vectorized pow rounds a few rotary frequencies the other
# way, and which ones depends on the processor.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, LlamaConfig, ModernBertConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.modernbert import modeling_modernbert as modernbert

here = pathlib.Path(__file__).parent
transformers.logging.set_verbosity_error()

positions = [1, 500, 8191]

small = {
    "model_type": "modernbert",
    "vocab_size": 64,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "pad_token_id": 0,
}
full = {"rope_type": "default", "rope_theta": 80000.0}
sliding = {"rope_type": "default", "rope_theta": 20000.0}
yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}
full_yarn = {**yarn, "rope_theta": 160000.0}


def nested(one, other):
    return {"rope_parameters": {"full_attention": one, "sliding_attention": other}}


# What is added to small, except for those that name a model_type themselves.
cases = {
    # forms
    "nothing but the type": {"model_type": "modernbert"},
    "v4 as published": {
        "model_type": "modernbert",
        "architectures": ["ModernBertForMaskedLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 50281,
        "classifier_activation": "gelu",
        "classifier_bias": False,
        "classifier_dropout": 0.0,
        "classifier_pooling": "mean",
        "cls_token_id": 50281,
        "decoder_bias": True,
        "deterministic_flash_attn": False,
        "embedding_dropout": 0.0,
        "eos_token_id": 50282,
        "global_attn_every_n_layers": 3,
        "global_rope_theta": 160000.0,
        "gradient_checkpointing": False,
        "hidden_activation": "gelu",
        "hidden_size": 768,
        "initializer_cutoff_factor": 2.0,
        "initializer_range": 0.02,
        "intermediate_size": 1152,
        "layer_norm_eps": 1e-05,
        "local_attention": 128,
        "local_rope_theta": 10000.0,
        "max_position_embeddings": 8192,
        "mlp_bias": False,
        "mlp_dropout": 0.0,
        "norm_bias": False,
        "norm_eps": 1e-05,
        "num_attention_heads": 12,
        "num_hidden_layers": 22,
        "pad_token_id": 50283,
        "position_embedding_type": "absolute",
        "sep_token_id": 50282,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "transformers_version": "4.47.0.dev0",
        "vocab_size": 50368,
    },
    "v4 thetas": {"global_rope_theta": 80000, "local_rope_theta": 20000.0, "global_attn_every_n_layers": 2},
    "v4 all global": {"global_attn_every_n_layers": 1},
    "v4 one global": {"global_attn_every_n_layers": 9},
    "v4 local theta is null": {"global_rope_theta": 80000.0, "local_rope_theta": None},
    "v4 global theta is null": {"global_rope_theta": None},
    "v5": {**nested(full, sliding), "layer_types": ["full_attention", "sliding_attention"] * 2},
    "v5 as saved": {**ModernBertConfig(**small, num_labels=3, local_attention=10).to_dict(), "model_type": "modernbert"},
    "v5 nested before flat": {**nested(full, sliding), "global_rope_theta": 1000.0, "local_rope_theta": 100.0},
    "v5 without thetas": {**nested({"rope_type": "default"}, {"rope_type": "default"}), "global_rope_theta": 5000.0},
    "v5 one kind": {"rope_parameters": {"full_attention": full}, "local_rope_theta": 300.0},
    "v5 other kind": {"rope_parameters": {"sliding_attention": sliding}},
    "v5 kind is null": {**nested(full, None)},
    "v5 empty": {"rope_parameters": {}},
    "v5 null": {"rope_parameters": None, "layer_types": None, "global_attn_every_n_layers": 2},
    "v5 theta is null": {**nested({"rope_type": "default", "rope_theta": None}, sliding)},
    "v5 no type": {**nested({"rope_theta": 7000.0}, {"rope_theta": 700.0})},
    "v5 flat": {"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}},
    "layer_types irregular": {
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "full_attention"],
        "global_attn_every_n_layers": 3,
    },
    "layer_types all full": {**nested(full, {"rope_type": "llama3"}), "layer_types": ["full_attention"] * 4},
    "layer_types all sliding": {"layer_types": ["sliding_attention"] * 4},
    "layer_types legacy": {"layer_types": ["attention", "sliding_attention"] * 2},
    "layer_types short": {"layer_types": ["full_attention"] * 3},
    "layer_types chunked": {"layer_types": ["chunked_attention"] * 4},
    "layer_types not strings": {"layer_types": [1, 2, 3, 4]},
    "layer_types not a list": {"layer_types": "full_attention"},
    "top-level rope_theta": {"rope_theta": 1234.0},
    # scaling
    "rope_scaling yarn": {"rope_scaling": yarn, "global_rope_theta": 80000.0},
    "rope_scaling linear": {"rope_scaling": {"rope_type": "linear", "factor": 3.0}},
    "rope_scaling default": {"rope_scaling": {"rope_type": "default"}},
    "rope_scaling null": {"rope_scaling": None},
    "rope_scaling empty": {"rope_scaling": {}},
    "rope_scaling theta": {"rope_scaling": {"rope_type": "linear", "factor": 2, "rope_theta": 3000}, "local_rope_theta": 1.0},
    "rope_scaling over nested": {**nested(full, sliding), "rope_scaling": {"rope_type": "linear", "factor": 2.5}},
    "rope_scaling over one kind": {"rope_parameters": {"full_attention": full}, "rope_scaling": yarn},
    "rope_scaling over null": {**nested(full, None), "rope_scaling": yarn},
    "rope_scaling type": {"rope_scaling": {"type": "yarn", "factor": 4.0}},
    "rope_scaling both types": {"rope_scaling": {**yarn, "type": "yarn"}},
    "linear": {**nested({"rope_type": "linear", "rope_theta": 160000.0, "factor": 4}, sliding)},
    "linear by type": {**nested({"type": "linear", "rope_theta": 160000.0, "factor": 4}, sliding)},
    "linear below 1": {**nested({"rope_type": "linear", "factor": 0.5}, sliding)},
    "linear without factor": {**nested({"rope_type": "linear"}, sliding)},
    "linear factor is null": {**nested({"rope_type": "linear", "factor": None}, sliding)},
    "linear factor is text": {**nested({"rope_type": "linear", "factor": "4"}, sliding)},
    "yarn": {**nested(full_yarn, {**yarn, "rope_theta": 10000.0, "factor": 2.0})},
    "yarn head_dim 64": {"hidden_size": 128, **nested(full_yarn, {**yarn, "rope_theta": 10000})},
    "yarn no original": {**nested({"rope_type": "yarn", "factor": 4.0}, sliding), "max_position_embeddings": 1024},
    "yarn top-level original": {
        **nested({"rope_type": "yarn", "factor": 4.0}, sliding),
        "original_max_position_embeddings": 256,
    },
    "yarn factor is null": {**nested({**full_yarn, "factor": None}, sliding), "max_position_embeddings": 6144},
    "yarn factor 1": {**nested({**full_yarn, "factor": 1.0}, sliding)},
    "yarn factor below 1": {**nested({**full_yarn, "factor": 0.5}, sliding)},
    "yarn without factor": {**nested({"rope_type": "yarn"}, sliding)},
    "yarn betas": {**nested({**full_yarn, "beta_fast": 16, "beta_slow": 2.5}, sliding)},
    "yarn betas 0": {**nested({**full_yarn, "beta_fast": 0, "beta_slow": None}, sliding)},
    "yarn betas swapped": {**nested({**full_yarn, "beta_fast": 1, "beta_slow": 32}, sliding)},
    "yarn beta negative": {**nested({**full_yarn, "beta_fast": -1}, sliding)},
    "yarn attention_factor": {**nested({**full_yarn, "attention_factor": 0.75, "mscale": 2, "mscale_all_dim": 1}, sliding)},
    "yarn attention_factor is null": {**nested({**full_yarn, "attention_factor": None}, sliding)},
    "yarn mscale": {**nested({**full_yarn, "mscale": 0.707, "mscale_all_dim": 1.3}, sliding)},
    "yarn mscale equal": {**nested({**full_yarn, "mscale": 1.0, "mscale_all_dim": 1.0}, sliding)},
    "yarn mscale alone": {**nested({**full_yarn, "mscale": 2.0}, sliding)},
    "yarn mscale 0": {**nested({**full_yarn, "mscale": 2.0, "mscale_all_dim": 0}, sliding)},
    "yarn inner truncate": {**nested({**full_yarn, "truncate": False}, sliding)},
    "yarn outer truncate": {
        "rope_parameters": {"full_attention": full_yarn, "sliding_attention": sliding, "truncate": False}
    },
    "yarn ends meet": {**nested({**full_yarn, "original_max_position_embeddings": 6}, sliding)},
    "yarn theta 1": {**nested({**full_yarn, "rope_theta": 1.0}, sliding)},
    "dynamic": {**nested({"rope_type": "dynamic", "factor": 2.0}, sliding)},
    "llama3": {
        **nested(
            {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 1024,
            },
            sliding,
        )
    },
    "rope_type unknown": {**nested({"rope_type": "spiral"}, sliding)},
    "rope_type a number": {**nested({"rope_type": 3}, sliding)},
    "rope_parameters a list": {"rope_parameters": [1]},
    "rope_parameters theta is text": {**nested({"rope_type": "default", "rope_theta": "160000"}, sliding)},
    "default with a factor": {**nested({**full, "factor": 4.0}, sliding)},
    # the window
    "window": {"local_attention": 64},
    "window odd": {"local_attention": 7},
    "window 0": {"local_attention": 0},
    "window by sliding_window": {"local_attention": 64, "sliding_window": 5},
    "window by sliding_window null": {"sliding_window": None},
    "window fraction": {"local_attention": 64.5},
    # the rest
    "biases": {"norm_bias": True, "attention_bias": True, "mlp_bias": True, "decoder_bias": False, "classifier_bias": True},
    "silu": {"hidden_activation": "silu", "classifier_activation": "relu"},
    "tanh gelu": {"hidden_activation": "gelu_pytorch_tanh", "classifier_activation": "gelu_new"},
    "swish": {"hidden_activation": "swish", "classifier_activation": "gelu_python"},
    "hidden_act": {"hidden_act": "relu"},
    "activation unknown": {"hidden_activation": "swoosh"},
    "activation in capitals": {"hidden_activation": "GELU"},
    "eps": {"norm_eps": 1e-12, "layer_norm_eps": 1e-3},
    "eps a whole number": {"norm_eps": 1},
    "untied": {"tie_word_embeddings": False},
    "mean pooling": {"classifier_pooling": "mean"},
    "max pooling": {"classifier_pooling": "max"},
    "labels": {"id2label": {"1": "b", "0": "a", "2": "c"}, "label2id": {"a": 0, "b": 1, "c": 2}, "num_labels": 7},
    "num_labels": {"num_labels": 3},
    "label keys": {"id2label": {"x": "b"}},
    "labels null": {"id2label": None, "label2id": None, "problem_type": None},
    "regression": {"id2label": {"0": "LABEL_0"}, "problem_type": "regression"},
    "one class": {"num_labels": 1, "problem_type": "single_label_classification"},
    "problem_type unknown": {"problem_type": "guess"},
    "pad is null": {"pad_token_id": None, "cls_token_id": None, "eos_token_id": [1, 2]},
    "head_dim": {"head_dim": 32},
    "head_dim null": {"head_dim": None},
    "unknown keys": {"x_custom": {"a": 1}, "auto_map": {"AutoModel": "modeling.X"}, "reference_compile": False},
    "nulls of old": {"quantization_config": None, "pruned_heads": {}, "torch_dtype": None, "architectures": None},
    "heads do not divide": {"num_attention_heads": 3},
    "no heads": {"num_attention_heads": 0},
    "odd head_dim": {"hidden_size": 62},
    "no layers": {"num_hidden_layers": 0},
    "hidden_size is text": {"hidden_size": "64"},
    "hidden_size is null": {"hidden_size": None},
    "hidden_size is a fraction": {"hidden_size": 64.0},
    "hidden_size is 0": {"hidden_size": 0},
    "vocab_size is negative": {"vocab_size": -1},
    "bias is a number": {"norm_bias": 1},
    "bias is null": {"norm_bias": None},
    "eps is text": {"norm_eps": "1e-5"},
    "every 0 layers": {"global_attn_every_n_layers": 0},
    "decoder": {**small, "model_type": "modernbert-decoder"},
    "bert": {"model_type": "bert"},
    "no type": {key: value for key, value in small.items() if key != "model_type"} | {"model_type": None},
}


def resolve(config_dict):
    """The resolved keys, and the rotary tables by layer type."""
    config = AutoConfig.for_model(**copy.deepcopy(config_dict))
    if not isinstance(config, ModernBertConfig):
        raise ValueError(f"model_type is {config.model_type}")
    with torch.device("meta"):
        modernbert.ModernBertForSequenceClassification(config)
    rotary = modernbert.ModernBertRotaryEmbedding(config)
    resolved = {
        key: getattr(config, key)
        for key in (
            "vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads max_position_embeddings "
            "hidden_activation norm_eps norm_bias attention_bias mlp_bias decoder_bias classifier_bias "
            "classifier_activation classifier_pooling layer_types sliding_window tie_word_embeddings problem_type "
            "pad_token_id"
        ).split()
    }
    resolved["labels"] = [config.id2label[i] for i in range(config.num_labels)]
    resolved["rope"] = {
        layer_type: table(*rotary(torch.zeros(1), torch.tensor([positions]), layer_type))
        for layer_type in sorted(set(config.layer_types))
    }
    return resolved


tables = {"positions": torch.tensor(positions, dtype=torch.int32)}


def table(cos, sin):
    """Stores cosines and sines once, and names them."""
    half = cos.shape[-1] // 2
    both = torch.stack((cos[0, :, :half], sin[0, :, :half]))
    for name, other in tables.items():
        if both.shape == other.shape and both.equal(other):
            return name
    tables[f"table {len(tables)}"] = both
    return f"table {len(tables) - 1}"


# YaRN by itself, for what no config.json of ModernBERT can say: there,
# "truncate" is read outside the layer types, where no key may be.
def yarn_alone(head_dim, rope_parameters):
    config = LlamaConfig(
        hidden_size=head_dim,
        num_attention_heads=1,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "yarn", **rope_parameters},
    )
    cos, sin = LlamaRotaryEmbedding(config)(torch.zeros(1), torch.tensor([positions]))
    return {"head_dim": head_dim, "rope_parameters": rope_parameters, "rope": table(cos, sin)}


goldens = {}
for name, change in cases.items():
    config = change if "model_type" in change else {**small, **change}
    if config["model_type"] is None:
        del config["model_type"]
    goldens[name] = {"config": copy.deepcopy(config)}
    try:
        goldens[name]["resolved"] = resolve(config)
    except Exception as error:
        goldens[name]["error"] = type(error).__name__
        print(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:150]}")

alone = [
    yarn_alone(head_dim, {"rope_theta": theta, "factor": factor, "original_max_position_embeddings": original, **more})
    for head_dim, theta, factor, original, more in (
        (32, 150000.0, 32.0, 4096, {"truncate": False}),
        (64, 150000.0, 32.0, 4096, {"truncate": False, "beta_fast": 24.0, "beta_slow": 0.5}),
        (64, 10000.0, 4.0, 8192, {"truncate": True}),
        (64, 10000.0, 1.5, 64, {"truncate": False, "attention_factor": 0.5}),
        (96, 80000.0, 40.0, 4096, {"truncate": False}),
        (128, 1000000.0, 4.0, 32768, {}),
        (128, 1234567.891, 3.1, 32768, {}),
        (32, 10.0, 2.0, 1000000, {}),
    )
]


def lines(values):
    return ",\n".join(values)


versions = ", ".join(f"{p.__name__} {p.__version__}" for p in (torch, transformers))
(here / "configs.json").write_text(
    f'{{"versions": {json.dumps(versions)},\n"cases": {{\n'
    + lines(f"{json.dumps(name)}: {json.dumps(golden)}" for name, golden in goldens.items())
    + '},\n"yarn": [\n'
    + lines(json.dumps(golden) for golden in alone)
    + "]}\n"
)
save_file(tables, here / "rope.safetensors", {"versions": versions})
(here / "rope.safetensors").chmod(0o644)
