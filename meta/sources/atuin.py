"""atuin: the SQLite history of a shell, with exit code, duration, folder and session of every command.

Newer versions record commands of agents too. Those sessions are a machine's: the agent's own transcript has the same
commands.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from meta.model import Event, Session
from meta.sources.base import Example, Source
from meta.sources.events import cut, distinct
from meta.sources.shells import IDLE
from meta.sources.sqlite import columns, has, reading, select
from meta.sources.status import shell_status
from meta.sources.values import integer, number, string

_COLUMNS = ("id", "timestamp", "duration", "exit", "command", "cwd", "session")
_OPTIONAL = ("deleted_at", "author", "author_kind", "shell")
_AGENT = 2  # of author_kind; 1 is a person, and NULL nobody said
_AGENTS = frozenset(
    {"aider", "claude", "claude-code", "codex", "copilot", "cursor", "gemini", "goose", "opencode", "pi"}
)
_SECOND = 10**9  # times are in nanoseconds


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    path = Path(environment.get("ATUIN_DB_PATH") or data / "atuin" / "history.db")
    return [path] if path.is_file() else ()


def sniff(path: Path, head: bytes) -> bool:
    return has(path, head, "history", frozenset(_COLUMNS))


def read(path: Path) -> Iterator[Session]:
    """The sessions of the database: one of atuin's, cut where the shell was idle."""
    damage: Counter[str] = Counter()
    typed: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    with reading(path) as connection:
        present = columns(connection, "history")
        wanted = [*_COLUMNS, *(name if name in present else f"null as {name}" for name in _OPTIONAL)]
        statement = f"select {', '.join(wanted)} from history order by timestamp, id"
        for row in select(connection, damage, statement):
            if row["deleted_at"] is None:
                typed[_owner(row)].append(_event(row))
    for (session, agent), events in typed.items():
        for place, piece in enumerate(cut(events, IDLE)):
            name = f"{session}:{agent}" if agent else session
            session_id = f"{name}.{place}" if place else name
            yield Session(
                agent=agent or "atuin",
                id=session_id,
                events=distinct(session_id, piece),
                cwd=piece[0].cwd,
                origin="machine" if agent else "shell",
                path=str(path),
            )
    if damage:
        yield Session("atuin", path.name, (), origin="shell", skipped=dict(damage), path=str(path))


def _owner(row: sqlite3.Row) -> tuple[str, str]:
    """atuin's session, and the name of the agent where it was not a person who typed."""
    author = string(row["author"])
    by_agent = row["author_kind"] == _AGENT or (row["author_kind"] is None and author.casefold() in _AGENTS)
    return string(row["session"]), (author or "agent") if by_agent else ""


def _event(row: sqlite3.Row) -> Event:
    command, cwd = string(row["command"]), string(row["cwd"])
    time, duration, exit_code = number(row["timestamp"]), number(row["duration"]), integer(row["exit"])
    ended = exit_code if exit_code is not None and exit_code >= 0 else None  # -1: never told
    return Event(
        id=string(row["id"]),
        kind="call",
        time=None if time is None else time / _SECOND,
        text=command,
        tool=string(row["shell"]) or "shell",
        tool_kind="shell",
        status=shell_status(command, ended),
        exit_code=ended,
        seconds=duration / _SECOND if duration is not None and duration >= 0 else None,
        cwd="" if cwd == "unknown" else cwd,
    )


source = Source(
    name="atuin",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            name="history.db",
            raw="CREATE TABLE history (id, timestamp, duration, exit, command, cwd, session, hostname, deleted_at);"
            "INSERT INTO history VALUES ('a', 1767600000000000000, 2000000000, 0, 'make test', '/home/ada', 's', 'h', NULL),"
            " ('b', 1767600005000000000, 1000000000, 2, 'make lint', '/home/ada', 's', 'h', NULL);",
            events=(("call", "make test", "ok"), ("call", "make lint", "failed")),
        ),
    ),
)
