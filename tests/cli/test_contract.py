"""The JSON that agents read: exactly these keys, the same for the same sessions in whatever order they lie."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from meta.model import Event, Session
from tests.cli.conftest import Desk, snapshot, write

SURVEY = {"sessions", "events", "skipped", "workflows", "loops"}
WORKFLOW = {
    "id", "name", "project", "steps", "parameters", "support", "sessions", "occurrences", "estimate", "decision",
    "reason",
}  # fmt: skip
STEP = {"template", "presence", "kind"}
PARAMETER = {"name", "type", "source", "default", "examples"}
OCCURRENCE = {"session", "events", "bindings", "commands"}
ESTIMATE = {
    "runs_per_week", "minutes_per_run", "round_trips_per_run", "tokens_per_run", "usd_per_run", "automation",
    "build_minutes", "payback_weeks", "payback_interval", "sources",
}  # fmt: skip
TOOL = {"name", "workflow", "path", "verdict", "state"}


def check_workflow(workflow: dict[str, Any]) -> None:
    assert workflow.keys() == WORKFLOW
    assert workflow["decision"] in {"build", "keep-ad-hoc"}
    assert workflow["support"] == len(workflow["occurrences"])
    for step in workflow["steps"]:
        assert step.keys() >= STEP
        assert step["kind"] in {"command", "read", "edit", "judgement"}
    for parameter in workflow["parameters"]:
        assert parameter.keys() == PARAMETER
        assert parameter["source"] in {"caller", "constant", "derived", "output"}
    for occurrence in workflow["occurrences"]:
        assert occurrence.keys() == OCCURRENCE
    estimate = workflow["estimate"]
    assert estimate.keys() == ESTIMATE
    assert len(estimate["payback_interval"]) == 2
    assert set(estimate["sources"].values()) <= {"measured", "estimated", "assumed"}


def test_mine_tells_the_agreed_keys(desk: Desk, sessions: Path) -> None:
    found = desk.json("mine", sessions)
    assert found.keys() == SURVEY
    assert (found["sessions"], found["events"]) == (8, 48)
    assert found["workflows"]
    for workflow in [*found["workflows"], *found["loops"]]:
        check_workflow(workflow)


def test_the_recorded_habit_is_worth_a_tool_and_its_commands_are_told_as_recorded(desk: Desk, sessions: Path) -> None:
    best = desk.json("mine", sessions)["workflows"][0]
    assert best["decision"] == "build"
    assert "git commit -m 'Change number 3'" in [c for o in best["occurrences"] for c in o["commands"]]


def test_show_tells_one_workflow_in_the_same_keys(desk: Desk, sessions: Path) -> None:
    best = desk.json("mine", sessions)["workflows"][0]
    assert desk.json("show", best["name"], sessions) == best
    assert desk.json("show", best["id"], sessions) == best


def test_scan_tells_every_project_and_what_was_skipped(desk: Desk, sessions: Path) -> None:
    (sessions / "notes.txt").write_text("nothing of interest\n")
    assert desk.json("scan", sessions) == {
        "found": [
            {
                "project": "shop", "agent": "ann", "sessions": 8, "prompts": 8, "calls": 40, "shell": 32,
                "first": "2026-09-21", "last": "2026-09-23",
            }
        ],
        "skipped": {"unknown format": 1},
    }  # fmt: skip


def test_status_and_tools_of_a_new_workspace_are_empty(desk: Desk, repository: Path) -> None:
    desk("init")
    assert desk.json("tools") == []
    assert desk.json("status") == {
        "workspace": str(repository), "sessions": 0, "archived": 0, "tools": {}, "skipped": {},
        "waiting": [], "noted": 0, "put_aside": 0,
    }  # fmt: skip


def test_extract_tells_what_mine_does_and_the_tools_and_the_archive(
    desk: Desk, repository: Path, sessions: Path
) -> None:
    desk("init")
    mined = desk.json("mine", sessions)
    done = desk.json("extract", sessions, "--most", "1")
    assert done.keys() == SURVEY | {"tools", "lessons", "archived"}
    assert {key: done[key] for key in SURVEY} == mined
    assert len(done["archived"]) == 8
    assert all((repository / path).is_file() for path in done["archived"])
    (tool,) = done["tools"]
    assert tool.keys() >= TOOL
    assert tool["workflow"] == mined["workflows"][0]["id"]
    assert tool["path"] == f"generated_tools/{tool['name']}"


def test_mining_writes_nothing_into_the_current_folder_or_the_sessions(
    desk: Desk, repository: Path, sessions: Path
) -> None:
    before = snapshot(repository), snapshot(sessions)
    for command in ("mine", "scan"):
        desk(command, sessions)
        desk.json(command, sessions)
    assert (snapshot(repository), snapshot(sessions)) == before


def test_a_second_run_tells_the_same(desk: Desk, sessions: Path) -> None:
    assert desk("mine", sessions, "--json") == desk("mine", sessions, "--json")


@pytest.mark.parametrize("seed", range(3))
def test_where_the_files_lie_and_how_often_does_not_matter(
    desk: Desk, sessions: Path, tmp_path: Path, seed: int
) -> None:
    shuffled = tmp_path / "shuffled"
    files = sorted(sessions.iterdir())
    random.Random(seed).shuffle(files)
    for number, file in enumerate(files):
        for copy in range(1 + number % 3):
            place = shuffled / str((number * 7) % 5) / f"{copy}-{number}.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    assert desk("mine", shuffled, "--json") == desk("mine", sessions, "--json")


def test_a_session_that_vanished_is_not_counted(desk: Desk, sessions: Path) -> None:
    desk("mine", sessions)
    (sessions / "s7.json").unlink()
    assert desk.json("mine", sessions)["sessions"] == 7


def test_two_sessions_are_not_a_habit(desk: Desk, sessions: Path) -> None:
    for number in range(2, 8):
        (sessions / f"s{number}.json").unlink()
    assert desk.json("mine", sessions)["workflows"] == []
    assert "Nothing repeats" in desk("mine", sessions)


def test_a_tool_that_was_called_shows_its_use_beside_what_was_predicted(
    desk: Desk, repository: Path, sessions: Path
) -> None:
    desk("init")
    desk("extract", sessions, "--most", "1")
    (tool,) = desk.json("tools")
    assert tool.keys() == {
        "name", "state", "description", "uses", "failures", "shadow", "nudged", "predicted", "realised", "update", "advice",
    }  # fmt: skip
    assert (tool["uses"], tool["failures"], tool["realised"]) == (0, 0, None)
    assert tool["predicted"] > 0
    desk("accept", tool["name"])
    call = Event(
        "u-0", "call", 1_791_000_000.0, f"python generated_tools/{tool['name']}/tool.py", "Bash", "shell", status="ok"
    )
    write(sessions, Session("ann", "u", (call,), project="shop"))
    desk("extract", sessions, "--most", "0")
    (after,) = desk.json("tools")
    assert (after["uses"], after["failures"]) == (1, 0)
    assert 0 < after["realised"] < after["predicted"]
