"""Codex CLI: rollouts, one JSON object a line; every form of shell call since the lines without an envelope.

`response_item` rows are read and `event_msg` rows only for what they alone hold: typed prompts and token counts.
What a copied history is (forks, sub-agents) is told by the time inside the ids of its turns, for rows are re-stamped.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meta.model import Event, Session, Status, ToolKind, Usage
from meta.sources import javascript
from meta.sources.base import (
    Example,
    Source,
    as_text,
    in_order,
    items,
    json_record,
    number,
    record,
    rows,
    string,
    timestamp,
)  # fmt: skip
from meta.sources.codex_output import Result, result_of
from meta.sources.projects import project

AGENT = "codex"
_SHELLS = frozenset({"shell", "shell_command", "exec_command", "container.exec", "local_shell"})
_KINDS: Mapping[str, ToolKind] = {
    "apply_patch": "edit", "update_plan": "plan", "view_image": "read", "read_file": "read", "list_dir": "search",
    "grep_files": "search", "tool_search": "search", "web_search": "web", "web__run": "web", "spawn_agent": "agent",
    "send_input": "agent",
}  # fmt: skip
_CALLS = frozenset({
    "function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call",
})  # fmt: skip
_BARE = _CALLS | {"message", "reasoning", "function_call_output", "custom_tool_call_output"}  # rows of the first era

# What is not needed is not parsed. No row with a call, an output or a count of tokens begins so.
_NOISE = re.compile(
    rb'"type":\s*"(?:agent_reasoning|agent_message|reasoning|ghost_snapshot|compacted|world_state|task_complete'
    rb'|patch_apply_end|web_search_end|mcp_tool_call_end|thread_settings_applied)"'
)

_PATCH = re.compile(r"\s*(?:cd \S+ *(?:&&|\n) *)?apply_?patch\b")
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_DRIVEN = re.compile(r"sdk|_exec$|^exec$")  # originators that programs use
_CONTEXT = re.compile(r"\s*(?:<[a-z_]+[ >]|# AGENTS\.md instructions)")
_CWD = re.compile(r"<cwd>([^<]*)</cwd>|Current working directory: (.*)")
_EDITOR = ("# Context from my IDE setup:", "## My request for Codex:")  # what an editor puts before a prompt


def places(home: Path, environ: Mapping[str, str]) -> Iterable[Path]:
    folder = Path(environ.get("CODEX_HOME") or home / ".codex")
    return (folder / "sessions", folder / "archived_sessions")


def find(home: Path, environ: Mapping[str, str]) -> Iterable[Path]:
    return sorted(path for place in places(home, environ) for path in place.rglob("rollout-*.jsonl*"))


def sniff(path: Path, head: bytes) -> bool:
    start = head[:4096]
    if not start.lstrip().startswith(b"{"):
        return False
    if re.search(rb'"type":\s*"(?:session_meta|turn_context|response_item|event_msg)"', start):
        return b'"payload"' in start
    return bool(re.match(rb'\s*\{"id":\s*"[0-9a-f-]{36}",\s*"timestamp":\s*"[^"]+",\s*"instructions":', start))


def read(path: Path) -> Iterator[Session]:
    skipped: Counter[str] = Counter()
    rollout = _Rollout(path.stem, skipped)
    for place, row in enumerate(rows(path, skipped, _needed)):
        rollout.take(row, place)
    if rollout.known or rollout.events:
        yield rollout.session(str(path))


def _needed(line: bytes) -> bool:
    return not _NOISE.search(line, 0, 200)


@dataclass(slots=True)
class _Rollout:
    """One rollout while its file is read."""

    id: str
    skipped: Counter[str]
    known: bool = False  # its first session_meta was read; later ones are copies
    cwd: str = ""
    remote: str = ""
    parent: str = ""
    machine: bool = False
    replaying: bool = False
    spawned: bool = False  # by another agent, whose are the prompts
    model: str = ""
    folder: str = ""  # of the present turn
    events: list[Event] = field(default_factory=list)
    mirrored: set[str] = field(default_factory=set)  # prompts as sent, which the prompts as typed repeat
    calls: dict[str, list[int]] = field(default_factory=dict)  # call id -> places of its events
    running: dict[str, int] = field(default_factory=dict)  # id of a process or script -> place of its event
    responses: int = 0
    open: int | None = None  # place of the first event of the present response
    answered: bool = False
    counted: int = 0  # total of tokens at the last count

    def take(self, row: dict[str, Any], place: int) -> None:
        kind, payload = string(row.get("type")), record(row.get("payload"))
        if kind in _BARE:
            kind, payload = "response_item", row
        if kind == "session_meta" or (not kind and "instructions" in row):
            self._begin(payload or row)
            return
        if self.replaying and _born(payload.get("turn_id")) >= _born(self.id):
            self._forget()
        time = timestamp(row.get("timestamp"))
        if kind == "turn_context":
            self.model = string(payload.get("model")) or self.model
            self.folder = string(payload.get("cwd")) or self.folder
        elif kind == "response_item":
            self._item(payload, time, f"{self.id}:{place}")
        elif kind == "event_msg" and payload.get("type") == "user_message":
            self._prompt(string(payload.get("message")), time, f"{self.id}:{place}")
        elif kind == "event_msg" and payload.get("type") == "token_count":
            self._count(record(payload.get("info")))
        elif kind != "event_msg" and "record_type" not in row:
            self.skipped["unknown row"] += 1

    def session(self, path: str) -> Session:
        typed = any(event.kind == "prompt" and event.id not in self.mirrored for event in self.events)
        events = in_order(event for event in self.events if not (typed and event.id in self.mirrored))
        return Session(
            AGENT, self.id, events, project(self.cwd, self.remote, path), self.cwd, self.parent,
            "machine" if self.machine else "agent" if self.spawned else "person", dict(self.skipped), path,
        )  # fmt: skip

    def _begin(self, meta: dict[str, Any]) -> None:
        if self.known:
            return
        self.known = True
        self.id = string(meta.get("id")) or self.id
        self.cwd = self.folder = string(meta.get("cwd"))
        self.remote = string(record(meta.get("git")).get("repository_url"))
        spawn = record(record(record(meta.get("source")).get("subagent")).get("thread_spawn"))
        self.parent = string(meta.get("forked_from_id")) or string(spawn.get("parent_thread_id"))
        self.replaying = bool(self.parent)
        self.spawned = bool(spawn)
        self.machine = meta.get("source") in ("exec", "mcp") or bool(_DRIVEN.search(string(meta.get("originator"))))

    def _forget(self) -> None:
        """Drop what was read so far: the parent's history, copied to the top of the file."""
        self.replaying = False
        if self.events:
            self.skipped["replayed by a fork"] += len(self.events)
        self.events, self.mirrored, self.calls, self.running, self.open = [], set(), {}, {}, None

    def _item(self, item: dict[str, Any], time: float | None, name: str) -> None:
        kind = string(item.get("type"))
        if kind in _CALLS:
            self._respond()
            self._call(item, time, name)
        elif kind.endswith("_output"):
            self.answered = True
            self._finish(string(item.get("call_id")), item.get("output"), time)
        elif kind == "message":
            text = "\n".join(string(record(part).get("text")) for part in items(item.get("content"))).strip()
            if item.get("role") == "assistant" and text:
                self._respond()
                self._add(Event(string(item.get("id")) or name, "note", time, text))
            elif item.get("role") == "user":
                self.mirrored.add(name)
                self._prompt(text, time, name)
        elif kind not in ("reasoning", "compaction"):
            self.skipped["unknown row"] += 1

    def _prompt(self, text: str, time: float | None, name: str) -> None:
        if not self.cwd and (found := _CWD.search(text)):
            self.cwd = self.folder = found[1] or found[2]
        if text.startswith(_EDITOR[0]):
            text = text.partition(_EDITOR[1])[2]
        text = text.strip()
        if text and not _CONTEXT.match(text):
            self.events.append(Event(name, "prompt", time, text, cwd=self.folder))

    def _respond(self) -> None:
        """What follows comes from the model: begin a response unless one is open."""
        if self.open is None or (self.answered and not self.counted):
            self.responses += 1
            self.open = len(self.events)
        self.answered = False

    def _count(self, info: dict[str, Any]) -> None:
        """A response is over; its tokens go to its first event. A total that stands still is a repetition."""
        total = number(record(info.get("total_token_usage")).get("total_tokens"))
        if total == self.counted:
            return
        self.counted = total
        last = record(info.get("last_token_usage"))
        if self.open is not None and self.open < len(self.events):
            cached = number(last.get("cached_input_tokens"))
            usage = Usage(number(last.get("input_tokens")) - cached, number(last.get("output_tokens")), cached)
            self.events[self.open] = replace(self.events[self.open], usage=usage)
        self.open = None

    def _add(self, event: Event) -> None:
        place = f"{self.id}:r{self.responses}"
        self.events.append(replace(event, message=place, model=self.model, cwd=event.cwd or self.folder))

    def _call(self, item: dict[str, Any], time: float | None, name: str) -> None:
        call = string(item.get("call_id")) or string(item.get("id")) or name
        made = _made(item)
        if item.get("type") == "custom_tool_call" and item.get("name") == "exec":
            made = _scripted(string(item.get("input")), self.skipped)
        done: Status = "ok" if item.get("type") == "web_search_call" else "not-run"  # until its output is read
        self.calls[call] = [len(self.events) + n for n in range(len(made))]
        for n, event in enumerate(made):
            folder = _within(self.folder, event.cwd)
            self._add(replace(event, id=f"{call}#{n}" if n else call, time=time, status=done, cwd=folder))

    def _finish(self, call: str, raw: object, time: float | None) -> None:
        places = self.calls.get(call)
        if not places:
            return
        result = result_of(raw)
        event = self.events[places[-1]]
        watched = self.running.get(event.arguments.get("session_id") or event.arguments.get("cell_id") or "")
        if watched is not None and watched != places[-1]:
            self._settle(watched, result, time)
            result = replace(result, code=None, running="")
        for place in places[:-1]:
            self.events[place] = replace(self.events[place], status="failed" if result.failed else "unknown")
        if len(places) > 1:
            result = replace(result, code=None)  # of which of the commands, the script does not tell
        if result.running:
            self.running[result.running] = places[-1]
        self._settle(places[-1], result, time)

    def _settle(self, place: int, result: Result, time: float | None) -> None:
        event = self.events[place]
        shell = event.tool_kind == "shell"
        late = bool(event.output or event.seconds is not None)
        seconds = result.seconds
        if (late or seconds is None) and time is not None and event.time is not None:
            seconds = max(0.0, time - event.time)
        self.events[place] = replace(
            event,
            status=result.status(shell=shell),
            exit_code=result.code if shell else None,
            seconds=seconds,
            output="\n".join(filter(None, (event.output, result.text))),
        )


