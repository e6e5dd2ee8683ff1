"""Which template suits, what is written beside the tool, and what is refused."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.generation.generate import generate
from meta.generation.manifest import diverse
from meta.generation.words import RefusedError
from meta.model import (
    Binding,
    Derivation,
    Fixed,
    Group,
    Hole,
    Occurrence,
    Parameter,
    Tool,
    Word,
    Workflow,
    WorkflowStep,
)
from meta.rendering import commands
from tests.generation.test_generated import call, load, ran
from tests.generation.workflows import DECISION, ESTIMATE, fixed, step, workflow


def made(of: Workflow, folder: Path) -> Tool:
    tool = generate(of, ESTIMATE, DECISION)
    for path, text in tool.files.items():
        (folder / path).write_text(text)
    return tool


def test_the_template_follows_from_the_steps(tools: dict[str, Tool]) -> None:
    assert {kind: tool.template for kind, tool in tools.items() if tool.template != "python-script"} == {
        "hybrid": "hybrid",
        "script": "bash-script",
    }


def test_a_gate_is_short(tools: dict[str, Tool]) -> None:
    assert tools["gate"].files["tool.py"].count("\n") <= 120


def test_the_manifest_tells_numbers_and_ids(tools: dict[str, Tool]) -> None:
    told = tomllib.loads(tools["commit"].files["tool.toml"])
    assert told["provenance"]["workflow"] == "wf:3f9c2a"
    assert told["evidence"]["runs"][0] == {"agent": "claude", "session": "s0", "events": ["e0"]}
    assert told["estimate"]["sources"] == {"runs_per_week": "measured"}
    assert [p["option"] for p in told["parameters"]] == ["--paths", "--amend", "--message", "--branch", "--push"]
    assert "one line" not in tools["commit"].files["tool.toml"]


def test_the_answers_name_no_place_of_this_machine(tools: dict[str, Tool]) -> None:
    answers = tools["gate"].files[".copier-answers.yml"]
    assert "_src_path: templates/python-script\n" in answers
    assert str(Path.home()) not in answers


def test_the_evidence_has_each_shape_before_more_of_the_same() -> None:
    same: list[dict[str, Binding]] = [{"message": f"m{n}"} for n in range(30)]
    shapes: list[dict[str, Binding]] = [*same, {"failed": ["x"]}]
    runs = [Occurrence(f"s{n}", "a", (), b, (str(n),)) for n, b in enumerate(shapes)]
    assert [run.session for run in diverse(runs, 3)] == ["s0", "s30", "s1"]
    assert diverse([replace(runs[0], commands=("x" * 5000,))]) == []


def test_text_that_looks_like_a_template_stays_text(tmp_path: Path) -> None:
    hostile = "{{ 7*7 }}{% raw %}${{ x }}"
    of = workflow(
        (step("say", "echo", fixed(hostile, "double"), Hole("x", prefix="{{x}}=")),), (Parameter("x", "str"),), ()
    )
    made(of, tmp_path)
    expected = commands(of.steps, of.parameters, {"x": hostile})
    assert call(load(tmp_path), "--x", hostile, "--dry-run") == (0, expected[0] + "\n")


def test_a_secret_may_come_from_the_environment(
    tmp_path: Path, programs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = programs("upload")
    of = workflow((step("upload", "upload --token", Hole("api_token")),), (Parameter("api_token", "secret"),), ())
    made(of, tmp_path)
    monkeypatch.setenv("API_TOKEN", "s3cret")
    code, printed = call(load(tmp_path), "--json")
    assert (code, ran(notes)) == (0, [["upload", "--token", "s3cret"]])
    assert "s3cret" not in printed
    monkeypatch.delenv("API_TOKEN")
    load.cache_clear()
    with pytest.raises(SystemExit):
        call(load(tmp_path))


def test_what_was_found_is_passed_on_at_a_pause(tmp_path: Path, programs: Callable[..., Path]) -> None:
    programs("gh", "echo opened 12")
    number = Parameter("pr_number", "str", "output", derivation=Derivation("open", (("regex", r"\d+"),)))
    of = workflow(
        (
            step("open", "gh pr create"),
            WorkflowStep("think", "judgement", "", 1.0),
            step("merge", "gh pr merge", Hole("pr_number")),
        ),
        (number,),
        ({"pr_number": "3"},),
    )
    made(of, tmp_path)
    printed = call(load(tmp_path), "--allow-network")[1]
    assert printed.endswith(
        "look at the result and decide. Then go on with the same options and --from merge --pr-number 12\n"
    )
    assert call(load(tmp_path), "--from", "merge", "--pr-number", "12", "--allow-network")[0] == 0


@pytest.mark.parametrize("judged", [0.2, 0.9])
def test_only_thinking_that_is_usual_stops_a_run(judged: float, tmp_path: Path) -> None:
    think = WorkflowStep("think", "judgement", "edit *.py", judged)
    tool = made(workflow((think, step("a", "make a"), think, step("b", "make b"), think)), tmp_path)
    assert tool.template == ("hybrid" if judged > 0.5 else "python-script")
    assert tool.files["tool.py"].count("pause(") == (2 if judged > 0.5 else 0)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param((), "no command", id="nothing to run"),
        pytest.param((step("go", "cd sub"),), "changes the shell itself", id="a folder is lost with its shell"),
        pytest.param((step("set", "A=1"),), "changes the shell itself", id="a variable is lost with its shell"),
        pytest.param(
            (step("x", "cat", Hole("x", prefix=">")),), "inside shell syntax", id="a value after a redirection"
        ),
        pytest.param((step("x", "cat", Hole("nobody")),), "no parameter", id="a value that nobody gives"),
        pytest.param((step("x", "cat", Hole("flag")),), "is no text", id="a flag as a word"),
    ],
)
def test_what_cannot_be_done_again_is_refused(steps: tuple[WorkflowStep, ...], reason: str) -> None:
    of = workflow(steps, (Parameter("x", "str"), Parameter("flag", "bool")), ())
    with pytest.raises(RefusedError, match=reason):
        generate(of, ESTIMATE, DECISION)


def test_a_parameter_must_not_hide_an_option_of_every_tool() -> None:
    of = workflow((step("logs", "docker logs --tail", Hole("tail")),), (Parameter("tail", "int"),), ())
    with pytest.raises(RefusedError, match="rename"):
        generate(of, ESTIMATE, DECISION)


def test_a_name_that_python_has_taken_is_still_an_option(tmp_path: Path) -> None:
    parameters = tuple(Parameter(name, "str") for name in ("run", "class", "re", "given", "item"))
    of = workflow((step("say", "say", *(Hole(p.name) for p in parameters)),), parameters, ())
    made(of, tmp_path)
    options = [word for p in parameters for word in ("--" + p.name, p.name)]
    assert call(load(tmp_path), *options, "--dry-run") == (0, "say run class re given item\n")


def test_templates_of_a_workspace_come_before_our_own(tmp_path: Path) -> None:
    own = tmp_path / "python-script"
    (own / "files").mkdir(parents=True)
    (own / "copier.yml").write_text(
        '_subdirectory: files\n_templates_suffix: .jinja\nversion:\n  type: str\n  default: "9"\n'
    )
    (own / "files" / "tool.py.jinja").write_text('print("{{ name }}")\n')
    tool = generate(workflow((step("a", "make a"),)), ESTIMATE, DECISION, templates=tmp_path)
    assert (tool.version, tool.files["tool.py"]) == ("9", 'print("build")\n')


def test_a_missing_template_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from meta.generation import render

    with pytest.raises(UserError, match="no template 'nothing'"):
        render.folder(tmp_path, "nothing")


def test_an_optional_word_without_its_value_says_so(tmp_path: Path) -> None:
    group = Group("deep", (Fixed(Word("-k", "-k")), Hole("word", "double")))
    of = workflow((step("test", "pytest", group),), (Parameter("deep", "bool"), Parameter("word", "str")), ())
    made(of, tmp_path)
    assert call(load(tmp_path), "--dry-run") == (0, "pytest\n")
    with pytest.raises(SystemExit, match="lacks a value"):
        call(load(tmp_path), "--deep", "--dry-run")


def test_the_evidence_beside_the_tool_is_small_and_ordered(tools: dict[str, Tool]) -> None:
    told = json.loads(tools["gate"].files["evidence.json"])
    assert told["runs"][0]["commands"] == ["bun run test", "bun run lint"]
    assert len(tools["gate"].files["evidence.json"]) < 2000
