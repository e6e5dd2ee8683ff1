"""Where patterns may begin: pairs (and in long logs triples) of symbols that follow each other beyond chance.

A seed is not yet a pattern: most are parts of a longer one, or of none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meta.mining.events import Events, Residual
from meta.mining.kernels import count_seeds
from meta.mining.profiles import REACH, Naming, chance, surprise

TRIPLE_REACH = 3.0
PROMISE = -12.0  # bits a seed must be worth; below 0, for a longer pattern is worth more than its seed
LONG = 50_000  # events; beyond, pairs of a rare pattern drown, and triples are counted too
SLACK = 8.0  # bits by which the rough figure may be too low
FEWEST = 3  # occurrences
MOST = 4000  # seeds
PART = 1 << 21  # candidate seeds counted at once, which bounds the memory


@dataclass(frozen=True, slots=True)
class Seed:
    """Symbols that begin a pattern, how often they were seen so, and the bits they are worth alone."""

    steps: tuple[int, ...]
    count: float
    bits: float


def seeds(events: Events, residual: Residual, naming: Naming, size: int) -> list[Seed]:
    """The promising seeds of `size` symbols, best first."""
    promise = PROMISE if len(events.symbols) <= LONG else 0.0
    keys, counts, bits = _counted(events, residual, size)
    base = len(events.names) + 1
    steps = np.stack([keys // base**power % base for power in range(size - 1, -1, -1)], axis=1)
    partners = naming.partners[steps].min(axis=1)
    cost = bits + (math.log2(naming.symbols) + (size - 1) * np.log2(partners) + math.log2(size * (size - 1)))[:, None]
    # what shuffling all events at once would give is quick to tell, and leaves few for the exact figure
    rough = (events.prior[steps].prod(axis=1) * len(events.symbols))[:, None]
    worth = counts * np.log2(np.maximum(counts, 0.5) / rough) - (counts - rough) / math.log(2) - cost
    worth[(counts < 2 * rough) | (counts < FEWEST)] = -np.inf
    reach = worth.argmax(axis=1)
    rows = np.arange(len(keys))
    counts, cost, worth = counts[rows, reach], cost[rows, reach], worth[rows, reach]
    likely = np.argsort(-worth, kind="stable")[: min(int((worth > promise - SLACK).sum()), 2 * MOST)]
    found = []
    for i in likely:
        seed = tuple(int(s) for s in steps[i])
        saved = surprise(float(counts[i]), float(chance(events, residual, seed)[0])) - float(cost[i])
        if saved > promise:
            found.append(Seed(seed, float(counts[i]), saved))
    return sorted(found, key=lambda seed: (-seed.bits, seed.steps))[:MOST]


def _counted(events: Events, residual: Residual, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys, and for each three reaches (adjacent, near, any): how many are within it, and the bits of their gaps."""
    reach = REACH if size == 2 else TRIPLE_REACH
    base = len(events.names) + 1
    usable = np.append(np.ones(len(events.names), bool), False)
    free = np.bincount(events.symbols[residual.free], minlength=base)[:-1]
    fan = reach + 1 if size == 2 else (reach + 1) ** 2
    parts = []
    first = 0
    while first < len(free):
        load = np.cumsum(free[first:]) * fan
        last = first + max(int(np.searchsorted(load, PART, side="right")), 1)
        distinct = min(load[last - first - 1], (last - first) * float(base) ** (size - 1))
        slots = 1 << max(math.ceil(math.log2(2 * distinct + 2)), 4)
        parts.append(
            count_seeds(
                events.symbols,
                events.traces,
                residual.places,
                residual.free,
                usable,
                first,
                last,
                reach,
                size == 3,
                slots,
            )
        )
        first = last
    keys, counts, bits = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(keys)
    return keys[order], counts[order].cumsum(axis=1), bits[order].cumsum(axis=1)
