"""What rooms of knowledge hand on: something found in the sessions of one project, with where it was seen.

How it is kept is told in `documents`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from meta.knowledge.wording import times
from meta.model import Step, conversation

Kind = Literal["failure", "correction", "convention", "cost"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One event that a finding rests on."""

    session: str
    event: str
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with why, when it applies, and what it was seen in.

    `key` tells it from every other one of its project, however it is worded. `situation` is the same for findings
    that give different advice for the same: a failure that is met in two ways. `title` makes its file's name.
    """

    kind: Kind
    key: str
    title: str
    claim: str
    why: str
    when: str
    seen: tuple[Seen, ...]
    situation: str = ""
    check: str = ""

    @property
    def sessions(self) -> int:
        return len({conversation(one.session) for one in self.seen})


def at(step: Step, session: str) -> Seen:
    return Seen(session, step.event, step.time)


def identity(project: str, key: str) -> str:
    """What a finding is known by in later sessions, and by whoever keeps it."""
    return hashlib.sha256(f"{project}\0{key}".encode(errors="replace")).hexdigest()[:12]


def day(time: float | None) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d") if time is not None else ""


def span(seen: Iterable[Seen]) -> str:
    """How often and when, in words."""
    seen = list(seen)
    sessions = len({conversation(one.session) for one in seen})
    days = sorted(filter(None, (day(one.time) for one in seen)))
    if len(seen) == 1:
        return f"once{f', on {days[0]}' if days else ''}"
    when = "" if not days else f" on {days[0]}" if days[0] == days[-1] else f" between {days[0]} and {days[-1]}"
    return f"{times(len(seen), 'time')} in {times(sessions, 'session')}{when}"
