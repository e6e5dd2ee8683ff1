"""mini-swe-agent: one `.traj.json` document a run, every action a shell command.

Versions 1.0 (the command in a fenced block of the text) and 1.1 (in tool calls) are read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meta.model import Event, Session, Usage
from meta.sources.base import Example, Source
from meta.sources.documents import document, keys
from meta.sources.events import distinct, named, turn
from meta.sources.status import shell_status
from meta.sources.values import between, count, integer, listing, mapping, number, plain, string

Record = dict[str, Any]
_RETURNED = re.compile(r"<returncode>\s*(-?\d+)\s*</returncode>")
_TEXT = 2**15  # characters of an answer in which its command is looked for
_FENCED = re.compile(r"^```(?:mswea_bash_command|bash)[ \t]*\n(.*?)\n?```", re.DOTALL | re.MULTILINE)


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    folder = Path(environment.get("MSWEA_GLOBAL_CONFIG_DIR") or home / ".config" / "mini-swe-agent")
    return folder.glob("*.traj.json")


def sniff(path: Path, head: bytes) -> bool:
    names = keys(head)
    own = {"info.model_stats", "info.mini_version", "info.config", "trajectory_format"}
    return bool(names & {"info", "messages"}) and bool(names & own) and "trajectory" not in names


def read(path: Path) -> Iterator[Session]:
    """One session a file. Runs in a container or of a benchmark are a machine's, the others a person's."""
    skipped: Counter[str] = Counter()
    record = document(path, skipped)
    messages = [message for message in listing(record.get("messages")) if isinstance(message, dict)]
    skipped["not a message"] += len(listing(record.get("messages"))) - len(messages)
    config = mapping(mapping(record.get("info")).get("config"))
    environment = mapping(config.get("environment"))
    cwd = string(environment.get("cwd"))
    session_id = _identity(record, messages, path)
    by_machine = "benchmark" in string(config.get("agent_type")) or bool(environment.get("image"))
    yield Session(
        agent="mini-swe-agent",
        id=session_id,
        events=distinct(session_id, _events(messages, session_id, cwd)),
        cwd=cwd,
        origin="machine" if by_machine else "person",
        skipped=dict(+skipped),
        path=str(path),
    )


def _identity(record: Record, messages: list[Record], path: Path) -> str:
    """The instance and the second of its first answer: one instance may be run many times."""
    instance = string(record.get("instance_id")) or path.name.removesuffix(".traj.json")
    times = (number(mapping(message.get("extra")).get("timestamp")) for message in messages)
    start = next((time for time in times if time is not None), None)
    return instance if start is None else f"{instance}@{int(start)}"


def _events(messages: list[Record], session_id: str, cwd: str) -> Iterator[Event]:
    answers = {string(m.get("tool_call_id")): m for m in messages if m.get("tool_call_id")}
    for place, message in enumerate(messages):
        match message.get("role"):
            case "user" if not _answers_a_command(message):
                yield Event(f"{session_id}:m{place}", "prompt", text=plain(message.get("content")), cwd=cwd)
            case "assistant":
                following = messages[place + 1] if place + 1 < len(messages) else {}
                yield from _turn(message, f"{session_id}:m{place}", answers, following, cwd)


def _answers_a_command(message: Record) -> bool:
    return "returncode" in mapping(message.get("extra")) or bool(_RETURNED.search(plain(message.get("content"))[:2000]))


def _turn(
    message: Record, fallback: str, answers: Mapping[str, Record], following: Record, cwd: str
) -> Iterable[Event]:
    extra = mapping(message.get("extra"))
    response = mapping(extra.get("response"))
    message_id = named(string(response.get("id")), fallback)
    time, model = number(extra.get("timestamp")), string(response.get("model"))
    note = Event(message_id, "note", time, plain(message.get("content")), message=message_id, model=model, cwd=cwd)
    commands = _commands(message, extra)
    calls = [_call(command, call_id, answers.get(call_id) or following, note) for command, call_id in commands]
    return turn(note, calls, _usage(mapping(response.get("usage"))))


def _commands(message: Record, extra: Record) -> list[tuple[str, str]]:
    """The commands of a message with their call ids."""
    actions = [mapping(action) for action in listing(extra.get("actions"))]
    commands = [(string(action.get("command")), string(action.get("tool_call_id"))) for action in actions]
    if not commands:
        calls = [mapping(call) for call in listing(message.get("tool_calls"))]
        given = [(string(mapping(call.get("function")).get("arguments")), string(call.get("id"))) for call in calls]
        commands = [(_command(arguments), call_id) for arguments, call_id in given]
    if not commands:
        commands = [(fenced[1], "") for fenced in [_FENCED.search(plain(message.get("content"))[:_TEXT])] if fenced]
    return [(command, call_id) for command, call_id in commands if command.strip()]


def _refused(answer: Record) -> bool:
    """Whether a command was not run: the agent was told so, as by a person, or nothing came after it."""
    return answer.get("role") in (None, "user", "assistant", "system") and not _answers_a_command(answer)


def _command(arguments: str) -> str:
    try:
        return string(mapping(json.loads(arguments)).get("command"))
    except (ValueError, RecursionError):
        return ""


def _call(command: str, call_id: str, answer: Record, note: Event) -> Event:
    extra, content = mapping(answer.get("extra")), plain(answer.get("content"))
    exit_code = integer(extra.get("returncode"))
    written = _RETURNED.search(content[:2000])
    if exit_code is None and written:
        exit_code = int(written[1])
    return Event(
        id=call_id,
        kind="call",
        time=note.time,
        text=command,
        tool="bash",
        tool_kind="shell",
        status="not-run" if _refused(answer) else shell_status(command, exit_code),
        exit_code=exit_code,
        seconds=between(note.time, number(extra.get("timestamp"))),
        output=string(extra.get("raw_output")) or content,
        message=note.message,
        model=note.model,
        cwd=note.cwd,
    )


def _usage(usage: Record) -> Usage:
    cached = count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens"))
    return Usage(
        input=max(count(usage.get("prompt_tokens")) - cached, 0),
        output=count(usage.get("completion_tokens")),
        cache_read=cached,
        cache_write=count(usage.get("cache_creation_input_tokens")),
    )


_CALLS = """\
{"info": {"config": {"environment": {"cwd": "/p"}}, "mini_version": "2.2.7"}, "messages": [
  {"role": "system", "content": "You are an assistant."}, {"role": "user", "content": "Fix it."},
  {"role": "assistant", "content": "I look.", "extra": {"timestamp": 1767261600.5, "actions": [{"command": "grep -r x", "tool_call_id": "c1"}],
   "response": {"id": "r1", "model": "m", "usage": {"prompt_tokens": 9, "completion_tokens": 2}}}},
  {"role": "tool", "tool_call_id": "c1", "content": "<returncode>1</returncode>", "extra": {"returncode": 1, "raw_output": "", "timestamp": 1767261601.0}}],
 "trajectory_format": "mini-swe-agent-1.1", "instance_id": "i1"}
"""
_FENCES = """\
{"info": {"model_stats": {"api_calls": 1}}, "messages": [{"role": "user", "content": "Fix it."},
  {"role": "assistant", "content": "Now\\n```bash\\nmake test\\n```"},
  {"role": "user", "content": "<returncode>2</returncode>\\n<output>\\nno rule\\n</output>"}]}
"""

source = Source(
    name="mini-swe-agent",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            _CALLS,
            (("prompt", "Fix it.", "unknown"), ("note", "I look.", "unknown"), ("call", "grep -r x", "ok")),
            "i1.traj.json",
        ),
        Example(
            _FENCES,
            (
                ("prompt", "Fix it.", "unknown"),
                ("note", "Now\n```bash\nmake test\n```", "unknown"),
                ("call", "make test", "failed"),
            ),
            "old.traj.json",
        ),
    ),
)
