"""A text as lines of tokens, in which the name of its member is a token of its own.

What lines of several members have in common is found in `align` and `unify`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from meta.families import names

_TOKEN = re.compile(r"\w+|[^\S\n]+|[^\w\s]|\n")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
NAME = (
    "\0"  # begins the kind of a token that is the member's name; no token of a text is longer than this and begins so
)
LOWER, CAPITAL, UPPER = NAME + "lower", NAME + "capital", NAME + "upper"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A line. `kinds` are its tokens, the member's name by the case it is in; that is what lines of members are compared by."""

    text: str
    kinds: tuple[str, ...]

    @property
    def indent(self) -> str:
        return self.kinds[0] if self.kinds and self.kinds[0].isspace() and self.kinds[0] != "\n" else ""


def split(text: str) -> list[str]:
    """The lines with their breaks; joined they are the text again. Only a line feed breaks a line."""
    return _LINE.findall(text)


def read(name: str, text: str) -> list[Tokens]:
    return [tokens(name, line) for line in split(text)]


@lru_cache(maxsize=1 << 16)
def tokens(name: str, line: str) -> Tokens:
    kinds: list[str] = []
    done = 0
    for start, end in names.occurrences(name, line):
        kinds += _TOKEN.findall(line, done, start)
        kinds.append(_case(line[start:end]))
        done = end
    kinds += _TOKEN.findall(line, done)
    return Tokens(line, tuple(kinds))


def _case(spelled: str) -> str:
    if spelled.isupper() and len(spelled) > 1:
        return UPPER
    return CAPITAL if spelled[0].isupper() else LOWER


Folded = tuple[str | tuple[str, ...], ...]
"""Tokens of which those between two quotation marks are one."""


@lru_cache(maxsize=1 << 16)
def fold(kinds: tuple[str, ...]) -> Folded:
    folded: list[str | tuple[str, ...]] = []
    at = 0
    while at < len(kinds):
        token = kinds[at]
        folded.append(token)
        at += 1
        if token in ("'", '"'):
            end = _closing(kinds, at, token)
            if end > at:
                folded.append(kinds[at:end])
                at = end
            if end >= at:
                folded.append(token)
                at += 1
    return tuple(folded)


def _closing(kinds: tuple[str, ...], start: int, mark: str) -> int:
    """Where the mark closes what it opens before `start`, -1 if it opens nothing."""
    for at in range(start, len(kinds)):
        if kinds[at] == mark and kinds[at - 1] != "\\":
            return at
    return -1


def is_word(token: str) -> bool:
    return token[0].isalnum() or token[0] == "_" or (token[0] == NAME and len(token) > 1)


def weight(kinds: Sequence[str]) -> float:
    """How much it means that two lines are equal: little for blank ones and those of marks alone."""
    if any(map(is_word, kinds)):
        return 1.0
    return 0.3 if any(not kind.isspace() for kind in kinds) else 0.1
