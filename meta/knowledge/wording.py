"""How a recorded command is shown in a document: its own words where they name things, a placeholder for the rest.

What the command did is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from meta.model import Step, Word
from meta.vetting import is_name

OPERANDS = 3  # plain words beside program, sub-command and options: more could be a sentence
LONGEST = 100  # characters of a command that is shown
_FLAG = re.compile(r"(--?[A-Za-z][\w-]*)(=.*)?", re.DOTALL)
_SET = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PATH = re.compile(r"[\w.@~+-]*(?:[/\\][\w.@~+*-]*)+|[\w-]+\.[a-z]{1,5}")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z:_.-]{0,30}")
_ORDERS = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|obey|override|pretend|reveal|your|you|keys?|please|instructions?|previous)\b"
)


def shown(words: Sequence[Word], head: str) -> str:
    """The command with its program, sub-command and options as they were, and what was given to them by its kind."""
    names = set(head.split())
    parts: list[str] = []
    bare = 0
    for place, word in enumerate(words):
        part = _part(word, names, first=place == 0)
        bare += part == word.text and word.value not in names and part[:1].isalpha()
        part = "<value>" if bare > OPERANDS and part == word.text and part[:1].isalpha() else part
        if part and not (part.startswith("<") and parts and parts[-1] == part):
            parts.append(part)
    line = " ".join(parts)
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rsplit(' ', 1)[0]} …"


def _part(word: Word, names: set[str], *, first: bool) -> str:
    text = word.text
    if re.match(r"\d*[<>]|&>|\|", text):
        return ""
    if text == "--" or (word.value in names and is_path(word.value)):
        return text
    if flag := _FLAG.fullmatch(text):
        return flag[1] + ("=…" if flag[2] else "") if is_name(flag[1].lstrip("-")) else "<option>"
    if (assigned := _SET.fullmatch(text)) and is_name(assigned[1]):
        return text if re.fullmatch(r"[01]|true|false", assigned[2]) else f"{assigned[1]}=…"
    if word.style not in ("bare", "shell") or "\n" in text:
        return "<text>"
    if "://" in text:
        return "<url>"
    if text in (".", "./...") or (first and is_path(text)) or _operand(text):
        return text
    return "<path>" if _PATH.fullmatch(text) else "<value>"


def _operand(text: str) -> bool:
    """Whether a bare word names something, such as a branch or a script of a package."""
    return (
        bool(_PLAIN.fullmatch(text) and is_name(text))
        and text.count("-") < 2
        and not (re.search(r"\.[a-z]{1,5}$", text) or _ORDERS.search(text))
    )


def is_path(text: str) -> bool:
    """Whether a text is a path (or a plain name) whose every part names something, so that it may be shown."""
    parts = [part for part in re.split(r"[/\\]", text) if part not in ("", ".", "..", "~")]
    spaced = re.sub(r"[^A-Za-z]+", " ", text)
    return bool(parts) and len(text) <= LONGEST and all(map(is_name, parts)) and not _ORDERS.search(spaced)


def wrapper(step: Step) -> str:
    """The words before a command that only say how to run it and were left out of its line, such as `rtk`."""
    return " ".join(_leading(step.display.split()))


def _leading(words: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for word in words:
        if not re.fullmatch(r"[\w@./-]+", word) or not is_name(word):
            break
        kept.append(word)
    return kept


def line(step: Step) -> str:
    """The command as it was run, its wrapper in front."""
    before = wrapper(step)
    return f"{before} {step.line}" if before else step.line


def command(step: Step) -> str:
    """The same as it is shown."""
    return " ".join(filter(None, (wrapper(step), shown(step.words, step.head))))


def code(text: str) -> str:
    """A piece of code in a sentence of Markdown."""
    return f"`{text.replace('`', chr(39))}`"


def listed(items: Sequence[str]) -> str:
    """Some things in a sentence: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
