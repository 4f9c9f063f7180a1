"""What tests/peers has in common: drivers, llama.cpp, and peers that take turns. Standard library only.

A peer is a program that prints one line of JSON when it is ready (its device and what else it tells of itself) and then
answers each line that it reads by one line of JSON: the milliseconds of one run, or what is missing for it. Peers that
are compared are all started first and then asked in turn, so that whatever else the machine does meets all alike.

    GAZE_PEERS   where llama.cpp and the programs built here are kept (default ~/.cache/gaze-peers)
    GAZE_TOOLS   where tests/setup has put the drivers (default ~/.cache/gaze-tools)
"""

import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYTHON = sys.executable
FOLDER = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("GAZE_PEERS") or Path.home() / ".cache/gaze-peers")
TOOLS = Path(os.environ.get("GAZE_TOOLS") or Path.home() / ".cache/gaze-tools")
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

# The release of node-llama-cpp whose prebuilt llama.cpp is measured. Its own package brings llama.cpp's headers.
LLAMA_RELEASE = "3.22.1"
LLAMA_LIBRARIES = "@node-llama-cpp/linux-x64-vulkan"
LLAMA_SOURCES = "node-llama-cpp"


def say(*words):
    print("peers:", *words, file=sys.stderr, flush=True)


def fail(message):
    sys.exit(f"peers: {message}")


