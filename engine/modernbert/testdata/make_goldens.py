"""Makes golden/outputs.safetensors: what transformers computes (eager attention,
float32, CPU) for the small random checkpoints of golden/cases.json, of the rows
that golden.Rows samples. Every sequence runs by itself, so nothing is padded.

    python -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python make_goldens.py
"""

import json
import os
import pathlib
import subprocess
import tempfile

# Without this, torch's vectorized pow rounds a few rotary frequencies the other
# way, and which ones depends on the processor.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import torch
import transformers
from safetensors.torch import save_file

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
        out = model(x, attention_mask=torch.ones_like(x), output_hidden_states=states, output_attentions=states)
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


tensors = {}
with tempfile.TemporaryDirectory() as directory, torch.no_grad():
    subprocess.run(["go", "run", "./write", directory], cwd=here, check=True)
    for i, case in enumerate(json.loads((here / "golden" / "cases.json").read_text())["cases"]):
        tensors |= run(case, pathlib.Path(directory) / str(i))
        print(case["name"])
save_file(tensors, here / "golden" / "outputs.safetensors",
          metadata={"transformers": transformers.__version__, "torch": torch.__version__, "attention": "eager; sdpa for 8192 tokens"})
