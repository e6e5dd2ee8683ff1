"""Take a pattern that is part of a longer one for runs of that: the lint with its repair, and the gate that has both.

Mining explains each event once, so runs that leave out a step which is nearly always there come out as a pattern of
their own. A person wants one tool with an option. Whether the whole explains as many runs is for the caller to see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meta.mining.extension import SHARE
from meta.mining.patterns import Instance, Pattern, events_of, weighed


def nested(patterns: Sequence[Pattern], least: int = 3) -> Iterator[tuple[Pattern, Pattern, Pattern]]:
    """Each longer pattern, each that is a part of it, and the longer one with the runs of both.

    Every step is still in `least` of the runs, and in as large a share of them as belongs to a pattern.
    """
    whole = sorted((pattern for pattern in patterns if not pattern.loop), key=lambda one: -len(one.instances))
    for longer in whole:
        for part in whole:
            columns = _columns(longer.steps, part.steps)
            if part is longer or columns is None:
                continue
            taken = events_of(longer)
            more = [_placed(one, columns, len(longer.steps)) for one in part.instances if not _events(one) & taken]
            both = weighed(longer, (*longer.instances, *more))
            if min(both.presence) * len(both.instances) >= max(least, SHARE * len(both.instances)):
                yield longer, part, both


def _columns(steps: Sequence[int], part: Sequence[int]) -> list[int] | None:
    """Which of the steps are those of the part, in order; None where it is no part, or the whole."""
    columns: list[int] = []
    for step in part:
        column = next((k for k in range(columns[-1] + 1 if columns else 0, len(steps)) if steps[k] == step), None)
        if column is None:
            return None
        columns.append(column)
    return columns if len(columns) < len(steps) else None


def _events(one: Instance) -> set[tuple[int, int]]:
    return {(one.trace, place) for place in one.positions if place >= 0}


def _placed(one: Instance, columns: Sequence[int], width: int) -> Instance:
    places = dict(zip(columns, one.positions, strict=True))
    return Instance(one.trace, tuple(places.get(k, -1) for k in range(width)))
