"""Gemini CLI: one JSON document a session (to 2025), or an event log of JSON lines (2026).

The log is replayed: a message with a known id replaces it, `$set` replaces fields, `$rewindTo` takes messages back.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meta.model import Event, Session, Status, Usage
from meta.sources.base import Example, Source, rows
from meta.sources.documents import document, keys
from meta.sources.events import distinct, named, turn
from meta.sources.status import shell_status
from meta.sources.tools import tool_kind
from meta.sources.values import arguments, count, iso, listing, mapping, plain, string

Record = dict[str, Any]
# Only the lines that the tool itself wrote, first and last, are looked at: the program may have printed the same.
_LAST = r"(?:^(?:Background PIDs|Process Group PGID): .*\n?)*\s*(?:</untrusted_context>)?\s*\Z"
_EXIT = re.compile(r"^Exit Code: (?:(\d+)|\(none\))\s*?$\n?(?:^Signal: .*\n?)?" + _LAST, re.MULTILINE)
_SIGNAL = re.compile(r"^Signal: (?!\(none\)|0$)\S+\n?" + _LAST, re.MULTILINE)
_STARTED = re.compile(r"\A\s*(?:<untrusted_context>\s*)?(?:Output|Command|Stdout): ")
_DIRECTORY = re.compile(r"\ACommand: .*\nDirectory: (/.*)$", re.MULTILINE)


def places(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    return (Path(environment.get("GEMINI_CLI_HOME") or home) / ".gemini" / "tmp",)


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    (base,) = places(home, environment)
    return [*base.glob("*/chats/**/*.json"), *base.glob("*/chats/**/*.jsonl")]


def sniff(path: Path, head: bytes) -> bool:
    return keys(head) >= {"sessionId", "projectHash"}


def read(path: Path) -> Iterator[Session]:
    """One session a file; the log of a sub-agent lies in a folder named after its parent."""
    skipped: Counter[str] = Counter()
    record = _replay(rows(path, skipped), skipped) if _is_log(path) else document(path, skipped)
    messages = [message for message in listing(record.get("messages")) if isinstance(message, dict)]
    skipped["not a message"] += len(listing(record.get("messages"))) - len(messages)
    cwd = _directory(path, record)
    spawned = record.get("kind") == "subagent"
    session_id = string(record.get("sessionId")) or path.stem
    named_messages = [
        (named(string(message.get("id")), f"{session_id}:m{place}"), message) for place, message in enumerate(messages)
    ]
    yield Session(
        agent="gemini-cli",
        id=session_id,
        events=distinct(
            session_id, (event for name, message in named_messages for event in _message(message, name, cwd))
        ),
        cwd=cwd,
        parent=path.parent.name if spawned and path.parent.name != "chats" else "",
        origin="agent" if spawned else "person",
        skipped=dict(+skipped),
        path=str(path),
    )


def _is_log(path: Path) -> bool:
    """Whether the first line is a whole object; a document is one too, but has its messages in it."""
    with path.open("rb") as file:
        first = file.readline(2**16)
    try:
        return "messages" not in mapping(json.loads(first))
    except (ValueError, RecursionError):
        return b'"messages"' not in first and first.strip() != b"{"


def _replay(log: Iterable[Record], skipped: Counter[str]) -> Record:
    record: Record = {}
    messages: dict[str, Record] = {}
    for row in log:
        if isinstance(row.get("$rewindTo"), str):
            kept = list(messages)
            target = row["$rewindTo"]
            for name in kept[kept.index(target) if target in messages else 0 :]:
                del messages[name]
        elif isinstance(row.get("$set"), dict):
            record |= row["$set"]
            if isinstance(row["$set"].get("messages"), list):
                messages = {string(mapping(m).get("id")) or str(n): m for n, m in enumerate(row["$set"]["messages"])}
        elif isinstance(row.get("id"), str):
            messages[row["id"]] = row
        elif "sessionId" in row:
            record |= row
        else:
            skipped["unknown row"] += 1
    return record | {"messages": list(messages.values())}


def _message(message: Record, message_id: str, cwd: str) -> list[Event]:
    time, text, model = iso(message.get("timestamp")), plain(message.get("content")), string(message.get("model"))
    match message.get("type"):
        case "user":
            return [Event(message_id, "prompt", time, text, cwd=cwd)] if text.strip() else []
        case "gemini":
            note = Event(message_id, "note", time, text, message=message_id, model=model, cwd=cwd)
            calls = [_call(mapping(call), note) for call in listing(message.get("toolCalls"))]
            return turn(note, calls, _usage(mapping(message.get("tokens"))))
        case _:  # what the program told the person
            return [Event(message_id, "note", time, text, cwd=cwd)] if text.strip() else []


def _usage(tokens: Record) -> Usage:
    cached = count(tokens.get("cached"))
    return Usage(
        input=max(count(tokens.get("input")) - cached, 0) + count(tokens.get("tool")),
        output=count(tokens.get("output")) + count(tokens.get("thoughts")),
        cache_read=cached,
    )


def _call(call: Record, note: Event) -> Event:
    name, given = string(call.get("name")), mapping(call.get("args"))
    kind = tool_kind(name)
    command = string(given.get("command")) if kind == "shell" else ""
    output = _output(call)
    exit_code = _exit_code(output) if command else None
    directory = _DIRECTORY.search(output) if command else None
    return Event(
        id=string(call.get("id")),
        kind="call",
        time=iso(call.get("timestamp")) or note.time,
        text=command,
        tool=name,
        tool_kind=kind,
        arguments=arguments(given, {"command"} if command else ()),
        status=_status(call, command, exit_code, output),
        exit_code=exit_code,
        output=output,
        message=note.message,
        model=note.model,
        cwd=directory[1] if directory else string(given.get("dir_path")) or note.cwd,
    )


def _output(call: Record) -> str:
    """What the model was shown: the function response, else what the person was shown."""
    parts = call.get("result")
    for part in parts if isinstance(parts, list) else [parts]:
        response = mapping(mapping(mapping(part).get("functionResponse")).get("response"))
        if response:
            return string(response.get("output")) or string(response.get("error"))
    return plain(parts) or string(call.get("resultDisplay"))


def _exit_code(output: str) -> int | None:
    """The exit code in a result. Newer versions write none where it is 0."""
    found = _EXIT.search(output, max(len(output) - 500, 0))
    if found:
        return int(found[1]) if found[1] else None
    return 0 if _STARTED.search(output) and not _signalled(output) else None


def _signalled(output: str) -> bool:
    return _SIGNAL.search(output, max(len(output) - 500, 0)) is not None


def _status(call: Record, command: str, exit_code: int | None, output: str) -> Status:
    """The recorded status says whether the tool ran, not whether the command succeeded."""
    match call.get("status"):
        case "cancelled":
            return "not-run"
        case "error":
            return "failed"
        case "success" if command:
            return "failed" if exit_code is None and _signalled(output) else shell_status(command, exit_code)
        case "success":
            return "ok"
        case _:  # it waits for leave or for its end
            return "not-run"


def _directory(path: Path, record: Record) -> str:
    """Where it ran: the folder that Gemini noted beside the chats, else the first that the session names."""
    root = next((parent.parent for parent in path.parents if parent.name == "chats"), path.parent) / ".project_root"
    if root.is_file():
        return root.read_text(encoding="utf-8", errors="replace").strip()
    return next((string(directory) for directory in listing(record.get("directories"))), "")


_DOCUMENT = """\
{"sessionId": "g1", "projectHash": "ab12", "startTime": "2026-01-01T10:00:00Z", "messages": [
  {"id": "1", "timestamp": "2026-01-01T10:00:00Z", "type": "user", "content": "lint it"},
  {"id": "2", "timestamp": "2026-01-01T10:00:02Z", "type": "gemini", "content": "", "model": "gemini-3-pro",
   "tokens": {"input": 100, "output": 5, "cached": 40, "thoughts": 2, "tool": 0, "total": 107},
   "toolCalls": [{"id": "run-1", "name": "run_shell_command", "args": {"command": "ruff check ."}, "status": "success",
     "timestamp": "2026-01-01T10:00:03Z", "result": [{"functionResponse": {"id": "run-1", "name": "run_shell_command",
     "response": {"output": "Command: ruff check .\\nDirectory: (root)\\nStdout: E501\\nStderr: (empty)\\nError: (none)\\nExit Code: 1\\nSignal: (none)"}}}]}]}]}
