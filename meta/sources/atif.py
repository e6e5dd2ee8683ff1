"""ATIF 1.x trajectories (Agent Trajectory Interchange Format): of other programs, and of this one's archive.

The archive's own form is known by `extra.meta`: there `extra` holds what ATIF has no field for, by the names of
`Event` and `Session`, and a field that is missing has its default. For other writers it is worked out from the names
of the tools and from the results.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from meta.model import Event, EventKind, Origin, Session, Status, ToolKind, Usage
from meta.sources.base import Example, Source
from meta.sources.documents import document, keys
from meta.sources.events import distinct, turn
from meta.sources.status import shell_status
from meta.sources.tools import tool_kind
from meta.sources.values import arguments, count, integer, iso, listing, mapping, number, plain, string

Record = dict[str, Any]
_VERSION = re.compile(rb'"schema_version"\s*:\s*"ATIF-')
_COMMAND = "command"  # the argument that holds a call's text
_EXIT = re.compile(r"(?:exit(?:ed)?(?: with)?(?: exit)? (?:code|status):?|<returncode>) ?(-?\d+)", re.IGNORECASE)


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    return ()  # trajectories lie where a person puts them


def sniff(path: Path, head: bytes) -> bool:
    return keys(head) >= {"schema_version", "agent"} and _VERSION.search(head) is not None


def read(path: Path) -> Iterator[Session]:
    """The session of a document, then those of its embedded sub-agents."""
    skipped: Counter[str] = Counter()
    record = document(path, skipped)
    session_id = string(record.get("session_id")) or string(record.get("trajectory_id")) or path.stem
    yield from _sessions(record, session_id, "", path, skipped)


def _sessions(record: Record, session_id: str, parent: str, path: Path, skipped: Counter[str]) -> Iterator[Session]:
    ours = mapping(record.get("extra")).get("meta")
    steps = [step for step in listing(record.get("steps")) if isinstance(step, dict)]
    skipped["not a step"] += len(listing(record.get("steps"))) - len(steps)
    agent = mapping(record.get("agent"))
    if isinstance(ours, dict):
        events = [event for step in steps for event in _own_step(step)]
    else:
        model = string(agent.get("model_name"))
        events = [event for n, step in enumerate(steps) for event in _step(step, f"{session_id}:m{n}", model, skipped)]
    session = Session(
        agent=string(agent.get("name")) or "unknown",
        id=session_id,
        events=distinct(session_id, events),
        parent=parent,
        path=str(path),
    )
    known = _known(ours, _SESSION)
    skipped.update(known.pop("skipped", {}))
    yield replace(session, **known, skipped=dict(+skipped))
    for place, nested in enumerate(map(mapping, listing(record.get("subagent_trajectories")))):
        nested_id = string(nested.get("trajectory_id")) or f"{session_id}.{place}"
        yield from _sessions(nested, nested_id, session_id, path, Counter())


def _step(step: Record, message: str, default_model: str, skipped: Counter[str]) -> list[Event]:
    """The events of a step of another program."""
    time, text = iso(step.get("timestamp")), plain(step.get("message"))
    if step.get("is_copied_context"):
        skipped["copied context"] += 1
        return []
    match step.get("source"):
        case "user":
            return [Event("", "prompt", time, text)]
        case "agent":
            model = string(step.get("model_name")) or default_model
            note = Event(message, "note", time, text, message=message, model=model)
            return turn(note, list(_calls(step, note)), _usage(step))
        case "system":
            return []
        case _:
            skipped["unknown step"] += 1
            return []


def _paired(step: Record) -> Iterator[tuple[Record, Record]]:
    """Each call of a step with its result."""
    results = [mapping(result) for result in listing(mapping(step.get("observation")).get("results"))]
    by_id = {string(result.get("source_call_id")): result for result in results}
    for call in map(mapping, listing(step.get("tool_calls"))):
        yield call, by_id.get(string(call.get("tool_call_id")), {})


def _calls(step: Record, note: Event) -> Iterator[Event]:
    for call, result in _paired(step):
        name, given = string(call.get("function_name")), mapping(call.get("arguments"))
        about = mapping(call.get("extra")) | mapping(result.get("extra"))
        kind = tool_kind(name)
        command = _command(given) if kind == "shell" else ""
        output = plain(result.get("content"))
        exit_code = integer(about.get("exit_code")) if "exit_code" in about else _exit_code(output)
        status: Status = "not-run" if not result else shell_status(command, exit_code) if command else "unknown"
        yield Event(
            id=string(call.get("tool_call_id")),
            kind="call",
            time=note.time,
            text=command,
            tool=name,
            tool_kind=kind,
            arguments=arguments(given, {_COMMAND, "cmd"} if command else ()),
            status="failed" if about.get("is_error") is True else status,
            exit_code=exit_code if command else None,
            output=output,
            message=note.message,
            model=note.model,
        )


def _command(given: Record) -> str:
    """The command line of a shell call; of an argument list that starts a shell, the script it is given."""
    command = given.get(_COMMAND) or given.get("cmd")
    words = [string(word) for word in listing(command)]
    if len(words) == 3 and words[1] in ("-c", "-lc"):
        return words[2]
    return shlex.join(words) if words else string(command)


def _exit_code(output: str) -> int | None:
    """What the first or the last lines tell; where they do not agree the program printed one of them: the failure."""
    codes = [int(code) for part in (output[:300], output[-300:]) for code in _EXIT.findall(part)]
    return next(filter(None, codes), 0) if codes else None


def _usage(step: Record) -> Usage:
    """The tokens of a step; ATIF counts the cached ones among those of the prompt."""
    metrics = mapping(step.get("metrics"))
    extra = mapping(metrics.get("extra"))
    cached = count(metrics.get("cached_tokens"))
    written = count(extra.get("cache_write")) or count(extra.get("cache_creation_input_tokens"))
    prompt = count(metrics.get("prompt_tokens"))
    return Usage(max(prompt - cached - written, 0), count(metrics.get("completion_tokens")), cached, written)


def _own_step(step: Record) -> Iterator[Event]:
    """The events of a step of the archive."""
    extra = mapping(step.get("extra"))
    usage = _usage(step) if step.get("metrics") else None
    event = Event(
        id="",
        kind=_one_of(get_args(EventKind))(extra.get("kind")) or "note",
        time=iso(step.get("timestamp")),
        text=plain(step.get("message")),
        model=string(step.get("model_name")),
        message=string(extra.get("message")),
        usage=usage,
    )
    if event.kind != "call":
        yield replace(event, **_known(extra, _EVENT))
        return
    for call, result in _paired(step):
        about = mapping(call.get("extra")) | mapping(result.get("extra"))
        given = arguments(call.get("arguments"))
        text = "" if "text" in about else given.pop(_COMMAND, "")
        recorded = replace(
            event,
            id=string(call.get("tool_call_id")),
            text=text,
            tool=string(call.get("function_name")),
            arguments=given,
            output=plain(result.get("content")),
        )
        yield replace(recorded, **_known(about, _EVENT))
        event = replace(event, usage=None)  # it stands on the first call of a message


def _one_of(values: Iterable[str]) -> Callable[[object], Any]:
    allowed = frozenset(values)
    return lambda value: value if isinstance(value, str) and value in allowed else None


def _own_usage(value: object) -> Usage | None:
    record = mapping(value)
    names = ("input", "output", "cache_read", "cache_write")
    return Usage(*(count(record.get(name)) for name in names)) if record else None


def _text(value: object) -> str | None:
    return string(value) if isinstance(value, str) else None


def _counts(value: object) -> dict[str, int]:
    return {string(key): count(item) for key, item in mapping(value).items()}


_EVENT: dict[str, Callable[[object], Any]] = {
    "id": _text, "kind": _one_of(get_args(EventKind)), "time": number, "text": _text, "tool": _text,
    "tool_kind": _one_of(get_args(ToolKind)), "arguments": arguments, "status": _one_of(get_args(Status)),
    "exit_code": integer, "seconds": number, "output": _text, "message": _text, "usage": _own_usage, "model": _text,
    "cwd": _text,
}  # fmt: skip
_SESSION: dict[str, Callable[[object], Any]] = {
    "project": _text, "cwd": _text, "parent": _text, "origin": _one_of(get_args(Origin)), "path": _text,
    "skipped": _counts,
}  # fmt: skip


def _known(extra: object, readers: Mapping[str, Callable[[object], Any]]) -> dict[str, Any]:
    """The fields that `extra` holds in the type they should have."""
    found = {name: reader(mapping(extra)[name]) for name, reader in readers.items() if name in mapping(extra)}
    return {name: value for name, value in found.items() if value is not None}


_FOREIGN = """\
{"schema_version": "ATIF-v1.8", "session_id": "s1", "agent": {"name": "terminus", "version": "2", "model_name": "m"}, "steps": [
  {"step_id": 1, "source": "user", "message": "build it", "timestamp": "2026-01-01T10:00:00Z"},
  {"step_id": 2, "source": "agent", "message": "I build.", "tool_calls": [{"tool_call_id": "c1", "function_name": "bash", "arguments": {"command": "make"}}],
   "observation": {"results": [{"source_call_id": "c1", "content": "no rule\\nexit code: 2"}]},
   "metrics": {"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 3}}]}
"""
_OWN = """\
{"schema_version":"ATIF-v1.8","session_id":"s2","agent":{"name":"codex","version":"unknown"},"extra":{"meta":{"project":"p"}},"steps":[
{"step_id":1,"source":"agent","message":"","timestamp":"2026-01-01T10:00:00Z","extra":{"kind":"call","message":"m1"},"tool_calls":[{"tool_call_id":"c1","function_name":"shell","arguments":{"command":"ls"},"extra":{"tool_kind":"shell"}}],"observation":{"results":[{"source_call_id":"c1","content":"","extra":{"status":"ok","exit_code":0}}]}}
]}
"""

source = Source(
    name="atif",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            _FOREIGN,
            (("prompt", "build it", "unknown"), ("note", "I build.", "unknown"), ("call", "make", "failed")),
            "trajectory.json",
        ),
        Example(_OWN, (("call", "ls", "ok"),), "codex-2026-01-01-s2.json"),
    ),
)
