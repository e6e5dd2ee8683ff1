"""Columns for a model: keys at several resolutions, and what the target's mean and the count of each key are.

Keys are made of features alone, so every row may take part. A mean of targets is learnt from the rows that a fold may
see, and for each of these rows from the others only. What a model makes of the columns is told in `model`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from data import Table, is_number

Array = np.ndarray
MOST_COLUMNS = 400  # of target means, classes times keys: more cost time and say little new
MOST_PAIRS = 40


@dataclass(frozen=True)
class Plan:
    """Which columns are made."""

    numbers: bool = True  # numeric columns as they are
    categories: bool = False  # numeric columns a second time as categories of the model's own
    means: bool = False  # target means of every key
    counts: bool = False
    bins: bool = False  # numbers at several resolutions, and their digits
    pairs: bool = False  # two columns together
    original_rows: bool = False  # the original data as more rows to learn from
    original_means: bool = False  # the original data as a source of target means
    smoothing: float = 10.0  # a key's mean is drawn to the mean of all as by so many rows


@dataclass(frozen=True)
class Keys:
    """Each key is a column of small whole numbers below its size, in the same order everywhere."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    train: Array
    test: Array
    original: Array | None


@dataclass(frozen=True)
class Columns:
    """What a model is given: the rows to learn from, the rows held out, and the test rows."""

    names: tuple[str, ...]
    categorical: tuple[str, ...]
    learn: Array
    held: Array
    test: Array
    target: Array  # of the rows to learn from
    inner: Array  # the part of each training row among them; its means are learnt from the other parts


Encoder = Callable[[Array, Array, Array, Array, tuple[int, ...], float], tuple[Array, Array]]


