"""GitHub Copilot CLI: an event log, one JSON object a line, in `~/.copilot/session-state`.

Not the chat of VS Code, which keeps its sessions elsewhere and in another form.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meta.model import Event, Session, Status, Usage
from meta.sources.base import Example, Source, rows
from meta.sources.documents import keys
from meta.sources.events import distinct, turn
from meta.sources.status import shell_status
from meta.sources.tools import tool_kind
from meta.sources.values import arguments, between, count, integer, iso, listing, mapping, plain, string

Row = Mapping[str, Any]
_EXIT = re.compile(r"<(?:shellId: \S+ completed|(?:command )?exited) with exit code (\d+)>\s*$")
_CONTROL = frozenset({"read_bash", "write_bash", "stop_bash", "list_bash"})  # of a shell that runs already
_SILENT = frozenset({
    "abort", "assistant.reasoning", "assistant.turn_end", "assistant.turn_start", "hook.end", "hook.start",
    "permission.completed", "permission.requested", "session.compaction_complete", "session.compaction_start",
    "session.error", "session.info", "session.model_change", "session.permissions_changed", "session.resume",
    "session.truncation", "session.warning", "skill.invoked", "subagent.completed", "subagent.started",
    "system.message", "tool.execution_partial_result", "tool.execution_progress", "tool.user_requested",
})  # fmt: skip
_USED = frozenset({
    "assistant.message", "session.shutdown", "session.start", "system.notification", "tool.execution_complete",
    "tool.execution_start", "user.message",
})  # fmt: skip


def places(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    return (home / ".copilot" / "session-state",)


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    (folder,) = places(home, environment)
    return [*folder.glob("*/events.jsonl"), *folder.glob("*.jsonl")]


def sniff(path: Path, head: bytes) -> bool:
    return keys(head) >= {"type", "data", "id", "timestamp", "parentId"}


def read(path: Path) -> Iterator[Session]:
    """One session a file."""
    skipped: Counter[str] = Counter()
    log = [row for row in rows(path, skipped) if _usable(row, skipped)]
    start = mapping(next((row["data"] for row in log if row["type"] == "session.start"), None))
    cwd = string(mapping(start.get("context")).get("cwd"))
    session_id = string(start.get("sessionId")) or path.stem
    yield Session(
        agent="copilot-cli",
        id=session_id,
        events=distinct(session_id, _events(log, cwd, skipped)),
        cwd=cwd,
        skipped=dict(+skipped),
        path=str(path),
    )


def _usable(row: Row, skipped: Counter[str]) -> bool:
    kind = string(row.get("type"))
    if kind in _USED and isinstance(row.get("data"), dict):
        return True
    if kind not in _SILENT:
        skipped["unknown row"] += 1
    return False


def _events(log: list[dict[str, Any]], cwd: str, skipped: Counter[str]) -> Iterator[Event]:
    starts = {string(row["data"].get("toolCallId")): row for row in log if row["type"] == "tool.execution_start"}
    ends = {string(row["data"].get("toolCallId")): row for row in log if row["type"] == "tool.execution_complete"}
    skipped["result without call"] += len(ends.keys() - starts.keys())
    exits = _background_exits(log)
    output = 0
    for row in log:
        data, row_id = row["data"], string(row.get("id"))
        match row["type"]:
            case "user.message":
                yield Event(row_id, "prompt", iso(row.get("timestamp")), plain(data.get("content")), cwd=cwd)
            case "assistant.message":
                message = string(data.get("messageId")) or row_id
                wanted = [string(mapping(request).get("toolCallId")) for request in listing(data.get("toolRequests"))]
                calls = [_call(starts.pop(i), ends.get(i), exits, message, cwd) for i in wanted if i in starts]
                usage = Usage(output=count(data.get("outputTokens")))
                output += usage.output
                yield from turn(_note(row, message, cwd), calls, usage)
            case "tool.execution_start":  # of no message: started by the person
                call_id = string(data.get("toolCallId"))
                if call_id in starts:
                    yield _call(starts.pop(call_id), ends.get(call_id), exits, "", cwd)
            case "session.shutdown":
                yield from turn(_note(row, row_id, cwd), (), _rest(data, output))


def _note(row: Row, message: str, cwd: str) -> Event:
    data = row["data"]
    model = string(data.get("model") or data.get("currentModel"))
    text = plain(data.get("content"))
    return Event(message, "note", iso(row.get("timestamp")), text, message=message, model=model, cwd=cwd)


def _call(start: Row, end: Row | None, exits: Mapping[str, int], message: str, cwd: str) -> Event:
    data, result = start["data"], mapping(end["data"] if end else None)
    name, given = string(data.get("toolName")), mapping(data.get("arguments"))
    kind = "mcp" if data.get("mcpServerName") else "other" if name in _CONTROL else tool_kind(name)
    command = string(given.get("command")) if kind == "shell" else ""
    output = plain(mapping(result.get("result")).get("content")) or string(mapping(result.get("error")).get("message"))
    match = _EXIT.search(output[-200:]) if kind == "shell" else None
    exit_code = int(match[1]) if match else exits.get(string(given.get("description"))) if command else None
    status: Status = "not-run"
    if result.get("success") is True:
        status = shell_status(command, exit_code) if command else "ok"
    elif result and (exit_code is not None or not command):  # a shell that says no exit code was refused
        status = "failed"
    time = iso(start.get("timestamp"))
    return Event(
        id=string(data.get("toolCallId")),
        kind="call",
        time=time,
        text=command,
        tool=name,
        tool_kind=kind,
        arguments=arguments(given, {"command"} if command else ()),
        status=status,
        exit_code=exit_code,
        seconds=between(time, iso(end.get("timestamp")) if end else None),
        output=output,
        message=message,
        model=string(data.get("model")),
        cwd=cwd,
    )


def _background_exits(log: list[dict[str, Any]]) -> dict[str, int]:
    """The exit codes of shells that ended in the background, by the description of their call."""
    kinds = [mapping(row["data"].get("kind")) for row in log if row["type"] == "system.notification"]
    codes = {string(kind.get("description")): integer(kind.get("exitCode")) for kind in kinds}
    return {description: code for description, code in codes.items() if description and code is not None}


def _rest(shutdown: Row, output: int) -> Usage:
    """What the models used beside the output that stands on the messages; it is told once, at the end."""
    usages = [mapping(mapping(model).get("usage")) for model in mapping(shutdown.get("modelMetrics")).values()]
    cached = sum(count(usage.get("cacheReadTokens")) for usage in usages)
    return Usage(
        input=max(sum(count(usage.get("inputTokens")) for usage in usages) - cached, 0),
        output=max(sum(count(usage.get("outputTokens")) for usage in usages) - output, 0),
        cache_read=cached,
        cache_write=sum(count(usage.get("cacheWriteTokens")) for usage in usages),
    )


_EXAMPLE = """\
{"type":"session.start","data":{"sessionId":"s1","context":{"cwd":"/p"}},"id":"e1","timestamp":"2026-01-01T10:00:00Z","parentId":null}
{"type":"user.message","data":{"content":"run the tests"},"id":"e2","timestamp":"2026-01-01T10:00:01Z","parentId":"e1"}
{"type":"hook.start","data":{"hookType":"x"},"id":"e3","timestamp":"2026-01-01T10:00:01Z","parentId":"e2"}
{"type":"assistant.message","data":{"messageId":"m1","content":"","toolRequests":[{"toolCallId":"c1"},{"toolCallId":"c2"}],"outputTokens":7},"id":"e4","timestamp":"2026-01-01T10:00:02Z","parentId":"e2"}
{"type":"tool.execution_start","data":{"toolCallId":"c1","toolName":"bash","arguments":{"command":"pytest -q"}},"id":"e5","timestamp":"2026-01-01T10:00:03Z","parentId":"e4"}
{"type":"tool.execution_start","data":{"toolCallId":"c2","toolName":"view","arguments":{"path":"/p/a.py"}},"id":"e6","timestamp":"2026-01-01T10:00:03Z","parentId":"e4"}
{"type":"tool.execution_complete","data":{"toolCallId":"c2","success":true,"result":{"content":"1. x"}},"id":"e7","timestamp":"2026-01-01T10:00:04Z","parentId":"e4"}
{"type":"tool.execution_complete","data":{"toolCallId":"c1","success":true,"result":{"content":"1 failed\\n<shellId: 0 completed with exit code 1>"}},"id":"e8","timestamp":"2026-01-01T10:00:05Z","parentId":"e4"}
"""

source = Source(
    name="copilot-cli",
    find=find,
    sniff=sniff,
    read=read,
    places=places,
    examples=(
        Example(
            _EXAMPLE,
            (("prompt", "run the tests", "unknown"), ("call", "pytest -q", "failed"), ("call", "", "ok")),
            "events.jsonl",
        ),
    ),
)
