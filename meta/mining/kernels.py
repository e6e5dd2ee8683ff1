"""The inner loops of the pattern miner: as they stand for a short log, compiled and kept on disk for a long one.

Numbers in, numbers out: what they mean is said by the callers. Compiled code lies beside the package or, where that
cannot be written, in the user's cache folder (or in `NUMBA_CACHE_DIR`); where neither can, it is compiled anew.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from types import FunctionType
from typing import TypeVar, cast

import numpy as np

ADJACENT = 0.25  # bits of a joint of a seed, before its pattern is known: no gap
NEAR = 2.0
SHRINK = 100.0  # events; a session much shorter tells little about its own rates
APART = 2.0  # the same: a gap, without its length
LONG = 5000  # numbers in the longest array, or
PATIENCE = 0.5  # seconds in a process: what loading the compiler takes, so that waiting never costs more than twice

Function = TypeVar("Function", bound=Callable[..., object])
_spent = [0.0]  # seconds in uncompiled loops


def kernel(function: Function) -> Function:
    """`function` over arrays, by whichever way is quicker by now; the result is the same."""

    @functools.wraps(function)
    def either(*arguments: object) -> object:
        longest = max(len(argument) for argument in arguments if isinstance(argument, np.ndarray))
        if longest >= LONG or _spent[0] > PATIENCE:
            return _compiled(function)(*arguments)
        start = time.perf_counter()
        result = function(*map(_plain, arguments))
        _spent[0] += time.perf_counter() - start
        return result

    return cast(Function, either)


def _plain(argument: object) -> object:
    """A row of numbers as a list, whose items Python reads several times faster than those of an array."""
    return argument.tolist() if isinstance(argument, np.ndarray) and argument.ndim == 1 else argument


@functools.cache
def _compiled(function: Callable[..., object]) -> Callable[..., object]:
    import numba  # with what it loads to run anything 0.5 s

    def jit(plain: FunctionType, known: dict[str, object]) -> Callable[..., object]:
        own = FunctionType(plain.__code__, {**plain.__globals__, **known}, plain.__name__)
        own.__qualname__ = plain.__qualname__
        try:
            return cast(Callable[..., object], numba.njit(cache=True)(own))
        except RuntimeError:  # numba found no folder that it can write
            return cast(Callable[..., object], numba.njit(own))

    helpers = {"length_bits": length_bits, "floats": _float_array, "whole_numbers": _whole_array}
    return jit(cast(FunctionType, function), {name: jit(cast(FunctionType, one), {}) for name, one in helpers.items()})


def floats(count: int) -> list[float]:
    """Zeros: a list, whose items Python reads several times faster than those of an array; compiled it is an array."""
    return [0.0] * count


def _float_array(count: int) -> np.ndarray:
    return np.zeros(count)


def whole_numbers(count: int, value: int) -> list[int]:
    return [value] * count


def _whole_array(count: int, value: int) -> np.ndarray:
    return np.full(count, value)


def length_bits(gap: float) -> float:
    """Bits to tell the length of a gap that is there: 1 for one event, about twice the logarithm for many."""
    gap = max(gap, 1.0)
    return math.log2(gap * (gap + 1))


@kernel
def count_seeds(
    symbols: np.ndarray,
    traces: np.ndarray,
    places: np.ndarray,
    free: np.ndarray,
    usable: np.ndarray,
    first: int,
    last: int,
    reach: float,
    triples: bool,
    slots: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gapped pairs (or triples) whose first symbol is in [first, last): keys, occurrences, bits of their gaps.

    Occurrences and bits are told apart by the longest gap: none, up to `NEAR`, more.

    An element is paired with the nearest later one of each symbol, and with none beyond the next one of its own, so
    the occurrences of a pair never overlap. A key is the symbols in base len(usable). `slots` is a power of two above
    the number of different keys.
    """
    base = len(usable)
    keys = np.full(slots, -1, np.int64)
    counts = np.zeros((slots, 3), np.int32)
    bits = np.zeros((slots, 3), np.float32)
    mask = slots - 1
    near = np.empty(64, np.int64)
    for i in range(len(symbols)):
        a = symbols[i]
        if a < first or a >= last or not free[i] or not usable[a]:
            continue
        found = 0
        j = i + 1
        while j < len(symbols) and traces[j] == traces[i] and places[j] - places[i] - 1 <= reach and found < 64:
            b = symbols[j]
            if free[j]:
                if b == a:
                    break
                fresh = usable[b]
                for t in range(found):
                    if symbols[near[t]] == b:
                        fresh = False
                        break
                if fresh:
                    near[found] = j
                    found += 1
            j += 1
        for t in range(found):
            widest = places[near[t]] - places[i] - 1
            first_bits = APART + length_bits(widest) if widest > 0 else ADJACENT
            key = a * base + symbols[near[t]]
            upper = found if triples else t + 2
            for u in range(t + 1, upper):
                total, longest, whole = first_bits, widest, key
                if triples:
                    gap = places[near[u]] - places[near[t]] - 1
                    total += APART + length_bits(gap) if gap > 0 else ADJACENT
                    longest = max(longest, gap)
                    whole = key * base + symbols[near[u]]
                slot = ((whole * -7046029254386353131) >> 20) & mask
                while keys[slot] != -1 and keys[slot] != whole:
                    slot = (slot + 1) & mask
                keys[slot] = whole
                kind = 0 if longest <= 0 else (1 if longest <= NEAR else 2)
                counts[slot, kind] += 1
                bits[slot, kind] = float(bits[slot, kind]) + total  # NumPy alone would add in single precision
    held = np.nonzero(counts.sum(axis=1) >= 3)[0]
    return keys[held], counts[held], bits[held]


