"""The lines of a pattern as readers of one member's lines.

In which order they make a whole text is found in `exact` and `closest`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from meta.families.names import in_form
from meta.family import Line, Named, Slot, Text, Value

NAME = "name"  # the parameter that is the member's name


@dataclass(frozen=True, slots=True)
class Fit:
    """A text read by a pattern: the answers, and by number of its lines which `Line` of which node of the pattern makes them."""

    answers: Mapping[str, Value]
    made: Mapping[int, tuple[int, Line]]


@dataclass(frozen=True, slots=True)
class Reader:
    """A line of a pattern for one member: its regex, and what each group of it is."""

    line: Line
    regex: re.Pattern[str]
    groups: tuple[Named | Slot, ...]
    prefix: str
    worth: float

    def values(self, text: str) -> tuple[str, ...] | None:
        if not text.startswith(self.prefix):
            return None
        if not self.groups:
            return () if text == self.prefix else None
        match = self.regex.fullmatch(text)
        return match.groups() if match else None


@lru_cache(maxsize=1 << 14)
def reader(line: Line, name: str) -> Reader:
    parts: list[str] = []
    groups: list[Named | Slot] = []
    literal = ""
    for piece in line.pieces:
        text = piece.text if isinstance(piece, Text) else ""
        if isinstance(piece, Named) and piece.parameter == NAME:
            text = in_form(name, piece.form)
        elif not isinstance(piece, Text):
            earlier = groups.index(piece) if piece in groups else None
            parts.append("(.*?)" if earlier is None else f"(?:\\{earlier + 1})")
            if earlier is None:
                groups.append(piece)
            continue
        parts.append(re.escape(text))
        literal += "" if groups else text
    words = bool(re.search(r"\w", "".join(p.text for p in line.pieces if isinstance(p, Text))))
    named = any(isinstance(p, Named) for p in line.pieces)
    return Reader(line, re.compile("".join(parts)), tuple(groups), literal, 1.0 if words or named else 0.2)


class Lines:
    """A member's lines, and where each line of a pattern reads one of them."""

    def __init__(self, name: str, lines: Sequence[str]) -> None:
        self.name, self.lines = name, lines
        self._where: dict[str, list[int]] = {}
        for at, line in enumerate(lines):
            self._where.setdefault(line, []).append(at)
        self._read: dict[Line, dict[int, tuple[str, ...]]] = {}

    def reader(self, line: Line) -> Reader:
        return reader(line, self.name)

    def read(self, line: Line) -> dict[int, tuple[str, ...]]:
        """By number of the line what it fills in, for those that the pattern's line can make."""
        known = self._read.get(line)
        if known is None:
            known = self._read[line] = self._found(reader(line, self.name))
        return known

    def _found(self, reader: Reader) -> dict[int, tuple[str, ...]]:
        if not reader.groups:
            return dict.fromkeys(self._where.get(reader.prefix, ()), ())
        found = {}
        for text, places in self._where.items():
            values = reader.values(text)
            if values is not None:
                found.update(dict.fromkeys(places, values))
        return found
