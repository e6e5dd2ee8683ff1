"""Return on investment: what is measured, what is refused, and why."""

import math
from dataclasses import replace

import pytest

from meta import codec, contract, roi
from meta.model import Event, Occurrence, Origin, Proposal, Session, Survey, Usage, Workflow, WorkflowStep

DAY = 86400.0


def step(name: str, **changes: object) -> WorkflowStep:
    return replace(WorkflowStep(name, "command", name, 1.0), **changes)  # type: ignore[arg-type]  # test shorthand


def session(number: int, start: float, wait: float = 6.0) -> Session:
    """Test at `start` (2 s), an unrelated edit, lint `wait` seconds after the edit ended."""
    usage = Usage(input=10, output=100, cache_read=90_000)
    events = (
        Event("a", "call", start, "make test", seconds=2.0, message="m1", usage=usage, model="claude-sonnet-4-5"),
        Event("b", "call", start + 50, "", tool_kind="edit", seconds=1.0, message="m2", usage=usage),
        Event("c", "call", start + 51 + wait, "make lint", seconds=1.0, message="m3", usage=usage, model="claude-sonnet-4-5"),
    )  # fmt: skip
    return Session("claude-code", f"s{number}", events)


def workflow(sessions: int, steps: tuple[WorkflowStep, ...] = (step("test"), step("lint"))) -> Workflow:
    runs = tuple(
        Occurrence(f"s{i}", "claude-code", ("a", "c"), {}, ("make test", "make lint")) for i in range(sessions)
    )
    return Workflow("wf:1", "gate", "p", steps, (), runs)


def price(model: str, usage: Usage, day: int | None) -> float | None:
    return usage.cache_read * 3e-7 if model else None


def measured(count: int, wait: float = 6.0) -> Workflow:
    sessions = [session(i, i * DAY / 8, wait) for i in range(count)]
    return roi.measured([workflow(count)], sessions, price)[0]


def test_a_run_costs_its_commands_and_the_wait_before_them_but_not_the_work_between() -> None:
    run = measured(1).occurrences[0]
    assert (run.span, run.waiting, run.round_trips) == (9.0, 6.0, 1)


def test_what_the_model_says_before_a_call_is_part_of_the_wait() -> None:
    one = session(0, 0.0)
    said = Event("n", "note", one.events[2].time, "now lint", message="m3")
    whole = replace(one, events=(*one.events[:2], said, one.events[2]))
    assert roi.measured([workflow(1)], [whole], price)[0].occurrences[0].waiting == 6.0


def test_only_the_messages_that_a_tool_makes_superfluous_are_counted() -> None:
    run = measured(1).occurrences[0]
    assert run.tokens == 90_110
    assert run.usd == pytest.approx(0.027)


def test_a_long_silence_is_not_taken_for_the_model() -> None:
    assert measured(1, wait=4000.0).occurrences[0].waiting == roi.LONGEST_WAIT


def test_calls_of_one_message_cost_no_round_trip() -> None:
    one = session(0, 0.0)
    events = tuple(replace(event, message="m1") for event in one.events)
    run = roi.measured([workflow(1)], [replace(one, events=events)], price)[0].occurrences[0]
    assert (run.round_trips, run.waiting, run.tokens) == (0, 0.0, 0)


def test_one_busy_day_is_not_taken_for_a_habit() -> None:
    weekly, low, high = roi.rate([0.0] * 10, roi.Window(0.0, DAY))
    assert weekly < 10
    assert low < weekly < high


def test_what_is_long_past_counts_less() -> None:
    recent, _, _ = roi.rate([90 * DAY] * 5, roi.Window(0.0, 91 * DAY))
    past, _, _ = roi.rate([1 * DAY] * 5, roi.Window(0.0, 91 * DAY))
    assert recent > 3 * past


def decision(found: Workflow, **changes: object) -> tuple[bool, str]:
    estimate = roi.estimate(found, roi.Window(0.0, 8 * DAY), price)
    made = roi.decide(found, replace(estimate, **changes), weeks=2.0, support=3, sessions=3)  # type: ignore[arg-type]
    return made.build, made.reason


def test_a_frequent_gate_pays_back() -> None:
    build, reason = decision(measured(64))
    assert build
    assert "pays back" in reason


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(measured(2), "too rare", id="two runs"),
        pytest.param(measured(3), "later than 2 weeks", id="three runs save too little"),
        pytest.param(replace(measured(64), steps=(step("status", effect="inspect"),)), "exploratory", id="only looking"),
        pytest.param(
            replace(measured(64), steps=(step("a"), step("e", kind="judgement"), step("f", kind="judgement"))),
            "judgement", id="thinking throughout",
        ),
        pytest.param(workflow(64), "nothing to save", id="no round trips"),
    ],
)  # fmt: skip
def test_what_is_not_worth_it_is_kept_ad_hoc_with_the_reason(found: Workflow, why: str) -> None:
    build, reason = decision(found)
    assert not build
    assert why in reason


def test_payback_is_build_minutes_over_minutes_times_rate_times_automation() -> None:
    e = roi.estimate(measured(64), roi.Window(0.0, 8 * DAY), price)
    assert e.payback_weeks == pytest.approx(e.build_minutes / (e.minutes_per_run * e.runs_per_week * e.automation))
    assert e.interval[0] < e.payback_weeks < e.interval[1]


def test_without_times_nothing_is_called_measured_that_was_not() -> None:
    bare = roi.estimate(workflow(5), None, price)
    assert bare.sources["minutes_per_run"] == "assumed"
    assert bare.runs_per_week == 0.0
    assert math.isinf(bare.payback_weeks)


@pytest.mark.parametrize(("origin", "tokens"), [("policy", False), ("agent", True)])
def test_where_no_model_spoke_no_tokens_are_assumed(origin: Origin, tokens: bool) -> None:
    found = measured(5)
    runs = tuple(replace(run, origin=origin, tokens=0, usd=0.0) for run in found.occurrences)
    estimate = roi.estimate(replace(found, occurrences=runs), roi.Window(0.0, DAY), price)
    assert (estimate.tokens_per_run > 0) == tokens
    assert estimate.sources["tokens_per_run"] == ("assumed" if tokens else "measured")


def test_a_survey_comes_back_from_its_text() -> None:
    found = measured(5)
    estimate = roi.estimate(found, roi.Window(0.0, DAY), price)
    proposal = Proposal(found, estimate, roi.decide(found, estimate, weeks=2.0, support=3, sessions=3))
    survey = Survey(5, 15, {"not JSON": 2}, (proposal,), ())
    assert codec.load(codec.dump(survey), Survey) == survey
    assert codec.load(codec.dump(found), Workflow) == found
    assert contract.survey(survey)["workflows"][0]["support"] == 5
