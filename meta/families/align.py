"""Align the lines of many members: columns of what stands at the same place, started from the member most like all others.

What a column says when its lines differ is decided in `unify`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meta.families.lines import Tokens, fold, is_word, weight
from meta.families.rows import ROW

SIMILAR = 0.5  # of two lines' tokens that are the same, from which on the lines may stand in one column
_LARGEST = 120_000  # cells of a table that is still filled; a larger gap has only its equal lines aligned

Pair = tuple[int, int]


@dataclass(slots=True)
class Column:
    """The lines of members at one place: by member the number of its line."""

    lines: dict[int, int]
    kinds: Counter[int] = field(default_factory=Counter)

    @property
    def usual(self) -> int:
        return max(self.kinds, key=self.kinds.__getitem__)


@dataclass(frozen=True, slots=True)
class _Kind:
    mask: int
    size: int
    indent: str
    weight: float
    whole: bool  # a run of rows is like its own kind only


class _Likeness:
    """How alike two kinds of lines are, 0 where they may not share a column. A kind is the number its tokens were first seen with."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._bits: dict[tuple[str, int, int], int] = {}
        self.kinds: list[_Kind] = []
        self._known: dict[Pair, float] = {}

    def number(self, line: Tokens) -> int:
        known = self._numbers.get(line.kinds)
        if known is not None:
            return known
        number = self._numbers[line.kinds] = len(self.kinds)
        self.kinds.append(self._kind(line))
        return number

    def _kind(self, line: Tokens) -> _Kind:
        seen: Counter[str] = Counter()
        mask = size = 0
        for token, much in _weighed(line.kinds):
            seen[token] += 1
            for bit in range(much):
                mask |= 1 << self._bits.setdefault((token, seen[token], bit), len(self._bits))
            size += much
        return _Kind(mask, size, line.indent, weight(line.kinds), line.kinds[:1] == (ROW,))

    def __call__(self, one: int, other: int) -> float:
        if one == other:
            return self.kinds[one].weight
        pair = (one, other) if one < other else (other, one)
        known = self._known.get(pair)
        if known is None:
            known = self._known[pair] = self._measured(self.kinds[one], self.kinds[other])
        return known

    def among(self, one: int, others: Iterable[int]) -> dict[int, float]:
        """Of these kinds those that may share a column with the one, and how alike they are."""
        return {other: alike for other in others if (alike := self(one, other))}

    @staticmethod
    def _measured(one: _Kind, other: _Kind) -> float:
        if one.whole or other.whole or one.indent != other.indent or not one.size or not other.size:
            return 0.0
        dice = 2 * (one.mask & other.mask).bit_count() / (one.size + other.size)
        return 0.9 * dice if dice >= SIMILAR else 0.0


def _weighed(kinds: tuple[str, ...]) -> Iterable[tuple[str, int]]:
    """The tokens with what each counts: a word more than a mark, and that something stands in quotes less than what it is."""
    for token in fold(kinds):
        if isinstance(token, tuple):
            yield "\0quoted", 1
            yield "\0quoted" + "".join(token), 2
        elif not token.isspace():
            yield token, 3 if is_word(token) else 1


def columns(members: Sequence[Sequence[Tokens]]) -> list[Column]:
    """The columns of all members, in an order that is that of every one of them."""
    like = _Likeness()
    sequences = [[like.number(line) for line in member] for member in members]
    order = _order(sequences, like)
    found: list[Column] = []
    for member in order:
        found = _joined(found, member, sequences[member], like)
    return found


def _order(sequences: Sequence[Sequence[int]], like: _Likeness) -> list[int]:
    """The member most like all others first, then by likeness to it."""
    sets = [frozenset(number for number in sequence if like.kinds[number].weight == 1) for sequence in sequences]

    def shared(one: int, other: int) -> float:
        return 2 * len(sets[one] & sets[other]) / max(len(sets[one]) + len(sets[other]), 1)

    indexes = range(len(sequences))
    first = max(indexes, key=lambda one: (sum(shared(one, other) for other in indexes), one), default=0)
    return sorted(indexes, key=lambda other: (other != first, -shared(first, other), -other))


