"""A verdict holds every check, whatever the earlier ones said, and never claims what was not run."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from meta.model import Check, Fixed, Parameter, Verdict, Word, WorkflowStep
from meta.verification import EXECUTED, sandbox, verify
from tests.verification.sample import GATE, GATE_TOOL, HEAD, SAVE, SAVE_TOOL, TAIL, TEST, tool, workflow

needs_sandbox = pytest.mark.skipif(sandbox.level() in ("limits", "none"), reason="there is no sandbox here")
ORDER = ["parses", "lint", "policy", "held out", *EXECUTED]


def by_name(verdict: Verdict) -> dict[str, Check]:
    return {check.name: check for check in verdict.checks}


@needs_sandbox
def test_a_right_tool_passes_every_check_that_can_be_made() -> None:
    verdict = verify(tool(SAVE_TOOL, SAVE), SAVE)
    assert [check.name for check in verdict.checks] == ORDER
    assert (verdict.state, verdict.isolation) == ("passed", sandbox.level())
    assert {check.name for check in verdict.checks if check.passed is None} == {"replay"}


@needs_sandbox
def test_a_failed_check_does_not_hide_the_later_ones() -> None:
    verdict = verify(tool("import socket\n" + SAVE_TOOL, SAVE), SAVE)
    assert [check.name for check in verdict.checks] == ORDER
    assert verdict.state == "failed"


@needs_sandbox
@pytest.mark.parametrize(
    ("test", "detail"),
    [
        pytest.param(TEST.replace('"a b")', '"a c")'), "FAILED", id="a test fails"),
        pytest.param("print('nothing')\n", "0 tests", id="there is no test in it"),
        pytest.param("import os\n\n\ndef test_it():\n    pass\n\n\nos.abort()\n", "exit code", id="it dies"),
    ],
)
def test_own_tests_that_prove_nothing_fail(test: str, detail: str) -> None:
    own = by_name(verify(tool(GATE_TOOL, GATE, test), GATE))["own tests"]
    assert own.passed is False
    assert detail in own.detail


@needs_sandbox
def test_a_workflow_that_foresees_few_of_its_own_runs_fails() -> None:
    assert by_name(verify(tool(SAVE_TOOL, SAVE), replace(SAVE, held_out=1)))["held out"].passed is False


LIE = """
import contextlib
with contextlib.suppress(OSError):
    open("/etc/tool", "w")
"""


@needs_sandbox
@pytest.mark.parametrize(
    ("lie", "effects", "passed", "detail"),
    [
        pytest.param(LIE, ("write-project",), False, "rehearsal: write-outside /etc/tool (by python", id="undeclared"),
        pytest.param(LIE, ("write-outside",), True, "write-outside as declared", id="declared"),
        pytest.param("", ("write-project",), True, "nothing was changed or reached", id="nothing"),
    ],
)
def test_what_a_tool_itself_does_beside_its_programs_is_held_against_its_effects(
    lie: str, effects: tuple[str, ...], passed: bool, detail: str
) -> None:
    made = replace(tool(lie + GATE_TOOL, GATE), effects=effects)
    check = by_name(verify(made, GATE))["effects"]
    assert check.passed is passed
    assert detail in check.detail
    assert "not traced: replay" in check.detail


COPY = replace(
    workflow(
        "copy",
        (
            WorkflowStep("make", "command", "mkdir", 1.0, tuple(Fixed(Word(w, w)) for w in ("mkdir", "-p", "out"))),
            WorkflowStep("copy", "command", "cp", 1.0, tuple(Fixed(Word(w, w)) for w in ("cp", "a.txt", "out/b.txt"))),
        ),
        (Parameter("none", "bool", default=False),),
        [{}, {}],
    ),
)
COPY_TOOL = (
    HEAD
    + """

def options(parser):
    parser.add_argument("--none", action="store_true")


def work(run, given):
    return run("make", ["mkdir", "-p", "out"]) and run("copy", ["cp", "a.txt", "out/b.txt"])
