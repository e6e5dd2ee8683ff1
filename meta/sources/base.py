"""What a session format is: a value with three functions and its own examples, and the few tools all readers share.

A reader never fails on content: what it cannot use is counted by reason in `Session.skipped`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meta.model import Event, Session

LINE_LIMIT = 32 * 2**20  # bytes; a longer line is skipped and counted, so memory stays bounded


@dataclass(frozen=True, slots=True)
class Example:
    """A small file of the format and what its events are: (kind, text, status) of each, in order.

    `raw` is the file's text; of a SQLite database the script that makes it, which begins with CREATE TABLE.
    """

    raw: str
    events: tuple[tuple[str, str, str], ...]
    name: str = "session.jsonl"


@dataclass(frozen=True, slots=True)
class Source:
    """A format. `find` lists the files in the default places, `sniff` knows the format by a file's first 64 KiB, `read` reads a file.

    `find(home, environment)` yields files that exist. `read(path)` yields the sessions of one file; several for
    formats that keep many in one file. Event ids that are only counted within a session carry the session's id, for
    the same id in two sessions means a replay. `places(home, environment)` are the folders in which an agent makes new
    sessions, there or not yet; formats that are put anywhere by hand have none.
    """

    name: str
    find: Callable[[Path, Mapping[str, str]], Iterable[Path]]
    sniff: Callable[[Path, bytes], bool]
    read: Callable[[Path], Iterator[Session]]
    examples: tuple[Example, ...] = ()
    places: Callable[[Path, Mapping[str, str]], Iterable[Path]] = lambda home, environment: ()


def lines(path: Path, skipped: Counter[str], limit: int = LINE_LIMIT) -> Iterator[bytes]:
    """The complete lines of a file. A half-written last line waits; one over `limit` bytes is skipped, both counted.

    A last line without its line break is given if it is whole JSON.
    """
    with path.open("rb") as file:
        while line := file.readline(limit):
            if line.endswith(b"\n"):
                yield line
            elif len(line) >= limit:
                skipped["line too long"] += 1
                while (rest := file.readline(limit)) and not rest.endswith(b"\n"):
                    pass
            elif _parsed(line) is None:
                skipped["unfinished line"] += 1
            else:
                yield line


def rows(
    path: Path, skipped: Counter[str], needed: Callable[[bytes], bool] = lambda line: True
) -> Iterator[dict[str, Any]]:
    """The JSON objects of a JSONL file; lines that are not one are counted, lines not `needed` are not parsed."""
    for line in lines(path, skipped):
        if not needed(line) or line.isspace():
            continue
        row = _parsed(line)
        if isinstance(row, dict):
            yield row
        else:
            skipped["not JSON" if row is None else "not an object"] += 1


def _parsed(line: bytes) -> object:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return _paired(value) if b"\\ud" in line or b"\\uD" in line else value


def _paired(value: object) -> object:
    """`value` with every half of a surrogate pair replaced: no file or database takes such text."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_paired(item) for item in value]
        case dict():
            return {_paired(key): _paired(item) for key, item in value.items()}
    return value


def record(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """`value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """`value` if it is text, else none."""
    return value if isinstance(value, str) else ""


def json_record(text: str) -> dict[str, Any]:
    """The JSON object that `text` is, else an empty one."""
    return record(_parsed(text.encode("utf-8", "replace")))


def number(value: object) -> int:
    """`value` if it is a whole number, else 0."""
    return value if isinstance(value, int) else 0


def as_text(value: object) -> str:
    """An argument of a call as text: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def timestamp(value: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 time (UTC where it names no zone); None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events by time; one without a time stays behind the one it was read after."""
    keyed: list[tuple[float, Event]] = []
    latest = float("-inf")
    for event in events:
        latest = latest if event.time is None else event.time
        keyed.append((latest, event))
    return tuple(event for _, event in sorted(keyed, key=lambda pair: pair[0]))
