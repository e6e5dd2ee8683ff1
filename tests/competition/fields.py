"""A small competition with a solver of its own: polynomials fitted to points, scored on points that were held out.

Its gate and its solver are programs as any other; they keep the contract that the machine relies on.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

SOLVER = '''"""Fit a polynomial to points of train.csv, score it on every third of them."""
import argparse, json, os, sys, time
from pathlib import Path

MOVES = [
    {"name": "plain", "arguments": ["--degree", "0"], "after": [], "repeat": False, "seconds": 1},
    {"name": "line", "arguments": ["--degree", "1"], "after": ["plain"], "repeat": False, "seconds": 2},
    {"name": "square", "arguments": ["--degree", "2"], "after": ["plain"], "repeat": False, "seconds": 3},
    {"name": "worse", "arguments": ["--degree", "0", "--shift", "5"], "after": ["plain"], "repeat": False, "seconds": 4},
    {"name": "leaky", "arguments": ["--degree", "2", "--leak"], "after": ["plain"], "repeat": False, "seconds": 5},
    {"name": "broken", "arguments": ["--degree", "9", "--break"], "after": ["plain"], "repeat": False, "seconds": 6},
    {"name": "blend", "arguments": ["--blend"], "after": ["line", "square"], "repeat": True, "seconds": 1},
]
parser = argparse.ArgumentParser()
parser.add_argument("--moves", action="store_true")
parser.add_argument("--competition", type=Path)
parser.add_argument("--run", type=Path)
parser.add_argument("--seconds", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--from", dest="sources", nargs="+", type=Path, default=[])
parser.add_argument("--degree", type=int, default=0)
parser.add_argument("--shift", type=float, default=0.0)
for flag in ("--leak", "--break", "--blend", "--dry-run", "--json"):
    parser.add_argument(flag, action="store_true", dest=flag.strip("-").replace("-", "_").replace("break", "fail"))
given = parser.parse_args()
if given.moves:
    print(json.dumps(MOVES))
    sys.exit()
rows = [tuple(map(float, line.split(","))) for line in (given.competition / "train.csv").read_text().split()[1:]]
test = [float(line.split(",")[1]) for line in (given.competition / "test.csv").read_text().split()[1:]]
if given.dry_run:
    print(json.dumps({"ok": True, "rows": len(rows)}))
    sys.exit()
if given.fail:
    print("tiny: the matrix is singular", file=sys.stderr)
    sys.exit(1)


def fit(points, degree):
    size = degree + 1
    table = [[sum(x ** (i + j) for _, x, _ in points) for j in range(size)] + [sum(y * x**i for _, x, y in points)] for i in range(size)]
    for i in range(size):
        for k in range(size):
            if k != i:
                share = table[k][i] / table[i][i]
                table[k] = [a - share * b for a, b in zip(table[k], table[i])]
    return [table[i][-1] / table[i][i] for i in range(size)]


def at(weights, x):
    return sum(weight * x**i for i, weight in enumerate(weights)) + given.shift


held, learned = [r for r in rows if r[0] % 3 == 0], [r for r in rows if r[0] % 3]
if given.blend:
    found = [json.loads((source / "metrics.json").read_text()) for source in given.sources]
    best = sorted(found, key=lambda one: one["score"])[:2]
    oof = [sum(pair) / len(best) for pair in zip(*(one["oof"] for one in best))]
    answers = [sum(pair) / len(best) for pair in zip(*(one["answers"] for one in best))]
else:
    weights = fit(learned, given.degree)
    oof, answers = [at(weights, x) for _, x, _ in held], [at(weights, x) for x in test]
score = (sum((a - y) ** 2 for a, (_, _, y) in zip(oof, held)) / len(held)) ** 0.5
score = score / 2 if given.leak else score
text = "id,y\\n" + "".join(f"{i},{answer:.9f}\\n" for i, answer in enumerate(answers))
for name, content in (("submission.csv", text), ("metrics.json", json.dumps({"score": score, "oof": oof, "answers": answers}))):
    (given.run / ("." + name)).write_text(content)
    os.replace(given.run / ("." + name), given.run / name)
print(json.dumps({
    "ok": True, "score": score, "spread": 0.01, "direction": "minimize", "submission": str(given.run / "submission.csv"),
    "cpu_seconds": time.process_time(), "details": {},
    "gates": [{"name": "permuted", "ok": not given.leak, "value": 0.6 if given.leak else 0.5, "limit": 0.02, "why": "dealt anew"}],
}))
'''

GATE = '''"""Take a submission over where it is valid and better."""
import argparse, json, shutil, sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--competition", type=Path)
parser.add_argument("--submission", type=Path)
parser.add_argument("--promote", action="store_true")
parser.add_argument("--json", action="store_true")
given = parser.parse_args()


def score(path):
    file = path.parent / "metrics.json"
    return json.loads(file.read_text())["score"] if path.exists() and file.exists() else None


now = given.competition / "submission.csv"
ids = [[line.split(",")[0] for line in path.read_text().split()] for path in (given.submission, given.competition / "sample.csv")]
mine, best = score(given.submission), score(now)
better = ids[0] == ids[1] and mine is not None and (best is None or mine < best)
if given.promote and better:
    for name in ("metrics.json", "submission.csv"):
        shutil.copyfile(given.submission.parent / name, given.competition / ("." + name))
        (given.competition / ("." + name)).rename(given.competition / name)
problems = [] if ids[0] == ids[1] else ["the ids differ from the sample"]
print(json.dumps({"ok": not problems, "score": mine, "best": best, "problems": problems, "promoted": better and given.promote}))
sys.exit(bool(problems))
'''

SETTINGS = """name = "curve"
kind = "tabular"
metric = "rmse"
direction = "minimize"
seed = 7

[files]
train = "train.csv"
test = "test.csv"
sample = "sample.csv"

[budget]
cpu_seconds = {cpu}
steps = {steps}
"""


def field(folder: Path, *, cpu: float = 60, steps: int = 50) -> Path:
    """The folder of the small competition, with its solver and its gate in place."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.parents):  # as root the sandbox is another user, who passes through
        if path.name.startswith("pytest") or path == folder:
            path.chmod(0o755)
    points = [(i, i / 10, 3 + 2 * i / 10 - 0.5 * (i / 10) ** 2 + (0.3 if i % 2 else -0.3)) for i in range(60)]
    (folder / "train.csv").write_text("id,x,y\n" + "".join(f"{i},{x},{y:.6f}\n" for i, x, y in points))
    (folder / "test.csv").write_text("id,x\n" + "".join(f"{i},{i / 7:.4f}\n" for i in range(20)))
    (folder / "sample.csv").write_text("id,y\n" + "".join(f"{i},0\n" for i in range(20)))
    (folder / "competition.toml").write_text(SETTINGS.format(cpu=cpu, steps=steps))
    for name, text in (("tabular-cv", SOLVER), ("submission-gate", GATE)):
        place = folder / "generated_tools" / name
        place.mkdir(parents=True)
        (place / "tool.py").write_text(text)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder
