"""What holds for every table: encodings never see their own fold, folds are what they are called, a submission is read back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tabular.tables import competition

SEEDS = st.integers(0, 2**32 - 1)
STEADY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=["auc", "logloss", "rmse"])
def work(request: pytest.FixtureRequest, tabular: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What makes the columns of a fold, with every kind of column in them."""
    table = tabular.data.read(competition(tmp_path_factory.mktemp("play") / "c", metric=request.param))
    plan = tabular.encoding.Plan(categories=True, means=True, counts=True, bins=True, pairs=True)
    return tabular.runs.Work(table, tabular.runs.folds_of(table), tabular.variants.Variant(plan), 1)


@STEADY
@given(seed=SEEDS, fold=st.integers(0, 4))
def test_columns_of_a_fold_do_not_change_with_its_targets(
    work: Any, tabular: SimpleNamespace, seed: int, fold: int
) -> None:
    target = tabular.encoding.targets(work.table, work.table.truth)
    held = work.folds.held_out(fold)
    other = target.copy()
    other[held] = np.random.default_rng(seed).normal(size=(len(held), target.shape[1]))
    one, two = work.columns(target, fold), work.columns(other, fold)
    for side in ("learn", "held", "test"):
        assert np.array_equal(getattr(one, side), getattr(two, side), equal_nan=True)


@STEADY
@given(seed=SEEDS, fold=st.integers(0, 4), part=st.integers(0, 4))
def test_columns_of_an_inner_part_do_not_change_with_its_targets_and_those_of_others_do(
    work: Any, tabular: SimpleNamespace, seed: int, fold: int, part: int
) -> None:
    target = tabular.encoding.targets(work.table, work.table.truth)
    one = work.columns(target, fold)
    inside = one.inner == part
    rows = work.folds.learned_from(fold)[inside]
    other = target.copy()
    other[rows] = target[rows] + 1 + np.random.default_rng(seed).random((len(rows), target.shape[1]))
    two = work.columns(other, fold)
    assert np.array_equal(one.learn[inside], two.learn[inside], equal_nan=True)
    assert not np.array_equal(one.learn[~inside], two.learn[~inside], equal_nan=True)
    assert not np.array_equal(one.held, two.held, equal_nan=True)


@STEADY
@given(seed=SEEDS, groups=st.integers(5, 40), count=st.integers(2, 5))
def test_no_group_is_in_two_folds_and_no_fold_is_empty(
    tabular: SimpleNamespace, seed: int, groups: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    group = np.concatenate([np.arange(groups), random.integers(0, groups, 100)])
    cut = tabular.folds.fold(len(group), count, seed, group=group)
    assert set(cut.of) == set(range(count))
    for fold in range(count):
        assert not set(group[cut.held_out(fold)]) & set(group[cut.learned_from(fold)])


@STEADY
@given(seed=SEEDS, moments=st.integers(8, 300), count=st.integers(2, 5))
def test_a_fold_of_time_is_later_than_all_that_its_model_saw(
    tabular: SimpleNamespace, seed: int, moments: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    time = np.concatenate([np.arange(moments), random.integers(0, moments, 100)]).astype(float)
    cut = tabular.folds.fold(len(time), count, seed, time=time)
    for fold in range(cut.count):
        held, seen = cut.held_out(fold), cut.learned_from(fold)
        assert len(held)
        assert len(seen)
        assert time[seen].max() < time[held].min()


@STEADY
@given(seed=SEEDS, rare=st.integers(5, 60))
def test_every_row_is_held_out_once_and_folds_have_the_classes_shares(
    tabular: SimpleNamespace, seed: int, rare: int
) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat([0.0, 1.0], [200, rare]))
    cut = tabular.folds.fold(len(strata), 5, seed, strata=strata)
    each = [int(strata[cut.held_out(fold)].sum()) for fold in range(5)]
    assert sum(len(cut.held_out(fold)) for fold in range(5)) == len(strata)
    assert max(each) - min(each) <= 1
    assert all(set(cut.held_out(fold)).isdisjoint(cut.learned_from(fold)) for fold in range(5))


@STEADY
@given(seed=SEEDS, twice=st.integers(1, 40))
def test_rows_that_are_equal_share_a_fold(tabular: SimpleNamespace, seed: int, twice: int) -> None:
    random = np.random.default_rng(seed)
    twins = random.permutation(np.concatenate([np.arange(150), np.arange(twice)]))
    cut = tabular.folds.fold(len(twins), 5, seed, strata=random.integers(0, 2, len(twins)).astype(float), twins=twins)
    assert (pd.Series(cut.of).groupby(twins).nunique() == 1).all()


@pytest.mark.parametrize("metric", ["auc", "logloss", "rmse"])
def test_a_submission_is_read_back_by_id_in_the_samples_form(
    tabular: SimpleNamespace, tmp_path: Path, metric: str
) -> None:
    folder = competition(tmp_path / "play", metric=metric)
    table = tabular.data.read(folder)
    shape = (len(table.test), 3) if metric == "logloss" else (len(table.test),)
    predictions = np.random.default_rng(3).random(shape)
    tabular.data.submission(table, predictions).to_csv(tmp_path / "answer.csv", index=False)
    sample, test = (pd.read_csv(folder / name) for name in ("sample_submission.csv", "test.csv"))
    answer = pd.read_csv(tmp_path / "answer.csv")
    assert list(answer) == list(sample)
    assert answer.id.tolist() == sample.id.tolist()
    back = answer.set_index("id").loc[test.id].to_numpy()
    assert np.array_equal(back[:, 0] if back.shape[1] == 1 else back, predictions)


def test_classes_are_submitted_by_their_own_names(tabular: SimpleNamespace, tmp_path: Path) -> None:
    table = tabular.data.read(competition(tmp_path / "play"))
    labelled = dataclasses.replace(
        table,
        settings=dataclasses.replace(table.settings, metric=tabular.metrics.METRICS["accuracy"]),
        classes=("no", "yes"),
    )
    answer = tabular.data.submission(labelled, np.linspace(0, 1, len(table.test)))
    assert set(answer.answer) == {"no", "yes"}


@pytest.mark.parametrize(
    ("column", "role"),
    [
        pytest.param("house", "group", id="values that repeat and are not shared are groups"),
        pytest.param("day", "time", id="dates after all those of the training table are a time"),
        pytest.param("", "", id="neither is found where there is neither"),
    ],
)
def test_group_and_time_are_found_with_a_reason(
    tabular: SimpleNamespace, tmp_path: Path, column: str, role: str
) -> None:
    folder = competition(tmp_path / "play", column=column)
    found = tabular.data.read(folder).roles
    assert {"group": found.group, "time": found.time} == {"group": "", "time": ""} | ({role: column} if role else {})
    assert set(found.reasons) == {"target", "id"} | ({role} if role else set())
    assert column not in tabular.data.read(folder).train
    with (folder / "competition.toml").open("a") as file:
        file.write('[columns]\ngroup = ""\ntime = ""\n')
    assert (tabular.data.read(folder).roles.group, tabular.data.read(folder).roles.time) == ("", "")
