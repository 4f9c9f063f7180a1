"""Writes ../unicode.bin: what characters are to Hugging Face tokenizers.

The package's wheel holds three Unicode tables of different ages: Oniguruma's in the regular expressions of the
pre-tokenizers, that of Rust's regex crate behind single_word, and a Unicode 9 table behind NFC. Text splits and
composes as they say, so this script asks the library itself about every code point, instead of trusting any other
table. Run it as: python3 unicode.py (needs tokenizers, see VERSION).
"""
import itertools
import os
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

VERSION = "0.23.3"
assert tokenizers.__version__ == VERSION, f"tokenizers {tokenizers.__version__}, the table is that of {VERSION}"

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
ALL = "".join(map(chr, POINTS))


def matching(pattern):
    """The code points that the pattern of one character matches."""
    split = pre_tokenizers.Split(Regex(pattern), behavior="removed")
    kept = set()
    for _, (first, end) in split.pre_tokenize_str(ALL):
        kept.update(POINTS[first:end])
    return set(POINTS) - kept


def word_characters():
    """Before a word character, a token that must be a single word does not match."""
    tokenizer = Tokenizer(models.BPE(vocab={"?": 0}, merges=[], unk_token="?"))
    tokenizer.add_tokens([AddedToken("XYZ", single_word=True, normalized=False)])
    found = set()
    for block in itertools.batched(POINTS, 4096) if hasattr(itertools, "batched") else (
            POINTS[i:i + 4096] for i in range(0, len(POINTS), 4096)):
        encoding = tokenizer.encode("".join(chr(c) + "XYZ\n" for c in block))
        found.update(block[first // 5] for id, (first, _) in zip(encoding.ids, encoding.offsets) if id == 1)
    return set(POINTS) - found


nfc, nfd = normalizers.NFC().normalize_str, normalizers.NFD().normalize_str

# 1. Classes, disjoint: a run of code points, its class. The numbers are those of unicode.go.
CLASSES = [r"[\p{Lu}\p{Lt}]", r"\p{Ll}", r"[\p{Lm}\p{Lo}]", r"\p{M}", r"\p{N}", r"\s"]
flags = dict.fromkeys(POINTS, 0)
for number, pattern in enumerate(CLASSES, 1):
    for c in matching(pattern):
        assert flags[c] == 0
        flags[c] = number
for c in word_characters():
    flags[c] |= 8

# 2. Combining classes. Unicode never changes that of a character, so Python's number is right wherever the library
# has one at all, which shows when it moves the character across U+0334 (class 1) or U+0345 (class 240).
combining = {}
for c in POINTS:
    number, s = unicodedata.combining(chr(c)), chr(c)
    if nfd("a" + s + "\u0334") != "a" + nfd(s) + "\u0334" or nfd("a\u0345" + s) != "a\u0345" + nfd(s):
        if number:
            combining[c] = number
        else:  # it decomposes to characters that move
            assert nfd(s) != s, hex(c)

# 3. Decompositions, and the one code point before the last with which that composes again (0: never composes).
HANGUL = range(0xAC00, 0xAC00 + 11172)
decompositions, seconds = {}, set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
for c in POINTS:
    parts = nfd(chr(c))
    if parts == chr(c) or c in HANGUL:
        continue
    first = 0
    if nfc(chr(c)) == chr(c):
        head = nfc(parts[:-1])
        assert len(parts) > 1 and len(head) == 1 and nfc(head + parts[-1]) == chr(c), hex(c)
        first = ord(head)
        seconds.add(ord(parts[-1]))
    decompositions[c] = (first, [ord(p) for p in parts])

# A character that NFC may change, move, or join to what stands before it.
for c in POINTS:
    if c in combining or c in seconds or nfc(chr(c)) != chr(c):
        flags[c] |= 16

out = bytearray()


def put(number):
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


flags.update(dict.fromkeys(range(0xD800, 0xE000), 0))
runs = [(number, len(list(group))) for number, group in itertools.groupby(flags[c] for c in range(0x110000))]
put(len(runs))
for number, length in runs:
    put(length)
    put(number)
put(len(combining))
last = 0
for c, number in sorted(combining.items()):
    put(c - last)
    put(number)
    last = c
put(len(decompositions))
last = 0
for c, (first, parts) in sorted(decompositions.items()):
    put(c - last)
    put(first)
    put(len(parts))
    for p in parts:
        put(p)
    last = c
with open(os.path.join(os.path.dirname(__file__), "..", "unicode.bin"), "wb") as f:
    f.write(out)
print(len(runs), "runs,", len(combining), "combining classes,", len(decompositions), "decompositions,", len(out), "bytes")
