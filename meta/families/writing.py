"""Write a file by a pattern from answers.

Which answers make a given text is found in `fit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from meta.families.names import in_form
from meta.family import Each, Free, Line, Named, Node, Option, Pattern, Slot, Text, Value


def render(pattern: Pattern, answers: Mapping[str, Value]) -> str:
    """The file that the answers make; what they do not say has its default, else is empty or absent."""
    known = {**pattern.defaults, **answers}
    for computed in pattern.computed:
        source = _text(known, computed.source)
        known[computed.parameter] = computed.prefix + in_form(source, computed.form) + computed.suffix
    return "".join(_written(pattern.nodes, known))


def _written(nodes: Sequence[Node], known: Mapping[str, Value | Named]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Line():
                yield _line(node, known)
            case Option():
                if known.get(node.parameter) is True:
                    yield from _written(node.nodes, known)
            case Each():
                rows = known.get(node.parameter)
                for row in rows if isinstance(rows, tuple) else ():
                    yield from (_line(line, {**known, **row}) for line in node.lines)
            case Free():
                yield _text(known, node.parameter)


def _line(line: Line, known: Mapping[str, Value | Named]) -> str:
    return "".join(_piece(piece, known) for piece in line.pieces)


def _piece(piece: Text | Named | Slot, known: Mapping[str, Value | Named]) -> str:
    match piece:
        case Text():
            return piece.text
        case Named():
            return in_form(_text(known, piece.parameter), piece.form)
        case Slot():
            return _text(known, piece.parameter)


def _text(known: Mapping[str, Value | Named], parameter: str) -> str:
    value = known.get(parameter, "")
    if isinstance(value, Named):
        return in_form(_text(known, value.parameter), value.form)
    return value if isinstance(value, str) else ""
