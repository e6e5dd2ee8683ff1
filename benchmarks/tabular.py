"""What the tabular tool reaches: `python -m benchmarks.tabular [SET …] [--s4e10 DIR]`.

A plain driver tries every move whose forerunners are done while the budget lasts, blends, and keeps the best by its
folds. The held-out answers are looked at afterwards and decide nothing. Seconds are of the CPU.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.tabular_sets import SETS, Set, write
from meta.generation import render

Told = dict[str, Any]
LEAST_SCORE, MOST_SECONDS = 0.9680, 240  # of S4E10: two minutes of two cores


def tool(place: Path) -> Path:
    """The tool, rendered from its template."""
    for name, text in render.render([render.folder(None, "tabular-cv")], {}).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place / "tool.py"


def call(program: Path, *words: object) -> Told | None:
    """What the tool tells, or None where it refuses, with its reason printed."""
    command = [sys.executable, str(program), *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 1 and done.stderr.count("\n") == 1:
        print(f"  refused: {done.stderr.strip()}")
        return None
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def drive(program: Path, folder: Path, seconds: float, only: Sequence[str] = ()) -> dict[str, Told]:
    """Every move by its name, as it went. A move that a gate stops is told, and not blended."""
    told = subprocess.run(
        [sys.executable, str(program), "--moves", "--competition", str(folder), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    moves = [move for move in json.loads(told.stdout) if not only or move["name"] in only]
    done: dict[str, Told] = {}
    for place, move in enumerate(moves):
        left = seconds - sum(run["cpu_seconds"] for run in done.values())
        if left <= 0 or not (only or set(move["after"]) <= set(done)):
            continue
        share = left / (len(moves) - place)  # what a quick move leaves is for the later ones
        clean = [folder / "runs" / name for name, run in done.items() if run["details"]["gates_passed"]]
        sources = ["--from", *clean] if "blend" in move["arguments"] or "again" in move["arguments"] else []
        seed = 2 if "again" in move["arguments"] else 1
        run = folder / "runs" / move["name"]
        found = call(
            program,
            "--competition",
            folder,
            "--run",
            run,
            "--seconds",
            round(share),
            "--seed",
            seed,
            *sources,
            *move["arguments"],
        )
        if found:
            done[move["name"]] = found
            leaks = [gate["name"] for gate in found["gates"] if not gate["ok"]]
            print(
                f"  {move['name']:<12} {found['score']:.5f} ± {found['spread']:.5f}  {found['cpu_seconds']:6.1f} s"
                + (f"  stopped by {', '.join(leaks)}" if leaks else ""), flush=True,
            )  # fmt: skip
    return done


def held_out(modules: ModuleType, one: Set, run: Told, answers: pd.Series) -> float:
    """The score of a submission on the answers that were held out."""
    said = pd.read_csv(run["submission"]).set_index("id").loc[answers.index]
    values = said.to_numpy() if said.shape[1] > 1 else said.iloc[:, 0].to_numpy()
    return float(modules.METRICS[one.metric].score(answers.to_numpy(), values))


def untouched(modules: ModuleType, one: Set, folder: Path, target: str, dropped: Sequence[str]) -> float:
    """The mean score of scikit-learn's LightGBM with all its defaults, on the folds of the plain run, stopped by nothing."""
    import lightgbm

    train = pd.read_csv(folder / "train.csv")
    of, truth = np.load(folder / "runs" / "plain" / "folds.npy"), train[target].to_numpy()
    rows = train.drop(columns=["id", target, *dropped])
    rows = rows.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.astype("category"))
    kind = lightgbm.LGBMRegressor if one.metric == "rmse" else lightgbm.LGBMClassifier
    order = pd.read_csv(folder / "train.csv")[dropped[0]] if one.kind == "time-ordered" else None
    scores = []
    for fold in range(of.max() + 1):
        held = of == fold
        seen = ~held if order is None else (order < order[held].min()).to_numpy()
        model = kind(num_threads=1, verbosity=-1, random_state=1).fit(rows[seen], truth[seen])
        said = model.predict(rows[held]) if one.metric == "rmse" else model.predict_proba(rows[held])
        scores.append(modules.METRICS[one.metric].score(truth[held], said[:, 1] if one.metric == "auc" else said))
    return float(np.mean(scores))


