import json
from pathlib import Path
from typing import Any

import pytest

from meta.model import Event, Session, Usage
from meta.sources.gemini import read, source

HEADER = {"sessionId": "g", "projectHash": "ab", "startTime": "2026-01-01T10:00:00Z"}


def message(number: int, kind: str = "user", content: Any = None, **more: Any) -> dict[str, Any]:
    text = [{"text": f"say {number}"}] if content is None else content
    return {"id": str(number), "timestamp": f"2026-01-01T10:00:{number:02}Z", "type": kind, "content": text, **more}


def log(tmp_path: Path, *rows: dict[str, Any], name: str = "session-1.jsonl") -> Session:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item) + "\n" for item in [HEADER, *rows]))
    (found,) = read(path)
    return found


def texts(session: Session) -> list[str]:
    return [event.text for event in session.events]


def shell(tmp_path: Path, output: str, status: str = "success", **given: Any) -> Event:
    part = {"functionResponse": {"response": {"output": output}}}
    tool = {
        "id": "t",
        "name": "run_shell_command",
        "args": {"command": "make", **given},
        "status": status,
        "result": [part],
    }
    (event,) = log(tmp_path, message(1, "gemini", "", toolCalls=[tool])).events
    return event


def test_a_message_with_a_known_id_replaces_it(tmp_path: Path) -> None:
    assert texts(log(tmp_path, message(1), message(2), message(1, content="new"))) == ["new", "say 2"]


def test_a_rewind_takes_back_the_message_and_what_follows(tmp_path: Path) -> None:
    rows = [message(1), message(2), message(3), {"$rewindTo": "2"}, message(4)]
    assert texts(log(tmp_path, *rows)) == ["say 1", "say 4"]


def test_a_rewind_to_an_unknown_message_takes_back_all(tmp_path: Path) -> None:
    assert texts(log(tmp_path, message(1), {"$rewindTo": "9"}, message(2))) == ["say 2"]


def test_a_set_may_replace_all_messages_and_the_log_goes_on(tmp_path: Path) -> None:
    rows = [message(1), message(2), {"$set": {"messages": [message(7)]}}, message(8)]
    assert texts(log(tmp_path, *rows)) == ["say 7", "say 8"]


def test_a_set_of_other_fields_keeps_the_messages(tmp_path: Path) -> None:
    assert texts(log(tmp_path, message(1), {"$set": {"lastUpdated": "x"}})) == ["say 1"]


def test_a_log_of_only_its_header_has_no_events(tmp_path: Path) -> None:
    assert log(tmp_path).events == ()


OLD = "Command: make\nDirectory: {}\nStdout: x\nStderr: (empty)\nError: (none)\nExit Code: {}\nSignal: {}"


@pytest.mark.parametrize(
    ("output", "status", "exit_code"),
    [
        (OLD.format("(root)", 0, "(none)"), "ok", 0),
        (OLD.format("(root)", 1, "(none)"), "failed", 1),
        (OLD.format("(root)", "(none)", "SIGTERM"), "failed", None),
        ("Output: done\nProcess Group PGID: 5", "ok", 0),
        ("<untrusted_context>\nOutput: no\nExit Code: 2\nProcess Group PGID: 5\n</untrusted_context>", "failed", 2),
        ("Output: Exit Code: 7\nmore\nProcess Group PGID: 5", "ok", 0),
        ("Output: x\nSignal: 15\nProcess Group PGID: 5", "failed", None),
        ("Command moved to background (PID: 7). Output hidden.", "unknown", None),
    ],
)
def test_the_exit_code_is_in_the_text_whatever_the_status_says(
    tmp_path: Path, output: str, status: str, exit_code: int | None
) -> None:
    event = shell(tmp_path, output)
    assert (event.status, event.exit_code) == (status, exit_code)


def test_a_cancelled_call_was_not_run(tmp_path: Path) -> None:
    assert shell(tmp_path, "", "cancelled").status == "not-run"


def test_tokens_are_counted_once_and_the_cached_ones_apart(tmp_path: Path) -> None:
    tokens = {"input": 100, "output": 5, "cached": 40, "thoughts": 2, "tool": 1, "total": 108}
    found = log(tmp_path, message(1, "gemini", "", tokens=tokens), message(1, "gemini", "Done.", tokens=tokens))
    assert [event.usage for event in found.events] == [Usage(61, 7, 40)]


def test_the_folder_is_noted_beside_the_chats_and_a_sub_agent_lies_below_its_parent(tmp_path: Path) -> None:
    (tmp_path / ".project_root").write_text("/home/ada/engine\n")
    found = log(tmp_path, {"$set": {"kind": "subagent"}}, message(1), name="chats/parent-1/sub.jsonl")
    assert (found.cwd, found.parent) == ("/home/ada/engine", "parent-1")
    assert log(tmp_path, message(1), name="chats/session-2.jsonl").parent == ""


def test_a_document_on_one_line_is_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(HEADER | {"messages": [message(1), "odd"]}))
    (found,) = read(path)
    assert (texts(found), found.skipped) == (["say 1"], {"not a message": 1})


def test_the_file_of_typed_prompts_is_no_session(tmp_path: Path) -> None:
    assert not source.sniff(tmp_path / "logs.json", b'[{"sessionId":"g","messageId":0,"type":"user","message":"x"}]')