def _made(item: dict[str, Any]) -> list[Event]:
    """The event of a call that is no script, yet without id and time."""
    kind = item.get("type")
    name = string(item.get("name")) or string(kind).removesuffix("_call")
    if kind == "custom_tool_call":
        return [_event(name, {"input": string(item.get("input"))})]
    if kind in ("local_shell_call", "web_search_call"):
        return [_event(name, record(item.get("action")))]
    raw = item.get("arguments")
    arguments = record(raw) or json_record(string(raw))
    namespace = string(item.get("namespace"))
    event = _event(name, arguments)
    return [replace(event, tool=f"{namespace}__{name}", tool_kind="mcp") if namespace.startswith("mcp") else event]


def _scripted(script: str, skipped: Counter[str]) -> list[Event]:
    """The events of the calls a script makes; the script itself where none can be read off."""
    events = []
    for call in javascript.calls(script):
        if call.tool in _SHELLS and not {"cmd", "command"} & call.arguments.keys():
            skipped["command only known to the script"] += 1
        else:
            events.append(_event(call.tool, call.arguments))
    return events or [Event("", "call", tool="exec", arguments={"input": script})]


def _event(name: str, arguments: Mapping[str, Any]) -> Event:
    texts = {key: as_text(value) for key, value in arguments.items()}
    if name == "apply_patch":
        return _edit(texts.get("input", ""))
    if name not in _SHELLS:
        return Event("", "call", tool=name, tool_kind=_KINDS.get(name, "other"), arguments=texts)
    command, shell = _command_line(arguments.get("cmd") or arguments.get("command"))
    if patch := _patch(command):
        return _edit(patch)
    folder = string(arguments.get("workdir")) or string(arguments.get("working_directory"))
    others = {key: text for key, text in texts.items() if key not in ("cmd", "command")}
    return Event("", "call", text=command, tool=shell or name, tool_kind="shell", arguments=others, cwd=folder)