def keys(table: Table, plan: Plan) -> Keys:
    """The keys that the plan needs. Native categories are the first of them, one for each column."""
    frames = [table.train, table.test] + ([] if table.original is None else [table.original])
    rows = pd.concat(frames, ignore_index=True)
    made: dict[str, Array] = {str(name): _codes(rows[name]) for name in rows}
    if plan.bins:
        for name in rows:
            if is_number(rows[name]):
                made |= {f"{name} {how}": column for how, column in _resolutions(rows[name]).items()}
    if plan.pairs:
        coarse = {str(name): _coarse(rows[name]) for name in rows}
        for one, other in list(combinations(coarse, 2))[:MOST_PAIRS]:
            made[f"{one} + {other}"] = _codes(pd.Series(coarse[one] * (coarse[other].max() + 1) + coarse[other]))
    width = table.width
    kept = [name for name, codes in made.items() if codes.max() > 0][: max(1, MOST_COLUMNS // width)]
    every = np.column_stack([made[name] for name in kept])
    ends = np.cumsum([len(frame) for frame in frames])
    return Keys(
        tuple(kept), tuple(int(column.max()) + 1 for column in every.T),
        every[: ends[0]], every[ends[0] : ends[1]], None if table.original is None else every[ends[1] :],
    )  # fmt: skip


def key_means(codes: Array, target: Array, size: int, smoothing: float) -> Array:
    """The mean target of each value of a key, a column for each of the target's; an unseen value has that of all."""
    counts = np.bincount(codes, minlength=size)[:, None]
    sums = np.column_stack([np.bincount(codes, weights=column, minlength=size) for column in target.T])
    return (sums + smoothing * target.mean(axis=0)) / (counts + smoothing)


def nested_means(
    learn: Array, target: Array, inner: Array, apply: Array, sizes: tuple[int, ...], smoothing: float
) -> tuple[Array, Array]:
    """Target means for the rows to learn from, each from the other inner parts, and for the rows to apply them to."""
    width = target.shape[1]
    inside = np.empty((len(learn), len(sizes) * width), dtype=np.float32)
    outside = np.empty((len(apply), len(sizes) * width), dtype=np.float32)
    for place, size in enumerate(sizes):
        here = slice(place * width, (place + 1) * width)
        outside[:, here] = key_means(learn[:, place], target, size, smoothing)[apply[:, place]]
        for one in np.unique(inner):
            own = inner == one
            inside[own, here] = key_means(learn[~own, place], target[~own], size, smoothing)[learn[own, place]]
    return inside, outside


def columns(
    table: Table,
    plan: Plan,
    made: Keys,
    target: Array,
    rows: Array,
    inner: Array,
    held: Array,
    encoder: Encoder = nested_means,
) -> Columns:
    """The columns of one fold. `target` (one column a class) is looked up for `rows` only, never for `held`."""
    with_original = plan.original_rows and table.original is not None
    learn_keys, learn_target, parts = made.train[rows], target[rows], inner
    if with_original:
        learn_keys = np.vstack([learn_keys, made.original])
        learn_target = np.vstack([learn_target, targets(table, table.original_truth)])
        parts = np.concatenate([inner, np.arange(len(made.original)) % (inner.max() + 1)])
    names: list[str] = []
    categorical: list[str] = []
    blocks: list[tuple[Array, Array, Array]] = []

    def add(new: list[str], learn: Array, held_out: Array, test: Array) -> None:
        names.extend(new)
        blocks.append((learn, held_out, test))

    numeric = [name for name in table.train if is_number(table.train[name])]
    if numeric:
        raw = [frame[numeric].to_numpy(dtype=np.float32) for frame in (table.train, table.test)]
        learn_raw = raw[0][rows]
        if with_original:
            learn_raw = np.vstack([learn_raw, table.original[numeric].to_numpy(dtype=np.float32)])
        add(numeric, learn_raw, raw[0][held], raw[1])
    native = [
        (place, name) for place, name in enumerate(made.names)
        if name in table.train and (name not in numeric or plan.categories)
    ]  # fmt: skip
    for place, name in native:
        label = f"{name} (category)"
        categorical.append(label)
        add([label], *(codes[:, [place]].astype(np.float32) for codes in (learn_keys, made.train[held], made.test)))
    if plan.means:
        apply = np.vstack([made.train[held], made.test])
        inside, outside = encoder(learn_keys, learn_target, parts, apply, made.sizes, plan.smoothing)
        add(_titles(made, "mean", target.shape[1]), inside, outside[: len(held)], outside[len(held) :])
    if plan.original_means and table.original is not None and not with_original:
        source = targets(table, table.original_truth)
        looked = [key_means(made.original[:, p], source, size, plan.smoothing) for p, size in enumerate(made.sizes)]
        add(
            _titles(made, "original mean", target.shape[1]),
            *(
                np.hstack([means[codes[:, p]] for p, means in enumerate(looked)]).astype(np.float32)
                for codes in (learn_keys, made.train[held], made.test)
            ),
        )
    if plan.counts:
        seen = np.vstack([made.train, made.test])
        tables = [
            np.log1p(np.bincount(column, minlength=size)) for column, size in zip(seen.T, made.sizes, strict=True)
        ]
        add(
            _titles(made, "count", 1),
            *(
                np.column_stack([counts[codes[:, p]] for p, counts in enumerate(tables)]).astype(np.float32)
                for codes in (learn_keys, made.train[held], made.test)
            ),
        )
    learn, held_out, test = (np.hstack(side) for side in zip(*blocks, strict=True))
    return Columns(tuple(names), tuple(categorical), learn, held_out, test, learn_target, inner)


def targets(table: Table, truth: Array) -> Array:
    """The truth as columns whose means can be taken: numbers (logarithms for RMSLE), or one column a class."""
    if table.width > 1:
        return np.eye(table.width)[truth.astype(int)]
    return (np.log1p(truth) if table.metric.name == "rmsle" else truth)[:, None]


def _titles(made: Keys, what: str, width: int) -> list[str]:
    return [f"{name} {what}" + (f" {part}" if width > 1 else "") for name in made.names for part in range(width)]


def _codes(column: pd.Series) -> Array:
    """The column as whole numbers from 0, missing values as one of their own."""
    codes, _ = pd.factorize(column, sort=True, use_na_sentinel=True)
    return np.where(codes < 0, codes.max() + 1, codes)


def _resolutions(column: pd.Series) -> dict[str, Array]:
    """Coarser views of a number, and its digits; those that tell apart what the number itself does are left out."""
    numbers = column.astype(float)
    size = float(numbers.abs().quantile(0.9)) or 1.0
    step = 10.0 ** np.floor(np.log10(size))  # of its leading digit
    views: dict[str, pd.Series] = {}
    for count in (10, 40):
        views[f"quantile {count}"] = pd.qcut(numbers.rank(method="average"), count, labels=False, duplicates="drop")
    views["rounded to two digits"] = (numbers / (step / 10)).round()
    views["rounded to one digit"] = (numbers / step).round()
    views["divided by a quarter step"] = numbers // (step / 4)
    unit = 1.0 if (numbers.dropna() % 1 == 0).all() else 0.01
    whole = (numbers / unit).round()
    for place in range(3):  # ones, tens, hundreds of the smallest unit
        if whole.abs().max() >= 10 ** (place + 1):
            views[f"digit {place}"] = (whole // 10**place) % 10
    finest = numbers.nunique()
    found = {how: _codes(view) for how, view in views.items() if view.nunique() < finest}
    return {how: codes for how, codes in found.items() if codes.max() > 0}


def _coarse(column: pd.Series) -> Array:
    """At most some forty values, so that two columns together still repeat."""
    if column.nunique() <= 40:
        return _codes(column)
    if is_number(column):
        return _codes(pd.qcut(column.astype(float).rank(method="average"), 20, labels=False, duplicates="drop"))
    often = column.value_counts().index[:39]
    return _codes(column.where(column.isin(often) | column.isna(), "(other)"))
