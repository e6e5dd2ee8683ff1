"""Where better arrangements are looked for: starts of several kinds, each relaxed, the better ones kept in the pool.

Which n is worth the next attempt is decided by what attempts gained for their work; how an arrangement is relaxed is
the matter of `relax`, where the pool lies that of `pool`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from geometry import HULL, box, centred, gap, place, placed, side
from lattice import centre, crystal
from numba import njit
from polish import squeezed
from pool import Pool
from relax import finished, pressed, whole

STEPS = 60  # of the minimiser at each pressure
LAST = 3e-6  # the lowest pressure
SECOND = 1.5e6  # the work done in about a second
PROGRAM = 20_000  # the work of a squeeze, for each copy
START = 100  # that of most starts
KINDS = (
    "squeeze",
    "hop",
    "drop",
    "add",
    "crystal",
    "random",
    "hop-sym",
    "drop-sym",
    "add-sym",
    "crystal-sym",
    "random-sym",
)
BANDS = (8, 16, 32, 64, 120)  # sizes that profit from the same kinds of start
SYMMETRIC = frozenset(kind for kind in KINDS if kind.endswith("-sym"))


@njit(cache=True)
def seed_numba(seed):
    np.random.seed(seed)


@njit(cache=True)
def clash(one, corners, normals, circles, others, half):
    """How much the last of the placed copies overlaps the others and the walls."""
    last = others.shape[0]
    place(one, corners[last : last + 1], normals[last : last + 1], circles[last : last + 1])
    total = 0.0
    c, s = math.cos(one[0, 2]), math.sin(one[0, 2])
    for k in range(HULL.shape[0]):
        x, y = one[0, 0] + c * HULL[k, 0] - s * HULL[k, 1], one[0, 1] + s * HULL[k, 0] + c * HULL[k, 1]
        total += max(0.0, abs(x) - half) + max(0.0, abs(y) - half)
    for j in range(last):
        total -= min(0.0, gap(corners, normals, circles, last, j, 0.0))
    return total


@njit(cache=True)
def hole(others, half, tries):
    """A place for one more copy with little overlap: the best of some random ones, improved a little."""
    n = others.shape[0]
    copies = np.zeros((n + 1, 3))
    copies[:n] = others
    corners, normals, circles = placed(copies)
    one, best = np.zeros((1, 3)), np.zeros((1, 3))
    least = 1e300
    for attempt in range(tries):
        if attempt < tries * 2 // 3:
            one[0, 0], one[0, 1] = np.random.uniform(-half, half), np.random.uniform(-half, half)
            one[0, 2] = np.random.uniform(0.0, 2 * math.pi)
        else:
            one[0, 0], one[0, 1] = best[0, 0] + 0.05 * np.random.normal(), best[0, 1] + 0.05 * np.random.normal()
            one[0, 2] = best[0, 2] + 0.15 * np.random.normal()
        found = clash(one, corners, normals, circles, others, half)
        if found < least:
            least = found
            best[:] = one
    return best[0].copy()


@dataclass
class Tally:
    """What attempts of one sort gained for their work, the older the less."""

    gain: float
    work: float

    def add(self, gain: float, work: float, memory: float) -> None:
        keep = math.exp(-work / memory)
        self.gain, self.work = self.gain * keep + gain, self.work * keep + work

    @property
    def rate(self) -> float:
        return self.gain / self.work


@dataclass
class Search:
    """Attempts to better a pool. Work is counted in evaluations x copies, so that a seed alone decides what happens."""

    pool: Pool
    random: np.random.Generator
    work: float = 0.0
    sizes: tuple[int, ...] = ()
    now: dict[tuple[int, bool], tuple[np.ndarray, float]] = field(default_factory=dict)  # where a walk stands
    tight: dict[int, float] = field(default_factory=dict)  # the side of what a linear program has had
    by_size: dict[int, Tally] = field(default_factory=dict)
    by_kind: dict[tuple[int, str], Tally] = field(default_factory=dict)

    def step(self) -> float:
        """One attempt, where attempts of late gained most for their work; the score gained."""
        rates = np.array([self.by_size.setdefault(n, Tally(0.03, SECOND)).rate for n in self.sizes])
        rates += 0.25 * rates.mean()
        n = self.sizes[self.pick(rates / (np.array(self.sizes) + 4))]  # an attempt takes about as long as it has copies
        band = sum(n > limit for limit in BANDS)
        open_ = [kind for kind in KINDS if self.open(n, kind)]
        kinds = np.array([self.by_kind.setdefault((band, kind), Tally(0.03, SECOND)).rate for kind in open_])
        cost = np.array([PROGRAM / START if kind == "squeeze" else 1.0 for kind in open_])
        kind = open_[self.pick((kinds + 0.1 * kinds.mean()) / cost)]
        before = self.work
        gained = self.attempt(n, kind)
        self.by_size[n].add(gained, self.work - before, 15 * SECOND)
        self.by_kind[band, kind].add(gained, self.work - before, 60 * SECOND)
        return gained

    def pick(self, weights: np.ndarray) -> int:
        return int(np.searchsorted(np.cumsum(weights), self.random.random() * weights.sum()))

    def open(self, n: int, kind: str) -> bool:
        """Whether there is something for that kind to go from."""
        name, symmetric = kind.removesuffix("-sym"), kind in SYMMETRIC
        per = 2 if symmetric else 1
        if symmetric and n % 2:
            return False
        if name == "squeeze":
            return n > 1 and n in self.pool.best and self.tight.get(n) != self.pool.sides[n]
        if name in ("crystal", "random"):
            return len(self.pool.cells) > 0 if name == "crystal" else n <= 40
        other = {"hop": n, "drop": n + per, "add": n - per}[name]
        return other in (self.pool.symmetric if symmetric else self.pool.best)

    def attempt(self, n: int, kind: str) -> float:
        """One start of that kind, relaxed; the score gained."""
        if kind == "squeeze":
            copies = squeezed(self.pool.best[n])
            self.work += PROGRAM * n
            gained = self.offer(copies)
            self.tight[n] = self.pool.sides[n]
            return gained
        symmetric = kind in SYMMETRIC
        rows, half, heat = self.start(n, kind)
        count = len(rows)
        state = np.append(rows.ravel(), 2 * half)
        walk, fresh = kind.startswith("hop"), kind.startswith(("crystal", "random"))
        held = (self.pool.symmetric_sides if symmetric else self.pool.sides).get(n, 1e9)
        bound = self.now[n, symmetric][1] * (1 + 0.004 * self.random.random() ** 3) if walk else held
        expected, used = pressed(state, count, symmetric, heat, LAST, STEPS, bound, 0.02 if fresh else 0.003)
        gained = 0.0
        if expected < 1e200:
            if walk:
                self.now[n, symmetric] = (state[:-1].reshape(-1, 3).copy(), max(expected, held * (1 - 1e-6)))
            if expected < held * (1 - 1e-7):
                gained, more = self.finish(n, state, expected, symmetric, held)
                used += more
        self.work += used * count
        return gained

    def finish(self, n: int, state: np.ndarray, expected: float, symmetric: bool, held: float) -> tuple[float, int]:
        count = n // 2 if symmetric else n
        copies, used = finished(state, count, symmetric, expected, held)
        if not len(copies):
            return 0.0, used
        if symmetric:
            self.pool.offer_symmetric(copies[:count], side(copies))
        gained = self.offer(copies)
        self.now[n, symmetric] = (copies[:count].copy(), side(copies))
        return gained, used

    def offer(self, copies: np.ndarray) -> float:
        """The score gained by the arrangement, and by taking copies away from it."""
        n, gained = len(copies), self.pool.offer(copies)
        while gained and n - 1 in self.pool.best and self.pool.sides[n - 1] > self.pool.sides[n]:
            n -= 1
            gained += thin(self.pool, [n])
        return gained

    def start(self, n: int, kind: str) -> tuple[np.ndarray, float, float]:
        """The rows to start with, half of the side and the pressure."""
        name, symmetric = kind.removesuffix("-sym"), kind in SYMMETRIC
        per = 2 if symmetric else 1
        count = n // per
        if name == "crystal":
            return self.cut(n, symmetric)
        if name == "random":
            half = 0.31 * math.sqrt(n) + 0.2
            place = self.random.uniform(-half, half, (count, 3))
            place[:, 2] = self.random.uniform(0, 2 * math.pi, count)
            return place, half, 0.05
        if name == "hop":
            if (n, symmetric) not in self.now or self.random.random() < 0.03:
                held = self.pool.symmetric if symmetric else self.pool.best
                self.now[n, symmetric] = (held[n], (self.pool.symmetric_sides if symmetric else self.pool.sides)[n])
            rows, width = self.now[n, symmetric]
            return self.moved(rows, 0.5 * width, symmetric)
        other = n + per if name == "drop" else n - per
        rows = (self.pool.symmetric if symmetric else self.pool.best)[other]
        width = (self.pool.symmetric_sides if symmetric else self.pool.sides)[other]
        if name == "drop":
            return np.delete(rows, self.outer(rows), 0), 0.5 * width, 0.01
        half = 0.5 * width * math.sqrt(n / other)
        rows = np.vstack([rows, hole(self.all(rows, symmetric), half, 150)])
        return rows, half, 0.01

    def all(self, rows: np.ndarray, symmetric: bool) -> np.ndarray:
        return whole(np.append(rows.ravel(), 0.0), len(rows), symmetric) if symmetric else rows

    def outer(self, rows: np.ndarray) -> int:
        """A row at random, those near the walls more often."""
        if self.random.random() < 0.3:
            return int(self.random.integers(len(rows)))
        far = np.abs(rows[:, :2]).max(1) + 0.25 * self.random.standard_normal(len(rows))
        return int(np.argmax(far))

    def moved(self, rows: np.ndarray, half: float, symmetric: bool) -> tuple[np.ndarray, float, float]:
        """A neighbour of an arrangement: copies put elsewhere, turned round, or all of them shaken."""
        rows = (centred(rows) if not symmetric else rows).copy()
        choice = self.random.random()
        if choice < 0.7 and len(rows) > 1:
            for _ in range(1 + int(self.random.random() < 0.3)):
                gone = self.outer(rows)
                rest = np.delete(rows, gone, 0)
                rows = np.vstack([rest, hole(self.all(rest, symmetric), half, 120)])
        elif choice < 0.85:
            near = self.random.integers(len(rows))
            distance = np.hypot(*(rows[:, :2] - rows[near, :2]).T)
            some = np.argsort(distance)[: self.random.integers(1, 6)]
            rows[some, :2] += 0.15 * self.random.standard_normal((len(some), 2))
            rows[some, 2] += self.random.choice([math.pi, 0.0, 0.5 * math.pi, -0.5 * math.pi], len(some))
            rows[some, 2] += 0.2 * self.random.standard_normal(len(some))
        else:
            size = 0.12 * self.random.random() ** 2
            rows += size * self.random.standard_normal(rows.shape)
        return rows, half, float(self.random.choice([0.02, 0.005]))

    def cut(self, n: int, symmetric: bool) -> tuple[np.ndarray, float, float]:
        """Copies out of a crystal: those that a square takes up first, give and take the ones near its walls."""
        some = self.pool.cells
        cell = some[min(int(self.random.exponential(2.0)), len(some) - 1)]
        turn = self.random.uniform(0, 0.5 * math.pi)
        x, y = (
            centre(cell, int(self.random.integers(4)))
            if symmetric
            else (self.random.uniform(0, cell[0]), self.random.uniform(0, cell[2]))
        )
        per = 2 if symmetric else 1
        copies, reach = crystal(cell, turn, x, y, n // per + 12, not symmetric)
        noise = self.random.choice([0.0, 0.03, 0.1]) * self.random.standard_normal(len(reach))
        order = np.argsort(reach + noise)[: n // per]
        return copies[order], 0.97 * float(np.sort(reach)[n // per - 1]), 0.01


def scan(pool: Pool, most: int, random: np.random.Generator, turns: int) -> None:
    """Cut the pool's crystals by squares at many angles; keep the best cut for each n."""
    best = np.full(most + 1, np.inf)
    where: list[tuple[np.ndarray, float, float, float]] = [None] * (most + 1)  # type: ignore[list-item]  # the first cut fills each
    for cell in pool.cells[:8]:
        for k in range(turns):
            turn = (k + random.random()) / turns * 0.5 * math.pi
            if k % 2:
                x, y = centre(cell, k // 2 % 4)
            else:
                x, y = random.uniform(0, cell[0]), random.uniform(0, cell[2])
            reach = crystal(cell, turn, x, y, most, True)[1]
            for n in np.nonzero(reach < best[1:])[0]:
                best[n + 1], where[n + 1] = reach[n], (cell, turn, x, y)
    for n in range(1, most + 1):
        cell, turn, x, y = where[n]
        copies = crystal(cell, turn, x, y, n, True)[0]
        pool.offer(copies)
        pool.offer(copies[:n])


def thin(pool: Pool, sizes: Iterable[int]) -> float:
    """Where n + 1 copies lie in a smaller square than n do, take one away from them; the score that this gains."""
    gained = 0.0
    for n in sorted(sizes, reverse=True):
        if n + 1 not in pool.best:
            continue
        copies = pool.best[n + 1]
        left, low, right, high = box(copies)
        fewer = [np.delete(copies, k, 0) for k in range(n + 1)]
        gained += pool.offer(min(fewer, key=side))
    return gained
