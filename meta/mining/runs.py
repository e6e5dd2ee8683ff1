"""What mining hands to lifting: a pattern's columns and the runs aligned with them.

How the pattern was found is not told here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from meta.model import Step, StepKind


@dataclass(frozen=True, slots=True)
class Column:
    """One place of a pattern: the symbol that stands there. `worked` tells that it did not fail every time."""

    head: str
    kind: StepKind = "command"
    effect: Literal["work", "inspect", "look"] = "work"
    worked: bool = True


def failed(cell: Sequence[Step]) -> bool | None:
    """Whether the last step of a cell failed, None where that is not known."""
    return cell[-1].status == "failed" if cell and cell[-1].status in ("ok", "failed") else None


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run of a pattern.

    `cells` is aligned with the pattern's columns: the steps of the run that stand there, none where the column is
    absent, several where it was repeated. `between` are the edits of the segment from the first to the last step.
    """

    session: str
    agent: str
    cells: tuple[tuple[Step, ...], ...]
    between: tuple[Step, ...] = ()

    @property
    def commands(self) -> tuple[Step, ...]:
        """The run's command steps in the order in which they ran."""
        return tuple(sorted((s for cell in self.cells for s in cell if s.kind == "command"), key=lambda s: s.position))
