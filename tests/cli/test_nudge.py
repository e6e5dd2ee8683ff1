"""Where nudges are wanted the hook is told of the tools there are, and `meta tools` tells whether they were taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meta.model import Tool
from meta.nudge import rows, sessions
from meta.nudge.rows import Row
from meta.nudge.sessions import Shown
from meta.nudge.tools import first_steps
from tests.cli.conftest import Desk, session, write

TOOL = "test-lint-commit"
ROW = Row(TOOL, "test_lint_commit", ("pytest", "ruff check"))
ALL = ("--agent", "claude", "--agent", "codex", "--agent", "gemini")


def indexed(repository: Path) -> tuple[Row, ...]:
    assert (repository / rows.INDEX).exists()
    index = rows.read(repository)
    assert index is not None
    return index.rows


def wanted(desk: Desk, repository: Path, sessions: Path) -> None:
    """A tool is proposed in a workspace that wants nudges."""
    desk("init")
    (repository / "meta.toml").write_text("nudge = true\n")
    desk("extract", sessions, "--most", "1")


def test_the_hook_is_told_of_a_tool_from_its_registration_to_its_end(
    desk: Desk, repository: Path, sessions: Path
) -> None:
    wanted(desk, repository, sessions)
    assert not (repository / rows.INDEX).exists()
    desk("accept", TOOL)
    assert indexed(repository) == (ROW,)
    index = rows.read(repository)
    assert index is not None
    assert f"- `python3 generated_tools/{TOOL}/tool.py`: Run the tests" in index.listing
    desk("retire", TOOL)
    assert not (repository / rows.INDEX).exists()
    desk("undo")
    assert indexed(repository) == (ROW,)
    desk("undo")
    assert not (repository / rows.INDEX).exists()


def test_a_tool_that_came_otherwise_is_told_after_the_next_session(
    desk: Desk, repository: Path, sessions: Path
) -> None:
    wanted(desk, repository, sessions)
    desk("accept", TOOL)
    (repository / rows.INDEX).unlink()
    desk("extract", sessions, "--dry-run")
    assert not (repository / rows.INDEX).exists()
    desk("extract", sessions)
    assert indexed(repository) == (ROW,)


def test_where_nudges_are_not_wanted_the_hook_is_told_nothing(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init", *ALL)
    desk("extract", sessions, "--most", "1")
    desk("accept", TOOL)
    assert not (repository / rows.PLACE).exists()


def test_an_action_does_not_fail_for_what_the_hook_is_told(desk: Desk, repository: Path, sessions: Path) -> None:
    wanted(desk, repository, sessions)
    (repository / rows.PLACE).write_text("in the way")
    assert "accepted and registered" in desk("accept", TOOL)
    assert rows.read(repository) is None


def test_who_does_not_want_them_any_more_gets_none_after_the_next_session(
    desk: Desk, repository: Path, sessions: Path
) -> None:
    wanted(desk, repository, sessions)
    desk("accept", TOOL)
    (repository / "meta.toml").write_text("")
    desk("extract", sessions)
    assert not (repository / rows.INDEX).exists()


def hooks(repository: Path) -> dict[str, Any]:
    files = (".claude/settings.local.json", ".codex/hooks.json", ".gemini/settings.json")
    return {file: json.loads((repository / file).read_text())["hooks"].get("PostToolUse") for file in files}


def test_only_who_wants_nudges_gets_a_hook_behind_each_call_and_loses_it_with_the_others(
    desk: Desk, repository: Path
) -> None:
    desk("init", *ALL)
    assert list(hooks(repository).values()) == [None, None, None]
    (repository / "meta.toml").write_text("nudge = true\n")
    assert "hooks.PostToolUse" in desk("init", *ALL, "--dry-run")
    assert list(hooks(repository).values()) == [None, None, None]
    desk("init", *ALL)
    claude, codex, gemini = hooks(repository).values()
    assert gemini is None
    for (row,) in (claude, codex):
        assert row["matcher"] == "Bash|mcp__meta__.*"
        assert row["hooks"][0]["command"].endswith("meta hook")
    desk("uninstall")
    assert not (repository / ".codex/hooks.json").exists()
    assert not (repository / ".claude/settings.local.json").exists()


def test_whether_a_tool_was_taken_after_a_nudge_is_told(desk: Desk, repository: Path, sessions: Path) -> None:
    wanted(desk, repository, sessions)
    desk("accept", TOOL)
    assert desk.json("tools")[0]["nudged"] == {"shown": 0, "taken": 0}
    assert "told" not in desk("tools")
    later = [session(number) for number in range(20, 23)]
    line = f"python3 generated_tools/{TOOL}/tool.py --message x"
    took, before, never = (
        replace(each, events=(*each.events[:-1], replace(each.events[-1], text=line))) for each in later
    )
    never = replace(never, events=later[2].events)
    write(repository.parent / "later", took, before, never)
    desk("extract", repository.parent / "later")
    for each, place in ((took, -2), (before, -1), (never, -2)):
        time = each.events[place].time
        assert time is not None
        note(repository, Shown(each.id, TOOL, time + 1))
    note(repository, Shown("not-ended", TOOL, 1.0))
    note(repository, Shown("other", "another-tool", 1.0))
    (tool,) = desk.json("tools")
    assert tool["nudged"] == {"shown": 4, "taken": 1}
    assert "taken 1 of 4 times told" in desk("tools")


def note(repository: Path, shown: Shown) -> None:
    sessions.note(repository, shown)


def tool(work: list[str], *steps: tuple[str, float, str]) -> Tool:
    """A tool whose manifest tells this work and these steps (template, presence, when)."""
    lines = ["[provenance]", f"work = {json.dumps(work)}"]
    for template, presence, when in steps:
        lines += ["[[steps]]", 'kind = "command"', f"template = {json.dumps(template)}", f"presence = {presence}"]
        lines += [f"when = {json.dumps(when)}"] if when else []
    return Tool("gate", "wf:1", "python-script", "1", {"tool.toml": "\n".join(lines)}, "")


@pytest.mark.parametrize(
    ("made", "steps"),
    [
        pytest.param(tool(["pytest", "make lint"], ("pytest -q {path}", 1, ""), ("make lint", 1, "")), ("pytest", "make lint"), id="plain"),
        pytest.param(tool(["git pull", "pytest", "make"], ("git pull", 0.3, ""), ("pytest", 1, ""), ("make", 1, "")), ("pytest", "make"), id="without what is seldom done"),
        pytest.param(tool(["pytest", "ruff check --fix", "make"], ("pytest", 1, ""), ("ruff check --fix", 0.9, "lint failed"), ("make", 1, "")), ("pytest", "make"), id="without a repair"),
        pytest.param(tool(["git add", "git commit"], ("git status", 1, ""), ("git add -A", 1, ""), ("git [-c {x}] commit -m {m}", 1, "")), ("git add", "git commit"), id="without a look"),
        pytest.param(tool(["dev test", "dev lint"], ("./dev test", 1, ""), ("./dev lint {path...}", 1, "")), ("dev test", "dev lint"), id="learned sub-commands"),
        pytest.param(tool(["pytest", "pytest", "make"], ("pytest a", 1, ""), ("pytest b", 1, ""), ("make", 1, "")), ("pytest", "make"), id="the same twice"),
        pytest.param(tool(["pytest", "pytest"], ("pytest a", 1, ""), ("pytest b", 1, "")), (), id="but one thing"),
        pytest.param(tool([], ("git status", 1, ""), ("git diff", 1, "")), (), id="no work"),
        pytest.param(Tool("gate", "", "", "", {"tool.toml": "steps = 3\n[provenance]\nwork = 1"}, ""), (), id="edited"),
        pytest.param(Tool("gate", "", "", "", {"tool.toml": "half ="}, ""), (), id="broken"),
        pytest.param(tool(["a", "b"], ("a", 1, ""), ("b", 1, "")), ("a", "b"), id="short"),
    ],
)  # fmt: skip
def test_the_first_steps_are_the_two_first_different_things_that_most_runs_did(
    made: Tool, steps: tuple[str, ...]
) -> None:
    assert first_steps(made) == steps
