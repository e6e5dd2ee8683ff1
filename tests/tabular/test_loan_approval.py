"""The gates on a real table, Kaggle's S4E10: an encoder that leaks looks like a winner and is stopped, a clean one is not.

Run by name with -m slow, where META_S4E10 names the folder of its files.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

FILES = Path(os.environ.get("META_S4E10") or Path(__file__).parents[2] / "shared" / "data" / "s4e10")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (FILES / "train.csv").exists(), reason="the tables of S4E10 are not at hand"),
]


@pytest.fixture(scope="module")
def work(tabular: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("s4e10")
    for path in FILES.glob("*.csv"):
        shutil.copyfile(path, folder / path.name)
    (folder / "competition.toml").write_text(
        'metric = "auc"\nseed = 7\n[files]\noriginal = "credit_risk_dataset.csv"\n'
    )
    table = tabular.data.read(folder)
    return tabular.runs.Work(table, tabular.runs.folds_of(table), tabular.variants.VARIANTS["te"], 1)


@pytest.fixture(scope="module")
def leaky(work: Any, tabular: SimpleNamespace) -> Callable[[Any, int], Any]:
    """The columns of a fold with target means that were learnt from all training rows."""

    def columns(target: Any, fold: int) -> Any:
        honest = work.columns(target, fold)
        rows, held = work.folds.learned_from(fold), work.folds.held_out(fold)
        learn, out = honest.learn.copy(), honest.held.copy()
        for key, place in enumerate(place for place, name in enumerate(honest.names) if name.endswith(" mean")):
            codes = work.keys.train[:, key]
            means = tabular.encoding.key_means(codes, target, work.keys.sizes[key], work.variant.plan.smoothing)[:, 0]
            learn[:, place], out[:, place] = means[codes[rows]], means[codes[held]]
        return dataclasses.replace(honest, learn=learn, held=out)

    return columns


def score(work: Any, tabular: SimpleNamespace, maker: Callable[[Any, int], Any]) -> float:
    """The mean AUC over the folds of a model that is given these columns."""
    table, scores = work.table, []
    for fold in range(work.folds.count):
        made = maker(tabular.encoding.targets(table, table.truth), fold)
        held = work.folds.held_out(fold)
        stop = made.inner == 0
        fit = tabular.model.fit(table, made, work.variant.parameters, stop, 1, 100.0)
        scores.append(tabular.metrics.auc(table.truth[held], fit.held))
    return float(np.mean(scores))


def test_a_leaky_encoder_looks_like_the_winner_and_is_stopped(
    work: Any, tabular: SimpleNamespace, leaky: Callable[[Any, int], Any]
) -> None:
    fake = score(work, tabular, leaky)
    permuted = tabular.gates.permuted(work.table, work.folds, leaky, 1)
    univariate = tabular.gates.univariate(work.table, work.folds, leaky, 1)
    print(f"fake {fake:.5f}; {permuted.why}; {univariate.why}")
    assert fake > 0.97
    assert not permuted.ok
    assert not univariate.ok


def test_the_tools_own_encoder_passes_every_gate(work: Any, tabular: SimpleNamespace) -> None:
    table, cut, gates = work.table, work.folds, tabular.gates
    permuted = gates.permuted(table, cut, work.columns, 1)
    assert permuted.ok
    assert abs(permuted.value) <= permuted.limit == 0.02
    univariate = gates.univariate(table, cut, work.columns, 1)
    assert (univariate.ok, univariate.limit) == (True, 0.005)
    adversarial = gates.adversarial(table, cut, 1)
    assert (adversarial.ok, adversarial.limit) == (True, 0.55)
    assert gates.duplicates(table.raw_hash, cut).ok
    assert gates.fold_ids(cut, table.group).ok


def test_planted_twins_groups_and_drift_are_stopped(work: Any, tabular: SimpleNamespace) -> None:
    table, cut, gates = work.table, work.folds, tabular.gates
    hashes = table.raw_hash.copy()
    hashes[:50] = hashes[50:100]
    assert not gates.duplicates(hashes, cut).ok
    assert not gates.fold_ids(cut, np.arange(len(cut.of)) // 2).ok
    drifted = dataclasses.replace(table, test=table.test.assign(loan_amnt=table.test.loan_amnt * 1.3))
    gate = gates.adversarial(drifted, cut, 1)
    assert not gate.ok
    assert "loan_amnt" in gate.why
