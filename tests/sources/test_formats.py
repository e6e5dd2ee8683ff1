"""Every format, by its own examples: nothing here names one."""

import json
import random
import sqlite3
from collections import Counter
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meta.sources import SOURCES, Example, Reading, Source, combine, defaults, read, sniff

EXAMPLES = [(source, example) for source in SOURCES for example in source.examples]
CASES = pytest.mark.parametrize(
    ("source", "example"), EXAMPLES, ids=[f"{source.name}-{n}" for n, (source, _) in enumerate(EXAMPLES)]
)
quiet = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder: Path, example: Example, name: str = "") -> Path:
    path = folder / (name or example.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if example.raw.startswith("CREATE TABLE"):
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database:
            database.executescript(example.raw)
    else:
        path.write_text(example.raw, encoding="utf-8")
    return path


def kinds(reading: Reading) -> list[tuple[str, str, str]]:
    return [(event.kind, event.text, event.status) for session in reading.sessions for event in session.events]


def test_a_format_is_found_by_lying_in_the_folder() -> None:
    folder = Path(read.__code__.co_filename).parent
    carriers = [path.stem for path in folder.glob("*.py") if "\nsource = Source(" in path.read_text(encoding="utf-8")]
    assert len(SOURCES) == len(carriers) == len({source.name for source in SOURCES})


@CASES
def test_an_example_gives_its_events(source: Source, example: Example, tmp_path: Path) -> None:
    assert kinds(read(written(tmp_path, example))) == list(example.events)


@CASES
def test_an_example_is_known_to_its_own_format_only(source: Source, example: Example, tmp_path: Path) -> None:
    path = written(tmp_path, example)
    head = path.read_bytes()[: 64 * 1024]
    assert [other.name for other in SOURCES if other.sniff(path, head)] == [source.name]


@CASES
def test_the_format_is_known_without_the_name_of_the_file(source: Source, example: Example, tmp_path: Path) -> None:
    assert sniff(written(tmp_path, example, "full.bin")) is source


@CASES
def test_ids_are_unique_within_a_session(source: Source, example: Example, tmp_path: Path) -> None:
    for session in read(written(tmp_path, example)).sessions:
        counts = Counter(event.id for event in session.events)
        assert max(counts.values(), default=1) == 1
        assert "" not in counts
        assert session.agent
        assert session.id


@CASES
def test_usage_stands_once_a_message(source: Source, example: Example, tmp_path: Path) -> None:
    for session in read(written(tmp_path, example)).sessions:
        counted = [event.message for event in session.events if event.usage]
        assert len(counted) == len(set(counted))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"{",
        b"{}\n{}\n",
        b"[]",
        b"null",
        b"\x00" * 100,
        b"\xff\xfe\x00",
        b"# Notes\n\nRun `make test` first.\n",
        b'{"name": "engine", "version": "1.0.0", "scripts": {"test": "jest"}}\n',
        b'{"type": "FeatureCollection", "features": []}\n',
        b'{"timestamp": "2026-01-01", "level": "info", "message": "started"}\n',
        b'{"text": "a log that quotes {\\"parentUuid\\":null,\\"type\\":\\"user\\"}"}\n',
        b'{"display":"commit","pastedContents":{},"timestamp":1767600000000,"project":"/home/ada/engine"}\n',
        b"import json\n\nprint(json.dumps({'type': 'user'}))\n",
    ],
)
def test_what_is_no_session_is_counted_as_unknown(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(content)
    assert sniff(path) is None
    assert read(path).skipped == {"unknown format": 1}
    assert read(path).sessions == ()


def test_a_compressed_rollout_is_counted_as_compressed(tmp_path: Path) -> None:
    path = tmp_path / "rollout-1.jsonl.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\x00" * 20)
    assert read(path).skipped == {"compressed": 1}


def test_a_file_that_vanished_is_counted_as_unreadable(tmp_path: Path) -> None:
    assert read(tmp_path / "gone.jsonl").skipped == {"unreadable": 1}


def test_no_agent_on_the_machine_means_no_default_files(tmp_path: Path) -> None:
    assert defaults(tmp_path, {}) == []


@given(
    which=st.integers(0, len(EXAMPLES) - 1),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 10**6),
)
@quiet
def test_no_damaged_byte_makes_a_reader_fail(
    which: int, changes: list[tuple[int, int]], cut: int, tmp_path: Path
) -> None:
    _, example = EXAMPLES[which]
    raw = bytearray(written(tmp_path, example).read_bytes())
    for place, byte in changes:
        raw[place % len(raw)] = byte
    path = tmp_path / example.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw[: len(raw) - cut % len(raw)] if cut % 2 else raw)
    reading = read(path)
    assert reading.sessions or sum(reading.skipped.values()) == 1


VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "\ud800", [], {}, [1], [None], {"a": 1}, [[]], [{}]]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a JSON value."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [place for key, item in pairs for place in ((value, key), *places(item))]


def parsed(raw: str) -> list[Any]:
    """The example's JSON documents: one, or one a line; none where it is not JSON."""
    for documents in ([raw], raw.splitlines()):
        try:
            return [json.loads(text) for text in documents if text.strip()]
        except ValueError:
            continue
    return []


@given(which=st.integers(0, len(EXAMPLES) - 1), seed=st.integers(0, 10**9), changes=st.integers(1, 4))
@quiet
def test_no_value_of_another_type_makes_a_reader_fail(which: int, seed: int, changes: int, tmp_path: Path) -> None:
    source, example = EXAMPLES[which]
    chance = random.Random(seed)
    documents = parsed(example.raw)
    for _ in range(changes):
        if found := places(documents):
            container, key = chance.choice(found)
            container[key] = deepcopy(chance.choice(VALUES))
    path = tmp_path / example.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    for session in source.read(path):
        for event in session.events:
            (event.text + event.output + "".join(event.arguments.values())).encode()


@given(seed=st.integers(0, 10**9))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_duplicated_tree_in_any_order_reads_the_same(seed: int, tmp_path: Path) -> None:
    """But for the path of the copy that was taken, which is the first by name."""
    paths = [
        written(tmp_path, example, f"{tree}/project/{n}/{example.name}")
        for tree in ("a", "b")
        for n, (_, example) in enumerate(EXAMPLES)
    ]
    (tmp_path / "a/notes.md").write_text("notes\n")
    (tmp_path / "b/notes.md").write_text("notes\n")
    once = [path for path in paths if (tmp_path / "a") in path.parents] + [tmp_path / "a/notes.md"]
    twice = [*paths, tmp_path / "b/notes.md", tmp_path / "a/notes.md"]
    random.Random(seed).shuffle(twice)
    assert combine(map(read, twice)) == combine(map(read, once))
