#!/usr/bin/env python3
"""Times gaze's kernels beside llama.cpp's on the same driver, and beside torch's, in one run. The standard library is
enough for the first two; torch runs on CUDA where there is any, else on the CPU.

    tests/peers/kernels.py                                     768^3 matrix product and attention over 1024 tokens, on all drivers
    tests/peers/kernels.py --driver lavapipe --passes 15 matmul:f16:512:2304:768
    tests/peers/kernels.py --driver default attention:f32:4096:12:64
    ~/peers/bin/python tests/peers/kernels.py --peer gaze --peer "torch FlexAttention" window:f32:8192:12:64

A problem is matmul:TYPE:ROWS:COLUMNS:DEPTH, attention:TYPE:TOKENS:HEADS:DIM or window:TYPE:TOKENS:HEADS:DIM: full attention,
or that of keys at most 64 tokens away. TYPE, f32 or f16, is what gaze and torch store all inputs as; llama.cpp only its
weights, keys and values. gaze adds in f32 in any case. GFLOP/s count visible pairs. Peers take turns, one run each; times are
the host's, from before a submit to after its end; gaze's by the device's clock stand beside. "cosine" and "largest difference"
(of the root mean square) hold each output against that of the first of llama.cpp on the CPU, torch and gaze that is there.
"kernel" is what ran, as the peer tells.
"""

import argparse
import array
import json
import math
import random
import re
import sys
import tempfile
from pathlib import Path

import peers

PEERS = ("gaze", "llama.cpp Vulkan", "llama.cpp CPU", "torch", "torch FlexAttention")
REFERENCES = ("llama.cpp CPU", "torch", "gaze")
DEFAULT = ["matmul:f32:768:768:768", "attention:f32:1024:12:64", "attention:f16:1024:12:64", "window:f32:8192:12:64"]
WINDOW = 64


class Problem:
    def __init__(self, text):
        form = re.fullmatch(r"(matmul|attention|window):(f32|f16):([1-9]\d*):([1-9]\d*):([1-9]\d*)", text)
        if not form:
            raise argparse.ArgumentTypeError(f"{text}: expected matmul:TYPE:ROWS:COLUMNS:DEPTH, attention:TYPE:TOKENS:HEADS:DIM or window:..., TYPE f32 or f16")
        self.text, self.kind, self.type, self.sizes = text, form[1], form[2], [int(size) for size in form.groups()[2:]]

    def inputs(self):
        """Number of elements that are read."""
        a, b, c = self.sizes
        return (a + b) * c if self.kind == "matmul" else 3 * a * b * c

    def operations(self):
        a, b, c = self.sizes
        if self.kind == "matmul":
            return 2 * a * b * c
        reach = min(WINDOW, a - 1)
        pairs = a * a if self.kind == "attention" else a * (2 * reach + 1) - reach * (reach + 1)
        return 4 * pairs * b * c


def floats(path):
    x = array.array("f")
    x.frombytes(Path(path).read_bytes())
    return x


def compare(x, reference):
    """Returns the cosine of two tensors and their largest difference, in root mean squares of the reference."""
    if len(x) != len(reference):
        raise peers.Failure(f"{len(x)} elements came out, {len(reference)} of the reference")
    square = math.sumprod if hasattr(math, "sumprod") else lambda a, b: math.fsum(p * q for p, q in zip(a, b))
    length = math.sqrt(square(reference, reference))
    cosine = square(x, reference) / (length * math.sqrt(square(x, x)))
    return cosine, max(abs(p - q) for p, q in zip(x, reference)) / (length / math.sqrt(len(reference)))


def start(options, driver, work):
    """Returns the peers that are wanted: gaze and llama.cpp on a driver, llama.cpp and torch without."""
    environment = driver.environment()
    tier = ["-tier", options.tier] if options.tier else []
    llama = lambda backends, kind: (peers.llama_program("kernels"), peers.llama() / backends, kind, peers.THREADS)
    torch = lambda variant: [peers.PYTHON, peers.FOLDER / "torch_kernels.py", peers.THREADS, options.torch, variant]
    candidates = {
        "gaze": lambda: (driver.command(peers.gaze_program("kernels"), "-device", options.device, *tier), work / "gaze.log", environment),
        "llama.cpp Vulkan": lambda: (driver.command(*llama("lib", "gpu")), work / "vulkan.log", {**environment, "GGML_VK_VISIBLE_DEVICES": options.device}),
        "llama.cpp CPU": lambda: (llama("cpu", "cpu"), work / "cpu.log"),
        "torch": lambda: (torch("sdpa"), work / "torch.log"),
        "torch FlexAttention": lambda: (torch("flex"), work / "flex.log"),
    }
    return peers.started(*((name, *candidate()) for name, candidate in candidates.items() if name in options.peer))


