"""The metrics of a competition: how predictions are scored, and the loss of one row where there is one.

What a model is trained on follows from the metric in `model`. Predictions are one number a row, or one column a class.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Metric:
    """`score(truth, predictions)`. `row` is the loss of each row, where the score is made of rows; lower is better."""

    name: str
    maximize: bool
    task: str  # "binary", "regression", or "classes" for two classes or more
    score: Callable[[Array, Array], float]
    row: Callable[[Array, Array], Array] | None = None
    labels: bool = False  # the submission holds a class, not a probability
    ranks: bool = False  # only the order of the predictions counts

    def better(self, one: float, other: float) -> float:
        """By how much `one` is the better score; negative where it is the worse one."""
        return one - other if self.maximize else other - one


def ranks(values: Array) -> Array:
    """The rank of each value from 0 to 1, equal values with the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - (counts - 1) / 2) / len(values))[place]


def auc(truth: Array, predictions: Array) -> float:
    """The area under the ROC curve, .5 where there is one class only."""
    positive = truth > 0
    many, few = len(truth), int(positive.sum())
    if few in (0, many):
        return 0.5
    above = ranks(predictions)[positive].sum() * many - few * (few + 1) / 2
    return float(above / (few * (many - few)))


def chosen(predictions: Array) -> Array:
    """The class that the probabilities speak for."""
    return predictions.argmax(axis=1) if predictions.ndim == 2 else (predictions > 0.5).astype(int)


def surprise(truth: Array, predictions: Array) -> Array:
    """The negative logarithm of the probability that was given to the true class."""
    both = predictions if predictions.ndim == 2 else np.column_stack([1 - predictions, predictions])
    shares = np.clip(both, 1e-15, None) / np.clip(both, 1e-15, None).sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(len(truth)), truth.astype(int)])


def mcc(truth: Array, predictions: Array) -> float:
    """Matthews' correlation of the chosen classes with the true ones, 0 where one side has a single class."""
    said, truth = chosen(predictions), truth.astype(int)
    size = int(max(said.max(), truth.max())) + 1
    table = np.bincount(truth * size + said, minlength=size * size).reshape(size, size).astype(float)
    rows, columns, all_rows = table.sum(axis=1), table.sum(axis=0), table.sum()
    spread = np.sqrt((all_rows**2 - (rows**2).sum()) * (all_rows**2 - (columns**2).sum()))
    return float((np.trace(table) * all_rows - rows @ columns) / spread) if spread else 0.0


def wrong(truth: Array, predictions: Array) -> Array:
    return (chosen(predictions) != truth).astype(float)


def squared(truth: Array, predictions: Array) -> Array:
    return (truth - predictions) ** 2


def squared_log(truth: Array, predictions: Array) -> Array:
    return (np.log1p(truth) - np.log1p(np.clip(predictions, 0, None))) ** 2


def absolute(truth: Array, predictions: Array) -> Array:
    return np.abs(truth - predictions)


def mean_of(row: Callable[[Array, Array], Array]) -> Callable[[Array, Array], float]:
    return lambda truth, predictions: float(row(truth, predictions).mean())


def root_of(row: Callable[[Array, Array], Array]) -> Callable[[Array, Array], float]:
    return lambda truth, predictions: float(np.sqrt(row(truth, predictions).mean()))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("auc", True, "binary", auc, ranks=True),
        Metric("logloss", False, "classes", mean_of(surprise), surprise),
        Metric("accuracy", True, "classes", lambda t, p: 1 - float(wrong(t, p).mean()), wrong, labels=True),
        Metric("mcc", True, "classes", mcc, labels=True),
        Metric("rmse", False, "regression", root_of(squared), squared),
        Metric("rmsle", False, "regression", root_of(squared_log), squared_log),
        Metric("mae", False, "regression", mean_of(absolute), absolute),
    )
}
