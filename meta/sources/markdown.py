"""Fenced blocks in Markdown that is read line by line: what stands in one is quoted.

Not a reader of Markdown: of its other forms nothing is known here.
"""

from __future__ import annotations

import re

_TICKS = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[ \t]*")  # with more behind it, it is prose

Fences = tuple[str, ...]  # the marks of the blocks that are open, the outermost first


def fences(line: str, opened: Fences) -> Fences:
    """The blocks that are open after a line; `opened` are those that were before it.

    A mark with a language opens one within the other, as people and models mean it, though Markdown knows no nesting.
    """
    ticks = _TICKS.fullmatch(line)
    if not ticks:
        return opened
    mark, language = ticks.groups()
    if not language and mark in opened:  # with it ends what was left open within
        return opened[: len(opened) - 1 - opened[::-1].index(mark)]
    if not language and opened and mark.startswith(opened[-1]):
        return opened[:-1]
    return (*opened, mark)
