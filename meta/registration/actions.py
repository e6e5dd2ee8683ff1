"""What was done to a workspace, one record an action: done whole or not at all, and the last one taken back exactly.

A record lies in `.meta/actions/` and is itself an entry of the edit journal: the entries after it are its edits. It
names what the journal does not know: branches that were moved and files that were put aside. While an action is done
or taken back, the file `unfinished` beside it says so; a run that finds one takes that action back first.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from meta import edits, files
from meta.edits import Journal
from meta.errors import UserError
from meta.registration import branch

Keep = Callable[[Iterable[Path]], Collection[Path]]
"""Those of the files that an action made which must stay, for they are the only copy."""


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
    """What was taken back, and what was kept and why."""

    verb: str
    name: str
    kept: tuple[str, ...]


def journal(workspace: Path) -> Journal:
    return Journal(workspace / ".meta" / "journal.jsonl")


def number(workspace: Path) -> int:
    """The number of the next action."""
    return len(records(workspace)) + 1


def records(workspace: Path) -> list[Path]:
    """The actions that were not taken back, in order."""
    return sorted((workspace / ".meta" / "actions").glob("*.json"))


def unfinished(workspace: Path) -> Path:
    """The file that is there while an action is done or taken back: "do" or "undo" and the name of its record."""
    return workspace / ".meta" / "actions" / "unfinished"


@contextlib.contextmanager
def doing(workspace: Path, action: Action, keep: Keep = lambda paths: ()) -> Iterator[Journal]:
    """Record an action, then put aside and unlink what it names and move its branches; the journal takes its edits.

    What fails on the way is taken back; what is stopped on the way, by the next run.
    """
    record = unfinished(workspace).with_name(f"{number(workspace):05}-{action.verb}-{action.name}.json")
    log = journal(workspace)
    try:
        with _explained(workspace):
            files.write(unfinished(workspace), f"do {record.name}")
            log.write(record, json.dumps(asdict(action), indent=1) + "\n")
            for source, target in action.aside:
                _rename(workspace / source, workspace / target)
            for path, _ in action.unlinked:
                _unlink(workspace / path)
            for moved in action.branches:
                branch.move(workspace, moved.reference, before=moved.before, after=moved.after)
            yield log
            _finish(workspace)
    except BaseException:
        with contextlib.suppress(UserError):  # then the next run does it; the first failure is the one to tell
            recover(workspace, keep)
        raise


@contextlib.contextmanager
def _explained(workspace: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"{error.strerror} ({error.filename or workspace})"
        raise UserError(f"the machine refused: {what}. Make room or access, then run this again.") from error


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    files.settle(source.parent, target.parent)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        files.settle(path.parent)


def recover(workspace: Path, keep: Keep = lambda paths: (), *, leaving: bool = False) -> Undone | None:
    """What a run had begun when it was stopped, now taken back; None where nothing was begun.

    Files that such a run was just writing go as well. `leaving` is for a caller that calls `leave` next where no
    action is left.
    """
    with _explained(workspace):
        return _recovered(workspace, keep, leaving)


def _recovered(workspace: Path, keep: Keep, leaving: bool) -> Undone | None:
    folder = unfinished(workspace).parent
    log = journal(workspace)
    places = {Path(os.path.realpath(path)).parent for path in log.paths()}
    archived = (workspace / "conversation-archive").glob("*/")
    files.sweep({workspace, workspace / ".meta", folder, *archived, *places})
    if not stopped(workspace):
        return None
    verb, _, name = unfinished(workspace).read_text().partition(" ")
    record = folder / name
    if record.exists():
        done: Undone | None = _taken_back(workspace, record, keep)
    else:  # not even begun, or all of it taken back
        _, done_verb, done_name = name.removesuffix(".json").split("-", 2)
        done = Undone(done_verb, done_name, ()) if verb == "undo" else None
    if records(workspace) or not (leaving or verb == "undo"):
        _finish(workspace)
    return done


def _finish(workspace: Path) -> None:
    told = unfinished(workspace).read_text()
    unfinished(workspace).unlink()
    try:
        files.settle(unfinished(workspace).parent)
    except UserError:  # it is told as a failure, so the next run must find it
        files.write(unfinished(workspace), told)
        raise


def undo(workspace: Path, keep: Keep = lambda paths: ()) -> Undone:
    """Take back the last action. Raises `UserError` when there is none, or its branch has gone another way since."""
    done = records(workspace)
    if not done:
        raise UserError("there is nothing to take back here. `meta tools` shows what there is.")
    action = _read(done[-1])
    _possible(workspace, action)
    with _explained(workspace):
        files.write(unfinished(workspace), f"undo {done[-1].name}")
        taken_back = _taken_back(workspace, done[-1], keep)
        if len(done) > 1:
            _finish(workspace)
    return taken_back


def stopped(workspace: Path) -> bool:
    """Whether a run was stopped here while it changed something."""
    return unfinished(workspace).exists()


def leave(workspace: Path) -> None:
    """Remove the index, the journal and the lock; `unfinished` goes last, so that what is stopped here can go on."""
    home, last = workspace / ".meta", unfinished(workspace).parent
    with _explained(workspace):
        for path in sorted(home.iterdir(), key=lambda path: path == last):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        home.rmdir()


def leaving(workspace: Path) -> bool:
    """Whether the last of ours was being removed here when that was stopped."""
    home = workspace / ".meta"
    return stopped(workspace) or (home.is_dir() and not any(path.is_file() for path in home.rglob("*")))


def _possible(workspace: Path, action: Action) -> None:
    for moved in action.branches:
        if branch.commit_of(workspace, moved.reference) not in (moved.after, moved.before):
            raise UserError(f"{moved.reference} has changed since. Rename or delete it, then run this again.")
        if moved.before and not branch.commit_of(workspace, moved.before):
            raise UserError(f"git has cleared away commit {moved.before[:12]}, so the branch cannot come back.")
    for source, target in action.aside:
        if os.path.lexists(workspace / source) and os.path.lexists(workspace / target):
            raise UserError(f"{source} is in the way of what was put aside. Move it, then run this again.")


def _taken_back(workspace: Path, record: Path, keep: Keep) -> Undone:
    """The action of a record, taken back: every step finds out whether it was taken (or taken back) already."""
    action = _read(record)
    _possible(workspace, action)
    log = journal(workspace)
    first = max(entry.number for entry in log.entries() if entry.path == os.path.abspath(record))
    paths = [path for number, path in enumerate(log.paths()) if number > first]
    lines = edits.undo(log, lambda entry: entry.number > first)
    for source, target in reversed(action.aside):
        if os.path.lexists(workspace / target):
            _rename(workspace / target, workspace / source)
    for path, target in action.unlinked:
        if not os.path.lexists(workspace / path):
            edits.link(workspace / path, target)
    made = {workspace / path for path in action.made if (workspace / path).exists()}
    staying = set(keep(made))
    for gone in sorted(made - staying):
        _unlink(gone)
    for moved in action.branches:
        if branch.commit_of(workspace, moved.reference) != moved.before:
            branch.move(workspace, moved.reference, before=moved.after, after=moved.before)
    tidy(workspace, [*paths, *(target for _, target in action.aside), *action.made])
    # The record goes last: an interrupted undo is then done again from the start. An entry that could not be taken
    # back because of a later change by hand is done with.
    for entry in log.entries():
        if entry.number > first:
            log.done(entry)
    edits.undo(log, lambda entry: entry.number == first)
    return Undone(action.verb, action.name, (*lines, *_told(len(staying))))


def _told(only_copies: int) -> Iterator[str]:
    if only_copies:
        yield f"{only_copies} archived sessions: kept, their agents have no copy any more"


def tidy(workspace: Path, paths: Iterable[str]) -> None:
    """Remove the folders of these paths that are empty now, up to the workspace."""
    for path in paths:
        folder = (workspace / path).parent
        while folder != workspace and folder.is_relative_to(workspace):
            if folder.is_dir():  # else it was removed by an undo that was stopped here
                if any(folder.iterdir()):
                    break
                folder.rmdir()
            folder = folder.parent


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
