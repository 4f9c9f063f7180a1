"""Embeds texts, given as token ids, by transformers, in float32: the peer of gaze/embed.

    torch_embed.py THREADS mean|cls cpu|cuda eager|sdpa|flex|compiled MODEL

eager, sdpa and flex are the model's attention as transformers offers it; compiled is sdpa under torch.compile, a graph for
each shape. It reads requests, one a line, and answers each by the time of one batch (peers.py tells the form):

    TEXTS TOKENS IDS OUT    IDS holds texts * tokens u32, OUT gets [texts, elements] f32

"kernel" in an answer names what computed attention, as torch's profiler saw it in the first run of a shape.
"""

import json
import sys
import time

import numpy
import torch
import torch._dynamo
import transformers

import torch_peer

ATTENTION = {"eager": "eager", "sdpa": "sdpa", "flex": "flex_attention", "compiled": "sdpa"}


def load(path, attention="sdpa"):
    """Returns the encoder of a checkpoint, in float32."""
    model = transformers.AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation=attention).eval()
    if model.config._attn_implementation != attention:  # transformers may choose another, with a warning
        sys.exit(f"attention is {model.config._attn_implementation}: expected {attention}")
    return model


def main():
    threads, pool, device, variant, path = sys.argv[1:]
    torch_peer.prepare(threads)
    start = time.perf_counter()
    model = load(path, ATTENTION[variant]).to(device)
    run = torch.compile(model, dynamic=False) if variant == "compiled" else model
    print(json.dumps({**torch_peer.hello(device), "versions": f"transformers {transformers.__version__}, {torch_peer.versions()}",
                      "load": f"{time.perf_counter() - start:.3g} s to load"}), flush=True)
    kernels = {}
    for line in sys.stdin:
        texts, tokens, ids, out = line.split()
        batch = torch.from_numpy(numpy.fromfile(ids, "<u4").astype(numpy.int64).reshape(int(texts), int(tokens)))

        def embed():
            hidden = run(input_ids=batch.to(device)).last_hidden_state
            return (hidden.mean(1) if pool == "mean" else hidden[:, 0]).cpu()

        with torch.inference_mode():
            if batch.shape not in kernels:
                kernels[batch.shape] = torch_peer.kernels(embed, compiled=variant in ("compiled", "flex"))
            torch_peer.synchronize(device)
            start = time.perf_counter()
            pooled = embed()
            torch_peer.synchronize(device)
            took = time.perf_counter() - start
        pooled.numpy().tofile(out)
        print(json.dumps({"ms": took * 1e3, "kernel": kernels[batch.shape]}), flush=True)


if __name__ == "__main__":
    main()