def run(*command, **options):
    """Runs a command whose failure ends the script; its output is shown only then."""
    command = [str(word) for word in command]
    if shutil.which(command[0]) is None:
        fail(f"{command[0]} is not in PATH, and is needed to run: {' '.join(command)}")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        fail(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def llama():
    """Returns the folder of llama.cpp: lib/ (its libraries, GPU backend included), cpu/ (its CPU backends alone) and
    include/. It is fetched once, whole or not at all."""
    target = CACHE / f"llama-{LLAMA_RELEASE}"
    if target.exists():
        return target
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        fail(f"llama.cpp's Vulkan libraries come prebuilt for Linux on x86_64, and this is {platform.system()} on {platform.machine()}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        work = Path(temporary)
        for package, folder in ((LLAMA_LIBRARIES, "libraries"), (LLAMA_SOURCES, "sources")):
            say(f"fetching {package} {LLAMA_RELEASE}")
            run("npm", "pack", "--silent", f"{package}@{LLAMA_RELEASE}", "--pack-destination", work)
            (archive,) = work.glob("*.tgz")
            (work / folder).mkdir()
            run("tar", "-xzf", archive, "-C", work / folder)
            archive.unlink()
        result = work / "llama"
        shutil.copytree(work / "libraries/package/bins/linux-x64-vulkan", result / "lib")
        shutil.copy(work / "libraries/package/LICENSE", result)
        (result / "cpu").mkdir()
        for library in (result / "lib").glob("libggml-cpu-*.so"):
            os.link(library, result / "cpu" / library.name)
        run("git", "clone", "--quiet", work / "sources/package/llama/gitRelease.bundle", work / "git")
        for headers in ("include", "ggml/include"):
            shutil.copytree(work / "git" / headers, result / "include", dirs_exist_ok=True)
        result.rename(target)
    return target


def llama_version():
    return json.loads((llama() / "lib/_nlcBuildMetadata.json").read_text())["buildOptions"]["llamaCpp"]["release"]


def llama_program(name):
    """Returns llama/NAME.c, built against llama.cpp's libraries."""
    source, home = FOLDER / "llama" / f"{name}.c", llama()
    program = CACHE / "bin" / f"llama-{LLAMA_RELEASE}-{name}"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(exist_ok=True)
        libraries = [next((home / "lib").glob(pattern)) for pattern in ("libllama.*.so", "libggml.*.so", "libggml-base.so")]
        run(os.environ.get("CC", "gcc"), "-std=gnu11", "-O2", "-Wall", "-I", home / "include", source, "-o", program,
            *libraries, f"-Wl,-rpath,{home / 'lib'}", "-lm")
    return program


def cuda():
    """Tells whether the Python that runs this has torch, and CUDA with it."""
    return subprocess.run([PYTHON, "-c", "import sys, torch; sys.exit(not torch.cuda.is_available())"], capture_output=True).returncode == 0


def gaze_program(name):
    """Returns gaze/NAME, built from this checkout."""
    program = CACHE / "bin" / f"gaze-{name}"
    run("go", "build", "-o", program, f"./tests/peers/gaze/{name}", cwd=FOLDER.parent.parent)
    return program


class Driver:
    """A Vulkan driver; "default" is whatever the system's loader finds."""

    def __init__(self, name, manifest=None, loader=None, libraries=None):
        self.name, self.manifest, self.loader, self.libraries = name, manifest, loader, libraries

    def command(self, program, *arguments):
        start = [self.loader, "--library-path", self.libraries] if self.loader else []
        return [str(word) for word in (*start, program, *arguments)]

    def environment(self):
        if not self.manifest:
            return {}
        return {"VK_DRIVER_FILES": self.manifest, "VK_ICD_FILENAMES": self.manifest, "NODEVICE_SELECT": "1"}


def drivers(names):
    """Returns the drivers of those names; "all" means all that run of tests/setup/drivers."""
    known = {"default": Driver("default")}
    file = TOOLS / "drivers.env"
    if file.exists():
        for line in file.read_text().splitlines():
            name, manifest, loader, libraries, _, families = (None if column == "-" else column for column in line.split("\t"))
            if families is None:  # it runs, and does not only compile
                known[name] = Driver(name, manifest, loader, libraries)
    found = []
    for name in names:
        if name == "all":
            found += [driver for driver in known.values() if driver.name != "default"]
        elif name in known:
            found.append(known[name])
        else:
            fail(f"driver {name} is not known; there are all, {', '.join(known)}; tests/setup/test-needs installs drivers and writes {file}")
    return found or fail(f"no drivers: tests/setup/test-needs installs them and writes {file}")


class Failure(Exception):
    """A peer that could not do what it was asked."""


class Peer:
    """A peer that has been started. hello is its first line."""

    def __init__(self, name, command, log, environment=None):
        self.name, self.log = name, Path(log)
        self.stderr = self.log.open("w")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.stderr, text=True, env={**os.environ, "GGML_NO_BACKTRACE": "1", **(environment or {})})
        self.hello = self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except json.JSONDecodeError:
            status = self.process.wait() if not line else "none yet"
            self.close()
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise Failure(f"{self.name} said {line.strip()!r} (exit status {status}):\n{tail}") from None

    def ask(self, *words):
        """Has the peer run once and returns its answer, a dictionary with "ms" or "missing"."""
        try:
            self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # its answer, or that there is none, tells
        return self._answer()

    def peak_mib(self):
        """Host memory that the process has had at most; a CPU driver's device memory is part of it."""
        try:
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        except OSError:
            pass
        return None

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def started(*candidates):
    """Starts peers, each given by the arguments of Peer, and returns those that did start. Why others did not is said."""
    group = []
    for candidate in candidates:
        try:
            group.append(Peer(*candidate))
        except Failure as failure:
            say(failure)
    return group


def introduce(group, names):
    """Prints what each peer tells of itself, and which of names are not among them."""
    for name in names:
        told = next((peer.hello for peer in group if peer.name == name), None)
        print(f"  {name}: {', '.join(str(value) for value in told.values()) if told else 'did not start; see above'}", flush=True)


def take_turns(peers, words, passes, warmups, limit):
    """Asks each peer in turn, round after round. words(peer) is the request. It returns the answers of each by name,
    those of the first warmups rounds left out. A peer that has taken limit seconds gets no further turn; if it took them
    to warm up, its last answer is all there is, and has "cold". Of a peer that cannot do it one tells what is missing."""
    answers = {peer.name: [] for peer in peers}
    taken = dict.fromkeys(answers, 0)
    for turn in range(warmups + passes):
        if turn == warmups:
            taken = dict.fromkeys(answers, 0)
        for peer in list(peers):
            start = time.monotonic()
            try:
                answer = peer.ask(*words(peer))
            except Failure as failure:
                say(failure)
                answer = {"missing": "failed"}
            taken[peer.name] += time.monotonic() - start
            over = taken[peer.name] > limit
            if "missing" in answer:
                answers[peer.name] = [answer]
            elif turn >= warmups:
                answers[peer.name].append(answer)
            elif over:
                answers[peer.name] = [{**answer, "cold": True}]
            if "missing" in answer or over:
                peers = [other for other in peers if other is not peer]
    return answers


def count(runs):
    """Returns how many runs there were, in words."""
    return "1 cold" if "cold" in runs[0] else str(len(runs))


def spread(values):
    """Returns median, least and most."""
    return statistics.median(values), min(values), max(values)


def significant(x, digits=3):
    """Formats x with so many significant digits, but all of those before the point."""
    if x is None:
        return "-"
    if x == 0:
        return "0"
    decimals = digits - 1 - int(f"{x:e}".split("e")[1])
    return f"{x:,.{max(decimals, 0)}f}"


def table(rows, left=1, right=0):
    """Returns rows of texts as lines, the first left columns and the last right ones flush left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    flush = [i < left or i >= len(widths) - right for i in range(len(widths))]
    return "\n".join("  ".join(text.ljust(w) if f else text.rjust(w) for text, w, f in zip(row, widths, flush)).rstrip() for row in rows)


def machine():
    """Returns what the numbers were measured on, in a line."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{datetime.date.today()}: {THREADS} cores of {model}{load}"
