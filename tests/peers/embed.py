#!/usr/bin/env python3
"""Times the embedding of texts by gaze beside what one would use instead, with one ModernBERT, in one run: transformers with
each of its attentions and under torch.compile, ONNX Runtime, llama.cpp's Vulkan backend on the same driver, and llama.cpp's
CPU backend. Those of torch and ONNX Runtime run on CUDA where there is any, else on the CPU.

    python -m venv peers && peers/bin/pip install torch transformers gguf onnx onnxruntime onnxscript
    peers/bin/python tests/peers/embed.py                          random weights of ModernBERT-base's size
    peers/bin/python tests/peers/embed.py DIRECTORY                a checkpoint in Hugging Face form
    peers/bin/python tests/peers/embed.py --driver default         on the system's own driver instead of lavapipe
    peers/bin/python tests/peers/embed.py --torch cpu              though there is CUDA; onnxruntime-gpu serves ONNX Runtime there

A text is random token ids: nobody tokenizes. A time is the host's, from ids in memory to vectors in memory, loading and
one run to warm up and compile left out. Peers take turns, one batch each. "cosine" is the least over the texts of a batch
between a peer's vector and that of transformers sdpa; beside it stands what two different texts have, so that it can be judged.
"attention" is what computed it, as the peer's profiler saw it.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path

import numpy
import torch
import transformers

import gguf_model
import peers
import torch_embed

REFERENCE = "transformers sdpa"
TRANSFORMERS = {"transformers eager": "eager", REFERENCE: "sdpa", "transformers flex": "flex", "transformers compiled": "compiled"}
PEERS = ("gaze", *TRANSFORMERS, "ONNX Runtime", "llama.cpp Vulkan", "llama.cpp CPU")


def shape(text):
    form = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not form:
        raise argparse.ArgumentTypeError(f"{text}: expected TEXTSxTOKENS, such as 8x128")
    return int(form[1]), int(form[2])


def write_random(directory):
    """Writes a checkpoint of ModernBERT-base's size whose activations stay near 1, as in a trained model."""
    torch.manual_seed(1)
    model = transformers.ModernBertModel(transformers.ModernBertConfig())
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim == 2:
                weights.normal_(std=1 if "tok_embeddings" in name else weights.shape[1] ** -0.5)
    model.save_pretrained(directory)


def wants(options, name):
    return not options.peer or name in options.peer or name == REFERENCE


def start(options, driver, model, work):
    """Returns the peers, those that were asked for, and always the one that the others are held against."""
    environment = driver.environment()
    gguf = work / "model.gguf"
    wanted = {name for name in PEERS if wants(options, name)}
    if any(name.startswith("llama.cpp") for name in wanted):
        peers.say(f"writing {gguf.name}")
        try:
            gguf_model.write(torch_embed.load(model), gguf, options.precision)
        except ValueError as error:
            peers.say(f"without llama.cpp: {error}")
            wanted -= {"llama.cpp Vulkan", "llama.cpp CPU"}
    llama = lambda backends, kind: (peers.llama_program("embed"), peers.llama() / backends, kind, peers.THREADS, options.flash_attention, options.pool, gguf)
    gaze = lambda: (peers.gaze_program("embed"), "-device", options.device, "-precision", options.precision, "-pool", options.pool,
                    *(["-tier", options.tier] if options.tier else []), model)
    candidates = {
        "gaze": lambda: (driver.command(*gaze()), work / "gaze.log", environment),
        **{name: lambda name=name, variant=variant: ([peers.PYTHON, peers.FOLDER / "torch_embed.py", peers.THREADS, options.pool, options.torch, variant, model],
                                                     work / f"{variant}.log") for name, variant in TRANSFORMERS.items()},
        "ONNX Runtime": lambda: ([peers.PYTHON, peers.FOLDER / "onnx_embed.py", peers.THREADS, options.pool, options.torch, model, work], work / "onnx.log"),
        "llama.cpp Vulkan": lambda: (driver.command(*llama("lib", "gpu")), work / "vulkan.log", {**environment, "GGML_VK_VISIBLE_DEVICES": options.device}),
        "llama.cpp CPU": lambda: (llama("cpu", "cpu"), work / "cpu.log"),
    }
    peers.say("loading")
    return peers.started(*((name, *candidate()) for name, candidate in candidates.items() if name in wanted))


def cosines(x, y):
    x, y = x.astype(numpy.float64), y.astype(numpy.float64)
    return (x * y).sum(-1) / (numpy.linalg.norm(x, axis=-1) * numpy.linalg.norm(y, axis=-1))


