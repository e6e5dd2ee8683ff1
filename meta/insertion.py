"""Put lines into a file where their like stand, and change nothing else of it.

What the lines are is decided elsewhere. What stands below the imports needs nothing of this project: a generated tool
carries it as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

LONGEST = 14  # physical lines of one logical line
STRING = re.compile(r""" "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | \#.* """, re.VERBOSE)


class NoPlaceError(Exception):
    """The file has no place for the lines that can be told for sure."""


def insert(text: str, lines: Sequence[str], like: str, anchor: int, inside: str, order: str, *, python: bool) -> str:
    """The text with the lines among their like, or as it is where they are there. Raises `NoPlaceError`.

    `like` matches the lines and their like as a whole; its group `key` is what `order` goes by. `lines[anchor]` is one
    that may be wrapped, below the line `inside` that opens the block.
    """
    old = text.splitlines(keepends=True)
    blocks = alike(old, like, anchor, len(lines))
    blocks = [block for block in blocks if opener(old, block[0] + anchor) == inside] or blocks
    if any(plain(found.string) == plain("\n".join(lines)) for _, _, found in blocks):
        return text
    mine = re.fullmatch(like, "\n".join(lines))
    if mine is None or not blocks:
        raise NoPlaceError(f"nothing like {lines[anchor].strip()!r} stands there")
    place = rank([key(found, order) for _, _, found in blocks], key(mine, order), order)
    at = blocks[place - 1][1] if place else blocks[0][0]
    written, comma_before = with_commas(
        lines, anchor, [found.string.split("\n")[anchor] for _, _, found in blocks], place
    )
    line_break = "\r\n" if old[0].endswith("\r\n") else "\n"
    new = [line + line_break for line in written]
    if comma_before:
        old[at - 1] = old[at - 1].rstrip() + "," + line_break
    elif at and not old[at - 1].endswith("\n"):
        old[at - 1], new[-1] = old[at - 1] + line_break, new[-1].removesuffix(line_break)
    changed = "".join([*old[:at], *new, *old[at:]])
    if python and parses(text) and not parses(changed):
        raise NoPlaceError(f"with {lines[anchor].strip()!r} it would be no Python any more")
    return changed


def alike(lines: Sequence[str], like: str, anchor: int, count: int) -> list[tuple[int, int, re.Match[str]]]:
    """Where what matches `like` starts and ends."""
    depths = [depth(line) for line in lines]
    found = []
    for start in range(anchor, len(lines)):
        end = ending(depths, start)
        around = [*lines[start - anchor : start], joined(lines[start:end]), *lines[end : end + count - 1 - anchor]]
        if match := re.fullmatch(like, "\n".join(line.rstrip() for line in around)):
            found.append((start - anchor, end + count - 1 - anchor, match))
    return found


def depth(line: str) -> int:
    """How many brackets the line opens and does not close."""
    code = STRING.sub("", line)
    return sum(code.count(sign) for sign in "([{") - sum(code.count(sign) for sign in ")]}")


def ending(depths: Sequence[int], start: int) -> int:
    """Where the logical line ends that starts here: where the brackets that it opens are closed."""
    open_ = 0
    for end in range(start, min(start + LONGEST, len(depths))):
        open_ += depths[end]
        if open_ <= 0:
            return end + 1 if open_ == 0 else start + 1
    return start + 1


def joined(lines: Sequence[str]) -> str:
    """A logical line written as one."""
    whole = lines[0].rstrip()
    for line in map(str.strip, lines[1:]):
        if line.startswith((")", "]", "}")):
            whole = whole.removesuffix(",") + line
        else:
            whole += line if whole.endswith(("(", "[", "{")) else f" {line}"
    return re.sub(r"^(\s*from \S+ import )\((.*)\)$", r"\1\2", whole) if len(lines) > 1 else whole


def opener(lines: Sequence[str], at: int) -> str:
    """The line above that is indented less and so opens the block of this one, "" where there is none."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    for line in reversed(lines[:at] if indent else []):
        if line.strip() and len(line) - len(line.lstrip()) < indent and line.strip()[0] not in "#)]}":
            return plain(line.strip())
    return ""


def plain(text: str) -> str:
    """The text without what a formatter may change: quotes of one kind, no comma at the end."""
    return text.replace("'", '"').rstrip().removesuffix(",")


def key(found: re.Match[str], order: str) -> str:
    text = found["key"] if order == "text" else found["key"].lower()
    return re.sub(r"[\W_]+", "", text) if order == "letters" else text


def rank(keys: Sequence[str], key: str, order: str) -> int:
    """How many of the keys stand before this one: where most of them are on the right side of it."""
    if order in ("start", "end"):
        return len(keys) if order == "end" else 0
    right = best = sum(other > key for other in keys)
    place = 0
    for index, other in enumerate(keys, 1):
        right += 1 if other <= key else -1
        if right >= best:
            best, place = right, index
    return place


def with_commas(lines: Sequence[str], anchor: int, others: Sequence[str], place: int) -> tuple[list[str], bool]:
    """The lines with a comma where their like have one, and whether the line before needs one first."""
    has = [bool(re.search(r",\s*(#.*)?$", other)) for other in others]
    new = list(lines)
    if not (any(has) or new[anchor].endswith(",")) or re.search(r"\s#", new[anchor]):
        return new, False
    bare = new[anchor].removesuffix(",")
    new[anchor] = bare if place == len(has) and not has[-1] else bare + ","
    return new, place == len(has) and not has[-1]


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
