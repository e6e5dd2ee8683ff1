"""Patterns that tasks end with: the build, the tests and the lint before a task is called done.

Where a few commands make most of a log, any order of them is likely somewhere; at the very end of a task it is not.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern
from meta.mining.selection import THRESHOLD

SIZES = (3, 4, 5)  # steps; two are few enough to be seen anywhere
WORK = 2  # steps that must work


def ending(traces: Sequence[Trace], weights: np.ndarray, least: int = 3) -> list[Pattern]:
    """What the traces of at least `least` sessions end with, beyond chance, and mostly in this order, the best first.

    Steps that are repeated back to back count once. A pattern's `gain` is the evidence in bits.
    """
    acts = [_acts(trace) for trace in traces]
    counts = Counter(symbol for one in acts for symbol, _ in one)
    rates = {symbol: count / counts.total() for symbol, count in counts.items()}
    lengths = {size: sum(len(one) >= size for one in acts) for size in SIZES}
    ends: defaultdict[tuple[int, ...], list[Instance]] = defaultdict(list)
    for number, one in enumerate(acts):
        for size in SIZES:
            tail = one[-size:]
            steps = tuple(symbol for symbol, _ in tail)
            if len(set(steps)) == size and sum(weights[symbol] > 0 for symbol in steps) >= WORK:
                ends[steps].append(Instance(number, tuple(place for _, place in tail)))
    sets = Counter(frozenset(steps) for steps, found in ends.items() for _ in found)
    tried = sum(count >= least for count in sets.values())
    made = [
        Pattern(steps, (1.0,) * len(steps), tuple(found), False, _evidence(steps, len(found), lengths, rates))
        for steps, found in ends.items()
        if len({traces[one.trace].session for one in found}) >= least
        and _order(steps, len(found), sets[frozenset(steps)]) > THRESHOLD + math.log2(tried)
    ]
    needed = THRESHOLD + math.log2(len(SIZES))
    return sorted((one for one in made if one.gain > needed), key=lambda one: (-one.gain, one.steps))


def _acts(trace: Trace) -> list[tuple[int, int]]:
    """The symbols of a trace, each with its place; of those repeated back to back the last."""
    runs = groupby(enumerate(trace.symbols.tolist()), key=lambda pair: pair[1])
    return [(symbol, [place for place, _ in run][-1]) for symbol, run in runs]


def _evidence(steps: Sequence[int], count: int, lengths: Mapping[int, int], rates: Mapping[int, float]) -> float:
    """Bits by which so many ends are rarer than chance has them, less those that it takes to tell the steps."""
    told = sum(math.log2(rates[step]) for step in steps)
    stays = sum(math.log2(1 - rates[step]) for step in steps[:-1])  # no step follows itself
    return told + _bits(count, lengths[len(steps)], min(2 ** (told - stays), 0.999))


def _order(steps: Sequence[int], count: int, total: int) -> float:
    """Bits by which this order of the steps is commoner among `total` ends than chance has any of their orders."""
    orders = math.factorial(len(steps))
    return _bits(count, total, 1 / orders) - math.log2(orders)


def _bits(count: int, total: int, share: float) -> float:
    """In bits: how rarely `count` of `total`, or more, come about when each does so at this rate."""
    ways = [
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        + k * math.log(share) + (total - k) * math.log1p(-share)
        for k in range(count, total + 1)
    ]  # fmt: skip
    return -float(np.logaddexp.reduce(ways)) / math.log(2)
