"""Generalise words that differ into one hole: what is common around them, and the quoting that gives them back.

Which words belong together is decided in `mining.alignment`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from meta.mining.alignment import key
from meta.mining.ends import common_end, common_start
from meta.model import Hole, Style, Word
from meta.rendering import quote

SECRET = re.compile(r"REDACTED_\w+")  # what redaction leaves in the place of a secret

_STYLES: tuple[Style, ...] = ("bare", "double", "single", "heredoc")
_BOUNDARY = re.compile(r"[/=:.@_-]")
_LETTER = re.compile(r"[A-Za-z]")
_ENOUGH = 3  # distinct values, below which a common end may be chance


def style_of(values: Iterable[tuple[str, str]]) -> Style:
    """The quoting that turns most of the (value, text) pairs back into their text."""
    pairs = Counter(values)
    best, most = _STYLES[0], 0
    for style in _STYLES:
        fits = sum(count for (value, text), count in pairs.items() if quote(value, style) == text)
        best, most = (style, fits) if fits > most else (best, most)
        if most == pairs.total():
            break
    return best


def _start(values: Sequence[str]) -> int:
    """The length of the common start that ends behind a boundary and names something."""
    common = common_start(values)
    ends = [match.end() for match in _BOUNDARY.finditer(common)]
    if not ends:
        return 0
    piece = common[ends[-2] if len(ends) > 1 else 0 : ends[-1]]
    return ends[-1] if _LETTER.search(piece) else 0


def _end(values: Sequence[str]) -> int:
    """The length of the common end that begins with a boundary and names something."""
    common = common_end(values)
    begins = [match.start() for match in _BOUNDARY.finditer(common)]
    if not begins:
        return 0
    piece = common[begins[0] : begins[1] if len(begins) > 1 else len(common)]
    return len(common) - begins[0] if _LETTER.search(piece) else 0


def cut(values: Sequence[str]) -> tuple[int, int]:
    """How many characters at the start and at the end are not part of the value."""
    if len(set(values)) < _ENOUGH:
        return 0, 0
    start, end = _start(values), _end(values)
    middles = [value[start : len(value) - end] for value in values]
    if any(start + end >= len(value) for value in values) or any("/" in middle for middle in middles):
        return 0, 0
    return start, end


def _around_secret(texts: Sequence[str]) -> tuple[str, str]:
    """What stands before and after the secret where it is the same in all texts."""
    found = {(text[: m.start()], text[m.end() :]) for text in texts if (m := SECRET.search(text))}
    return next(iter(found)) if len(found) == 1 else ("", "")


def hole(words: Sequence[Word], parameter: str, *, whole: bool = False) -> Hole:
    """The hole that gives back most of the words.

    Bare text that all words share is kept out of the value: always a flag or a variable's name, a folder or an ending
    only where the values are different enough for it not to be chance, and not if the `whole` value is wanted.
    """
    floors = Counter(word.prefix if word.style != "bare" else key(word) for word in words)
    prefix = floors.most_common(1)[0][0] if len(floors) > 1 else next(iter(floors))
    if not all(word.text.startswith(prefix) for word in words):
        prefix = ""
    suffix = ""
    if all(word.style == "bare" for word in words):
        values = [word.value[len(prefix) :] for word in words]
        if any(SECRET.search(value) for value in values):
            before, suffix = _around_secret(values)
            prefix += before
        else:
            start, end = (0, 0) if whole else cut(values)
            prefix, suffix = prefix + values[0][:start], values[0][len(values[0]) - end :]
    inner = [
        (word.value[len(prefix) : len(word.value) - len(suffix)], word.text[len(prefix) : len(word.text) - len(suffix)])
        for word in words
    ]
    long = [pair for pair in inner if "\n" in pair[0]]
    style = style_of(pair for pair in inner if "\n" not in pair[0])
    return Hole(parameter, style, style_of(long) if long else "double", prefix, suffix)


def value(hole: Hole, word: Word) -> str | None:
    """What the caller has to give for the hole to become this word, None where nothing does."""
    stop = len(word.value) - len(hole.suffix)
    if word.style == "shell" or len(hole.prefix) > stop:
        return None
    inner = word.value[len(hole.prefix) : stop]
    text = hole.prefix + quote(inner, hole.long_style if "\n" in inner else hole.style) + hole.suffix
    return inner if text == word.text else None
