"""LightGBM for the metric's loss, stopped by rows inside of the fold, and a mean of predictions that knows its number.

The rows that score a model never stop it, weigh it or choose it. Which columns it is given is told in `encoding`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import lightgbm
import numpy as np
from data import Table
from encoding import Columns

Array = np.ndarray
MOST_ROUNDS = 4000
DEFAULTS = {
    "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20, "verbosity": -1, "deterministic": True,
    "force_col_wise": True,
}  # fmt: skip


@dataclass(frozen=True)
class Fit:
    held: Array
    test: Array
    rounds: int
    cut_short: bool  # stopped by the clock
    gain: Mapping[str, float]  # how much each column lowered the loss, as a share of all


@dataclass
class Mean:
    """A sum of predictions and how many they are."""

    total: Array | float = 0.0
    count: int = 0
    parts: list[Array] = field(default_factory=list)

    def add(self, predictions: Array) -> None:
        self.total = self.total + predictions
        self.count += 1
        self.parts.append(predictions)

    @property
    def value(self) -> Array:
        return np.asarray(self.total / self.count)


def loss(table: Table) -> dict[str, object]:
    """LightGBM's objective for the metric."""
    if table.width > 1:
        return {"objective": "multiclass", "num_class": table.width}
    if table.classes:
        return {"objective": "binary"}
    return {"objective": "l1" if table.metric.name == "mae" else "l2"}


def fit(
    table: Table,
    made: Columns,
    parameters: Mapping[str, object],
    stop: Array,
    seed: int,
    seconds: float,
    threads: int = 1,
) -> Fit:
    """A model of the columns. `stop` says which rows to learn from are kept aside to end the training."""
    settings = DEFAULTS | loss(table) | {"num_threads": threads, "seed": seed} | dict(parameters)
    patience = int(settings.pop("patience", 100))
    rounds = int(settings.pop("rounds", MOST_ROUNDS))
    # Few rows: no leaf may ask for more of them than a tree can give.
    settings["min_data_in_leaf"] = int(min(settings["min_data_in_leaf"], max(2, (~stop).sum() // 20)))
    truth = made.target.argmax(axis=1) if table.width > 1 else made.target[:, 0]
    names = [f"c{place}" for place in range(len(made.names))]  # LightGBM refuses some signs in names
    native = [names[made.names.index(name)] for name in made.categorical]
    learn = lightgbm.Dataset(made.learn[~stop], truth[~stop], feature_name=names, categorical_feature=native)
    late = time.process_time() + seconds
    cut = False

    def clock(environment: lightgbm.callback.CallbackEnv) -> None:
        nonlocal cut
        if time.process_time() > late:
            cut = True
            raise lightgbm.callback.EarlyStopException(environment.iteration, environment.evaluation_result_list)

    if stop.any():
        watched = [learn.create_valid(made.learn[stop], truth[stop])]
        calls = [lightgbm.early_stopping(patience, verbose=False), clock]
    else:
        watched, calls = [], [clock]
    booster = lightgbm.train(settings, learn, rounds, valid_sets=watched, callbacks=calls)
    best = booster.best_iteration if stop.any() and booster.best_iteration > 0 else booster.current_iteration()
    gain = booster.feature_importance("gain", iteration=best)
    shares = gain / (gain.sum() or 1.0)
    held, test = (_predict(table, booster, rows, best) for rows in (made.held, made.test))
    return Fit(held, test, int(best), cut, dict(zip(made.names, shares.tolist(), strict=True)))


def _predict(table: Table, booster: lightgbm.Booster, rows: Array, rounds: int) -> Array:
    if not len(rows):
        return np.empty((0, table.width) if table.width > 1 else 0)
    predictions = booster.predict(rows, num_iteration=rounds)
    return np.expm1(predictions) if table.metric.name == "rmsle" else predictions
