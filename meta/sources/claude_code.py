"""Claude Code: one JSON object a line, one file a session; sub-agents inside it or in files of their own.

Events stand in the order of time, so the tree of rewinds, parallel calls and compactions need not be walked.
Not here: `history.jsonl`, which holds typed prompts only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meta.model import Event, EventKind, Origin, Session, Status, ToolKind, Usage
from meta.sources.base import (
    Example,
    Source,
    as_text,
    in_order,
    items,
    number,
    record,
    rows,
    string,
    timestamp,
)  # fmt: skip

AGENT = "claude-code"
_SHELLS = frozenset({"Bash", "PowerShell"})
_KINDS: Mapping[str, ToolKind] = {
    "Bash": "shell", "PowerShell": "shell",
    "Edit": "edit", "MultiEdit": "edit", "NotebookEdit": "edit", "Write": "write",
    "Read": "read", "NotebookRead": "read", "Grep": "search", "Glob": "search", "LS": "search", "ToolSearch": "search",
    "WebFetch": "web", "WebSearch": "web", "Task": "agent", "Agent": "agent", "SendMessage": "agent",
    "TodoWrite": "plan", "TodoRead": "plan", "TaskCreate": "plan", "TaskUpdate": "plan", "TaskList": "plan",
    "TaskGet": "plan", "EnterPlanMode": "plan", "ExitPlanMode": "plan",
}  # fmt: skip

# Most bytes of a file stand in rows that say nothing about the work; they are not even parsed.
_MARKS = (b'"type":"user"', b'"type":"assistant"', b'"type":"queued_command"',
          b'"type": "user"', b'"type": "assistant"', b'"type": "queued_command"')  # fmt: skip
_NOISE_TYPES = frozenset({
    "progress", "system", "attachment", "file-history-snapshot", "summary", "queue-operation", "last-prompt", "mode",
    "custom-title", "ai-title", "agent-name", "pr-link", "frame-link", "permission-mode", "tag",
})  # fmt: skip
_NOISE = re.compile(rb'"type":\s*"(?:%s)"' % "|".join(sorted(_NOISE_TYPES)).encode())

_TREE = re.compile(rb'"(?:parentUuid|leafUuid|isSnapshotUpdate)":')
_EXIT = re.compile(r"(?:Error: )?Exit code (-?\d+)")
_INTERRUPTED = re.compile(r"\[Request interrupted|.*timed out|.*was interrupted", re.IGNORECASE)
_NOT_RUN = re.compile(
    r"(?:<tool_use_error>)?(?:Error: )?(?:Sibling tool call errored|Cancelled|InputValidationError|Unknown skill"
    r"|No such tool|Permission to use|Claude requested permissions|The user doesn't want|.* is temporarily unavailable)"
)
_WRAPPING = re.compile(r"\s*<(system-reminder|ide_[a-z_]+)>.*?</\1>\s*", re.DOTALL)
_SLASH = re.compile(
    r"<command-message>.{,500}?<command-name>(.{,500}?)</command-name>(?:\s*<command-args>(.*?)</command-args>)?",
    re.DOTALL,
)
_DRIVEN = re.compile(r"sdk|mcp$|claude-code-github-action")  # entry points that programs use
_LOST_IDS = frozenset({"", "REDACTED"})  # what is left of an id where a transcript was redacted by entropy


def places(home: Path, environ: Mapping[str, str]) -> Iterable[Path]:
    return (Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude") / "projects",)


def find(home: Path, environ: Mapping[str, str]) -> Iterable[Path]:
    return sorted(path for place in places(home, environ) for path in place.rglob("*.jsonl"))


def sniff(path: Path, head: bytes) -> bool:
    return head.lstrip().startswith(b"{") and bool(_TREE.search(head))


def read(path: Path) -> Iterator[Session]:
    skipped: Counter[str] = Counter()
    threads: dict[str, _Thread] = {}
    roots: dict[str, str] = {}  # of a side chain that does not name its agent: uuid -> uuid it began with
    for row in rows(path, skipped, _needed):
        kind = string(row.get("type"))
        if kind == "progress":
            row = _nested(row)
            kind = string(row.get("type"))
        if kind not in ("user", "assistant", "attachment"):
            if kind not in _NOISE_TYPES and row:
                skipped["unknown row"] += 1
            continue
        thread = _thread(row, path, roots, threads)
        thread.cwd = thread.cwd or string(row.get("cwd"))
        thread.take_origin(row)
        if kind == "assistant":
            thread.take_assistant(row)
        elif kind == "user":
            thread.take_user(row)
        else:
            thread.take_queued(row)
    for thread in threads.values():
        if thread.events:
            yield thread.session(skipped)
            skipped = Counter()


def _needed(line: bytes) -> bool:
    return any(mark in line for mark in _MARKS) or not _NOISE.search(line)


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """The message of a sub-agent that a progress row carries, with the place of the row; nothing for other progress."""
    data = record(row.get("data"))
    message = record(data.get("message"))
    if not message or not string(data.get("agentId")):
        return {}
    return {**row, "agentId": data["agentId"], **message}


def _thread(row: dict[str, Any], path: Path, roots: dict[str, str], threads: dict[str, _Thread]) -> _Thread:
    session = string(row.get("sessionId")) or path.stem
    agent = string(row.get("agentId"))
    if not agent and row.get("isSidechain") is True:
        uuid = string(row.get("uuid"))
        agent = roots[uuid] = roots.get(string(row.get("parentUuid")), uuid)
    name = f"{session}/{agent}" if agent else session
    return threads.setdefault(name, _Thread(name, session if agent else ""))


@dataclass(slots=True)
class _Thread:
    """One conversation while its file is read."""

    id: str
    parent: str
    cwd: str = ""
    machine: bool = False
    person: bool = False
    policy: bool = False
    events: list[Event] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)  # id of a call or of its row -> place of its event
    messages: dict[str, int] = field(default_factory=dict)  # id of a model message -> place of its first event
    usages: dict[str, Usage] = field(default_factory=dict)

    def take_origin(self, row: dict[str, Any]) -> None:
        self.machine |= bool(_DRIVEN.match(string(row.get("entrypoint"))))
        self.person |= record(row.get("origin")).get("kind") == "human"
        self.policy |= record(row.get("origin")).get("kind") == "policy"

    def take_assistant(self, row: dict[str, Any]) -> None:
        message = record(row.get("message"))
        if row.get("isApiErrorMessage"):
            return
        uuid = string(row.get("uuid"))
        name = _first_id(message.get("id"), row.get("requestId"), uuid)
        usage = _usage(record(message.get("usage")))
        if usage.output >= self.usages.get(name, usage).output:  # the rows of one message repeat a growing count
            self.usages[name] = usage
        template = Event("", "note", timestamp(row.get("timestamp")), message=name,
                         model=string(message.get("model")), cwd=string(row.get("cwd")))  # fmt: skip
        for place, block in enumerate(_blocks(message.get("content"))):
            fallback = f"{uuid}#{place}" if place else uuid
            if block.get("type") == "text" and string(block.get("text")).strip():
                self._add(replace(template, id=fallback, text=block["text"].strip()))
            elif block.get("type") == "tool_use":
                self._add(_call(block, replace(template, id=_first_id(block.get("id"), fallback), kind="call")))
                self.calls[uuid] = len(self.events) - 1

    def take_user(self, row: dict[str, Any]) -> None:
        content = record(row.get("message")).get("content")
        texts = []
        for block in _blocks(content):
            if block.get("type") == "tool_result":
                self._finish(row, block)
            elif block.get("type") == "text":
                texts.append(_unwrapped(string(block.get("text"))))
        if texts and not row.get("isMeta") and not row.get("isCompactSummary"):
            self._say(row, "\n".join(texts))

    def take_queued(self, row: dict[str, Any]) -> None:
        """What was typed while the agent was working."""
        attachment = record(row.get("attachment"))
        if attachment.get("type") == "queued_command":
            texts = [_unwrapped(string(block.get("text"))) for block in _blocks(attachment.get("prompt"))]
            self._say(row, "\n".join(texts))

    def session(self, skipped: Counter[str]) -> Session:
        for name, place in self.messages.items():
            self.events[place] = replace(self.events[place], usage=self.usages[name])
        driven = self.machine and not self.person
        origin: Origin = "policy" if self.policy else "machine" if driven else "agent" if self.parent else "person"
        return Session(AGENT, self.id, in_order(self.events), cwd=self.cwd, parent=self.parent, origin=origin,
                       skipped=dict(skipped))  # fmt: skip

    def _add(self, event: Event) -> None:
        if event.kind == "call":
            self.calls[event.id] = len(self.events)
        self.messages.setdefault(event.message, len(self.events))
        self.events.append(event)

    def _say(self, row: dict[str, Any], text: str) -> None:
        text = text.strip()
        if slash := _SLASH.match(text):
            text = f"{slash[1]} {slash[2] or ''}".strip()
        if text and not text.startswith("<"):  # other markup is written by the client
            kind: EventKind = "note" if text.startswith("[Request interrupted") else "prompt"
            self.events.append(
                Event(string(row.get("uuid")), kind, timestamp(row.get("timestamp")), text, cwd=string(row.get("cwd")))
            )

    def _finish(self, row: dict[str, Any], block: dict[str, Any]) -> None:
        name = string(block.get("tool_use_id"))
        place = self.calls.get(string(row.get("sourceToolAssistantUUID")) if name in _LOST_IDS else name)
        if place is None:
            return  # the call stands in another file
        event = self.events[place]
        output = "\n".join(string(part.get("text")) for part in _blocks(block.get("content")) if "text" in part)
        status, code = _outcome(event, output, bool(block.get("is_error")), row)
        end = timestamp(row.get("timestamp"))
        seconds = None if end is None or event.time is None else max(0.0, end - event.time)
        self.events[place] = replace(event, status=status, exit_code=code, seconds=seconds, output=output)


def _blocks(content: object) -> list[dict[str, Any]]:
    """The blocks of a message; plain text is one block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [record(block) for block in items(content)]


