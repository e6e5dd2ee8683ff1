"""The front door: session files and repositories are read, redacted, and indexed.

What the sessions mean is not asked here. Clock, home folder and environment are read here and in `flow`, nowhere below.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from meta import archive, config, files, git, process, redact, sources
from meta.config import Config
from meta.errors import UserError
from meta.model import Session
from meta.redact import residue
from meta.sources import git_history
from meta.store import Cursor, Store

if TYPE_CHECKING:
    pass

Progress = Callable[[int, int], None]


def quiet(done: int, total: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one project and agent."""

    project: str
    agent: str
    sessions: int
    prompts: int
    calls: int
    shell: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Scan:
    found: tuple[Found, ...]
    skipped: Mapping[str, int]


def files_of(settings: Config, paths: Sequence[str | Path]) -> list[Path]:
    """The files that may hold sessions, and the repositories whose history is read: those named, or the workspace."""
    if not paths:
        own = [settings.workspace] if settings.workspace else []
        return [*sources.defaults(Path.home(), os.environ), *own]
    named = [Path(path).absolute() for path in paths]
    return [
        *sources.discover([path for path in named if not git.is_bare(path)]),
        *(path for path in dict.fromkeys(named) if git.is_repository(path)),
    ]


def _cursor(path: Path) -> Cursor:
    """The state of a file, or of a repository, now. Raises `OSError` for a file that cannot be read."""
    return Cursor.told(path, git.state(path)) if path.is_dir() else Cursor.of(path)


def _changed(store: Store, path: Path) -> bool:
    return not (store.holds(_cursor(path)) if path.is_dir() else store.unchanged(path))


def _history(repository: Path) -> Iterator[Session]:
    name = sources.project(str(repository).removesuffix(".git").rstrip("/"), "", "")
    return (replace(session, project=name) for session in git_history.read(repository))


def _read(path: Path, key: bytes) -> tuple[Cursor | None, tuple[Session, ...]]:
    """One file's (or repository's) sessions, redacted; a file without any stands for itself as what was skipped."""
    redactor = redact.Redactor(key)
    if residue.secrets([str(path)]):  # the index would have to keep it to find the file again
        return None, (Session("", "", (), skipped={"secret in the path": 1}),)
    if path.is_dir():
        return _cursor(path), tuple(redactor.session(session) for session in _history(path))
    try:
        cursor = Cursor.of(path)
    except OSError:
        return None, (Session("", str(path), (), skipped={"unreadable": 1}),)
    reading = sources.read(path)
    if "unreadable" in reading.skipped:  # the disk refused in the middle: what was known stays, and it is tried again
        return None, (Session("", str(path), (), skipped=reading.skipped),)
    if reading.sessions:
        return cursor, tuple(redactor.session(session) for session in reading.sessions)
    return cursor, (redactor.session(Session("", reading.digest, (), skipped=reading.skipped)),)


@cache
def program() -> str:
    """This very meta: another version, or an edited one, may read and find other things."""
    package = Path(__file__).parent
    states = ((path, path.stat()) for path in sorted(package.rglob("*.py")))
    told = "".join(f"{path.relative_to(package)} {s.st_size} {s.st_mtime_ns}\n" for path, s in states)
    return hashlib.sha256(told.encode()).hexdigest()


def opened(paths: Sequence[str | Path]) -> Store:
    """The cached index of these paths, outside of any project: looking writes nothing into the current folder."""
    told = "\n".join([program(), *sorted(str(Path(path).absolute()) for path in paths)])
    name = hashlib.sha256(told.encode()).hexdigest()[:16]
    try:
        return Store(config.folders().cache / f"{name}.sqlite")
    except UserError:  # nowhere to keep anything: read anew each time
        return Store()


@contextmanager
def index(settings: Config, workspace: Path, progress: Progress, *, dry_run: bool = False) -> Iterator[Store]:
    """The workspace's index, brought up to date. A dry run takes it as it is, and reads into memory where there is none."""
    place = workspace / ".meta" / "store.sqlite"
    kept = dry_run and place.exists()
    with Store(None if dry_run and not kept else place) as store:
        if not kept:
            ingest(store, files_of(settings, ()), progress, forget=False)
        yield store


