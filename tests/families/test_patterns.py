"""What is learned from members makes each of them again, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from meta.families.patterns import answers, answers_together, learn, learn_together, render

NAMES = st.lists(st.text("abcdeXY0_-é", min_size=1, max_size=8), min_size=1, max_size=5, unique=True)
LINES = st.sampled_from(
    (
        "",
        "    x = 1",
        "\ty = 'é'",
        "class {N}:",
        "def {n}():",
        '  "a",',
        '  "b",',
        '  "c",',
        "# one",
        "# two of {n}",
        "{n} = {n}",
        "\r",
        "\0name",
    )
)


def texts(name: str) -> st.SearchStrategy[str]:
    fixed = st.tuples(LINES, st.text("ab1\"' =(,)\r\t\0é", max_size=4)).map("".join)
    return st.tuples(
        st.lists(LINES | fixed, max_size=12), st.sampled_from(("\n", "\r\n")), st.sampled_from(("", "\n"))
    ).map(lambda parts: (parts[1].join(parts[0]) + parts[2]).replace("{n}", name).replace("{N}", name.title()))


FAMILIES = NAMES.flatmap(lambda names: st.fixed_dictionaries({name: texts(name) for name in names}))


@settings(max_examples=300, deadline=None)
@given(FAMILIES)
def test_every_member_is_made_again_byte_for_byte(members: Mapping[str, str]) -> None:
    pattern = learn("{X}.py", members)
    for name, text in members.items():
        assert render(pattern, answers(pattern, name, text)) == text


@settings(max_examples=150, deadline=None)
@given(st.tuples(FAMILIES, FAMILIES))
def test_the_files_of_a_member_are_made_from_one_set_of_answers(
    files: tuple[Mapping[str, str], Mapping[str, str]],
) -> None:
    roles = {"{X}.py": files[0], "test_{X}.py": files[1]}
    patterns = learn_together(roles)
    for name in {*files[0], *files[1]}:
        own = {path: texts[name] for path, texts in roles.items() if name in texts}
        together = answers_together(patterns, name, own)
        for pattern in patterns:
            if pattern.path in own:
                assert render(pattern, together) == own[pattern.path]


@settings(max_examples=150, deadline=None)
@given(FAMILIES, st.text("abX_", min_size=1, max_size=6), st.text("ab\n\"', =", max_size=40))
def test_any_new_text_can_be_read(members: Mapping[str, str], name: str, text: str) -> None:
    pattern = learn("{X}.py", members)
    render(pattern, answers(pattern, name, text))
