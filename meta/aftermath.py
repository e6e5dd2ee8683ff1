"""What became of the commits of sessions: git is asked about a workspace once, for all of them.

What makes a commit kept, rewritten or reverted is decided in `knowledge.survival`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from meta import git
from meta.git import Commit
from meta.knowledge import survival
from meta.knowledge.survival import History, Survival
from meta.model import Session
from meta.sources import git_history

SLACK = 86_400.0  # seconds by which clocks may differ
_TOLD = re.compile(r"^[ \t]*\[[^\]\n]*?([0-9a-f]{7,40})\] (.*)$", re.MULTILINE)
Key = tuple[str, str]


def outcomes(workspace: Path, sessions: Sequence[Session]) -> dict[Key, Survival]:
    """By agent and id of each session that committed here, what became of that; nothing where there is no repository."""
    told = [session for session in sessions if session.origin != "git" and _commits(session)]
    times = [session.started for session in told if session.started is not None]
    if not times or not git.is_repository(workspace):
        return {}
    since = min(times) - SLACK
    messages = list(git.messages(workspace, since))
    there = {commit.sha: commit for commit, _ in messages}
    made = _made(workspace, told, there)
    if not made:
        return {}
    own = {commit.sha for commits in made.values() for commit, _ in commits}
    history = History(there, _reverts(messages, own), git.forsaken(workspace, sorted(own - set(there))))
    sizes = git.sizes(workspace)
    stands = {*own, *_successors(own, made, there)} & set(there)
    lines = git.added(workspace, sorted(stands))
    gone = any(path not in sizes for paths in lines.values() for path in paths)
    now = _named_now(workspace, since, sizes, gone)
    added = {
        sha: {now(path): count for path, count in paths.items() if survival.countable(path, sizes.get(now(path), 0))}
        for sha, paths in lines.items()
    }
    standing = cache(lambda path: git.standing(workspace, path, since) if path in sizes else {})
    return {key: survival.fates(commits, history, added, standing) for key, commits in made.items()}


def _commits(session: Session) -> bool:
    return any("commit" in event.text or event.tool_kind == "commit" for event in session.events)


def _made(
    workspace: Path, sessions: Sequence[Session], there: Mapping[str, Commit]
) -> dict[Key, list[tuple[Commit, str]]]:
    """The commits of each session, oldest first: those that its output names by name and subject, and those of HEAD that it must have made."""
    named = {
        (name, subject.strip())
        for session in sessions
        for event in session.events
        if event.kind == "call"
        for name, subject in _TOLD.findall(event.output)
    }
    known = git.found(workspace, (name for name, _ in named))
    seen = {known[name].sha: known[name] for name, subject in named if name in known and known[name].subject == subject}
    commits = {**seen, **there}
    made: defaultdict[Key, list[tuple[Commit, str]]] = defaultdict(list)
    for one in git_history.commits_of(sessions, commits.values()):
        made[one.agent, one.session].append((commits[one.commit], one.event))
    return {key: sorted(own, key=lambda one: one[0].committed) for key, own in made.items()}


def _reverts(messages: Sequence[tuple[Commit, str]], own: set[str]) -> dict[str, tuple[str, ...]]:
    """By commit the reverts of HEAD that name it."""
    shas = {*own, *(commit.sha for commit, _ in messages)}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for commit, body in messages:
        for name in survival.named(body):
            whole = name if name in shas else next((sha for sha in shas if sha.startswith(name)), "")
            if whole:
                found[whole].append(commit.sha)
    return {sha: tuple(reverts) for sha, reverts in found.items()}


def _successors(
    own: set[str], made: Mapping[Key, Sequence[tuple[Commit, str]]], there: Mapping[str, Commit]
) -> set[str]:
    """The commits of HEAD that keep author and time of one that is not there any more."""
    gone = {(one.email, one.time) for commits in made.values() for one, _ in commits if one.sha not in there}
    return {commit.sha for commit in there.values() if (commit.email, commit.time) in gone}


def _named_now(workspace: Path, since: float, there: Collection[str], gone: bool) -> Callable[[str], str]:
    """By what name a file is known in HEAD: a name that is not there any more is followed through the renames."""
    later = dict(git.renames(workspace, since)) if gone else {}

    def now(path: str) -> str:
        passed = {path}
        while path not in there and path in later and later[path] not in passed:
            path = later[path]
            passed.add(path)
        return path

    return now
