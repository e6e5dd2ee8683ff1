"""A profile: the steps of a pattern, how often each is there, where it occurs, and how many bits that is worth.

The worth is the surprise of the occurrences if each session were shuffled, less what it takes to tell the
pattern and to tell, for every occurrence, which steps are absent and how long the gaps are. Whether it is worth
reporting is decided in `selection`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from meta.mining.events import Events, Residual
from meta.mining.kernels import NEAR, align, expected, tally

REACH = 8.0  # longest gap of unexplained events inside a pattern
MIN_PRESENCE = 0.15  # of a step; below it is noise
LONGEST = 24  # steps
ALIGNMENTS = 4  # rounds in which occurrences and rates settle
SETTLED = 0.01  # change of the number of occurrences that ends these rounds
LENIENT = 2.0  # bits that a step which is convincing by itself may cost
CONVINCING = 0.0  # bits of a step beyond chance before it is tried
TRIALS = 3  # insertions tried before growth ends


@dataclass(frozen=True, slots=True)
class Profile:
    """Steps (symbols), the event of every step in every occurrence (-1 where absent), and the bits it saves."""

    steps: tuple[int, ...]
    rows: np.ndarray
    bits: float

    @property
    def counts(self) -> np.ndarray:
        """In how many occurrences each step is there."""
        present: np.ndarray = (self.rows >= 0).sum(axis=0).astype(np.float64)
        return present

    @property
    def presence(self) -> np.ndarray:
        return self.counts / len(self.rows)


@dataclass(frozen=True, slots=True)
class Naming:
    """Bits to tell which pattern it is: one symbol of all that make patterns, and each other among its partners.

    `partners` is, per symbol, how many symbols share so many sessions with it that they may repeat together.
    """

    symbols: int
    partners: np.ndarray

    def bits(self, steps: tuple[int, ...]) -> float:
        k = len(steps)
        fewest = float(self.partners[list(steps)].min())
        return math.log2(self.symbols) + (k - 1) * math.log2(fewest) + math.log2(k * (k - 1))

    def slot_bits(self, steps: tuple[int, ...]) -> float:
        """Bits to tell which symbol is put in, and where."""
        return math.log2(float(self.partners[list(steps)].min()) * (len(steps) + 1))


def chance(events: Events, residual: Residual, steps: tuple[int, ...]) -> np.ndarray:
    """Expected adjacent occurrences of the steps, and of the steps without each of them, if sessions were shuffled."""
    return expected(
        np.array(steps, np.int64),
        events.cell_starts,
        events.cell_sessions,
        residual.cell_counts,
        residual.sizes,
        events.adjacency,
        events.prior,
    )


def surprise(count: float, chance: float) -> float:
    """Bits of seeing `count` where a Poisson law expects `chance`; 0 where that is not more than expected."""
    if count <= chance:
        return 0.0
    return (chance - count * math.log(chance) + math.lgamma(count + 1)) / math.log(2)


def sequence_bits(often: float, seldom: float, expect: float, doubt: float) -> float:
    """Bits to tell which of some yes/no facts hold, when `often` do and `seldom` do not, learning the rate on the way."""

    def beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    return (beta(expect, doubt) - beta(often + expect, seldom + doubt)) / math.log(2)


def presence_bits(present: np.ndarray) -> float:
    """Bits to tell which steps are there. A step may be told from any earlier one that it comes and goes with."""
    together = present.astype(np.float64).T @ present
    count, counts = len(present), np.diag(together)
    total = 0.0
    for j in range(present.shape[1]):
        ways = [sequence_bits(counts[j], count - counts[j], 4.0, 0.5)]
        for i in range(j):
            both, alone = together[i, j], counts[j] - together[i, j]
            with_it = sequence_bits(both, counts[i] - both, 2.0, 0.5)
            ways.append(with_it + sequence_bits(alone, count - counts[i] - alone, 1.0, 1.0) + math.log2(j))
        total += min(ways) + (1 if j else 0)
    return total


def fit(
    events: Events, residual: Residual, steps: tuple[int, ...], naming: Naming, guess: np.ndarray
) -> Profile | None:
    """The profile of the steps where they occur, or None where they do not. `guess`: how often each step is there."""
    k = len(steps)
    by_chance = chance(events, residual, steps)
    if by_chance[0] <= 0:  # all of it is explained by other profiles
        return None
    information = np.log2(by_chance[1:] / by_chance[0])
    pointer = math.log2(by_chance[0]) + float(information.sum())  # bits of the number of places where it could stand
    candidates = events.of(steps)
    candidates = candidates[residual.free[candidates]]
    at, numbers = _candidates(events.symbols[candidates], np.array(steps))
    may_be = candidates[at]
    traces, places = events.traces[may_be], residual.places[may_be]
    present = guess
    count = float(guess.max()) / 0.9
    adjacent, apart = 3.0, 1.0
    joints = np.zeros(3)
    before = -1.0
    found = np.empty((0, k), np.int64)
    for _ in range(ALIGNMENTS):
        rate = (present + 1.0) / (count + 1.25)
        found, joints = align(
            may_be,
            traces,
            places,
            numbers,
            information + np.log2(rate),
            -np.log2(1 - rate),
            pointer - math.log2(max(count, 1.0)),
            -math.log2(adjacent / (adjacent + apart)),
            -math.log2(apart / (adjacent + apart)),
            REACH,
        )
        count = float(len(found))
        if count < 2:
            return None
        present = (found >= 0).sum(axis=0)
        adjacent, apart = joints[0] + 3.0, joints[1] + 1.0
        if abs(count - before) <= SETTLED * count:
            break
        before = count
    absent = count - present
    core = by_chance[0] * 2.0 ** float(information[present < count / 2].sum())
    bits = surprise(count, core) + count * math.log2(core / by_chance[0]) - float(absent @ information) - joints[2]
    bits -= sequence_bits(joints[0], joints[1], 2.0, 0.5)
    bits -= presence_bits(found >= 0)
    return Profile(steps, found, bits - naming.bits(steps))


def _candidates(symbols: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which event may be which step: their numbers, by event, then step."""
    if len(np.unique(steps)) == len(steps):
        number = np.zeros(steps.max() + 1, np.int64)
        number[steps] = np.arange(len(steps))
        return np.arange(len(symbols)), number[symbols]
    at, numbers = np.nonzero(symbols[:, None] == steps)
    return at, numbers


