"""Tell from the commands of a session, as they come, whether the work of a tool was begun by hand.

A tool's work is begun by its first step and then its second, with nothing but looking around and the first step again
between them. Nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meta.nudge.reading import Did
from meta.nudge.rows import Row


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a session: the turn it is in, the tools whose first step was done, and those that are done with."""

    turn: str = ""
    first: tuple[str, ...] = ()
    done: tuple[str, ...] = ()


def after(begun: Begun, turn: str, did: Iterable[Did], rows: Sequence[Row]) -> tuple[Begun, Row | None]:
    """The session after these commands, and the tool whose second step was just done. Each is told once."""
    first = set(begun.first) if turn == begun.turn else set()
    done = dict.fromkeys(begun.done)
    told: Row | None = None
    for command in did:
        if command.tool:
            done[command.tool] = None
        begins = {row.name for row in rows if row.steps and command.is_step(row.steps[0])}
        goes_on = [row for row in rows if row.name in first - done.keys() and command.is_step(row.steps[1])]
        if goes_on and told is None:
            told = goes_on[0]
            done |= dict.fromkeys(row.name for row in goes_on)
        first = begins if command.effect == "work" else begins | first
    return Begun(turn, tuple(sorted(first)), tuple(done)), told
