"""How long the main jobs take: `python -m benchmarks.speed CORPUS [--runs N] [--peer NAME=PYTHON ...]`.

CORPUS is a folder with a folder of sessions for each project. Every run is a process of its own with its own cache; the
peak memory is that of the process and all it started, together. Quality is measured elsewhere.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TICK = 0.02  # seconds between looks at the memory
PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")

MINE = """
import sys, time
import numpy as np
from dataclasses import replace
from benchmarks.planting import BASE, plant
from meta.mining.events import Trace
from meta.mining.patterns import find
def traces(size):
    sessions = plant(replace(BASE, events=size), 1).sessions
    return [Trace(s, np.zeros(len(s), np.float32), i) for i, s in enumerate(sessions)]
find(traces(3000))
planted = traces(int(sys.argv[1]))
start, used = time.perf_counter(), time.process_time()
find(planted)
print(time.perf_counter() - start, time.process_time() - used)
"""
BUILD = """
import sys, time, tempfile, pathlib
from meta import flow, verification
from meta.config import Config
from meta.generation import generate, words
for proposal in flow.survey(Config(), [sys.argv[1]]).proposals:
    start = time.perf_counter()
    try:
        tool = generate.generate(proposal.workflow, proposal.estimate, proposal.decision)
    except words.RefusedError:
        continue
    verification.verify(tool, proposal.workflow)
    print(time.perf_counter() - start)
"""
PREFIXSPAN = """
import sys
from pathlib import Path
from prefixspan import PrefixSpan
from meta import sources
from meta.mining.segments import segments
from meta.mining.workflows import commands
sessions = sources.combine(map(sources.read, sources.discover([Path(sys.argv[1])]))).sessions
rows = [[step.head for step in commands(segment)] for session in sessions for segment in segments(session)]
miner = PrefixSpan([row for row in rows if row])
miner.minlen = 2
print(len(miner.frequent(3, closed=True)))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds on the clock, seconds of all processors, the most memory of it and its children in MB."""

    wall: float
    cpu: float
    peak: float
    output: str


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, and the bar that its median must not exceed (None: nothing is promised)."""

    name: str
    values: tuple[float, ...]
    unit: str
    bar: float | None = None
    note: str = ""

    def text(self) -> str:
        low, middle, high = min(self.values), statistics.median(self.values), max(self.values)
        promise = "" if self.bar is None else f"{'<=' if middle <= self.bar else 'OVER'} {self.bar:g}"
        return (
            f"{self.name:<42} {low:9.3f} {middle:9.3f} {high:9.3f} {self.unit:<3} "
            f"n={len(self.values):<3} {promise:<8} {self.note}"
        )


def _family(process: int) -> Iterator[int]:
    """A process and all that it started, those that have ended left out."""
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def together(process: int) -> tuple[int, dict[int, float]]:
    """Memory of a process and all that it started in bytes, and the processor seconds of each."""
    memory, seconds = 0, {}
    for one in _family(process):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            memory += int(fields[21]) * PAGE
            seconds[one] = (int(fields[11]) + int(fields[12])) / TICKS
        except (OSError, IndexError):  # it has ended meanwhile
            continue
    return memory, seconds


def run(argv: Sequence[str], env: Mapping[str, str], limit: float = 600.0, good: Sequence[int] = (0,)) -> Run:
    """One process and all that it starts. Raises `CalledProcessError` where it ends with another code than `good`."""
    peak, seconds = 0, dict[int, float]()
    ended = threading.Event()
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(argv, env=dict(env), stdout=output, start_new_session=True)

        def watch() -> None:
            nonlocal peak
            while not ended.wait(TICK):
                memory, used = together(process.pid)
                peak = max(peak, memory)
                seconds.update(used)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            code = process.wait(limit)
        finally:
            process.kill()
            wall = time.perf_counter() - start
            ended.set()
            watcher.join()
        output.seek(0)
        text = output.read()
    if code not in good:
        raise subprocess.CalledProcessError(code, list(argv), text)
    return Run(wall, sum(seconds.values()), peak / 2**20, text)