def _patch(command: str) -> str:
    """The patch of a command that does nothing but apply one."""
    patch, end, rest = command.partition("*** End Patch")
    begin = patch.find("*** Begin Patch")
    only = _PATCH.match(command) and end and begin >= 0 and re.fullmatch(r"\w*", rest.strip("\"'\n "))
    return patch[begin:] + end if only else ""


def _edit(patch: str) -> Event:
    path = _PATCHED.search(patch)
    arguments = {"file_path": path[1].strip() if path else "", "patch": patch}
    return Event("", "call", tool="apply_patch", tool_kind="edit", arguments=arguments)


def _command_line(command: object) -> tuple[str, str]:
    """What a shell was asked to run, and which if it is no POSIX shell; a list without a shell is joined as one line."""
    if isinstance(command, str):
        return command, ""
    words = [as_text(word) for word in items(command)]
    shell = re.search(r"(?:^|[/\\])(\w+?)(?:\.exe)?$", words[0].lower()) if len(words) > 2 else None
    if shell and shell[1] in ("powershell", "pwsh") and words[-2].lower() in ("-command", "-c"):
        return words[-1], "PowerShell"
    if (
        shell
        and shell[1] in ("sh", "bash", "zsh", "dash", "fish", "ksh")
        and len(words) == 3
        and words[1] in ("-lc", "-c")
    ):
        return words[2], ""
    if len(words) == 2 and words[0] in ("apply_patch", "applypatch"):
        return f"apply_patch {words[1]}", ""
    return shlex.join(words), ""


