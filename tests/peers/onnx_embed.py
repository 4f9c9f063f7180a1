"""Embeds texts, given as token ids, by ONNX Runtime, in float32: the peer of gaze/embed.

    onnx_embed.py THREADS mean|cls cpu|cuda MODEL WORK

The encoder and its pooling are exported by torch.onnx, for batches of any shape, to WORK. It reads requests, one a line, and
answers each by the time of one batch (peers.py tells the form):

    TEXTS TOKENS IDS OUT    IDS holds texts * tokens u32, OUT gets [texts, elements] f32
"""

import json
import platform
import sys
import time
from pathlib import Path

import numpy
import onnxruntime
import torch
import transformers

import torch_embed

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class Embedder(torch.nn.Module):
    def __init__(self, model, pool):
        super().__init__()
        self.model, self.pool = model, pool

    def forward(self, input_ids):
        hidden = self.model(input_ids=input_ids).last_hidden_state
        return hidden.mean(1) if self.pool == "mean" else hidden[:, 0]


def export(path, pool, target):
    # The tokens of the example are of no matter, but more than a window, so that no mask is left out.
    example = torch.randint(1, 50, (2, 200))
    shapes = {"input_ids": {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}}
    embedder = Embedder(torch_embed.load(path), pool).eval()
    torch.onnx.export(embedder, (example,), target, dynamo=True, dynamic_shapes=shapes, input_names=["input_ids"], output_names=["vectors"],
                      external_data=True, verbose=False)


def main():
    threads, pool, device, path, work = sys.argv[1:]
    torch.set_num_threads(int(threads))
    start = time.perf_counter()
    target = Path(work) / "model.onnx"
    sys.stdout, stdout = sys.stderr, sys.stdout  # the exporter prints
    export(path, pool, target)
    sys.stdout = stdout
    provider = PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        sys.exit(f"onnxruntime has no {provider}, but {onnxruntime.get_available_providers()}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    if device == "cuda":  # an error where an operator is not there, and not the CPU
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    session = onnxruntime.InferenceSession(target, options, providers=[provider])
    if session.get_providers()[0] != provider:
        sys.exit(f"onnxruntime runs on {session.get_providers()}: expected {provider}")
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU ({platform.machine()})"
    print(json.dumps({"device": name, "backend": f"{provider}, {threads} threads",
                      "versions": f"onnxruntime {onnxruntime.__version__}, exported by torch {torch.__version__} from transformers {transformers.__version__}",
                      "load": f"{time.perf_counter() - start:.3g} s to export and load"}), flush=True)
    for line in sys.stdin:
        texts, tokens, ids, out = line.split()
        batch = numpy.fromfile(ids, "<u4").astype(numpy.int64).reshape(int(texts), int(tokens))
        start = time.perf_counter()
        (pooled,) = session.run(["vectors"], {"input_ids": batch})
        took = time.perf_counter() - start
        pooled.astype("<f4").tofile(out)
        print(json.dumps({"ms": took * 1e3}), flush=True)


if __name__ == "__main__":
    main()
