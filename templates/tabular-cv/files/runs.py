"""A run: models on every fold, or a blend of runs, with the gates. Killed at any point, it goes on with the next fold.

What a variant is made of is told in `variants`; which files a run leaves, in `artefacts`.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import artefacts
import blend
import encoding
import folds as folding
import gates
import model
import numpy as np
from data import Mistake, Table
from variants import VARIANTS, Variant

Array = np.ndarray
FOLDS = 5
FEW_ROWS = 5_000  # up to these the rows that stop a model are changed by turns
INNER, INNER_OF_FEW = 10, 5  # parts inside of a fold, one of which stops the model
KEPT_FOR_GATES = 0.15  # of the seconds
LEAST_SECONDS = 0.1  # a run that has used up its seconds still ends with models, of few rounds


def folds_of(table: Table) -> folding.Folds:
    """The folds of the competition. They hang on its seed, never on a run's, so that all runs can be blended."""
    try:
        return folding.fold(
            len(table.truth), FOLDS, table.settings.seed,
            strata=table.truth if table.classes else None, group=table.group, time=table.time, twins=table.raw_hash,
        )  # fmt: skip
    except ValueError as error:
        raise Mistake(f"the rows cannot be cut into {FOLDS} folds: {error}") from None


class Work:
    """What the folds of one run need, made when first asked for."""

    def __init__(self, table: Table, folds: folding.Folds, variant: Variant, seed: int) -> None:
        self.table, self.folds, self.variant, self.seed = table, folds, variant, seed
        self.parts = INNER_OF_FEW if len(table.truth) < FEW_ROWS else INNER
        self.keys = encoding.keys(table, variant.plan)

    def inner(self, rows: Array) -> Array:
        """The inner part of each row to learn from; part 0 may stop a model. With a time it is the latest one."""
        table = self.table
        cut = folding.fold_of_part(
            rows, self.parts, self.seed * 1000 + len(rows), strata=table.truth if table.classes else None,
            group=table.group, time=None,
        )  # fmt: skip
        return cut.of

    def stops(self, rows: Array, inner: Array) -> list[Array]:
        """The sets of rows that stop a model, one for each model: none of them is ever held out by the fold."""
        if self.table.time is not None:
            return [self.table.time[rows] > np.quantile(self.table.time[rows], 1 - 1 / self.parts)]
        bags = self.parts if self.variant.bagged and len(self.table.truth) < FEW_ROWS else 1
        return [inner == bag for bag in range(bags)]

    def columns(self, target: Array, fold: int) -> encoding.Columns:
        return self.columns_for(target, self.folds.learned_from(fold), self.folds.held_out(fold))

    def columns_for(self, target: Array, rows: Array, held: Array) -> encoding.Columns:
        inner = self.inner(rows) % 5  # five parts are enough for means
        return encoding.columns(self.table, self.variant.plan, self.keys, target, rows, inner, held)

    def fit(self, rows: Array, held: Array, seconds: float, threads: int) -> dict[str, Array]:
        """The mean predictions of the models for these rows, and all that is told of them."""
        table = self.table
        start = time.process_time()
        made = self.columns_for(encoding.targets(table, table.truth), rows, held)
        stops = self.stops(rows, self.inner(rows))
        mean_held, mean_test = model.Mean(), model.Mean()
        rounds, cut, gain, took = [], False, np.zeros(len(made.names)), 0.0
        for bag, stop in enumerate(stops):
            padded = np.zeros(len(made.learn), dtype=bool)  # rows of the original data stop no model
            padded[: len(rows)] = stop
            begun = time.process_time()
            left = seconds - (begun - start)
            if bag and left < took:
                break  # the mean is that of the models that there are
            done = model.fit(table, made, self.variant.parameters, padded, self.seed + bag, left, threads)
            took = time.process_time() - begun
            mean_held.add(done.held)
            mean_test.add(done.test)
            rounds.append(done.rounds)
            cut = cut or done.cut_short
            gain += np.array(list(done.gain.values()))
        return {
            "held": mean_held.value, "test": np.array(mean_test.parts), "rounds": np.array(rounds),
            "cut": np.array(cut or mean_held.count < len(stops)), "gain": gain / mean_held.count,
            "names": np.array(made.names), "cpu": np.array(time.process_time() - start),
        }  # fmt: skip


