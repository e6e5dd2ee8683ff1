"""The nouns of a competition, frozen; seconds are CPU seconds unless they are called wall.

How they are read from files is told in `settings` and `journal`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Direction = Literal["maximize", "minimize"]


def number(value: object) -> float | None:
    """A value of JSON or TOML as a number, None where it is none, or none that can be reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a competition may use, over all of its runs together."""

    cpu_seconds: float = 600.0
    usd: float = 0.0
    model_usd: float = 0.0
    steps: int = 100


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used up so far."""

    cpu_seconds: float = 0.0
    usd: float = 0.0
    tokens: int = 0
    steps: int = 0

    def reached(self, budget: Budget) -> str:
        """Which limit leaves nothing for another experiment, "" where none does."""
        if self.steps >= budget.steps:
            return f"all {budget.steps} steps are taken"
        if self.cpu_seconds >= budget.cpu_seconds - LEAST:
            return f"the budget of {budget.cpu_seconds:g} CPU seconds is used up"
        return ""


LEAST = 1.0  # seconds; with less left no experiment is begun


@dataclass(frozen=True, slots=True)
class Competition:
    """What competition.toml says. `files` are relative to `folder`."""

    folder: Path
    name: str
    kind: str
    metric: str
    direction: Direction
    seed: int
    files: Mapping[str, str]
    columns: Mapping[str, str]
    budget: Budget
    deadline: str = ""  # ISO 8601 with its zone
    problem: Mapping[str, Any] = field(default_factory=dict)  # answers for the solver's template, such as a polygon

    def better(self, one: float, other: float | None) -> bool:
        """Whether a score is better than another one, or than none."""
        return other is None or (one > other if self.direction == "maximize" else one < other)

    def gain(self, score: float, before: float) -> float:
        """By how much a score is better; 0 where it is not."""
        return max(0.0, score - before if self.direction == "maximize" else before - score)


@dataclass(frozen=True, slots=True)
class Move:
    """What may be tried next: a tool and its arguments. `after` are moves that must have succeeded before."""

    tool: str
    name: str
    arguments: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    repeat: bool = False
    seconds: float = 30.0  # a first guess, until it is measured
    why: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A row of the journal. `parents` are the experiments whose files it began with, `commit` is what it was run on.

    `score` is None where there is none, and `ok` tells whether the tool ended well and its gates held. `kept` tells
    that its submission became the best.
    """

    id: str
    tool: str
    move: str
    arguments: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    seed: int = 0
    ok: bool = False
    score: float | None = None
    spread: float | None = None
    cpu_seconds: float = 0.0
    wall: float = 0.0
    usd: float = 0.0
    tokens: int = 0
    kept: bool = False
    commit: str = ""
    time: str = ""
    why: str = ""
    gates: tuple[Mapping[str, Any], ...] = ()
    chosen_by: str = "policy"

    def row(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Journal:
    """All experiments in order; `torn` counts lines that could not be read. `lost` are seconds of runs that were killed."""

    rows: tuple[Experiment, ...] = ()
    torn: int = 0
    lost: float = 0.0

    @property
    def spent(self) -> Spent:
        return Spent(
            cpu_seconds=sum(row.cpu_seconds for row in self.rows) + self.lost,
            usd=sum(row.usd for row in self.rows),
            tokens=sum(row.tokens for row in self.rows),
            steps=len(self.rows),
        )

    @property
    def best(self) -> Experiment | None:
        """The experiment whose submission is the best one now."""
        return next((row for row in reversed(self.rows) if row.kept), None)

    def succeeded(self) -> set[str]:
        """The names of the moves that have once ended well."""
        return {row.move for row in self.rows if row.ok}


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision on the next experiment. Without a move the rounds are over, `why` tells the reason."""

    move: Move | None
    why: str
    seconds: float = 0.0
    seed: int = 0
    parents: tuple[str, ...] = ()
    usd: float = 0.0  # what the decision itself cost
    tokens: int = 0


# The one place where a model may stand instead of the policy.
Choose = Callable[[Journal, Sequence[Move], Budget], Choice]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a whole run of `meta compete` ended."""

    competition: str
    metric: str
    score: float | None
    experiments: int
    submission: str
    cpu_seconds: float
    spend_usd: float
    reason: str
    steps: int = 0  # commands that were run, this time
    used: tuple[str, ...] = ()  # generated tools that did some of them
    torn: int = 0
    sessions: str = ""  # the folder of what was recorded
    by_origin: Mapping[str, int] = field(default_factory=dict)
