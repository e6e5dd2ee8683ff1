"""An eval passes where a document is found, says what is needed and proves it, and fails where one of these is gone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meta import examining
from meta.cli import main
from meta.errors import UserError
from meta.knowledge import evals, guides
from meta.knowledge.evals import Case, Run
from meta.knowledge.guides import Check, GuideError, parse
from meta.knowledge.search import Entry, Index
from meta.verification import sandbox

SHIPPED = {name: path for name, path in guides.places(None).items() if name.partition("/")[0] not in guides.LEARNED}
NEEDS_SANDBOX = pytest.mark.skipif(sandbox.level() in ("none", "limits"), reason="no sandbox here")
PIPES = """\
---
title: Pipes
when: a pipeline hides that a command failed
---
## Claims
- **last-decides**: The status of a pipe is that of its last command.
- **pipefail**: Set pipefail before it.
"""
CASES = """\
[[case]]
say = "the pipe was green"
needs = ["last-decides"]

[[case]]
say = "how do I make a pipeline tell that something in it failed"
needs = ["pipefail", "last-decides"]
held-out = true
"""


def asked(name: str) -> tuple[evals.Case, ...]:
    return evals.cases(SHIPPED[name].with_suffix(".cases.toml").read_text(), name)


def test_cases_are_read() -> None:
    first, second = evals.cases(CASES, "a.cases.toml")
    assert first == Case("the pipe was green", ("last-decides",))
    assert (second.needs, second.held_out) == (("pipefail", "last-decides"), True)
    assert evals.cases("", "a.cases.toml") == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(CASES.replace('needs = ["last-decides"]', ""), 1, id="a case that needs nothing"),
        pytest.param(CASES.replace("held-out = true", 'held-out = "yes"'), 5, id="a switch that is none"),
        pytest.param(CASES.replace("held-out", "heldout"), 5, id="a key nobody knows"),
        pytest.param(CASES.replace('["pipefail", "last-decides"]', "[]"), 5, id="an empty list"),
        pytest.param(CASES.replace('["last-decides"]', "last-decides"), 3, id="no TOML"),
        pytest.param(CASES.partition("\n\n")[0].replace("[[case]]", "[case]"), 1, id="one table for many"),
    ],
)
def test_what_is_wrong_with_cases_is_told_by_its_line(text: str, line: int) -> None:
    with pytest.raises(GuideError) as caught:
        evals.cases(text, "a.cases.toml")
    assert (caught.value.path, caught.value.line) == ("a.cases.toml", line)


@pytest.mark.parametrize(
    ("found", "text", "passed"),
    [
        pytest.param(["pipes.md"], PIPES, True, id="found first"),
        pytest.param(["a", "b", "pipes.md"], PIPES, True, id="found third"),
        pytest.param(["a", "b", "c", "pipes.md"], PIPES, False, id="found fourth"),
        pytest.param([], PIPES, False, id="not found"),
        pytest.param(["pipes.md"], PIPES.replace("- **last-decides**", "- **last**"), False, id="without the key line"),
    ],
)
def test_a_case_passes_only_where_document_and_key_line_are_there(found: list[str], text: str, passed: bool) -> None:
    judged = evals.judge(parse(text, "pipes.md"), evals.cases(CASES, "c")[:1], lambda say: found)
    assert [one.passed for one in judged] == [passed]


def outcome(code: str, *ok: bool) -> tuple[str, list[str]]:
    ran: list[str] = []

    def run(language: str, program: str) -> Run:
        ran.append(program)
        return Run(ok[len(ran) - 1], "said")

    return evals.prove(Check("python", code), run).state, ran


def test_a_check_has_to_pass_and_to_fail_with_each_thing_made_wrong() -> None:
    code = "a = 1  # fails with: a = 2\nif a:\n    b = 1  # fails with: b = 0\n"
    wrong = ["a = 2\nif a:\n    b = 1  # fails with: b = 0\n", "a = 1  # fails with: a = 2\nif a:\n    b = 0\n"]
    assert outcome(code, True, False, False) == ("passed", [code, *wrong])
    assert outcome(code, True, False, True) == ("cannot fail", [code, *wrong])
    assert outcome(code, False) == ("failed", [code])
    assert outcome("assert True\n") == ("cannot fail", [])
    assert outcome("import a_module_of_nobody\n") == ("skipped", [])
    assert evals.prove(None, lambda language, program: Run(False)).state == "none"


def test_a_check_that_is_not_run_is_no_case_and_says_why() -> None:
    proof = evals.prove(Check("shell", "true # fails with: false"), lambda *_: Run(False, skipped="no sandbox"))
    result = examining.Result("a.md", "1", "", (), proof)
    assert (proof.state, proof.why, result.rate.cases) == ("skipped", "no sandbox", 0)


def put(workspace: Path, name: str, text: str, cases: str) -> None:
    place = workspace / "knowledge" / f"{name}.md"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.with_suffix(".cases.toml").write_text(cases)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "meta.toml").touch()
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "shell/pipes", PIPES, CASES)
    return tmp_path


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = main(["eval", "shell/pipes", "--json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_a_change_that_lowers_the_rate_is_told_beside_the_old_one_until_it_is_mended(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = evaluated(capsys)
    assert status == 0
    (document,) = told["documents"]
    assert (document["path"], document["cases"], document["passed"]) == ("shell/pipes.md", 2, 2)
    assert (document["before"], document["held_out"]) == (None, {"cases": 1, "passed": 1})
    put(workspace, "shell/pipes", PIPES.replace("- **pipefail**: Set pipefail before it.\n", ""), CASES)
    for _ in range(2):
        status, told = evaluated(capsys)
        (document,) = told["documents"]
        assert (status, document["passed"], document["before"]) == (1, 1, {"cases": 2, "passed": 2})
        assert document["failures"][0]["missing"] == ["pipefail"]
    put(workspace, "shell/pipes", PIPES + "- **more**: And more.\n", CASES)
    status, told = evaluated(capsys)
    assert (status, told["documents"][0]["lowered"]) == (0, False)


def test_a_lower_rate_is_held_once_it_is_accepted_and_nothing_is_written_in_a_dry_run(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(capsys, "--dry-run")[0] == 0
    assert not (workspace / examining.RATES).exists()
    more = CASES.replace('"last-decides"', '"gone"')
    evaluated(capsys)
    kept = (workspace / examining.RATES).read_bytes()
    put(workspace, "shell/pipes", PIPES, CASES + more)
    assert evaluated(capsys, "--dry-run")[1]["documents"][0]["lowered"]
    assert (workspace / examining.RATES).read_bytes() == kept
    evaluated(capsys, "--accept")
    assert not evaluated(capsys)[1]["documents"][0]["lowered"]


def test_too_few_cases_fail_the_whole_and_not_a_single_document_that_never_did_better(workspace: Path) -> None:
    more = "".join(CASES.replace('"last-decides"', '"gone"') for _ in range(5))
    put(workspace, "shell/pipes", PIPES, more)
    assert examining.examine(workspace, ["shell/pipes"], dry_run=True).good
    assert not examining.examine(workspace, dry_run=True).good


def test_each_version_keeps_its_rate(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    versions = {evaluated(capsys)[1]["documents"][0]["version"]}
    put(workspace, "shell/pipes", PIPES.replace("- **pipefail**: Set pipefail before it.\n", ""), CASES)
    versions.add(evaluated(capsys)[1]["documents"][0]["version"])
    rates = json.loads((workspace / examining.RATES).read_text())["shell/pipes.md"]["versions"]
    assert (rates.keys(), sorted(rates.values())) == (versions, [[2, 1], [2, 2]])


@pytest.mark.parametrize("text", ["[", "[]", '{"a": 1}', '{"a": {"held": "x", "versions": {}}}'])
def test_rates_that_cannot_be_read_are_a_line_to_the_user(workspace: Path, text: str) -> None:
    (workspace / ".meta").mkdir()
    (workspace / examining.RATES).write_text(text)
    with pytest.raises(UserError, match="is damaged"):
        examining.examine(workspace, ["shell/pipes"])


def test_a_document_that_cannot_be_read_costs_itself_and_is_told(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(workspace, "shell/bad", "---\ntitle: x\n", "")
    capsys.readouterr()
    assert main(["eval", "knowledge/shell/bad.md", "shell/pipes"]) == 1
    told = capsys.readouterr().out
    assert "shell/bad.md:1: the front matter has no end" in told
    assert "2/2 cases pass" in told
    assert evaluated(capsys)[0] == 0, "nobody asked for the other"


def test_a_document_that_is_not_there_is_a_line_to_the_user(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "shell/nothing"]) == 1
    assert 'there is no document "shell/nothing"' in capsys.readouterr().err


def test_a_lesson_is_found_beside_documents_and_has_no_evals(workspace: Path) -> None:
    put(workspace, "lessons/green-pipe", '---\nclaim: "A pipe was green"\nwhen: "the pipe was green"\n---\n', "")
    found = examining.examine(workspace, ["shell/pipes"])
    assert found.results[0].judged[0].found[0] == "lessons/green-pipe.md"
    with pytest.raises(UserError, match="there is no document"):
        examining.examine(workspace, ["lessons/green-pipe"])


@NEEDS_SANDBOX
def test_a_check_runs_where_it_can_reach_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    reach = f"import pathlib\nassert not pathlib.Path({str(secret)!r}).exists()\n"
    assert examining.in_sandbox("python", reach).ok
    assert not examining.in_sandbox("python", reach.replace("not ", "")).ok
    assert examining.in_sandbox("shell", "set -o pipefail; ! false | cat").ok
    ended = examining.in_sandbox("python", "raise SystemExit('no')")
    assert (ended.ok, ended.said) == (False, "no")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_document_fails_its_eval_without_any_of_its_key_lines(name: str) -> None:
    text = SHIPPED[name].read_text()
    guide, cases = parse(text, name), asked(name)
    assert all(one.passed for one in evals.judge(guide, cases, lambda say: [name]))
    lines = text.splitlines(keepends=True)
    for claim in guide.claims:
        rest = "".join(lines[: claim.line - 1] + lines[claim.line :])
        rest = "".join(line for line in rest.splitlines(keepends=True) if not line.startswith(f"- **{claim.id}**"))
        judged = evals.judge(parse(rest, name), cases, lambda say: [name])
        assert not all(one.passed for one in judged), claim.id


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_document_has_all_its_parts(name: str) -> None:
    guide, cases = parse(SHIPPED[name].read_text(), name), asked(name)
    assert guide.title
    assert guide.when
    assert guide.scope
    assert guide.expires
    assert len(guide.evidence) >= 3
    assert guide.counter
    assert guide.check
    assert guide.check.wrong
    assert len(cases) >= 8
    assert sum(case.held_out for case in cases) == len(cases) // 3


def test_the_shipped_documents_are_found_for_what_people_say() -> None:
    read = [parse(path.read_text(), name) for name, path in SHIPPED.items()]
    index = Index(map(Entry.of, read))
    judged = [
        one
        for guide in read
        for one in evals.judge(guide, asked(guide.name), lambda say: [hit.name for hit in index.search(say)])
    ]
    for held_out in (False, True):
        chosen = [one.passed for one in judged if one.case.held_out == held_out]
        assert sum(chosen) / len(chosen) >= 0.97, f"held out: {held_out}"


@NEEDS_SANDBOX
def test_every_shipped_check_holds_and_fails_where_its_document_says() -> None:
    found = examining.examine(None)
    assert {result.path: result.proof.state for result in found.results} == dict.fromkeys(SHIPPED, "passed")
    assert found.good
