import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from meta.model import Session
from meta.sources import merge
from meta.sources.claude_code import find, read

STEP = count(1)


def row(kind: str, content: Any, uuid: str = "", **more: Any) -> dict[str, Any]:
    number = next(STEP)
    message = {"role": kind, "content": content, **more.pop("message", {})}
    return {
        "parentUuid": None, "isSidechain": False, "sessionId": "s", "cwd": "/home/ada/engine", "type": kind,
        "message": message, "uuid": uuid or f"u{number}",
        "timestamp": f"2026-01-05T10:{number // 60 % 60:02}:{number % 60:02}Z", **more,
    }  # fmt: skip


def use(name: str, tool: str = "Bash", message: str = "m", output_tokens: int = 1, **arguments: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "id": name, "name": tool, "input": arguments}
    return row("assistant", [block], message={"id": message, "usage": {"output_tokens": output_tokens}})


def result(name: str, content: Any, error: bool = False, **more: Any) -> dict[str, Any]:
    return row("user", [{"type": "tool_result", "tool_use_id": name, "content": content, "is_error": error}], **more)


def sessions(tmp_path: Path, *rows: dict[str, Any], name: str = "s.jsonl") -> list[Session]:
    path = tmp_path / name
    path.write_text("".join(json.dumps(item, separators=(",", ":")) + "\n" for item in rows))
    return list(read(path))


def only(tmp_path: Path, *rows: dict[str, Any]) -> Session:
    (found,) = sessions(tmp_path, *rows)
    return found


@pytest.mark.parametrize(
    ("content", "error", "extra", "status", "code"),
    [
        ("fine", False, {}, "ok", 0),
        ("Exit code 127\nnot found", True, {}, "failed", 127),
        ("Error: Exit code 2", True, {}, "failed", 2),
        ("", False, {"toolUseResult": {"returnCodeInterpretation": "No matches found"}}, "ok", 1),
        ("", False, {"toolUseResult": {"interrupted": True}}, "unknown", None),
        ("running", False, {"toolUseResult": {"backgroundTaskId": "b1"}}, "unknown", None),
        ("Command timed out after 2m", True, {}, "failed", None),
        ("[Request interrupted by user for tool use]", True, {}, "unknown", None),
        ("<tool_use_error>Sibling tool call errored</tool_use_error>", True, {}, "not-run", None),
        ("The user doesn't want to proceed with this tool use.", True, {}, "not-run", None),
        ("Permission to use Bash has been denied.", True, {}, "not-run", None),
        ([{"type": "text", "text": "Exit code 1\nx"}, {"type": "image"}], True, {}, "failed", 1),
    ],
)
def test_the_end_of_a_shell_call_is_told_by_its_result(
    content: Any, error: bool, extra: dict[str, Any], status: str, code: int | None, tmp_path: Path
) -> None:
    (event,) = only(tmp_path, use("t", command="make"), result("t", content, error, **extra)).events
    assert (event.status, event.exit_code) == (status, code)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("<tool_use_error>String to replace not found in file.</tool_use_error>", "failed"),
        ("<tool_use_error>InputValidationError: Edit failed</tool_use_error>", "not-run"),
        ("<tool_use_error>Sibling tool call errored</tool_use_error>", "not-run"),
    ],
)
def test_an_edit_that_was_tried_failed_and_one_that_was_not_did_not_run(
    content: str, status: str, tmp_path: Path
) -> None:
    (event,) = only(tmp_path, use("t", "Edit", file_path="a.py"), result("t", content, True)).events
    assert (event.tool_kind, event.status, event.exit_code) == ("edit", status, None)


def test_a_call_without_a_result_is_kept_and_did_not_come_back(tmp_path: Path) -> None:
    (event,) = only(tmp_path, use("t", command="make")).events
    assert (event.text, event.status, event.seconds) == ("make", "not-run", None)


def test_a_result_without_its_call_is_no_event(tmp_path: Path) -> None:
    assert sessions(tmp_path, result("t", "fine")) == []


def test_a_call_has_its_command_as_text_and_the_rest_as_arguments(tmp_path: Path) -> None:
    events = only(
        tmp_path,
        use("t", command="make", description="Build", timeout=5),
        use("p", "PowerShell", command="Get-Item"),
        use("w", "Write", file_path="a", content="b"),
    ).events
    assert [(event.text, event.tool, event.tool_kind, dict(event.arguments)) for event in events] == [
        ("make", "Bash", "shell", {"description": "Build", "timeout": "5"}),
        ("Get-Item", "PowerShell", "shell", {}),
        ("", "Write", "write", {"file_path": "a", "content": "b"}),
    ]


def test_usage_is_the_last_count_of_a_message_and_stands_on_its_first_event(tmp_path: Path) -> None:
    events = only(tmp_path, use("a", output_tokens=2), use("b", output_tokens=40), use("c", message="n")).events
    assert [event.usage and event.usage.output for event in events] == [40, None, 1]


