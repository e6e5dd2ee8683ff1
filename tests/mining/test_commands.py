"""The rows of the tables say of their own examples what they are."""

import shlex

import pytest

from meta.mining import commands as known


@pytest.mark.parametrize(("line", "head", "effect"), known.EXAMPLES, ids=lambda value: str(value))
def test_the_examples_have_their_head_and_effect(line: str, head: str, effect: str) -> None:
    words = shlex.split(line)
    at, count, _ = known.context(words)
    found, arguments = known.head(words[:at] + words[at + count :])
    assert (found, known.effect(found, arguments)) == (head, effect)


@pytest.mark.parametrize("wrapper", known.WRAPPERS.values(), ids=lambda wrapper: wrapper.example)
def test_a_wrapper_is_seen_through(wrapper: known.Wrapper) -> None:
    assert known.head(shlex.split(wrapper.example)) == ("pytest", ("-q",))


def test_a_wrapper_with_nothing_behind_it_is_the_program() -> None:
    assert known.head(["nohup"])[0] == "nohup"


@pytest.mark.parametrize("effect", ["look", "inspect", "work"])
def test_every_effect_has_an_example(effect: str) -> None:
    assert any(example[2] == effect for example in known.EXAMPLES)


@pytest.mark.parametrize(
    "words", [["python", "-m", "pipenv", "run"], ["sudo"], ["xargs"], ["find", ".", "-exec"]], ids=str
)
def test_a_long_row_of_wrappers_is_no_deep_one(words: list[str]) -> None:
    head, arguments = known.head([*words * 5000, "rm"])
    assert head
    assert known.effect(head, arguments) == "work"
