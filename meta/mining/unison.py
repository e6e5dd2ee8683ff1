"""Steps that are never seen without each other: a habit even in a log too small for chance to be told.

What is surprising among many other commands is found in `selection`; here hardly anything else was run.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern

OTHERS = 20  # commands of other kinds that are taken as possible though few were run
CONVINCING = 7.0  # bits beyond chance


def unison(traces: Sequence[Trace], weights: np.ndarray, least: int) -> list[Pattern]:
    """Chains of commands each of which always follows the one before and nothing else, in `least` sessions or more."""
    counts = Counter(int(symbol) for trace in traces for symbol in trace.symbols)
    places: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for number, trace in enumerate(traces):
        for place in range(len(trace.symbols) - 1):
            if trace.gaps[place + 1] == 0:
                places[int(trace.symbols[place]), int(trace.symbols[place + 1])].append((number, place))
    following = {a: b for (a, b), found in places.items() if a != b and len(found) == counts[a] == counts[b]}
    starts = sorted(following.keys() - set(following.values()))
    chains = [_chain(start, following) for start in starts]
    found = [(chain, places[chain[0], chain[1]]) for chain in chains]
    return [
        _pattern(chain, at, bits)
        for chain, at in found
        if len({traces[number].session for number, _ in at}) >= least
        and any(weights[symbol] > 0 for symbol in chain)
        and (bits := _bits(chain, len(at), counts)) >= CONVINCING
    ]


def _chain(start: int, following: dict[int, int]) -> tuple[int, ...]:
    chain = [start]
    while chain[-1] in following:
        chain.append(following[chain[-1]])
    return tuple(chain)


def _bits(chain: tuple[int, ...], count: int, counts: Counter[int]) -> float:
    """How surprising it is that the chain was never broken, less what it takes to say which chain it is."""
    link = count * math.log2((counts.total() + OTHERS) / count)
    return (len(chain) - 1) * link - len(chain) * math.log2(len(counts))


def _pattern(chain: tuple[int, ...], at: list[tuple[int, int]], bits: float) -> Pattern:
    instances = tuple(Instance(number, tuple(range(place, place + len(chain)))) for number, place in at)
    return Pattern(chain, (1.0,) * len(chain), instances, False, bits)
