"""Read a text by a pattern: the answers that give it back, or where none do those that come closest.

How a pattern is learned is in `patterns`, how a text is written from answers in `writing`.
"""

from __future__ import annotations

from collections.abc import Mapping

from meta.families.closest import closest
from meta.families.exact import exact
from meta.families.lines import split
from meta.family import Node, Option, Pattern, Value


def answers(pattern: Pattern, name: str, text: str) -> Mapping[str, Value]:
    """What makes the text, or what comes closest to it: then the lines that fit nowhere stand in the free place before them."""
    lines = split(text)
    return exact(pattern, name, lines) or closest(pattern, name, lines).answers


def resolved(pattern: Pattern, chosen: Mapping[str, bool]) -> tuple[Node, ...]:
    """The nodes with every option taken or left, as it is chosen or else by default."""
    nodes: list[Node] = []
    for node in pattern.nodes:
        if not isinstance(node, Option):
            nodes.append(node)
        elif chosen.get(node.parameter, pattern.defaults.get(node.parameter)) is True:
            nodes += node.nodes
    return tuple(nodes)
