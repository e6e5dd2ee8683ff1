"""Whatever a caller's value is made of, a learned step binds it and gives it back, or refuses it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.mining.alignment import align
from meta.mining.binding import bind, match
from meta.mining.lifting import lift
from meta.mining.parts import generalise
from meta.mining.runs import Column, Run
from meta.model import Fixed, Group, Hole, Rest, Step, Style, Word
from meta.rendering import commands, quote

AWKWARD = st.sampled_from(
    [
        "a b",
        "it's",
        'say "x"',
        "$(rm -rf .)",
        "`id`",
        "$HOME",
        "one\ntwo",
        "-x",
        "--flag=1",
        "é ü 漢",
        "",
        "\\",
        "a\\n",
        "EOF",
        "~",
    ]
)
VALUES = st.lists(st.one_of(AWKWARD, st.text(max_size=12)), min_size=3, max_size=6)


def word(value: str, style: Style = "bare") -> Word:
    text = quote(value, style)
    if text == value:
        return Word(text, value, "bare")
    return Word(text, value, "heredoc" if text.startswith('"$(cat') else "single" if text.startswith("'") else "double")


def runs(lines: Sequence[Sequence[Word]]) -> list[Run]:
    return [
        Run(f"s{k}", "a", ((Step("say", "command", "work", tuple(line), event="e", status="ok"),),))
        for k, line in enumerate(lines)
    ]


@pytest.mark.parametrize("style", ["double", "single"])
@given(values=VALUES)
@settings(max_examples=60, deadline=None)
def test_every_quoted_value_comes_back(style: Style, values: list[str]) -> None:
    recorded = runs([[word("say"), word("--text"), word(value, style)] for value in values])
    workflow = lift("w", "p", [Column("say")], recorded)
    assert workflow.support == len(values)
    lines = [commands(workflow.steps, workflow.parameters, o.bindings)[0] for o in workflow.occurrences]
    assert lines == [f"say --text {quote(value, style)}" for value in values]


@given(
    values=VALUES, others=VALUES, styles=st.lists(st.sampled_from(["bare", "double", "single", "heredoc"]), min_size=3)
)
@settings(max_examples=100, deadline=None)
def test_every_run_is_explained_exactly_or_refused(values: list[str], others: list[str], styles: list[Style]) -> None:
    lines = [
        [word("say"), word(a, style), *([word(b)] if len(b) % 2 else []), word("end")]
        for a, b, style in zip(values, others, styles, strict=False)
    ]
    workflow = lift("w", "p", [Column("say")], runs(lines))
    assert workflow.support + len(workflow.refused) == len(lines)
    for occurrence in workflow.occurrences:
        assert commands(workflow.steps, workflow.parameters, occurrence.bindings) == occurrence.commands
        assert " ".join(w.text for w in lines[int(occurrence.session[1:])]) == occurrence.commands[0]


@given(value=st.one_of(AWKWARD, st.text(max_size=20)))
@settings(deadline=None)
def test_a_value_never_seen_is_bound_or_refused_and_never_changed(value: str) -> None:
    workflow = lift("w", "p", [Column("say")], runs([[word("say"), word(v, "double")] for v in ("x y", "z w", "v")]))
    (recorded,) = runs([[word("say"), word(value, "double")]])
    assert bind(workflow.steps, workflow.parameters, recorded) == {workflow.parameters[0].name: value}


def test_a_shell_word_is_never_a_value() -> None:
    workflow = lift("w", "p", [Column("say")], runs([[word("say"), word(v)] for v in ("x1", "y2", "z3")]))
    (recorded,) = runs([[word("say"), Word("$HOME", "$HOME", "shell")]])
    assert bind(workflow.steps, workflow.parameters, recorded) == "say: shell expansion in a value"


def words(line: str) -> tuple[Word, ...]:
    return tuple(word(text) for text in line.split())


def test_words_with_one_role_stand_in_one_column() -> None:
    rows = [words("t -q a"), words("t b"), words("t --max 3 c")]
    assert [[w.text if w else "" for w in cells] for cells in align(rows)] == [
        ["t", "t", "t"],
        ["-q", "", ""],
        ["", "", "--max"],
        ["", "", "3"],
        ["a", "b", "c"],
    ]


def test_a_word_is_not_aligned_with_one_behind_another_flag() -> None:
    columns = align([words("t --a 1"), words("t --b 2")])
    assert all(sum(cell is not None for cell in cells) in (1, 2) for cells in columns)
    assert len(columns) == 5


def test_hopelessly_diverse_options_are_one_list_and_orderly_ones_are_not() -> None:
    diverse = ["t --a 1 x", "t -b y z", "t --c", "t q --d 4 --e", "t -f -g", "t --h=3 w", "t", "t -i 1 2 3"]
    diverse += ["t -j", "t --k=1", "t --l m", "t -n o", "t -p"]
    assert generalise(tuple(words(line) for line in diverse), "0").parts == (Fixed(word("t")), Rest("0.rest"))
    orderly = ["t --a 1 --b 2 --c 3", "t --a 4 --b 5 --c 6"]
    assert sum(isinstance(p, Hole) for p in generalise(tuple(words(line) for line in orderly), "0").parts) == 3


def test_a_list_leaves_known_options_and_last_words_to_their_parts() -> None:
    parts = (Fixed(word("cp")), Rest("files"), Group("force", (Fixed(word("-f")),)), Hole("target"))
    assert match(parts, words("cp a b -f c"), {}) == {"files": ["a", "b"], "force": True, "target": "c"}
    assert match(parts, words("cp a b c"), {}) == {"files": ["a", "b"], "target": "c"}
    assert match(parts, words("cp"), {}) is None
