"""Compares the speed of gaze and of Hugging Face tokenizers, one thread each.

    python3 speed.py                  on the lines of lines.json.gz
    python3 speed.py FILE.json TEXT   with another tokenizer, on the lines of a file

Needs Go, and tokenizers from PyPI. BenchmarkEncode is gaze's side.
"""
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))


def speed(path=None, text=None):
    """Both contenders have one thread on one processor, take turns, and start each round with one pass that does not
    count. Times are the processor's, so that what else runs on the machine does not count either."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if path:
        with open(path, encoding="utf-8") as f, open(text, encoding="utf-8", newline="\n") as g:
            contests = [("", f.read(), g.read().split("\n"), 4)]
    else:
        with gzip.open(f"{HERE}/lines.json.gz", "rt", encoding="utf-8") as g:
            lines = [json.loads(line) for line in g]
        contests = []
        for name in ("modernbert", "gemma"):
            with gzip.open(f"{HERE}/{name}.json.gz", "rt", encoding="utf-8") as f:
                contests.append(("/" + name, f.read(), lines, 30))
    with tempfile.TemporaryDirectory() as directory:
        binary = f"{directory}/test"
        subprocess.run(["go", "test", "-c", "-o", binary, "."], cwd=f"{HERE}/..", check=True)
        for name, file, lines, passes in contests:
            size = sum(len(line.encode()) for line in lines) / 1e6

            def library(encode):
                tokenizer = Tokenizer.from_str(file)
                tokenizer.no_truncation()
                encode(tokenizer)
                start = time.process_time()
                for _ in range(passes):
                    encode(tokenizer)
                return size * passes / (time.process_time() - start)

            def seconds(passes):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run([binary, "-test.run", "^$", "-test.bench", f"^BenchmarkEncode${name}$", "-test.cpu", "1", "-test.benchtime",
                                f"{passes}x"] + (["-tokenizer", path, "-text", text] if path else []),
                               cwd=f"{HERE}/..", stdout=subprocess.DEVNULL, check=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

            def gaze():  # without start-up and the first pass
                return size * passes / (seconds(1 + passes) - seconds(1))

            def each(tokenizer):
                for line in lines:
                    tokenizer.encode(line)

            runs = {"gaze": gaze, "encode": lambda: library(each), "encode_batch": lambda: library(lambda t: t.encode_batch(lines))}
            rounds = [{key: run() for key, run in runs.items()} for _ in range(7)]
            print(f"{path or name[1:]}: {len(lines)} lines, {size:.2f} MB, {passes} times, medians of {len(rounds)} rounds: gaze "
                  f"{statistics.median(r['gaze'] for r in rounds):.2f} MB/s")
            for key in ("encode", "encode_batch"):
                ratios = sorted(r["gaze"] / r[key] for r in rounds)
                print(f"  {key} of tokenizers {tokenizers.__version__}: {statistics.median(r[key] for r in rounds):.2f} MB/s; gaze is "
                      f"{statistics.median(ratios):.2f} times as fast ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    if len(sys.argv) not in (1, 3):
        sys.exit(__doc__)
    speed(*sys.argv[1:])
