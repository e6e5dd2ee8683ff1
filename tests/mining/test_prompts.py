"""What a person typed, and what they only pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.mining import prompts
from meta.mining.prompts import typed


@pytest.mark.parametrize(("prompt", "own"), prompts.OWN)
def test_what_is_quoted_or_pasted_is_not_typed(prompt: str, own: str) -> None:
    assert typed(prompt) == own


@pytest.mark.parametrize(
    "form", ["```\n{}\n```", "~~~~\n{}\n~~~~", "> {}", "<pasted>{}</pasted>", '"{}"', "`{}`", "$ {}"]
)
@given(words=st.lists(st.sampled_from(["deploy", "push", "release", "migrate"]), min_size=1, max_size=5))
def test_a_word_that_is_only_quoted_never_comes_through(form: str, words: list[str]) -> None:
    prompt = "please look at this:\n" + form.format(" ".join(words)) + "\nthanks"
    assert not set(words) & set(typed(prompt).split())
    assert "thanks" in typed(prompt)


def test_what_stands_far_behind_is_taken_for_pasted() -> None:
    assert "deploy" not in typed("look: " + "word " * 300 + "deploy")
    assert "deploy" in typed("look: " + "word " * 30 + "deploy")
