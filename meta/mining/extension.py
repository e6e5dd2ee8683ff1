"""Let patterns reach to what usually stands right before and after them, then leave out those that others contain.

Mining explains every event once. A person wants whole workflows: the lint that is run again after its repair, the type
check that follows at times. What is taken in here may belong to another pattern too; whether a pattern is one at all
was decided in `selection`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern

SHARE = 0.08  # of the occurrences that must have the neighbour
LIFT = 4.0  # how much commoner it must be there than elsewhere
USUAL = 0.5  # share of the occurrences that end in one step, for a neighbour that belongs to that step,
USUAL_LIFT = 2.0  # which need not be that rare elsewhere
NEAR = 1.0  # longest gap to a neighbour
ROUNDS = 3  # steps that may be added at either end
CONTAINED = 0.6  # share of a pattern's events that better ones have


def extended(
    patterns: Sequence[Pattern], traces: Sequence[Trace], weights: np.ndarray, least: int = 3
) -> list[Pattern]:
    """The patterns, grown at both ends, without those that are then contained in better ones.

    Only symbols that work (weight 1) are taken in. `least` is the number of occurrences that a step needs.
    """
    counts = Counter(int(symbol) for trace in traces for symbol in trace.symbols)
    total = max(counts.total(), 1)
    rates = {symbol: count / total for symbol, count in counts.items() if weights[symbol] > 0}
    kept: list[Pattern] = []
    taken: set[tuple[int, int]] = set()
    for pattern in patterns:
        events = _events(pattern)
        if len(events & taken) >= CONTAINED * len(events):
            continue
        if not pattern.loop:
            pattern = _grown(pattern, traces, rates, least)
            taken |= _events(pattern)
        kept.append(pattern)
    return kept


def _events(pattern: Pattern) -> set[tuple[int, int]]:
    return {(one.trace, place) for one in pattern.instances for place in one.positions if place >= 0}


def _grown(pattern: Pattern, traces: Sequence[Trace], rates: dict[int, float], least: int) -> Pattern:
    for after in (True, False):
        for _ in range(ROUNDS):
            symbol, found = _neighbour(pattern, traces, rates, least, after=after)
            if not found:
                break
            pattern = _with(pattern, symbol, found, after=after)
    return pattern


def _neighbour(
    pattern: Pattern, traces: Sequence[Trace], rates: dict[int, float], least: int, *, after: bool
) -> tuple[int, dict[int, int]]:
    """The symbol that stands beside the occurrences most tellingly: its place in each occurrence that has it."""
    places: defaultdict[int, dict[int, int]] = defaultdict(dict)
    ends: Counter[int] = Counter()
    ended: defaultdict[int, Counter[int]] = defaultdict(Counter)
    inside = _events(pattern)
    for number, one in enumerate(pattern.instances):
        column, place = _end(one, after=after)
        beside = place + 1 if after else place - 1
        trace = traces[one.trace]
        ends[column] += 1
        if not 0 <= beside < len(trace.symbols) or (one.trace, beside) in inside:
            continue
        symbol = int(trace.symbols[beside])
        if symbol in rates and symbol != trace.symbols[place] and trace.gaps[max(place, beside)] <= NEAR:
            places[symbol][number] = beside
            ended[symbol][column] += 1
    needed = max(least, SHARE * len(pattern.instances))

    def telling(symbol: int) -> float:
        count, rate = len(places[symbol]), rates[symbol]
        lift = count / (len(pattern.instances) * rate)
        of_step = [n / (ends[c] * rate) for c, n in ended[symbol].items() if n >= max(least, USUAL * ends[c])]
        if count < needed or (lift < LIFT and max(of_step, default=0.0) < USUAL_LIFT):
            return 0.0
        return count * float(np.log2(max(lift, *of_step, 2.0)))

    best = max(places, key=lambda symbol: (telling(symbol), -symbol), default=-1)
    return (best, places[best]) if best >= 0 and telling(best) > 0 else (-1, {})


def _end(instance: Instance, *, after: bool) -> tuple[int, int]:
    """The last (or first) step of an occurrence that is there: its column and its place."""
    there = [(place, column) for column, place in enumerate(instance.positions) if place >= 0]
    place, column = max(there) if after else min(there)
    return column, place


def _with(pattern: Pattern, symbol: int, found: dict[int, int], *, after: bool) -> Pattern:
    """The pattern with one more step at an end."""
    share = len(found) / len(pattern.instances)
    places = [found.get(number, -1) for number in range(len(pattern.instances))]
    pairs = zip(pattern.instances, places, strict=True)
    if after:
        grown = tuple(replace(one, positions=(*one.positions, place)) for one, place in pairs)
        return replace(pattern, steps=(*pattern.steps, symbol), presence=(*pattern.presence, share), instances=grown)
    grown = tuple(replace(one, positions=(place, *one.positions)) for one, place in pairs)
    return replace(pattern, steps=(symbol, *pattern.steps), presence=(share, *pattern.presence), instances=grown)
