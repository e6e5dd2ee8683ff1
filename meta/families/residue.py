"""Copy-paste residue: where siblings name themselves in a docstring or a comment and a member names another.

Lines of code are left out: there a name of another is mostly meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meta.families import names
from meta.families.lines import CAPITAL, LOWER, UPPER, split, tokens
from meta.families.score import renamed

_USUAL = 3  # members that say their own name so

_COMMENT = re.compile(r"""^\s*(?:\#|//|/\*|\*|--|<!--|[rRuUbBfF]{0,2}(?:\"{3}|'{3}))""")


@dataclass(frozen=True, slots=True)
class Residue:
    """A line of a member's file that says another's name; `expected` is the line with its own."""

    member: str
    line: int  # counted from one
    says: str
    expected: str


def residues(members: Mapping[str, str]) -> Iterator[Residue]:
    """Those of one role's files, given by member, with a line that at least three members have with their own name in it."""
    comments = {
        name: [(number, line) for number, line in enumerate(split(text), 1) if _COMMENT.match(line)]
        for name, text in members.items()
    }
    own: Counter[tuple[str, ...]] = Counter()
    for name, lines in comments.items():
        own.update({kinds for _, line in lines if _names(kinds := tokens(name, line).kinds)})
    for name, lines in comments.items():
        others = [other for other in members if names.letters(other) not in names.letters(name)]
        for number, line in lines:
            if _names(tokens(name, line).kinds):
                continue
            other = next((other for other in others if own[_said(other, line)] >= _USUAL), None)
            if other is not None:
                expected = renamed(other, line, name).strip()
                yield Residue(name, number, line.strip(), expected)


def _said(name: str, line: str) -> tuple[str, ...]:
    kinds = tokens(name, line).kinds
    return kinds if _names(kinds) else ()


def _names(kinds: tuple[str, ...]) -> bool:
    return any(kind in (LOWER, CAPITAL, UPPER) for kind in kinds)
