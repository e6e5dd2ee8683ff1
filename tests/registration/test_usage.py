"""Use of a tool is read back from sessions; what only looks like it is not counted."""

from typing import Any

import pytest

from meta.model import Event, Nudged, Session
from meta.registration.usage import Usage, nudged, usage

WEEK = 7 * 86_400.0


def session(*lines: str, **about: Any) -> Session:
    about = {"tool_kind": "shell", "status": "ok", **about}
    events = [Event(str(place), "call", place * WEEK, text=line, **about) for place, line in enumerate(lines)]
    return Session("ann", "s", tuple(events))


@pytest.mark.parametrize(
    ("line", "uses"),
    [
        pytest.param("python generated_tools/gate/tool.py", 1, id="called"),
        pytest.param("cd x && ./generated_tools/gate/tool.py --path a", 1, id="called in a list"),
        pytest.param("python generated_tools/gate/tool.py --dry-run", 0, id="rehearsed"),
        pytest.param("python generated_tools/gate/tool.py --help", 0, id="asked for help"),
        pytest.param("python generated_tools/gate-2/tool.py", 0, id="another tool"),
        pytest.param("python generated_tools/gate/tool.pyc", 0, id="another file"),
        pytest.param("ls generated_tools/gate", 0, id="looked at"),
    ],
)
def test_a_call_in_earnest_is_a_use(line: str, uses: int) -> None:
    assert usage("gate", [session(line)]).uses == uses


def test_failures_and_weeks_are_told_and_refused_calls_are_not_uses() -> None:
    call = "python generated_tools/gate/tool.py"
    found = usage("gate", [session(call, call, call, status="failed")])
    assert (found.uses, found.failures, found.weeks) == (3, 3, 2.0)
    assert [one.failed for one in found.calls] == [True, True, True]
    assert usage("gate", [session(call, status="not-run")]) == Usage()
    assert usage("gate", [session(call, tool_kind="edit")]) == Usage()


@pytest.mark.parametrize(
    ("tool", "uses"),
    [
        pytest.param("mcp__meta__gate_all", 1, id="as Claude and Codex name it"),
        pytest.param("mcp_meta_gate_all", 1, id="as Gemini names it"),
        pytest.param("mcp__meta__gate", 0, id="another tool"),
        pytest.param("mcp__other__gate_all", 0, id="another server"),
    ],
)
def test_a_call_of_the_served_tool_is_a_use(tool: str, uses: int) -> None:
    assert usage("gate-all", [session("", tool_kind="mcp", tool=tool)]).uses == uses


@pytest.mark.parametrize(
    ("told", "found"),
    [
        pytest.param({"s": 0.0}, Nudged(1, 1), id="told before the call"),
        pytest.param({"s": 2 * WEEK}, Nudged(1, 0), id="told after it"),
        pytest.param({"t": 0.0}, Nudged(1, 0), id="another session was told"),
        pytest.param({"s": 0.0, "t": 0.0}, Nudged(2, 1), id="one of two"),
        pytest.param({}, Nudged(0, 0), id="nobody was told"),
    ],
)
def test_a_nudge_was_taken_where_the_tool_is_called_later_in_that_conversation(
    told: dict[str, float], found: Nudged
) -> None:
    used = session("ls", "python generated_tools/gate/tool.py")
    assert nudged("gate", [used], told) == found
    below = Session("ann", "s/agent-1", used.events)
    assert nudged("gate", [below, used], told) == found
    assert nudged("gate", [session("ls", "python generated_tools/gate/tool.py --help")], told).taken == 0
