"""OpenCode: an exported JSON document, the JSON tree of older versions, or the SQLite database of newer ones.

All three hold the same records: a session's info, its messages, and the parts of each message.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meta.model import Event, Session, Status, Usage
from meta.sources.base import Example, Source
from meta.sources.documents import document, keys
from meta.sources.events import distinct, named, turn
from meta.sources.sqlite import MAGIC, has, reading, select
from meta.sources.status import shell_status
from meta.sources.tools import tool_kind
from meta.sources.values import arguments, between, count, integer, listing, mapping, milliseconds, string

Record = dict[str, Any]


def places(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    return (Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "opencode",)


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    (data,) = places(home, environment)
    database = Path(environment.get("OPENCODE_DB") or "opencode.db")
    databases = [path for path in [data / database] if path.is_file()]
    return [*databases, *(data / "storage" / "session").glob("*/ses_*.json")]


def sniff(path: Path, head: bytes) -> bool:
    if head.startswith(MAGIC):
        return has(path, head, "part", frozenset({"id", "message_id", "session_id", "data"}))
    names = keys(head)
    if "info" in names:
        return names >= {"info.id", "info.time"} and not names & {"info.config", "info.model_stats"}
    return names >= {"id", "projectID", "directory", "time"}


def read(path: Path) -> Iterator[Session]:
    """The sessions of a file: one of a document or of the tree, all of a database."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            yield from _database(path)
            return
    skipped: Counter[str] = Counter()
    record = document(path, skipped)
    if "info" in record or not record:
        yield _session(path, mapping(record.get("info")), _exported(record, skipped), skipped)
    else:
        yield _session(path, record, _tree(path, string(record.get("id")), skipped), skipped)


Message = tuple[Record, list[Record]]  # info, parts


def _exported(record: Record, skipped: Counter[str]) -> list[Message]:
    messages = [message for message in listing(record.get("messages")) if isinstance(message, dict)]
    skipped["not a message"] += len(listing(record.get("messages"))) - len(messages)
    return [(mapping(m.get("info")), [mapping(part) for part in listing(m.get("parts"))]) for m in messages]


def _tree(path: Path, session_id: str, skipped: Counter[str]) -> list[Message]:
    """The messages of `storage/message/<session>/` with the parts of `storage/part/<message>/`."""
    storage = path.parents[2] if len(path.parents) > 2 else path.parent
    folder = storage / "message" / session_id
    messages = [document(file, skipped) for file in sorted(folder.glob("*.json"))] if session_id else []
    messages.sort(key=lambda info: milliseconds(mapping(info.get("time")).get("created")) or 0.0)
    return [
        (info, [document(part, skipped) for part in sorted((storage / "part" / string(info.get("id"))).glob("*.json"))])
        for info in messages
        if string(info.get("id"))
    ]


def _database(path: Path) -> Iterator[Session]:
    damage: Counter[str] = Counter()
    with reading(path) as connection:
        for row in list(select(connection, damage, "select id, parent_id, directory from session order by id")):
            skipped: Counter[str] = Counter()
            info = {"id": row["id"], "parentID": row["parent_id"], "directory": row["directory"]}
            yield _session(path, info, _stored(connection, string(row["id"]), skipped), skipped)
    if damage:
        yield Session("opencode", path.name, (), skipped=dict(damage), path=str(path))


def _stored(connection: sqlite3.Connection, session_id: str, skipped: Counter[str]) -> list[Message]:
    parts: dict[str, list[Record]] = {}
    statement = "select id, message_id, data from part where session_id = ? order by id"
    for row in select(connection, skipped, statement, session_id):
        parts.setdefault(row["message_id"], []).append(_data(row, skipped))
    statement = "select id, data from message where session_id = ? order by time_created, id"
    rows = select(connection, skipped, statement, session_id)
    return [(_data(row, skipped), parts.get(row["id"], [])) for row in rows]


def _data(row: sqlite3.Row, skipped: Counter[str]) -> Record:
    try:
        data = json.loads(row["data"])
    except (ValueError, TypeError, RecursionError):
        skipped["not JSON"] += 1
        data = {}
    return mapping(data) | {"id": row["id"]}


