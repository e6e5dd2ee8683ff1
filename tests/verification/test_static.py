"""What the command policy lets pass and what it does not."""

from dataclasses import replace

import pytest

from meta.model import Check, Tool, Workflow, WorkflowStep
from meta.verification import static
from tests.verification.sample import GATE, GATE_TOOL, SAVE, SAVE_TOOL, fixed, tool, workflow


def test_a_right_tool_has_no_finding() -> None:
    assert static.policy(GATE_TOOL, GATE) == []
    assert static.policy(SAVE_TOOL, SAVE) == []


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("import requests", "imports requests, which is not in the standard library"),
        ("from .other import x", "imports .other, which is not in the standard library"),
        ("import socket", "imports socket"),
        ("from urllib.request import urlopen", "imports urllib.request"),
        ("import ctypes as c", "imports ctypes"),
        ("from os import *", "imports all of os"),
        ("eval('1')", "uses eval"),
        ("x = exec", "uses exec"),
        ("__import__('os')", "uses __import__"),
        ("import os\nos.system('ls')", "uses os.system"),
        ("import os as o\no.execv('/bin/ls', [])", "uses os.execv"),
        ("from os import popen as p\np('ls')", "uses os.popen"),
        ("import os\ngetattr(os, 'sys' + 'tem')", "hands on the module os"),
        ("import subprocess as sp\nsp.getoutput('ls')", "uses subprocess.getoutput"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "passes shell="),
        ("import subprocess\nsubprocess.run(['bun'], shell=1 > 0)", "passes shell="),
        ("import subprocess\nsubprocess.run(['bun'], **{'shell': True})", "passes shell="),
        ("import subprocess\nsubprocess.run(['curl', 'x'])", "runs curl, which was not recorded"),
        ("import subprocess\nX = ['rm', '-rf']\nsubprocess.run(X + ['.'])", "runs rm, which was not recorded"),
        ("run('lint', ['curl'])", "runs curl, which was not recorded"),
        ("run('lint', *([name, 'x'] for name in y))", "runs a program that is not a constant"),
        ("run(['bash', '-c', 'curl x'])", "runs bash, which was not recorded"),
        ("def argv(command):\n    return ['bash', '-c', 'curl x']", "runs bash, which was not recorded"),
        ("def argv(command):\n    return ['curl', *command]", "runs curl, which was not recorded"),
        ("run(['bun'] if x else ['wget'])", "runs wget, which was not recorded"),
    ],
)
def test_a_breach_is_found(line: str, finding: str) -> None:
    assert finding in [found.partition(": ")[2] for found in static.policy(line, GATE)]


@pytest.mark.parametrize(
    "line",
    [
        "import subprocess\nsubprocess.run(['bun', 'run', 'test'], shell=False)",
        "import re\nre.compile('x')",
        "list(['a', 'b'])",
        "parser.add_argument('x', choices=['curl', 'wget'])",
        "def argv(command):\n    return ['bash', '-c', script, 'gate', *command]",
        "run('lint', ['bun', *more])",
    ],
)
def test_an_ordinary_line_passes(line: str) -> None:
    assert static.policy(line, GATE) == []


def test_shell_text_is_constant_or_a_recorded_line_of_the_script() -> None:
    pasted = "run('lint', ['bun', Shell('| ' + name)])"
    assert static.policy(pasted, GATE) == ["line 1: makes shell text of a value"]
    assert static.policy(pasted.replace("+ name", ""), GATE) == []


@pytest.mark.parametrize(("line", "passed"), [("bun run lint", True), ("bun run lint; curl x", False)])
def test_a_script_holds_recorded_lines_only(line: str, passed: bool) -> None:
    made = tool("def main(words):\n    run('lint', [Shell(words)])\n", GATE)
    scripted = replace(made, files={**made.files, "tool.sh": f"#!/bin/bash\nset -e\n\n# step: lint\n{line}\n"})
    assert {c.name: c.passed for c in static.check(scripted, GATE)}["policy"] is passed
    assert {c.name: c.passed for c in static.check(made, GATE)}["policy"] is False


def test_a_tool_that_does_not_parse_is_not_looked_at_further() -> None:
    (check,) = static.check(tool("def :", GATE), GATE)
    assert (check.name, check.passed) == ("parses", False)


def test_an_unused_name_fails_the_lint_and_a_tidy_tool_does_not() -> None:
    lint = {c.name: c for c in static.check(tool("import os\n" + GATE_TOOL, GATE), GATE)}["lint"]
    assert lint.passed is False
    assert "F401" in lint.detail
    assert {c.name: c.passed for c in static.check(tool(GATE_TOOL, GATE), GATE)}["lint"]


def declaring(source: str, effects: str, of: Workflow = GATE) -> Tool:
    made = tool(source, of)
    return replace(made, files={**made.files, "tool.toml": f'name = "{of.name}"\neffects = [{effects}]\n'})


def policy_check(made: Tool, of: Workflow = GATE) -> Check:
    return next(check for check in static.check(made, of) if check.name == "policy")


def test_a_tool_that_declares_what_its_steps_may_do_passes() -> None:
    assert policy_check(declaring(GATE_TOOL, '"write-project"')).passed


def test_a_tool_that_declares_less_than_its_steps_may_do_is_found() -> None:
    check = policy_check(declaring(GATE_TOOL, '"read"'))
    assert not check.passed
    assert "tool.toml does not declare what the step test may do: write-project" in check.detail


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        pytest.param("run('x', ['bun', 'publish'])", "may destroy, network, which is not declared", id="another sub-command"),
        pytest.param("run('x', ['bun', 'add', name])", "may network, which is not declared", id="a value behind it"),
        pytest.param("FIX = ['bun', 'publish']\nrun('x', FIX)", "may destroy", id="a list under a name"),
        pytest.param("run('x', ['bun', 'run', 'x', Shell('> ~/.ssh/authorized_keys')])", "may privilege", id="shell text"),
    ],
)  # fmt: skip
def test_a_recorded_program_with_words_that_do_more_is_found(line: str, detail: str) -> None:
    assert detail in policy_check(declaring(line, '"write-project"')).detail


@pytest.mark.parametrize("line", ["run('x', ['bun', 'run', name])", "run('x', ['bun', 'test', *more])"])
def test_a_recorded_program_with_words_that_do_no_more_passes(line: str) -> None:
    assert policy_check(declaring(line, '"write-project"')).passed


DROP = workflow("drop", (WorkflowStep("drop", "command", "rm", 1.0, fixed("rm -rf build")),), (), [{}])


@pytest.mark.parametrize("asks", [True, False])
def test_what_destroys_asks_first(asks: bool) -> None:
    source = "run('drop', ['rm', '-rf', 'build'])\n" + ("parser.add_argument('--allow-destroy')\n" if asks else "")
    check = policy_check(declaring(source, '"destroy"', DROP), DROP)
    assert check.passed is asks
    assert asks or "the step drop may destroy without --allow-destroy" in check.detail


def test_what_no_tool_may_do_is_found_with_its_reason() -> None:
    of = workflow("pipe", (WorkflowStep("get", "command", "curl", 1.0, fixed("curl x.example | sh")),), (), [{}])
    assert "a shell runs what came from elsewhere" in policy_check(declaring("", '"network"', of), of).detail
