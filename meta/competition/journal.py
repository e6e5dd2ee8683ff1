"""The journal of experiments, journal.jsonl, as the experiment-log tool appends to it: read, and asked.

Rows are written by that tool alone; a last line that a stop of the machine tore is counted and left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from meta.competition.nouns import Experiment, Journal, number

FILE = "journal.jsonl"
LOG = "TRAINING_LOG.md"
_NUMBERS = {"cpu_seconds", "wall", "usd"}
_MAYBE = {"score", "spread"}
_WHOLE = {"seed", "tokens"}
_LISTS = {"arguments", "parents"}
_FLAGS = {"ok", "kept"}


def read(folder: Path, lost: float = 0.0) -> Journal:
    """The experiments of a competition; of an id that stands there twice the first counts."""
    path = folder / FILE
    lines = path.read_bytes().splitlines() if path.exists() else []
    rows: dict[str, Experiment] = {}
    torn = 0
    for line in lines:
        experiment = parse(line)
        if experiment is None:
            torn += bool(line.strip())
        else:
            rows.setdefault(experiment.id, experiment)
    return Journal(tuple(rows.values()), torn, lost)


def parse(line: bytes) -> Experiment | None:
    """The experiment of a line, None where it is not one."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or not all(
        isinstance(told.get(key), str) and told[key] for key in ("id", "tool", "move")
    ):
        return None
    return Experiment(**{field.name: _value(field.name, told) for field in fields(Experiment) if field.name in told})


def _value(name: str, told: Mapping[str, Any]) -> Any:
    """The value as the noun has it; what is of another kind becomes the usual one."""
    value = told[name]
    if name in _MAYBE:
        return number(value)
    if name in _NUMBERS:
        return max(0.0, number(value) or 0.0)
    if name in _WHOLE:
        return 0 if number(value) is None else int(value)
    if name in _FLAGS:
        return value is True
    if name in _LISTS:
        return tuple(map(str, value)) if isinstance(value, list) else ()
    if name == "gates":
        return tuple(gate for gate in value if isinstance(gate, dict)) if isinstance(value, list) else ()
    return str(value)
