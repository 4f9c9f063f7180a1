"""Embeds texts, given as token ids, by transformers on the CPU, in float32: the peer of gaze/embed.

    torch_embed.py THREADS mean|cls MODEL

It reads requests, one a line, and answers each by the time of one batch (peers.py tells the form):

    TEXTS TOKENS IDS OUT    IDS holds texts * tokens u32, OUT gets [texts, elements] f32
"""

import json
import platform
import sys
import time

import numpy
import torch
import transformers


def load(path):
    """Returns the encoder of a checkpoint, in float32, with torch's scaled_dot_product_attention."""
    return transformers.AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="sdpa").eval()


def main():
    threads, pool, path = sys.argv[1:]
    torch.set_num_threads(int(threads))
    start = time.perf_counter()
    model = load(path)
    versions = f"transformers {transformers.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    print(json.dumps({"device": f"CPU ({platform.machine()})", "backend": f"{versions}, {model.config._attn_implementation}",
                      "load": f"{time.perf_counter() - start:.3g} s to load"}), flush=True)
    for line in sys.stdin:
        texts, tokens, ids, out = line.split()
        batch = torch.from_numpy(numpy.fromfile(ids, "<u4").astype(numpy.int64).reshape(int(texts), int(tokens)))
        start = time.perf_counter()
        with torch.inference_mode():
            hidden = model(input_ids=batch).last_hidden_state
            pooled = hidden.mean(1) if pool == "mean" else hidden[:, 0]
        took = time.perf_counter() - start
        pooled.numpy().tofile(out)
        print(json.dumps({"ms": took * 1e3}), flush=True)


if __name__ == "__main__":
    main()
