"""Align word lists of one command so that words with the same role stand in one column.

What a column means (constant, hole, option) is decided in `mining.parts`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from meta.model import Word

Words = tuple[Word, ...]

_COUNT = re.compile(r"-\d+")
_NEGATIVE = re.compile(r"-\d*\.\d+")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_GAP = -1.0
_SAME_KEY = 4.0
_SAME_WORD = 3.0
_OTHER_WORD = 0.5
_OTHER_FLAG_BEFORE = -3.5
_FLAG_BEFORE_ONE = -0.5


def key(word: Word) -> str:
    """What must agree for two words to have the same role: the flag's or variable's name, "" for a plain word.

    Text that only a shell can evaluate has a role of its own; all counts (`-20`) have one.
    """
    if word.style == "shell":
        return word.text
    text = word.text if word.style == "bare" else word.prefix
    if not text.startswith("-"):
        assigned = _ASSIGNMENT.match(text) if "=" in text else None
        return assigned.group() if assigned else ""
    if _COUNT.fullmatch(text):
        return "-"
    if len(text) == 1 or _NEGATIVE.fullmatch(text):
        return ""
    name, equals, _ = text.partition("=")
    return name + equals


def takes_value(flag: str) -> bool:
    """Whether the key is that of a flag whose value may be the next word."""
    return flag.startswith("-") and not flag.endswith("=") and flag.strip("-") != ""


class _Place(NamedTuple):
    """A column while it grows: what tells it from others, its key, the flag before it, and the texts seen."""

    number: int
    key: str
    flag: str
    texts: frozenset[str]

    def score(self, text: str, flag: str) -> float:
        """The points of a word with the same key, behind a flag."""
        if self.key:
            return _SAME_KEY
        points = _SAME_WORD if text in self.texts else _OTHER_WORD
        if self.flag != flag:
            points += _OTHER_FLAG_BEFORE if self.flag and flag else _FLAG_BEFORE_ONE
        return points


_Places = tuple[_Place, ...]
_Texts = tuple[str, ...]


def _flags(keys: _Texts) -> list[str]:
    """For each word the flag that stands right before it."""
    return [before if takes_value(before) else "" for before in ["", *keys[:-1]]]


def _choices(places: _Places, texts: _Texts, keys: _Texts, flags: Sequence[str]) -> list[list[str]]:
    """The best move from every cell: "=" both, "p" skip a place, "w" open a place for a word; the first of equals."""
    width = len(texts)
    below = [_GAP * (width - j) for j in range(width + 1)]
    moves = [["w"] * (width + 1)]
    for place in reversed(places):
        best = [0.0] * width + [below[width] + _GAP]
        move = ["p"] * (width + 1)
        for j in range(width - 1, -1, -1):
            skip, opened = below[j] + _GAP, best[j + 1] + _GAP
            best[j] = skip
            if opened > skip:
                best[j], move[j] = opened, "w"
            if place.key == keys[j]:
                both = place.score(texts[j], flags[j]) + below[j + 1]
                if both >= best[j]:
                    best[j], move[j] = both, "="
        below = best
        moves.append(move)
    return moves[::-1]


def _moved(places: _Places, texts: _Texts) -> bool:
    """Whether a word that is new at its place was seen at another."""
    new = {text for place, text in zip(places, texts, strict=True) if text not in place.texts}
    return any(not new.isdisjoint(place.texts) for place in places)


def _path(places: _Places, texts: _Texts, keys: _Texts, flags: Sequence[str]) -> Iterator[str]:
    """The moves, first to last, that take the words in."""
    if len(places) == len(texts) and not _moved(places, texts):
        quads = zip(places, texts, keys, flags, strict=True)
        least = _OTHER_FLAG_BEFORE + _OTHER_WORD
        if all(place.key == k and place.score(text, flag) > least for place, text, k, flag in quads):
            yield from "=" * len(texts)
            return
    moves = _choices(places, texts, keys, flags)
    i = j = 0
    while i < len(places) or j < len(texts):
        move = moves[i][j]
        yield move
        i += move != "w"
        j += move != "p"


@lru_cache(maxsize=4096)  # with one run left out, the first rows of most steps are the same again
def _merge(places: _Places, texts: _Texts, keys: _Texts) -> tuple[_Places, tuple[int, ...]]:
    """The places with the words taken in, and the number of each word's place."""
    flags = _flags(keys)
    new = max((place.number for place in places), default=-1) + 1
    merged: list[_Place] = []
    found: list[int] = []
    i = j = 0
    for move in _path(places, texts, keys, flags):
        if move == "w":
            merged.append(_Place(new + j, keys[j], flags[j], frozenset((texts[j],))))
        elif move == "=" and texts[j] not in places[i].texts:
            merged.append(places[i]._replace(texts=places[i].texts | {texts[j]}))
        else:
            merged.append(places[i])
        if move != "p":
            found.append(merged[-1].number)
        i += move != "w"
        j += move != "p"
    return tuple(merged), tuple(found)


def align(rows: Sequence[Words]) -> list[tuple[Word | None, ...]]:
    """The columns of the alignment, each with one word or None for every row.

    The most frequent row comes first, so that the usual form shapes the columns.
    """
    texts = [tuple(word.text for word in row) for row in rows]
    known = dict(zip(texts, rows, strict=True))
    places: _Places = ()
    paths: dict[_Texts, tuple[int, ...]] = {}
    for text, _ in Counter(texts).most_common():
        places, paths[text] = _merge(places, text, tuple(map(key, known[text])))
    cells = [dict(zip(paths[text], row, strict=True)) for text, row in zip(texts, rows, strict=True)]
    return [tuple(cell.get(place.number) for cell in cells) for place in places]
