"""A right tool passes, and each way of being wrong is found."""

from pathlib import Path

import pytest

from meta.model import Check, Hole, Parameter, Workflow, WorkflowStep
from meta.verification import hostile, roundtrip, sandbox, trials
from tests.verification.sample import GATE, GATE_TOOL, HEAD, SAVE, SAVE_TOOL, TAIL, fixed, tool, workflow

pytestmark = pytest.mark.skipif(sandbox.level() in ("limits", "none"), reason="there is no sandbox here")


def checks(source: str, of: Workflow, folder: Path) -> dict[str, Check]:
    return {check.name: check for check in roundtrip.check(trials.write(tool(source, of), folder / "it"), of)[0]}


@pytest.mark.parametrize(("source", "of"), [(GATE_TOOL, GATE), (SAVE_TOOL, SAVE)], ids=["gate", "save"])
def test_a_right_tool_passes(source: str, of: Workflow, tmp_path: Path) -> None:
    found = checks(source, of, tmp_path)
    assert [check for check in found.values() if not check.passed] == []
    assert found["round trip"].detail == f"{of.support} of {of.support} recorded runs regenerated exactly"


def test_a_program_that_a_shell_has_built_in_is_compared_as_a_program(tmp_path: Path) -> None:
    step = WorkflowStep("say", "command", "echo", 1.0, (*fixed("echo -n"), Hole("text")))
    of = workflow("say", (step,), (Parameter("text", "str"),), [{"text": "hello"}, {"text": "a b"}])
    source = (
        HEAD
        + """

def options(parser):
    parser.add_argument("--text", required=True, type=plain)


def work(run, given):
    return run("say", ["echo", "-n", word(given.text)])
"""
        + TAIL
    )
    assert [check for check in checks(source, of, tmp_path).values() if not check.passed] == []
    silent = source.replace("subprocess.run(argv(command)).returncode == 0", "True")
    assert checks(silent, of, tmp_path / "silent")["rehearsal"].passed is False


def test_every_hostile_value_reaches_the_program_unchanged(tmp_path: Path) -> None:
    detail = checks(SAVE_TOOL, SAVE, tmp_path)["hostile values"].detail
    total = 3 * (len(hostile.HOSTILE) + 1)  # and an option for each, which one of them must refuse
    assert detail == f"{total - 1} of {total} values arrived unchanged, 1 refused"


def test_a_tool_that_takes_an_option_for_a_path_is_found(tmp_path: Path) -> None:
    found = checks(SAVE_TOOL.replace(", type=plain", ""), SAVE, tmp_path)["hostile values"]
    assert found.passed is False
    assert "for paths: it is taken for an option" in found.detail


@pytest.mark.parametrize(
    ("wrong", "right", "name"),
    [
        pytest.param('"lint"]', '"lint", "-q"]', "round trip", id="a line with another word"),
        pytest.param("print(line(command))", "print(line(command) + ' ')", "round trip", id="a space too many"),
        pytest.param("if given.types", "if not given.types", "round trip", id="a condition turned round"),
        pytest.param("name not in given.failed", "True", "round trip", id="a failure not heeded"),
        pytest.param("print(line(command))", "argv(command); subprocess.run(['bun'])", "round trip", id="no dry run"),
        pytest.param(".returncode == 0", ".returncode >= 0", "rehearsal", id="a failure does not end the run"),
        pytest.param("or given.dry_run else 1", "or given.dry_run else 0", "rehearsal", id="a failure is not reported"),
        pytest.param("run(argv(command))", "run(['bun', 'run'])", "rehearsal", id="it runs what it does not print"),
        pytest.param("given = parser", "raise SystemExit(3)\n    given = parser", "round trip", id="it ends at once"),
        pytest.param("import sys", "import nothing", "round trip", id="it cannot be loaded"),
    ],
)
def test_a_wrong_gate_is_found(wrong: str, right: str, name: str, tmp_path: Path) -> None:
    assert wrong in GATE_TOOL
    assert checks(GATE_TOOL.replace(wrong, right), GATE, tmp_path)[name].passed is False


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param("return before + text,", "return before + text.replace('  ', ' '),", id="spaces are lost"),
        pytest.param("return before + text,", "return before + text.strip('-'),", id="dashes are lost"),
        pytest.param("""|[$"`]'""", """|["]'""", id="the dollar is not escaped"),
    ],
)
def test_a_tool_that_lets_a_value_become_more_is_found(wrong: str, right: str, tmp_path: Path) -> None:
    assert wrong in SAVE_TOOL
    found = checks(SAVE_TOOL.replace(wrong, right), SAVE, tmp_path)
    assert any(check.passed is False for check in found.values())


def test_a_tool_that_pastes_a_value_into_a_shell_is_found_though_its_dry_run_is_right(tmp_path: Path) -> None:
    pasted = SAVE_TOOL.replace("run(argv(command))", """run(["bash", "-c", " ".join(argv(command))])""")
    found = checks(pasted, SAVE, tmp_path)
    assert found["round trip"].passed
    assert found["hostile values"].passed is False
