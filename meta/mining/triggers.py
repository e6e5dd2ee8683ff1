"""Patterns that the same prompt calls up again and again.

Their symbols are too common for `patterns` to find them: here the prompts are the evidence. What leads from one prompt
to the next is found in `chains`.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern, events_of, weighed
from meta.mining.selection import THRESHOLD, contains
from meta.model import Segment

PREFIX = 60  # characters of a prompt that make it the same prompt
COMMON = 0.6  # presence of a step that belongs to what a prompt calls up,
SOMETIMES = 0.25  # and of one that is taken in beside them
MOSTLY = 0.5  # share of the segments that make a habit
SAME = 0.6  # share of a pattern's events that another has, for both to be one
_SLASH = re.compile(r"[/$][a-z][\w:-]*(?=\s|$)")


def prompted(found: Sequence[Segment], traces: Sequence[Trace], weights: np.ndarray, least: int = 3) -> list[Pattern]:
    """What the same prompt calls up in at least `least` sessions, beyond chance, the best first.

    A pattern's `gain` is the evidence against commands that fall into segments by chance, in bits.
    """
    acts = [[symbol for symbol, _ in groupby(trace.symbols.tolist())] for trace in traces]
    firsts = {number: tuple(dict.fromkeys(one)) for number, one in enumerate(acts) if one}
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for number in firsts:
        for sign in _signs(found[number]):
            groups[sign].append(number)
    often = sorted({tuple(g) for g in groups.values() if len({traces[n].session for n in g}) >= least})
    counts = Counter(symbol for one in acts for symbol in one)
    rates = {symbol: count / counts.total() for symbol, count in counts.items()}
    made = [_called_up(group, firsts, traces, rates, weights, least) for group in often]
    needed = THRESHOLD + math.log2(max(len(often), 1))
    return sorted((p for p in made if p and p.gain > needed), key=lambda p: (-p.gain, p.steps))


def _signs(segment: Segment) -> set[str]:
    """What makes a prompt the same as another: its first words, or the slash command that it begins with."""
    text = " ".join(segment.prompts[0].lower().split()) if segment.prompts else ""
    slash = _SLASH.match(text)
    return {text[:PREFIX], *([f"{slash[0]} ..."] if slash else [])} - {""}


def _called_up(
    group: Sequence[int],
    everywhere: Mapping[int, tuple[int, ...]],
    traces: Sequence[Trace],
    rates: Mapping[int, float],
    weights: np.ndarray,
    least: int,
) -> Pattern | None:
    """What the segments of a group have in common, if most of them have it, more than others, and it works."""
    firsts = {n: everywhere[n] for n in group}
    steps = _in_order(list(firsts.values()), SOMETIMES * len(group))
    runs: dict[int, tuple[int, ...]] = {}
    for _ in range(len(steps)):
        runs = _runs(steps, firsts, weights)
        held = Counter(s for run in runs.values() for s in run)
        left = tuple(s for s in steps if held[s] >= max(SOMETIMES * len(runs), least))
        if left == steps:
            break
        steps = left
    often = sum(held[s] >= COMMON * len(runs) for s in steps) if runs else 0
    if often < 2 or len(runs) < MOSTLY * len(group) or len({traces[n].session for n in runs}) < least:
        return None
    instances = tuple(Instance(n, _places(steps, run, traces[n])) for n, run in sorted(runs.items()))
    presence = tuple(held[s] / len(runs) for s in steps)
    lengths = {n: sum(1 for _ in groupby(traces[n].symbols.tolist())) for n in runs}
    bits = _evidence(steps, presence, runs, len(group), lengths, rates)
    if bits > THRESHOLD:
        elsewhere = len(_runs(steps, everywhere, weights))
        bits = min(bits, _rarity(len(runs), len(group), elsewhere, len(everywhere)) - len(steps))
    return Pattern(steps, presence, instances, loop=False, gain=bits)


def _runs(
    steps: Sequence[int], firsts: Mapping[int, tuple[int, ...]], weights: np.ndarray
) -> dict[int, tuple[int, ...]]:
    """The sequences that have more than half of the steps in order, one that works among them, and which."""
    runs = {n: _common(steps, first) for n, first in firsts.items()}
    return {n: run for n, run in runs.items() if 2 * len(run) > len(steps) > 1 and any(weights[s] > 0 for s in run)}


def _rarity(hits: int, drawn: int, marked: int, total: int) -> float:
    """In bits: how rarely `drawn` of `total` have so many `hits`, or more, of the `marked` (Fisher's exact test)."""
    ways = sum(math.comb(marked, k) * math.comb(total - marked, drawn - k) for k in range(hits, min(drawn, marked) + 1))
    return math.log2(math.comb(total, drawn)) - math.log2(ways)


def _in_order(firsts: Sequence[tuple[int, ...]], needed: float) -> tuple[int, ...]:
    """The symbols that enough of the sequences have, each where it mostly stands among the others."""
    counts = Counter(s for first in firsts for s in first)
    lead: Counter[int] = Counter()
    for first in firsts:
        kept = [s for s in first if counts[s] >= needed]
        for place, symbol in enumerate(kept):
            lead[symbol] += 2 * place - len(kept) + 1
    return tuple(sorted((s for s in counts if counts[s] >= needed), key=lambda s: (lead[s] / counts[s], s)))


def _common(steps: Sequence[int], first: Sequence[int]) -> tuple[int, ...]:
    """The longest sub-sequence of `steps` that is one of `first`, whose symbols all differ."""
    place = {symbol: number for number, symbol in enumerate(first)}
    best: dict[int, tuple[int, ...]] = {}
    for symbol in (s for s in steps if s in place):
        before = max((run for s, run in best.items() if place[s] < place[symbol]), key=len, default=())
        best[symbol] = (*before, symbol)
    return max(best.values(), key=len, default=())


def _places(steps: Sequence[int], run: Sequence[int], trace: Trace) -> tuple[int, ...]:
    """The place of every step in a trace (-1: absent), as late as the earliest end of the run allows."""
    symbols = trace.symbols.tolist()
    place = -1
    for symbol in run:
        place = symbols.index(symbol, place + 1)
    places = {run[-1]: place}
    for symbol in reversed(run[:-1]):
        place = max(p for p in range(place) if symbols[p] == symbol)
        places[symbol] = place
    return tuple(places.get(step, -1) for step in steps)


def _evidence(
    steps: Sequence[int],
    presence: Sequence[float],
    runs: Mapping[int, tuple[int, ...]],
    size: int,
    lengths: Mapping[int, int],
    rates: Mapping[int, float],
) -> float:
    """Bits by which the runs of a group of `size` segments are likelier as a habit than by chance.

    The habit is told first: its steps at their rates, its presences to the precision that the runs allow.
    """
    bits = sum(math.log2(rates[s]) for s in steps) - (len(steps) + 1) / 2 * math.log2(size)
    bits += _log_likelihood(len(runs), size)
    for number, run in runs.items():
        told = sum(math.log2(p if s in run else 1 - p) for s, p in zip(steps, presence, strict=True) if 0 < p < 1)
        bits += told - math.log2(_by_chance([rates[s] for s in run], lengths[number]))
    return bits


def _log_likelihood(hits: int, size: int) -> float:
    return sum(n * math.log2(n / size) for n in (hits, size - hits) if n)


def _by_chance(rates: Sequence[float], length: int) -> float:
    """How likely `length` drawn symbols have symbols of these rates in this order."""
    reached = np.zeros(len(rates) + 1)
    reached[0] = 1.0
    for _ in range(length):
        moved = reached[:-1] * rates
        reached[:-1] -= moved
        reached[1:] += moved
    return float(max(reached[-1], 1e-300))


def joined(patterns: Sequence[Pattern], more: Sequence[Pattern]) -> list[Pattern]:
    """The patterns and, after them, those of `more` that tell something new.

    One that holds most of a shorter pattern takes its place and its other occurrences.
    """
    kept = list(patterns)
    for new in more:
        events = events_of(new)
        within = [n for n, p in enumerate(kept) if len(p.steps) < len(new.steps) and _holds(new, p)]
        if within:
            kept[within[0]] = _absorbed(new, kept[within[0]])
            continue
        told = len(events & {event for p in kept for event in events_of(p)}) >= SAME * len(events)
        if not told and not any(contains(p.steps, new.steps) for p in kept):
            kept.append(new)
    return kept


def _holds(new: Pattern, old: Pattern) -> bool:
    """Whether `new` has the usual steps of `old`, in order, and mostly in the same places."""
    usual = [column for column, share in enumerate(old.presence) if share >= COMMON]
    steps = tuple(old.steps[column] for column in usual)
    events = {(one.trace, one.positions[column]) for one in old.instances for column in usual} & events_of(old)
    return not old.loop and _common(new.steps, steps) == steps and len(events & events_of(new)) >= SAME * len(events)


def _absorbed(new: Pattern, old: Pattern) -> Pattern:
    """The new pattern with the occurrences of `old` in other traces."""
    columns = {step: column for column, step in enumerate(old.steps)}
    traces = {one.trace for one in new.instances}
    others = (
        Instance(one.trace, tuple(one.positions[columns[s]] if s in columns else -1 for s in new.steps))
        for one in old.instances
        if one.trace not in traces
    )
    return weighed(replace(new, gain=max(new.gain, old.gain)), (*new.instances, *others))
