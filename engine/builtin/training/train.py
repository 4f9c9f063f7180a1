#!/usr/bin/env python3
"""Trains the built-in model: transformers' own ModernBertForMaskedLM, on the text that corpus.py gathers.

    train.py CORPUS WORK --minutes 90      trains (or goes on where an earlier run stopped), on the CPU
    train.py CORPUS WORK --export DIR      writes the checkpoint in f16, in Hugging Face form, measures it on held-out
                                           text, and writes heldout.json, loss.csv and loss.svg beside this script

Two losses. Masked language modelling: 30 % of the tokens are chosen, of which 80 % become [MASK], 10 % another token and
10 % stay. And a small contrastive one (InfoNCE over mean-pooled vectors; two neighbouring passages of a document are a
pair), so that mean pooling gives usable sentence embeddings. Matrices are trained with Muon, the rest with AdamW. The
learning rate follows the time: warm up, hold, and fall linearly to zero in the last 40 %.
"""
import argparse
import csv
import json
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import ModernBertConfig, ModernBertForMaskedLM

VOCABULARY = 4096
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, UNK, CLS, SEP, MASK = range(5)
LENGTHS = [(32, 0.15), (64, 0.25), (128, 0.35), (256, 0.2), (512, 0.05)]  # tokens of a sequence, share of the batches
BATCH_TOKENS = 4096
MASKED = 0.3
PEAK_RATE = 4e-3
CONTRAST, TEMPERATURE = 0.1, 0.05


def config():
    """ModernBERT's pattern: full attention in every third layer, the first included; a window of 128 in the others."""
    return ModernBertConfig(
        vocab_size=VOCABULARY, hidden_size=256, intermediate_size=384, num_hidden_layers=7, num_attention_heads=4,
        max_position_embeddings=8192, pad_token_id=PAD, cls_token_id=CLS, bos_token_id=CLS, sep_token_id=SEP,
        eos_token_id=SEP, embedding_dropout=0.0, attention_dropout=0.0, mlp_dropout=0.0, sparse_prediction=True,
        local_attention=128, global_attn_every_n_layers=3)


