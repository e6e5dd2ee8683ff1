"""How much of what was planted is found: `python -m benchmarks.planted [--json FILE] [--peers]`.

Each log is made here and mined in a process of its own, so that time and memory are the miner's. Compiling is not
timed. A list is judged by its first 30 patterns and as a whole:

recall    planted workflows that some pattern equals by at least .8 (twice the common sub-sequence over both lengths)
dr30      the same among the first 30
spurious  patterns among the first 30 that neither equal a planted workflow so nor are a part of one
precision, coverage   of the events in patterns those that are planted, and of the planted those that are in patterns
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.planting import BASE, DECOYS, HARD, HARDER, Log, Recipe, plant, shuffled
from meta.mining.events import Trace
from meta.mining.patterns import Pattern, find

RECIPES = {"base": BASE, "decoys": DECOYS, "hard": HARD, "harder": HARDER}
SAME = 0.8
FIRST = 30
PEER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Result:
    """What one miner found in one log. `seconds` is processor time, `megabytes` the peak of its process."""

    miner: str
    recipe: str
    events: int
    seed: int
    patterns: int
    recall: float
    dr30: float
    spurious: int
    precision: float | None
    coverage: float | None
    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern as every miner can give it: its steps, and the (session, position) of its events where known."""

    steps: tuple[int, ...]
    events: frozenset[tuple[int, int]] = frozenset()


def traces(sessions: Iterable[np.ndarray]) -> list[Trace]:
    return [Trace(session, np.zeros(len(session), np.float32), i) for i, session in enumerate(sessions)]


def ours(sessions: list[np.ndarray]) -> list[Finding]:
    return [_finding(pattern) for pattern in find(traces(sessions)) if not pattern.loop]


def runs(sessions: list[np.ndarray]) -> list[Finding]:
    """Contiguous runs of 3 to 8 symbols seen three times, the longest and commonest first."""
    counts = Counter(
        tuple(session[i : i + n].tolist())
        for session in sessions
        for n in range(3, 9)
        for i in range(len(session) - n + 1)
    )
    often = [run for run, count in counts.items() if count >= 3]
    return [Finding(run) for run in sorted(often, key=lambda run: (-counts[run] * (len(run) - 1), run))]


def prefixspan(sessions: list[np.ndarray]) -> list[Finding]:
    """The thousand commonest closed sub-sequences of three or more symbols."""
    miner = importlib.import_module("prefixspan").PrefixSpan([session.tolist() for session in sessions])
    miner.minlen = 3
    found = miner.topk(1000, closed=True)
    return [Finding(tuple(steps)) for count, steps in sorted(found, key=lambda f: (-f[0] * (len(f[1]) - 1), f[1]))]


MINERS: dict[str, Callable[[list[np.ndarray]], list[Finding]]] = {"meta": ours, "runs": runs, "prefixspan": prefixspan}


def likeness(a: Sequence[object], b: Sequence[object]) -> float:
    return 2 * common(a, b) / (len(a) + len(b))


def alike(a: Sequence[object], b: Sequence[object]) -> bool:
    return likeness(a, b) >= 0.8


