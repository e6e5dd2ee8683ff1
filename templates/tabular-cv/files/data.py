"""Read a competition's folder: its settings, its tables, and which column is the target, the id, the group, the time.

What is not told in competition.toml is found in the data, with the reason. How rows are folded is decided in `folds`.
"""

import re
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import metrics
import numpy as np
import pandas as pd

Array = np.ndarray
TIMELY = re.compile(r"(^|_)(date|datetime|time|timestamp|day|week|month|quarter|year|period)s?(_|$)", re.IGNORECASE)
PARTS = ("month", "day", "day_of_week", "day_of_year", "hour")


class Mistake(Exception):
    """Something in the folder or the command that its user can put right, said in one line."""


@dataclass(frozen=True)
class Settings:
    folder: Path
    metric: metrics.Metric
    seed: int
    files: Mapping[str, str]
    columns: Mapping[str, str]

    def path(self, kind: str) -> Path:
        return self.folder / self.files[kind]


@dataclass(frozen=True)
class Roles:
    """The columns that are not features, "" where there is none, and why each was taken."""

    target: str
    id: str
    group: str
    time: str
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A competition in memory. `truth` holds numbers, or the places of the classes in `classes`."""

    settings: Settings
    roles: Roles
    train: pd.DataFrame  # features only, as are test and original
    test: pd.DataFrame
    original: pd.DataFrame | None
    truth: Array
    original_truth: Array | None
    classes: tuple[object, ...]  # () for regression
    group: Array | None
    time: Array | None
    raw_hash: Array  # of each training row: all that is known of it but its id and target
    sample: pd.DataFrame

    @property
    def metric(self) -> metrics.Metric:
        return self.settings.metric

    @property
    def width(self) -> int:
        """The number of columns that predictions have."""
        return len(self.classes) if len(self.classes) > 2 else 1


def settings(folder: Path) -> Settings:
    path = folder / "competition.toml"
    try:
        told = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Mistake(f"there is no {path}: write one, see the README beside this tool") from None
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{path} is not TOML: {error}") from None
    metric = metrics.METRICS.get(str(told.get("metric", "")).lower())
    if metric is None:
        raise Mistake(f"{path}: metric is to be one of {', '.join(metrics.METRICS)}, not {told.get('metric')!r}")
    direction = "maximize" if metric.maximize else "minimize"
    if told.get("direction", direction) != direction:
        raise Mistake(f"{path}: {metric.name} is to be {direction}d, but direction says {told['direction']!r}")
    files = {"train": "train.csv", "test": "test.csv", "sample": "sample_submission.csv"} | told.get("files", {})
    for kind, name in files.items():
        if name and not (folder / name).is_file():
            raise Mistake(f"{path}: {kind} is {name}, which is not in {folder}")
    return Settings(folder, metric, int(told.get("seed", 0)), files, told.get("columns", {}))


def read(folder: Path) -> Table:
    told = settings(folder)
    train, test, sample = (pd.read_csv(told.path(kind)) for kind in ("train", "test", "sample"))
    original = pd.read_csv(told.path("original")) if told.files.get("original") else None
    roles = find_roles(train, test, sample, told.columns)
    aside = {roles.target, roles.id, roles.group, roles.time} - {""}
    features = [name for name in train.columns if name in test.columns and name not in aside]
    if original is not None and roles.target not in original.columns:
        raise Mistake(f"{told.files['original']} has no column {roles.target!r}, so nothing can be learned from it")

    time = _moments(train[roles.time]) if roles.time else None
    shown = [frame[features].copy() for frame in (train, test)]
    if roles.time:
        for frame, source in zip(shown, (train, test), strict=True):
            _add_parts(frame, source[roles.time], roles.time)
    constant = [name for name in shown[0] if pd.concat([frame[name] for frame in shown]).nunique(dropna=False) < 2]
    shown = [frame.drop(columns=constant) for frame in shown]

    classes: tuple[object, ...] = ()
    if told.metric.task != "regression":
        classes = tuple(sorted(train[roles.target].dropna().unique().tolist()))
        if told.metric.task == "binary" and len(classes) != 2:
            raise Mistake(f"{told.metric.name} needs two classes; {roles.target} has {len(classes)}")
    known = [name for name in train.columns if name not in (roles.id, roles.target)]
    return Table(
        settings=told, roles=roles, train=shown[0], test=shown[1],
        original=None if original is None else original.reindex(columns=shown[0].columns),
        truth=_numbers(train[roles.target], classes),
        original_truth=None if original is None else _numbers(original[roles.target], classes),
        classes=classes,
        group=train[roles.group].to_numpy() if roles.group else None,
        time=time,
        raw_hash=pd.util.hash_pandas_object(train[known], index=False).to_numpy(),
        sample=sample,
    )  # fmt: skip


def find_roles(
    train: pd.DataFrame, test: pd.DataFrame, sample: pd.DataFrame, told: Mapping[str, str] | None = None
) -> Roles:
    """The roles of the columns: as told, else as the files show. Told as "" a role stays empty."""
    told = told or {}
    reasons = {role: "told in competition.toml" for role in ("target", "id", "group", "time") if told.get(role)}
    for role, name in told.items():
        if name and name not in train.columns:
            raise Mistake(f"competition.toml: {role} is {name!r}, which is not a column of the training table")

    target = told.get("target", "")
    if not target:
        missing = [name for name in train.columns if name not in test.columns]
        target = next((name for name in missing if name in sample.columns), missing[0] if len(missing) == 1 else "")
        if not target:
            raise Mistake(f"which column is the target is not clear, of {missing}: tell it as [columns] target")
        reasons["target"] = "in the training table, not in the test table"
    identity = told.get("id", "")
    if not identity and "id" not in told:
        first = str(sample.columns[0])
        if first in test.columns and test[first].is_unique:
            identity, reasons["id"] = first, "the sample's first column, different in every row of the test table"
    rest = [name for name in train.columns if name in test.columns and name not in (target, identity)]
    time = told.get("time", "")
    if not time and "time" not in told:
        for name in rest:
            before, after = _moments(train[name], name), _moments(test[name], name)
            if before is not None and after is not None and np.nanmin(after) > np.nanmax(before):
                time, reasons["time"] = name, "every row of the test table is later than all of the training table"
                break
    group = told.get("group", "")
    if not group and "group" not in told and not time:
        for name in rest:
            if _is_group(train[name], test[name]):
                group, reasons["group"] = name, "its values repeat, and none is in both training and test table"
                break
    return Roles(target, identity, group, time, reasons)


def submission(table: Table, predictions: Array) -> pd.DataFrame:
    """The predictions of the test rows in the form of the sample: its columns, its order of rows."""
    sample = table.sample.copy()
    columns = [name for name in sample.columns if name != table.roles.id]
    if table.metric.labels:
        values = np.array(table.classes, dtype=object)[metrics.chosen(predictions)]
        answer = pd.DataFrame({columns[0]: values})
    elif predictions.ndim == 2:
        named = {str(label): predictions[:, place] for place, label in enumerate(table.classes)}
        absent = [name for name in columns if name not in named and name.rpartition("_")[2] not in named]
        if absent:
            raise Mistake(f"the sample's columns {absent} are no classes of {table.roles.target}")
        answer = pd.DataFrame({n: named[n] if n in named else named[n.rpartition("_")[2]] for n in columns})
    else:
        answer = pd.DataFrame({columns[0]: predictions})
    if table.roles.id:
        ids = pd.read_csv(table.settings.path("test"), usecols=[table.roles.id])[table.roles.id]
        place = pd.Index(ids).get_indexer(sample[table.roles.id])
        if len(ids) != len(sample) or (place < 0).any():
            raise Mistake(f"the sample's {table.roles.id} are not those of the test table")
        answer = answer.iloc[place].reset_index(drop=True)
    for name in columns:
        sample[name] = answer[name].infer_objects()
    return sample


def is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _numbers(column: pd.Series, classes: tuple[object, ...]) -> Array:
    if column.isna().any():
        raise Mistake(f"{column.name}, the target, is missing in {int(column.isna().sum())} rows: leave them out")
    if not classes:
        if not is_number(column):
            raise Mistake(f"{column.name}, the target, is not a number; the metric asks for one")
        return column.to_numpy(dtype=float)
    places = pd.Index(classes).get_indexer(column)
    if (places < 0).any():
        raise Mistake(f"{column.name} holds classes that the training table does not have")
    return places.astype(float)


def _moments(column: pd.Series, name: str | None = None) -> Array | None:
    """The column as days or plain numbers that grow with time; with `name`, None where it does not look like a time."""
    if is_number(column):
        return column.to_numpy(dtype=float) if name is None or TIMELY.search(name) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas tells that it guesses the form of dates
        moments = pd.to_datetime(column, errors="coerce", utc=True)
    if moments.isna().mean() > 0.02:
        if name is None:
            raise Mistake(f"{column.name}, the time, is neither a number nor a date")
        return None
    return (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy() / 86400


def _add_parts(frame: pd.DataFrame, column: pd.Series, name: str) -> None:
    """The parts of a date that come again. The moment itself does not: a tree learns nothing about later ones."""
    if is_number(column):
        return
    moments = pd.to_datetime(column, errors="coerce", utc=True)
    for part in PARTS:
        frame[f"{name} {part.replace('_', ' ')}"] = getattr(moments.dt, part)


def _is_group(train: pd.Series, test: pd.Series) -> bool:
    if is_number(train) and not pd.api.types.is_integer_dtype(train):
        return False
    here, there = train.dropna().unique(), test.dropna().unique()
    repeats = 10 <= len(here) <= len(train) / 2 and 2 <= len(there) <= len(test) / 1.5
    return repeats and not set(here.tolist()) & set(there.tolist())
