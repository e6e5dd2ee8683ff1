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
    order = np.random.default_rng(seed).permutation(len(table.truth))
    truth = table.truth[order]
    shuffled = targets(table, truth)
    held, found, constant = [], [], []
    for fold in range(folds.count):
        made = maker(shuffled, fold)
        seen = np.zeros(len(made.learn), dtype=bool)
        fit = model.fit(table, made, {"rounds": ROUNDS, "num_leaves": 15, "feature_fraction": 0.5}, seen, seed, 1e9)
        rows = folds.held_out(fold)
        held.append(rows)
        found.append(fit.held)
        constant.append(np.broadcast_to(_constant(table, truth[folds.learned_from(fold)]), fit.held.shape))
        if sum(map(len, held)) >= MOST_ROWS:
            break
    return judge_permuted(table.metric, truth[np.concatenate(held)], np.concatenate(found), np.concatenate(constant))


def judge_permuted(metric: metrics.Metric, truth: Array, found: Array, constant: Array) -> Gate:
    """The permuted gate for predictions of rows whose labels were dealt out anew, against a constant prediction."""
    if metric.row is None:
        chance = noise(int((truth > 0).sum()), int((truth <= 0).sum())) if metric.name == "auc" else len(truth) ** -0.5
        value = abs(metric.score(truth, found) - (0.5 if metric.name == "auc" else 0.0))
        what = f"{metric.name} of permuted labels is {value:.4f} away from chance"
    else:
        losses = metric.row(truth, constant)
        gained = losses - metric.row(truth, found)
        scale = float(losses.mean()) or 1.0
        value, chance = float(gained.mean()) / scale, float(gained.std() / np.sqrt(len(gained))) / scale
        what = f"on permuted labels the model's loss is {value:+.2%} below that of a constant"
    limit = max(0.02, 3 * chance)
    ok = value <= limit
    return Gate("permuted", ok, value, limit, what + (", as it must be" if ok else ": a column knows its own row's label"))


def judge_blend(metric: metrics.Metric, truth: Array, found: Array) -> Gate:
    """The permuted gate for a blend whose weights were fitted on permuted labels, against the order of its rows by chance."""
    again = np.random.default_rng(0).permutation(len(found))
    gate = judge_permuted(metric, truth, found, found[again])
    return Gate(gate.name, gate.ok, gate.value, gate.limit, gate.why.replace("a constant", "the same predictions in any order"))


def univariate(table: Table, folds: Folds, maker: Maker, seed: int) -> Gate:
    """What a single column tells of the target, as it is given to the model, against the same with the fold's targets hidden."""
    target, truth = targets(table, table.truth), _two(table)
    random = np.random.default_rng(seed)
    first, other = maker(target, 0), maker(target[random.permutation(len(target))], 0)
    made_of_targets = [
        place for place in range(len(first.names))
        if not all(np.array_equal(one[:, place], two[:, place], equal_nan=True) for one, two in ((first.learn, other.learn), (first.held, other.held)))
    ]  # fmt: skip
    limit = max(0.005, noise(int((truth > 0).sum()), int((truth <= 0).sum())))
    if not made_of_targets:
        return Gate("univariate", True, 0.0, limit, "no column is made of targets")
    given, honest = [], []
    for fold in range(folds.count):
        held, own = folds.held_out(fold), folds.learned_from(fold)
        made = maker(target, fold)
        hidden = target.copy()
        hidden[held] = target[random.permutation(held)]
        again = maker(hidden, fold)
        for place in made_of_targets:
            given.append((_tells(truth[held], made.held[:, place]), _tells(truth[own], made.learn[: len(own), place])))
            honest.append(_tells(truth[held], again.held[:, place]))
    shape = (folds.count, len(made_of_targets))
    gaps = np.reshape(given, (*shape, 2)).mean(axis=0).max(axis=1) - np.reshape(honest, shape).mean(axis=0)
    worst = int(gaps.argmax())
    value, ok = float(gaps[worst]), bool(gaps[worst] <= limit)
    why = f"{first.names[made_of_targets[worst]]} tells the model {value:+.4f} AUC more than it tells of rows whose targets were hidden"
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
    settings = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1, "seed": seed, "deterministic": True}
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
        return Gate("adversarial", True, value, limit, f"told apart by {top}: expected, and the folds ({folds.kind}) are cut alike")
    return Gate("adversarial", False, value, limit, f"training and test rows are told apart by {top}: folds do not stand for the test")


def duplicates(hashes: Array, folds: Folds) -> Gate:
    """Rows that have a twin in another fold."""
    scored = folds.scored
    of = pd.Series(folds.of[scored]).groupby(hashes[scored])
    value = float((of.transform("nunique") > 1).mean())
    if value == 0:
        return Gate("duplicates", True, value, 0.0, "no row has its twin in another fold")
    if ordinary_twins(hashes):
        return Gate("duplicates", True, value, 0.0, "most rows are equal to others: few columns of few values, no row entered twice")
    return Gate("duplicates", False, value, 0.0, f"{value:.2%} of the rows have their twin in another fold: keep twins together")


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
            bool((folds.time[folds.learned_from(fold)].max() >= folds.time[folds.held_out(fold)].min()))
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
    return Gate("public", ok, gap, 3 * error, f"public {public} and folds {score:.5f} are {gap:.5f} apart" + ("" if ok else ": the folds do not stand for the test"))


def averaged(average: Array, parts: Sequence[Array]) -> Gate:
    """Whether the test predictions are the mean of the models that were trained: their sum by their actual number."""
    exact = np.mean(parts, axis=0)
    value = float(np.abs(average - exact).max() / (np.abs(exact).max() or 1.0))
    why = f"the mean of {len(parts)} models" if value <= 1e-6 else f"not the mean of its {len(parts)} models: divided by another number"
    return Gate("averaged", value <= 1e-6, value, 1e-6, why)


def _constant(table: Table, truth: Array) -> Array | float:
    """The best prediction that is the same for every row."""
    if table.width > 1:
        return np.bincount(truth.astype(int), minlength=table.width) / len(truth)
    if table.metric.name == "mae":
        return float(np.median(truth))
    return float(np.expm1(np.log1p(truth).mean()) if table.metric.name == "rmsle" else truth.mean())


def _two(table: Table) -> Array:
    """The target as two sides, which the AUC of one column can be taken of: above the middle, or the most frequent class."""
    if table.classes:
        return (table.truth == (1 if len(table.classes) == 2 else np.bincount(table.truth.astype(int)).argmax())).astype(float)
    return (table.truth > np.median(table.truth)).astype(float)


def _tells(truth: Array, column: Array) -> float:
    """The AUC of a column in the direction in which it tells more; a missing value is the lowest."""
    found = metrics.auc(truth, np.where(np.isnan(column), -np.inf, column))
    return max(found, 1 - found)
