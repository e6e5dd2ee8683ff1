"""What a session format is: a value with three functions and its own examples.

A reader never fails on content: what it cannot use is counted by reason in `Session.skipped`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta.model import Session

LINE_LIMIT = 32 * 2**20  # bytes; a longer line is skipped and counted, so memory stays bounded


@dataclass(frozen=True, slots=True)
class Example:
    """A small file of the format and what its events are: (kind, text, status) of each, in order."""

    raw: str
    events: tuple[tuple[str, str, str], ...]
    name: str = "session.jsonl"


@dataclass(frozen=True, slots=True)
class Source:
    """A format. `find` lists the default places, `sniff` knows the format by a file's first 64 KiB, `read` reads a file.

    `find(home, environment)` yields files that exist. `read(path)` yields the sessions of one file; several for
    formats that keep many in one file.
    """

    name: str
    find: Callable[[Path, Mapping[str, str]], Iterable[Path]]
    sniff: Callable[[Path, bytes], bool]
    read: Callable[[Path], Iterator[Session]]
    examples: tuple[Example, ...] = ()


def lines(path: Path, skipped: Counter[str]) -> Iterator[bytes]:
    """The complete lines of a file. A half-written last line waits; one over `LINE_LIMIT` is skipped, both counted.

    A last line without its line break is given if it is whole JSON.
    """
    with path.open("rb") as file:
        while line := file.readline(LINE_LIMIT):
            if line.endswith(b"\n"):
                yield line
            elif len(line) >= LINE_LIMIT:
                skipped["line too long"] += 1
                while (rest := file.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                    pass
            else:
                try:
                    json.loads(line)
                except (ValueError, RecursionError):
                    skipped["unfinished line"] += 1
                else:
                    yield line


def rows(path: Path, skipped: Counter[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a JSONL file; lines that are not one are counted."""
    for line in lines(path, skipped):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            skipped["not JSON"] += 1
            continue
        if isinstance(row, dict):
            yield row
        else:
            skipped["not an object"] += 1
