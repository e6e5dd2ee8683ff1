"""How well planted patterns are found again: `python -m benchmarks.planted [--seeds N] [--json]`.

A planted workflow is found when a pattern shares at least 0.8 of its steps in order. A pattern of the first 30 is
spurious when it is neither that nor a part of a planted one. Command lines and parameters are planted elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean

import numpy as np

from benchmarks.planting import BASE, DECOYS, HARD, HARDER, Log, Recipe, plant, shuffled
from meta.mining.events import Trace
from meta.mining.patterns import Pattern, find

ALIKE = 0.8
SHOWN = 30
RECIPES = {"base": BASE, "decoys": DECOYS, "hard": HARD, "harder": HARDER}


@dataclass(frozen=True, slots=True)
class Score:
    """One log: shares are 0 to 1, `spurious` counts among the first 30, `events_*` judge each event's owner."""

    recall: float
    recall_shown: float
    spurious: float
    patterns: float
    events_precision: float
    events_recall: float
    seconds: float


def common(a: Sequence[object], b: Sequence[object]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b):
            diagonal, row[j + 1] = row[j + 1], diagonal + 1 if x == y else max(row[j + 1], row[j])
    return row[-1]


def alike(a: Sequence[object], b: Sequence[object]) -> bool:
    return 2 * common(a, b) / (len(a) + len(b)) >= ALIKE


def traces(sessions: Sequence[np.ndarray]) -> list[Trace]:
    return [Trace(s.astype(np.int32), np.zeros(len(s), np.float32), k) for k, s in enumerate(sessions)]


def owned(log: Log, found: Sequence[Pattern]) -> tuple[float, float]:
    """Precision and recall of the events that patterns alike to a workflow give to it."""
    right = given = 0
    for pattern in found:
        owners = [k for k, workflow in enumerate(log.workflows) if alike(pattern.steps, workflow)]
        for instance in pattern.instances if owners else ():
            places = [place for place in instance.positions if place >= 0]
            right += sum(int(log.owners[instance.trace][place]) in owners for place in places)
            given += len(places)
    there = sum(int((owners >= 0).sum()) for owners in log.owners)
    return right / max(given, 1), right / max(there, 1)


def score(recipe: Recipe, seed: int) -> Score:
    log = plant(recipe, seed)
    laid = traces(log.sessions)
    start = time.perf_counter()
    found = find(laid)
    seconds = time.perf_counter() - start
    shown = [pattern for pattern in found if not pattern.loop][:SHOWN]
    known = [any(alike(p.steps, w) or common(p.steps, w) == len(p.steps) for w in log.workflows) for p in shown]
    precision, recall = owned(log, found)
    return Score(
        recall=fmean(any(alike(p.steps, w) for p in found) for w in log.workflows),
        recall_shown=fmean(any(alike(p.steps, w) for p in shown) for w in log.workflows),
        spurious=float(known.count(False)),
        patterns=float(len(found)),
        events_precision=precision,
        events_recall=recall,
        seconds=seconds,
    )


def noise(seeds: int, *, within: bool) -> list[int]:
    """How many patterns are found in logs without any order, one number a seed."""
    return [len(find(traces(shuffled(plant(BASE, seed), seed, within=within)))) for seed in range(1, seeds + 1)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    find(traces(plant(BASE, 0).sessions))  # the kernels are compiled or loaded outside of the clock
    results = {name: [score(recipe, seed) for seed in range(1, args.seeds + 1)] for name, recipe in RECIPES.items()}
    random = {name: noise(20, within=within) for name, within in (("over all", False), ("within", True))}
    if args.json:
        print(json.dumps({"scores": {n: [asdict(s) for s in r] for n, r in results.items()}, "shuffled": random}))
        return 0
    names = [field.name for field in fields(Score)]
    print(f"{'mean (worst)':<14}" + "".join(f"{name:>20}" for name in names))
    for name, scores in results.items():
        cells = []
        for column in names:
            values = [float(getattr(one, column)) for one in scores]
            worst = max(values) if column in ("spurious", "seconds", "patterns") else min(values)
            cells.append(f"{fmean(values):.3f} ({worst:.3f})")
        print(f"{name:<14}" + "".join(f"{cell:>20}" for cell in cells))
    for name, counts in random.items():
        print(f"shuffled {name}: {sum(counts)} patterns in {len(counts)} logs, at most {max(counts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
