"""What a pattern is worth: how much of a member it makes that it was not learned from, and how much it explains in few words.

How a member is made in history, and by which strategy, is in `replay`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meta.families import names
from meta.families.align import ascending
from meta.families.closest import closest
from meta.families.fit import resolved
from meta.families.lines import split
from meta.families.reading import NAME
from meta.family import Coverage, Each, Line, Pattern, Text


@dataclass(frozen=True, slots=True)
class Tally:
    """Lines of members: how many there are, how many of them are made and how many are made that they do not have.

    Of those made, `plain` need no value but the name, and `rows` are rows of data.
    """

    lines: int = 0
    made: int = 0
    junk: int = 0
    plain: int = 0
    rows: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.lines + other.lines,
            self.made + other.made,
            self.junk + other.junk,
            self.plain + other.plain,
            self.rows + other.rows,
        )

    @property
    def coverage(self) -> Coverage:
        return Coverage(self.made / max(self.lines, 1), self.junk / max(self.lines, 1))


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def by_pattern(pattern: Pattern, name: str, text: str) -> Tally:
    """What the pattern makes of the text, given the name and what fills the places of its lines; options are as by default."""
    nodes = resolved(pattern, {})
    lines = split(text)
    made = [line for at, line in closest(Pattern(pattern.path, nodes), name, lines).made.items() if lines[at].strip()]
    rows = {line for node in nodes if isinstance(node, Each) for line in node.lines}
    of_rows = sum(line in rows for line in made)
    given = sum(isinstance(node, Line) and not _blank(node) for node in nodes)
    plain = sum(all(isinstance(piece, Text) or piece.parameter == NAME for piece in line.pieces) for line in made)
    return Tally(len(solid(text)), len(made), given - (len(made) - of_rows), plain, of_rows)


def _blank(line: Line) -> bool:
    return all(isinstance(piece, Text) and not piece.text.strip() for piece in line.pieces)


def solid(text: str) -> list[str]:
    """The lines that are not blank, which are those that count."""
    return [line for line in split(text) if line.strip()]


def by_copy(source: str, copied: str, name: str, text: str) -> Tally:
    """What a copy of another member's file has of the text when the name in it is changed."""
    lines = solid(text)
    copy = solid(renamed(source, copied, name))
    same = common(copy, lines)
    return Tally(len(lines), same, len(copy) - same, same)


def renamed(source: str, text: str, name: str) -> str:
    """The text with one name for the other, each time in the form it was in; a spelling that is no form becomes the nearest."""
    parts: list[str] = []
    done = 0
    for start, end in names.occurrences(source, text):
        spelled = text[start:end]
        forms = names.forms_of(source, spelled)
        form = forms[0] if forms else "upper" if spelled.isupper() else "pascal" if spelled[0].isupper() else "snake"
        parts += [text[done:start], names.in_form(name, form)]
        done = end
    return "".join((*parts, text[done:]))


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts have in common, in one order."""
    where: dict[str, list[int]] = {}
    for at, line in enumerate(other):
        where.setdefault(line, []).insert(0, at)
    return len(ascending([(at, there) for at, line in enumerate(one) for there in where.get(line, ())]))
