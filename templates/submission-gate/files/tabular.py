"""The rules of a table of predictions: the sample's columns and ids, finite values in the metric's range.

Such a file does not tell its score: that stands in metrics.json beside it.
"""

import csv
import math
from collections import Counter
from pathlib import Path

from verdict import Verdict, shown

PROBABILITY = frozenset({"logloss"})  # outside of 0 to 1 these are an error
RANKED = frozenset({"auc"})  # any finite value will do, though it is seldom meant
LABELS = frozenset({"accuracy", "mcc", "f1", "balanced_accuracy", "qwk"})
NOT_NEGATIVE = frozenset({"rmsle"})


def table(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    return (rows[0], [row for row in rows[1:] if row]) if rows else ([], [])


def labels(train: Path, target: str) -> frozenset[str]:
    """The target's values in the training data; none where these are not at hand."""
    if not train.is_file():
        return frozenset()
    with train.open(newline="", encoding="utf-8-sig") as file:
        return frozenset(row[target] for row in csv.DictReader(file) if target in row)


def identifiers(ids: list[str], wanted: list[str]) -> list[str]:
    """What is wrong with the ids."""
    doubled = [name for name, times in Counter(ids).items() if times > 1]
    missing = sorted(set(wanted) - set(ids))
    foreign = sorted(set(ids) - set(wanted))
    found = [f"{len(ids)} rows, the sample has {len(wanted)}"] if len(ids) != len(wanted) else []
    told = (("there twice", doubled), ("missing", missing), ("not in the sample", foreign))
    return found + [f"ids {what}: {shown(names)}" for what, names in told if names]


def values(column: str, texts: list[str], metric: str, known: frozenset[str]) -> tuple[list[str], list[str]]:
    """The problems and the warnings of one column of predictions."""
    warnings = [f"{column} is {texts[0]} in every row"] if len(set(texts)) == 1 and len(texts) > 1 else []
    if metric in LABELS:
        strange = sorted({text for text in texts if (known and text not in known) or not text})
        return [f"{column}: not labels of the training data: {shown(strange)}"] if strange else [], warnings
    numbers = []
    for text in texts:
        try:
            numbers.append(float(text))
        except ValueError:
            return [f"{column}: {text!r} is no number"], warnings
    if not all(map(math.isfinite, numbers)):
        return [f"{column}: {sum(not math.isfinite(v) for v in numbers)} values are not finite"], warnings
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    if metric in PROBABILITY and (low < 0 or high > 1):
        return [f"{column}: {low} to {high}, not within 0 to 1"], warnings
    if metric in NOT_NEGATIVE and low < 0:
        return [f"{column}: {low} is negative"], warnings
    if metric in RANKED and (low < 0 or high > 1):
        warnings.append(f"{column}: {low} to {high}, not within 0 to 1")
    return [], warnings


def verdict(path: Path, sample: Path, metric: str, score: float | None, known: frozenset[str]) -> Verdict:
    columns, rows = table(path)
    wanted, examples = table(sample)
    if columns != wanted:
        return Verdict(None, (f"the columns are {','.join(columns)}, not {','.join(wanted)}",))
    ragged = [k + 2 for k, row in enumerate(rows) if len(row) != len(columns)]
    if ragged:
        return Verdict(None, (f"line {ragged[0]} has not {len(columns)} fields",))
    problems = identifiers([row[0] for row in rows], [row[0] for row in examples])
    warnings: list[str] = []
    for k, column in enumerate(columns[1:], 1):
        wrong, strange = values(column, [row[k] for row in rows], metric, known)
        problems += wrong
        warnings += strange
    if score is None:
        warnings.append("no metrics.json beside it tells its score")
    return Verdict(None if problems else score, tuple(problems), tuple(warnings))
