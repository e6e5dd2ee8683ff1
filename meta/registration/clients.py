"""What stands in each agent's own settings so that it calls `meta hook` and may start `meta serve`.

Every row is data; `connect` puts it there and takes it out again. Only files of the project are touched, so that a
person's other projects never hear of it; where a client has a file for this machine alone, that is the one.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
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
CLAUDE, CODEX = ".claude/settings.local.json", ".codex/hooks.json"
USED = "Bash|mcp__meta__.*"  # what both call a shell, and the tools that we serve
CODEX_SECONDS = 3  # more at a session's end Codex cuts to this, and complains of it in each session


@dataclass(frozen=True, slots=True)
class Client:
    """An agent. `settings` are made of the words that start meta on this machine; `nudge` are those for the nudge."""

    name: str
    settings: Callable[[Sequence[str]], Settings]
    note: str = ""
    nudge: Callable[[Sequence[str]], Settings] = lambda words: ()


def _hooks(file: str, events: Sequence[str], hook: Mapping[str, Any], **matching: str) -> Settings:
    return tuple((file, Own(("hooks", event), {**matching, "hooks": [dict(hook)]}, item=True)) for event in events)


def _server(words: Sequence[str]) -> dict[str, Any]:
    return {"command": words[0], "args": [*words[1:], "serve"]}


def _called(words: Sequence[str]) -> str:
    return shlex.join([*words, "hook"])


def _hook(words: Sequence[str], seconds: int) -> dict[str, Any]:
    return {"type": "command", "command": _called(words), "timeout": seconds}


def _claude(words: Sequence[str]) -> Settings:
    return (
        *_hooks(CLAUDE, ("SessionStart", "Stop", "SessionEnd"), _hook(words, SECONDS)),
        (CLAUDE, Own(("enabledMcpjsonServers",), "meta", item=True)),
        (".mcp.json", Own(("mcpServers", "meta"), _server(words))),
    )


def _codex(words: Sequence[str]) -> Settings:
    return (
        *_hooks(CODEX, ("SessionStart", "Stop", "SessionEnd"), _hook(words, CODEX_SECONDS)),
        (".codex/config.toml", Own(("mcp_servers", "meta"), _server(words))),
    )


def _gemini(words: Sequence[str]) -> Settings:
    file = ".gemini/settings.json"
    hook = {"name": "meta", "type": "command", "command": _called(words), "timeout": SECONDS * 1000}  # milliseconds
    return (
        *_hooks(file, ("SessionStart", "AfterAgent", "SessionEnd"), hook),
        (file, Own(("mcpServers", "meta"), _server(words))),
    )


def _claude_nudge(words: Sequence[str]) -> Settings:
    return _hooks(CLAUDE, ("PostToolUse",), _hook(words, SECONDS), matcher=USED)


def _codex_nudge(words: Sequence[str]) -> Settings:
    return _hooks(CODEX, ("PostToolUse",), _hook(words, CODEX_SECONDS), matcher=USED)


CODEX_NOTE = (
    "Codex reads a project's settings only once you trust the project, and runs its hooks only once you trust these "
    "as well: start `codex` here and confirm both."
)
CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client("claude", _claude, nudge=_claude_nudge),
        Client("codex", _codex, CODEX_NOTE, _codex_nudge),
        Client("gemini", _gemini),
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
