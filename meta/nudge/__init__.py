"""The nudge, for those who want it: an agent that begins by hand what a tool does is told of the tool, once a session.

Tools are neither made nor registered here. The hook loads this and all but `tools`, so it stays with the standard library.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from meta.nudge import rows


def at_start(workspace: Path) -> str:
    """What an agent is told when its session starts: the tools of the project."""
    index = rows.read(workspace)
    return index.listing if index and _wanted(workspace, index) else ""


def at_call(workspace: Path, session: str, turn: str, tool: str, line: str, inside: Callable[[str], bool]) -> str:
    """What an agent is told after a call: of the tool whose second step it has just taken, else nothing.

    `tool` is the agent's own name for what it called, `line` what a shell was given, and `inside` tells whether a
    folder named there is one of the project.
    """
    from meta.nudge import beginning, reading, sessions

    index = rows.read(workspace)
    if index is None:
        return ""
    did = list(reading.commands(line, inside)) if tool == "Bash" else []
    did += [reading.Did("", tool=row.name) for row in index.rows if tool.endswith(f"__{row.served}")]
    found: list[rows.Row] = []

    def changed(begun: beginning.Begun) -> beginning.Begun:
        then, told = beginning.after(begun, turn, did, index.rows)
        if told and not _wanted(workspace, index):
            return begun
        found.extend(filter(None, [told]))
        return then

    if session and did:
        sessions.change(workspace, session, changed)
    for row in found:
        sessions.note(workspace, sessions.Shown(session, row.name, time.time()))
    return found[0].told if found else ""


def _wanted(workspace: Path, index: rows.Index) -> bool:
    """Whether the settings still ask for it: a person may have changed them since the index was written."""
    from meta import config  # reads TOML, which only the few that are told something have to wait for
    from meta.errors import UserError

    try:
        return config.load(workspace, os.environ, Path(index.settings)).nudge
    except UserError:
        return False
