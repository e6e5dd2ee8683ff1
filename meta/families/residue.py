"""Copy-paste residue: where siblings name themselves in a docstring or a comment and a member names another.

Lines of code are left out: there a name of another is mostly meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meta.families import names
from meta.families.lines import split
from meta.family import Line, Named, Pattern, Text

_COMMENT = re.compile(r"""^\s*(?:\#|//|/\*|\*|--|<!--|[rRuUbBfF]{0,2}(?:\"{3}|'{3}))""")


@dataclass(frozen=True, slots=True)
class Residue:
    """A line of a member that says another's name; `expected` is the line with its own."""

    path: str
    line: int  # counted from one
    says: str
    expected: str


def residues(pattern: Pattern, members: Mapping[str, str]) -> Iterator[Residue]:
    """Those of the pattern's members, given by name, that say a sibling's name where the pattern has the member's own."""
    places = [
        line for line in _lines(pattern) if _is_comment(line) and any(isinstance(piece, Named) for piece in line.pieces)
    ]
    for name, text in members.items():
        own = {_written(line, name) for line in places}
        others = {
            _written(line, other): (line, other) for line in places for other in members if not _same(other, name)
        }
        for number, line in enumerate(split(text), 1):
            found = others.get(line)
            if found is not None and line not in own:
                expected = _written(found[0], name)
                yield Residue(pattern.path.replace("{X}", name), number, line.strip(), expected.strip())


def _lines(pattern: Pattern) -> Iterator[Line]:
    for node in pattern.nodes:
        if isinstance(node, Line):
            yield node
        elif hasattr(node, "nodes"):
            yield from node.nodes


def _is_comment(line: Line) -> bool:
    first = line.pieces[0]
    return (
        isinstance(first, Text)
        and _COMMENT.match(first.text) is not None
        and all(
            isinstance(piece, Text | Named) and (isinstance(piece, Text) or piece.parameter == "name")
            for piece in line.pieces
        )
    )


def _written(line: Line, name: str) -> str:
    return "".join(
        piece.text if isinstance(piece, Text) else names.in_form(name, piece.form) if isinstance(piece, Named) else ""
        for piece in line.pieces
    )


def _same(one: str, other: str) -> bool:
    return names.letters(one) == names.letters(other)
