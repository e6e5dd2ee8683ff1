import json
from pathlib import Path
from typing import Any

import pytest

from meta.model import Event, Session, Usage
from meta.sources.copilot import read, source

START = {"sessionId": "s1", "context": {"cwd": "/p", "branch": "main"}}


def row(type_: str, number: int, **data: Any) -> str:
    event = {"type": type_, "data": data, "id": f"e{number}", "timestamp": f"2026-01-01T10:00:{number:02}Z"}
    return json.dumps(event | {"parentId": None}) + "\n"


def session(tmp_path: Path, *rows: str) -> Session:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(rows))
    (found,) = read(path)
    return found


def call(tmp_path: Path, result: dict[str, Any], name: str = "bash", **given: Any) -> Event:
    found = session(
        tmp_path,
        row("session.start", 0, **START),
        row("assistant.message", 1, messageId="m1", content="", toolRequests=[{"toolCallId": "c"}]),
        row("tool.execution_start", 2, toolCallId="c", toolName=name, arguments=given),
        row("tool.execution_complete", 5, toolCallId="c", **result),
    )
    (event,) = found.events
    return event


@pytest.mark.parametrize(
    ("result", "status", "exit_code"),
    [
        ({"success": True, "result": {"content": "x\n<shellId: 0 completed with exit code 0>"}}, "ok", 0),
        ({"success": True, "result": {"content": "x\n<exited with exit code 3>"}}, "failed", 3),
        ({"success": True, "result": {"content": "<command is still running>"}}, "unknown", None),
        ({"success": False, "error": {"message": "refused"}}, "not-run", None),
    ],
)
def test_the_exit_code_stands_at_the_end_of_the_result(
    tmp_path: Path, result: dict[str, Any], status: str, exit_code: int | None
) -> None:
    event = call(tmp_path, result, command="make", description="Build")
    assert (event.text, event.status, event.exit_code, event.seconds) == ("make", status, exit_code, 3.0)
    assert (event.message, event.cwd, event.arguments) == ("m1", "/p", {"description": "Build"})


def test_a_tool_of_a_server_is_no_shell(tmp_path: Path) -> None:
    event = call(tmp_path, {"success": True, "mcpServerName": "x"}, "read_bash", shellId="1")
    assert (event.tool_kind, event.text, event.status) == ("other", "", "ok")


def test_a_shell_that_ended_in_the_background_gets_its_exit_code(tmp_path: Path) -> None:
    kind = {"type": "shell_completed", "exitCode": 4, "description": "Build"}
    found = session(
        tmp_path,
        row(
            "tool.execution_start",
            1,
            toolCallId="c",
            toolName="bash",
            arguments={"command": "m", "description": "Build"},
        ),
        row("tool.execution_complete", 2, toolCallId="c", success=True, result={"content": "still running"}),
        row("system.notification", 3, kind=kind),
    )
    assert [(event.status, event.exit_code) for event in found.events] == [("failed", 4)]


def test_the_end_of_the_session_tells_the_tokens_that_the_messages_do_not(tmp_path: Path) -> None:
    usage = {"inputTokens": 100, "outputTokens": 12, "cacheReadTokens": 60, "cacheWriteTokens": 0}
    found = session(
        tmp_path,
        row("assistant.message", 1, messageId="m1", content="Yes.", outputTokens=7),
        row("session.shutdown", 2, modelMetrics={"m": {"usage": usage}}),
    )
    assert [event.usage for event in found.events] == [Usage(output=7), Usage(40, 5, 60)]


def test_unknown_rows_and_results_are_counted_and_noise_is_not(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        row("hook.start", 1),
        row("brand.new", 2),
        row("tool.execution_complete", 3, toolCallId="x", success=True),
        "{half",
    )
    assert found.skipped == {"unknown row": 1, "result without call": 1, "unfinished line": 1}


def test_another_log_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not source.sniff(tmp_path, b'{"type":"user","uuid":"1","timestamp":"2026-01-01T10:00:00Z"}\n')