def environment(folder: Path) -> dict[str, str]:
    """Folders of its own, compiled Python files kept there as an installation would have them."""
    kept = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    }
    own = {name: str(folder / name) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    return {**kept, **own, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def shortened(corpus: Path) -> list[tuple[Path, bytes]]:
    """The middle session, by size, of each project, now without its last fifth; and what it was before."""
    found = []
    for project in sorted(path for path in corpus.iterdir() if path.is_dir()):
        sessions = sorted(project.rglob("*.jsonl"), key=lambda path: (path.stat().st_size, path))
        if sessions:
            path = sessions[len(sessions) // 2]
            whole = path.read_bytes()
            lines = whole.splitlines(keepends=True)
            path.write_bytes(b"".join(lines[: len(lines) * 4 // 5]))
            found.append((path, whole))
    return found


def mined(corpus: Path, folder: Path, runs: int) -> list[Row]:
    """The whole corpus with nothing cached, with everything cached, and after one session of each project went on."""
    env = environment(folder)
    copy = folder / "corpus"
    shutil.copytree(corpus, copy)
    before = shortened(copy)
    mine = [sys.executable, "-m", "meta", "mine", str(copy), "--json"]
    cold, changed = [], []
    for _ in range(runs):
        shutil.rmtree(folder / "XDG_CACHE_HOME", ignore_errors=True)
        cold.append(run(mine, env))
    warm = [run(mine, env) for _ in range(runs)]
    for path, whole in before:
        path.write_bytes(whole)
        changed.append(run(mine, env))
        print(f"  {path.relative_to(copy).parts[0]} {changed[-1].wall:.2f}", file=sys.stderr)
    peak = max(one.peak for one in cold)
    return [
        Row("mine, nothing cached", tuple(one.wall for one in cold), "s", 20.0, f"peak {peak:.0f} MB"),
        Row("  the same, processor time", tuple(one.cpu for one in cold), "s"),
        Row("mine, nothing changed", tuple(one.wall for one in warm), "s", 1.0),
        Row("mine, one session changed", tuple(one.wall for one in changed), "s", 1.0, f"{len(changed)} projects"),
        Row("  the same, processor time", tuple(one.cpu for one in changed), "s"),
    ]


def first(corpus: Path, folder: Path) -> Row:
    """The first run on a machine: the kernels are compiled too."""
    env = {**environment(folder), "XDG_CACHE_HOME": str(folder / "first"), "NUMBA_CACHE_DIR": str(folder / "kernels")}
    once = run([sys.executable, "-m", "meta", "mine", str(corpus), "--json"], env)
    return Row("mine, first run after installation", (once.wall,), "s", None, f"processor {once.cpu:.1f} s")


def help_page(folder: Path, runs: int) -> Row:
    """`meta --help` against an interpreter that does nothing, by turns."""
    env = environment(folder)
    ratios = []
    for _ in range(runs):
        bare = run([sys.executable, "-c", "pass"], env)
        page = run([sys.executable, "-m", "meta", "--help"], env)
        ratios.append(page.wall / bare.wall)
    return Row("meta --help / python -c pass", (statistics.median(ratios),), "x", 4.0, f"median of {runs}")


def patterns(folder: Path, size: int, runs: int, bar: float, most: float) -> list[Row]:
    """Mining alone on a planted log."""
    done = [run([sys.executable, "-c", MINE, str(size)], environment(folder)) for _ in range(runs)]
    walls, used = zip(*(map(float, one.output.split()) for one in done), strict=True)
    return [
        Row(f"patterns of {size:,} events", walls, "s", bar),
        Row("  the same, processor time", used, "s"),
        Row("  peak memory, planting included", tuple(one.peak for one in done), "MB", most),
    ]


def tools(corpus: Path, folder: Path) -> Row:
    """Generating and verifying a tool for each proposal."""
    output = run([sys.executable, "-c", BUILD, str(corpus)], environment(folder)).output
    values = tuple(map(float, output.split())) or (0.0,)
    return Row("generate and verify one tool", values, "s", 3.0, f"slowest {max(values):.2f} s")


def _awmine(python: Path, corpus: Path, folder: Path) -> Run:
    home = folder / "awmine-home"
    home.mkdir()
    argv = [str(python.parent / "awmine"), "run", "--full", "--quiet", "--out", str(folder / "awmine"), "--roots"]
    return run(
        [*argv, str(corpus)], {**os.environ, "HOME": str(home)}, good=(0, 1)
    )  # 1: it found leaks in its own output


def _prefixspan(python: Path, corpus: Path, folder: Path) -> Run:
    place = subprocess.run(
        [str(python), "-c", "import prefixspan, os; print(os.path.dirname(os.path.dirname(prefixspan.__file__)))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    env = environment(folder)
    return run([sys.executable, "-c", PREFIXSPAN, str(corpus)], {**env, "PYTHONPATH": f"{ROOT}{os.pathsep}{place}"})


PEERS: Mapping[str, Callable[[Path, Path, Path], Run]] = {"awmine": _awmine, "prefixspan": _prefixspan}


def peer(name: str, python: Path, corpus: Path, folder: Path) -> str:
    """One line: the peer's time on the same corpus, or what it could not do."""
    if name not in PEERS:
        return f"peer {name}: does not read recorded sessions"
    try:
        done = PEERS[name](python, corpus, folder)
    except (subprocess.SubprocessError, OSError) as error:
        return f"peer {name}: did not run ({type(error).__name__}: {str(error)[:100]})"
    return f"peer {name}: {done.wall:.2f} s, {done.peak:.0f} MB"


def machine() -> str:
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load:.1f}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="a peer's interpreter")
    args = parser.parse_args(argv)
    corpus = args.corpus.resolve()
    print(machine())
    print(f"{'':<42} {'min':>9} {'median':>9} {'max':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [first(corpus, folder)]
        jobs: tuple[Callable[[], list[Row]], ...] = (
            lambda: mined(corpus, folder, args.runs),
            lambda: [help_page(folder, 20)],
            lambda: patterns(folder, 100_000, args.runs, 1.0, 500.0),
            lambda: patterns(folder, 1_000_000, max(1, args.runs // 2), 10.0, 500.0),
            lambda: [tools(corpus, folder)],
        )
        print(rows[0].text(), flush=True)
        for job in jobs:
            for row in job():
                rows.append(row)
                print(row.text(), flush=True)
        for peer_name, _, python in (one.partition("=") for one in args.peer):
            print(peer(peer_name, Path(python), corpus, folder), flush=True)
    print(machine())
    return int(any(row.bar is not None and statistics.median(row.values) > row.bar for row in rows))


if __name__ == "__main__":
    sys.exit(main())
