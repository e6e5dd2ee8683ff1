"""What stands in each agent's own settings so that it calls `meta hook` and may start `meta serve`.

Every row is data; `connect` puts it there and takes it out again. Only files of the project are touched, so that a
person's other projects never hear of it; where a client has a file for this machine alone, that is the one. What a
client installs for all projects is in `plugins`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta import edits
from meta.edits import Entry
from meta.errors import UserError
from meta.keys import Own
from meta.registration import actions
from meta.registration.actions import Action

Settings = tuple[tuple[str, Own], ...]  # file, relative to the workspace, and what is ours in it
SECONDS = 10  # that a client lets the hook run; it needs a fraction of one
USED = "Bash|mcp__meta__.*"  # what both call a shell, and the tools that we serve
CODEX_SECONDS = 3  # more at a session's end Codex cuts to this, and complains of it in each session


@dataclass(frozen=True, slots=True)
class Client:
    """An agent: the events at which it calls our hook and what it wants to know of one, and its own files of a project
    that name hooks and servers. `more` is what else it asks for, `nudged` the tools after which it may be told of ours."""

    name: str
    events: tuple[str, ...]
    about: Mapping[str, Any]
    hooks_file: str
    servers: tuple[str, str]  # the file and the table in it
    more: Settings = ()
    note: str = ""
    nudged: str = ""

    def hooks(self, words: Sequence[str]) -> dict[str, list[Any]]:
        """Our hook at each event. `words` start meta."""
        return {event: [{"hooks": [self._hook(words)]}] for event in self.events}

    def nudge(self, words: Sequence[str]) -> Settings:
        """What stands there too where nudges are wanted."""
        own = Own(("hooks", "PostToolUse"), {"matcher": self.nudged, "hooks": [self._hook(words)]}, item=True)
        return ((self.hooks_file, own),) if self.nudged else ()

    def _hook(self, words: Sequence[str]) -> dict[str, Any]:
        return {"type": "command", "command": shlex.join([*words, "hook"]), **self.about}

    def settings(self, words: Sequence[str]) -> Settings:
        """What is to stand in its settings of a project."""
        file, table = self.servers
        hooks = tuple(
            (self.hooks_file, Own(("hooks", event), group, item=True)) for event, (group,) in self.hooks(words).items()
        )
        return (*hooks, *self.more, (file, Own((table, "meta"), server(words))))


def server(words: Sequence[str]) -> dict[str, Any]:
    """How our MCP server is started."""
    return {"command": words[0], "args": [*words[1:], "serve"]}


CODEX_NOTE = (
    "Codex reads a project's settings only once you trust the project, and runs its hooks only once you trust these "
    "as well: start `codex` here and confirm both."
)
CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client(
            "claude",
            ("SessionStart", "Stop", "SessionEnd"),
            {"timeout": SECONDS},
            ".claude/settings.local.json",
            (".mcp.json", "mcpServers"),
            more=((".claude/settings.local.json", Own(("enabledMcpjsonServers",), "meta", item=True)),),
            nudged=USED,
        ),
        Client(
            "codex",
            ("SessionStart", "Stop", "SessionEnd"),
            {"timeout": CODEX_SECONDS},
            ".codex/hooks.json",
            (".codex/config.toml", "mcp_servers"),
            note=CODEX_NOTE,
            nudged=USED,
        ),
        Client(
            "gemini",
            ("SessionStart", "AfterAgent", "SessionEnd"),
            {"name": "meta", "timeout": SECONDS * 1000},  # milliseconds
            ".gemini/settings.json",
            (".gemini/settings.json", "mcpServers"),
        ),
    )
}


def settings(names: Sequence[str], words: Sequence[str], *, nudge: bool = False) -> Settings:
    """What is to stand in the settings of these agents, with `nudge` our hook behind each call as well.

    Raises `UserError` for an agent that is not known.
    """
    unknown = [name for name in names if name not in CLIENTS]
    if unknown:
        raise UserError(f"there is no agent {unknown[0]!r}. Known are: {', '.join(CLIENTS)}.")
    asked = [CLIENTS[name] for name in dict.fromkeys(names)]
    return tuple(row for each in asked for row in (*each.settings(words), *(each.nudge(words) if nudge else ())))


def connect(workspace: Path, names: Sequence[str], words: Sequence[str], *, nudge: bool = False) -> tuple[str, ...]:
    """The files that had to change so that these agents call us, as one action."""
    wanted = settings(names, words, nudge=nudge)
    if all(edits.holds(workspace / path, own) for path, own in wanted):
        return ()
    changed: list[str] = []
    with actions.doing(workspace, Action("connect", "-".join(dict.fromkeys(names)))) as log:
        for path, own in wanted:
            if log.key(workspace / path, own) and path not in changed:
                changed.append(path)
    return tuple(changed)


def disconnect(workspace: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files from which our settings were taken out, and what was kept because somebody changed it.

    Files and folders that held nothing but ours are gone as well.
    """

    def ours(entry: Entry) -> bool:
        return entry.kind == "key"

    log = actions.journal(workspace)
    files = dict.fromkeys(entry.path for entry in log.entries() if ours(entry))
    kept = edits.undo(log, ours)
    actions.tidy(workspace, files)
    return tuple(str(Path(file).relative_to(workspace)) for file in files), tuple(kept)
