"""Draft the steps of a workflow: the parts of each column and what stands in their holes in every run.

Names, flow and guards come later; here the holes are numbered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meta.mining.binding import Values
from meta.mining.binding import match as fill
from meta.mining.dataflow import Slot, Value
from meta.mining.naming import hints
from meta.mining.parts import Shape, generalise
from meta.mining.runs import Column, Run
from meta.model import Fixed, Group, Hole, Part, Rest

_FEW = 0.2  # share of the runs below which repeating a step is an exception
_ROUNDS = 3

Refused = dict[int, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """One column with provisional parts. `each` is the hole that changes when the step is repeated."""

    column: Column
    parts: tuple[Part, ...] = ()
    each: str = ""


def _repeats(runs: Mapping[int, Run], k: int) -> list[int]:
    return [run for run, recorded in runs.items() if len(recorded.cells[k]) > 1]


def _shape(column: Column, k: int, runs: Mapping[int, Run]) -> tuple[Shape, Refused, Refused]:
    """The parts of a column with the runs that are rare and those that are barred."""
    if column.kind != "command":
        return Shape(()), {}, {}
    repeated = _repeats(runs, k)
    rare: Refused = {}
    if repeated and len(repeated) <= _FEW * len(runs):
        rare = dict.fromkeys(repeated, "a step repeated in few runs")
        runs = {run: recorded for run, recorded in runs.items() if run not in rare}
    owners = [run for run, recorded in runs.items() for _ in recorded.cells[k]]
    rows = tuple(step.words for recorded in runs.values() for step in recorded.cells[k])
    if not rows:
        return Shape(()), rare, {}
    # the items of a repeated step stay whole, as they may be the words of a list elsewhere
    shape = generalise(rows, str(k), whole=len(rows) > len(runs))
    rare |= {owners[row]: reason for row, reason in shape.rare.items()}
    return shape, rare, {owners[row]: reason for row, reason in shape.barred.items()}


def drafts(columns: Sequence[Column], runs: Sequence[Run], share: float) -> tuple[list[Draft], Refused]:
    """The draft of each column, and the runs refused so that the parts stay simple: at most `share` of them.

    Beyond that share only runs are refused whose values a caller must never give.
    """
    refused: Refused = {}
    shapes: list[Shape] = []
    for _ in range(_ROUNDS):
        left = {k: run for k, run in enumerate(runs) if k not in refused}
        found = [_shape(column, k, left) for k, column in enumerate(columns)]
        shapes = [shape for shape, _, _ in found]
        more = {run: reason for _, _, barred in found for run, reason in barred.items()}
        for _, rare, _ in sorted(found, key=lambda one: len(one[1])):
            if len(refused | more | rare) <= share * len(runs):
                more = rare | more
        if not more:
            break
        refused |= more
    left = {k: run for k, run in enumerate(runs) if k not in refused}
    return [
        _draft(column, k, shape, left) for k, (column, shape) in enumerate(zip(columns, shapes, strict=True))
    ], refused


def _draft(column: Column, k: int, shape: Shape, runs: Mapping[int, Run]) -> Draft:
    """The draft with the hole that differs within most runs that repeat the step."""
    counts: dict[str, int] = {}
    for run in _repeats(runs, k):
        for name in _differing([fill(shape.parts, step.words, {}) for step in runs[run].cells[k]]):
            counts[name] = counts.get(name, 0) + 1
    plain = {part.parameter for part in shape.parts if isinstance(part, Hole)}
    each = max((name for name in counts if name in plain), key=lambda name: counts[name], default="")
    return Draft(column, shape.parts, each)


def _differing(found: Sequence[Values | None]) -> list[str]:
    values = [one for one in found if one is not None]
    names = dict.fromkeys(name for one in values for name in one)
    return [name for name in names if any(one.get(name) != values[0].get(name) for one in values)]


def filled(draft: Draft, k: int, run: Run) -> dict[str, Value] | None:
    """What stands in the holes of one column in one run, "yes" for a flag that is there; None where it does not fit."""
    found = [fill(draft.parts, step.words, {}) for step in run.cells[k]] if draft.parts else []
    values = [one for one in found if one is not None]
    if len(values) < len(found) or any(name != draft.each for name in _differing(values)):
        return None
    if len(values) > 1 and not draft.each:
        return None
    merged: dict[str, Value] = dict.fromkeys(flags(draft.parts), "") if values else {}
    for name, value in (values[0] if values else {}).items():
        merged[name] = tuple(value) if isinstance(value, list) else "yes" if value is True else str(value)
    if draft.each:
        merged[draft.each] = tuple(str(one[draft.each]) for one in values)
    return merged


def _holes(parts: Sequence[Part], *, optional: bool = False) -> Iterator[tuple[str, bool]]:
    """The names of the holes and lists, each with whether it decides that words are there."""
    for part in parts:
        match part:
            case Hole(name) | Rest(name):
                yield name, optional
            case Group(_, inner):
                yield from _holes(inner, optional=True)


def flags(parts: Sequence[Part]) -> dict[str, str]:
    """The groups that only a boolean decides, each with its words."""
    found: dict[str, str] = {}
    for part in parts:
        if isinstance(part, Group):
            words = [p.word.text for p in part.parts if isinstance(p, Fixed)]
            if len(words) == len(part.parts):
                found[part.parameter] = " ".join(words)
    return found


def switches(drafted: Sequence[Draft], values: Sequence[Sequence[Mapping[str, Value]]]) -> list[Slot]:
    """All optional words that only a boolean decides, in order; the hint is the words."""
    return [
        Slot(name, k, tuple(run[k].get(name) for run in values), hint=words)
        for k, draft in enumerate(drafted)
        for name, words in flags(draft.parts).items()
    ]


def slots(drafted: Sequence[Draft], values: Sequence[Sequence[Mapping[str, Value]]]) -> list[Slot]:
    """All holes in order, `values[run][column]` being what stands in them."""
    found: list[Slot] = []
    for k, draft in enumerate(drafted):
        named = {name: hint.name for name, hint in hints(draft.column.head, draft.parts).items() if hint.rank < 2}
        for name, optional in _holes(draft.parts):
            column = tuple(run[k].get(name) for run in values)
            found.append(Slot(name, k, column, optional, named.get(name, "")))
    return found