def _within(folder: str, inner: str) -> str:
    absolute = re.match(r"[/\\~]|[A-Za-z]:", inner)
    return inner if absolute else f"{folder}/{inner}" if inner not in ("", ".") else folder


def _born(name: object) -> int:
    """The milliseconds since the epoch in a UUID of version 7, 0 in any other id."""
    digits = string(name).replace("-", "")
    return int(digits[:12], 16) if re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{19}", digits) else 0


_RAW = r"""
{"timestamp":"2026-01-05T10:00:00Z","type":"session_meta","payload":{"id":"s1","cwd":"/home/ada/engine","originator":"codex-tui","source":"cli","git":{"repository_url":"https://example.org/ada/engine.git"}}}
{"timestamp":"2026-01-05T10:00:00Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"run the tests"}]}}
{"timestamp":"2026-01-05T10:00:00Z","type":"event_msg","payload":{"type":"user_message","message":"run the tests"}}
{"timestamp":"2026-01-05T10:00:00Z","type":"turn_context","payload":{"cwd":"/home/ada/engine","model":"m"}}
{"timestamp":"2026-01-05T10:00:01Z","type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"make test\"]}","call_id":"call_1"}}
{"timestamp":"2026-01-05T10:00:02Z","type":"response_item","payload":{"type":"function_call_output","call_id":"call_1","output":"{\"output\":\"no rule\",\"metadata\":{\"exit_code\":2,\"duration_seconds\":0.1}}"}}
{"timestamp":"2026-01-05T10:00:03Z","type":"response_item","payload":{"type":"function_call","name":"exec_command","arguments":"{\"cmd\":\"make all\"}","call_id":"call_2"}}
{"timestamp":"2026-01-05T10:00:04Z","type":"response_item","payload":{"type":"function_call_output","call_id":"call_2","output":"Chunk ID: 1\nWall time: 1.0 seconds\nProcess running with session ID 7\nOutput:\n"}}
{"timestamp":"2026-01-05T10:00:05Z","type":"response_item","payload":{"type":"function_call","name":"write_stdin","arguments":"{\"session_id\":7,\"chars\":\"\"}","call_id":"call_3"}}
{"timestamp":"2026-01-05T10:00:06Z","type":"response_item","payload":{"type":"function_call_output","call_id":"call_3","output":"Chunk ID: 2\nWall time: 1.0 seconds\nProcess exited with code 0\nOutput:\ndone\n"}}
{"timestamp":"2026-01-05T10:00:07Z","type":"response_item","payload":{"type":"function_call","name":"shell_command","arguments":"{\"command\":\"apply_patch <<'EOF'\\n*** Begin Patch\\n*** Add File: a.txt\\n+a\\n*** End Patch\\nEOF\"}","call_id":"call_4"}}
{"timestamp":"2026-01-05T10:00:08Z","type":"response_item","payload":{"type":"function_call_output","call_id":"call_4","output":"Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess."}}
{"timestamp":"2026-01-05T10:00:09Z","type":"response_item","payload":{"type":"custom_tool_call","name":"exec","input":"const r = await tools.exec_command({cmd: `ls ${\"src\"}`, \"workdir\": \"/tmp\"}); text(r);","call_id":"call_5"}}
{"timestamp":"2026-01-05T10:00:10Z","type":"response_item","payload":{"type":"custom_tool_call_output","call_id":"call_5","output":[{"type":"input_text","text":"Script completed\nWall time 0.1 seconds\nOutput:\n"},{"type":"input_text","text":"{\"exit_code\":0}"}]}}
"""

_BARE_ROWS = r"""
{"id":"5973b6c0-94b8-487b-a530-2aeb6098ae0e","timestamp":"2025-08-05T10:00:00Z","instructions":null}
{"record_type":"state"}
{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>\n<cwd>/home/ada/engine</cwd>\n</environment_context>"}]}
{"type":"message","role":"user","content":[{"type":"input_text","text":"run the tests"}]}
{"type":"function_call","name":"shell","arguments":"{\"command\":[\"make\",\"my test\"]}","call_id":"call_1"}
{"type":"function_call_output","call_id":"call_1","output":"{\"output\":\"\",\"metadata\":{\"exit_code\":0,\"duration_seconds\":0.2}}"}
"""

source = Source(
    AGENT, find, sniff, read, places=places,
    examples=(
        Example(_RAW.lstrip(), (
            ("prompt", "run the tests", "unknown"),
            ("call", "make test", "failed"),
            ("call", "make all", "ok"),
            ("call", "", "ok"),
            ("call", "", "ok"),
            ("call", "ls src", "ok"),
        )),
        Example(_BARE_ROWS.lstrip(), (
            ("prompt", "run the tests", "unknown"),
            ("call", "make 'my test'", "ok"),
        )),
    ),
)  # fmt: skip
