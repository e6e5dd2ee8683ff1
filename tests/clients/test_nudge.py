"""The real clients, told of a tool that exists: when a session starts, and when its steps are begun by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import meta, session, write
from tests.clients import agents
from tests.clients.agents import Agent, Ran
from tests.clients.test_clients import LINES, TOOL, asked, connected, home, hook_times, project, tools, worked_off

__all__ = ["home", "project"]  # fixtures
pytestmark = pytest.mark.clients

STEPS = LINES[:2]
PROGRAM = f"python3 generated_tools/{TOOL}/tool.py"
NUDGE = f"`{TOOL}` does these steps in one call: {PROGRAM} --help"
START = "Call these instead of running their steps one by one"
CALLED = (agents.CLAUDE, agents.CODEX)  # those with a hook behind each call


def equipped(agent: Agent, home: Path, project: Path, settings: str) -> dict[str, str]:
    """The environment of a client in a project that has a tool, in which nothing but hooks tells of it."""
    with (project / "meta.toml").open("a") as file:
        file.write(settings)
    environment = connected(agent, home, project)
    for number in range(8):
        by_hand = session(number)
        lines = iter([*LINES[:3], LINES[3].format(message=f"Change number {number}")])
        events = [replace(e, text=next(lines)) if e.tool_kind == "shell" else e for e in by_hand.events]
        write(home / "sessions", replace(by_hand, events=tuple(events)))
    for words in (("extract", str(home / "sessions")), ("accept", TOOL)):
        done = meta(*words, folder=project, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    (project / "AGENTS.md").unlink()
    return environment


def ran(agent: Agent, home: Path, project: Path, *lines: str) -> Ran:
    done = agents.run(agent, home, project, "Test and lint", [agent.shell(line) for line in lines])
    worked_off(project)
    return done


def conversation(ran: Ran) -> list[dict[str, Any]]:
    """What the model was asked, without the side jobs."""
    return [request["body"] for request in ran.requests if request["body"].get("tools")]


@pytest.mark.parametrize("agent", CALLED, ids=lambda agent: agent.name)
def test_the_second_step_by_hand_brings_the_tool_s_name_once_and_whether_it_is_taken_is_counted(
    agent: Agent, home: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = equipped(agent, home, project, "nudge = true\n")
    assert not asked(ran(agent, home, project, STEPS[0], "ls"), NUDGE)
    assert not asked(ran(agent, home, project, STEPS[1], STEPS[0]), NUDGE)
    told = conversation(ran(agent, home, project, STEPS[0], "ls", STEPS[1], *STEPS))
    first = next(place for place, body in enumerate(told) if NUDGE in json.dumps(body))
    assert STEPS[1] in json.dumps(told[first])
    assert STEPS[1] not in json.dumps(told[first - 1])
    assert json.dumps(told[-1]).count(NUDGE) == 1
    (project / "shop.py").write_text("price = 9\n")
    assert asked(ran(agent, home, project, *STEPS, f"{PROGRAM} --message 'Change the price'"), NUDGE)
    (tool,) = tools(project, environment)
    assert tool["nudged"] == {"shown": 2, "taken": 1}
    assert (tool["uses"], tool["failures"]) == (1, 0)
    with capsys.disabled():
        times = (
            f"{call_times(home)} ms, at the end of a turn {hook_times(home)} ms" if call_times(home) else "not recorded"
        )
        print(f"\n{agent.name}: hook behind a call {times}")


def call_times(home: Path) -> list[int]:
    """The milliseconds that a client wrote down for the hooks behind its calls."""
    rows = [json.loads(line) for path in home.rglob("*.jsonl") for line in path.read_text().splitlines()]
    notes = [row["attachment"] for row in rows if isinstance(row.get("attachment"), dict)]
    return sorted(
        note["durationMs"] for note in notes if note.get("hookEvent") == "PostToolUse" and "durationMs" in note
    )


@pytest.mark.parametrize("agent", CALLED, ids=lambda agent: agent.name)
def test_who_called_the_tool_is_not_told_of_it(agent: Agent, home: Path, project: Path) -> None:
    equipped(agent, home, project, "nudge = true\n")
    (project / "shop.py").write_text("price = 9\n")
    assert not asked(ran(agent, home, project, f"{PROGRAM} --message 'Change the price'", *STEPS), NUDGE)


@pytest.mark.parametrize("agent", agents.AGENTS, ids=lambda agent: agent.name)
@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_session_starts_with_the_tools_where_that_is_wanted(
    agent: Agent, on: bool, home: Path, project: Path
) -> None:
    equipped(agent, home, project, "nudge = true\n" if on else "")
    done = ran(agent, home, project, *STEPS)
    assert asked(done, START) == on
    assert asked(done, NUDGE) == (on and agent in CALLED)