"""
    + TAIL
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("a")
    when = {"GIT_AUTHOR_DATE": "@1000000000 +0000", "GIT_COMMITTER_DATE": "@1000000000 +0000"}
    for argv in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True, env={**os.environ, **when})
    return tmp_path


@needs_sandbox
@pytest.mark.parametrize(
    ("started", "program", "effects", "passed", "detail"),
    [
        pytest.param(2e9, "cp", ("write-project",), True, "commit", id="the same files"),
        pytest.param(2e9, "", ("write-project",), False, "out/b.txt", id="a file is missing"),
        pytest.param(5e8, "cp", ("write-project",), None, "no commit is as old", id="recorded before the first commit"),
        pytest.param(None, "cp", ("write-project",), None, "no commit is as old", id="recorded without a time"),
        pytest.param(2e9, "cp", ("network",), None, "it may network", id="it may do more"),
    ],
)
def test_replay_compares_what_is_left_on_the_recorded_commit(
    repository: Path, started: float | None, program: str, effects: tuple[str, ...], passed: bool | None, detail: str
) -> None:
    of = replace(COPY, occurrences=tuple(replace(o, started=started) for o in COPY.occurrences))
    source = COPY_TOOL if program else COPY_TOOL.replace(' and run("copy", ["cp", "a.txt", "out/b.txt"])', "")
    made = replace(tool(source, of), effects=effects)
    check = by_name(verify(made, of, workspace=repository))["replay"]
    assert check.passed is passed, check.detail
    assert detail in check.detail
    assert bool(check.seconds) is (passed is True)


@needs_sandbox
def test_replay_says_nothing_of_a_tool_whose_commands_fail_by_themselves(repository: Path) -> None:
    (repository / "a.txt").rename(repository / "c.txt")
    when = {"GIT_COMMITTER_DATE": "@1500000000 +0000"}
    argv = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "two"]
    subprocess.run(argv, cwd=repository, check=True, env={**os.environ, **when})
    of = replace(COPY, occurrences=tuple(replace(o, started=2e9) for o in COPY.occurrences))
    check = by_name(verify(tool(COPY_TOOL, of), of, workspace=repository))["replay"]
    assert check.passed is None
    assert "do not end well" in check.detail


def moved(repository: Path, old: str, new: str, time: int) -> str:
    """The commit that renames a file."""
    (repository / old).rename(repository / new)
    when = {"GIT_COMMITTER_DATE": f"@{time} +0000"}
    for argv in (["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "move"]):
        subprocess.run(["git", *argv], cwd=repository, check=True, env={**os.environ, **when})
    head = ["git", "rev-parse", "HEAD"]
    return subprocess.run(head, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


@needs_sandbox
@pytest.mark.parametrize("joined", [True, False])
def test_a_run_that_committed_is_replayed_on_what_it_committed(repository: Path, joined: bool) -> None:
    moved(repository, "a.txt", "c.txt", 1_550_000_000)
    sha = moved(repository, "c.txt", "a.txt", 1_900_000_000)
    commit = sha if joined else "--output=stolen"
    of = replace(COPY, occurrences=tuple(replace(o, started=1.7e9, commit=commit) for o in COPY.occurrences))
    check = by_name(verify(tool(COPY_TOOL, of), of, workspace=repository))["replay"]
    assert check.passed is (True if joined else None), check.detail
    assert joined or "do not end well" in check.detail
    assert not (repository / "stolen").exists()


@needs_sandbox
@pytest.mark.parametrize("lies", [True, False])
def test_a_tool_that_behaves_while_it_is_rehearsed_is_found_out_in_the_replay(repository: Path, lies: bool) -> None:
    sly = LIE.replace("contextlib.suppress(OSError)", "contextlib.suppress(OSError), open('a.txt')")
    of = replace(COPY, occurrences=tuple(replace(o, started=2e9) for o in COPY.occurrences))
    made = tool(sly + COPY_TOOL if lies else COPY_TOOL, of)
    checks = by_name(verify(made, of, workspace=repository))
    assert checks["replay"].passed is True, checks["replay"].detail
    assert checks["effects"].passed is not lies
    expected = "replay: write-outside /etc/tool" if lies else "rehearsal and replay traced: 2 paths of the project"
    assert expected in checks["effects"].detail
