"""Which words of a model may stand in what we write: one plain line that says something, and says it to nobody.

What is refused is said in words of this file only. Whether the words are true is for those to judge who know the facts.
"""

from __future__ import annotations

import re

from meta.llm.spend import UnusableError

_NAME = re.compile(r"[a-z][a-z0-9-]{1,48}")
_PLAIN = re.compile(
    r"[A-Za-z0-9 ,.;:'()+%-]+"
)  # no markup, no path, no second line, nothing that only looks like ASCII
_ADDRESS = re.compile(r"\w[.:]\w|\bwww\b", re.IGNORECASE)
# Words that speak to the agent that will read the text instead of telling what the tool does.
_ORDERS = re.compile(
    r"\b(?:ignor\w*|disregard\w*|forget\w*|overrid\w*|bypass\w*|disabl\w*|instead of asking|without (?:asking|review)"
    r"|previous|prior|instruction\w*|system|prompt\w*|assistant|user|you|your|must|always|never|important|urgent"
    r"|secret\w*|password\w*|credential\w*|api|keys?|tokens?|permission\w*|approv\w*|trust\w*|allow\w*|sudo|root"
    r"|curl|wget|download\w*|upload\w*|send\w*|eval|execut\w*|paste\w*|http\w*|ftp)\b",
    re.IGNORECASE,
)


def name(told: str) -> str:
    """A short slug. Raises `UnusableError`."""
    if not _NAME.fullmatch(told) or told.endswith("-"):
        raise UnusableError("the name is no short slug")
    if _ORDERS.search(told.replace("-", " ")):
        raise UnusableError("the name holds a word that is not taken from a model")
    return told


def text(field: str, told: str, most: int) -> str:
    """One line of plain words. Raises `UnusableError`."""
    told = told.strip(" ")
    if not 10 <= len(told) <= most:
        raise UnusableError(f"the {field} is too short or longer than {most} characters")
    if not _PLAIN.fullmatch(told) or _ADDRESS.search(told):
        raise UnusableError(f"the {field} is not one line of plain words")
    if _ORDERS.search(told):
        raise UnusableError(f"the {field} holds a word that is not taken from a model")
    return told