def tokenizer(work: Path, corpus: Path) -> Tokenizer:
    path = work / "tokenizer.json"
    if not path.exists():
        t = Tokenizer(models.BPE())
        t.normalizer = normalizers.NFC()
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        t.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        with open(corpus / "train.jsonl") as lines:
            t.train_from_iterator((json.loads(line)["text"] for line in lines), trainer)
        t.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)])
        t.save(str(path))
        data = json.loads(path.read_text())  # [MASK] takes the space before it, as ModernBERT's does
        for token in data["added_tokens"]:
            token["lstrip"] = token["content"] == "[MASK]"
        path.write_text(json.dumps(data, ensure_ascii=False))
    return Tokenizer.from_file(str(path))


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal by five Newton-Schulz steps (Jordan et al. 2024), scaled so that its
    root mean square is 0.2 times the learning rate (Liu et al. 2025). Matrices of one shape are taken together."""

    def __init__(self, matrices, momentum=0.95, decay=0.01):
        super().__init__(matrices, dict(lr=0.0, momentum=momentum, decay=decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(p.shape, []).append(p)
            for shape, same in shapes.items():
                for p in same:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                x = torch.stack([p.grad.lerp(self.state[p]["momentum"], group["momentum"]) for p in same])
                if tall := shape[0] > shape[1]:
                    x = x.mT
                x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
                for _ in range(5):
                    square = x @ x.mT
                    x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
                for p, update in zip(same, x.mT if tall else x):
                    p.mul_(1 - group["lr"] * group["decay"])
                    p.add_(update, alpha=-0.2 * max(shape) ** 0.5 * group["lr"])


class Passages:
    """Token ids of all documents on end, and passages from them that start where a line does."""

    def __init__(self, t: Tokenizer, path: Path):
        ids, starts, ends = [], [], []
        with open(path) as lines:
            texts = [json.loads(line)["text"] for line in lines]
        for encoding in t.encode_batch_fast(texts, add_special_tokens=False):
            first = len(ids)
            ids += encoding.ids
            breaks = [first] + [first + i + 1 for i, token in enumerate(encoding.tokens) if token == "Ċ"]
            starts += [b for b in breaks if b < len(ids)]
            ends += [len(ids)] * (len(starts) - len(ends))
        self.ids, self.starts, self.ends = torch.tensor(ids), torch.tensor(starts), torch.tensor(ends)

    def pairs(self, count: int, length: int, generator):
        """[2 * count, length] ids: a passage, and the one right after it in the same document."""
        body = length - 2
        fits = self.starts + 2 * body <= self.ends
        at = self.starts[fits]
        first = at[torch.randint(len(at), (count,), generator=generator)]
        rows = torch.cat([first, first + body])
        ids = self.ids[rows[:, None] + torch.arange(body)]
        edge = torch.ones(len(rows), 1, dtype=ids.dtype)
        return torch.cat([CLS * edge, ids, SEP * edge], 1)


def mask(ids, generator, share=MASKED, always=False):
    chance = torch.rand(ids.shape, generator=generator)
    chosen = (chance < share) & (ids >= len(SPECIAL))
    labels = torch.where(chosen, ids, -100)
    kind = torch.rand(ids.shape, generator=generator)
    other = torch.randint(len(SPECIAL), VOCABULARY, ids.shape, generator=generator)
    shown = torch.where(chosen & (kind < (1.0 if always else 0.8)), MASK, ids)
    if not always:
        shown = torch.where(chosen & (kind >= 0.9), other, shown)
    return shown, labels


def contrast(hidden):
    pooled = F.normalize(hidden[:, 1:-1].mean(1), dim=-1)
    a, b = pooled.chunk(2)
    scores = a @ b.T / TEMPERATURE
    target = torch.arange(len(a))
    return (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2


@torch.no_grad()
def evaluate(model, passages, batches, seed=1):
    """Share of right guesses where 15 % of the tokens of held-out passages of 128 tokens are [MASK], and the loss;
    beside it, the share that always guessing the commonest token would get."""
    generator = torch.Generator().manual_seed(seed)
    right = total = 0
    loss, counts = 0.0, torch.zeros(VOCABULARY)
    model.eval()
    for _ in range(batches):
        ids = passages.pairs(16, 128, generator)
        shown, labels = mask(ids, generator, 0.15, always=True)
        kept = labels[labels != -100]
        hidden = model.model(shown, attention_mask=None)[0]
        logits = model.decoder(model.head(hidden[labels != -100]))
        right += (logits.argmax(-1) == kept).sum().item()
        total += len(kept)
        loss += F.cross_entropy(logits, kept, reduction="sum").item()
        counts += torch.bincount(kept, minlength=VOCABULARY)
    model.train()
    return right / total, loss / total, counts.max().item() / total, total


def train(model, corpus, work, minutes, threads):
    torch.set_num_threads(threads)
    t = tokenizer(work, corpus)
    passages, heldout = Passages(t, corpus / "train.jsonl"), Passages(t, corpus / "heldout.jsonl")
    print(f"{len(passages.ids):,} tokens to train on, {len(heldout.ids):,} held out, "
          f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "tok_embeddings" not in n and p.requires_grad]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    optimizers = [Muon(matrices), torch.optim.AdamW(others, lr=1, weight_decay=0.0, betas=(0.9, 0.98))]
    generator = torch.Generator().manual_seed(0)
    state = {"step": 0, "seconds": 0.0, "tokens": 0}
    if (work / "state.pt").exists():
        saved = torch.load(work / "state.pt")
        model.load_state_dict(saved["model"])
        for o, s in zip(optimizers, saved["optimizers"]):
            o.load_state_dict(s)
        generator.set_state(saved["generator"])
        state = saved["state"]
    shares = torch.tensor([s for _, s in LENGTHS])
    log = open(work / "log.csv", "a", newline="")
    table = csv.writer(log)
    if log.tell() == 0:
        table.writerow(["step", "seconds", "tokens", "train_loss", "contrast", "heldout_accuracy", "heldout_loss"])
    model.train()
    began, before, last, sums = time.time(), state["seconds"], time.time(), [0.0, 0.0, 0]
    while True:
        done = state["seconds"] / (60 * minutes)
        if done >= 1:
            break
        rate = min(1, (state["step"] + 1) / 100, max(0.0, (1 - done) / 0.4))
        for o in optimizers:
            for group in o.param_groups:
                group["lr"] = PEAK_RATE * rate
        length = LENGTHS[torch.multinomial(shares, 1, generator=generator).item()][0]
        shown, labels = mask(passages.pairs(BATCH_TOKENS // length // 2, length, generator), generator)
        hidden = model.model(shown, attention_mask=None)[0]
        kept = labels != -100
        loss = F.cross_entropy(model.decoder(model.head(hidden[kept])), labels[kept])
        near = contrast(hidden) if len(shown) >= 16 else torch.zeros(())
        (loss + CONTRAST * near).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in optimizers:
            o.step()
            o.zero_grad(set_to_none=True)
        state["step"] += 1
        state["tokens"] += shown.numel()
        state["seconds"] = before + time.time() - began
        sums = [sums[0] + loss.item(), sums[1] + near.item(), sums[2] + 1]
        if time.time() - last > 60:
            accuracy, heldout_loss, _, _ = evaluate(model, heldout, 8)
            row = [state["step"], round(state["seconds"]), state["tokens"], round(sums[0] / sums[2], 4),
                   round(sums[1] / sums[2], 4), round(accuracy, 4), round(heldout_loss, 4)]
            table.writerow(row)
            log.flush()
            print(*row, flush=True)
            last, sums = time.time(), [0.0, 0.0, 0]
            torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers],
                        "generator": generator.get_state(), "state": state}, work / "state.tmp")
            (work / "state.tmp").replace(work / "state.pt")
    torch.save({"model": model.state_dict(), "state": state}, work / "final.pt")


def export(model, corpus, work, directory):
    saved = torch.load(work / "final.pt")
    model.load_state_dict(saved["model"])
    heldout = Passages(tokenizer(work, corpus), corpus / "heldout.jsonl")
    accuracy, loss, commonest, total = evaluate(model.half().float(), heldout, 100, seed=2)  # as it is stored
    result = {"masked": total, "accuracy": round(accuracy, 4), "commonest_token": round(commonest, 4), "loss": round(loss, 4),
              "perplexity": round(math.exp(loss), 2), "trained": saved["state"]}
    here = Path(__file__).parent
    (here / "heldout.json").write_text(json.dumps(result) + "\n")
    (here / "loss.csv").write_text((work / "log.csv").read_text())
    (here / "loss.svg").write_text(curve(list(csv.DictReader((here / "loss.csv").read_text().splitlines()))))
    print(result)
    model.config.sparse_prediction = False
    model.half().save_pretrained(directory)
    (directory / "tokenizer.json").write_text((work / "tokenizer.json").read_text())
    names = {name: f"[{name.split('_')[0].upper()}]" for name in ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")}
    (directory / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 8192, "clean_up_tokenization_spaces": False,
         "model_input_names": ["input_ids", "attention_mask"], **names}, indent=2) + "\n")


def curve(rows):
    """The loss and the accuracy on held-out text, over the tokens that were trained on, as SVG."""
    width, height, left, top = 720, 300, 60, 20
    last = max(float(row["tokens"]) for row in rows)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2 * left}" height="{height + 3 * top}" '
             'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>']
    for name, most, colour, x, anchor, unit in (("heldout_loss", 7.0, "#31688e", left - 8, "end", ""),
                                                ("heldout_accuracy", 0.7, "#d95f02", left + width + 8, "start", " %")):
        for i in range(8):
            y = top + height * (1 - i / 7)
            value = f"{i * 10}{unit}" if unit else str(i)
            parts.append(f'<text x="{x}" y="{y + 4:.0f}" text-anchor="{anchor}" fill="{colour}">{value}</text>')
            parts.append(f'<path d="M{left} {y:.0f}h{width}" stroke="#eee"/>')
        points = " ".join(f"{left + width * float(row['tokens']) / last:.1f},"
                          f"{top + height * (1 - min(1, float(row[name]) / most)):.1f}" for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for i in range(5):
        parts.append(f'<text x="{left + width * i / 4:.0f}" y="{top + height + 18}" text-anchor="middle">{last * i / 4 / 1e6:.1f} M tokens</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top - 6}" text-anchor="middle">held-out text: '
                 '<tspan fill="#31688e">loss</tspan>, <tspan fill="#d95f02">masked tokens guessed right</tspan></text></svg>')
    return "\n".join(parts) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("work", type=Path)
    arguments.add_argument("--minutes", type=float, default=90)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--export", type=Path)
    a = arguments.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = ModernBertForMaskedLM(config())
    if a.export:
        a.export.mkdir(parents=True, exist_ok=True)
        export(model, a.corpus, a.work, a.export)
    else:
        train(model, a.corpus, a.work, a.minutes, a.threads)


if __name__ == "__main__":
    main()
