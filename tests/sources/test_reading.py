"""Lines of files and folders of files."""

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meta.errors import UserError
from meta.model import Event
from meta.sources import discover
from meta.sources.base import in_order, lines, rows, timestamp


def taken(path: Path, limit: int = 1000) -> tuple[list[bytes], dict[str, int]]:
    skipped: Counter[str] = Counter()
    return list(lines(path, skipped, limit)), dict(skipped)


@pytest.mark.parametrize(
    ("content", "expected", "skipped"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}\n', b'{"b":2}\n'], {}),
        (b'{"a":1}\n{"b":', [b'{"a":1}\n'], {"unfinished line": 1}),
        (b'{"a":1}\n{"b":2}', [b'{"a":1}\n', b'{"b":2}'], {}),
        (b"x" * 2500 + b"\n{}\n", [b"{}\n"], {"line too long": 1}),
        (b"x" * 2500, [], {"line too long": 1}),
        (b"", [], {}),
    ],
    ids=["whole", "half a line waits", "whole without a break", "too long", "too long without an end", "empty"],
)
def test_lines_are_whole_or_counted(
    content: bytes, expected: list[bytes], skipped: dict[str, int], tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    assert taken(path) == (expected, skipped)


def test_a_line_of_200_megabytes_costs_itself_and_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)  # sparse
        file.seek(0, 2)
        file.write(b'\n{"a":1}\n')
    skipped: Counter[str] = Counter()
    tracemalloc.start()
    assert list(rows(path, skipped)) == [{"a": 1}]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert skipped == {"line too long": 1}
    assert peak < 256 * 2**20


def test_rows_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b'{"a":1}\n[1]\nnot json\n\n"\\ud83d"\n' + b"[" * 100_000 + b"\n")
    skipped: Counter[str] = Counter()
    assert list(rows(path, skipped)) == [{"a": 1}]
    assert skipped == {"not an object": 2, "not JSON": 2}


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b'{"a":"cut \\ud83d","b":["\\ud83d\\ude00"]}\n')
    assert list(rows(path, Counter())) == [{"a": "cut \ufffd", "b": ["\U0001f600"]}]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T01:00:01.5+01:00", 1.5),
        ("1970-01-01T00:00:01", 1.0),
        ("yesterday", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_time_is_read_or_none(text: object, seconds: float | None) -> None:
    assert timestamp(text) == seconds


def test_an_event_without_a_time_stays_behind_its_forerunner() -> None:
    events = [Event("c", "note", 3), Event("d", "note"), Event("a", "note", 1), Event("b", "note")]
    assert [event.id for event in in_order(events)] == ["a", "b", "c", "d"]


def test_files_below_a_folder_are_found_sorted_and_repositories_are_not_entered(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "a/1.jsonl", ".git/x", "node_modules/y", "b/node_modules/z", "0.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [str(path.relative_to(tmp_path)) for path in discover([tmp_path])] == ["0.md", "a/1.jsonl", "b/2.jsonl"]
    assert discover([tmp_path / "b/2.jsonl", tmp_path / "b"]) == [tmp_path / "b/2.jsonl"]


def test_a_link_to_a_folder_above_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.jsonl").write_text("x")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    (tmp_path / "a/dangling").symlink_to(tmp_path / "nowhere")
    assert discover([tmp_path]) == [tmp_path / "a/1.jsonl"]


def test_a_path_that_does_not_exist_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        discover([tmp_path / "gone"])


@given(content=st.binary(max_size=300), limit=st.integers(1, 50))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_byte_is_given_twice_and_only_counted_lines_are_missing(content: bytes, limit: int, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    whole, skipped = taken(path, limit)
    assert all(line in content for line in whole)
    assert len(whole) + sum(skipped.values()) == len(content.split(b"\n")) - (content.endswith(b"\n") or not content)
