import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from meta.model import Session, Usage
from meta.sources import merge
from meta.sources.codex import find, read

STEP = count(1)
OLD, YOUNG = "0199a000-0000-7000-8000-000000000001", "0199b000-0000-7000-8000-000000000001"  # version 7: by time
OLD_TURN, YOUNG_TURN = "0199a000-0001-7000-8000-000000000002", "0199b000-0001-7000-8000-000000000002"


def row(kind: str, **payload: Any) -> dict[str, Any]:
    number = next(STEP)
    return {"timestamp": f"2026-01-05T10:{number // 60 % 60:02}:{number % 60:02}Z", "type": kind, "payload": payload}


def item(kind: str, **payload: Any) -> dict[str, Any]:
    return row("response_item", type=kind, **payload)


def meta(name: str = "s", **more: Any) -> dict[str, Any]:
    return row("session_meta", **{"id": name, "cwd": "/home/ada/engine", "source": "cli", **more})


def turn(name: str = "", **more: Any) -> dict[str, Any]:
    return row("turn_context", turn_id=name, model="m", **more)


def call(name: str, tool: str = "exec_command", **arguments: Any) -> dict[str, Any]:
    return item("function_call", name=tool, call_id=name, arguments=json.dumps(arguments))


def script(name: str, text: str) -> dict[str, Any]:
    return item("custom_tool_call", name="exec", call_id=name, input=text)


def output(name: str, text: Any, kind: str = "function_call_output") -> dict[str, Any]:
    return item(kind, call_id=name, output=text)


def typed(text: str) -> dict[str, Any]:
    return row("event_msg", type="user_message", message=text)


def tokens(total: int, last: int, cached: int = 0) -> dict[str, Any]:
    usage = {"input_tokens": last, "cached_input_tokens": cached, "output_tokens": 1, "total_tokens": last + 1}
    info = {"total_token_usage": {"total_tokens": total}, "last_token_usage": usage}
    return row("event_msg", type="token_count", info=info)


def sessions(tmp_path: Path, *rows: dict[str, Any], name: str = "rollout.jsonl") -> list[Session]:
    path = tmp_path / name
    path.write_text("".join(json.dumps(entry) + "\n" for entry in rows))
    return list(read(path))


def only(tmp_path: Path, *rows: dict[str, Any]) -> Session:
    (found,) = sessions(tmp_path, meta(), *rows)
    return found


@pytest.mark.parametrize(
    ("text", "status", "code", "body"),
    [
        ("Chunk ID: a1\nWall time: 1.5 seconds\nProcess exited with code 0\nOutput:\nfine\n", "ok", 0, "fine"),
        ("Exit code: 3\nWall time: 1 seconds\nOutput:\nfine", "failed", 3, "fine"),
        ('{"output":"fine","metadata":{"exit_code":1,"duration_seconds":0.5}}', "failed", 1, "fine"),
        (
            "Chunk ID: a1\nWall time: 9 seconds\nProcess running with session ID 7\nOutput:\nfine",
            "unknown",
            None,
            "fine",
        ),
        ("aborted by user after 29.7s", "failed", None, "aborted by user after 29.7s"),
        ("failed in sandbox: killed", "failed", None, "failed in sandbox: killed"),
        ("exec command rejected by user", "not-run", None, "exec command rejected by user"),
        ("Exit-free text\nExit status of nothing", "unknown", None, "Exit-free text\nExit status of nothing"),
        ([{"type": "input_text", "text": "Exit code: 2\nOutput:\nfine"}], "failed", 2, "fine"),
    ],
)
def test_the_end_of_a_shell_call_is_told_by_its_output(
    text: Any, status: str, code: int | None, body: str, tmp_path: Path
) -> None:
    (event,) = only(tmp_path, call("c", cmd="make"), output("c", text)).events
    assert (event.status, event.exit_code, event.output) == (status, code, body)


@pytest.mark.parametrize(
    ("tool", "arguments", "command"),
    [
        ("shell", {"command": ["bash", "-lc", "make test | tail"]}, "make test | tail"),
        ("shell", {"command": ["/usr/bin/zsh", "-c", "make"]}, "make"),
        ("shell", {"command": ["C:\\Tools\\pwsh.exe", "-NoProfile", "-Command", "Get-Item"]}, "Get-Item"),
        ("shell", {"command": ["ssh", "-c", "aes"]}, "ssh -c aes"),
        ("shell", {"command": ["git", "commit", "-m", "a b"]}, "git commit -m 'a b'"),
        ("shell_command", {"command": "make test"}, "make test"),
        ("exec_command", {"cmd": "make test"}, "make test"),
    ],
)
def test_every_form_of_a_shell_call_gives_its_command_line(
    tool: str, arguments: dict[str, Any], command: str, tmp_path: Path
) -> None:
    (event,) = only(tmp_path, call("c", tool, **arguments)).events
    assert (event.text, event.tool_kind) == (command, "shell")