def _unwrapped(text: str) -> str:
    """`text` without what the client put before it."""
    while wrapping := _WRAPPING.match(text):
        text = text[wrapping.end() :]
    return text


def _first_id(*candidates: object) -> str:
    return next((name for name in map(string, candidates) if name not in _LOST_IDS), "")


def _call(block: dict[str, Any], event: Event) -> Event:
    tool = string(block.get("name"))
    arguments = {name: as_text(value) for name, value in record(block.get("input")).items()}
    text = arguments.pop("command", "") if tool in _SHELLS else ""
    kind = _KINDS.get(tool, "mcp" if tool.startswith("mcp__") else "other")
    # until its result is read
    return replace(event, text=text, tool=tool, tool_kind=kind, arguments=arguments, status="not-run")


def _usage(usage: dict[str, Any]) -> Usage:
    return Usage(
        input=number(usage.get("input_tokens")),
        output=number(usage.get("output_tokens")),
        cache_read=number(usage.get("cache_read_input_tokens")),
        cache_write=number(usage.get("cache_creation_input_tokens")),
    )


def _outcome(call: Event, output: str, error: bool, row: dict[str, Any]) -> tuple[Status, int | None]:
    """How a call ended. A shell call that failed says so in its first line; any other error of it did not run."""
    shell = call.tool_kind == "shell"
    result = record(row.get("toolUseResult"))
    if not error:
        if not shell:
            return "ok", None
        if result.get("backgroundTaskId") or result.get("interrupted") is True:
            return "unknown", None
        return "ok", 1 if result.get("returnCodeInterpretation") else 0  # "No matches found" and the like
    if shell and (code := _EXIT.match(output)):
        return "failed", int(code[1])
    if _INTERRUPTED.match(output):
        return "failed" if "timed out" in output else "unknown", None
    if shell or row.get("toolDenialKind") or _NOT_RUN.match(output):
        return "not-run", None
    return "failed", None


