#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["numba>=0.62", "numpy>=2.0", "scipy>=1.15", "shapely>=2.1"]
# ///
"""Pack copies of a polygon into small squares, one for each number of copies; a budget of CPU seconds is kept.

Without a move the tool divides its budget itself: each attempt goes where attempts of late gained most for their work.
A run that was killed goes on when the same command is given again.
"""

import argparse
import json
import sys
import time
from pathlib import Path

SMALL, MIDDLE = 20, 60
MOVES = {  # name -> a first guess of the CPU seconds worth spending, and the score gained in one where measured
    "lattice": {"seconds": 25, "gain_per_second": 3.9, "after": [], "repeat": False},
    "small": {"seconds": 40, "gain_per_second": None, "after": ["lattice"], "repeat": True},
    "middle": {"seconds": 80, "gain_per_second": None, "after": ["lattice"], "repeat": True},
    "large": {"seconds": 160, "gain_per_second": None, "after": ["lattice"], "repeat": True},
    "all": {"seconds": 200, "gain_per_second": 0.02, "after": ["lattice"], "repeat": True},
    "squeeze": {"seconds": 120, "gain_per_second": 0.0005, "after": ["all"], "repeat": False},
}
RESERVE = 5.0  # CPU seconds for the last check of the whole submission
SAVE = 2.0  # CPU seconds between two checkpoints
CELLS, CELL_STEPS, TURNS = 100, 20_000, 600


def moves() -> list[dict[str, object]]:
    """What may be chosen, for whoever divides a budget over several runs."""
    return [{"name": name, "arguments": ["--move", name], **settings} for name, settings in MOVES.items()]


def sizes(move: str, smallest: int, largest: int) -> tuple[int, ...]:
    low, high = {"small": (1, SMALL), "middle": (SMALL + 1, MIDDLE), "large": (MIDDLE + 1, largest)}.get(
        move, (smallest, largest)
    )
    return tuple(range(max(low, smallest), min(high, largest) + 1))


def run(given: argparse.Namespace) -> dict[str, object]:
    """Better the run's pool until the budget is spent; the result."""
    import lattice
    import metric
    import numpy as np
    import search
    from pool import SIZES, Pool, submission, write_whole
    from problem import LARGEST, SMALLEST

    given.run.mkdir(parents=True, exist_ok=True)
    checkpoint = given.run / "pool.npz"
    pool = Pool.load(checkpoint) if checkpoint.exists() else Pool()
    spent, attempts = pool.notes.get("seconds", 0.0), int(pool.notes.get("attempts", 0))
    for other in given.start:
        pool.take(Pool.load(other / "pool.npz"))

    def seconds() -> float:
        return spent + time.process_time()

    def save() -> None:
        pool.notes |= {"seconds": seconds(), "attempts": attempts}
        pool.save(checkpoint)

    def left() -> bool:
        return seconds() < given.seconds - RESERVE and (given.attempts is None or attempts < given.attempts)

    chance = np.random.default_rng((given.seed, attempts))
    search.seed_numba(given.seed * 1000 + attempts % 1000)
    if not len(pool.cells):
        pool.cells = lattice.cells(CELLS, CELL_STEPS, given.seed, 20)
    if any(n not in pool.best for n in SIZES):
        search.scan(pool, LARGEST, chance, TURNS)
        search.thin(pool, SIZES)
        save()
    looking = search.Search(pool, chance, sizes=sizes(given.move, SMALLEST, LARGEST))
    if given.move == "squeeze":
        for n in sorted(looking.sizes):
            if not left():
                break
            looking.attempt(n, "squeeze")
            save()
    elif given.move != "lattice":
        saved = seconds()
        shown = seconds()
        while looking.sizes and left():
            looking.step()
            attempts += 1
            if seconds() - saved > SAVE:
                save()
                saved = seconds()
            if seconds() - shown > 60:
                print(f"{seconds():.0f} CPU s, {attempts} attempts: {pool.score():.5f}", file=sys.stderr, flush=True)
                shown = seconds()
    search.thin(pool, SIZES)
    save()
    write_whole(given.run / "submission.csv", submission(pool.best).encode())
    try:
        total, problem = metric.score(given.run / "submission.csv"), ""
    except metric.Invalid as error:
        total, problem = None, str(error)
    result: dict[str, object] = {
        "ok": not problem,
        "score": total,
        "spread": None,
        "direction": "minimize",
        "submission": str(given.run / "submission.csv"),
        "cpu_seconds": round(time.process_time(), 2),
        "gates": [{"name": "official", "ok": not problem, "value": total, "limit": None, "why": problem or "accepted"}],
        "details": {"move": given.move, "attempts": attempts, "cpu_seconds_of_all_starts": round(seconds(), 2)},
    }
    write_whole(given.run / "metrics.json", (json.dumps(result, indent=1) + "\n").encode())
    return result


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--competition", type=Path, help="the competition's folder")
    parser.add_argument("--run", type=Path, help="the folder to write into; it holds the checkpoint")
    parser.add_argument("--seconds", type=float, default=600.0, help="CPU seconds, with those of earlier starts")
    parser.add_argument("--attempts", type=int, help="end after so many attempts: then a seed alone decides the result")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--from", dest="start", type=Path, action="extend", nargs="+", default=[], help="runs")
    parser.add_argument("--move", choices=list(MOVES), default="all", help="what to work on (all)")
    parser.add_argument("--moves", action="store_true", help="print what may be chosen")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, write nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args(words)
    if given.moves:
        print(json.dumps(moves()) if given.json else "\n".join(MOVES))
        return 0
    if given.run is None:
        parser.error("--run is needed: the folder to write into")
    missing = [folder for folder in given.start if not (folder / "pool.npz").is_file()]
    if missing:
        print(f"packing-2d: {missing[0]} holds no pool.npz: name a run of this tool", file=sys.stderr)
        return 1
    if given.dry_run:
        print(f"would spend up to {given.seconds:g} CPU seconds on {given.move} in {given.run}")
        return 0
    result = run(given)
    if given.json:
        print(json.dumps(result))
    elif result["ok"]:
        print(f"score {result['score']:.6f}, {result['submission']}")
    if not result["ok"]:
        print(f"packing-2d: the official metric refuses it: {result['gates'][0]['why']}", file=sys.stderr)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
