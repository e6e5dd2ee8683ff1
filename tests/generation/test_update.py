"""A person's edits survive when a tool is rendered again."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.generation.generate import generate
from meta.generation.update import add_parameter, merge
from meta.model import Tool
from tests.generation.test_generated import call, load
from tests.generation.workflows import DECISION, ESTIMATE, GATE, step


def test_edits_of_a_person_and_a_new_render_are_both_kept(tools: dict[str, Tool]) -> None:
    old = tools["gate"].files["tool.py"]
    edited = old.replace('"default": 20', '"default": 50')
    more = replace(GATE.workflow, steps=(*GATE.workflow.steps, step("build", "bun run build")))
    new = generate(more, ESTIMATE, DECISION, taken=()).files["tool.py"]
    merged = merge(old, edited, new)
    assert merged.conflicts == 0
    assert '"default": 50' in merged.text
    assert 'run("build", BUILD)' in merged.text


def test_the_same_line_changed_twice_is_a_conflict() -> None:
    merged = merge("a\n", "b\n", "c\n")
    assert merged.conflicts == 1
    assert merged.text == "<<<<<<< edited\nb\n=======\nc\n>>>>>>> generated now\n"


def test_what_only_one_side_changed_is_no_conflict() -> None:
    assert merge("a\r\nb", "a\r\nb", "c\r\nb").text == "c\r\nb"
    assert merge("a\n", "b\n", "a\n").text == "b\n"


@pytest.mark.parametrize("kind", ["gate", "script", "output", "hybrid"])
def test_an_added_parameter_reaches_the_function(kind: str, tools: dict[str, Tool]) -> None:
    source = tools[kind].files["tool.py"]
    changed = add_parameter(source, "dry_spell", flag=False, help="a new one")
    function = next(
        n
        for n in ast.walk(ast.parse(changed))
        if isinstance(n, ast.FunctionDef) and n.args.args and n.args.args[0].arg == "run"
    )
    assert function.args.kwonlyargs[-1].arg == "dry_spell"
    assert "dry_spell=given.dry_spell" in changed
    assert len(changed.splitlines()) == len(source.splitlines()) + 1


def test_a_tool_with_an_added_flag_takes_it(tools: dict[str, Tool], tmp_path: Path) -> None:
    changed = add_parameter(tools["gate"].files["tool.py"], "deep_check", flag=True, help="look deeper")
    (tmp_path / "tool.py").write_text(changed)
    assert call(load(tmp_path), "--deep-check", "--dry-run") == (0, "bun run test\nbun run lint\n")


def test_a_parameter_is_not_added_to_what_lost_its_shape() -> None:
    with pytest.raises(UserError, match="by hand"):
        add_parameter("OPTIONS = {}\n", "x", flag=True, help="")