def grow(events: Events, residual: Residual, profile: Profile, naming: Naming) -> Profile:
    """The profile with every step put in that saves bits, and every step left out that is too seldom there."""
    while len(profile.steps) < LONGEST:
        tried = (
            fit(events, residual, steps, naming, guess)
            for steps, guess in insertions(events, residual, profile, naming)
        )
        better = next((t for t in tried if t is not None and t.bits > profile.bits - LENIENT), None)
        if better is None:
            break
        profile = better
    while len(profile.steps) > 2 and profile.presence.min() < MIN_PRESENCE:
        rarest = int(profile.presence.argmin())
        present = np.delete(profile.counts, rarest)
        less = fit(events, residual, profile.steps[:rarest] + profile.steps[rarest + 1 :], naming, present)
        if less is None:
            break
        profile = less
    return profile


def insertions(
    events: Events, residual: Residual, profile: Profile, naming: Naming
) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """The steps with one more put in, and how often each is then there, the most surprising first."""
    found: dict[tuple[int, ...], tuple[float, np.ndarray]] = {}
    for reach, anchored in ((0.0, False), (NEAR, False), (REACH, False), (0.0, True), (NEAR, True)):
        for steps, bits, counts in _enriched(events, residual, profile, reach, anchored):
            if steps not in found or bits > found[steps][0]:
                found[steps] = (bits, counts)
    least = CONVINCING + naming.slot_bits(profile.steps)
    best = sorted((-bits, steps) for steps, (bits, _) in found.items() if bits > least)
    return [(steps, found[steps][1]) for _, steps in best[:TRIALS]]


def _enriched(
    events: Events, residual: Residual, profile: Profile, reach: float, anchored: bool
) -> Iterator[tuple[tuple[int, ...], float, np.ndarray]]:
    """Steps with one more put in, the bits of seeing it there so often, and how often each step is there."""
    seen, widths = tally(
        profile.rows,
        events.symbols,
        events.traces,
        residual.places,
        residual.free,
        events.sessions,
        len(residual.sizes),
        len(events.names),
        reach,
        anchored,
    )
    widths /= np.maximum(residual.sizes, 1.0)
    for slot, symbol in zip(*np.nonzero(seen >= max(2.0, MIN_PRESENCE * len(profile.rows))), strict=True):
        cells = slice(*events.cell_starts[symbol : symbol + 2])
        by_chance = float(residual.cell_counts[cells] @ widths[slot, events.cell_sessions[cells]])
        if symbol not in profile.steps[max(slot - 1, 0) : slot + 1]:
            steps = (*profile.steps[:slot], int(symbol), *profile.steps[slot:])
            count = float(seen[slot, symbol])
            yield steps, surprise(count, by_chance), np.insert(profile.counts, slot, count)
