"""What an add does to a hub is learned, and done again where the like of it stands."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.families import hubs, names
from meta.family import HubEdit, Insertion, Named, Slot, Text
from meta.insertion import NoPlaceError, insert, joined, rank

WORDS = ("alder", "birch", "cedar", "dwarf_pine", "elm", "fir", "grey_oak", "hazel", "ivy", "juniper")


def grown(lines: dict[str, str], head: str, tail: str, *, order: str = "text") -> list[hubs.Add]:
    """The adds of a hub that got these lines one after another, by name; every second one stands there from the start."""
    known = [line for number, line in enumerate(lines.values()) if number % 2]
    adds = []
    for number, (name, line) in enumerate(lines.items()):
        if number % 2:
            continue
        before = head + "".join(known) + tail
        known = [line, *known] if order == "start" else [*known, line]
        known = sorted(known) if order == "text" else known
        adds.append(hubs.Add(name, before, head + "".join(known) + tail))
    return adds


def learned(adds: list[hubs.Add]) -> HubEdit:
    edit = hubs.learn("hub.py", adds)
    assert edit is not None
    return edit


def put(text: str, found: Insertion, *lines: str, python: bool = True) -> str:
    return insert(text, lines, found.like, found.anchor, found.inside, found.order, python=python)


def test_an_import_that_each_add_puts_in_is_learned_with_its_forms_and_slots() -> None:
    lines = {w: f"from trees.{w} import {names.in_form(w, 'pascal')}, {w[:2].upper()}\n" for w in WORDS}
    (found,) = learned(grown(lines, "import os\n\n", "\nprint(os)\n")).insertions
    (line,) = found.lines
    name, spelled, code = (piece for piece in line.pieces if not isinstance(piece, Text))
    assert line.pieces[0] == Text("from trees.")
    assert name == Named("name", "as-is")
    assert isinstance(spelled, Slot)
    assert found.defaults[spelled.parameter] == (Named("name", "pascal"),)
    assert isinstance(code, Slot)
    assert code.parameter not in found.defaults
    assert found.order == "text"


def test_lines_that_have_nothing_in_common_are_no_edit() -> None:
    lines = {
        "alder": "alder is a tree\n",
        "birch": "x = [birch()]\n",
        "cedar": "<cedar/>\n",
        "elm": "# elm\n",
        "fir": "fir: 1\n",
    }
    assert hubs.learn("hub.txt", grown(lines, "", "", order="end")) is None


def test_adds_that_do_not_name_the_member_are_no_edit() -> None:
    adds = [hubs.Add(word, "count = 1\n", "count = 2\n") for word in WORDS]
    assert hubs.learn("hub.py", adds) is None


def test_a_list_on_one_line_that_grows_is_no_line_to_put_in_once_more() -> None:
    known = [f"__all__ = {list(WORDS[:n])!r}\nVERSION = 1\n" for n in range(2, 10)]
    adds = [hubs.Add(WORDS[n + 2], known[n], known[n + 1]) for n in range(len(known) - 1)]
    assert hubs.learn("hub.py", adds) is None


def test_two_adds_are_too_few_to_learn_from() -> None:
    assert hubs.learn("hub.py", grown({w: f"    '{w}',\n" for w in WORDS[:4]}, "X = [\n", "]\n")) is None


@pytest.mark.parametrize("order", ["text", "end", "start"])
def test_the_order_that_adds_kept_is_found(order: str) -> None:
    names_ = (
        WORDS
        if order == "text"
        else ("fir", "alder", "juniper", "cedar", "ivy", "birch", "hazel", "elm", "grey_oak", "dwarf_pine")
    )
    adds = grown({w: f"    '{w}',\n" for w in names_}, "TREES = [\n", "]\n", order=order)
    assert learned(adds).insertions[0].order == order


def test_what_one_of_the_adds_had_otherwise_is_a_slot_with_what_the_others_have() -> None:
    lines = {w: f"    ('{w}', r'https://{w}.example.org'),\n" for w in WORDS}
    lines["cedar"] = "    ('cedar', r'https://trees.example.org'),\n"
    (found,) = learned(grown(lines, "URLS = [\n", "]\n")).insertions
    (default,) = found.defaults.values()
    assert [piece.parameter for piece in default if isinstance(piece, Named)] == ["name"]


def test_a_line_and_the_one_above_it_that_always_comes_with_it_are_one_insertion() -> None:
    lines = {w: f"@overload\ndef tree(name: Literal['{w}']) -> {names.in_form(w, 'pascal')}: ...\n" for w in WORDS}
    (found,) = learned(
        grown(lines, "from typing import Literal, overload\n\n\n", "\n\ndef tree(name): ...\n")
    ).insertions
    assert len(found.lines) == 2
    assert Text("@overload") in {piece for line in found.lines for piece in line.pieces}


def test_a_line_goes_to_the_block_of_its_like_and_not_to_another() -> None:
    lines = {w: f"    '{w}',\n" for w in WORDS}
    (found,) = learned(grown(lines, "SHRUBS = [\n    'broom',\n]\nTREES = [\n", "]\n")).insertions
    text = "SHRUBS = [\n    'broom',\n    'zinnia',\n]\nTREES = [\n    'alder',\n    'fir',\n]\n"
    assert put(text, found, "    'elm',") == text.replace("    'fir'", "    'elm',\n    'fir'")


def test_a_line_that_stands_in_another_block_is_put_in_its_own() -> None:
    text = "SHRUBS = [\n    'elm',\n]\nTREES = [\n    'alder',\n]\n"
    assert put(text, LIST, "    'elm',") == text.replace("    'alder',\n", "    'alder',\n    'elm',\n")


LIST = Insertion((), 0, "TREES = [", "text", r"    '(?P<key>.*)")


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8, unique=True), st.sampled_from(WORDS))
def test_twice_is_once_and_every_other_line_stays(there: list[str], new: str) -> None:
    before = "# trees\nTREES = [\n" + "".join(f"    '{word}',\n" for word in there) + "]\n\n\ndef x() -> None: ...\n"
    after = put(before, LIST, f"    '{new}',")
    assert put(after, LIST, f"    '{new}',") == after
    added = [] if new in there else [f"    '{new}',"]
    assert sorted(after.split("\n")) == sorted([*before.split("\n"), *added])
    others = [line for line in after.split("\n") if f"'{new}'" not in line]
    assert others == [line for line in before.split("\n") if f"'{new}'" not in line]


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=6).map(sorted), st.text("abc", min_size=1, max_size=3))
def test_in_a_sorted_list_the_rank_keeps_it_sorted(keys: list[str], key: str) -> None:
    place = rank(keys, key, "text")
    assert [*keys[:place], key, *keys[place:]] == sorted([*keys, key])


def test_one_that_stands_wrong_does_not_draw_the_next_one_after_it() -> None:
    assert rank(["a", "z", "c", "d", "f"], "e", "text") == 4


@pytest.mark.parametrize(("before", "after"), [
    pytest.param("TREES = [\n    'a',\n    'c'\n]\n", "TREES = [\n    'a',\n    'b',\n    'c'\n]\n", id="in the middle"),
    pytest.param("TREES = [\n    'a'\n]\n", "TREES = [\n    'a',\n    'b'\n]\n", id="behind one without a comma"),
    pytest.param("TREES = [\r\n    'a',\r\n]\r\n", "TREES = [\r\n    'a',\r\n    'b',\r\n]\r\n", id="with the line breaks of the file"),
    pytest.param("TREES = [\n    'a',\n    'x',  # a comment\n]\n", "TREES = [\n    'a',\n    'b',\n    'x',  # a comment\n]\n", id="before a comment"),
])  # fmt: skip
def test_the_new_line_is_written_as_its_like(before: str, after: str) -> None:
    assert put(before, LIST, "    'b',") == after


def test_a_file_without_a_last_line_break_keeps_that() -> None:
    found = Insertion((), 0, "", "text", r"- (?P<key>.*)")
    assert put("- a", found, "- b", python=False) == "- a\n- b"


def test_a_wrapped_line_is_known_as_the_one_that_it_is() -> None:
    wrapped = "TREES = [\n    (\n        'b',\n        1,\n    ),\n]\n"
    found = Insertion((), 0, "TREES = [", "text", r"    \(['\"](?P<key>.*)")
    assert joined(["    (\n", "        'b',\n", "        1,\n", "    ),\n"]) == "    ('b', 1),"
    assert put(wrapped, found, "    ('b', 1),") == wrapped
    assert put(wrapped, found, "    ('c', 1),") == wrapped.replace("    ),\n", "    ),\n    ('c', 1),\n")


def test_where_no_like_of_it_stands_nothing_is_changed_and_it_is_said() -> None:
    with pytest.raises(NoPlaceError, match="nothing like"):
        put("SHRUBS = []\n", LIST, "    'b',")


def test_a_line_after_which_the_file_is_no_python_is_refused() -> None:
    with pytest.raises(NoPlaceError, match="no Python"):
        put("TREES = [\n    'a',\n]\n", LIST, "    'b' 'c' = (,")


def test_a_hub_of_many_kinds_stays_python() -> None:
    lines = {w: f"    '{w}': ('{names.in_form(w, 'pascal')}', '{w[0].upper()}'),\n" for w in WORDS}
    adds = grown(lines, "import re\n\nTREES = {\n", "}\nOTHER = {'alder': re.compile('a')}\n")
    (found,) = learned(adds[:-1]).insertions
    last = adds[-1]
    (line,) = [put_.text for put_ in hubs.put_in(last)]
    after = put(last.before, found, line)
    ast.parse(after)
    assert after == last.after


def test_what_a_member_has_in_a_hub_is_read_from_it() -> None:
    lines = {w: f"from trees.{w} import {names.in_form(w, 'pascal')}, {w[:2].upper()}\n" for w in WORDS}
    (found,) = learned(grown(lines, "", "")).insertions
    text = "".join(sorted(lines.values()))
    assert list((hubs.standing(found, "grey_oak", text) or {}).values()) == ["GreyOak", "GR"]
    assert list((hubs.standing(found, "elm", text.replace("Elm", "ELM")) or {}).values()) == ["ELM", "EL"]
    assert hubs.standing(found, "elm", text.replace("Elm", "Oak")) is None
    assert hubs.standing(found, "walnut", text) is None
    assert re.fullmatch(found.like, lines["elm"].rstrip())
