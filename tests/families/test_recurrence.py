import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.families import recurrence
from meta.families.recurrence import DAY, NOTHING, TABLE
from meta.family import Coverage, Family, Member
from meta.git import Commit

HALF = Coverage(lines=0.5, junk=0.1)


def family(*days: float, per_commit: int = 1) -> Family:
    """A family whose members were added on these days."""
    members = tuple(
        Member(f"m{place}-{part}", (f"app/m{place}-{part}.py",), f"c{place}", day * DAY, "ada")
        for place, day in enumerate(days)
        for part in range(per_commit)
    )
    return Family("f1-app", "app", "files", ("app/{X}.py",), members)


def commit(sha: str, minute: float, email: str = "ada@example.org") -> Commit:
    return Commit(sha, (), "ada", email, minute * 60, minute * 60, "made")


@pytest.mark.parametrize(("days", "now", "row"), [
    pytest.param((1, 2, 3, 4, 5), 6, TABLE[0], id="five in a burst"),
    pytest.param((1, 2, 3), 4, TABLE[1], id="three in a burst"),
    pytest.param((1, 2, 3, 4, 5), 20, TABLE[2], id="five, and then a pause"),
    pytest.param((1, 30, 60), 61, TABLE[4], id="three in a quarter"),
    pytest.param((1, 2), 3, TABLE[5], id="two"),
    pytest.param((1,), 3, TABLE[6], id="one"),
    pytest.param((1, 2, 3, 4, 5), 200, TABLE[-1], id="long ago"),
    pytest.param((), 3, TABLE[-1], id="none"),
])  # fmt: skip
def test_what_was_seen_lately_chooses_the_row(days: tuple[float, ...], now: float, row: recurrence.State) -> None:
    assert recurrence.state([day * DAY for day in days], now * DAY) == row


def test_without_experience_the_table_is_expected() -> None:
    uses, chance = recurrence.expected(family(1, 2, 3, 4, 5), NOTHING, 6 * DAY)
    assert (uses, chance) == pytest.approx((4.1, 0.76))


def test_a_repository_that_goes_on_raises_what_is_expected_and_one_that_stops_lowers_it() -> None:
    steady = family(*range(100))
    bursts = family(*(100 * month + day for month in range(12) for day in range(3)))
    more = recurrence.expected(steady, recurrence.experience([steady], 100 * DAY), 100 * DAY)[0]
    now = (1100 + 3) * DAY
    less = recurrence.expected(bursts, recurrence.experience([bursts], now), now)[0]
    assert more > 2 * 4.1
    assert less < 2.6


def test_members_of_one_commit_are_one_add_and_an_import_is_none() -> None:
    assert recurrence.adds(family(1, 2, per_commit=3)) == [DAY, 2 * DAY]
    assert recurrence.adds(family(1, per_commit=30)) == []


def test_minutes_are_the_gap_to_the_same_authors_commit_before() -> None:
    history = [commit("a", 0), commit("b", 30), commit("c", 35, "bob@example.org"), commit("d", 30 + 200)]
    assert recurrence.gaps(history) == {"b": 30.0}


def test_minutes_without_enough_gaps_are_assumed() -> None:
    known = {"c0": 10.0, "c1": 20.0, "c2": 60.0}
    assert recurrence.minutes(family(1, 2, 3), known) == (20.0, "estimated")
    assert recurrence.minutes(family(1, 2), known) == (recurrence.TYPICAL_MINUTES, "assumed")
    assert recurrence.minutes(family(1, 2, 3, per_commit=2), known) == (10.0, "estimated")


def test_an_estimate_tells_where_each_figure_comes_from() -> None:
    found = recurrence.estimate(family(1, 2, 3, 4, 5), HALF, {}, NOTHING, 6 * DAY)
    assert found.runs_per_week == pytest.approx(2.05)
    assert found.automation == pytest.approx(0.48)
    assert found.payback_weeks == pytest.approx(31 / (20 * 0.48 * 2.05))
    assert found.interval[0] < found.payback_weeks < found.interval[1] == math.inf
    assert found.sources["runs_per_week"] == "estimated"
    assert found.sources["minutes_per_run"] == "assumed"


@pytest.mark.parametrize(("days", "now", "coverage", "build", "reason"), [
    pytest.param((1, 2, 3, 4, 5), 6, HALF, True,
                 "pays back in 11 days: 4.1 more are expected in 14 days (the last came 1 day ago), "
                 "which saves 19.7 min a week against 31 min of review", id="a burst"),
    pytest.param((1, 300, 600, 900), 901, HALF, False, "too rare: 4 members", id="four in years"),
    pytest.param((1, 2, 3), 3, Coverage(1.0, 0.0), True, "pays back in 8 days", id="three in a fortnight"),
    pytest.param((1, 2, 3, 4, 5), 400, HALF, False, "pays back in", id="idle"),
    pytest.param((1, 2, 3, 4, 5), 6, Coverage(0.02, 0.5), False, "nothing to save", id="nothing in common"),
])  # fmt: skip
def test_a_decision_says_why(days: tuple[float, ...], now: float, coverage: Coverage, build: bool, reason: str) -> None:
    members = family(*days)
    found = recurrence.estimate(members, coverage, {}, NOTHING, now * DAY)
    decision = recurrence.decide(members, found, now * DAY)
    assert (decision.build, reason in decision.reason) == (build, True), decision.reason


def test_a_family_that_only_an_import_brought_has_no_rate() -> None:
    members = family(1, per_commit=30)
    decision = recurrence.decide(members, recurrence.estimate(members, HALF, {}, NOTHING, 2 * DAY), 2 * DAY)
    assert (decision.build, decision.reason.partition(",")[0]) == (False, "no commit added one by itself")


@given(st.lists(st.floats(0, 1000), max_size=20), st.floats(0, 1200), st.floats(0, 1), st.floats(0, 3))
def test_a_longer_shot_is_never_fewer_uses_and_a_payback_never_negative(
    days: list[float], now: float, lines: float, junk: float
) -> None:
    members = family(*sorted(days))
    found = recurrence.estimate(
        members, Coverage(lines, junk), {}, recurrence.experience([members], now * DAY), now * DAY
    )
    low, high = found.interval
    assert 0 < low <= high
    assert found.payback_weeks > 0
    assert 0 <= found.automation <= 1
