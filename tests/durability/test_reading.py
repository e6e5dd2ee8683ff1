"""Whenever and in whatever order files are read while they grow, are cut, copied or replaced, the end is the same."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from meta import intake, sources
from meta.model import Event, Session
from meta.sources import Source
from meta.store import Store

LINES = [source for source in sources.SOURCES if any(example.name.endswith(".jsonl") for example in source.examples)]


@pytest.fixture(autouse=True)
def one_worker(home: Path) -> None:
    """A home of one's own for the key."""


def example(source: Source) -> tuple[str, bytes]:
    found = next(example for example in source.examples if example.name.endswith(".jsonl"))
    return found.name, found.raw.encode()


def ingest(store: Store, folder: Path) -> list[Session]:
    intake.ingest(store, sources.discover([folder]), intake.quiet)
    return store.sessions(sources.merge)


def told(found: list[Session]) -> list[tuple[str, str, tuple[Event, ...]]]:
    return [(session.agent, session.id, session.events) for session in found if session.events]


@pytest.mark.parametrize("source", LINES, ids=lambda source: source.name)
def test_a_file_that_is_read_while_it_grows_tells_the_same_in_the_end(source: Source, tmp_path: Path) -> None:
    name, whole = example(source)
    path = tmp_path / "sessions" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(whole)
    with Store() as once:
        expected = told(ingest(once, path.parent))
    path.write_bytes(b"")
    with Store() as store:
        for end in [*sorted(random.Random(3).sample(range(len(whole)), min(12, len(whole)))), len(whole)]:
            with path.open("ab") as file:
                file.write(whole[path.stat().st_size : end])
            seen = [event for session in ingest(store, path.parent) for event in session.events]
            assert {event.id for event in seen} <= {event.id for _, _, events in expected for event in events}
        assert told(store.sessions(sources.merge)) == expected
        assert expected


def test_files_that_are_copied_moved_about_or_read_twice_count_once(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    for source in LINES:
        name, whole = example(source)
        (folder / source.name).mkdir(parents=True)
        (folder / source.name / Path(name).name).write_bytes(whole)
    with Store() as store:
        expected, mark = told(ingest(store, folder)), store.fingerprint()
        assert len(expected) >= len(LINES)
        assert told(ingest(store, folder)) == expected
        shutil.copytree(folder, folder / "copy" / "of" / "it")
        assert told(ingest(store, folder)) == expected
        assert store.fingerprint() == mark
    with Store() as other:
        found = sources.discover([folder])
        random.Random(5).shuffle(found)
        for path in found:
            intake.ingest(other, [path], intake.quiet, forget=False)
        assert told(other.sessions(sources.merge)) == expected


def test_a_file_cut_or_written_anew_tells_what_it_tells_now(tmp_path: Path) -> None:
    name, whole = example(next(source for source in LINES if source.name == "claude-code"))
    path = tmp_path / "sessions" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(whole)
    with Store() as store:
        before = told(ingest(store, path.parent))
        lines = whole.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: len(lines) // 2]))
        half = told(ingest(store, path.parent))
        assert sum(len(events) for *_, events in half) < sum(len(events) for *_, events in before)
        draft = path.with_name("draft")
        draft.write_bytes(whole)
        os.utime(draft, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        draft.replace(path)
        assert told(ingest(store, path.parent)) == before


def test_a_file_replaced_between_the_look_and_the_reading_is_read_again(tmp_path: Path) -> None:
    """The cursor is of the file before, so the next look finds another."""
    name, whole = example(next(source for source in LINES if source.name == "claude-code"))
    path = tmp_path / "sessions" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(whole[: len(whole) // 2])
    earlier = intake._cursor(path)
    draft = path.with_name("draft")
    draft.write_bytes(whole)
    draft.replace(path)
    with Store() as store:
        store.add(earlier, ())
        assert not store.unchanged(path)
        assert told(ingest(store, path.parent))
        assert store.unchanged(path)
