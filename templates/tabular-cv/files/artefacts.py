"""The files of a run: predictions, submission and metrics.json, each written whole beside its place and then renamed.

What they hold is worked out in `runs`.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from data import Mistake, Table, submission
from folds import Folds
from gates import Gate

Array = np.ndarray
FORM = 1  # of the files of a run; a run of another form is done anew


@dataclass(frozen=True)
class Result:
    oof: Array
    test: Array
    scores: Sequence[float]
    gates: Sequence[Gate]
    details: Mapping[str, object]
    earlier: float  # CPU seconds of the folds that an earlier call of the same run did


@dataclass(frozen=True)
class Member:
    """A run that is done, as a later one sees it."""

    folder: Path
    variant: str
    score: float
    oof: Array
    test: Array


def write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    write(path, lambda file: np.savez(file, **arrays))


def save_json(path: Path, value: object) -> None:
    write(path, lambda file: file.write((json.dumps(value, indent=1) + "\n").encode()))


def claim(run: Path, table: Table, what: Mapping[str, object]) -> None:
    """Make the folder this run's own. What was done for another variant, seed or data is thrown away."""
    mine = {"form": FORM, "data": fingerprint(table), **what}
    path = run / "run.json"
    if path.exists() and json.loads(path.read_text()) != mine:
        (run / "metrics.json").unlink(missing_ok=True)
        shutil.rmtree(run / "folds", ignore_errors=True)
    save_json(path, mine)


def fingerprint(table: Table) -> str:
    """A digest of all that the folder says: its files, its metric, the roles of the columns, its seed."""
    told = table.settings
    digest = hashlib.sha256(repr((told.metric.name, told.seed, sorted(vars(table.roles).items(), key=str))).encode())
    for kind in sorted(told.files):
        if told.files[kind]:
            with told.path(kind).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def members(table: Table, folders: Sequence[Path]) -> list[Member]:
    """The runs of these folders. Each has to be done, on the same data and the same folds."""
    found = []
    for folder in folders:
        try:
            told = json.loads((folder / "metrics.json").read_text())
            own = json.loads((folder / "run.json").read_text())
            oof, test = np.load(folder / "oof.npy"), np.load(folder / "test.npy")
        except (OSError, ValueError):
            raise Mistake(f"{folder} is no run that is done: its metrics.json or predictions cannot be read") from None
        if own["data"] != fingerprint(table):
            raise Mistake(f"{folder} was run on other data or other columns: run it again, or leave it out")
        found.append(Member(folder, str(told["details"]["variant"]), float(told["score"]), oof, test))
    return found


def finish(run: Path, table: Table, folds: Folds, result: Result) -> dict[str, object]:
    """Write what the run found, metrics.json last, and give it back."""
    metric = table.metric
    rows = folds.scored
    write(run / "oof.npy", lambda file: np.save(file, result.oof))
    write(run / "test.npy", lambda file: np.save(file, result.test))
    write(run / "folds.npy", lambda file: np.save(file, folds.of))
    answer = submission(table, result.test)
    write(run / "submission.csv", lambda file: file.write(answer.to_csv(index=False).encode()))
    spread = float(np.std(result.scores, ddof=1))
    told = {
        "ok": True,
        "score": float(np.mean(result.scores)),
        "spread": spread,
        "direction": "maximize" if metric.maximize else "minimize",
        "submission": str(run / "submission.csv"),
        "cpu_seconds": round(result.earlier + time.process_time(), 2),
        "gates": [gate.row() for gate in result.gates],
        "details": {
            "metric": metric.name,
            "fold_scores": [round(score, 6) for score in result.scores],
            "standard_error": spread / len(result.scores) ** 0.5,
            "pooled": metric.score(table.truth[rows], result.oof[rows]),
            "folds": {"kind": folds.kind, "why": folds.why, "rows": np.bincount(folds.of[rows]).tolist()},
            "roles": {role: name for role, name in vars(table.roles).items() if role != "reasons" and name},
            "reasons": dict(table.roles.reasons),
            "gates_passed": all(gate.ok for gate in result.gates),
            **result.details,
        },
    }
    save_json(run / "metrics.json", told)
    return told
