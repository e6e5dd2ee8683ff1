"""What the lines of one column say in common: their tokens where most agree, open places where they do not.

Which open places of several lines are one parameter is decided in `link`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from meta.families.lines import NAME, Folded, Tokens, fold, is_word
from meta.families.names import letters

AGREE = 0.7  # share of the lines that must have a token for it to be the pattern's
_LITERAL = 0.5  # share of a pattern's tokens that must be given: a line of open places alone says nothing
_LONGEST = 2000  # characters of a line that is still compared within
_GLUE = frozenset("./:-_@#?&=%+~")  # between two open places these belong to the value


@dataclass(frozen=True, slots=True)
class Open:
    """A place in a line that members fill in their own way; `named` where that is their name in some spelling."""

    named: bool = False


Part = str | Open


@dataclass(frozen=True)
class Shape:
    """A line with open places."""

    parts: tuple[Part, ...]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("".join(re.escape(part) if isinstance(part, str) else "(.*?)" for part in self.parts))

    @property
    def places(self) -> list[Open]:
        return [part for part in self.parts if isinstance(part, Open)]

    def values(self, name: str, text: str) -> tuple[str, ...] | None:
        """What fills the open places so that the line is this text; None where nothing does."""
        match = self._regex.fullmatch(text)
        if match is None:
            return None
        spelled = letters(name) or name
        for place, value in zip(self.places, match.groups(), strict=True):
            if place.named and (letters(value) or value) != spelled:
                return None
        return match.groups()


def unify(lines: Sequence[Tokens], weights: Sequence[float]) -> Shape | None:
    """The shape of the lines, None where too little of it is given."""
    if any(len(line.text) > _LONGEST for line in lines):
        lines, weights = lines[:1], weights[:1]
    parts = _merged(_common([fold(line.kinds) for line in lines], weights))
    words = any((isinstance(part, Open) and part.named) or (isinstance(part, str) and is_word(part)) for part in parts)
    places = sum(part == Open() for part in parts)
    literal = sum(part != Open() and not (isinstance(part, str) and part.isspace()) for part in parts)
    if places and (not words or literal < _LITERAL * (literal + places)):
        return None
    return Shape(_joined(parts))


def _common(lines: Sequence[Folded], weights: Sequence[float]) -> list[Part]:
    """The most frequent line, open where too few have its token."""
    groups: defaultdict[Folded, float] = defaultdict(float)
    for line, much in zip(lines, weights, strict=True):
        groups[line] += much
    total = sum(groups.values())
    usual, most = max(groups.items(), key=lambda group: group[1])
    if most >= AGREE * total:
        return [part for token in usual for part in _parts(token)]
    agreed = [0.0] * len(usual)
    added = [0.0] * (len(usual) + 1)
    instead: defaultdict[int, list[tuple[Folded, float]]] = defaultdict(list)
    for line, much in groups.items():
        _vote(usual, line, much, agreed, added, instead)
    parts: list[Part] = []
    for at, token in enumerate(usual):
        if added[at] > (1 - AGREE) * total:
            parts.append(Open())
        if agreed[at] >= AGREE * total or token == "\n":
            parts += _parts(token)
        elif isinstance(token, tuple) and sum(much for _, much in instead[at]) >= AGREE * total:
            parts += _quoted([quoted for quoted, _ in instead[at]], [much for _, much in instead[at]])
        else:
            parts.append(Open())
    if added[-1] > (1 - AGREE) * total and usual[-1:] != ("\n",):
        parts.append(Open())
    return parts


def _quoted(lines: Sequence[Folded], weights: Sequence[float]) -> list[Part]:
    """What the texts between quotation marks have in common, if that is most of their words."""
    parts = _common(lines, weights)
    words = sum(part == Open(named=True) or (isinstance(part, str) and is_word(part)) for part in parts)
    return parts if words > parts.count(Open()) else [Open()]


def _parts(token: str | tuple[str, ...]) -> list[Part]:
    if isinstance(token, tuple):
        return [part for inner in token for part in _parts(inner)]
    return [Open(named=True) if token[0] == NAME and len(token) > 1 else token]


def _vote(
    usual: Folded, line: Folded, much: float, agreed: list[float], added: list[float],
    instead: Mapping[int, list[tuple[Folded, float]]],
) -> None:  # fmt: skip
    """Count for each token of the usual line who has it, what others have instead of a quoted text, and where they have more."""
    if len(usual) == len(line):
        same = [one == other for one, other in zip(usual, line, strict=True)]
        if 2 * sum(same) >= len(same):
            for at, equal in enumerate(same):
                agreed[at] += much * equal
                token = line[at]
                if isinstance(token, tuple):
                    instead[at].append((token, much))
            return
    here = there = 0
    for at, other, length in SequenceMatcher(None, usual, line, autojunk=False).get_matching_blocks():
        if at == here and other > there:
            added[at] += much
        for place in range(at, at + length):
            agreed[place] += much
            token = usual[place]
            if isinstance(token, tuple):
                instead[place].append((token, much))
        here, there = at + length, other + length


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Open places that touch, or have nothing but glue between them, are one."""
    merged: list[Part] = []
    for part in parts:
        if part == Open():
            end = len(merged)
            while end and isinstance(merged[end - 1], str) and merged[end - 1] in _GLUE:
                end -= 1
            if end and merged[end - 1] == Open():
                del merged[end:]
                continue
        merged.append(part)
    return merged


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def fitting(shape: Shape, lines: Mapping[str, Tokens]) -> dict[str, tuple[str, ...]]:
    """By member what its line fills in, for those whose line is of the shape."""
    filled = {name: shape.values(name, line.text) for name, line in lines.items()}
    return {name: values for name, values in filled.items() if values is not None}
