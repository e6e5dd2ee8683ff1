"""What became of the commits of a session: kept, rewritten, reverted, or replaced, with the lines of theirs that still stand.

What git knows is handed in; nothing is asked of a repository here. A line that was moved counts as written anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from meta.git import Commit

State = Literal["kept", "rewritten", "reverted", "replaced", "elsewhere", "unread"]
STATES: tuple[State, ...] = ("kept", "rewritten", "reverted", "replaced", "elsewhere", "unread")
KEPT = 0.5  # of its lines, from which a commit is kept and not rewritten
COMMITS, FILES = 20, 12  # of a session, the latest; more are not looked into, which is told
_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{7,40})\b")
_GENERATED = re.compile(
    r"(?:^|/)(?:node_modules|vendor|third_party|dist|__snapshots__|generated)/|[.-]lock(?:\.(?:json|ya?ml))?$|"
    r"(?:^|/)(?:go\.sum|npm-shrinkwrap\.json)$|\.(?:min\.(?:js|css)|map|snap|svg|pb\.go|ipynb|csv)$|_pb2\.pyi?$|[._]generated\.\w+$"
)


@dataclass(frozen=True, slots=True)
class History:
    """What git tells: the commits of HEAD by name, which commits a revert of HEAD names, and what nothing leads to any more."""

    commits: Mapping[str, Commit]
    reverts: Mapping[str, tuple[str, ...]]
    forsaken: Collection[str]


@dataclass(frozen=True, slots=True)
class Lines:
    """How many lines were added, and how many of them stand. Nothing is known of what was not looked into."""

    added: int = 0
    stand: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one commit; "unread" is in HEAD, and its lines were not looked into. `by` is the commit that reverted or replaced it, "" where there is none."""

    commit: Commit
    event: str
    state: State
    lines: Lines
    by: Commit | None = None


@dataclass(frozen=True, slots=True)
class Survival:
    """The fates of a session's commits; `total` counts those too that were not looked into."""

    fates: tuple[Fate, ...]
    total: int

    @property
    def reverted(self) -> tuple[Fate, ...]:
        return tuple(fate for fate in self.fates if fate.state == "reverted")

    def line(self) -> str:
        """It all in a sentence with numbers."""
        counts = [(sum(fate.state == state for fate in self.fates), state) for state in STATES]
        added, stand = (sum(getattr(fate.lines, what) for fate in self.fates) for what in ("added", "stand"))
        lines = f"; of {added} added lines looked at {stand} still stand" if added else ""
        some = f" (the latest {len(self.fates)} were looked into)" if self.total > len(self.fates) else ""
        noun = "commit" if self.total == 1 else "commits"
        told = ", ".join(f"{count} {_WORDS.get(state, state)}" for count, state in counts if count)
        return f"{self.total} {noun}{some}: {told}{lines}."


_WORDS: Mapping[State, str] = {
    "elsewhere": "on another branch",
    "replaced": "replaced or dropped",
    "unread": "in HEAD with lines not looked at",
}


def named(body: str) -> tuple[str, ...]:
    """The commits that a message says it reverts."""
    return tuple(_REVERTS.findall(body))


def countable(path: str, size: int) -> bool:
    """Whether the lines of a file tell of work: it is not generated, and not too long to be asked about."""
    return not _GENERATED.search(path) and size <= 200_000


def fates(
    made: Sequence[tuple[Commit, str]], history: History, added: Mapping[str, Mapping[str, int]],
    standing: Callable[[str], Mapping[str, int]],
) -> Survival:  # fmt: skip
    """What became of commits, each with the event that made it, oldest first.

    `added` are the lines that a commit added by file, under the name that the file has now; `standing` tells of a file
    how many lines of which commit are in it.
    """
    names = {commit.sha for commit, _ in made}
    looked: set[str] = set()
    found = []
    for commit, event in reversed(made[-COMMITS:]):
        by = None
        state: State = "kept"
        if commit.sha not in history.commits:
            state = "replaced" if commit.sha in history.forsaken else "elsewhere"
            by = _successor(commit, history) if state == "replaced" else None
        stands = by or commit
        undone = _undone(stands.sha, history)
        if undone and stands.sha in history.commits:
            state, by = "reverted", history.commits[undone]
        lines = Lines()
        if stands.sha in history.commits and (stands is commit or stands.sha not in names):
            own = sorted(added.get(stands.sha, {}).items())
            looked.update([path for path, _ in own if path not in looked][: FILES - len(looked)])
            paths = {path: count for path, count in own if path in looked}
            lines = _lines(paths, {stands.sha, *_restored(stands.sha, history)}, standing)
        if state == "kept" and not lines.added and added.get(stands.sha):
            state = "unread"
        if state == "kept" and lines.stand < KEPT * lines.added:
            state = "rewritten"
        found.append(Fate(commit, event, state, lines, by))
    return Survival(tuple(reversed(found)), len(made))


def _successor(commit: Commit, history: History) -> Commit | None:
    """The commit that took the place of one: amend and rebase keep author and time, and mostly the subject."""
    alike = [one for one in history.commits.values() if (one.email, one.time) == (commit.email, commit.time)]
    return next((one for one in alike if one.subject == commit.subject), alike[0] if len(alike) == 1 else None)


def _lines(paths: Mapping[str, int], own: Collection[str], standing: Callable[[str], Mapping[str, int]]) -> Lines:
    stand = 0
    for path, count in paths.items():
        there = standing(path)
        stand += min(count, sum(there.get(sha, 0) for sha in own))
    return Lines(sum(paths.values()), stand)


def _undone(sha: str, history: History, above: tuple[str, ...] = ()) -> str:
    """The commit that reverted this one and was not reverted itself, "" where there is none."""
    if sha in above:  # messages may say anything
        return ""
    return next((one for one in history.reverts.get(sha, ()) if not _undone(one, history, (*above, sha))), "")


def _restored(sha: str, history: History, above: tuple[str, ...] = ()) -> Iterable[str]:
    """The reverts of reverts that put a commit's lines there again."""
    for undo in history.reverts.get(sha, ()):
        for redo in history.reverts.get(undo, ()):
            if redo not in above:
                yield redo
                yield from _restored(redo, history, (*above, redo))