def _session(path: Path, info: Record, messages: list[Message], skipped: Counter[str]) -> Session:
    cwd = string(info.get("directory"))
    session_id = named(string(info.get("id")), path.stem)
    events: list[Event] = []
    for place, message in enumerate(messages):
        name = named(string(message[0].get("id")), f"{session_id}:m{place}")
        events += _message(message, name, cwd, skipped)
    return Session(
        agent="opencode",
        id=session_id,
        events=distinct(session_id, events),
        cwd=cwd,
        parent=string(info.get("parentID")),
        origin="agent" if string(info.get("parentID")) else "person",
        skipped=dict(+skipped),
        path=str(path),
    )


def _message(message: Message, message_id: str, session_cwd: str, skipped: Counter[str]) -> list[Event]:
    info, parts = message
    time = milliseconds(mapping(info.get("time")).get("created"))
    texts = [string(p.get("text")) for p in parts if p.get("type") == "text" and not p.get("synthetic")]
    text = "\n".join(text for text in texts if text)
    cwd = string(mapping(info.get("path")).get("cwd")) or session_cwd
    if info.get("role") == "user":
        return [Event(message_id, "prompt", time, text, cwd=cwd)] if text.strip() else []
    if info.get("role") != "assistant":
        skipped["unknown message"] += 1
        return []
    note = Event(message_id, "note", time, text, message=message_id, model=string(info.get("modelID")), cwd=cwd)
    calls = [_call(part, note) for part in parts if part.get("type") == "tool"]
    return turn(note, calls, _usage(mapping(info.get("tokens"))))


def _usage(tokens: Record) -> Usage:
    cache = mapping(tokens.get("cache"))
    return Usage(
        count(tokens.get("input")), count(tokens.get("output")), count(cache.get("read")), count(cache.get("write"))
    )


def _call(part: Record, note: Event) -> Event:
    state = mapping(part.get("state"))
    name, given = string(part.get("tool")), mapping(state.get("input"))
    kind = tool_kind(name)
    command = string(given.get("command")) if kind == "shell" else ""
    exit_code = integer(mapping(state.get("metadata")).get("exit")) if command else None
    times = mapping(state.get("time"))
    start = milliseconds(times.get("start"))
    return Event(
        id=named(string(part.get("callID")), string(part.get("id"))),
        kind="call",
        time=start if start is not None else note.time,
        text=command,
        tool=name,
        tool_kind=kind,
        arguments=arguments(given, {"command"} if command else ()),
        status=_status(state, command, exit_code),
        exit_code=exit_code,
        seconds=between(start, milliseconds(times.get("end"))),
        output=string(state.get("output")) or string(state.get("error")),
        message=note.message,
        model=note.model,
        cwd=string(given.get("workdir")) or note.cwd,
    )


def _status(state: Record, command: str, exit_code: int | None) -> Status:
    match state.get("status"):
        case "completed":
            return shell_status(command, exit_code) if command else "ok"
        case "error":  # a shell command that failed is "completed"; this one was refused or taken back
            return "not-run" if command else "failed"
        case _:  # it waits for leave or for its end
            return "not-run"


_EXPORT = """\
{"info": {"id": "ses_1", "directory": "/p", "time": {"created": 1767261600000}}, "messages": [
  {"info": {"role": "user", "id": "msg_1", "time": {"created": 1767261600000}}, "parts": [{"type": "text", "text": "check"}]},
  {"info": {"role": "assistant", "id": "msg_2", "time": {"created": 1767261601000}, "modelID": "m",
    "tokens": {"input": 10, "output": 2, "cache": {"read": 3, "write": 0}}},
   "parts": [{"type": "tool", "callID": "c1", "tool": "bash", "state": {"status": "completed", "output": "no",
     "input": {"command": "npm test"}, "metadata": {"exit": 2}, "time": {"start": 1767261602000, "end": 1767261604000}}},
     {"type": "tool", "callID": "c2", "tool": "bash", "state": {"status": "error", "error": "refused",
     "input": {"command": "rm -r x"}, "time": {"start": 1767261602000, "end": 1767261604000}}}]}]}
"""

source = Source(
    name="opencode",
    find=find,
    sniff=sniff,
    read=read,
    places=places,
    examples=(
        Example(
            _EXPORT,
            (("prompt", "check", "unknown"), ("call", "npm test", "failed"), ("call", "rm -r x", "not-run")),
            "export.json",
        ),
    ),
)