def test_a_command_of_powershell_is_told_from_one_of_a_posix_shell(tmp_path: Path) -> None:
    rows = [
        call("a", "shell", command=["powershell.exe", "-Command", "ls"]),
        call("b", "shell", command=["bash", "-lc", "ls"]),
    ]
    assert [event.tool for event in only(tmp_path, *rows).events] == ["PowerShell", "shell"]


PATCH = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-a\n+b\n*** End Patch"


@pytest.mark.parametrize(
    "entry",
    [
        item("custom_tool_call", name="apply_patch", call_id="c", input=PATCH),
        call("c", "shell_command", command=f"apply_patch <<'EOF'\n{PATCH}\nEOF\n"),
        call("c", "shell_command", command=f"cd src && apply_patch <<'EOF'\n{PATCH}\nEOF"),
        call("c", "shell", command=["apply_patch", PATCH]),
        call("c", "shell", command=["bash", "-lc", f"applypatch <<'PATCH'\n{PATCH}\nPATCH"]),
        script("c", f"const p = {json.dumps(PATCH)}; text(await tools.apply_patch(p));"),
    ],
)
def test_a_patch_is_an_edit_however_it_is_applied(entry: dict[str, Any], tmp_path: Path) -> None:
    (event,) = only(tmp_path, entry).events
    assert (event.tool_kind, event.tool, event.text) == ("edit", "apply_patch", "")
    assert event.arguments == {"file_path": "src/a.py", "patch": PATCH}


def test_a_command_that_does_more_than_patch_stays_a_command(tmp_path: Path) -> None:
    (event,) = only(tmp_path, call("c", cmd=f"apply_patch <<'EOF'\n{PATCH}\nEOF\nmake test")).events
    assert event.tool_kind == "shell"


def test_a_process_that_goes_on_gets_its_status_from_the_call_that_saw_its_end(tmp_path: Path) -> None:
    rows = [
        call("c", cmd="make"), output("c", "Process running with session ID 7\nOutput:\none"),
        call("w", "write_stdin", session_id=7), output("w", "Process running with session ID 7\nOutput:\ntwo"),
        call("v", "write_stdin", session_id=7), output("v", "Process exited with code 4\nOutput:\nthree"),
    ]  # fmt: skip
    make, first, second = only(tmp_path, *rows).events
    assert (make.status, make.exit_code, make.output) == ("failed", 4, "one\ntwo\nthree")
    assert make.seconds == 5
    assert (first.tool_kind, second.tool_kind, second.exit_code) == ("other", "other", None)


def test_the_commands_of_a_script_are_events_of_one_message(tmp_path: Path) -> None:
    text = (
        'await tools.exec_command({cmd:"a", workdir:"src"}); await tools.exec_command({cmd:"b"}); tools.exec_command(o)'
    )
    found = only(
        tmp_path, script("c", text), output("c", [{"text": "Script completed\nWall time 1 seconds\nOutput:\n"}])
    )
    assert [(event.id, event.text, event.cwd) for event in found.events] == [
        ("c", "a", "/home/ada/engine/src"),
        ("c#1", "b", "/home/ada/engine"),
    ]
    assert len({event.message for event in found.events}) == 1
    assert {event.status for event in found.events} == {"unknown"}
    assert found.skipped == {"command only known to the script": 1}


def test_a_script_without_a_command_stays_one_call(tmp_path: Path) -> None:
    (event,) = only(tmp_path, script("c", "text(1 + 1)")).events
    assert (event.tool, event.tool_kind, event.text) == ("exec", "other", "")


def test_a_prompt_that_is_sent_and_typed_is_one(tmp_path: Path) -> None:
    def sent(text: str) -> dict[str, Any]:
        return item("message", role="user", content=[{"type": "input_text", "text": text}])

    rows = [sent("<environment_context>x</environment_context>"), sent("# AGENTS.md instructions for x"), sent("go")]
    assert [event.text for event in only(tmp_path, *rows, typed("go")).events] == ["go"]
    assert [event.text for event in only(tmp_path, *rows).events] == ["go"]


def test_what_an_editor_puts_before_a_prompt_is_taken_off(tmp_path: Path) -> None:
    text = "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nfix it\n"
    assert [event.text for event in only(tmp_path, typed(text)).events] == ["fix it"]


