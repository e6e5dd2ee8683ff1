"""A weighted mean of several runs' predictions: weights by climbing, and its score on folds they were not fitted on.

Linear only. A model of models over-fits the few columns that it is given.
"""

from collections.abc import Sequence

import numpy as np
from folds import Folds
from metrics import Metric, ranks

Array = np.ndarray
STEPS = 24  # at most so many more votes for single members
LEAST = 1e-5  # of the score: a smaller step is noise


def comparable(metric: Metric, predictions: Array) -> Array:
    """Predictions on the scale on which they are blended: ranks where the order alone counts."""
    return ranks(predictions) if metric.ranks else predictions


def weights(metric: Metric, truth: Array, members: Sequence[Array]) -> Array:
    """Shares that sum to one. Climbing begins with a vote for each member, so that few rows cannot choose one alone."""
    votes = np.ones(len(members))
    total = np.sum(members, axis=0)
    best = metric.score(truth, total / votes.sum())
    for _ in range(STEPS):
        tried = [metric.score(truth, (total + member) / (votes.sum() + 1)) for member in members]
        one = int(np.argmax(tried) if metric.maximize else np.argmin(tried))
        if metric.better(tried[one], best) <= LEAST * abs(best):
            break
        best, total = tried[one], total + members[one]
        votes[one] += 1
    return votes / votes.sum()


def mix(shares: Array, members: Sequence[Array]) -> Array:
    return np.sum([share * member for share, member in zip(shares, members, strict=True)], axis=0)


def cross_fitted(metric: Metric, truth: Array, members: Sequence[Array], folds: Folds) -> tuple[Array, list[Array]]:
    """The blend of each fold by weights of the other folds (of the earlier ones, with a time), and these weights."""
    out = np.full(np.shape(members[0]), np.nan)
    each: list[Array] = []
    for fold in range(folds.count):
        known = (folds.of >= 0) & ((folds.of < fold) if folds.kind == "time" else (folds.of != fold))
        inside = [member[known] for member in members]
        shares = weights(metric, truth[known], inside) if known.any() else np.full(len(members), 1 / len(members))
        held = folds.held_out(fold)
        out[held] = mix(shares, [member[held] for member in members])
        each.append(shares)
    return out, each
