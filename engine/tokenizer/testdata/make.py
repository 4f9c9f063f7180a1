"""Makes the tokenizers and golden files of this folder with Hugging Face tokenizers, and compares at length.

    python3 make.py train             writes *.json.gz, small tokenizers of every kind that the package reads
    python3 make.py golden            writes lines.json.gz and *.golden.gz: what the library makes of 1,000 lines
    python3 make.py golden DIR 100000 [FILE.json ...]
                                      the same in DIR for so many lines, also of other tokenizers; then, in engine/tokenizer,
                                      go test -run Golden -golden DIR

tokenizers VERSION (the arbiter) comes from PyPI; nothing else is needed. Training text: see texts.py.
"""
import gzip
import json
import os
import random
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import texts

VERSION = "0.23.3"
HERE = os.path.dirname(os.path.abspath(__file__))
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())

CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
BLANK = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + BLANK
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + BLANK
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTION}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTION}?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + BLANK)
NEMOTRON = O200K.replace(CONTRACTION + "?", "").replace("{1,3}", "")
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def token(content, special=False, normalized=None, **flags):
    normalized = not special if normalized is None else normalized
    return dict(content=content, single_word=False, lstrip=False, rstrip=False, normalized=normalized, special=special) | flags


def template(first, last, ids):
    special = lambda name, type_id=0: {"SpecialToken": {"id": name, "type_id": type_id}}
    text = lambda name, type_id=0: {"Sequence": {"id": name, "type_id": type_id}}
    return {"type": "TemplateProcessing",
            "single": [special(first), text("A"), special(last)],
            "pair": [special(first), text("A"), special(last), text("B", 1), special(last, 1)],
            "special_tokens": {n: {"id": n, "ids": [ids[n]], "tokens": [n]} for n in {first, last}}}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def byte_level(prefix=False, trim=True, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def bpe(size, pre_tokenizer, normalizer=None, alphabet=(), special=(), seed=7):
    """Trains; returns the model of a tokenizer.json."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    lines = list(texts.documents(3000))
    random.Random(seed).shuffle(lines)
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(alphabet), special_tokens=list(special),
                                  limit_alphabet=1000, show_progress=False)
    tokenizer.train_from_iterator(lines[:60000], trainer)
    return json.loads(tokenizer.to_str())["model"]


def add(file, tokens):
    """Gives the tokens the ids that the library will give them."""
    vocab, next_id = file["model"]["vocab"], len(file["model"]["vocab"])
    for t in tokens:
        id = vocab.get(t["content"], next_id)
        next_id += id == next_id
        file["added_tokens"].append({"id": id} | t)
    return {t["content"]: t["id"] for t in file["added_tokens"]} | vocab


def new(model, **parts):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None} | parts | {"model": model}


def modernbert():
    own = ["|||IP_ADDRESS|||", "<|padding|>"]
    model = bpe(4000, pre_tokenizers.ByteLevel(add_prefix_space=False), normalizers.NFC(), ALPHABET, own)
    file = new(model, normalizer={"type": "NFC"}, pre_tokenizer=byte_level(), decoder=byte_level(True))
    ids = add(file, [token(own[0]), token(own[1], special=True), *(token(" " * n) for n in range(24, 1, -1)),
                     token("|||EMAIL_ADDRESS|||"), token("|||PHONE_NUMBER|||"), token("<|endoftext|>", special=True),
                     *(token(t, special=True) for t in ("[UNK]", "[CLS]", "[SEP]", "[PAD]")),
                     token("[MASK]", special=True, lstrip=True), *(token(f"[unused{i}]") for i in range(83))])
    assert len(file["added_tokens"]) == 116
    file["post_processor"] = template("[CLS]", "[SEP]", ids)
    return file


def llama3():
    sequence = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    model = bpe(3500, sequence, alphabet=ALPHABET)
    model["ignore_merges"] = True
    # A word that merges alone do not give, and the older spelling of merges.
    model["vocab"]["Ġignored"] = len(model["vocab"])
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    file = new(model, decoder=byte_level(), pre_tokenizer={"type": "Sequence", "pretokenizers": [
        split({"Regex": LLAMA3}, "Removed", True), byte_level(regex=False)]})
    ids = add(file, [token("<|begin|>", special=True), token("<|end|>", special=True),
                     token("<mask>", special=True, lstrip=True, rstrip=True)])
    file["post_processor"] = {"type": "Sequence", "processors": [byte_level(), template("<|begin|>", "<|end|>", ids)]}
    return file


def o200k():
    sequence = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(O200K), "isolated"),
                                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    model = bpe(3500, sequence, normalizers.NFC(), ALPHABET)
    file = new(model, normalizer={"type": "NFC"}, decoder=byte_level(), pre_tokenizer={"type": "Sequence", "pretokenizers": [
        split({"Regex": O200K}), byte_level(regex=False)]})
    ids = add(file, [token("<|start|>", special=True, rstrip=True), token("<|end|>", special=True), token("<mask>", special=True)])
    file["post_processor"] = {"type": "Sequence", "processors": [byte_level(prefix=True), template("<|start|>", "<|end|>", ids)]}
    return file


def metaspace_model(size, special):
    """A model over text with ▁ for spaces; it joins no word to the next but in a few places."""
    pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    model = bpe(size, pre_tokenizer, normalizers.Replace(" ", "▁"), ["▁", "\n"], special)
    for a, b in [(",", "▁"), (".", "▁▁"), ("▁of", "▁the"), ("▁", "▁"), ("▁▁", "▁▁"), ("中", "▁")]:
        if a in model["vocab"] and b in model["vocab"] and a + b not in model["vocab"]:
            model["vocab"][a + b] = len(model["vocab"])
            model["merges"].append([a, b])
    return model


def gemma():
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    model = metaspace_model(4000, special + [f"<0x{b:02X}>" for b in range(256)])
    model |= {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    file = new(model, normalizer=replace, pre_tokenizer=split({"String": " "}, "MergedWithPrevious"),
               decoder={"type": "Sequence", "decoders": [replace | {"pattern": {"String": "▁"}, "content": " "},
                                                         {"type": "ByteFallback"}, {"type": "Fuse"}]})
    ids = add(file, [*(token(s, special=True) for s in special), *(token("\n" * n, normalized=False) for n in range(2, 6)),
                     *(token("▁" * n, normalized=False) for n in range(2, 6)), *(token(f"<unused{i}>", normalized=False) for i in range(9)),
                     token("two words"), token("[@BOS@]", normalized=False)])
    file["post_processor"] = template("<bos>", "<eos>", ids)
    return file


def unknown():
    """Characters, no fallback; every flag of added tokens."""
    model = metaspace_model(1200, ["<unk>", "<s>", "</s>"])
    model |= {"unk_token": "<unk>", "fuse_unk": True}
    file = new(model, normalizer={"type": "Sequence", "normalizers": [
        {"type": "NFC"}, {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})
    file["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    flags = [dict(lstrip=bool(i & 1), rstrip=bool(i & 2), single_word=bool(i & 4), normalized=bool(i & 8)) for i in range(16)]
    add(file, [token("<s>", special=True), token("</s>", special=True), token("<unk>", special=True),
               *(token(f"<{i:x}>", special=i % 3 == 0, **f) for i, f in enumerate(flags)),
               *(token(f"w{i:x}", **f) for i, f in enumerate(flags)), token("  ", normalized=False), token("é", normalized=True),
               token("e\u0301x", normalized=True), token("e\u0301y", normalized=False), token("<s", special=False)])
    return file


BASES = {f.__name__: f for f in (modernbert, llama3, o200k, gemma, unknown)}
LEFT = {"truncation": {"direction": "Left", "max_length": 9, "strategy": "LongestFirst", "stride": 0}}


def sequence(*parts):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(parts)}}


# name: the tokenizer it is made from, and the parts that differ
VARIANTS = {
    **{name: (name, {}) for name in BASES},
    "modernbert-left": ("modernbert", LEFT),
    "modernbert-prefix": ("modernbert", {"pre_tokenizer": byte_level(prefix=True), "post_processor": byte_level(prefix=True)}),
    "gpt2-split": ("modernbert", sequence(split({"Regex": GPT2}), byte_level(prefix=True, regex=False))),
    "qwen2": ("llama3", sequence(split({"Regex": QWEN2}), byte_level(regex=False))),
    "qwen35": ("llama3", sequence(split({"Regex": QWEN35}), byte_level(regex=False)) | LEFT),
    "nemotron": ("o200k", sequence(split({"Regex": NEMOTRON}), byte_level(regex=False))),
    "gemma-left": ("gemma", LEFT),
    **{f"unknown-{b.lower()}{'-invert' * i}": ("unknown", {"pre_tokenizer": split({"String": "▁"}, b, bool(i))})
       for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous") for i in (0, 1)},
}


def write(path, data):
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
        z.write(data.encode())


def train():
    for name, make in BASES.items():
        text = json.dumps(make(), ensure_ascii=False, separators=(",", ":"))
        Tokenizer.from_str(text)
        write(f"{HERE}/{name}.json.gz", text)


def load(name):
    base, parts = VARIANTS[name]
    with gzip.open(f"{HERE}/{base}.json.gz") as f:
        file = json.load(f) | parts
    prefix = None
    if "ByteLevel" in json.dumps(file["pre_tokenizer"]):
        prefix = json.loads(json.dumps(file["pre_tokenizer"]).replace('"add_prefix_space": false', '"add_prefix_space": true'))
        prefix = Tokenizer.from_str(json.dumps(file | {"pre_tokenizer": prefix}))
    added = [t["content"] for t in file["added_tokens"]]
    return Tokenizer.from_str(json.dumps(file)), prefix, added


def spans(encoding, where):
    """Byte offsets, each counted from where the one before ended; the length follows."""
    out, last = [], 0
    for (first, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
        if sequence is None:
            assert (first, end) == (0, 0)
            continue
        first, end = where[sequence][first], where[sequence][end]
        out += [first - last, end - first]
        last = end
    return out


def row(rng, index, lines, tokenizer, prefix, left):
    """What becomes of one line, by itself or with a second one, whole or truncated."""
    r = {"text": index}
    second = None
    if rng.random() < 0.3:
        r["pair"] = rng.randrange(len(lines))
        second = lines[r["pair"]]
    if rng.random() < 0.2:
        r["bare"] = True
    use = tokenizer
    if prefix and rng.random() < 0.1:
        r["prefix"], use = True, prefix
    use.no_truncation()
    # The library keeps what it cuts off, in every combination: too much to ask of long texts.
    if rng.random() < 0.4 and len(lines[index]) < 5000 and (second is None or len(lines[index]) + len(second) < 400):
        r["max"] = rng.choice([4, 5, 6, 7, 8, 12, 17, 32, 64])
        strategy = rng.choice(["longest_first"] * 3 + ["only_first"] + ["only_second"] * (second is not None))
        if strategy != "longest_first":
            r["strategy"] = strategy
        use.enable_truncation(r["max"], strategy=strategy, direction="left" if left else "right")
    try:
        encoding = use.encode(lines[index], second, add_special_tokens="bare" not in r)
    except Exception as e:  # a text too short to be truncated alone
        assert "too short" in str(e), e
        return r | {"error": True}
    finally:
        use.no_truncation()
    where = []
    for text in [lines[index]] + [second] * (second is not None):
        at = [0]
        for c in text:
            at.append(at[-1] + len(c.encode()))
        where.append(at)
    r["ids"] = encoding.ids
    r["spans"] = spans(encoding, where)
    r["sequence"] = "".join("-" if s is None else str(s) for s in encoding.sequence_ids)
    assert [s is None for s in encoding.sequence_ids] == [bool(s) for s in encoding.special_tokens_mask]
    for key, skip in (("plain", True), ("full", False)):
        decoded = tokenizer.decode(encoding.ids, skip_special_tokens=skip)
        if decoded != lines[index]:
            r[key] = decoded
    return r


def golden(folder=HERE, count=1000, *files):
    whole = list(BASES)  # that take every line
    for path in files:
        whole.append(os.path.basename(path).removesuffix(".json"))
        with open(path, encoding="utf-8") as f:
            VARIANTS[whole[-1]] = "modernbert", json.load(f)  # every part is replaced
    os.makedirs(folder, exist_ok=True)
    added = sorted({t for name in BASES for t in load(name)[2]})
    lines = texts.lines(count, added, long_lines=count // 500, everything=folder != HERE)
    if folder == HERE:  # long lines are for the long comparison
        lines = [line[:2000] for line in lines]
    write(f"{folder}/lines.json.gz", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n")
    for number, name in enumerate(VARIANTS):
        base, parts = VARIANTS[name]
        tokenizer, prefix, _ = load(name)
        rng = random.Random(number)
        size = tokenizer.get_vocab_size()
        forms = [tokenizer.id_to_token(i) for i in range(size)] if name in whole else []
        out = [json.dumps({"base": base, "parts": parts, "tokens": forms})]
        # The small ones differ in one thing only: a few lines show it.
        part = range(len(lines)) if name in whole else range(number, len(lines), 10 if folder == HERE else 5)
        for index in part:
            out.append(json.dumps(row(rng, index, lines, tokenizer, prefix, parts.get("truncation") is not None), separators=(",", ":")))
        for _ in range(50):  # what no text gives
            ids = [rng.randrange(size + 2) for _ in range(rng.randint(0, 12))]
            out.append(json.dumps({"text": -1, "ids": ids, "plain": tokenizer.decode(ids), "full": tokenizer.decode(ids, False)}))
        write(f"{folder}/{name}.golden.gz", "\n".join(out) + "\n")
        print(name, len(out) - 1, "rows")


if __name__ == "__main__":
    assert tokenizers.__version__ == VERSION, f"tokenizers {tokenizers.__version__}, the golden files are of {VERSION}"
    command, *rest = sys.argv[1:] or ["golden"]
    if command == "train":
        train()
    elif command == "golden":
        golden(*rest[:1], *map(int, rest[1:2]), *rest[2:])
    else:
        sys.exit(__doc__)
