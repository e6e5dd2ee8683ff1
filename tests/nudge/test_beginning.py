"""A tool is named when its second step follows its first, and only then."""

from __future__ import annotations

import pytest

from meta.nudge.beginning import Begun, after
from meta.nudge.reading import commands
from meta.nudge.rows import Row

GATE = Row("gate", "gate", ("pytest", "ruff check"))
SHIP = Row("ship", "ship", ("pytest", "ruff check"))
SAVE = Row("save", "save", ("git add", "git commit"))


def told(*lines: str, rows: tuple[Row, ...] = (GATE, SAVE)) -> list[str]:
    """The tools that were named after each line, all in one turn."""
    begun, named = Begun(), []
    for line in lines:
        begun, row = after(begun, "t", commands(line), rows)
        named.append(row.name if row else "")
    return named


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        pytest.param(["pytest -q", "ruff check ."], ["", "gate"], id="one after the other"),
        pytest.param(["pytest -q && ruff check . && make"], ["gate"], id="in one line"),
        pytest.param(["pytest", "ls; sed -i s/a/b/ a", "git status", "ruff check"], ["", "", "", "gate"], id="with looking and edits between"),
        pytest.param(["pytest", "pytest -x", "ruff check"], ["", "", "gate"], id="the first again"),
        pytest.param(["ruff check", "pytest", "ruff check"], ["", "", "gate"], id="in the right order at last"),
        pytest.param(["pytest", "make", "pytest", "ruff check"], ["", "", "", "gate"], id="begun anew"),
        pytest.param(["pytest; git add .", "git commit -m x"], ["", "save"], id="the tool that was begun last"),
        pytest.param(["pytest", "ruff check", "git add a", "git commit"], ["", "gate", "", "save"], id="each tool"),
        pytest.param(["pytest"], [""], id="one step only"),
        pytest.param(["ruff check", "pytest"], ["", ""], id="the other order"),
        pytest.param(["pytest", "make", "ruff check"], ["", "", ""], id="other work between"),
        pytest.param(["pytest", "ruff format"], ["", ""], id="something like the second"),
        pytest.param(["pytest", "git commit"], ["", ""], id="the second of another"),
        pytest.param(["pytest", "ruff check", "pytest", "ruff check"], ["", "gate", "", ""], id="a second time"),
        pytest.param(["python3 generated_tools/gate/tool.py", "pytest", "ruff check"], ["", "", ""], id="the tool was called"),
        pytest.param(["pytest", "python3 generated_tools/gate/tool.py --help", "ruff check", "pytest", "ruff check"],
                     ["", "", "", "", ""], id="the tool is known"),
        pytest.param(["python3 generated_tools/save/tool.py", "pytest", "ruff check"], ["", "", "gate"], id="another tool was called"),
    ],
)  # fmt: skip
def test_a_tool_is_named_after_its_second_step(lines: list[str], named: list[str]) -> None:
    assert told(*lines) == named


def test_of_two_that_begin_alike_the_best_is_named_and_the_other_does_not_follow() -> None:
    assert told("pytest", "ruff check", "pytest", "ruff check", rows=(SHIP, GATE)) == ["", "ship", "", ""]


def test_a_tool_without_two_different_steps_is_never_named() -> None:
    assert told("pytest", "ruff check", rows=(Row("gate", "gate"),)) == ["", ""]


@pytest.mark.parametrize(("turn", "named"), [("t", True), ("u", False)])
def test_steps_of_different_turns_are_not_one_piece_of_work(turn: str, named: bool) -> None:
    begun, _ = after(Begun(), "t", commands("pytest"), (GATE,))
    assert (after(begun, turn, commands("ruff check"), (GATE,))[1] is not None) == named


def test_what_was_done_with_stays_so_in_the_next_turn() -> None:
    begun, _ = after(Begun("t", (), ("gate",)), "u", commands("pytest && ruff check"), (GATE,))
    assert begun == Begun("u", (), ("gate",))
