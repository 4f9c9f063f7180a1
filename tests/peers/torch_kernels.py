"""Runs single operations of torch: the peer of gaze/kernels.

    torch_kernels.py THREADS cpu|cuda sdpa|flex

sdpa computes a matrix product by torch.nn.functional.linear and attention by scaled_dot_product_attention, a window under a
dense mask, as transformers does; flex computes attention by FlexAttention under torch.compile, a window by a block mask. It
reads requests, one a line, and answers each by the time of one run (peers.py tells the form). Tensors lie in IN and OUT as f32:

    matmul    TYPE ROWS COLUMNS DEPTH IN OUT    in: a [rows, depth], w [columns, depth]; out: a w^T
    attention TYPE TOKENS HEADS DIM   IN OUT    in: q, k, v [heads, tokens, dim]; out: the same shape
    window    TYPE TOKENS HEADS DIM   IN OUT    the same, of keys at most 64 tokens away

"kernel" in an answer names what ran, as torch's profiler saw it.
"""

import json
import sys
import time

import numpy
import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

import torch_peer

WINDOW = 64
TYPES = {"f32": torch.float32, "f16": torch.float16}


def problem(kind, dtype, sizes, path, device, variant):
    """Returns a function that computes a request, and whether torch.compile has to have a part in it; None where the
    variant has no such operation."""
    data = torch.from_numpy(numpy.fromfile(path, "<f4"))
    if kind == "matmul":
        if variant == "flex":
            return None
        rows, columns, depth = sizes
        a, w = data.split([rows * depth, columns * depth])
        a, w = a.view(rows, depth).to(device, dtype), w.view(columns, depth).to(device, dtype)
        return lambda: torch.nn.functional.linear(a, w), False
    tokens, heads, dim = sizes
    q, k, v = data.view(3, 1, heads, tokens, dim).to(device, dtype)
    if variant == "flex":
        near = lambda batch, head, query, key: (query - key).abs() <= WINDOW
        mask = create_block_mask(near, None, None, tokens, tokens, device=device) if kind == "window" else None
        compiled = torch.compile(flex_attention, fullgraph=True, dynamic=False)
        return lambda: compiled(q, k, v, block_mask=mask), True
    position = torch.arange(tokens, device=device)
    mask = (position[:, None] - position).abs() <= WINDOW if kind == "window" else None
    return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask), False


def main():
    threads, device, variant = sys.argv[1:]
    torch_peer.prepare(threads)
    print(json.dumps({**torch_peer.hello(device), "versions": torch_peer.versions()}), flush=True)
    last = found = kernel = None
    for line in sys.stdin:
        kind, dtype, *sizes, source, out = line.split()
        with torch.inference_mode():
            if line != last:
                last, found = line, problem(kind, TYPES[dtype], [int(size) for size in sizes], source, device, variant)
                kernel = torch_peer.kernels(*found) if found else None
            if not found:
                print(json.dumps({"missing": "has none"}), flush=True)
                continue
            torch_peer.synchronize(device)
            start = time.perf_counter()
            result = found[0]()
            torch_peer.synchronize(device)
            took = time.perf_counter() - start
        result.float().cpu().numpy().tofile(out)
        print(json.dumps({"ms": took * 1e3, "kernel": kernel}), flush=True)


if __name__ == "__main__":
    main()
