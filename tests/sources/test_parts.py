"""What the readers share: fields of foreign JSON, heads of documents, ids and cuts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.model import Event, Usage
from meta.sources import sqlite
from meta.sources.documents import keys
from meta.sources.events import cut, distinct, turn
from meta.sources.tools import tool_kind
from meta.sources.values import arguments, count, integer, iso, number, plain, string

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_no_value_makes_a_field_fail(value: object) -> None:
    assert isinstance(string(value), str)
    assert isinstance(plain(value), str)
    assert all(isinstance(text, str) for text in arguments(value).values())
    assert count(value) >= 0
    number(value), integer(value), iso(value)


def test_a_lone_surrogate_can_be_written() -> None:
    assert string("a\ud800b").encode() == b"a?b"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10", 10.0),
        ("1970-01-01T01:00:10+01:00", 10.0),
        ("soon", None),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, seconds: float | None) -> None:
    assert iso(text) == seconds


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b'{"a": {"b": [{"c": 1}]}, "d": "x"}', {"a", "a.b", "d"}, id="two levels"),
        pytest.param(b'{"t": [{"k": 1}, {"l": {"m": 2}}]}', {"t", "t.k", "t.l"}, id="through a list"),
        pytest.param(b'{"a": 1}\n{"b": 2}', {"a"}, id="the first line only"),
        pytest.param(b'{"a": "{\\"b\\": 1}"}', {"a"}, id="a key in a text is none"),
        pytest.param(b'{"a": "cut {\\"b\\": 1, {\\"c\\": ', {"a"}, id="nor in a text that the head cuts"),
        pytest.param(b"# {}", set(), id="no object"),
    ],
)
def test_the_keys_of_a_document_are_known_by_its_head(head: bytes, expected: set[str]) -> None:
    assert keys(head) == expected


@given(st.binary())
def test_no_bytes_make_the_keys_fail(head: bytes) -> None:
    keys(b"{" + head)


def test_ids_that_were_not_recorded_or_repeat_are_made_different() -> None:
    events = [Event(name, "note") for name in ("a", "", "REDACTED", "a", "a")]
    assert [event.id for event in distinct("s", events)] == ["a", "s:1", "s:2", "a#2", "a#3"]


@given(st.lists(st.sampled_from(["", "a", "a#2", "s:0", "REDACTED"])))
def test_no_two_events_keep_one_id(names: list[str]) -> None:
    ids = [event.id for event in distinct("s", [Event(name, "note") for name in names])]
    assert len(set(ids)) == len(names)


def test_the_usage_of_a_message_stands_on_its_first_event() -> None:
    calls = [Event("c1", "call"), Event("c2", "call")]
    used = Usage(1, 2)
    assert [event.usage for event in turn(Event("m", "note", text="I do."), calls, used)] == [used, None, None]
    assert [(event.id, event.usage) for event in turn(Event("m", "note"), calls, used)] == [("c1", used), ("c2", None)]
    assert [event.id for event in turn(Event("m", "note"), (), used)] == ["m"]
    assert turn(Event("m", "note"), (), Usage()) == []


def test_events_are_cut_where_nothing_happened() -> None:
    events = [Event(str(n), "call", time) for n, time in enumerate([0.0, 10.0, None, 100.0, 110.0])]
    assert [len(piece) for piece in cut(events, 50.0)] == [3, 2]
    assert cut([], 50.0) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Bash", "shell"), ("run_shell_command", "shell"), ("Edit", "edit"), ("mcp__x__y", "mcp"), ("ask_user", "other")],
)
def test_a_tool_is_known_by_its_name(name: str, kind: str) -> None:
    assert tool_kind(name) == kind


def test_what_is_no_database_has_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(sqlite.MAGIC + b"\x00" * 200)
    assert not sqlite.has(path, path.read_bytes(), "history", frozenset())
    assert not sqlite.has(path, b"text", "history", frozenset())
