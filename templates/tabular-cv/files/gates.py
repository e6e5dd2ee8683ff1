"""Seven gates that a leak does not pass, each with its value, its limit and why.

A gate judges what the tool really does: it is given the function that makes a fold's columns, not a copy of it. Limits
widen on small tables, where chance alone moves a score by more; how far is in the sentence of the gate.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import lightgbm
import metrics
import model
import numpy as np
import pandas as pd
from data import Table, is_number
from encoding import Columns, targets
from folds import Folds, ordinary_twins

Array = np.ndarray
Maker = Callable[[Array, int], Columns]  # the columns of a fold, for these targets of all training rows
ROUNDS = 60  # a leak shows in few rounds
MOST_ROWS = 20_000  # of held-out rows and of each side of the adversarial test: enough for its noise


@dataclass(frozen=True)
class Gate:
    name: str
    ok: bool
    value: float | None
    limit: float | None
    why: str

    def row(self) -> dict[str, object]:
        return asdict(self)


def noise(positive: int, negative: int) -> float:
    """The standard error of an AUC that chance alone makes."""
    return float(np.sqrt((positive + negative + 1) / (12 * max(positive, 1) * max(negative, 1))))


def permuted(table: Table, folds: Folds, maker: Maker, seed: int) -> Gate:
    """Labels dealt out anew say nothing, so a model of them may find nothing in rows it has not seen."""
    truth = table.truth[np.random.default_rng(seed).permutation(len(table.truth))]
    shuffled = targets(table, truth)
    held, found = [], []
    for fold in range(folds.count):
        made = maker(shuffled, fold)
        seen = np.zeros(len(made.learn), dtype=bool)
        fit = model.fit(table, made, {"rounds": ROUNDS, "num_leaves": 15, "feature_fraction": 0.5}, seen, seed, 1e9)
        held.append(folds.held_out(fold))
        found.append(fit.held)
        if sum(map(len, held)) >= MOST_ROWS:
            break
    return judge_permuted(truth[np.concatenate(held)], np.concatenate(found), bool(table.classes))


def judge_permuted(truth: Array, found: Array, classes: bool) -> Gate:
    """The permuted gate for predictions of rows whose labels were dealt out anew.

    For every metric it is the AUC that is looked at (of each class against the others, of numbers above their middle):
    a model that was led astray by a leak may be worse than a constant by its loss, and still put the rows in order.
    Below chance is no leak: on few rows the labels that are left out shift what is learnt the other way.
    """
    if found.ndim == 2:
        sides = [((truth == label).astype(float), found[:, label]) for label in range(found.shape[1])]
    else:
        sides = [((truth > (0.5 if classes else np.median(truth))).astype(float), found)]
    value = float(np.mean([metrics.auc(side, said) for side, said in sides])) - 0.5
    limit = max(0.02, 3 * max(noise(int(side.sum()), int((1 - side).sum())) for side, _ in sides))
    ok = value <= limit
    what = f"a model of permuted labels is {value:+.4f} AUC from chance"
    return Gate(
        "permuted", ok, value, limit, what + ("" if ok else ": its columns know labels of unseen rows")
    )


def univariate(table: Table, folds: Folds, maker: Maker, seed: int) -> Gate:
    """What a single column tells of the target as it is given to a model, against it with these rows' targets hidden.

    Held-out rows have to be the same whatever their targets are; so has each inner part of the rows to learn from. A
    column that is, is passed without a score; what another one tells more is the gap.
    """
    target, truth = targets(table, table.truth), _two(table)
    random = np.random.default_rng(seed)
    limit = max(0.005, noise(int((truth > 0).sum()), int((truth <= 0).sum())))
    looked = range(min(2, folds.count))  # a leak is in the way columns are made, so it is in every fold
    gaps: dict[str, float] = {}
    for fold in looked:
        held, own = folds.held_out(fold), folds.learned_from(fold)
        made = maker(target, fold)
        part = np.flatnonzero(made.inner == fold % (made.inner.max() + 1))
        for side, rows, given in (("held", held, made.held), ("learn", own[part], made.learn[part])):
            hidden = target.copy()
            hidden[rows] = target[random.permutation(rows)]
            again = maker(hidden, fold)
            honest = again.held if side == "held" else again.learn[part]
            for place, name in enumerate(made.names):
                if not np.array_equal(given[:, place], honest[:, place], equal_nan=True):
                    gap = _tells(truth[rows], given[:, place]) - _tells(truth[rows], honest[:, place])
                    gaps[f"{name} ({side})"] = gaps.get(f"{name} ({side})", 0.0) + gap / len(looked)
    if not gaps:
        return Gate("univariate", True, 0.0, limit, "every column is the same whatever the targets of its rows are")
    worst = max(gaps, key=lambda name: gaps[name])
    value, ok = gaps[worst], gaps[worst] <= limit
    why = f"{worst} tells {value:+.4f} AUC more than with the targets of its rows hidden"
    return Gate("univariate", ok, value, limit, why + ("" if ok else ": it was fitted on rows that it is used for"))


def adversarial(table: Table, folds: Folds, seed: int) -> Gate:
    """Whether a model can tell training rows from test rows; if it can, folds do not stand for the test."""
    random = np.random.default_rng(seed)
    sides = [frame.iloc[random.permutation(len(frame))[:MOST_ROWS]] for frame in (table.train, table.test)]
    rows = pd.concat(sides, ignore_index=True)
    for name in rows:
        if not is_number(rows[name]):
            rows[name] = pd.factorize(rows[name])[0]
    truth = np.repeat([0.0, 1.0], [len(side) for side in sides])
    part = random.permutation(len(rows)) % 3
    found, gain = np.empty(len(rows)), np.zeros(rows.shape[1])
    values = rows.to_numpy(dtype=np.float32)
    settings = {
        "objective": "binary",
        "num_leaves": 15,
        "verbosity": -1,
        "num_threads": 1,
        "seed": seed,
        "deterministic": True,
    }
    for one in range(3):
        booster = lightgbm.train(settings, lightgbm.Dataset(values[part != one], truth[part != one]), ROUNDS)
        found[part == one] = booster.predict(values[part == one])
        gain += booster.feature_importance("gain")
    value = metrics.auc(truth, found)
    limit = max(0.55, 0.5 + 3 * noise(len(sides[0]), len(sides[1])))
    top = ", ".join(f"{rows.columns[place]} ({gain[place] / gain.sum():.0%})" for place in np.argsort(-gain)[:3])
    if value <= limit:
        return Gate("adversarial", True, value, limit, "training and test rows cannot be told apart")
    if folds.kind in ("time", "groups"):
        return Gate(
            "adversarial",
            True,
            value,
            limit,
            f"told apart by {top}: expected, and the folds ({folds.kind}) are cut alike",
        )
    return Gate(
        "adversarial",
        False,
        value,
        limit,
        f"training and test rows are told apart by {top}: folds do not stand for the test",
    )


def duplicates(hashes: Array, folds: Folds) -> Gate:
    """Rows that have a twin in another fold."""
    scored = folds.scored
    of = pd.Series(folds.of[scored]).groupby(hashes[scored])
    value = float((of.transform("nunique") > 1).mean())
    if value == 0:
        return Gate("duplicates", True, value, 0.0, "no row has its twin in another fold")
    if ordinary_twins(hashes):
        return Gate(
            "duplicates",
            True,
            value,
            0.0,
            "most rows are equal to others: few columns of few values, no row entered twice",
        )
    return Gate(
        "duplicates", False, value, 0.0, f"{value:.2%} of the rows have their twin in another fold: keep twins together"
    )


def fold_ids(folds: Folds, group: Array | None) -> Gate:
    """Whether each row is held out once, no group twice, and with a time no fold before what its model saw."""
    sizes = np.bincount(folds.of[folds.of >= 0], minlength=folds.count)
    least = -1 if folds.kind == "time" else 0
    if folds.of.min() < least or folds.of.max() >= folds.count or (sizes == 0).any():
        return Gate("groups", False, 1.0, 0.0, f"the folds' numbers are not 0 to {folds.count - 1} with rows in each")
    if group is not None and folds.kind != "time":
        spread = int((pd.Series(folds.of).groupby(group).nunique() > 1).sum())
        if spread:
            return Gate("groups", False, float(spread), 0.0, f"{spread} groups are in more than one fold")
        return Gate("groups", True, 0.0, 0.0, f"{len(np.unique(group))} groups, each in one fold")
    if folds.time is not None:
        late = sum(
            bool(folds.time[folds.learned_from(fold)].max() >= folds.time[folds.held_out(fold)].min())
            for fold in range(folds.count)
        )  # fmt: skip
        return Gate("groups", late == 0, float(late), 0.0, f"{late} folds are not later than all that their model saw")
    return Gate("groups", True, 0.0, 0.0, f"every row is in one of {folds.count} folds; the table has no groups")


def public_gap(score: float, fold_scores: Sequence[float], public: float | None) -> Gate:
    """How far a public score is from that of the folds, in the folds' standard errors."""
    error = float(np.std(fold_scores, ddof=1) / np.sqrt(len(fold_scores)))
    if public is None:
        return Gate("public", True, None, 3 * error, "no public score was given (--public)")
    gap = abs(public - score)
    ok = gap <= 3 * error
    return Gate(
        "public",
        ok,
        gap,
        3 * error,
        f"public {public} and folds {score:.5f} are {gap:.5f} apart"
        + ("" if ok else ": the folds do not stand for the test"),
    )


def averaged(average: Array, parts: Sequence[Array]) -> Gate:
    """Whether the test predictions are the mean of the models that were trained: their sum by their actual number."""
    exact = np.mean(parts, axis=0)
    value = float(np.abs(average - exact).max() / (np.abs(exact).max() or 1.0))
    why = (
        f"the mean of {len(parts)} models"
        if value <= 1e-6
        else f"not the mean of its {len(parts)} models: divided by another number"
    )
    return Gate("averaged", value <= 1e-6, value, 1e-6, why)


def _two(table: Table) -> Array:
    """The target as two sides for the AUC of one column: above its middle, or the most frequent class and the rest."""
    if table.classes:
        return (
            table.truth == (1 if len(table.classes) == 2 else np.bincount(table.truth.astype(int)).argmax())
        ).astype(float)
    return (table.truth > np.median(table.truth)).astype(float)


def _tells(truth: Array, column: Array) -> float:
    """The AUC of a column in the direction in which it tells more; a missing value is the lowest."""
    found = metrics.auc(truth, np.where(np.isnan(column), -np.inf, column))
    return max(found, 1 - found)