@kernel
def expected(
    steps: np.ndarray,
    cell_starts: np.ndarray,
    cell_sessions: np.ndarray,
    cell_counts: np.ndarray,
    sizes: np.ndarray,
    adjacency: np.ndarray,
    prior: np.ndarray,
) -> np.ndarray:
    """How often the steps stand side by side by chance, in all sessions; then the same without each of the steps.

    Chance is a shuffled session whose symbols are drawn at its own rates, as far as a session of its length can tell
    them, and else at those of the whole log (`SHRINK`). `adjacency` is the share of neighbouring places of a session
    that lie in one trace.
    """
    k = len(steps)
    held = np.zeros((k, len(sizes)))
    for j in range(k):
        again = 0
        for t in range(j):
            again += steps[t] == steps[j]
        for cell in range(cell_starts[steps[j]], cell_starts[steps[j] + 1]):
            held[j, cell_sessions[cell]] = max(cell_counts[cell] - again, 0)
    chance = np.zeros(k + 1)
    for s in range(len(sizes)):
        whole = 1.0
        own = sizes[s] / (sizes[s] + SHRINK)
        for j in range(k):
            held[j, s] = own * (held[j, s] + SHRINK * prior[steps[j]])
            whole *= held[j, s]
            if j < k - 1:
                whole *= adjacency[s] / max(sizes[s] - j, 1.0)
        chance[0] += whole
        joint = max(sizes[s] - k + 2, 1.0) / max(adjacency[s], 1e-9)
        for j in range(k):
            chance[j + 1] += whole / max(held[j, s], 1e-300) * joint
    return np.maximum(chance, 1e-300)