def measure(problem, group, options, work):
    """Runs one problem on all peers and returns a row of the report for each."""
    random.seed(problem.text)
    inputs = work / "inputs.f32"
    inputs.write_bytes(array.array("f", (random.uniform(-1, 1) for _ in range(problem.inputs()))).tobytes())
    outputs = {peer.name: work / f"{i}.f32" for i, peer in enumerate(group)}
    request = lambda peer: (problem.kind, problem.type, *problem.sizes, inputs, outputs[peer.name])
    answers = peers.take_turns(group, request, options.passes, 2, options.limit)
    reference = next((floats(outputs[name]) for name in REFERENCES if "ms" in answers.get(name, [{}])[0]), None)
    rows = []
    for peer in group:
        row = {"problem": problem.text, "peer": peer.name, "runs": answers[peer.name]}
        rows.append(row)
        if "missing" in row["runs"][0]:
            row["missing"] = row["runs"][0]["missing"]
            continue
        row["ms"], row["least"], row["most"] = peers.spread([answer["ms"] for answer in row["runs"]])
        if row["runs"][0].get("gpu_ms"):
            row["gpu_ms"] = peers.spread([answer["gpu_ms"] for answer in row["runs"]])[0]
        row["gflops"] = problem.operations() / row["ms"] / 1e6
        row["times_gaze"] = row["ms"] / rows[0]["ms"] if rows[0]["peer"] == "gaze" and "ms" in rows[0] else None
        if reference:
            row["cosine"], row["difference"] = compare(floats(outputs[peer.name]), reference)
    return rows


def report(rows):
    lines = [("problem", "peer", "runs", "ms", "least", "most", "device's ms", "GFLOP/s", "/ gaze", "cosine", "largest difference", "kernel")]
    problem = ""
    for row in rows:
        first = "" if row["problem"] == problem else row["problem"]
        problem = row["problem"]
        if "missing" in row:
            lines.append((first, row["peer"], row["missing"], *[""] * 9))
            continue
        number = peers.significant
        agreement = (f"{row['cosine']:.7f}", f"{row['difference']:.1e}") if "cosine" in row else ("-", "-")
        lines.append((first, row["peer"], peers.count(row["runs"]), number(row["ms"]), number(row["least"]), number(row["most"]), number(row.get("gpu_ms")),
                      number(row["gflops"]), number(row["times_gaze"]), *agreement, row["runs"][0].get("kernel", "-")))
    return peers.table(lines, left=2, right=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", type=Problem, metavar="PROBLEM", help=f"default: {' '.join(DEFAULT)}")
    parser.add_argument("--driver", action="append", metavar="NAME", help="a driver of tests/setup/drivers, default (what the system has) or all, the default")
    parser.add_argument("--device", default="0", metavar="INDEX", help="the driver's device (default 0)")
    parser.add_argument("--tier", help="gaze's kernels, lanes, texels, tiled or matrix (default: those that suit the device)")
    parser.add_argument("--torch", choices=("cpu", "cuda"), help="where torch computes (default cuda where there is one)")
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this one; may be repeated")
    parser.add_argument("--passes", type=int, default=10, help="timed runs of each peer (default 10)")
    parser.add_argument("--limit", type=float, default=120, metavar="SECONDS",
                        help="a peer that has taken this long for a problem, or to warm up, gets no further turn (default 120)")
    parser.add_argument("--json", metavar="FILE", help="write every run there")
    options = parser.parse_args()
    if options.passes < 1:
        parser.error(f"--passes is {options.passes}: at least 1")
    options.peer = options.peer or PEERS
    options.torch = options.torch or ("cuda" if peers.cuda() else "cpu")
    everything = []
    llama = f"llama.cpp {peers.llama_version()}" if any(name.startswith("llama.cpp") for name in options.peer) else "without llama.cpp"
    print(f"{peers.machine()}; {llama}; medians of up to {options.passes} runs", flush=True)
    for driver in peers.drivers(options.driver or ["all"]):
        with tempfile.TemporaryDirectory(prefix="gaze-peers-") as work:
            group = start(options, driver, Path(work))
            rows = []
            for problem in options.problems or [Problem(text) for text in DEFAULT]:
                peers.say(f"{driver.name}: {problem.text}")
                rows += measure(problem, group, options, Path(work))
            print(f"\n{driver.name}")
            peers.introduce(group, options.peer)
            print(report(rows), flush=True)
            for peer in group:
                peer.close()
            everything.append({"driver": driver.name, "peers": {peer.name: peer.hello for peer in group}, "rows": rows})
    if options.json:
        Path(options.json).write_text(json.dumps({"machine": peers.machine(), "llama.cpp": llama, "drivers": everything}, indent=1) + "\n")
    sys.exit(any("missing" in row for driver in everything for row in driver["rows"] if row["peer"] == "gaze"))


if __name__ == "__main__":
    main()
