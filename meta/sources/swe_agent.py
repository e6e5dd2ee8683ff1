"""SWE-agent: one `.traj` document a run; actions are shell commands or commands of its own editor.

The editor's commands look like shell lines and may have many lines (`edit 10:12 ... end_of_edit`): they are edits,
reads and searches here, never shell.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meta.model import Event, Session, Status, ToolKind, Usage
from meta.sources.base import Example, Source
from meta.sources.documents import document, keys
from meta.sources.events import distinct, turn
from meta.sources.values import count, listing, mapping, number, plain, string

Record = dict[str, Any]
_COMMANDS: dict[str, ToolKind] = {
    "edit": "edit", "insert": "edit", "str_replace_editor": "edit", "undo_edit": "edit", "create": "write",
    "open": "read", "goto": "read", "scroll_up": "read", "scroll_down": "read", "filemap": "read", "view_image": "read",
    "search_dir": "search", "search_file": "search", "find_file": "search",
    "submit": "other", "exit_forfeit": "other", "exit_cost": "other", "exit_context": "other", "exit_format": "other",
    "exit_error": "other", "skip": "other",
}  # fmt: skip
_FAILED = re.compile(
    r"Your proposed edit has introduced new syntax error|Your changes have NOT been applied|EXECUTION TIMED OUT"
    r"|COMMAND TIMED OUT|command not found"
)


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    return Path(environment["PWD"]).glob("trajectories/**/*.traj") if environment.get("PWD") else ()


def sniff(path: Path, head: bytes) -> bool:
    return keys(head) >= {"trajectory", "trajectory.action", "trajectory.observation"}


def read(path: Path) -> Iterator[Session]:
    """One session a file: a machine's, without times. Its tokens are known as a sum only."""
    skipped: Counter[str] = Counter()
    record = document(path, skipped)
    steps = [step for step in listing(record.get("trajectory")) if isinstance(step, dict)]
    skipped["not a step"] += len(listing(record.get("trajectory"))) - len(steps)
    session_id = f"{path.stem}@{_digest(steps)}"
    yield Session(
        agent="swe-agent",
        id=session_id,
        events=distinct(session_id, _events(record, steps, session_id)),
        cwd=next((_state(step).get("working_dir", "") for step in steps), ""),
        origin="machine",
        skipped=dict(+skipped),
        path=str(path),
    )


def _digest(steps: list[Record]) -> str:
    """What tells two runs of one instance apart: their first answers."""
    text = "\n".join(string(step.get("response")) for step in steps[:3])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _events(record: Record, steps: list[Record], session_id: str) -> Iterator[Event]:
    for entry in map(mapping, listing(record.get("history"))):
        if entry.get("role") == "user" and not entry.get("is_demo"):
            yield Event("", "prompt", text=plain(entry.get("content")))
            break  # what follows are observations
    for place, step in enumerate(steps):
        message = f"{session_id}:m{place}"
        note = Event(message, "note", text=string(step.get("thought")), message=message)
        action = string(step.get("action"))
        yield from turn(note, [_call(step, action, message)] if action.strip() else (), None)
    stats = mapping(mapping(record.get("info")).get("model_stats"))
    total = Usage(input=count(stats.get("tokens_sent")), output=count(stats.get("tokens_received")))
    yield from turn(Event(f"{session_id}:stats", "note", message=f"{session_id}:stats"), (), total)


def _state(step: Record) -> dict[str, str]:
    """The editor's state: an object, or JSON text in older versions."""
    state = step.get("state")
    if isinstance(state, str):
        try:
            state = json.loads(state)
        except (ValueError, RecursionError):
            state = {}
    return {key: string(value) for key, value in mapping(state).items()}


def _call(step: Record, action: str, message: str) -> Event:
    program = action.split(maxsplit=1)[0]
    kind = _COMMANDS.get(program, "shell")
    state, output = _state(step), plain(step.get("observation"))
    status: Status = "failed" if _FAILED.search(output[-4000:] if kind == "shell" else output[:200]) else "unknown"
    given = {"action": action.strip(), "file_path": state.get("open_file", "")}
    return Event(
        id=f"{message}c",
        kind="call",
        text=action.strip() if kind == "shell" else "",
        tool="bash" if kind == "shell" else program,
        tool_kind=kind,
        arguments={} if kind == "shell" else given,
        status=status if kind == "shell" or status == "failed" else "ok",
        seconds=number(step.get("execution_time")),
        output=output,
        message=message,
        cwd=state.get("working_dir", ""),
    )


_EXAMPLE = """\
{"environment": "main", "trajectory": [
  {"action": "edit 1:1\\nfor x in y:\\n    rm(x)\\nend_of_edit\\n", "observation": "[File: /p/a.py (2 lines total)]", "thought": "",
   "state": "{\\"open_file\\": \\"/p/a.py\\", \\"working_dir\\": \\"/p\\"}\\n"},
  {"action": "python a.py\\n", "observation": "344\\n", "thought": "", "state": {"open_file": "/p/a.py", "working_dir": "/p"}}],
 "history": [{"role": "system", "content": "s"}, {"role": "user", "content": "demo", "is_demo": true}, {"role": "user", "content": "Fix it."}]}
"""

source = Source(
    name="swe-agent",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            _EXAMPLE,
            (("prompt", "Fix it.", "unknown"), ("call", "", "ok"), ("call", "python a.py", "unknown")),
            "i1.traj",
        ),
    ),
)
