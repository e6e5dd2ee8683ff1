import json
from pathlib import Path
from typing import Any

import atif as reference
import pytest

from meta.model import Session, Usage
from meta.sources.atif import read, source


def written(tmp_path: Path, record: dict[str, Any]) -> list[Session]:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(record))
    assert source.sniff(path, path.read_bytes())
    return list(read(path))


def trajectory(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    agent = {"name": "terminus", "version": "2", "model_name": "m"}
    numbered = [{"step_id": number} | step for number, step in enumerate(steps, 1)]
    return {"schema_version": "ATIF-v1.8", "session_id": "s", "agent": agent, "steps": numbered} | more


def step(name: str, given: Any, content: str = "", **extra: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"source_call_id": "c", "content": content} | ({"extra": extra} if extra else {})
    call = {"tool_call_id": "c", "function_name": name, "arguments": given}
    return {"source": "agent", "message": "", "tool_calls": [call], "observation": {"results": [result]}}


def test_what_the_reference_accepts_is_read(tmp_path: Path) -> None:
    first: dict[str, Any] = {
        "source": "user",
        "message": [{"type": "text", "text": "go"}],
        "timestamp": "2026-01-01T10:00:00Z",
    }
    metrics = {"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 3}
    nested = trajectory(step("bash", {"command": "ls"}), trajectory_id="t1")
    record = trajectory(first, step("bash", {"command": "make"}) | {"metrics": metrics}, subagent_trajectories=[nested])
    whole, inner = written(tmp_path, reference.Trajectory.model_validate(record).to_json_dict())
    assert [(event.kind, event.text, event.time) for event in whole.events] == [
        ("prompt", "go", 1767261600.0),
        ("call", "make", None),
    ]
    assert [event.usage for event in whole.events] == [None, Usage(6, 3, 4)]
    assert (inner.id, inner.parent, inner.events[0].text) == ("t1", "s", "ls")


@pytest.mark.parametrize(
    ("made", "text", "status", "exit_code"),
    [
        pytest.param(step("bash", {"command": "make"}, "exit code: 2"), "make", "failed", 2, id="in the text"),
        pytest.param(step("shell", {"cmd": "make"}, exit_code=0), "make", "ok", 0, id="in extra"),
        pytest.param(step("shell", {"command": ["bash", "-lc", "a | b"]}), "a | b", "unknown", None, id="a script"),
        pytest.param(step("shell", {"command": ["ls", "a b"]}), "ls 'a b'", "unknown", None, id="an argument list"),
        pytest.param(step("bash", {"command": "make"}, is_error=True), "make", "failed", None, id="an error"),
        pytest.param(step("view", {"path": "a"}, "exit code: 2"), "", "unknown", None, id="no shell"),
    ],
)
def test_the_command_and_its_end_are_found(
    tmp_path: Path, made: dict[str, Any], text: str, status: str, exit_code: int | None
) -> None:
    ((event,),) = [session.events for session in written(tmp_path, trajectory(made))]
    assert (event.text, event.status, event.exit_code, event.message) == (text, status, exit_code, "s:m0")


def test_copied_context_and_unknown_steps_are_counted_and_the_system_prompt_is_not(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"source": "system", "message": "You are"},
        {"source": "user", "message": "go", "is_copied_context": True},
        {"source": "robot", "message": "x"},
    ]
    (found,) = written(tmp_path, trajectory() | {"steps": [*steps, 7]})
    assert (found.events, found.skipped) == ((), {"copied context": 1, "unknown step": 1, "not a step": 1})


def test_the_archive_s_own_fields_are_taken_as_they_are(tmp_path: Path) -> None:
    call = step("Bash", {"command": "make", "description": "d"}, "no", status="failed", exit_code=2, seconds=1.5)
    call["tool_calls"][0]["extra"] = {"tool_kind": "shell", "cwd": "/p"}
    call |= {
        "model_name": "m",
        "extra": {"kind": "call", "message": "m1"},
        "metrics": {"prompt_tokens": 9, "extra": {"cache_write": 2}},
    }
    note = {"source": "system", "message": "x", "extra": {"kind": "note", "id": "n"}}
    own = {"project": "engine", "origin": "machine", "cwd": "/p", "skipped": {"not JSON": 2}}
    (found,) = written(tmp_path, trajectory(call, note, extra={"meta": own}))
    assert (found.project, found.origin, found.cwd, found.skipped) == ("engine", "machine", "/p", {"not JSON": 2})
    event, last = found.events
    assert (event.text, event.arguments, event.tool_kind) == ("make", {"description": "d"}, "shell")
    assert (event.status, event.exit_code, event.seconds, event.cwd) == ("failed", 2, 1.5, "/p")
    assert (event.message, event.model, event.usage) == ("m1", "m", Usage(7, 0, 0, 2))
    assert (last.id, last.kind, last.message) == ("n", "note", "")


def test_an_own_field_of_another_type_is_left_out(tmp_path: Path) -> None:
    call = step("Bash", {"command": "make"}, "no", status="great", exit_code="2", seconds=[])
    (found,) = written(tmp_path, trajectory(call | {"extra": {"kind": "call"}}, extra={"meta": {"origin": 7}}))
    assert (found.origin, found.events[0].status, found.events[0].exit_code) == ("person", "unknown", None)


def test_another_document_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not source.sniff(tmp_path, b'{"schema_version": "2.0", "agent": {}, "steps": []}')
