"""Make whole workflows of patterns: join those that follow each other, and let them reach to their neighbours.

Mining explains every event once and with the fewest words, so a tail that several workflows share (stage, commit)
comes out alone. A person wants the whole: tests, lint, the repair of the lint, the commit. Whether a pattern is one at
all was decided in `selection`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern, events_of, weighed

SHARE = 0.08  # of the occurrences that must have the neighbour
LIFT = 4.0  # how much commoner it must be there than elsewhere
USUAL = 0.5  # share of the occurrences that end in one step, for a neighbour that belongs to that step,
USUAL_LIFT = 2.0  # which need not be that rare elsewhere
NEAR = 1.0  # longest gap to a neighbour
FOLLOWED = 0.75  # share of the rarer pattern's occurrences that the other follows, to make one of two
ALSO = 0.25  # share of the commoner one's
BETWEEN = 2  # commands between the two
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
    for pattern in _joined([one for one in patterns if not one.loop], traces, least):
        events = events_of(pattern)
        if len(events & taken) < CONTAINED * len(events):
            kept.append(_grown(pattern, traces, rates, least))
            taken |= events_of(kept[-1])
    loops = (one for one in patterns if one.loop)
    return kept + [one for one in loops if len(events_of(one) & taken) < CONTAINED * len(events_of(one))]


def _joined(patterns: list[Pattern], traces: Sequence[Trace], least: int) -> list[Pattern]:
    """The patterns with every two that belong together made one, the closest pair first."""
    while True:
        pairs = ((first, then) for first in patterns for then in patterns if first is not then)
        found = [(len(matched), first, then, matched) for first, then in pairs
                 if (matched := _following(first, then, traces, least))]  # fmt: skip
        if not found:
            return patterns
        _, first, then, matched = max(found, key=lambda row: (row[0], row[1].gain + row[2].gain, row[1].steps))
        whole, rest = _join(first, then, matched, traces, least)
        left = [one for one in patterns if one is not first and one is not then]
        patterns = sorted([*left, whole, *rest], key=lambda one: (-one.gain, one.steps))


def _following(first: Pattern, then: Pattern, traces: Sequence[Trace], least: int) -> dict[int, int]:
    """For occurrences of `first` the one of `then` that follows each, where that is the rule; else nothing."""
    starts: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, one in enumerate(then.instances):
        starts[one.trace].append((_end(one, after=False)[1], number))
    matched: dict[int, int] = {}
    used: set[int] = set()
    for number, one in enumerate(first.instances):
        last, trace = _end(one, after=True)[1], traces[one.trace]
        for start, other in sorted(starts[one.trace]):
            near = last < start <= last + 1 + BETWEEN and trace.gaps[last + 1 : start + 1].max() <= NEAR
            if near and other not in used:
                matched[number] = other
                used.add(other)
                break
    rarer, commoner = sorted((len(first.instances), len(then.instances)))
    sessions = {traces[first.instances[number].trace].session for number in matched}
    return matched if len(matched) >= max(least, FOLLOWED * rarer, ALSO * commoner) and len(sessions) >= least else {}


def _join(
    first: Pattern, then: Pattern, matched: dict[int, int], traces: Sequence[Trace], least: int
) -> tuple[Pattern, list[Pattern]]:
    """The two as one, with what usually stands between them, and the commoner one's other occurrences if they last."""
    whole_first = len(first.instances) <= len(then.instances)
    between = _usual(first, then, matched, traces, least)
    wide, tail = len(first.steps), len(then.steps)
    instances = []
    for number, one in enumerate(first.instances):
        if number in matched:
            other = then.instances[matched[number]]
            span = range(_end(one, after=True)[1] + 1, _end(other, after=False)[1])
            same = tuple(int(traces[one.trace].symbols[place]) for place in span) == between
            middle = tuple(span) if same else (-1,) * len(between)
            instances.append(Instance(one.trace, (*one.positions, *middle, *other.positions)))
        elif whole_first:
            instances.append(Instance(one.trace, (*one.positions, *(-1,) * (len(between) + tail))))
    if not whole_first:
        alone = set(range(len(then.instances))) - set(matched.values())
        empty = (-1,) * (wide + len(between))
        instances += [Instance(then.instances[n].trace, (*empty, *then.instances[n].positions)) for n in sorted(alone)]
    steps = (*first.steps, *between, *then.steps)
    whole = weighed(Pattern(steps, (), (), False, first.gain + then.gain), instances)
    larger, used = (then, set(matched.values())) if whole_first else (first, set(matched))
    rest = tuple(one for number, one in enumerate(larger.instances) if number not in used)
    share = len(rest) / len(larger.instances)
    return whole, [weighed(replace(larger, gain=larger.gain * share), rest)] if len(rest) >= least else []


def _usual(
    first: Pattern, then: Pattern, matched: dict[int, int], traces: Sequence[Trace], least: int
) -> tuple[int, ...]:
    """The commands that most often stand between the two."""
    seen: Counter[tuple[int, ...]] = Counter()
    for number, other in matched.items():
        one = first.instances[number]
        span = slice(_end(one, after=True)[1] + 1, _end(then.instances[other], after=False)[1])
        seen[tuple(int(symbol) for symbol in traces[one.trace].symbols[span])] += 1
    usual = [(count, commands) for commands, count in seen.items() if commands and count >= least]
    return max(usual)[1] if usual else ()


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
    inside = events_of(pattern)
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
