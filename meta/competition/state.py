"""What a competition remembers between runs beside its journal: the experiment under way, and seconds that no row tells.

It is one small file that is replaced whole after each command, so that a run can be killed anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from meta import files
from meta.competition.running import ALIVE
from meta.errors import UserError

FOLDER = ".meta/compete"
FILE = f"{FOLDER}/state.json"


@dataclass(frozen=True, slots=True)
class Current:
    """The experiment under way: its row so far, its seconds, and which of its commands are done."""

    row: Mapping[str, Any]
    seconds: float
    words: tuple[str, ...]  # of the move
    done: tuple[str, ...] = ()
    running_since: float = 0.0  # epoch; 0 where its solver is not running


@dataclass(frozen=True, slots=True)
class State:
    """`lost` are CPU seconds of solvers that were killed and of commands that are no experiment."""

    lost: float = 0.0
    current: Current | None = None
    done: tuple[str, ...] = ()  # stages that are over


def read(folder: Path) -> State:
    path = folder / FILE
    if not path.exists():
        return State()
    try:
        told = json.loads(path.read_text())
        now = told["current"]
        current = (
            Current(now["row"], now["seconds"], tuple(now["words"]), tuple(now["done"]), now["running_since"])
            if now
            else None
        )
        return State(told["lost"], current, tuple(told["done"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} was edited and cannot be read. Delete it: the experiment under way is begun anew."
        ) from error


def write(folder: Path, state: State) -> State:
    files.write(folder / FILE, json.dumps(asdict(state), indent=1) + "\n")
    return state


def charged(folder: Path, state: State) -> State:
    """The state with what a solver used that was stopped with us: at the most its seconds, by the last sign of life."""
    current, alive = state.current, folder / ALIVE
    if current is None or not current.running_since:
        return state
    seen = alive.stat().st_mtime - current.running_since if alive.exists() else 0.0
    used = min(current.seconds, max(0.0, seen))
    return replace(state, lost=state.lost + used, current=replace(current, running_since=0.0))