@pytest.mark.parametrize(
    ("content", "more", "text"),
    [
        ("commit", {}, "commit"),
        ([{"type": "text", "text": "look"}, {"type": "image"}, {"type": "text", "text": "here"}], {}, "look\nhere"),
        ("<system-reminder>be brief</system-reminder>\ncommit", {}, "commit"),
        ([{"type": "text", "text": "go"}, {"type": "text", "text": "<system-reminder>x</system-reminder>"}], {}, "go"),
        ("<ide_opened_file>a.py</ide_opened_file>fix it", {}, "fix it"),
        (
            "<command-message>ship is running</command-message>\n<command-name>/ship</command-name>\n"
            "<command-args>now</command-args>",
            {},
            "/ship now",
        ),
    ],
)
def test_what_a_person_typed_is_a_prompt(content: Any, more: dict[str, Any], text: str, tmp_path: Path) -> None:
    (event,) = only(tmp_path, row("user", content, **more)).events
    assert (event.kind, event.text) == ("prompt", text)


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ("Caveat: generated", {"isMeta": True}),
        ("This session is being continued", {"isCompactSummary": True}),
        ("<command-name>/clear</command-name>\n<command-message>clear</command-message>", {}),
        ("<local-command-stdout>done</local-command-stdout>", {}),
        ("<task-notification>done</task-notification>", {}),
        ("<system-reminder>be brief</system-reminder>", {}),
        ([{"type": "image"}], {}),
    ],
)
def test_what_the_client_wrote_is_no_prompt(content: Any, more: dict[str, Any], tmp_path: Path) -> None:
    assert sessions(tmp_path, row("user", content, **more)) == []


def test_what_was_typed_while_the_agent_worked_is_a_prompt(tmp_path: Path) -> None:
    queued = {**row("user", ""), "type": "attachment", "attachment": {"type": "queued_command", "prompt": "and lint"}}
    assert [event.text for event in only(tmp_path, queued).events] == ["and lint"]


def test_a_sub_agent_is_a_session_of_its_own_in_every_form(tmp_path: Path) -> None:
    nested = {"type": "assistant", "message": use("n")["message"], "uuid": "n1", "timestamp": "2026-01-05T10:00:00Z"}
    progress = {
        **row("user", ""),
        "type": "progress",
        "data": {"type": "agent_progress", "agentId": "b", "message": nested},
    }
    chained = {**use("c"), "isSidechain": True, "uuid": "c1"}
    following = {**use("d"), "isSidechain": True, "uuid": "d1", "parentUuid": "c1"}
    inline = sessions(tmp_path, use("main"), progress, chained, following)
    assert {(found.id, found.parent, " ".join(event.id for event in found.events)) for found in inline} == {
        ("s", "", "main"),
        ("s/b", "s", "n"),
        ("s/c1", "s", "c d"),
    }
    own_file = sessions(tmp_path, {**use("n"), "isSidechain": True, "agentId": "b"}, name="agent-b.jsonl")
    assert len(merge([*inline, *own_file])) == 3


def test_rows_that_are_not_needed_are_neither_read_nor_counted_but_unknown_ones_are(tmp_path: Path) -> None:
    noise: list[dict[str, Any]] = [
        {"type": "file-history-snapshot", "snapshot": {}},
        {"type": "progress", "data": {"type": "bash_progress", "output": "x"}, "sessionId": "s"},
        {"type": "system", "subtype": "compact_boundary", "logicalParentUuid": "u1", "parentUuid": None},
    ]
    assert only(tmp_path, row("user", "go"), *noise).skipped == {}
    assert only(tmp_path, row("user", "go"), {"type": "hologram"}).skipped == {"unknown row": 1}


def test_a_grown_snapshot_holds_what_every_shorter_one_held(tmp_path: Path) -> None:
    rows = [row("user", "go"), use("a", output_tokens=1), use("b", output_tokens=9), result("a", "fine"),
            result("b", "Exit code 1", True), use("c", message="n")]  # fmt: skip
    whole = sessions(tmp_path, *rows)
    for end in range(1, len(rows)):
        assert merge([*sessions(tmp_path, *rows[:end]), *whole]) == merge(whole)


def test_events_stand_in_the_order_of_time(tmp_path: Path) -> None:
    early, late = use("early"), use("late")
    assert [event.id for event in only(tmp_path, late, early).events] == ["early", "late"]


def test_ids_lost_to_redaction_are_replaced_by_the_rows_own(tmp_path: Path) -> None:
    call = {**use("REDACTED", command="make"), "uuid": "a7"}
    answer = result("REDACTED", "Exit code 3", True, sourceToolAssistantUUID="a7")
    (event,) = only(tmp_path, call, answer).events
    assert (event.id, event.exit_code) == ("a7", 3)


@pytest.mark.parametrize(
    ("more", "origin"),
    [
        ({"entrypoint": "cli"}, "person"),
        ({}, "person"),
        ({"entrypoint": "sdk-ts"}, "machine"),
        ({"entrypoint": "sdk-ts", "origin": {"kind": "human"}}, "person"),
    ],
)
def test_a_session_driven_by_a_program_is_told_from_a_persons(
    more: dict[str, Any], origin: str, tmp_path: Path
) -> None:
    assert only(tmp_path, row("user", "go", **more)).origin == origin


def test_sessions_are_found_where_the_agent_keeps_them_or_is_told_to(tmp_path: Path) -> None:
    for folder in (tmp_path / ".claude", tmp_path / "other"):
        (folder / "projects/-home-ada").mkdir(parents=True)
        (folder / "projects/-home-ada/s.jsonl").touch()
        (folder / "history.jsonl").touch()
    assert list(find(tmp_path, {})) == [tmp_path / ".claude/projects/-home-ada/s.jsonl"]
    assert list(find(tmp_path, {"CLAUDE_CONFIG_DIR": str(tmp_path / "other")})) == [
        tmp_path / "other/projects/-home-ada/s.jsonl"
    ]
