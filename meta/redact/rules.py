"""What a redaction rule is: a pattern, what of its matches counts, and samples of both answers.

Where the rules are: token formats of vendors in `vendors`, places where secrets stand in `places`.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass

_ALPHABETS = {
    "a": string.ascii_lowercase + string.digits,
    "A": string.ascii_uppercase + string.digits,
    "w": string.ascii_letters + string.digits,
    "x": "0123456789abcdef",
    "d": string.digits,
    "b": string.ascii_letters + string.digits + "-_",
    "p": string.ascii_letters + string.digits + "+/",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One match. `groups` are its groups, `value` the last of them: the secret. `before` and `after` are the
    characters around the value, "" at the ends of the text.
    """

    groups: tuple[str, ...]
    value: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret. `pattern` is in RE2 syntax over bytes; its last group that took part is what is masked.

    `accept` looks at a match more closely than a pattern can. In the samples `{w36}` stands for 36 made-up characters
    (see `expand`) and `{=text}` for the text: these are what must be masked. Nothing of `no` may be masked.
    """

    name: str
    pattern: str
    yes: tuple[str, ...]
    no: tuple[str, ...] = ()
    accept: Callable[[Found], bool] = lambda found: True


def token(name: str, core: str, *yes: str, no: tuple[str, ...] = ()) -> Rule:
    """A rule for a token that is known by its form. It may follow anything but a letter or digit, or an escape."""
    return Rule(name, rf"(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{{2}})({core})", yes, no)


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
