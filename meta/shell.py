"""The grammar of tree-sitter-bash: a shell's text as a tree.

What the words of the tree mean is known in `mining` and in `policy`. The grammar's scanner looks characters up in a table
of 256 (`isalnum` and the like), beyond whose end it reads what lies there or ends the process. So it is given none beyond:
each character that is not ASCII goes in as four signs, which are in words what it is, and in names as little as for a
shell.
"""

from __future__ import annotations

import re

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

__all__ = ["LIMIT", "Node", "root", "text_of"]

LIMIT = 16 * 2**10  # characters; the grammar takes time with the square of text that it cannot read
_SIGNS = "".join(map(chr, (*range(0xA1, 0xAA), *range(0xAB, 0xB5), *range(0xB6, 0xBA), *range(0xBB, 0xC0),
                           0xD7, 0xF7, 0x80, 0x81, 0x82)))  # fmt: skip
"""Of Latin-1, what is neither a letter nor a space: 33, so that four of them tell every character."""
_WIDTH = 4

_PARSER = Parser(Language(tree_sitter_bash.language()))
_OTHER = re.compile(r"[^\x00-\x7f]")
_GIVEN = re.compile(f"[{_SIGNS}]{{{_WIDTH}}}")


def root(text: str) -> Node:
    """The tree of a text. `has_error` tells that parts of it are not of the grammar.

    Halves of a character's pair are no text, and become U+FFFD.
    """
    whole = text if text.isascii() else text.encode(errors="surrogatepass").decode(errors="replace")
    given = _OTHER.sub(_as_signs, whole)
    return _PARSER.parse(given.encode()).root_node


def text_of(node: Node) -> str:
    given = (node.text or b"").decode()
    return given if given.isascii() else _GIVEN.sub(_from_signs, given)


def _as_signs(match: re.Match[str]) -> str:
    number, signs = ord(match[0]), ""
    for _ in range(_WIDTH):
        number, digit = divmod(number, len(_SIGNS))
        signs += _SIGNS[digit]
    return signs


def _from_signs(match: re.Match[str]) -> str:
    number = 0
    for sign in reversed(match[0]):
        number = number * len(_SIGNS) + _SIGNS.index(sign)
    return chr(number)