_RAW = r"""
{"type":"file-history-snapshot","messageId":"u1","snapshot":{},"isSnapshotUpdate":false}
{"parentUuid":null,"isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","type":"user","message":{"role":"user","content":"run the tests"},"uuid":"u1","timestamp":"2026-01-05T10:00:00Z"}
{"parentUuid":"u1","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","message":{"model":"m","id":"msg_1","role":"assistant","content":[{"type":"text","text":"Now the tests."}],"usage":{"input_tokens":3,"output_tokens":2}},"type":"assistant","uuid":"a1","timestamp":"2026-01-05T10:00:02Z"}
{"parentUuid":"a1","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","message":{"model":"m","id":"msg_1","role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"make test","description":"Run"}}],"usage":{"input_tokens":3,"output_tokens":40}},"type":"assistant","uuid":"a2","timestamp":"2026-01-05T10:00:03Z"}
{"parentUuid":"a2","isSidechain":false,"sessionId":"s1","type":"progress","data":{"type":"bash_progress","output":"..."},"uuid":"p1","timestamp":"2026-01-05T10:00:04Z"}
{"parentUuid":"a2","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"Exit code 2\nno rule","is_error":true}]},"uuid":"u2","timestamp":"2026-01-05T10:00:05Z","toolUseResult":"Error: Exit code 2\nno rule"}
{"parentUuid":"u2","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","message":{"model":"m","id":"msg_2","role":"assistant","content":[{"type":"tool_use","id":"toolu_2","name":"Bash","input":{"command":"make lint"}}],"usage":{"input_tokens":3,"output_tokens":9}},"type":"assistant","uuid":"a3","timestamp":"2026-01-05T10:00:06Z"}
{"parentUuid":"a3","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_2","content":"<tool_use_error>Sibling tool call errored</tool_use_error>","is_error":true}]},"uuid":"u3","timestamp":"2026-01-05T10:00:07Z"}
{"parentUuid":"u3","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","type":"user","message":{"role":"user","content":[{"type":"text","text":"[Request interrupted by user]"}]},"uuid":"u4","timestamp":"2026-01-05T10:00:08Z"}
"""

