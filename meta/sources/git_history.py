"""git history as sessions: what one author committed in one sitting, so that a release can be mined as a workflow.

Not a format of files, so there is no `source` here: a repository is named, not found. Which commits were made by an
agent is told by `commits_of`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from meta import git
from meta.model import Event, Session
from meta.sources.events import cut, distinct

IDLE = 3 * 3600.0  # seconds without a commit that end a sitting
FILES = 25  # a commit that touches more is told by their number only
SLACK = 120.0  # seconds by which a commit may follow the start of the call that made it
_MADE = re.compile(r"^[ \t]*\[[^\]\n]*?([0-9a-f]{7,40})\] ", re.MULTILINE)


def read(repository: Path) -> Iterator[Session]:
    """The sittings, oldest first. Raises `UserError` where there is no repository or no git."""
    yield from sessions(reversed(list(git.commits(repository))), repository)


def sessions(commits: Iterable[git.Commit], repository: Path) -> Iterator[Session]:
    """The commits, oldest first, as sessions of their authors, cut where there was none for `IDLE`."""
    by_author: defaultdict[str, list[git.Commit]] = defaultdict(list)
    for commit in commits:
        by_author[commit.email or commit.author].append(commit)
    pieces = [piece for own in by_author.values() for piece in cut(map(_event, sorted(own, key=_time)), IDLE)]
    for piece in sorted(pieces, key=lambda piece: (piece[0].time or 0.0, piece[0].id)):
        first = piece[0].id
        yield Session("git", first, distinct(first, piece), cwd=str(repository), origin="git", path=str(repository))


def _time(commit: git.Commit) -> float:
    return commit.time


def _event(commit: git.Commit) -> Event:
    paths = [change.path for change in commit.changes]
    given = {"commit": commit.sha, "files": "\n".join(paths) if len(paths) <= FILES else str(len(paths))}
    if commit.committed != commit.time:
        given["committed"] = f"{commit.committed:.0f}"
    if commit.tags:
        given["tag"] = "\n".join(commit.tags)
    return Event(
        id=commit.sha,
        kind="call",
        time=commit.time,
        text=commit.subject,
        tool="git",
        tool_kind="commit",
        arguments=given,
        status="ok",
    )


@dataclass(frozen=True, slots=True)
class Made:
    """A commit and the event of the session that made it."""

    commit: str
    agent: str
    session: str
    event: str


def commits_of(sessions: Iterable[Session], commits: Iterable[git.Commit]) -> tuple[Made, ...]:
    """The commits that were made in these sessions, each by one event, in the order of the events.

    The output of `git commit` names the commit; where it was silent, the subject in the command and the time decide.
    """
    known = sorted(commits, key=_committed)
    by_prefix = {commit.sha[:7]: commit for commit in known}
    made: dict[str, Made] = {}
    for session in sessions:
        for event in session.events:
            for commit in _named(event, by_prefix) or _matching(event, known):
                made.setdefault(commit.sha, Made(commit.sha, session.agent, session.id, event.id))
    return tuple(made.values())


def joined(sessions: Sequence[Session]) -> list[Session]:
    """The sessions, every commit told once: the call of an agent or a person that made it owns it.

    The owning event names its commit in the argument `commit`; the sittings no longer have it.
    """
    commits = [_commit(event) for session in sessions if session.origin == "git" for event in session.events]
    made = commits_of((session for session in sessions if session.origin != "git"), commits) if commits else ()
    owners: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for one in made:
        owners[one.agent, one.session].setdefault(one.event, one.commit)
    owned = {one.commit for one in made}
    told = [_without(s, owned) if s.origin == "git" else _naming(s, owners[s.agent, s.id]) for s in sessions]
    return [now for now, before in zip(told, sessions, strict=True) if now.events or not before.events]


def _commit(event: Event) -> git.Commit:
    """As much of a commit as its event tells and the join needs."""
    time = event.time or 0.0
    committed = float(event.arguments.get("committed", time))
    return git.Commit(event.id, (), "", "", time, committed, event.text)


def _without(session: Session, owned: Collection[str]) -> Session:
    return replace(session, events=tuple(event for event in session.events if event.id not in owned))


def _naming(session: Session, made: Mapping[str, str]) -> Session:
    if not made:
        return session
    events = (
        replace(event, arguments={**event.arguments, "commit": made[event.id]}) if event.id in made else event
        for event in session.events
    )
    return replace(session, events=tuple(events))


def _commits(event: Event) -> bool:
    return event.tool_kind == "commit" or (event.tool_kind == "shell" and "commit" in event.text)


def _named(event: Event, by_prefix: Mapping[str, git.Commit]) -> list[git.Commit]:
    """The commits that the event itself tells: in its output, or as the argument of a commit tool."""
    if not _commits(event):
        return []
    names = [*_MADE.findall(event.output), *filter(None, [event.arguments.get("commit")])]
    found = [(name, by_prefix.get(name[:7])) for name in names]
    return [commit for name, commit in found if commit and commit.sha.startswith(name)]


def _matching(event: Event, commits: Sequence[git.Commit]) -> list[git.Commit]:
    """The first commit after the start of the event with a subject that stands in the command."""
    if not _commits(event) or event.time is None:
        return []
    end = event.time + (event.seconds or 0.0) + SLACK
    first = bisect_left(commits, event.time - 1, key=_committed)
    later = (commits[place] for place in range(first, len(commits)))
    close = takewhile(lambda commit: commit.committed <= end, later)
    return [commit for commit in close if commit.subject and commit.subject in event.text][:1]


def _committed(commit: git.Commit) -> float:
    return commit.committed
