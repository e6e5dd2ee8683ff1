"""Why a session went wrong: it is found, held against what its workspace knew then, and what mends that is written when asked for.

What is a trouble and what a cause is decided in `knowledge`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from meta import files, git, intake, learning, sources
from meta.config import Config
from meta.errors import UserError, did_you_mean
from meta.intake import Progress, quiet, workspace_of
from meta.knowledge import changes, documents, guides, life, troubles, understanding
from meta.knowledge.changes import Advice, Change
from meta.knowledge.understanding import Cause, Known
from meta.model import Lesson, Session

if TYPE_CHECKING:
    from meta.learning import Learned

KNOWLEDGE = "knowledge"
MOST_CHANGES = 500  # of documents, the latest


@dataclass(frozen=True, slots=True)
class Why:
    """What is to be said of a session, with what former changes of documents advise; `written` are the files now there."""

    agent: str
    session: str
    project: str
    calls: int
    causes: tuple[Cause, ...]
    advice: tuple[Advice, ...] = ()
    written: tuple[str, ...] = field(default=())


def why(
    settings: Config, session: str, *, write: bool = False, dry_run: bool = False, progress: Progress = quiet
) -> Why:
    """The causes of what went wrong in a session, named by its id, a beginning of it, or its file."""
    from meta.mining.segments import segments
    from meta.mining.shell import Reader

    workspace = workspace_of(settings)
    with _sessions(settings, workspace, session, dry_run=dry_run, progress=progress) as sessions:
        one = _chosen(sessions, session)
        own = [other for other in sessions if other.project == one.project]
        parse = Reader({}, {})
        found = troubles.troubles(one, segments(one, parse))
        taught = learning.learned(one.project, own, parse) if found else None
    causes = understanding.causes(one.id, found, _known(workspace, one, taught))
    calls = sum(event.kind == "call" for event in one.events)
    proposed = {path: text for cause in causes if cause.proposal for path, text in cause.proposal.files.items()}
    if write and proposed and not dry_run:
        _write(workspace, proposed)
    written = tuple(proposed) if write else ()
    return Why(one.agent, one.id, one.project, calls, tuple(causes), tuple(advice(workspace)), written)


@contextlib.contextmanager
def _sessions(
    settings: Config, workspace: Path, named: str, *, dry_run: bool, progress: Progress
) -> Iterator[Sequence[Session]]:
    """The sessions of the workspace; where a file is named, those that lie beside it count too."""
    path = Path(named)
    if path.is_file():
        with intake.opened([path.parent]) as store:
            intake.ingest(store, intake.files_of(settings, [path.parent]), progress)
            yield store.sessions(sources.merge)
        return
    with (
        intake.alone(workspace, dry_run=dry_run),
        intake.index(settings, workspace, progress, dry_run=dry_run) as store,
    ):
        yield store.sessions(sources.merge)


def _chosen(sessions: Sequence[Session], named: str) -> Session:
    """The session that is meant. Raises `UserError` where it is none, or more than one."""
    talked = [session for session in sessions if session.events and session.origin != "git"]
    path = Path(named)
    if path.is_file():
        fitting = [s for s in talked if s.path and Path(s.path).absolute() == path.absolute()]
        if not fitting:
            raise UserError(f"{named} holds no session. `meta scan {named}` says what is in it.")
        return max(fitting, key=lambda session: len(session.events))
    exact = [s for s in talked if named in (s.id, f"{s.agent}/{s.id}")]
    fitting = exact or [s for s in talked if s.id.startswith(named) and not s.id.startswith(f"{s.parent}/")]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        some = ", ".join(sorted(f"{s.agent}/{s.id}" for s in fitting)[:4])
        raise UserError(f'"{named}" is the beginning of {len(fitting)} sessions: {some}. Name more of it.')
    hint = did_you_mean(named, (session.id for session in talked))
    raise UserError(f'no session is called "{named}".{hint} Name one by its id, a beginning of it, or its file.')


def _known(workspace: Path, session: Session, taught: Learned | None) -> Known:
    places = guides.places(workspace)
    lessons = learning.known(workspace)
    texts = {
        name: path.read_text("utf-8", "replace") for name, path in places.items() if not name.startswith("sessions/")
    }
    asked = (workspace / KNOWLEDGE / "lessons").glob("*.cases.toml")
    retired = sorted((workspace / learning.RETIRED).glob("*.md"))
    reads = [(e.time, f"{e.text} {' '.join(e.arguments.values())}") for e in session.events if e.kind == "call"]

    def there(lesson: Lesson, time: float | None) -> bool:
        if time is None:
            return False
        if lesson.since:
            return lesson.since < time
        return bool(git.text_at(workspace, f"{learning.LESSONS}/{lesson.slug}.md", time))

    def loaded(lesson: Lesson, time: float | None) -> bool:
        """Whether it stood in what every session loads, or its file was opened before."""
        if time is None:
            return False
        if f"- {life.brief(lesson)}" in git.text_at(workspace, learning.LOADED, time).splitlines():
            return True
        return any(at is not None and at <= time and f"lessons/{lesson.slug}.md" in told for at, told in reads)

    return Known(
        texts, lessons, taught.lessons if taught else (), there, loaded,
        retired={documents.loads(path.read_text("utf-8", "replace"), path.stem).id for path in retired},
        cases={f"lessons/{path.name}": path.read_text("utf-8", "replace") for path in asked},
    )  # fmt: skip


def _write(workspace: Path, contents: Mapping[str, str]) -> None:
    """Write the proposed files as one action, which `meta undo` takes back."""
    from meta.registration import lifecycle

    with files.locked(workspace / ".meta" / "lock"):
        lifecycle.put(workspace, "why", "lesson", contents)


def advice(workspace: Path) -> list[Advice]:
    """What the changes of knowledge so far advise for the next one."""
    return changes.advice(_changes(workspace))


def _changes(workspace: Path) -> list[Change]:
    """How documents were changed, by the history of the workspace, oldest first; new ones are no change."""
    last: dict[str, str] = {}
    pairs: list[tuple[str, str, str, str]] = []
    for commit in reversed(list(git.commits(workspace, paths=[KNOWLEDGE]))):
        for change in commit.changes:
            if change.path.endswith(".md") and not change.path.startswith("knowledge/sessions/"):
                if change.status == "M" and change.path in last:
                    pairs.append((commit.sha, change.path, last[change.path], change.blob))
                last[change.path] = change.blob
    pairs = pairs[-MOST_CHANGES:]
    blobs = list(dict.fromkeys(blob for *_, old, new in pairs for blob in (old, new)))
    texts = dict(zip(blobs, git.contents(workspace, blobs), strict=True))
    return [
        Change(sha, path, old.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
        for sha, path, before, after in pairs
        if (old := texts[before]) is not None and (new := texts[after]) is not None
    ]