"""
_LOG = """\
{"sessionId":"g2","projectHash":"ab12","startTime":"2026-01-01T10:00:00Z","kind":"main"}
{"id":"1","timestamp":"2026-01-01T10:00:00Z","type":"user","content":[{"text":"list"}]}
{"id":"2","timestamp":"2026-01-01T10:00:01Z","type":"gemini","content":"I look.","model":"gemini-3-pro"}
{"$set":{"lastUpdated":"2026-01-01T10:00:01Z"}}
{"id":"2","timestamp":"2026-01-01T10:00:01Z","type":"gemini","content":"I look.","model":"gemini-3-pro","toolCalls":[{"id":"run-2","name":"run_shell_command","args":{"command":"ls"},"status":"success","timestamp":"2026-01-01T10:00:02Z","result":[{"functionResponse":{"response":{"output":"Output: a.py\\nProcess Group PGID: 7"}}}]}]}
{"id":"3","timestamp":"2026-01-01T10:00:05Z","type":"user","content":[{"text":"no, forget that"}]}
{"$rewindTo":"3"}
"""

source = Source(
    name="gemini-cli",
    find=find,
    sniff=sniff,
    read=read,
    places=places,
    examples=(
        Example(_DOCUMENT, (("prompt", "lint it", "unknown"), ("call", "ruff check .", "failed")), "session-1.json"),
        Example(
            _LOG,
            (("prompt", "list", "unknown"), ("note", "I look.", "unknown"), ("call", "ls", "ok")),
            "session-2.jsonl",
        ),
    ),
)
