"""Record the bundled sample archive by really living a scripted day: `python -m benchmarks.sample_day DIR`.

A small prediction project is made in a scratch folder and worked on in nineteen sessions. Every command is run, every
output, exit status and duration is what was seen. The pauses before each call stand for the model's thinking: they are
slept for real, drawn around the 4.9 s that a model round trip takes in the median of public sessions. The sessions are
labelled `scripted`; no agent and no person took part. It takes about ten minutes.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from meta import archive
from meta.model import Event, Session, Usage

MODEL = "claude-sonnet-4-5"  # names the price list only; no model was called

FILES = {
    "train.py": '''"""Fit a line to one fold and keep its out-of-fold predictions."""
import argparse
import csv
import hashlib
import pathlib
import random

parser = argparse.ArgumentParser()
parser.add_argument("--fold", type=int, required=True)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
rows = [(x, 3 * x + random.gauss(0, 1)) for x in (random.random() for _ in range(500))]
train = [row for index, row in enumerate(rows) if index % 5 != args.fold]
held = [row for index, row in enumerate(rows) if index % 5 == args.fold]
mean_x = sum(x for x, _ in train) / len(train)
mean_y = sum(y for _, y in train) / len(train)
slope = sum((x - mean_x) * (y - mean_y) for x, y in train) / sum((x - mean_x) ** 2 for x, _ in train)
run = hashlib.sha1(f"{args.fold}-{args.seed}".encode()).hexdigest()[:8]
folder = pathlib.Path("runs") / run
folder.mkdir(parents=True, exist_ok=True)
with (folder / "oof.csv").open("w", newline="") as file:
    csv.writer(file).writerows((y, mean_y + slope * (x - mean_x)) for x, y in held)
print(f"fold {args.fold}: slope {slope:.4f}, {len(held)} rows held out")
print(f"saved run {run}")
''',
    "score.py": '''"""The root mean squared error of a run's out-of-fold predictions."""
import csv
import sys

with open(sys.argv[1]) as file:
    pairs = [(float(a), float(b)) for a, b in csv.reader(file)]
print(f"rmse {(sum((a - b) ** 2 for a, b in pairs) / len(pairs)) ** 0.5:.5f}")
''',
    "log_run.py": '''"""Append a run to the log."""
