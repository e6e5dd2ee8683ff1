"""The index gives back what was put in, whatever the order, and survives being killed."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.errors import UserError
from meta.model import Event, Session
from meta.store import OUTPUT_LIMIT, RESULTS, Cursor, Store, clip
from tests.services.sessions import sessions


def cursor(path: str, size: int = 1) -> Cursor:
    return Cursor(path, 1, 2**64 - 1, size, 0, "")


def session(identifier: str, *events: str, project: str = "", path: str = "f") -> Session:
    return Session("a", identifier, tuple(Event(e, "prompt", text=e) for e in events), project=project, path=path)


@given(st.lists(sessions(path=st.just("f")), max_size=3))
def test_what_was_added_comes_back(made: list[Session]) -> None:
    store = Store()
    store.add(cursor("f"), made)
    assert store.sessions() == made


@given(st.lists(st.tuples(st.sampled_from("fgh"), st.lists(sessions(), max_size=2)), max_size=4), st.randoms())
def test_adding_twice_or_in_another_order_changes_nothing(
    parts: list[tuple[str, list[Session]]], random: object
) -> None:
    files = dict(parts)
    first, second = Store(), Store()
    for path, made in files.items():
        first.add(cursor(path), made)
    shuffled = list(files.items()) * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a `random.Random`
    for path, made in shuffled:
        second.add(cursor(path), made)
    assert first.sessions() == second.sessions()
    assert first.fingerprint() == second.fingerprint()


def test_a_file_read_again_replaces_what_it_told() -> None:
    store = Store()
    store.add(cursor("f"), [session("1", "x"), session("2", "y")])
    before = store.fingerprint()
    store.add(cursor("f", size=2), [session("1", "x", "z")])
    assert store.sessions() == [session("1", "x", "z")]
    assert store.fingerprint() != before


def test_a_forgotten_file_tells_nothing_any_more() -> None:
    store = Store()
    empty = store.fingerprint()
    store.add(cursor("f"), [session("1", "x")])
    store.add(cursor("g"), [])
    store.forget(Path("f"))
    assert (store.sessions(), store.paths(), store.fingerprint()) == ([], ["g"], empty)


def test_where_a_file_lies_and_that_it_was_copied_is_not_content() -> None:
    one, two = Store(), Store()
    one.add(cursor("f"), [session("1", "x")])
    two.add(cursor("g"), [session("1", "x")])
    two.add(cursor("h"), [session("1", "x")])
    assert one.fingerprint() == two.fingerprint()


def test_parts_of_a_session_in_one_project_are_joined_by_the_function_given() -> None:
    def merge(parts: Iterable[Session]) -> list[Session]:
        joined: dict[str, Session] = {}
        for part in parts:
            known = joined.get(part.id, part)
            events = {event.id: event for event in known.events + part.events}
            joined[part.id] = replace(known, events=tuple(events.values()))
        return list(joined.values())

    store = Store()
    store.add(cursor("g"), [session("1", "y", "z", path="g", project="p")])
    store.add(cursor("f"), [session("1", "x", "y", project="p"), session("2", project="q")])
    (joined,) = store.sessions(merge, project="p")
    assert [event.id for event in joined.events] == ["x", "y", "z"]
    assert store.sessions(merge, project="r") == []


def test_a_file_is_unchanged_until_it_is_written_or_gone(tmp_path: Path) -> None:
    path, store = tmp_path / "f", Store(tmp_path / "store" / "meta.db")
    path.write_text("x")
    assert not store.unchanged(path)
    store.add(Cursor.of(path), [])
    assert store.unchanged(path)
    path.write_text("xy")
    assert not store.unchanged(path)
    store.add(Cursor.of(path), [])
    path.unlink()
    assert not store.unchanged(path)


def test_a_file_put_in_the_place_of_another_of_the_same_size_is_a_change(tmp_path: Path) -> None:
    path, store = tmp_path / "f", Store()
    path.write_text("x")
    store.add(Cursor.of(path), [])
    (tmp_path / "g").write_text("y")
    (tmp_path / "g").replace(path)
    assert not store.unchanged(path)


@given(st.text(), st.integers(0, 3 * OUTPUT_LIMIT))
def test_clipping_keeps_short_outputs_and_both_ends_of_long_ones(text: str, length: int) -> None:
    output = (text + "x" * length)[: 3 * OUTPUT_LIMIT]
    clipped = clip(output)
    assert clip(clipped) == clipped
    assert len(clipped) <= OUTPUT_LIMIT
    assert (clipped == output) == (len(output) <= OUTPUT_LIMIT)
    assert (clipped[:2000], clipped[-2000:]) == (output[:2000], output[-2000:])


def test_results_are_kept_by_key_and_the_oldest_go() -> None:
    store = Store()
    store.cache("k", "1")
    store.cache("k", "2")
    assert store.cached("k") == "2"
    assert store.cached("other") is None
    for number in range(RESULTS):
        store.cache(str(number), "x")
    assert store.cached("k") is None
    assert store.cached(str(RESULTS - 1)) == "x"


def test_a_store_is_there_after_it_was_closed(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    store.add(cursor("f"), [session("1", "x")])
    store.close()
    assert Store(tmp_path / "db").sessions() == [session("1", "x")]


def test_older_code_refuses_a_newer_store_and_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "db"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(UserError, match="newer meta"):
        Store(path)
    assert path.read_bytes() == before


def test_a_damaged_store_says_how_to_make_it_again(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_text("this is no database, " * 100)
    with pytest.raises(UserError, match="meta rebuild"):
        Store(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot use"):
        Store(tmp_path)


def test_a_process_killed_before_its_commit_leaves_cursor_and_sessions_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "db"
    store = Store(path)
    store.add(cursor("f"), [session("1", "x")])
    program = (
        "import os, signal, sys; from pathlib import Path; from meta.store import Cursor, Store\n"
        "from meta.model import Session\n"
        "store = Store(Path(sys.argv[1]))\n"
        "store._database.set_trace_callback(lambda s: s == 'COMMIT' and os.kill(os.getpid(), signal.SIGKILL))\n"
        "store.add(Cursor('f', 1, 1, 2, 0, ''), [Session('a', '2', ())])"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -9
    assert store.sessions() == [session("1", "x")]
    assert store.paths() == ["f"]
