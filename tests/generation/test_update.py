"""A person's edits survive when a tool is rendered again."""

from __future__ import annotations

from dataclasses import replace

from meta.generation.generate import generate
from meta.generation.update import merge
from meta.model import Tool
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
