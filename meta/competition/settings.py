"""Read competition.toml; every mistake in it is one clear line.

What the data says (types of columns, folds) is found by the tools, not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from meta import config
from meta.competition.nouns import Budget, Competition, Direction, number
from meta.errors import UserError, did_you_mean

FILE = "competition.toml"
KINDS = {"tabular": ("train", "test", "sample"), "packing": ("sample",)}  # with the files that each must name
_DIRECTIONS = ("maximize", "minimize")
_TOP = ("name", "kind", "metric", "direction", "seed", "deadline", "files", "columns", "budget", "problem")
_FILES = ("train", "test", "sample", "original")
_COLUMNS = ("target", "id", "group", "time")
_NEEDED = {"packing": ("polygon",)}  # of [problem]
_BUDGET = ("cpu_seconds", "usd", "model_usd", "steps")
_REQUIRED = ("name", "kind", "metric", "direction")


def load(folder: Path) -> Competition:
    """The competition of a folder. Raises `UserError` naming the key that is wrong."""
    path = folder / FILE
    if not path.is_file():
        raise UserError(f"there is no {path}. Write it: name, kind, metric, direction and a table [files].")
    return _checked(folder.resolve(), config.toml(path) or {})


def _checked(folder: Path, told: Mapping[str, Any]) -> Competition:
    _known(told, _TOP, "")
    for key in _REQUIRED:
        if not isinstance(told.get(key), str) or not told[key].strip():
            raise UserError(f'{FILE}: "{key}" must be given as text.')
    _one_of("kind", told["kind"], KINDS)
    _one_of("direction", told["direction"], _DIRECTIONS)
    seed = told.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise UserError(f'{FILE}: "seed" must be a whole number from 0 to 2147483647, not {seed!r}.')
    files = _texts(told, "files", _FILES)
    for key in KINDS[told["kind"]]:
        if key not in files:
            raise UserError(f'{FILE}: [files] of a {told["kind"]} competition needs "{key}".')
    for key, name in files.items():
        place = (folder / name).resolve()
        if not place.is_relative_to(folder):
            raise UserError(f'{FILE}: [files] "{key}" leads out of the folder: {name}. Put the file inside.')
        if not place.is_file():
            raise UserError(f'{FILE}: [files] "{key}" names {name}, which is not there. Put it there or mend the name.')
    return Competition(
        folder, told["name"], told["kind"], told["metric"], cast(Direction, told["direction"]), seed,
        files, _texts(told, "columns", _COLUMNS), _budget(told), _deadline(told), _problem(told),
    )  # fmt: skip


def _known(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise UserError(
                f'{FILE}: unknown key "{key}"{where}.{did_you_mean(key, known)} Known are: {", ".join(known)}.'
            )


def _one_of(key: str, value: str, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(
            f'{FILE}: "{key}" must be one of {", ".join(known)}, not "{value}".{did_you_mean(value, known)}'
        )


def _table(told: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    table = told.get(name, {})
    if not isinstance(table, dict):
        raise UserError(f'{FILE}: "{name}" must be a table: [{name}].')
    _known(table, known, f" in [{name}]")
    return table


def _texts(told: Mapping[str, Any], name: str, known: tuple[str, ...]) -> dict[str, str]:
    table = _table(told, name, known)
    for key, value in table.items():
        if not isinstance(value, str):
            raise UserError(f'{FILE}: "{key}" in [{name}] must be text, not {value!r}.')
    return {key: value for key, value in table.items() if value}


def _budget(told: Mapping[str, Any]) -> Budget:
    table = _table(told, "budget", _BUDGET)
    usual = Budget()
    for key, value in table.items():
        whole = key == "steps"
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise UserError(
                f'{FILE}: "{key}" in [budget] must be {"a whole number" if whole else "a number"}, not {value!r}.'
            )
        least = 0 if key.endswith("usd") else 1
        if not least <= value < math.inf:
            raise UserError(f'{FILE}: "{key}" in [budget] must be at least {least}, not {value!r}.')
    return Budget(
        float(table.get("cpu_seconds", usual.cpu_seconds)), float(table.get("usd", usual.usd)),
        float(table.get("model_usd", usual.model_usd)), int(table.get("steps", usual.steps)),
    )  # fmt: skip


def _problem(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the solver's template asks for beside its name."""
    table = told.get("problem", {})
    if not isinstance(table, dict):
        raise UserError(f'{FILE}: "problem" must be a table: [problem].')
    for key in _NEEDED.get(told["kind"], ()):
        if key not in table:
            raise UserError(f'{FILE}: [problem] of a {told["kind"]} competition needs "{key}".')
    polygon = table.get("polygon")
    if polygon is not None and not (isinstance(polygon, list) and len(polygon) >= 3 and all(map(_point, polygon))):
        raise UserError(f'{FILE}: "polygon" in [problem] must be a list of at least three corners [x, y].')
    return table


def _point(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(number(one) is not None for one in value)


def _deadline(told: Mapping[str, Any]) -> str:
    value = told.get("deadline")
    if value is None:
        return ""
    if not isinstance(value, datetime):
        raise UserError(f'{FILE}: "deadline" must be a time such as 2026-12-31T00:00:00Z, not {value!r}.')
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
