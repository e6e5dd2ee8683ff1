"""How often a workspace's tools were called, read back from the recorded sessions.

What a tool was expected to save stands in its own files; that is `inventory`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meta.model import Event, Nudged, Session, conversation
from meta.registration import functions
from meta.registration.pieces import TOOLS

WEEK = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: when (seconds since the epoch), and whether it failed."""

    time: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of a tool in earnest, those of them that failed, and the weeks in which they fell, at least one.

    `calls` are those whose time is known, in order.
    """

    uses: int = 0
    failures: int = 0
    weeks: float = 1.0
    calls: tuple[Call, ...] = ()


def usage(name: str, sessions: Iterable[Session]) -> Usage:
    """What the sessions show of a tool's calls; a call for help or with `--dry-run` is no use of it."""
    events = [event for session in sessions for event in _calls(name, session)]
    calls = sorted((Call(e.time, e.status == "failed") for e in events if e.time is not None), key=lambda one: one.time)
    weeks = (calls[-1].time - calls[0].time) / WEEK if calls else 0.0
    return Usage(len(events), sum(event.status == "failed" for event in events), max(weeks, 1.0), tuple(calls))


def nudged(name: str, sessions: Iterable[Session], told: Mapping[str, float]) -> Nudged:
    """Of the conversations that were told of the tool, each at a time, those in which it was called in earnest then."""
    found = set()
    for session in sessions:
        since = told.get(conversation(session.id))
        if since is not None and any(event.time is None or event.time >= since for event in _calls(name, session)):
            found.add(conversation(session.id))
    return Nudged(len(told), len(found))


def _calls(name: str, session: Session) -> list[Event]:
    program = re.compile(rf"\b{TOOLS}/{re.escape(name)}/tool\.py(?![\w.])")
    # as clients name what `meta serve` offers; Claude Code has a longer name for what a plugin's does
    served = re.compile(rf"mcp_{{1,2}}(?:plugin_meta_)?meta_{{1,2}}{functions.name_of(name)}")
    return [event for event in session.events if _uses(event, program, served)]


def _uses(event: Event, program: re.Pattern[str], served: re.Pattern[str]) -> bool:
    if event.tool_kind == "mcp" and event.status != "not-run" and served.fullmatch(event.tool):
        return True
    if event.tool_kind != "shell" or event.status == "not-run" or not program.search(event.text):
        return False
    return not {"--dry-run", "--help", "-h"}.intersection(event.text.split())