def test_usage_stands_once_a_response_and_repeated_counts_are_none(tmp_path: Path) -> None:
    rows = [
        call("a", cmd="x"), call("b", cmd="y"), tokens(10, 9, cached=4), output("a", "x"), output("b", "y"),
        tokens(10, 9, cached=4), call("c", cmd="z"), output("c", "z"), tokens(20, 7),
    ]  # fmt: skip
    events = only(tmp_path, *rows).events
    assert [event.usage for event in events] == [Usage(5, 1, 4), None, Usage(7, 1, 0)]
    assert [event.message for event in events] == ["s:r1", "s:r1", "s:r2"]


def test_without_token_counts_an_answer_ends_the_response(tmp_path: Path) -> None:
    rows = [call("a", cmd="x"), call("b", cmd="y"), output("a", "x"), output("b", "y"), call("c", cmd="z")]
    assert [event.message for event in only(tmp_path, *rows).events] == ["s:r1", "s:r1", "s:r2"]


def test_the_first_head_of_a_file_names_the_session(tmp_path: Path) -> None:
    found = only(tmp_path, typed("go"), meta("copy", cwd="/elsewhere"), typed("on"))
    assert (found.id, found.cwd, len(found.events)) == ("s", "/home/ada/engine", 2)


@pytest.mark.parametrize(
    "origin",
    [
        {"forked_from_id": OLD},
        {"source": {"subagent": {"thread_spawn": {"parent_thread_id": OLD, "depth": 1}}}},
    ],
)
def test_a_fork_holds_only_what_is_its_own(origin: dict[str, Any], tmp_path: Path) -> None:
    history = [turn(OLD_TURN), typed("go"), call("a", cmd="make")]
    own = [turn(YOUNG_TURN), typed("on"), call("b", cmd="lint")]
    (fork,) = sessions(tmp_path, meta(YOUNG, **origin), meta(OLD), *history, *own)
    assert (fork.id, fork.parent, [event.text for event in fork.events]) == (YOUNG, OLD, ["on", "lint"])


def test_a_session_that_is_no_fork_keeps_its_older_turns(tmp_path: Path) -> None:
    (found,) = sessions(tmp_path, meta(YOUNG), turn(OLD_TURN), typed("go"), turn(YOUNG_TURN), typed("on"))
    assert [event.text for event in found.events] == ["go", "on"]


def test_calls_that_a_fork_without_turn_ids_repeats_are_found_by_merging(tmp_path: Path) -> None:
    original = sessions(tmp_path, meta(OLD), call("a", cmd="make"))
    fork = sessions(tmp_path, meta(YOUNG, forked_from_id=OLD), call("a", cmd="make"), call("b", cmd="lint"))
    assert [[event.id for event in found.events] for found in merge([*fork, *original])] == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("more", "origin"),
    [({}, "person"), ({"source": "exec"}, "machine"), ({"originator": "codex_sdk_ts"}, "machine")],
)
def test_a_session_driven_by_a_program_is_told_from_a_persons(
    more: dict[str, Any], origin: str, tmp_path: Path
) -> None:
    (found,) = sessions(tmp_path, meta(**more), typed("go"))
    assert found.origin == origin


def test_the_remote_names_the_project(tmp_path: Path) -> None:
    (found,) = sessions(tmp_path, meta(git={"repository_url": "https://example.org/ada/motor.git"}), typed("go"))
    assert found.project == "motor"


def test_unknown_rows_are_counted_and_mirrors_are_not(tmp_path: Path) -> None:
    rows = [typed("go"), row("hologram"), item("hologram"), row("event_msg", type="agent_message", message="x")]
    assert only(tmp_path, *rows).skipped == {"unknown row": 2}


def test_a_grown_snapshot_holds_what_every_shorter_one_held(tmp_path: Path) -> None:
    rows = [meta(), typed("go"), call("a", cmd="x"), tokens(5, 4), output("a", "Exit code: 0\nOutput:\nx"),
            call("b", cmd="y"), output("b", "Process running with session ID 7\nOutput:\none"),
            call("w", "write_stdin", session_id=7), output("w", "Process exited with code 0\nOutput:\ntwo")]  # fmt: skip
    whole = sessions(tmp_path, *rows)
    for end in range(1, len(rows)):
        assert merge([*sessions(tmp_path, *rows[:end]), *whole]) == merge(whole)


def test_sessions_are_found_where_the_agent_keeps_them_or_is_told_to(tmp_path: Path) -> None:
    for name in (".codex/sessions/2026/01/05/rollout-1.jsonl", ".codex/archived_sessions/rollout-2.jsonl.zst",
                 ".codex/history.jsonl", "other/sessions/rollout-3.jsonl"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in find(tmp_path, {})] == ["rollout-2.jsonl.zst", "rollout-1.jsonl"]
    assert [path.name for path in find(tmp_path, {"CODEX_HOME": str(tmp_path / "other")})] == ["rollout-3.jsonl"]