def measure(program: Path, one: Set, folder: Path, seconds: float) -> None:
    answers = write(one, folder)
    rows = sum(1 for _ in (folder / "train.csv").open()) - 1
    print(f"{one.name}: {one.kind}, {rows} rows, {len(answers)} held out ({one.rule}), {one.metric}, {one.package}")
    done = drive(program, folder, seconds)
    sign = 1 if one.direction == "maximize" else -1
    clean = {name: run for name, run in done.items() if run["details"]["gates_passed"]}
    best = max(clean, key=lambda name: sign * clean[name]["score"])
    sys.path.insert(0, str(program.parent))
    import metrics  # the rendered tool's own

    gains = sign * (np.array(done[best]["details"]["fold_scores"]) - np.array(done["plain"]["details"]["fold_scores"]))
    error = gains.std(ddof=1) / len(gains) ** 0.5
    roles = done["plain"]["details"]["roles"]
    dropped = [roles[role] for role in ("time", "group") if role in roles]
    untouched_score = untouched(metrics, one, folder, roles["target"], dropped)
    hidden = {name: held_out(metrics, one, run, answers) for name, run in done.items()}
    folds = done["plain"]["details"]["folds"]
    print(f"  folds {folds['kind']}: {done['plain']['details']['reasons']}")
    print(
        f"  by its folds: {best} {done[best]['score']:.5f} against plain {done['plain']['score']:.5f}: better by "
        f"{gains.mean():+.5f} ± {error:.5f} (standard error), in {(gains > 0).sum()} of {len(gains)} folds"
    )
    print(f"  LightGBM with all its defaults, on the same folds: {untouched_score:.5f}")
    gain = sign * (hidden[best] - hidden["plain"])
    print(
        f"  held out:     {best} {hidden[best]:.5f} against plain {hidden['plain']:.5f}: "
        f"{'better' if gain > 0 else 'WORSE'} by {abs(gain):.5f}"
    )
    print("  held out, all: " + ", ".join(f"{name} {score:.5f}" for name, score in hidden.items()))
    print(f"  CPU seconds in all: {sum(run['cpu_seconds'] for run in done.values()):.0f}", flush=True)


def loan_approval(program: Path, data: Path, folder: Path) -> None:
    """S4E10 by two LightGBM variants and their blend, within two minutes of two cores."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in data.glob("*.csv"):
        shutil.copyfile(path, folder / path.name)
    told = 'name = "s4e10"\nkind = "tabular"\nmetric = "auc"\nseed = 7\n[files]\noriginal = "credit_risk_dataset.csv"\n'
    (folder / "competition.toml").write_text(told)
    print("s4e10: binary, 5 stratified folds, auc")
    done = drive(program, folder, MOST_SECONDS, ("te-original", "rich", "blend"))
    spent = sum(run["cpu_seconds"] for run in done.values())
    met = done["blend"]["score"] >= LEAST_SCORE and spent <= MOST_SECONDS
    print(f"  pooled {done['blend']['details']['pooled']:.5f}, weights {done['blend']['details']['weights']}")
    for gate in done["rich"]["gates"]:
        print(f"  gate {gate['name']}: {'passed' if gate['ok'] else 'STOPPED'}, {gate['why']}")
    print(
        f"  {spent:.0f} CPU seconds in all: {'met' if met else 'NOT MET'} ({LEAST_SCORE}, {MOST_SECONDS} s)", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], help="all where none is named")
    parser.add_argument(
        "--s4e10", type=Path, metavar="DIR", help="the folder of the Kaggle files; the five sets only if named"
    )
    parser.add_argument("--seconds", type=float, default=600, help="of the CPU, for a set (600)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave tool, tables and runs here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tabular-") as scratch:
        place = given.keep or Path(scratch)
        program = tool(place / "tool")
        if given.s4e10:
            loan_approval(program, given.s4e10, place / "s4e10")
        for name in given.sets or ([] if given.s4e10 else SETS):
            measure(program, SETS[name], place / name, given.seconds)


if __name__ == "__main__":
    main()
