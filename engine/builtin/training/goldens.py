#!/usr/bin/env python3
"""What transformers makes of the built-in model, for the tests (eager attention, float32, CPU).

    goldens.py CORPUS ../model ../testdata/goldens.json

"texts": ids, last_hidden_state (the first 8 elements of every token) and embedding (mean-pooled, normalized) of some
texts, and the weights of head 1 of layers 0 and 1. "heldout": passages of held-out text with 15 % of their tokens
masked, what they were, and what transformers guesses.
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import ModernBertForMaskedLM

from train import Passages, mask

TEXTS = ["", "She was very happy to see him.", "The function returns a list of all files in the directory.",
         "In the beginning God created the heavens and the earth. Naïve café — 数据 🙂\n\nline two",
         "A query that joins two tables may read every row of both, unless there is an index. " * 9]


def rounded(x, digits=6):
    return [rounded(v, digits) for v in x] if isinstance(x, list) else round(x, digits)


@torch.no_grad()
def main():
    corpus, directory, out = map(Path, sys.argv[1:])
    t = Tokenizer.from_file(str(directory / "tokenizer.json"))
    model = ModernBertForMaskedLM.from_pretrained(directory, attn_implementation="eager", dtype=torch.float32).eval()
    texts = []
    for text in TEXTS:
        ids = t.encode(text).ids
        result = model.model(torch.tensor([ids]), output_attentions=True)
        hidden = result.last_hidden_state[0]
        texts.append({"text": text, "ids": ids, "hidden": rounded(hidden[:, :8].tolist()),
                      "embedding": rounded(F.normalize(hidden.mean(0), dim=0).tolist()),
                      "weights": [rounded(result.attentions[layer][0, 1, -1].tolist()) for layer in (0, 1)]})
    generator = torch.Generator().manual_seed(3)
    passages = Passages(t, corpus / "heldout.jsonl").pairs(16, 128, generator)
    shown, labels = mask(passages, generator, 0.15, always=True)
    logits = model(shown).logits
    heldout = [{"ids": i.tolist(), "rows": r.nonzero().flatten().tolist(), "tokens": i2[r].tolist(), "guesses": g[r].tolist()}
               for i, i2, r, g in zip(shown, labels, labels != -100, logits.argmax(-1))]
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"texts": texts, "heldout": heldout}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
