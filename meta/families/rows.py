"""Data rows: lines of one shape that a member repeats as often as it has data, folded into one item each run.

A row's shape is exact: only what stands in quotes, numbers and the text of a comment may differ from row to row.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from meta.families.lines import Tokens

ROW = "\0row"  # the first kind of an item that is a run of rows
_LONGEST = 4  # lines of a row
_VARIED = 0.5  # share of the rows that must be unlike each other: constant lines are no data
_DATA = re.compile(
    r"""(?P<comment>^\s*(?:\#|//|--)[^\w\s]*\ ?(?=\S))(?P<said>.*?)(?=\r?\n?$)|"(?P<double>(?:[^"\\\n]|\\.)*)"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?<![\w.])(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|^(?P<indent>\s+)(?P<word>[\w.]+)(?=,\r?\n?$)""",
    re.VERBOSE,
)
_PLACES = ("said", "double", "single", "number", "word")


@dataclass(frozen=True, slots=True)
class RowLine:
    """The text between the places of a row's line; there is one place fewer than there are texts."""

    texts: tuple[str, ...]


RowKind = tuple[RowLine, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a member, or a run of `kind`'s rows, from line `start` up to `end`."""

    tokens: Tokens
    start: int
    end: int
    kind: RowKind = ()


@lru_cache(maxsize=1 << 16)
def row_line(text: str) -> tuple[RowLine, tuple[str, ...]]:
    """A line as the text between its places, and what stands in them."""
    texts: list[str] = []
    values: list[str] = []
    done = 0
    for match in _DATA.finditer(text):
        place = next(place for place in _PLACES if match.group(place) is not None)
        start, end = match.span(place)
        texts.append(text[done:start])
        values.append(match.group(place))
        done = end
    return RowLine((*texts, text[done:])), tuple(values)


def items(members: Sequence[Sequence[Tokens]]) -> list[list[Item]]:
    """The lines of every member with the runs of rows folded that several members have."""
    read = [[row_line(line.text)[0] for line in member] for member in members]
    kinds = _kinds(members, read)
    return [list(_folded(member, lines, kinds)) for member, lines in zip(members, read, strict=True)]


def _kinds(members: Sequence[Sequence[Tokens]], read: Sequence[Sequence[RowLine]]) -> list[RowKind]:
    """The kinds of rows, longest first."""
    having: Counter[RowKind] = Counter()
    texts: defaultdict[RowKind, Counter[str]] = defaultdict(Counter)
    for member, lines in zip(members, read, strict=True):
        found = list(_repeats(lines))
        having.update({kind for kind, _, _ in found})
        for kind, start, end in found:
            for at in range(start, end, len(kind)):
                texts[kind]["".join(line.text for line in member[at : at + len(kind)])] += 1
    enough = max(2, len(members) / 4)
    kinds = [
        kind for kind, count in having.items() if count >= enough and len(texts[kind]) >= _VARIED * texts[kind].total()
    ]
    return sorted(kinds, key=lambda kind: (-len(kind), -having[kind]))


def _repeats(lines: Sequence[RowLine]) -> Iterator[tuple[RowKind, int, int]]:
    """Where one to four lines follow each other again and again."""
    at = 0
    while at < len(lines):
        for length in range(1, _LONGEST + 1):
            end = at + length
            while end < len(lines) and lines[end] == lines[end - length]:
                end += 1
            times = (end - at) // length
            kind = tuple(lines[at : at + length])
            if times >= (3 if length == 1 else 2) and _is_data(kind):
                yield kind, at, at + times * length
                at += times * length - 1
                break
        at += 1


def _is_data(kind: RowKind) -> bool:
    """Whether a row has places, a fixed part, and no more places than that."""
    places = sum(len(line.texts) - 1 for line in kind)
    marks = sum(len(text.strip()) for line in kind for text in line.texts)
    return places > 0 and marks >= places


def _folded(member: Sequence[Tokens], lines: Sequence[RowLine], kinds: Sequence[RowKind]) -> Iterator[Item]:
    at = 0
    while at < len(member):
        for kind in kinds:
            end = at
            while tuple(lines[end : end + len(kind)]) == kind:
                end += len(kind)
            if end > at:
                yield Item(Tokens("", (ROW, *(text for line in kind for text in line.texts))), at, end, kind)
                at = end
                break
        else:
            yield Item(member[at], at, at + 1)
            at += 1