def ingest(store: Store, found: Sequence[Path], progress: Progress, *, forget: bool = True) -> dict[str, int]:
    """Bring the store up to date with the files: new and changed ones are read, vanished ones forgotten.

    A workspace does not forget: agents delete their sessions, and its index outlives them. What comes back is how
    many could not be read this time, by reason; they are tried again at the next.
    """
    lost: list[Session] = []
    for gone in set(store.paths()) - {str(path) for path in found} if forget else ():
        store.forget(Path(gone))
    changed = [path for path in found if _changed(store, path)]
    if changed:
        key = redact.key(config.folders().state)
        read = process.pool(partial(_read, key=key), changed, progress=progress)
        store.add_all((cursor, sessions) for cursor, sessions in read if cursor)
        lost.extend(session for cursor, sessions in read if cursor is None for session in sessions)
    return skipped(lost)


def summed(*counts: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _day(time: float | None) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d") if time is not None else "-"


def skipped(sessions: Iterable[Session]) -> dict[str, int]:
    return summed(*(session.skipped for session in sessions))


def scan(settings: Config, paths: Sequence[str | Path] = (), *, progress: Progress = quiet) -> Scan:
    """What sessions there are, by project and agent."""
    with opened(paths) as store:
        lost = ingest(store, files_of(settings, paths), progress)
        sessions = store.sessions(sources.merge)
    groups: dict[tuple[str, str], list[Session]] = {}
    for session in sessions:
        if session.events:
            groups.setdefault((session.project, session.agent), []).append(session)
    return Scan(tuple(_found(*key, group) for key, group in sorted(groups.items())), summed(skipped(sessions), lost))


def _found(project: str, agent: str, sessions: Sequence[Session]) -> Found:
    events = [event for session in sessions for event in session.events]
    times = [event.time for event in events if event.time is not None]
    return Found(
        project=project,
        agent=agent,
        sessions=len(sessions),
        prompts=sum(event.kind == "prompt" for event in events),
        calls=sum(event.kind == "call" for event in events),
        shell=sum(event.tool_kind == "shell" for event in events),
        first=_day(min(times, default=None)),
        last=_day(max(times, default=None)),
    )


def workspace_of(settings: Config) -> Path:
    if settings.workspace is None:
        raise UserError(
            "this is no workspace of meta. Run `meta init` in a git repository, or name one by --workspace."
        )
    return settings.workspace


@contextmanager
def alone(workspace: Path, *, dry_run: bool = False, recover: bool = True) -> Iterator[None]:
    """Nobody else changes the workspace meanwhile, and what a run left half done when it was stopped is taken back.

    A dry run changes nothing, so it waits for nobody.
    """
    from meta.registration import actions

    if dry_run:
        yield
        return
    with files.locked(workspace / ".meta" / "lock"):
        files.sweep([config.folders().state])
        done = actions.recover(workspace, partial(only_copies, workspace)) if recover else None
        if done:
            print(f"meta: {done.verb} {done.name} was stopped in the middle, so it was taken back", file=sys.stderr)
        yield


def only_copies(workspace: Path, paths: Iterable[Path]) -> set[Path]:
    """The archived sessions that no file of their agent tells whole any more: agents delete what they kept."""
    place = workspace / ".meta" / "store.sqlite"
    try:
        store = Store(place if place.exists() else None)
    except UserError:  # what the sessions themselves say of their files must do
        store = Store()
    with store:
        return {path for path in paths if not _told_elsewhere(store, path)}


def _told_elsewhere(store: Store, path: Path) -> bool:
    content = path.read_bytes()
    try:
        kept = archive.session(json.loads(content))
    except ValueError:  # changed by hand
        return False
    others = [Path(file) for file in store.files_of(kept.agent, kept.id) if Path(file) != path]
    if others and all(store.unchanged(file) for file in others):
        return True
    told = [part for file in {*others, Path(kept.path)} if file != path for part in sources.read(file).sessions]
    events = {event.id for part in told if (part.agent, part.id) == (kept.agent, kept.id) for event in part.events}
    return events.issuperset(event.id for event in kept.events)
