"""The written forms of a name: its words, the forms they are put in, and where a text writes the name in any of them.

What a text says around a name is for `patterns` to compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from meta.family import Form

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+|[^\W\d_A-Za-z]+")
_FORMS: Mapping[
    Form, Callable[[tuple[str, ...]], str]
] = {  # the more usual first: of forms that are equal, the first is told
    "snake": lambda words: "_".join(words).lower(),
    "pascal": lambda words: "".join(map(str.capitalize, words)),
    "upper": lambda words: "_".join(words).upper(),
    "title": lambda words: " ".join(map(str.capitalize, words)),
    "kebab": lambda words: "-".join(words).lower(),
    "camel": lambda words: "".join((words[0].lower(), *map(str.capitalize, words[1:]))) if words else "",
    "flat": lambda words: "".join(words).lower(),
    "spaced": lambda words: " ".join(words).lower(),
}


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """`HTTPServer2_log` is HTTP, Server2, log."""
    return tuple(_WORD.findall(name))


@lru_cache(maxsize=4096)
def forms(name: str) -> Mapping[Form, str]:
    """Every form of the name, as it stands first."""
    parts = words(name)
    return {"as-is": name, **{form: write(parts) for form, write in _FORMS.items()}}


def in_form(name: str, form: Form) -> str:
    return forms(name)[form]


def forms_of(name: str, spelled: str) -> tuple[Form, ...]:
    """The forms in which the name is spelled just so."""
    return tuple(form for form, text in forms(name).items() if text == spelled)


@lru_cache(maxsize=65536)
def letters(text: str) -> str:
    """What stays of a text when case and separators do not matter."""
    return "".join(character for character in text.lower() if character.isalnum())


def occurrences(name: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the text has the name in any case and with any separators, as a whole word or a whole part of one."""
    pattern = _anywhere(name)
    for match in pattern.finditer(text) if pattern else ():
        if _whole(text, match.start(), match.end()):
            yield match.span()


@lru_cache(maxsize=4096)
def _anywhere(name: str) -> re.Pattern[str] | None:
    """A word of two letters may not be broken, nor one letter be cut off a longer one: `in_box` is `inbox`, `i n box` is not."""
    letter = letters(name)
    if len(letter) < 2:
        return re.compile(re.escape(name)) if letter else None
    if len(letter) > 80:
        return re.compile(re.escape(name), re.IGNORECASE)
    parts = [letters(part) for part in words(name)]
    if "".join(parts) != letter:
        return re.compile(re.escape(name), re.IGNORECASE)
    return re.compile("[-_ ]?".join(map(_broken, parts)), re.IGNORECASE)


def _broken(part: str) -> str:
    if len(part) < 5:
        return re.escape(part)
    return "".join(
        rf"(?:[-_ ])?{re.escape(letter)}" if 1 < i < len(part) - 1 else re.escape(letter)
        for i, letter in enumerate(part)
    )


def _whole(text: str, start: int, end: int) -> bool:
    found = text[start:end]
    before, after = text[start - 1 : start], text[end : end + 1]
    if found.isupper() and len(found) > 1:
        return not before.isalnum() and not after.isalnum()
    if after.isdigit() or (after.islower() and found[-1].isalnum()):
        return False
    return not (before.isupper() or before.isdigit()) if found[0].isupper() else not before.isalnum()
