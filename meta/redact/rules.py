"""What a redaction rule is: a pattern, what of its matches counts, and samples of both answers.

Where the rules are: token formats of vendors in `vendors`, places where secrets stand in `places`.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

_ALPHABETS = {
    "a": string.ascii_lowercase + string.digits,
    "A": string.ascii_uppercase + string.digits,
    "w": string.ascii_letters + string.digits,
    "x": "0123456789abcdef",
    "d": string.digits,
    "b": string.ascii_letters + string.digits + "-_",
    "p": string.ascii_letters + string.digits + "+/",
}


class Found(NamedTuple):
    """One match: the `name` in front of the value or its first group, the `value`, which is what is masked, and the
    characters around it, "" at the ends of the text. `lead` is what the rule's lead matched before the name, `form`
    the number of the group that is the value.
    """

    name: str
    value: str
    before: str
    after: str
    lead: str
    form: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret. `pattern` is in RE2 syntax over bytes; its last group that took part is masked, but for quotes.

    Patterns begin with something rare, so that the automaton stays small; what may stand before is `lead`, taken from
    the end backwards: a pattern for the reversed text, of which the first group, reversed, is put before the name.
    With `widened` it belongs to the secret. Where the secret is a list, `items` finds each in it, in its first group.
    `hint` must occur in a text for the rule to be tried, where RE2 cannot tell
    it from the pattern. `accept` looks at a match more closely than a pattern can.

    In the samples `{w36}` stands for 36 made-up characters (see `expand`) and `{=text}` for the text: these are what
    must be masked. Nothing of `no` may be masked.
    """

    name: str
    pattern: str
    yes: tuple[str, ...]
    no: tuple[str, ...] = ()
    accept: Callable[[Found], bool] = lambda found: True
    lead: bytes = b""
    widened: bool = False
    hint: str = ""
    items: bytes = b""


def token(name: str, core: str, *yes: str, no: tuple[str, ...] = ()) -> Rule:
    """A rule for a token that is known by its form. It may follow anything but a letter or digit, or a `%2F`."""
    return Rule(name, rf"(?:^|[^A-Za-z0-9]|%[0-9A-Fa-f]{{2}})({core})", yes, no)


def expand(sample: str) -> tuple[str, list[str]]:
    """The text of a sample and the secrets in it. The same sample gives the same text."""
    made: list[str] = []
    source = random.Random(sample)

    def make(match: re.Match[str]) -> str:
        if match["text"]:
            made.append(match["text"])
        else:
            made.append("".join(source.choices(_ALPHABETS[match["kind"]], k=int(match["length"]))))
        return made[-1]

    text = re.sub(r"\{(?:(?P<kind>[aAwxdbp])(?P<length>\d+)|=(?P<text>[^{}]+))\}", make, sample)
    return text, made