import argparse
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--run", required=True)
parser.add_argument("--note", required=True)
args = parser.parse_args()
log = pathlib.Path("TRAINING_LOG.md")
log.write_text((log.read_text() if log.exists() else "# Runs\\n\\n") + f"- {args.run}: {args.note}\\n")
print(f"logged {args.run}")
''',
    "features.py": '"""Features of a row."""\n\n\ndef scaled(x: float) -> float:\n    return x / 100\n',
    "test_features.py": "from features import scaled\n\n\ndef test_scaled():\n    assert scaled(100) == 1\n",
    ".gitignore": "runs/\n__pycache__/\n.pytest_cache/\n.ruff_cache/\n",
}


@dataclass
class Recorder:
    """Runs commands in the project and keeps what happened as events."""

    root: Path
    rng: random.Random
    session: str
    events: list[Event] = field(default_factory=list)
    context: int = 30_000

    def _id(self) -> str:
        return f"{self.session}-{len(self.events):02d}"

    def prompt(self, text: str) -> None:
        self.events.append(Event(self._id(), "prompt", time.time(), text, cwd=str(self.root)))

    def _usage(self) -> Usage:
        self.context += 600
        return Usage(input=8, output=90, cache_read=self.context, cache_write=600)

    def _think(self) -> None:
        time.sleep(min(max(self.rng.lognormvariate(1.55, 0.35), 2.0), 12.0))

    def edit(self, name: str, text: str) -> None:
        self._think()
        at = time.time()
        (self.root / name).write_text(text)
        self.events.append(
            Event(self._id(), "call", at, "", "Edit", "edit", {"file_path": name}, "ok", None, time.time() - at,
                  "", self._id(), self._usage(), MODEL, str(self.root))
        )  # fmt: skip

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        self._think()
        at = time.time()
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.root, capture_output=True, text=True, check=False, env=environment
        )
        output = (done.stdout + done.stderr).replace(str(self.root), ".")
        self.events.append(
            Event(self._id(), "call", at, command, "Bash", "shell", {}, "failed" if done.returncode else "ok",
                  done.returncode, time.time() - at, output, self._id(), self._usage(), MODEL, str(self.root))
        )  # fmt: skip
        return done


def gate(day: Recorder, number: int) -> None:
    """Change a feature, test, lint (repairing it if need be), commit."""
    day.prompt(f"Add a feature for column {number}, run the tests and the linter, then commit")
    day.run("cat features.py")
    text = (day.root / "features.py").read_text()
    if number % 2 == 0:  # an unused import, which the linter finds and repairs
        text = text.replace('"""Features of a row."""\n', '"""Features of a row."""\n\nimport os\n')
    day.edit("features.py", text + f"\n\ndef column_{number}(x: float) -> float:\n    return scaled(x) * {number}\n")
    if number % 4 == 1:
        day.run("ls")
    if day.run("python -m pytest -q").returncode:
        return
    if day.run("ruff check .").returncode:
        day.run("ruff check --fix .")
        day.run("ruff check .")
    day.run("git add features.py")
    day.run(f'git commit -q -m "Add feature column {number}"')


def experiment(day: Recorder, fold: int, seed: int) -> None:
    """Train a fold, score it, log it, commit the log."""
    day.prompt(f"Train fold {fold} with seed {seed}, score it and log the run")
    run = day.run(f"python train.py --fold {fold} --seed {seed}").stdout.split()[-1]
    if fold == 2:
        day.run(f"head -3 runs/{run}/oof.csv")
    score = day.run(f"python score.py runs/{run}/oof.csv").stdout.split()[-1]
    day.run(f'python log_run.py --run {run} --note "fold {fold}, rmse {score}"')
    day.run("git add TRAINING_LOG.md")
    day.run(f'git commit -q -m "Log fold {fold} of seed {seed}"')


def look(day: Recorder, question: str) -> None:
    """Only looks around: nothing here is worth a tool."""
    day.prompt(question)
    day.run("git status --short")
    day.run("ls")
    day.run("grep -n def features.py")
    day.run("cat train.py | head -20")


def sessions(root: Path) -> Iterator[Session]:
    rng = random.Random(11)
    plan = [("gate", n) for n in range(1, 9)] + [("experiment", n) for n in range(8)] + [("look", n) for n in range(3)]
    rng.shuffle(plan)
    for index, (kind, number) in enumerate(plan):
        day = Recorder(root, rng, f"sample-{index:02d}")
        if kind == "gate":
            gate(day, number)
        elif kind == "experiment":
            experiment(day, number % 5, 10 + number)
        else:
            look(day, ["Where is the score computed?", "What is in this project?", "How are folds made?"][number])
        yield Session("sample", day.session, tuple(day.events), "sample", str(root), origin="scripted")
        print(f"{index + 1} of {len(plan)}: {kind}", file=sys.stderr)


def main(folder: Path) -> int:
    if missing := [name for name in ("git", "python", "ruff") if not shutil.which(name)]:
        print(f"sample_day: not on PATH: {', '.join(missing)}. A day on which they fail is no sample.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "sample"
        root.mkdir()
        for name, text in FILES.items():
            (root / name).write_text(text)
        for command in (
            "git init -q -b main", "git config user.name Sample", "git config user.email sample@example.org",
            "git add -A", "git commit -q -m Start",
        ):  # fmt: skip
            subprocess.run(command, shell=True, cwd=root, check=True)
        for session in sessions(root):
            archive.write(folder, session)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
