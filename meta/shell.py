"""The grammar of tree-sitter-bash: a shell's text as a tree.

What the words of the tree mean is known in `mining` and in `policy`.
"""

from __future__ import annotations

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

__all__ = ["LIMIT", "Node", "root", "text_of"]

LIMIT = 16 * 2**10  # characters; the grammar takes time with the square of text that it cannot read

_PARSER = Parser(Language(tree_sitter_bash.language()))


def root(text: str) -> Node:
    """The tree of a text. `has_error` tells that parts of it are not of the grammar."""
    return _PARSER.parse(text.encode(errors="surrogatepass")).root_node


def text_of(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
