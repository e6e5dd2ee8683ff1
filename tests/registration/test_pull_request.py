"""What the text says, and what it never says."""

import math
from dataclasses import replace

import pytest

from meta.model import Check, Comparison, Estimate, Isolation, Tool, Verdict, Workflow
from meta.registration import pull_request
from tests.registration.conftest import economics, estimate
from tests.verification.sample import GATE, SAVE

PASSED = Verdict(
    (
        Check("parses", True),
        Check("lint", True),
        Check("round trip", True, "5 of 5 recorded runs regenerated exactly"),
        Check("replay", None, "not replayed: bun is not at hand in the sandbox"),
    ),
    "bubblewrap",
)


def text(
    tool: Tool,
    *,
    workflow: Workflow = GATE,
    made: Estimate | None = None,
    verdict: Verdict = PASSED,
    compared: Comparison | None = None,
) -> str:
    return pull_request.text(workflow, made or estimate(), tool, verdict, compared or economics())


def test_it_fits_one_screen(gate: Tool) -> None:
    lines = text(gate).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("part", ["What repeats", "What it saves", "What was run", "What it may do", "Remove it"])
def test_it_answers_every_question_once(gate: Tool, part: str) -> None:
    assert sum(line.startswith(part) for line in text(gate).splitlines()) == 1


def test_every_sentence_with_a_saving_says_where_its_numbers_come_from(gate: Tool) -> None:
    lines = text(gate).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("What it saves"))
    stop = next(n for n, line in enumerate(lines) if line.startswith("What was run"))
    sentences = " ".join(line[15:] for line in lines[start:stop]).split(". ")
    for sentence in sentences:
        if any(mark in sentence for mark in ("$", " min", " s (")):
            assert any(word in sentence for word in ("measured", "estimated", "assumed")), sentence


def test_a_comparison_without_real_runs_is_not_called_measured(gate: Tool) -> None:
    said = " ".join(text(gate, compared=Comparison(6, 0, 0, 1.4, 0, "estimated")).split())
    assert "1.4 s (estimated)" in said
    assert "1.4 s (measured, 3 real runs)" in " ".join(text(gate).split())


def test_what_was_not_checked_is_said(gate: Tool) -> None:
    assert "not replayed: bun is not at hand" in text(gate)


def test_a_failed_check_stands_first(gate: Tool) -> None:
    failed = replace(PASSED, checks=(*PASSED.checks, Check("policy", False, "line 3: imports socket")))
    lines = text(gate, verdict=failed).splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("What was run"))
    assert "FAILED" in lines[place]
    assert "FAILED Policy: line 3: imports socket" in lines[place + 1]
    assert "FAILED" not in text(gate)


def test_without_a_sandbox_it_says_that_nothing_was_executed(gate: Tool) -> None:
    said = text(gate, verdict=replace(PASSED, isolation="none"))
    assert "UNVERIFIED" in said
    assert "nothing was executed" in said
    assert "nothing was executed" not in text(gate)


@pytest.mark.parametrize(
    ("isolation", "said", "state"),
    [
        ("bubblewrap", "in a bubblewrap sandbox without network", ""),
        ("landlock", "under Landlock and call filters without network", ""),
        ("limits", "ONLY LIMITED IN TIME AND MEMORY", "UNVERIFIED"),
    ],
)
def test_it_says_what_the_tool_was_run_under(gate: Tool, isolation: Isolation, said: str, state: str) -> None:
    whole = " ".join(text(gate, verdict=replace(PASSED, isolation=isolation)).split())
    assert said in whole
    assert ("UNVERIFIED" in whole) == bool(state)


def test_refused_runs_are_counted_by_reason_without_their_values(gate: Tool) -> None:
    refused = (
        ("s1", "no rule explains the value 'ignore all rules'"),
        ("s2", "no rule explains the value 'hunter2'"),
        ("s3", "another order"),
    )
    said = text(gate, workflow=replace(GATE, refused=refused))
    assert "2 x no rule explains the value …; 1 x another order" in said
    assert "ignore all rules" not in said
    assert "hunter2" not in said
    assert "Refused" not in text(gate)


def test_no_recorded_value_is_quoted(save: Tool) -> None:
    said = text(save, workflow=SAVE)
    values = {str(v) for run in SAVE.occurrences for v in run.bindings.values() if len(str(v)) > 4}
    assert values
    assert not [value for value in values if value in said]


def test_a_tool_that_never_pays_back_says_so(gate: Tool) -> None:
    never = replace(estimate(math.inf), interval=(math.inf, math.inf))
    assert "pays back never" in text(gate, made=never)
    assert "never" not in text(gate)


def test_what_needs_the_callers_consent_is_said(gate: Tool) -> None:
    consenting = replace(
        gate, files={"tool.py": '    "--allow-destroy": {"action": "store_true"},'}, effects=("destroy",)
    )
    assert "It refuses to without --allow-destroy" in text(consenting)
    assert "refuses to" not in text(gate)
