"""How documents of knowledge have been changed, and what that advises for the next change: the same gap, filled often, is a habit.

It looks at texts before and after; where they come from is the caller's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meta.knowledge import guides
from meta.knowledge.guides import Guide

LEAST = 3  # changes of one kind, below which they say nothing
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Change:
    """A document before and after a commit."""

    commit: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of change: whether one is of it, what happened in words, and what to do the next time."""

    name: str
    of: Callable[[Guide, Guide], bool]
    happened: str
    advice: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to see to in the next change, with the changes that say so, of `total`."""

    name: str
    text: str
    total: int
    evidence: tuple[tuple[str, str], ...]  # (commit, path)


def _renumbered(before: Guide, after: Guide) -> bool:
    """Whether a sentence was kept but for its numbers."""
    old, new = _sentences(before), _sentences(after)
    gone = {_NUMBER.sub("N", one) for one in old - new if _NUMBER.search(one)}
    return bool(gone & {_NUMBER.sub("N", one) for one in new - old})


def _sentences(guide: Guide) -> set[str]:
    evidence = (one.text for one in (*guide.evidence, *guide.counter))
    return {guide.title, *(claim.text for claim in guide.claims), *evidence, *guide.prose.splitlines()}


PATTERNS = (
    Pattern("missing scope", lambda a, b: not a.scope and bool(b.scope), "a scope was added later",
            "say its scope at once"),
    Pattern("no counter-example", lambda a, b: not a.counter and bool(b.counter), "a counter-example was added later",
            "look for where it does not hold before it is written"),
    Pattern("stale number", _renumbered, "a number was replaced", "give a number with its date and its source, or leave it out"),
    Pattern("narrow trigger", lambda a, b: bool(a.when) and len(b.when) > len(a.when), "`when` was widened later",
            "name the situation in the words of the one who will be in it"),
    Pattern("no check", lambda a, b: a.check is None and b.check is not None, "a check was added later", "give it its check at once"),
    Pattern("no evidence", lambda a, b: not a.evidence and bool(b.evidence), "evidence was added later", "write no claim without its evidence"),
)  # fmt: skip


def kinds(change: Change) -> list[Pattern]:
    """What kinds of change a change is of; none for a document that cannot be read."""
    try:
        before, after = guides.parse(change.before, change.path), guides.parse(change.after, change.path)
    except guides.GuideError:
        return []
    return [pattern for pattern in PATTERNS if pattern.of(before, after)]


def advice(changes: Iterable[Change]) -> list[Advice]:
    """What the changes so far advise, the most frequent first; nothing on fewer than three of a kind."""
    changes = list(changes)
    seen: dict[str, list[tuple[str, str]]] = {pattern.name: [] for pattern in PATTERNS}
    for change in changes:
        for pattern in kinds(change):
            seen[pattern.name].append((change.commit, change.path))
    found = [
        Advice(
            pattern.name, f"In {len(where)} of {len(changes)} changes {pattern.happened}: {pattern.advice}.", len(changes), tuple(where)
        )
        for pattern in PATTERNS
        if len(where := seen[pattern.name]) >= LEAST
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-len(one.evidence), one.name))
