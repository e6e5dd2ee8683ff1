"""mini-swe-agent and SWE-agent."""

import json
from pathlib import Path
from typing import Any

import pytest

from meta.model import Event, Session, Usage
from meta.sources import mini_swe_agent, swe_agent


def mini(tmp_path: Path, messages: list[Any], **info: Any) -> Session:
    path = tmp_path / "i.traj.json"
    path.write_text(json.dumps({"info": {"mini_version": "2"} | info, "messages": messages, "instance_id": "i"}))
    assert mini_swe_agent.source.sniff(path, path.read_bytes())
    assert not swe_agent.source.sniff(path, path.read_bytes())
    (found,) = mini_swe_agent.read(path)
    return found


def answer(time: float, *commands: str) -> dict[str, Any]:
    actions = [{"command": command, "tool_call_id": f"c{n}"} for n, command in enumerate(commands)]
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    response = {"id": "r", "model": "m", "usage": usage}
    return {"role": "assistant", "content": "", "extra": {"actions": actions, "response": response, "timestamp": time}}


def result(call: str, code: int, time: float) -> dict[str, Any]:
    extra = {"returncode": code, "raw_output": "x", "timestamp": time}
    return {"role": "tool", "tool_call_id": call, "content": f"<returncode>{code}</returncode>", "extra": extra}


def test_the_actions_of_one_answer_are_one_message(tmp_path: Path) -> None:
    found = mini(tmp_path, [answer(10.0, "make", "rg x"), result("c0", 2, 12.5), result("c1", 1, 13.0)])
    assert [(event.text, event.status, event.exit_code, event.seconds) for event in found.events] == [
        ("make", "failed", 2, 2.5),
        ("rg x", "ok", 1, 3.0),
    ]
    assert [event.usage for event in found.events] == [Usage(6, 2, 4), None]
    assert {event.message for event in found.events} == {"r"}
    assert found.id == "i@10"


def test_a_run_of_a_benchmark_is_a_machines(tmp_path: Path) -> None:
    container = {"environment": {"image": "x", "cwd": "/testbed"}}
    assert mini(tmp_path, [], config=container).origin == "machine"
    assert mini(tmp_path, [], config={"environment": {"cwd": "/p"}}).origin == "person"


@pytest.mark.parametrize(
    "message",
    [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c0", "function": {"arguments": '{"command": "make"}'}}],
        },
        {"role": "assistant", "content": "```mswea_bash_command\nmake\n```"},
    ],
    ids=["tool calls", "a fence"],
)
def test_the_command_of_other_versions_is_found(tmp_path: Path, message: dict[str, Any]) -> None:
    observed = {"role": "user", "content": "<returncode>0</returncode>", "tool_call_id": "c0"}
    calls = [event for event in mini(tmp_path, [message, observed]).events if event.kind == "call"]
    assert [(event.text, event.status) for event in calls] == [("make", "ok")]


def test_arguments_that_are_no_json_give_no_call(tmp_path: Path) -> None:
    message = {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "function": {"arguments": "{"}}]}
    assert mini(tmp_path, [message, "odd"]).events == ()
    assert mini(tmp_path, [message, "odd"]).skipped == {"not a message": 1}


def step(action: str, observation: str = "", **state: str) -> dict[str, Any]:
    return {"action": action, "observation": observation, "thought": "", "state": {"working_dir": "/p"} | state}


def swe(tmp_path: Path, *steps: Any, **more: Any) -> tuple[Event, ...]:
    path = tmp_path / "i.traj"
    path.write_text(json.dumps({"environment": "main", "trajectory": steps} | more))
    (found,) = swe_agent.read(path)
    assert found.origin == "machine"
    return found.events


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("edit 10:12\nrm -r build\nfor x in y:\n    pass\nend_of_edit", "edit"),
        ("insert 'make'", "edit"),
        ("create a.py", "write"),
        ("open a.py 12", "read"),
        ('search_dir "make"', "search"),
        ("submit", "other"),
    ],
)
def test_a_command_of_its_editor_is_no_shell_call(tmp_path: Path, action: str, kind: str) -> None:
    (event,) = swe(tmp_path, step(action, "[File: a.py]", open_file="/p/a.py"))
    assert (event.tool_kind, event.text, event.status) == (kind, "", "ok")
    assert event.arguments == {"action": action, "file_path": "/p/a.py"}


def test_a_shell_command_is_one_with_an_unknown_end(tmp_path: Path) -> None:
    (event,) = swe(tmp_path, step("python -m pytest\n", "1 failed"))
    assert (event.tool_kind, event.text, event.status, event.cwd) == ("shell", "python -m pytest", "unknown", "/p")


def test_an_edit_that_was_refused_failed(tmp_path: Path) -> None:
    (event,) = swe(tmp_path, step("edit 1:1\nx\nend_of_edit", "Your proposed edit has introduced new syntax error(s)."))
    assert event.status == "failed"


def test_the_tokens_of_a_run_are_known_as_a_sum(tmp_path: Path) -> None:
    events = swe(tmp_path, step("ls"), "odd", info={"model_stats": {"tokens_sent": 9, "tokens_received": 2}})
    assert [event.usage for event in events] == [None, Usage(9, 2)]


def test_a_trajectory_of_another_kind_is_not_taken_for_one(tmp_path: Path) -> None:
    assert not swe_agent.source.sniff(tmp_path, b'{"trajectory": [{"x": 1}]}')
    assert not mini_swe_agent.source.sniff(tmp_path, b'{"info": {"id": "ses_1"}, "messages": []}')
