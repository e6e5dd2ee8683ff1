"""What packing-2d reaches for its CPU seconds: `python -m benchmarks.packing SECONDS [SECONDS …] [--run DIR]`.

The tool is rendered as a user would have it and given one budget after the other on one run, each going on where the
one before ended; compiling counts. The last table is the test of a pair of copies against shapely's.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import copier

TEMPLATES = Path(__file__).parents[1] / "templates"
TREE = [
    [0, 0.8], [0.125, 0.5], [0.0625, 0.5], [0.2, 0.25], [0.1, 0.25], [0.35, 0], [0.075, 0], [0.075, -0.2],
    [-0.075, -0.2], [-0.075, 0], [-0.35, 0], [-0.1, 0.25], [-0.2, 0.25], [-0.0625, 0.5], [-0.125, 0.5],
]  # fmt: skip
BANDS = ((1, 20), (21, 40), (41, 80), (81, 120), (121, 200))
SHOW = """
import json, sys
from pathlib import Path
from pool import Pool
pool = Pool.load(Path(sys.argv[1]) / "pool.npz")
print(json.dumps({n: side * side / n for n, side in pool.sides.items()}))
"""
PAIRS = """
import json, math, time
import numpy as np
import test_tool
from geometry import overlaps, placed
from numba import njit

@njit
def every(corners, normals, circles, answers, times):
    for block in range(0, len(answers), 100):  # as many copies as a group has: they stay in the cache
        for _ in range(times):
            for k in range(block, min(block + 100, len(answers))):
                answers[k] = overlaps(corners, normals, circles, 2 * k, 2 * k + 1)

pairs = test_tool.pairs(20_000)
shapes = [(test_tool.shape(two[0]), test_tool.shape(two[1])) for two in pairs]
parts, answers = placed(np.concatenate(pairs)), np.zeros(len(pairs), np.bool_)
every(*parts, answers, 1)
start = time.process_time()
every(*parts, answers, 20)
ours = (time.process_time() - start) / 20 / len(pairs)
start = time.process_time()
theirs = [a.intersects(b) and not a.touches(b) for a, b in shapes]
slow = (time.process_time() - start) / len(pairs)
print(json.dumps([ours * 1e9, slow * 1e9, int(np.sum(answers != np.array(theirs))), int(np.sum(answers))]))
"""


def rendered(template: str, folder: Path, **answers: object) -> Path:
    """The folder with the rendered tool."""
    data = {"polygon": TREE, **answers} if template == "packing-2d" else answers
    copier.run_copy(str(TEMPLATES / template), folder, data=data, defaults=True, quiet=True, overwrite=True)
    return folder


def ran(folder: Path, *command: str) -> str:
    """What a Python program printed on its last line."""
    done = subprocess.run([sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="+")
    parser.add_argument("--run", type=Path, help="keep the run here, or go on with the one that lies here")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, one core, CPU seconds with compiling, seed {given.seed}")
    print("| CPU s | total | " + " | ".join(f"n {low}-{high}" for low, high in BANDS) + " | attempts | official |")
    print("|" + "---|" * (len(BANDS) + 4))
    with tempfile.TemporaryDirectory() as name:
        tool = rendered("packing-2d", Path(name))
        run = (given.run or tool / "run").resolve()
        for seconds in sorted(given.seconds):
            words = ("--run", str(run), "--seconds", str(seconds), "--seed", str(given.seed), "--json")
            result = json.loads(ran(tool, "tool.py", *words))
            each = {int(n): value for n, value in json.loads(ran(tool, "-c", SHOW, str(run))).items()}
            bands = " | ".join(f"{sum(each[n] for n in range(low, high + 1)):.4f}" for low, high in BANDS)
            used, attempts = (result["details"][key] for key in ("cpu_seconds_of_all_starts", "attempts"))
            print(
                f"| {used:.0f} | {result['score']:.4f} | {bands} | {attempts} | {result['gates'][0]['why']} |",
                flush=True,
            )
        ours, theirs, different, overlapping = json.loads(ran(tool, "-c", PAIRS))
    print(f"A pair: {ours:.0f} ns, shapely {theirs:.0f} ns ({theirs / ours:.0f} times), {different} of 20000 answers differ "
          f"({overlapping} overlap)")  # fmt: skip


if __name__ == "__main__":
    main()