def common(a: Sequence[object], b: Sequence[object]) -> int:
    """Length of the longest common sub-sequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b):
            above = row[j + 1]
            row[j + 1] = diagonal + 1 if x == y else max(above, row[j])
            diagonal = above
    return row[-1]


def share_found(workflows: list[tuple[int, ...]], findings: list[Finding]) -> float:
    return sum(any(likeness(f.steps, w) >= SAME for f in findings) for w in workflows) / len(workflows)


def is_spurious(steps: tuple[int, ...], workflows: list[tuple[int, ...]]) -> bool:
    return not any(likeness(steps, w) >= SAME or common(steps, w) == len(steps) for w in workflows)


def judge(
    log: Log, findings: list[Finding], *, miner: str, recipe: str, seed: int, seconds: float, megabytes: float
) -> Result:
    covered = frozenset[tuple[int, int]]().union(*(f.events for f in findings))
    right = sum(log.owners[session][position] >= 0 for session, position in covered)
    planted = sum(int((owners >= 0).sum()) for owners in log.owners)
    return Result(
        miner=miner,
        recipe=recipe,
        events=sum(len(session) for session in log.sessions),
        seed=seed,
        patterns=len(findings),
        recall=share_found(log.workflows, findings),
        dr30=share_found(log.workflows, findings[:FIRST]),
        spurious=sum(is_spurious(f.steps, log.workflows) for f in findings[:FIRST]),
        precision=right / len(covered) if covered else None,
        coverage=right / planted if covered else None,
        seconds=seconds,
        megabytes=megabytes,
    )


def spurious_in_shuffled(recipe: Recipe, seeds: Iterable[int]) -> float:
    """Patterns found in a shuffled log, on average over logs shuffled within their sessions and over all of them."""
    counts = [
        len(find(traces(shuffled(log, seed, within=within))))
        for seed in seeds
        for log in [plant(recipe, seed)]
        for within in (True, False)
    ]
    return statistics.mean(counts)


def measure(miner: str, name: str, recipe: Recipe, seed: int) -> Result | None:
    """One miner on one log in a process of its own; None where it took too long."""
    log = plant(recipe, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.npz"
        np.savez(path, symbols=np.concatenate(log.sessions), lengths=[len(session) for session in log.sessions])
        command = [sys.executable, "-m", "benchmarks.planted", "--mine", str(path), "--miner", miner]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=None if miner == "meta" else PEER_SECONDS
            )
        except subprocess.TimeoutExpired:
            return None
    answer = json.loads(done.stdout)
    findings = [Finding(tuple(steps), frozenset(map(tuple, events))) for steps, events in answer["findings"]]
    return judge(
        log,
        findings,
        miner=miner,
        recipe=name,
        seed=seed,
        seconds=answer["seconds"],
        megabytes=answer["megabytes"],
    )


def mine(path: Path, miner: str) -> None:
    """Mine a stored log and print what was found, the processor time and the peak of memory."""
    stored = np.load(path)
    sessions = np.split(stored["symbols"], np.cumsum(stored["lengths"])[:-1])
    if miner == "meta":
        find(traces(plant(replace(BASE, events=500, workflows=3), 0).sessions))  # reads the compiled code
    start = time.process_time()
    findings = MINERS[miner](sessions)
    seconds = time.process_time() - start
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    listed = [(finding.steps, sorted(finding.events)) for finding in findings]
    print(json.dumps({"findings": listed, "seconds": seconds, "megabytes": megabytes}))


def table(results: list[Result]) -> str:
    """Means over the seeds, the worst seed's figure in brackets."""
    rows = [
        f"{'miner':11}{'recipe':8}{'events':>9} {'n':>6} {'recall':>11} {'dr30':>11} {'spur':>8} {'P/R':>9} {'s':>6} {'MB':>5}"
    ]
    groups: dict[tuple[str, str, int], list[Result]] = {}
    for r in results:
        groups.setdefault((r.miner, r.recipe, round(r.events, -3)), []).append(r)
    for (miner, recipe, events), group in groups.items():
        quality = "-"
        if group[0].precision is not None:
            quality = f"{_mean(r.precision or 0 for r in group):.2f}/{_mean(r.coverage or 0 for r in group):.2f}"
        rows.append(
            f"{miner:11}{recipe:8}{events:9} {_mean(r.patterns for r in group):6.0f}"
            f" {_mean(r.recall for r in group):.3f} ({min(r.recall for r in group):.2f})"
            f" {_mean(r.dr30 for r in group):.3f} ({min(r.dr30 for r in group):.2f})"
            f" {_mean(r.spurious for r in group):4.1f} ({max(r.spurious for r in group)}) {quality:>9}"
            f" {_mean(r.seconds for r in group):6.2f} {max(r.megabytes for r in group):5.0f}"
        )
    return "\n".join(rows)


def _finding(pattern: Pattern) -> Finding:
    events = {(i.trace, position) for i in pattern.instances for position in i.positions if position >= 0}
    return Finding(pattern.steps, frozenset(events))


def _mean(values: Iterable[float]) -> float:
    return statistics.mean(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--peers", action="store_true", help="run other miners on the smallest size too")
    parser.add_argument("--json", type=Path, help="where the single results are written")
    parser.add_argument("--mine", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--miner", choices=MINERS, default="meta", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mine:
        mine(options.mine, options.miner)
        return
    miners = ["meta"]
    if options.peers:
        miners += ["runs"] + (["prefixspan"] if importlib.util.find_spec("prefixspan") else [])
    results: list[Result] = []
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for events in options.events:
        # the hard recipes are about rare workflows, which there are in short logs only
        for name in options.recipes if events == min(options.events) else ["base"]:
            for miner in miners if events == min(options.events) and name == "base" else ["meta"]:
                for seed in seeds:
                    result = measure(miner, name, replace(RECIPES[name], events=events), seed)
                    if result is None:
                        print(f"{miner} on {name} with {events} events: over {PEER_SECONDS} s", file=sys.stderr)
                        break
                    results.append(result)
    print(table(results))
    print(f"in a shuffled log: {spurious_in_shuffled(BASE, seeds):.3f} patterns")
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1))


if __name__ == "__main__":
    main()