@kernel
def align(
    events: np.ndarray,
    traces: np.ndarray,
    places: np.ndarray,
    steps: np.ndarray,
    match: np.ndarray,
    skip: np.ndarray,
    pointer: float,
    adjacent: float,
    apart: float,
    reach: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The best set of non-overlapping occurrences of a profile among its candidates, all scores in bits.

    A candidate is an event that may be a step: its number (ascending), trace, place and step, a row each. `match` is
    gained by a step that is there, `skip` paid for one that is not, `pointer` once an occurrence, `adjacent` or `apart`
    (and the length) for a gap. Gives the event of every step of every occurrence (-1 where absent), and for the joints:
    how many are adjacent, how many apart, and the bits of the lengths of those.
    """
    k, room = len(match), len(events)
    before = floats(k + 1)
    for j in range(k):
        before[j + 1] = before[j] + skip[j]
    scores, total = floats(room), floats(room + 1)
    back, first, choice = whole_numbers(room, -1), whole_numbers(room, 0), whole_numbers(room + 1, -1)
    opened = 0  # the first candidate of the same event
    for n in range(room):
        if events[n] != events[opened]:
            opened = n
        j = steps[n]
        score = match[j] - pointer - before[j]
        q = opened - 1
        while q >= 0 and traces[q] == traces[n]:
            gap = places[n] - places[q] - 1
            if gap > reach:
                break
            p = steps[q]
            if p < j:
                cost = adjacent
                if gap > 0:
                    cost = apart + length_bits(gap)
                through = scores[q] + match[j] - (before[j] - before[p + 1]) - cost
                if through > score:
                    score = through
                    back[n] = q
            q -= 1
        scores[n] = score
        first[n] = opened if back[n] < 0 else first[back[n]]
        total[n + 1] = total[n]
        whole = score - (before[k] - before[j + 1])
        if back[n] >= 0 and whole > 0 and total[first[n]] + whole > total[n + 1]:
            total[n + 1] = total[first[n]] + whole
            choice[n + 1] = n
    rows = np.full((room // 2 + 1, k), -1, np.int64)
    joints = np.zeros(3)
    found = 0
    at = room
    while at > 0:
        if choice[at] < 0:
            at -= 1
            continue
        node = choice[at]
        at = first[node]
        while node >= 0:
            rows[found, steps[node]] = events[node]
            if back[node] >= 0:
                gap = places[node] - places[back[node]] - 1
                if gap > 0:
                    joints[1] += 1
                    joints[2] += length_bits(gap)
                else:
                    joints[0] += 1
            node = back[node]
        found += 1
    return rows[:found][::-1], joints


@kernel
def tally(
    rows: np.ndarray,
    symbols: np.ndarray,
    traces: np.ndarray,
    places: np.ndarray,
    free: np.ndarray,
    sessions: np.ndarray,
    session_count: int,
    vocabulary: int,
    reach: float,
    anchored: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """What else stands around the occurrences: for each slot (before, between, after the steps) and symbol.

    Gives in how many occurrences the symbol is in the slot, and for each slot and session how many events were looked
    at. Where steps are absent the slot is the one before the next that is there or, if `anchored`, the one after the
    last that is there. Events of any of the occurrences are not looked at and not passed.
    """
    count, k = rows.shape
    own = np.zeros(len(symbols), np.bool_)
    for i in range(count):
        for j in range(k):
            if rows[i, j] >= 0:
                own[rows[i, j]] = True
    seen = np.zeros((k + 1, vocabulary), np.int64)
    widths = np.zeros((k + 1, session_count))
    stamp = np.full((k + 1, vocabulary), -1, np.int64)
    for i in range(count):
        last, after = -1, 0
        for j in range(k + 1):
            here = rows[i, j] if j < k else -1
            if here < 0 and j < k:
                continue
            slot = after if anchored else j
            origin, move = last, 1
            if last < 0:
                origin, move = here, -1
            e = origin + move
            while 0 <= e < len(symbols) and traces[e] == traces[origin] and not own[e]:
                if abs(places[e] - places[origin]) - 1 > reach:
                    break
                if free[e]:
                    widths[slot, sessions[e]] += 1
                    x = symbols[e]
                    if x < vocabulary and stamp[slot, x] != i:
                        stamp[slot, x] = i
                        seen[slot, x] += 1
                e += move
            if here >= 0:
                last, after = here, j + 1
    return seen, widths