_SUB_AGENT = r"""
{"parentUuid":null,"isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","type":"progress","data":{"type":"agent_progress","agentId":"b7","message":{"type":"assistant","timestamp":"2026-01-05T10:00:03Z","message":{"id":"msg_9","role":"assistant","content":[{"type":"tool_use","id":"toolu_9","name":"Grep","input":{"pattern":"valve"}}]},"uuid":"n1"}},"uuid":"p1","timestamp":"2026-01-05T10:00:03Z"}
{"parentUuid":"p1","isSidechain":false,"sessionId":"s1","cwd":"/home/ada/engine","type":"progress","data":{"type":"agent_progress","agentId":"b7","message":{"type":"user","timestamp":"2026-01-05T10:00:04Z","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_9","content":[{"type":"text","text":"2 files"}]}]},"uuid":"n2"}},"uuid":"p2","timestamp":"2026-01-05T10:00:04Z"}
"""

source = Source(
    AGENT, find, sniff, read, places=places,
    examples=(
        Example(_RAW.lstrip(), (
            ("prompt", "run the tests", "unknown"),
            ("note", "Now the tests.", "unknown"),
            ("call", "make test", "failed"),
            ("call", "make lint", "not-run"),
            ("note", "[Request interrupted by user]", "unknown"),
        )),
        Example(_SUB_AGENT.lstrip(), (("call", "", "ok"),)),
    ),
)  # fmt: skip
