"""Cut the rows into folds as the competition cut them into training and test table.

Ordered by time, by whole groups, with the classes' shares kept, or plain. Nothing is trained here.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray


@dataclass(frozen=True)
class Folds:
    """`of[row]` is the fold that holds the row out, -1 where none does (the earliest rows of a time)."""

    kind: str  # "time", "groups", "stratified" or "plain"
    why: str
    of: Array
    count: int
    time: Array | None = None

    def held_out(self, fold: int) -> Array:
        return np.flatnonzero(self.of == fold)

    def learned_from(self, fold: int) -> Array:
        """The rows that a model of this fold may see: all others, or with a time all earlier ones."""
        if self.time is None:
            return np.flatnonzero(self.of != fold)
        return np.flatnonzero(self.time < self.time[self.of == fold].min())

    @property
    def scored(self) -> Array:
        return np.flatnonzero(self.of >= 0)


def fold(
    rows: int,
    count: int,
    seed: int,
    *,
    strata: Array | None = None,
    group: Array | None = None,
    time: Array | None = None,
    twins: Array | None = None,
) -> Folds:
    """The folds for what is known of the rows. Rows of equal `twins` stay together, unless equal rows are the rule."""
    random = np.random.default_rng(seed)
    if time is not None:
        return _by_time(time, count)
    if group is not None:
        if len(np.unique(group)) < count:
            raise ValueError(f"{len(np.unique(group))} groups are too few for {count} folds")
        return Folds(
            "groups", "a group is in one fold, for the test table has other groups", _whole(group, count, random), count
        )
    if strata is not None and np.bincount(strata.astype(int)).min() >= 2:
        kind, why = "stratified", "every fold has the classes' shares, for rows are of one kind"
        of = np.empty(rows, dtype=int)
        start = 0
        for label in np.unique(strata):  # one class after the other is dealt out, beginning where the last one ended
            members = random.permutation(np.flatnonzero(strata == label))
            of[members] = (start + np.arange(len(members))) % count
            start += len(members)
    else:
        kind, why = "plain", "rows are of one kind, and the target is a number"
        of = random.permutation(np.arange(rows) % count)
    if twins is not None and not ordinary_twins(twins):
        first = pd.Series(of).groupby(twins).transform("first").to_numpy()
        if len(np.unique(first)) == count:
            of = first
    return Folds(kind, why, of, count)


def ordinary_twins(twins: Array) -> bool:
    """Whether equal rows are the table's nature (few columns of few values), not one thing that was entered twice."""
    return len(np.unique(twins)) < len(twins) / 2


def fold_of_part(
    part: Array, count: int, seed: int, *, strata: Array | None, group: Array | None, time: Array | None
) -> Folds:
    """Folds of the same kind inside some rows. A place in `of` is a place in `part`."""
    return fold(
        len(part), count, seed,
        strata=None if strata is None else strata[part],
        group=None if group is None else group[part],
        time=None if time is None else time[part],
    )  # fmt: skip


def _by_time(time: Array, count: int) -> Folds:
    """Blocks of about equal size in the order of time, rows of one moment together; the first is never held out."""
    moments, place, sizes = np.unique(time, return_inverse=True, return_counts=True)
    if len(moments) <= count:
        raise ValueError(f"{len(moments)} moments are too few for {count} folds in the order of time")
    middle = np.cumsum(sizes) - sizes / 2
    block = np.minimum((middle * (count + 1) / len(time)).astype(int), count)
    block = np.unique(block, return_inverse=True)[1]  # a moment of many rows may leave a block empty
    of = block[place] - 1
    return Folds(
        "time", "a fold is later than what its model saw, for the test table is later", of, int(block.max()), time
    )


def _whole(group: Array, count: int, random: np.random.Generator) -> Array:
    """Groups dealt out, the largest first, each to the fold with the fewest rows."""
    _, place, sizes = np.unique(group, return_inverse=True, return_counts=True)
    filled, of_group = np.zeros(count), np.empty(len(sizes), dtype=int)
    order = random.permutation(len(sizes))
    for one in order[np.argsort(-sizes[order], kind="stable")]:
        of_group[one] = int(filled.argmin())
        filled[of_group[one]] += sizes[one]
    return of_group[place]
