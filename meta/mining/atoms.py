"""Cut a shell's text into atoms by the grammar of tree-sitter-bash: words, redirections, operators, compound statements.

What the words mean is not known here, and nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from meta.shell import Node, root, text_of

_OPERATORS = frozenset({"&&", "||", ";", "&", "\n", ";;"})
_COMPOUND = frozenset(
    [
        "for_statement",
        "c_style_for_statement",
        "while_statement",
        "if_statement",
        "case_statement",
        "function_definition",
        "subshell",
        "compound_statement",
        "test_command",
    ]
)
_TRANSPARENT = frozenset({"program", "list", "pipeline", "redirected_statement", "negated_command", "command"})


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of source on the level of words: a word, a redirection, an operator, or a whole compound statement."""

    kind: Literal["word", "assignment", "redirect", "heredoc", "operator", "pipe", "compound", "context"]
    text: str
    node: Node | None = None
    body: str = ""


def read(command: str) -> list[Atom] | None:
    """The atoms of a call, None where it is not of the grammar."""
    tree = root(command)
    return None if tree.has_error else list(atoms_of(tree))


def atoms_of(node: Node) -> Iterator[Atom]:
    """The source below a node as atoms; the grammar's own nesting of lists, pipes and redirections is undone.

    tree-sitter-bash binds redirections and pipes looser than `&&`, so what belongs together is found again by order.
    """
    atoms = sorted(_walk(node), key=lambda pair: pair[0])
    return (atom for _, atom in atoms)


def _walk(top: Node) -> Iterator[tuple[int, Atom]]:
    """Every atom with its place; without recursion, as a list nests once for each of its commands."""
    waiting: list[Node | tuple[int, Atom]] = [top]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            yield item
        elif item.type in _TRANSPARENT:
            waiting.extend(reversed(list(_below_transparent(item))))
        elif item.type == "heredoc_redirect":
            waiting.extend(reversed(list(_heredoc(item))))
        elif (atom := _leaf(item)) is not None:
            yield item.start_byte, atom


def _below_transparent(node: Node) -> Iterator[Node | tuple[int, Atom]]:
    before = ""
    for child in node.children:
        if node.type == "program" and before and before not in _OPERATORS:
            yield child.start_byte - 1, Atom("operator", ";")
        before = child.type
        if child.type != "!":
            yield child
    if node.type in ("command", "redirected_statement"):
        yield from _unnamed(node)


def _leaf(node: Node) -> Atom | None:
    """The atom of a node that is looked at as a whole, None for a comment."""
    kind = node.type
    if kind in _OPERATORS:
        return Atom("operator", kind)
    if kind in ("|", "|&"):
        return Atom("pipe", kind)
    if kind == "file_redirect":
        return Atom("redirect", " ".join(text_of(node).split()))
    if kind == "herestring_redirect":
        return Atom("redirect", text_of(node))
    if kind == "variable_assignment":
        return Atom("assignment", text_of(node))
    if kind in ("declaration_command", "unset_command"):
        return Atom("context", text_of(node))
    if kind in _COMPOUND:
        return Atom("compound", text_of(node), node)
    return None if kind == "comment" else Atom("word", text_of(node))


def _unnamed(node: Node) -> Iterator[tuple[int, Atom]]:
    """Words that the grammar has no node for: a lone `-`."""
    source, at = node.text or b"", 0
    for start, end in [
        *((c.start_byte - node.start_byte, c.end_byte - node.start_byte) for c in node.children),
        (len(source),) * 2,
    ]:
        for match in re.finditer(rb"(?<!\S)-(?!\S)", source[at:start]):
            yield node.start_byte + at + match.start(), Atom("word", "-")
        at = max(at, end)


def _heredoc(node: Node) -> Iterator[Node | tuple[int, Atom]]:
    parts = {child.type: child for child in node.children}
    body, end = parts.get("heredoc_body"), parts.get("heredoc_end")
    start = text_of(node.children[0]) + "".join(text_of(c) for c in node.children if c.type == "heredoc_start")
    text = text_of(body) if body else ""
    whole = f"{start}\n{text}{text_of(end) if end else ''}"
    yield node.start_byte, Atom("heredoc", whole, node, text)
    for child in node.children[1:]:
        if child.type not in ("heredoc_start", "heredoc_body", "heredoc_end"):
            yield child


def commands_below(node: Node | None) -> Iterator[Node]:
    """The commands below a node in their order, those that run to make a word left out."""
    waiting = list(reversed(node.children)) if node else []
    while waiting:
        child = waiting.pop()
        if child.type == "command":
            yield child
        elif child.type != "command_substitution":
            waiting.extend(reversed(child.children))
