"""Makes golden/outputs.safetensors: what transformers computes (eager attention,
float32, CPU) for the small random checkpoints of golden/cases.json, of the rows
that golden.Rows samples. Every sequence runs by itself, so nothing is padded.

    python -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python make_goldens.py [CASE...]

With names of cases it makes those and leaves the others as they are: another
processor rounds differently.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Without this, torch's vectorized pow rounds a few rotary frequencies the other
# way, and which ones depends on the processor.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import torch
import transformers
from safetensors.torch import load_file, save_file

here = pathlib.Path(__file__).parent
transformers.logging.set_verbosity_error()


def ids(sequence, length, vocab):
    x, out = sequence + 1, []
    for _ in range(length):
        x = (1664525 * x + 1013904223) % 2**32
        out.append((x >> 8) % vocab)
    return torch.tensor([out])


def sampled(length):
    return sorted({0, length // 3, length // 2, length - 1})


def mask(pattern, length):
    # What is added to the scores, [1, 1, length, length], for a pattern of cases.json.
    query, key = torch.arange(length)[:, None], torch.arange(length)[None, :]
    if "dilation" in pattern:
        apart = key - query
        seen = (apart % pattern["dilation"] == 0) & (apart.abs() <= pattern["reach"] * pattern["dilation"])
    else:
        seen = (query - key <= pattern["left"]) & (key - query <= pattern["right"])
        for token in pattern["tokens"]:
            seen |= (query == token) | (key == token)
    return torch.zeros(length, length).masked_fill(~seen, -torch.inf)[None, None]


def run(case, directory):
    config = json.loads((directory / "config.json").read_text())
    longest = max(case["lengths"])
    implementation = "eager" if longest <= 2048 else "sdpa"  # eager takes gigabytes
    model, info = getattr(transformers, config["architectures"][0]).from_pretrained(
        directory, dtype=torch.float32, attn_implementation=implementation, output_loading_info=True)
    # transformers reports a decoder.weight that is tied as neither.
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], (case["name"], info)
    model.eval()
    encoder = getattr(model, "model", model)
    states = case.get("states", False)
    last, logits, hidden, attentions = [], [], [], {}
    for i, length in enumerate(case["lengths"]):
        x, rows = ids(i, length, config["vocab_size"]), sampled(length)
        kept = {}
        hook = encoder.final_norm.register_forward_hook(lambda module, inputs, output: kept.update(last=output))
        if "MultipleChoice" in config["architectures"][0]:
            x = x[None]  # [questions, choices, tokens]
        visible = torch.ones_like(x)
        if "patterns" in case:
            visible = {kind: mask(pattern, length) for kind, pattern in case["patterns"].items()}
        out = model(x, attention_mask=visible, output_hidden_states=states, output_attentions=states)
        hook.remove()
        last.append(kept["last"].reshape(length, -1)[rows])
        if hasattr(out, "start_logits"):
            logits.append(torch.stack([out.start_logits[0], out.end_logits[0]], dim=-1)[rows])
        elif hasattr(out, "logits"):
            logits.append(out.logits[0][rows] if out.logits.dim() == 3 else out.logits)
        if states:
            # The last of them is last_hidden_state, which is stored anyway.
            hidden.append(torch.stack([h[0][rows] for h in out.hidden_states[:-1]]))
            for layer, weights in enumerate(out.attentions):
                attentions.setdefault(layer, []).append(weights[0][:, rows].reshape(-1))
    outputs = {"last": torch.cat(last)}
    if logits:
        outputs["logits"] = torch.cat(logits)
    if states:
        outputs["hidden_states"] = torch.cat(hidden, dim=1)
        for layer, weights in attentions.items():
            outputs[f"attentions.{layer}"] = torch.cat(weights)
    return {f"{case['name']}: {name}": x.contiguous() for name, x in outputs.items()}


stored = here / "golden" / "outputs.safetensors"
tensors = load_file(stored) if sys.argv[1:] else {}
with tempfile.TemporaryDirectory() as directory, torch.no_grad():
    subprocess.run(["go", "run", "./write", directory], cwd=here, check=True)
    for i, case in enumerate(json.loads((here / "golden" / "cases.json").read_text())["cases"]):
        if sys.argv[1:] and case["name"] not in sys.argv[1:]:
            continue
        tensors |= run(case, pathlib.Path(directory) / str(i))
        print(case["name"])
save_file(tensors, stored,
          metadata={"transformers": transformers.__version__, "torch": torch.__version__, "attention": "eager; sdpa for 8192 tokens"})
