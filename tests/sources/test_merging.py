from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.model import Event, Session, Usage
from meta.sources import merge


def call(name: str, time: float | None = None, **more: Any) -> Event:
    return replace(Event(name, "call", time, text=f"make {name}"), **more)


def session(name: str, *events: Event, **more: Any) -> Session:
    return replace(Session("a", name, events), **more)


def ids(sessions: list[Session]) -> dict[str, str]:
    return {session.id: " ".join(event.id for event in session.events) for session in sessions}


def test_copies_of_a_session_become_one() -> None:
    whole = session("s", call("x", 1), call("y", 2))
    assert merge([whole, replace(whole, path="elsewhere")]) == [whole]


def test_sessions_with_different_events_stay_apart() -> None:
    assert ids(merge([session("s", call("x", 1)), session("t", call("y", 2))])) == {"s": "x", "t": "y"}


def test_a_snapshot_that_grew_gives_the_later_events_and_the_known_result() -> None:
    early = session("s", call("x", 1), call("y", 2))
    late = session("s", call("x", 1), call("y", 2, status="ok", output="done"), call("z", 3))
    assert merge([early, late]) == merge([late, early]) == [late]


def test_a_hole_in_the_longer_copy_is_filled_in_its_place() -> None:
    one = session("s", call("a"), call("c"), call("d"), call("e"))
    other = session("s", call("a"), call("b"), call("c"))
    assert ids(merge([one, other])) == {"s": "a b c d e"}


def test_a_fork_keeps_its_own_events_and_has_the_original_as_parent() -> None:
    original = session("z", call("x", 1), call("y", 2))
    fork = session("f", call("x", 1), call("y", 2), call("w", 9))
    assert ids(merge([fork, original])) == {"z": "x y", "f": "w"}
    assert {found.id: found.parent for found in merge([original, fork])} == {"z": "", "f": "z"}


def test_a_session_that_only_repeats_another_is_left_out() -> None:
    assert ids(merge([session("s", call("x", 1), call("y", 2)), session("t", call("y", 2))])) == {"s": "x y"}


def test_the_same_id_with_another_command_is_no_replay() -> None:
    other = replace(call("x", 5), text="make clean")
    assert ids(merge([session("s", call("x", 1)), session("t", other)])) == {"s": "x", "t": "x"}


def test_the_same_id_of_another_agent_is_no_replay() -> None:
    merged = merge([session("s", call("x", 1)), session("t", call("x", 1), agent="b")])
    assert ids(merged) == {"s": "x", "t": "x"}


def test_usage_is_counted_once_where_a_fork_repeats_it() -> None:
    paid = call("x", 1, message="m", usage=Usage(1, 2))
    merged = merge([session("s", paid), session("t", paid, call("y", 2))])
    assert sum(event.usage.output for found in merged for event in found.events if event.usage) == 2


def test_copies_repeat_what_they_skip_and_it_is_counted_once() -> None:
    copies = [session("s", call("x", 1), skipped={"not JSON": 2}) for _ in range(3)]
    assert merge(copies)[0].skipped == {"not JSON": 2}


@pytest.mark.parametrize("field", ["project", "cwd", "parent"])
def test_what_one_copy_does_not_know_another_tells(field: str) -> None:
    known = session("s", call("x", 1), **{field: "engine"})
    unknown = session("s", call("x", 1), call("y", 2))
    assert getattr(merge([unknown, known])[0], field) == "engine"


EVENTS = st.builds(
    lambda name, time, output: call(name, time, output=output, status="ok" if output else "unknown"),
    st.sampled_from("abcdef"),
    st.sampled_from([None, 1.0, 2.0, 3.0]),
    st.sampled_from(["", "x", "longer"]),
)
SESSIONS = st.lists(st.tuples(st.sampled_from("stu"), st.lists(EVENTS, max_size=5)), max_size=6).map(
    lambda files: [
        Session("a", name, tuple({event.id: event for event in events}.values()), path=f"{place}.jsonl")
        for place, (name, events) in enumerate(files)
    ]
)


@given(SESSIONS, st.randoms())
def test_the_order_and_number_of_files_do_not_matter(sessions: list[Session], chance: Random) -> None:
    shuffled = [*sessions, *sessions]
    chance.shuffle(shuffled)
    assert merge(shuffled) == merge(sessions)


@given(SESSIONS)
def test_every_event_survives_exactly_once(sessions: list[Session]) -> None:
    merged = [(event.id, event.text) for session in merge(sessions) for event in session.events]
    assert sorted(merged) == sorted({(event.id, event.text) for session in sessions for event in session.events})


@given(SESSIONS)
def test_merging_what_is_merged_changes_nothing(sessions: list[Session]) -> None:
    assert merge(merge(sessions)) == merge(sessions)
