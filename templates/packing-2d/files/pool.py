"""The best arrangement of each number of copies: kept on disk whole, and written as a submission.

How arrangements get better is the matter of `search`.
"""

import io
import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from geometry import centred, least_gap, side
from problem import LARGEST, SMALLEST
from relax import SAFE

SIZES = range(SMALLEST, LARGEST + 1)


def write_whole(path: Path, data: bytes) -> None:
    """Write the file beside its place and rename it, so that no half of it is ever seen."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@dataclass
class Pool:
    """Rows (x, y, angle) of the best arrangement for each n, and those of the best symmetric one for each even n.

    A symmetric arrangement is half of its rows; the rest are these turned by 180 degrees about the origin.
    """

    best: dict[int, np.ndarray] = field(default_factory=dict)
    symmetric: dict[int, np.ndarray] = field(default_factory=dict)
    cells: np.ndarray = field(default_factory=lambda: np.empty((0, 6)))
    notes: dict[str, float] = field(default_factory=dict)  # the CPU seconds spent, and what else a run goes on with
    sides: dict[int, float] = field(default_factory=dict)
    symmetric_sides: dict[int, float] = field(default_factory=dict)

    def offer(self, copies: np.ndarray) -> float:
        """Keep the arrangement if it is better than what is held; the score that this gains."""
        copies = centred(copies)
        n, new = len(copies), side(copies)
        old = self.sides.get(n, math.inf)
        if new >= old or least_gap(copies, 1.0) < SAFE:
            return 0.0
        self.best[n], self.sides[n] = copies, new
        return (old * old - new * new) / n if old < math.inf else 0.0

    def offer_symmetric(self, rows: np.ndarray, new: float) -> None:
        n = 2 * len(rows)
        if new < self.symmetric_sides.get(n, math.inf):
            self.symmetric[n], self.symmetric_sides[n] = rows.copy(), new

    def score(self) -> float:
        """The sum over n of side^2 / n, infinite while an n is missing."""
        return sum(self.sides.get(n, math.inf) ** 2 / n for n in SIZES)

    def take(self, other: "Pool") -> None:
        for copies in other.best.values():
            self.offer(copies)
        for n, rows in other.symmetric.items():
            self.offer_symmetric(rows, other.symmetric_sides[n])
        if not len(self.cells):
            self.cells = other.cells

    def save(self, path: Path) -> None:
        buffer = io.BytesIO()
        rows = {f"best-{n}": copies for n, copies in self.best.items()}
        for n, half in self.symmetric.items():
            rows[f"symmetric-{n}"] = np.vstack([half, [self.symmetric_sides[n], 0, 0]])
        np.savez(buffer, cells=self.cells, notes=np.array(json.dumps(self.notes)), **rows)
        write_whole(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Pool":
        pool = cls()
        with np.load(path) as arrays:
            pool.cells, pool.notes = arrays["cells"], json.loads(str(arrays["notes"]))
            for name in arrays.files:
                kind = name.partition("-")[0]
                if kind == "best":
                    pool.offer(arrays[name])
                elif kind == "symmetric":
                    pool.offer_symmetric(arrays[name][:-1], float(arrays[name][-1, 0]))
        return pool


def submission(best: dict[int, np.ndarray], sizes: Iterable[int] = SIZES) -> str:
    """The submission: every value with an `s` before it, all the digits that a float has."""
    lines = ["id,x,y,deg"]
    for n in sizes:
        for i, (x, y, angle) in enumerate(best[n]):
            lines.append(f"{n:03d}_{i},s{float(x)!r},s{float(y)!r},s{math.degrees(angle) % 360.0!r}")
    return "\n".join(lines) + "\n"
