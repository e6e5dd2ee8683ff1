"""Which profiles are kept: the ones that explain what no other does, in an order that leaves no fragments.

How a profile is found and weighed stands in `profiles`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from meta.mining.events import Events, Residual, residual
from meta.mining.profiles import REACH, Naming, Profile, fit, grow
from meta.mining.seeds import LONG, PROMISE, seeds

THRESHOLD = 3.0  # bits beyond chance for the first pattern of a log; each further one needs log2(rank) less,
LEAST = 0.0  # but never less than this
ROUNDS = 4
UNORDERED = 0.35  # share of its evidence that an unordered profile keeps in every other order
PARTNERS_UP_TO = 100_000  # events; in longer logs nearly every symbol meets every other


@dataclass(frozen=True, slots=True)
class Rules:
    """How often, and in how many sessions, something must be seen."""

    min_support: int
    min_sessions: int


def select(events: Events, rules: Rules) -> list[Profile]:
    """The profiles that are worth their bits together, best first."""
    naming = naming_of(events, rules)
    free = np.ones(len(events.symbols), np.bool_)
    kept: list[Profile] = []
    for size in (2, 3) if len(events.symbols) > LONG else (2,):
        for _ in range(ROUNDS):
            new = _pass(events, free, kept, size, naming, rules)
            if not new:
                break
            kept, free = _polished(events, kept + new, naming, rules)
    return kept


def _pass(
    events: Events, free: np.ndarray, kept: list[Profile], size: int, naming: Naming, rules: Rules
) -> list[Profile]:
    """Profiles grown from the seeds of what is free; `free` is updated."""
    left = residual(events, free)
    new: list[Profile] = []
    tried: set[tuple[int, ...]] = set()
    for seed in seeds(events, left, naming, size):
        if any(contains(profile.steps, seed.steps) for profile in kept + new):
            continue
        start = fit(events, left, seed.steps, naming, np.full(len(seed.steps), seed.count))
        if start is None or start.bits < PROMISE:
            continue
        profile = grow(events, left, start, naming)
        if profile.steps in tried:
            continue
        tried.add(profile.steps)
        if profile.bits > needed(len(kept) + len(new)) and sound(events, left, profile, naming, rules):
            new.append(profile)
            free[profile.rows[profile.rows >= 0]] = False
            left = residual(events, free)
    return new


def _polished(events: Events, kept: list[Profile], naming: Naming, rules: Rules) -> tuple[list[Profile], np.ndarray]:
    """The profiles fitted again, each to what the others leave, and what all leave; those that fell short are out."""
    free = np.ones(len(events.symbols), np.bool_)
    for profile in kept:
        free[profile.rows[profile.rows >= 0]] = False
    done: list[Profile] = []
    for profile in sorted(kept, key=rank):
        free[profile.rows[profile.rows >= 0]] = True
        left = residual(events, free)
        again = fit(events, left, profile.steps, naming, profile.counts)
        again = again and grow(events, left, again, naming)
        if again is not None and sound(events, left, again, naming, rules):
            done.append(again)
            free[again.rows[again.rows >= 0]] = False
    done.sort(key=rank)
    while done and done[-1].bits <= needed(len(done) - 1):
        last = done.pop()
        free[last.rows[last.rows >= 0]] = True
    return done, free


def rank(profile: Profile) -> tuple[float, tuple[int, ...]]:
    return (-profile.bits, profile.steps)


def needed(found: int) -> float:
    """Bits that one more profile needs when `found` are kept, so that the share of false ones stays the same."""
    return max(THRESHOLD - math.log2(found + 1), LEAST)


def naming_of(events: Events, rules: Rules) -> Naming:
    """How many symbols there are to choose from, and how many beside each of them."""
    count = len(events.names)
    partners = np.full(count, max(count, 2))
    if len(events.symbols) <= PARTNERS_UP_TO:
        held = np.zeros((count + 1, len(events.adjacency)), np.float32)
        held[
            np.repeat(np.arange(count + 1), np.diff(events.cell_starts, append=len(events.cell_sessions))[: count + 1]),
            events.cell_sessions,
        ] = 1
        partners = np.maximum((held[:-1] @ held[:-1].T >= rules.min_sessions).sum(axis=1), 2)
    return Naming(max(int(events.work.sum()), 2), partners)


def sessions_of(events: Events, profile: Profile) -> int:
    return len(np.unique(events.sessions[profile.rows.max(axis=1)]))


def sound(events: Events, left: Residual, profile: Profile, naming: Naming, rules: Rules) -> bool:
    """Whether a profile is often enough seen, made of work, spread over sessions or else a loop, and in an order."""
    if len(profile.rows) < rules.min_support or not events.work[list(profile.steps)].any():
        return False
    if sessions_of(events, profile) < rules.min_sessions and not is_loop(events, profile, rules):
        return False
    return ordered(events, left, profile, naming, rules)


def ordered(events: Events, left: Residual, profile: Profile, naming: Naming, rules: Rules) -> bool:
    """Whether the order of the steps matters: what is as good in any other order is a burst of a few symbols.

    Two steps that alternate are as good in the other order, and yet have one.
    """
    steps = profile.steps
    if len(steps) == 2 and tandem(events, profile) >= 0.5:
        return True
    mixed = steps[1::2] + steps[::2]
    worst = 1.0
    for other in (steps[::-1], mixed, mixed[::-1]):
        fitted = fit(events, left, other, naming, np.full(len(other), float(len(profile.rows))))
        bits = fitted.bits + naming.bits(other) if fitted else 0.0
        worst = min(worst, bits / (profile.bits + naming.bits(steps)))
    return worst < UNORDERED


def is_loop(events: Events, profile: Profile, rules: Rules) -> bool:
    """Whether a profile is few sessions repeating it back to back."""
    return sessions_of(events, profile) < rules.min_sessions and tandem(events, profile) >= 0.5


def tandem(events: Events, profile: Profile) -> float:
    """Share of the occurrences that begin where another ends."""
    first = np.where(profile.rows >= 0, profile.rows, len(events.symbols)).min(axis=1)[1:]
    last = profile.rows.max(axis=1)[:-1]
    return float(((events.traces[first] == events.traces[last]) & (first - last - 1 <= REACH)).mean())


def contains(steps: tuple[int, ...], part: Iterable[int]) -> bool:
    """Whether `part` is a sub-sequence of `steps`."""
    rest = iter(steps)
    return all(step in rest for step in part)
