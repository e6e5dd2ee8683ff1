"""How often a workspace's tools were called, read back from the recorded sessions.

What a tool was expected to save stands in its own files; that is `inventory`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from meta.model import Event, Session
from meta.registration import functions, lifecycle

_WEEK = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of a tool in earnest, those of them that failed, and the weeks in which they fell, at least one."""

    uses: int = 0
    failures: int = 0
    weeks: float = 1.0


def usage(name: str, sessions: Iterable[Session]) -> Usage:
    """What the sessions show of a tool's calls; a call for help or with `--dry-run` is no use of it."""
    program = re.compile(rf"\b{lifecycle.TOOLS}/{re.escape(name)}/tool\.py(?![\w.])")
    # as clients name what `meta serve` offers; Claude Code has a longer name for what a plugin's does
    served = re.compile(rf"mcp_{{1,2}}(?:plugin_meta_)?meta_{{1,2}}{functions.name_of(name)}")
    calls = [event for session in sessions for event in session.events if _uses(event, program, served)]
    times = [event.time for event in calls if event.time is not None]
    weeks = (max(times) - min(times)) / _WEEK if times else 0.0
    return Usage(len(calls), sum(event.status == "failed" for event in calls), max(weeks, 1.0))


def _uses(event: Event, program: re.Pattern[str], served: re.Pattern[str]) -> bool:
    if event.tool_kind == "mcp" and event.status != "not-run" and served.fullmatch(event.tool):
        return True
    if event.tool_kind != "shell" or event.status == "not-run" or not program.search(event.text):
        return False
    return not {"--dry-run", "--help", "-h"}.intersection(event.text.split())
