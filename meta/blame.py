"""Find the conversation behind a line: the commit that wrote it, the session that made the commit, what was asked before.

A commit tells its session by a trailer `Session: AGENT/ID`; where it has none, the session's own record of the commit does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from meta import archive, git, sources
from meta.config import Config
from meta.errors import UserError
from meta.intake import Progress, alone, files_of, ingest, quiet, workspace_of
from meta.model import Behind, Event, Session, Talk
from meta.sources import git_history
from meta.store import Store

TRAILER = "Session"
PROMPTS = 3  # the last ones before the commit


def behind(settings: Config, place: str, progress: Progress = quiet) -> Behind:
    """What is behind `FILE:LINE` of the workspace. Raises `UserError` for a place that is not there or in no commit."""
    workspace = workspace_of(settings)
    path, line = _place(workspace, place)
    sha = git.blamed(workspace, path, line)
    if not sha:
        raise UserError(f"{path}:{line} is in no commit yet. Commit it, then ask again.")
    commit = next(git.commits(workspace, sha))
    with alone(workspace), Store(workspace / ".meta" / "store.sqlite") as store:
        ingest(store, files_of(settings, ()), progress, forget=False)
        sessions = [session for session in store.sessions(sources.merge) if session.origin != "git"]
    talks = _named(sessions, git.trailers(workspace, sha, TRAILER)) or _made(sessions, commit)
    found = tuple(_talk(workspace, session, event) for session, event in talks)
    return Behind(path, line, sha, commit.author, commit.time, commit.subject, found)


def _place(workspace: Path, place: str) -> tuple[str, int]:
    """The file, relative to the workspace, and the line."""
    name, _, number = place.rpartition(":")
    if not name or not number.isdecimal() or int(number) < 1:
        raise UserError(f'"{place}" is no place. Name one as FILE:LINE, like src/app.py:12.')
    path = Path(os.path.relpath(os.path.abspath(name), os.path.realpath(workspace)))
    if path.parts[:1] == ("..",):
        raise UserError(f"{name} is not in {workspace}. Name a file of this workspace.")
    if not (workspace / path).is_file():
        raise UserError(f"{name} is no file. Name one as FILE:LINE, like src/app.py:12.")
    return path.as_posix(), int(number)


Made = tuple[Session, Event | None]


def _named(sessions: Iterable[Session], trailers: Sequence[str]) -> list[Made]:
    """The sessions that the commit names."""
    return [(session, None) for session in sessions if f"{session.agent}/{session.id}" in trailers]


def _made(sessions: Sequence[Session], commit: git.Commit) -> list[Made]:
    """The session whose record tells that it made the commit."""
    made = {(one.agent, one.session): one.event for one in git_history.commits_of(sessions, [commit])}
    return [
        (session, next(event for event in session.events if event.id == made[session.agent, session.id]))
        for session in sessions
        if (session.agent, session.id) in made
    ]


def _talk(workspace: Path, session: Session, event: Event | None) -> Talk:
    before = session.events[: session.events.index(event)] if event else session.events
    prompts = [one.text for one in before if one.kind == "prompt"]
    place = "conversation-archive" / archive.name(session)
    archived = place.as_posix() if (workspace / place).is_file() else ""
    return Talk(session.agent, session.id, event.id if event else "", tuple(prompts[-PROMPTS:]), archived)
