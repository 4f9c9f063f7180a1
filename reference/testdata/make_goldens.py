"""Makes the goldens that golden_test.go compares package reference with.

    python -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python make_goldens.py

writes beside itself
    attention.safetensors  torch's scaled_dot_product_attention, CPU, float64
    rope.safetensors       transformers' rotary tables of ModernBERT, sampled rows

The predicates are written from the patterns' definitions and share nothing
with the Go code but the cases' names.
"""

import os
import pathlib

# Without this, torch's vectorized pow rounds a few rotary frequencies the other
# way, and which ones depends on the processor (head dims 96 and 128 only).
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import safetensors
import torch
import transformers
from safetensors.torch import save_file
from transformers import ModernBertConfig
from transformers.models.modernbert.modeling_modernbert import (
    ModernBertRotaryEmbedding,
    apply_rotary_pos_emb,
)

here = pathlib.Path(__file__).parent
versions = ", ".join(f"{p.__name__} {p.__version__}" for p in (torch, transformers, safetensors))


# A pattern is a predicate of query i, key j and the sequence's length.
def full():
    return lambda i, j, length: True


def causal():
    return lambda i, j, length: j <= i


def sliding_window(left, right):
    return lambda i, j, length: -left <= j - i <= right


def dilated_window(reach, dilation):
    return lambda i, j, length: (j - i) % dilation == 0 and abs(j - i) <= reach * dilation


def global_tokens(*tokens):
    return lambda i, j, length: i in tokens or j in tokens


def any_of(*patterns):
    return lambda i, j, length: any(p(i, j, length) for p in patterns)


def all_of(*patterns):
    return lambda i, j, length: all(p(i, j, length) for p in patterns)


# name: (shape of its inputs: heads, n, headDim), lengths, pattern, scale (None: default), theta (0: none)
small = (2, 13, 32)
cases = {
    "full": (small, [13], full(), None, 0),
    "full packed": (small, [1, 7, 5], full(), None, 0),
    "window symmetric": (small, [13], sliding_window(3, 3), None, 0),
    "window asymmetric": (small, [13], sliding_window(1, 5), None, 0),
    "window left packed": (small, [1, 7, 5], sliding_window(4, 0), None, 0),
    "dilated": (small, [13], dilated_window(2, 3), None, 0),
    "dilated packed": (small, [1, 7, 5], dilated_window(100, 2), None, 0),
    "global packed": (small, [1, 7, 5], global_tokens(0, 6, 40), None, 0),
    "causal": (small, [13], causal(), None, 0),
    "causal packed": (small, [6, 7], causal(), None, 0),
    "any packed": (small, [1, 7, 5], any_of(sliding_window(1, 1), global_tokens(0)), None, 0),
    "all": (small, [13], all_of(causal(), sliding_window(3, 3)), None, 0),
    "nested packed": (small, [5, 8], any_of(all_of(causal(), dilated_window(3, 2)), global_tokens(2)), None, 0),
    "sees nothing": (small, [13], all_of(sliding_window(1, 1), global_tokens(0)), None, 0),
    "scores of thousands": (small, [13], full(), 1000.0, 0),
    "rope global": (small, [13], full(), None, 160000.0),
    "rope local packed": (small, [1, 7, 5], sliding_window(3, 3), None, 10000.0),
    "head dim 64": ((1, 5, 64), [5], full(), None, 10000.0),
    "head dim 96": ((1, 5, 96), [5], full(), None, 10000.0),
    "head dim 128": ((1, 5, 128), [5], full(), None, 10000.0),
}


def mask(lengths, pattern):
    """[n, n], true where the query (row) sees the key (column)."""
    visible = torch.zeros(sum(lengths), sum(lengths), dtype=torch.bool)
    first = 0
    for length in lengths:
        for i in range(length):
            for j in range(length):
                visible[first + i, first + j] = pattern(i, j, length)
        first += length
    return visible


def rotary(theta, head_dim, positions, dtype):
    """cos and sin, [positions, head_dim], by ModernBERT's own module."""
    config = ModernBertConfig(
        hidden_size=head_dim,
        num_attention_heads=1,
        num_hidden_layers=1,
        layer_types=["full_attention"],
        rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": theta}},
    )
    module = ModernBertRotaryEmbedding(config)
    cos, sin = module(torch.zeros(1, dtype=dtype), torch.tensor([positions]), "full_attention")
    return cos, sin


def attention():
    generator = torch.Generator().manual_seed(20170612)
    tensors = {}
    for name, (shape, lengths, pattern, scale, theta) in cases.items():
        key = "x".join(map(str, shape))
        for letter in "qkv":
            if f"{letter} {key}" not in tensors:
                tensors[f"{letter} {key}"] = torch.randn(shape, generator=generator)
        q, k, v = (tensors[f"{letter} {key}"].double()[None] for letter in "qkv")
        if theta:
            # q and k hold float32 values, so that apply_rotary_pos_emb's cast
            # to float loses nothing; cos and sin in float64 keep its products.
            positions = [p for length in lengths for p in range(length)]
            cos, sin = rotary(theta, shape[2], positions, torch.float64)
            q, k = apply_rotary_pos_emb(q, k, cos, sin)
            assert q.dtype == torch.float64 and (q != q.float()).any()
            tensors[f"{name}: cos"] = cos[0, :, : shape[2] // 2].float().contiguous()
            tensors[f"{name}: sin"] = sin[0, :, : shape[2] // 2].float().contiguous()
            tensors[f"{name}: q rotated"] = q[0]
        visible = mask(lengths, pattern)
        output = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=visible, scale=scale)
        scores = q @ k.transpose(-1, -2) * (scale or shape[2] ** -0.5)
        lse = scores.masked_fill(~visible, -torch.inf).logsumexp(-1)
        # What torch gives a query that sees nothing has changed over its versions.
        output[:, :, ~visible.any(-1)] = 0
        assert output.isfinite().all() and not lse.isnan().any()
        tensors[f"{name}: output"] = output[0]
        tensors[f"{name}: lse"] = lse[0]
    return tensors


def tables():
    positions = [0, 1, 2, 3, 17, 127, 511, 1000, 4095, 8190, 8191]
    tensors = {"positions": torch.tensor(positions, dtype=torch.int32)}
    for theta in (10000.0, 160000.0):
        for head_dim in (32, 64, 96, 128):
            cos, sin = rotary(theta, head_dim, positions, torch.float32)
            tensors[f"cos {theta:.0f} {head_dim}"] = cos[0, :, : head_dim // 2].contiguous()
            tensors[f"sin {theta:.0f} {head_dim}"] = sin[0, :, : head_dim // 2].contiguous()
    return tensors


for stem, tensors in {"attention": attention(), "rope": tables()}.items():
    save_file(tensors, here / f"{stem}.safetensors", {"versions": versions})
