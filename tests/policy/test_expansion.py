"""A word is read as a real bash reads it, as far as it can be told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.policy.expansion import Names, words
from meta.policy.nouns import UNKNOWN

PIECES = [
    "a", "b c", "'x y'", '"x y"', "\\ ", "\\n", "$'\\x41\\n'", "$'\\101'", '"$A"', "$A", "${A}", "${A:1:2}", "${A/b/c}", "${B:-d}", "${A:+e}", "${A^^}", "{1..3}", "{p,q}", "{p,'q r'}",
    "x{a,b}y", '"{a,b}"', "'$A'", '"a\\"b"', "\\$A", "=", "/", "-", '""', "''", "${#C}", "$C", '"$C"', "a\\\nb", '$"z"', "[", "]", "{", "}", "{x}", "{,}",
]  # fmt: skip
VARIABLES = {"A": "abc", "C": "one two"}


def names() -> Names:
    return Names(lambda _: UNKNOWN, lambda _text, _reads: UNKNOWN, dict(VARIABLES))


def bash(word: str, folder: Path) -> list[str]:
    script = f"printf '%s\\0' {word}"
    environment = {"PATH": os.environ["PATH"], **VARIABLES}
    done = subprocess.run(["bash", "-c", script], capture_output=True, cwd=folder, env=environment, check=True)
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=120, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_a_word_becomes_what_bash_makes_of_it(pieces: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    word = "".join(piece for piece in pieces if " " not in piece or piece[0] in "'\"{\\")
    if not word:
        return
    told = words(word, names())
    assert any(UNKNOWN in part for part in told) or (told or [""]) == bash(word, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("word", ["$NOBODY", "$(date)", "`date`", "${!x}", "${A%b*}", "$((1+1))"])
def test_what_only_the_run_tells_is_marked(word: str) -> None:
    assert any(UNKNOWN in part for part in words(word, names()))


@pytest.mark.parametrize("word", ["{1..70}", "{-70..-1}", "{1..3}{1..3}{1..3}{1..3}", "{" + "a," * 70 + "b}"])
def test_braces_that_make_too_many_words_leave_a_mark_for_the_rest(word: str) -> None:
    assert words(word, names())[-1] == UNKNOWN


def test_braces_that_make_as_many_words_as_are_read_leave_no_mark() -> None:
    assert words("{1..64}", names()) == [str(n) for n in range(1, 65)]