def measure(texts, tokens, group, options, config, work):
    """Runs one shape on all peers and returns a row of the report for each."""
    ids = work / "ids.u32"
    # Special tokens, which lie at the end of ModernBERT's vocabulary, mean nothing here; padding would.
    random = numpy.random.default_rng(texts * 100003 + tokens).integers(0, config.vocab_size, texts * tokens, dtype="<u4")
    numpy.where(random == (config.pad_token_id or 0), (random + 1) % config.vocab_size, random).astype("<u4").tofile(ids)
    outputs = {peer.name: work / f"{i}.f32" for i, peer in enumerate(group)}
    answers = peers.take_turns(group, lambda peer: (texts, tokens, ids, outputs[peer.name]), options.passes, 1, options.limit)
    vectors = {name: numpy.fromfile(path, "<f4").reshape(texts, -1) for name, path in outputs.items() if "ms" in answers[name][0]}
    rows = []
    for peer in group:
        runs = answers[peer.name]
        row = {"texts": texts, "tokens": tokens, "peer": peer.name, "runs": runs, "host_mib": peer.peak_mib(), "device_mib": runs[0].get("device_mib") or None}
        rows.append(row)
        if "missing" in runs[0]:
            row["missing"] = runs[0]["missing"]
            continue
        row["ms"], row["least"], row["most"] = peers.spread([run["ms"] for run in runs])
        if runs[0].get("gpu_ms"):
            row["gpu_ms"] = peers.spread([run["gpu_ms"] for run in runs])[0]
        row["tokens_a_second"] = 1e3 * texts * tokens / row["ms"]
        row["times_gaze"] = row["ms"] / rows[0]["ms"] if rows[0]["peer"] == "gaze" and "ms" in rows[0] else None
        if REFERENCE in vectors:
            row["cosine"] = float(cosines(vectors[peer.name], vectors[REFERENCE]).min())
            if texts > 1:
                row["cosine_of_others"] = float(cosines(vectors[peer.name], numpy.roll(vectors[REFERENCE], 1, axis=0)).max())
    return rows


def report(rows):
    lines = [(f"{rows[0]['texts']} x {rows[0]['tokens']} tokens", "runs", "tokens/s", "ms", "least", "most", "device's ms", "/ gaze", "cosine", "of others",
              "device MiB", "host MiB", "attention")]
    number = peers.significant
    for row in rows:
        if "missing" in row:
            lines.append((row["peer"], row["missing"], *[""] * 11))
            continue
        lines.append((row["peer"], peers.count(row["runs"]), *(number(row.get(key)) for key in ("tokens_a_second", "ms", "least", "most", "gpu_ms", "times_gaze")),
                      *(f"{row[key]:.7f}" if key in row else "-" for key in ("cosine", "cosine_of_others")),
                      number(row["device_mib"]), number(row["host_mib"]), row["runs"][0].get("kernel", "-")))
    return peers.table(lines, right=1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", metavar="DIRECTORY", help="the checkpoint (default: random weights of ModernBERT-base's size)")
    parser.add_argument("--shapes", nargs="+", type=shape, metavar="TEXTSxTOKENS", default=[(1, 128), (8, 128), (1, 512), (8, 512)],
                        help="the batches (default 1x128 8x128 1x512 8x512)")
    parser.add_argument("--driver", default="lavapipe", metavar="NAME", help="a driver of tests/setup/drivers, or default: what the system has (default lavapipe)")
    parser.add_argument("--device", default="0", metavar="INDEX", help="the driver's device (default 0)")
    parser.add_argument("--tier", help="gaze's kernels, lanes, texels, tiled or matrix (default: those that suit the device)")
    parser.add_argument("--precision", choices=("f32", "f16"), default="f32", help="of gaze's tensors and llama.cpp's matrices (default f32)")
    parser.add_argument("--pool", choices=("mean", "cls"), default="mean", help="how a vector is made of a text's tokens (default mean)")
    parser.add_argument("--flash-attention", choices=("auto", "on", "off"), default="auto", help="llama.cpp's own choice, or not (default auto)")
    parser.add_argument("--torch", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu",
                        help="where torch and ONNX Runtime compute (default cuda where there is one)")
    parser.add_argument("--peer", action="append", choices=PEERS, help=f"only this one and {REFERENCE}; may be repeated")
    parser.add_argument("--passes", type=int, default=10, help="timed batches of each peer and shape (default 10)")
    parser.add_argument("--limit", type=float, default=600, metavar="SECONDS",
                        help="a peer that has taken this long for a shape, or to warm up, gets no further turn (default 600)")
    parser.add_argument("--json", metavar="FILE", help="write every run there")
    options = parser.parse_args()
    if options.passes < 1:
        parser.error(f"--passes is {options.passes}: at least 1")
    return options


def main():
    options = arguments()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    (driver,) = peers.drivers([options.driver])
    with tempfile.TemporaryDirectory(prefix="gaze-peers-") as folder:
        work = Path(folder)
        model = Path(options.model) if options.model else work / "random"
        if not options.model:
            peers.say("writing random weights of ModernBERT-base's size")
            write_random(model)
        if not (model / "config.json").exists():
            peers.fail(f"{model} has no config.json: expected a checkpoint's directory")
        config = transformers.AutoConfig.from_pretrained(model)
        if config.model_type != "modernbert":
            peers.fail(f"{model}/config.json: model_type is {config.model_type}: expected modernbert")
        group = start(options, driver, model, work)
        print(f"{peers.machine()}; driver {driver.name}; {options.model or 'random weights'}: {config.num_hidden_layers} layers of {config.hidden_size}, "
              f"{config.num_attention_heads} heads, {options.precision}; medians of up to {options.passes} batches")
        peers.introduce(group, [name for name in PEERS if wants(options, name)])
        rows = []
        for texts, tokens in options.shapes:
            if tokens > config.max_position_embeddings:
                peers.say(f"{texts} x {tokens}: the model has {config.max_position_embeddings} positions")
                continue
            peers.say(f"{texts} x {tokens}")
            measured = measure(texts, tokens, group, options, config, work)
            rows += measured
            print(f"\n{report(measured)}", flush=True)
        if options.json:
            about = {"machine": peers.machine(), "driver": driver.name, "model": options.model, "llama.cpp": peers.llama_version()}
            Path(options.json).write_text(json.dumps({**about, "peers": {peer.name: peer.hello for peer in group}, "rows": rows}, indent=1) + "\n")
        for peer in group:
            peer.close()


if __name__ == "__main__":
    main()
