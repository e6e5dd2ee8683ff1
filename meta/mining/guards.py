"""When a step is there: always, after a failure, on request, or unless left out; and where the agent thinks.

How a step looks is decided in `mining.parts`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from meta.mining.runs import Column, Run, failed

_PRECISE = 0.9  # share of the runs with the step in which the earlier one had failed
_USUAL = 0.5  # presence from which a step is left out rather than asked for
_FIX = re.compile(r"[ :_-]*(?:auto)?(?:fix|write)|(?: -[aA])")
_THOUGHT = 0.6  # share of the runs with an edit from which a step of judgement stands there


@dataclass(frozen=True, slots=True)
class Presence:
    """When one column's step runs. `guard` is the number of the column after whose failure it does.

    `like` is the number of the earlier column whose switch it shares.
    """

    share: float
    guard: int | None = None
    toggle: Literal["always", "switch", "skip"] = "always"
    like: int | None = None


def _ended_by_failure(run: Run, column: int) -> bool:
    """Whether the run ended before this column because the step before had failed."""
    last = max((k for k, cell in enumerate(run.cells) if cell), default=-1)
    return 0 <= last < column and failed(run.cells[last]) is True


def _guard(column: int, runs: Sequence[Run]) -> int | None:
    """The latest earlier column after whose failure, and only then, this one runs."""
    for earlier in range(column - 1, -1, -1):
        known = [(bool(run.cells[column]), bad) for run in runs if (bad := failed(run.cells[earlier])) is not None]
        there = [bad for is_there, bad in known if is_there]
        absent = [bad for is_there, bad in known if not is_there]
        if sum(there) >= 2 and sum(there) >= _PRECISE * len(there) and sum(absent) <= 0.5 * len(absent):
            return earlier
    return None


def _repair(column: int, columns: Sequence[Column], runs: Sequence[Run]) -> int | None:
    """The check that this column repairs or repeats after its repair, unless recorded exit codes speak against it.

    Agents cut the output of a check by a pipe, which hides its exit code; a step called `lint:fix` still tells what it
    is for.
    """
    for check in range(column - 1, -1, -1):
        name = columns[check].head
        repairs = [k for k in range(check + 1, column + 1) if _repairs(name, columns[k].head)]
        if not repairs or (repairs[-1] != column and columns[column].head != name):
            continue
        there = [bad for run in runs if run.cells[column] and (bad := failed(run.cells[check])) is not None]
        if there.count(False) <= (1 - _PRECISE) * len(there):
            return check
    return None


def _repairs(check: str, head: str) -> bool:
    return head.startswith(check) and _FIX.fullmatch(head[len(check) :]) is not None


def presences(columns: Sequence[Column], runs: Sequence[Run], repeated: Sequence[bool]) -> list[Presence]:
    """For each column when its step runs. A repeated column needs no switch: its list may be empty."""
    found: list[Presence] = []
    vectors: dict[tuple[bool, ...], int] = {}
    for k, column in enumerate(columns):
        vector = tuple(bool(run.cells[k]) for run in runs)
        share = sum(vector) / len(runs)
        eligible = [bool(run.cells[k]) for run in runs if not _ended_by_failure(run, k)]
        if all(eligible) or repeated[k] or column.kind != "command":
            found.append(Presence(share))
        elif (guard := _guard(k, runs)) is not None or (guard := _repair(k, columns, runs)) is not None:
            found.append(_guarded(k, guard, share, found, runs))
        else:
            like = vectors.setdefault(vector, k)
            usual = sum(eligible) >= _USUAL * len(eligible)
            toggle = found[like].toggle if like != k else "skip" if usual else "switch"
            found.append(Presence(share, None, toggle, like if like != k else None))
    return found


def _guarded(column: int, guard: int, share: float, earlier: Sequence[Presence], runs: Sequence[Run]) -> Presence:
    """The guarded presence, to be left out where a sibling under the same guard runs often without it."""
    siblings = [k for k, presence in enumerate(earlier) if presence.guard == guard and presence.toggle == "always"]
    alone = [
        run
        for run in runs
        if any(run.cells[k] for k in siblings) and not run.cells[column] and not _ended_by_failure(run, column)
    ]
    return Presence(share, guard, "skip" if len(alone) > 0.2 * len(runs) * share else "always")


def judgements(runs: Sequence[Run], columns: int) -> dict[int, tuple[str, float]]:
    """Before which columns most runs have an edit: what was edited, and in which share of the runs."""
    heads: dict[int, Counter[str]] = {k: Counter() for k in range(columns)}
    both: Counter[int] = Counter()
    edited: Counter[int] = Counter()
    for run in runs:
        there = [k for k, cell in enumerate(run.cells) if cell]
        for before, after in pairwise(there):
            both[after] += 1
            start, stop = run.cells[before][-1].position, run.cells[after][0].position
            here = {step.head for step in run.between if start < step.position < stop}
            edited[after] += bool(here)
            heads[after].update(here)
    return {
        k: (heads[k].most_common(1)[0][0], edited[k] / both[k])
        for k in range(columns)
        if both[k] and edited[k] >= _THOUGHT * both[k]
    }
