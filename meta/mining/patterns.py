"""Find the patterns in traces of symbols: steps that follow each other again and again, beyond chance.

What the symbols mean is not known here; `workflows` made of them are not either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from meta.mining.events import Events, Trace, lay_out
from meta.mining.profiles import Profile
from meta.mining.selection import Rules, is_loop, select


@dataclass(frozen=True, slots=True)
class Instance:
    """One occurrence: the number of the trace, and the position in it of every step (-1 where it is absent)."""

    trace: int
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Steps that repeat. `presence` is the share of the instances that have each step.

    `loop` marks what is repeated back to back in few sessions. `gain` is in bits: how much shorter the log can be
    told when the pattern is known.
    """

    steps: tuple[int, ...]
    presence: tuple[float, ...]
    instances: tuple[Instance, ...]
    loop: bool
    gain: float


def events_of(pattern: Pattern) -> set[tuple[int, int]]:
    """The events of all occurrences: trace and position."""
    return {(one.trace, place) for one in pattern.instances for place in one.positions if place >= 0}


def weighed(pattern: Pattern, instances: Sequence[Instance]) -> Pattern:
    """The pattern with other instances, and the presences that these make."""
    columns = zip(*(one.positions for one in instances), strict=True)
    presence = tuple(sum(place >= 0 for place in column) / len(instances) for column in columns)
    return replace(pattern, presence=presence, instances=tuple(instances))


def find(
    traces: Sequence[Trace], *, weights: np.ndarray | None = None, min_support: int = 3, min_sessions: int = 3
) -> list[Pattern]:
    """The patterns of the traces, best first. `weights` says per symbol whether it makes a pattern (1) or only may
    stand in one (0)."""
    rules = Rules(min_support, min_sessions)
    events = lay_out(traces, weights, min_support)
    if not len(events.names):
        return []
    return [_pattern(events, profile, rules) for profile in select(events, rules)]


def _pattern(events: Events, profile: Profile, rules: Rules) -> Pattern:
    instances = []
    for row in profile.rows:
        trace = int(events.traces[row.max()])
        start = int(events.starts[trace])
        instances.append(Instance(events.order[trace], tuple(int(e) - start if e >= 0 else -1 for e in row)))
    return Pattern(
        steps=tuple(int(name) for name in events.names[list(profile.steps)]),
        presence=tuple(float(share) for share in profile.presence),
        instances=tuple(sorted(instances, key=lambda instance: (instance.trace, instance.positions))),
        loop=is_loop(events, profile, rules),
        gain=profile.bits,
    )
