"""What was done to a workspace, one record an action, so that the last one can be taken back exactly.

A record lies in `.meta/actions/` and is itself an entry of the edit journal: the entries after it are its edits. It
names what the journal does not know: branches that were moved and files that were put aside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from meta import edits
from meta.edits import Journal
from meta.errors import UserError
from meta.registration import branch


@dataclass(frozen=True, slots=True)
class Moved:
    """A branch before and after the action; "" is no branch."""

    reference: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Action:
    """One thing done to one tool. `aside` are moves of files and folders (from, to) relative to the workspace,
    `unlinked` removed links (path, target), `made` new files too large for the journal."""

    verb: str
    name: str
    branches: tuple[Moved, ...] = ()
    aside: tuple[tuple[str, str], ...] = ()
    unlinked: tuple[tuple[str, str], ...] = ()
    made: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back, and what was kept because somebody changed it since."""

    verb: str
    name: str
    kept: tuple[str, ...]


def journal(workspace: Path) -> Journal:
    return Journal(workspace / ".meta" / "journal.jsonl")


def number(workspace: Path) -> int:
    """The number of the next action."""
    return len(records(workspace)) + 1


def begin(workspace: Path, action: Action) -> Journal:
    """Record an action, then put aside and unlink what it names and move its branches. The journal takes its edits."""
    place = workspace / ".meta" / "actions" / f"{number(workspace):05}-{action.verb}-{action.name}.json"
    log = journal(workspace)
    log.write(place, json.dumps(asdict(action), indent=1) + "\n")
    for source, target in action.aside:
        _rename(workspace / source, workspace / target)
    for path, _ in action.unlinked:
        (workspace / path).unlink()
    for moved in action.branches:
        branch.move(workspace, moved.reference, before=moved.before, after=moved.after)
    return log


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def undo(workspace: Path) -> Undone:
    """Take back the last action. Raises `UserError` when there is none, or its branch has gone another way since."""
    done = records(workspace)
    if not done:
        raise UserError("there is nothing to take back here. `meta tools` shows what there is.")
    action = _read(done[-1])
    for moved in action.branches:
        if branch.commit_of(workspace, moved.reference) != moved.after:
            raise UserError(f"{moved.reference} has changed since. Rename or delete it, then run this again.")
        if moved.before and not branch.commit_of(workspace, moved.before):
            raise UserError(f"git has cleared away commit {moved.before[:12]}, so the branch cannot come back.")
    for source, target in action.aside:
        if os.path.lexists(workspace / source) and os.path.lexists(workspace / target):
            raise UserError(f"{source} is in the way of what was put aside. Move it, then run this again.")
    return Undone(action.verb, action.name, tuple(_take_back(workspace, action, done[-1])))


def _take_back(workspace: Path, action: Action, record: Path) -> Sequence[str]:
    log = journal(workspace)
    entries = log.entries()
    first = max(entry.number for entry in entries if entry.path == os.path.abspath(record))
    kept = edits.undo(log, lambda entry: entry.number > first)
    for source, target in reversed(action.aside):
        if os.path.lexists(workspace / target):
            _rename(workspace / target, workspace / source)
    for path, target in action.unlinked:
        if not os.path.lexists(workspace / path):
            (workspace / path).parent.mkdir(parents=True, exist_ok=True)
            (workspace / path).symlink_to(target)
    for path in action.made:
        (workspace / path).unlink(missing_ok=True)
    for moved in action.branches:
        branch.move(workspace, moved.reference, before=moved.after, after=moved.before)
    # The record goes last: an interrupted undo is then done again from the start. An entry that could not be taken
    # back because of a later change by hand is done with.
    for entry in log.entries():
        if entry.number > first:
            log.done(entry)
    edits.undo(log, lambda entry: entry.number == first)
    _tidy(
        workspace,
        [*(entry.path for entry in entries if entry.number >= first), *(t for _, t in action.aside), *action.made],
    )
    return kept


def _tidy(workspace: Path, paths: Sequence[str]) -> None:
    """Remove the folders that are empty now, up to the workspace."""
    for path in paths:
        folder = (workspace / path).parent
        while (
            folder != workspace and folder.is_relative_to(workspace) and folder.is_dir() and not any(folder.iterdir())
        ):
            folder.rmdir()
            folder = folder.parent


def records(workspace: Path) -> list[Path]:
    """The actions that were not taken back, in order."""
    return sorted((workspace / ".meta" / "actions").glob("*.json"))


def _read(record: Path) -> Action:
    row = json.loads(record.read_text())
    return Action(
        row["verb"],
        row["name"],
        tuple(Moved(**moved) for moved in row["branches"]),
        tuple((source, target) for source, target in row["aside"]),
        tuple((path, target) for path, target in row["unlinked"]),
        tuple(row["made"]),
    )
