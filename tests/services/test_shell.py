"""The grammar is given no character that its scanner has no place for, and gives all of them back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.shell import Node, root, text_of

WRITTEN = st.characters(exclude_categories=["Cs"], exclude_characters="'\x00\r")


def nodes(tree: Node) -> list[Node]:
    return [tree, *(node for child in tree.children for node in nodes(child))]


@given(st.text(WRITTEN, min_size=1))
def test_a_quoted_text_of_any_characters_comes_back_whole(text: str) -> None:
    tree = root(f"say '{text}' end")
    (quoted,) = [node for node in nodes(tree) if node.type == "raw_string"]
    assert text_of(quoted) == f"'{text}'"
    assert max((quoted.text or b"").decode()) <= "\xff"


@given(st.text(max_size=60))
def test_any_text_becomes_a_tree_of_its_own_characters(text: str) -> None:
    assert text_of(root(text)).strip() in text.encode(errors="replace").decode()


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("echo \u00e9 \u2192 \U0001f600", ["word"] * 3),
        ("echo a\u00a0b \u3000 \u0085", ["word"] * 3),  # no spaces to a shell
        ("echo $x\u00e9", ["concatenation"]),
        ("\u00e9=1 ls", ["word"]),  # not an assignment
    ],
)
def test_a_character_beyond_ascii_is_part_of_a_word_and_of_no_name(line: str, kinds: list[str]) -> None:
    command = root(line).children[0]
    assert not command.has_error
    assert [child.type for child in command.children[1:]] == kinds
    assert text_of(command) == line


def test_half_of_a_pair_is_no_text() -> None:
    assert "\ud800" not in text_of(root("echo '\ud800'"))