def variant_run(
    table: Table, name: str, run: Path, seconds: float, seed: int, threads: int = 1, public: float | None = None
) -> dict[str, object]:
    """Train a variant on every fold and leave its files in `run`; a fold whose file is there is not trained again."""
    variant, folds = VARIANTS[name], folds_of(table)
    artefacts.claim(run, table, {"variant": name, "seed": seed})
    began = time.process_time()
    jobs = [(f"fold-{fold}", folds.learned_from(fold), folds.held_out(fold)) for fold in range(folds.count)]
    if table.time is not None:  # models of early rows know too little of the test rows: one more learns from all
        jobs.append(("all", np.arange(len(table.truth)), np.arange(0)))
    work = Work(table, folds, variant, seed)
    done: dict[str, Mapping[str, Array]] = {}
    earlier = 0.0
    for place, (label, rows, held) in enumerate(jobs):
        path = run / "folds" / f"{label}.npz"
        if path.exists():
            with np.load(path) as stored:
                earlier += float(stored["cpu"])
        else:
            left = seconds * (1 - KEPT_FOR_GATES) - (time.process_time() - began)
            artefacts.save_arrays(path, work.fit(rows, held, max(left, LEAST_SECONDS) / (len(jobs) - place), threads))
        with np.load(path) as stored:
            done[label] = dict(stored)

    oof = np.full((len(table.truth), table.width) if table.width > 1 else len(table.truth), np.nan)
    for fold in range(folds.count):
        oof[folds.held_out(fold)] = done[f"fold-{fold}"]["held"]
    test = model.Mean()
    for label in ["all"] if "all" in done else done:
        for part in done[label]["test"]:
            test.add(part)
    scores = fold_scores(table, folds, oof)
    names = done["fold-0"]["names"]
    gain = np.mean([stored["gain"] for stored in done.values()], axis=0)
    found = [
        gates.permuted(table, folds, work.columns, seed),
        gates.univariate(table, folds, work.columns, seed),
        gates.adversarial(table, folds, seed),
        *_plain_gates(table, folds, scores, test.value, test.parts, public),
    ]
    details = {
        "variant": name, "why": variant.why, "seed": seed, "models": test.count, "columns": len(names),
        "rounds": {label: stored["rounds"].tolist() for label, stored in done.items()},
        "cut_short": any(bool(stored["cut"]) for stored in done.values()),
        "importance": {str(names[place]): round(float(gain[place]), 5) for place in np.argsort(-gain)[:40]},
    }  # fmt: skip
    return artefacts.finish(run, table, folds, artefacts.Result(oof, test.value, scores, found, details, earlier))


def blend_run(
    table: Table, sources: Sequence[Path], run: Path, seed: int, public: float | None = None
) -> dict[str, object]:
    """Blend the runs. The score is that of weights fitted on other folds; the test rows get weights fitted on all."""
    members = artefacts.members(table, sources)
    if len(members) < 2:
        raise Mistake("a blend needs two runs or more that are done: name each by --from")
    folds, metric = folds_of(table), table.metric
    artefacts.claim(run, table, {"variant": "blend", "seed": seed, "from": [str(one.folder) for one in members]})
    rows = folds.scored
    inside = [np.zeros_like(one.oof) for one in members]
    for mine, one in zip(inside, members, strict=True):
        mine[rows] = blend.comparable(metric, one.oof[rows])
    oof, each = blend.cross_fitted(metric, table.truth, inside, folds)
    shares = blend.weights(metric, table.truth[rows], [one[rows] for one in inside])
    tests = [blend.comparable(metric, one.test) for one in members]
    test = blend.mix(shares, tests)
    parts = [len(members) * share * one for share, one in zip(shares, tests, strict=True)]
    scores = fold_scores(table, folds, oof)

    order = np.random.default_rng(seed).permutation(len(rows))
    dealt = table.truth.copy()
    dealt[rows] = table.truth[rows][order]
    anew, _ = blend.cross_fitted(metric, dealt, inside, folds)
    found = [
        gates.judge_permuted(dealt[rows], anew[rows], bool(table.classes)),
        gates.Gate("univariate", True, None, None, "a blend makes no columns; its members were judged on their own"),
        gates.Gate("adversarial", True, None, None, "a blend sees no rows; its members were judged on their own"),
        *_plain_gates(table, folds, scores, test, parts, public),
    ]
    details = {
        "variant": "blend", "why": "a weighted mean; the score is cross-fitted", "seed": seed, "models": len(members),
        "weights": {one.folder.name: round(float(share), 4) for one, share in zip(members, shares, strict=True)},
        "weights_by_fold": [[round(float(share), 4) for share in shares_of] for shares_of in each],
        "members": {one.folder.name: {"variant": one.variant, "score": one.score} for one in members},
    }  # fmt: skip
    return artefacts.finish(run, table, folds, artefacts.Result(oof, test, scores, found, details, 0.0))


def fold_scores(table: Table, folds: folding.Folds, oof: Array) -> list[float]:
    held = [folds.held_out(fold) for fold in range(folds.count)]
    return [table.metric.score(table.truth[rows], oof[rows]) for rows in held]


def _plain_gates(
    table: Table,
    folds: folding.Folds,
    scores: Sequence[float],
    test: Array,
    parts: Sequence[Array],
    public: float | None,
) -> list[gates.Gate]:
    return [
        gates.duplicates(table.raw_hash, folds),
        gates.fold_ids(folds, table.group),
        gates.public_gap(float(np.mean(scores)), scores, public),
        gates.averaged(test, parts),
    ]