def _joined(found: list[Column], member: int, sequence: Sequence[int], like: _Likeness) -> list[Column]:
    aligned = _pairs([column.usual for column in found], sequence, like)
    joined: list[Column] = []
    done = 0
    here = 0
    for at, line in [*aligned, (len(found), len(sequence))]:
        joined += found[done:at]
        joined += [Column({member: number}, Counter({sequence[number]: 1})) for number in range(here, line)]
        if at < len(found):
            column = found[at]
            column.lines[member] = line
            column.kinds[sequence[line]] += 1
            joined.append(column)
        done, here = at + 1, line + 1
    return joined


def _pairs(one: Sequence[int], other: Sequence[int], like: _Likeness) -> list[Pair]:
    """The positions that belong together, ascending: equal unique ones first, the best of what is alike between those."""
    return list(_between(one, 0, len(one), other, 0, len(other), like))


def _between(
    one: Sequence[int], low: int, high: int, other: Sequence[int], left: int, right: int, like: _Likeness
) -> Iterable[Pair]:
    start: list[Pair] = []
    while low < high and left < right and one[low] == other[left]:
        start.append((low, left))
        low, left = low + 1, left + 1
    end: list[Pair] = []
    while low < high and left < right and one[high - 1] == other[right - 1]:
        high, right = high - 1, right - 1
        end.append((high, right))
    yield from start
    if low < high and left < right:
        anchors = _anchors(one, low, high, other, left, right, like)
        if anchors:
            for at, line in anchors:
                yield from _between(one, low, at, other, left, line, like)
                yield at, line
                low, left = at + 1, line + 1
            yield from _between(one, low, high, other, left, right, like)
        elif (high - low) * (right - left) <= _LARGEST:
            yield from _best(one, low, high, other, left, right, like)
    yield from reversed(end)


def _anchors(
    one: Sequence[int], low: int, high: int, other: Sequence[int], left: int, right: int, like: _Likeness
) -> list[Pair]:
    """Lines that both have once, as many as stand in one order."""
    here, there = Counter(one[low:high]), Counter(other[left:right])
    where = {other[line]: line for line in range(left, right) if there[other[line]] == 1}
    common = [
        (at, where[one[at]])
        for at in range(low, high)
        if here[one[at]] == 1 and one[at] in where and like.kinds[one[at]].weight == 1
    ]
    return ascending(common)


def ascending(common: Sequence[Pair]) -> list[Pair]:
    """The longest row of pairs, given by their first, that ascends in both."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, line) in enumerate(common):
        place = bisect_left(tails, line)
        tails[place : place + 1] = [line]
        ends[place : place + 1] = [index]
        before.append(ends[place - 1] if place else -1)
    row: list[Pair] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        row.append(common[index])
        index = before[index]
    return row[::-1]


def _best(
    one: Sequence[int], low: int, high: int, other: Sequence[int], left: int, right: int, like: _Likeness
) -> list[Pair]:
    """The alignment of the greatest likeness (Needleman and Wunsch, gaps free)."""
    others = other[left:right]
    kinds = set(others)
    width = right - left
    table = [[0.0] * (width + 1)]
    for at in range(low, high):
        above, row, last = table[-1], [0.0], 0.0
        alike = like.among(one[at], kinds)
        for item, corner, value in zip(others, above, above[1:], strict=False):
            if last > value:
                value = last
            if item in alike and corner + alike[item] > value:
                value = corner + alike[item]
            row.append(value)
            last = value
        table.append(row)
    found: list[Pair] = []
    at, line = high - low, width
    while at and line:
        if table[at][line] == table[at - 1][line]:
            at -= 1
        elif table[at][line] == table[at][line - 1]:
            line -= 1
        else:
            at, line = at - 1, line - 1
            found.append((low + at, left + line))
    return found[::-1]
