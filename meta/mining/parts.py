"""Turn the aligned words of one column into the parts of a workflow's step.

The holes carry provisional names; what they mean and which of them are the same is decided in `mining.dataflow`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from meta.mining.alignment import Words, align, key, takes_value
from meta.mining.holes import SECRET, hole, style_of
from meta.model import Fixed, Group, Hole, Part, Rest, Word
from meta.rendering import quote

_PARAMETER = 10.0  # bits that one more thing to understand costs
_WORD = 4.0  # bits that a word inside a list costs, as it has to be given each time
_DIVERSE = 3  # options and lists in one step from which one list for all may be simpler
_HOPELESS = 12  # different flags in one step from which no one wants an option for each ...
_EACH = 8  # ... unless there are this many times as many rows
_MOST = 0.95  # share of the rows that a list for all must be able to give back
_PRESENCE = 1.0  # bits that it costs to say whether optional words are there

Cells = tuple[Word | None, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a step and the rows that stand out: `rare` may be refused to keep the step simple, `barred` must be.

    Both map a row's number to the reason.
    """

    parts: tuple[Part, ...]
    rare: Mapping[int, str] = field(default_factory=dict)
    barred: Mapping[int, str] = field(default_factory=dict)


def _present(cells: Cells) -> tuple[bool, ...]:
    return tuple(cell is not None for cell in cells)


def _words(cells: Iterable[Word | None]) -> list[Word]:
    return [cell for cell in cells if cell is not None]


def _key(cells: Cells) -> str:
    return key(_words(cells)[0])


def _constant(cells: Cells) -> bool:
    words = _words(cells)
    return all(word.text == words[0].text for word in words) and not SECRET.search(words[0].value)


class _Builder:
    """Walks over the columns of an alignment from left to right and collects parts."""

    def __init__(self, columns: Sequence[Cells], label: str, whole: bool) -> None:
        self.columns = columns
        self.label = label
        self.whole = whole
        self.parts: list[Part] = []
        self.rare: dict[int, str] = {}
        self.barred: dict[int, str] = {}
        self.names = 0

    def name(self) -> str:
        self.names += 1
        return f"{self.label}.{self.names}"

    def part(self, cells: Cells) -> Fixed | Hole:
        words = _words(cells)
        return Fixed(words[0]) if _constant(cells) else hole(words, self.name(), whole=self.whole)

    def build(self) -> Shape:
        i = 0
        while i < len(self.columns):
            i = self.list_from(i) or self.optional_from(i) or self.always(i)
        return Shape(tuple(self.parts), self.rare, self.barred)

    def always(self, i: int) -> int:
        self.parts.append(self.part(self.columns[i]))
        return i + 1

    def loose(self, i: int) -> bool:
        """Whether column i may be part of a list: plain words, not one and the same in every row."""
        cells = self.columns[i]
        return not _key(cells) and not (all(_present(cells)) and _constant(cells))

    def list_from(self, i: int) -> int | None:
        """Takes plain words of varying number as a list (or one optional word) and gives the next column."""
        j = i
        while j < len(self.columns) and self.loose(j):
            j += 1
        if j - i < 2 or all(all(_present(cells)) for cells in self.columns[i:j]) or self.value_of_flag(i, j):
            return None
        rows = list(zip(*self.columns[i:j], strict=True))
        counts = [len(_words(row)) for row in rows]
        self.note_odd(counts)
        if max(counts) > 1:
            self.parts.append(Rest(self.name(), style_of((w.value, w.text) for row in rows for w in _words(row))))
        else:
            words = tuple(next(iter(_words(row)), None) for row in rows)
            self.parts.append(self.group([words]))
        return j

    def value_of_flag(self, i: int, j: int) -> bool:
        """Whether column i is rather the value of the flag before it than the first of the list up to j."""
        if i == 0 or not takes_value(_key(self.columns[i - 1])) or not all(_present(self.columns[i])):
            return False
        first = {"/" in word.value or "." in word.value for word in _words(self.columns[i])}
        others = {"/" in w.value or "." in w.value for cells in self.columns[i + 1 : j] for w in _words(cells)}
        return first != others

    def note_odd(self, counts: Sequence[int]) -> None:
        usual = Counter(counts).most_common(1)[0][0]
        odd = [row for row, count in enumerate(counts) if count != usual]
        if len(odd) == 1:
            self.rare[odd[0]] = "a number of words seen once"

    def optional_from(self, i: int) -> int | None:
        """Takes neighbouring words that are there in the same rows, and gives the next column."""
        present = _present(self.columns[i])
        if all(present):
            return None
        j = i + 1
        while j < len(self.columns) and _present(self.columns[j]) == present:
            j += 1
        block = self.columns[i:j]
        self.note_rare(present, shell=any(word.style == "shell" for cells in block for word in _words(cells)))
        varying = sum(not _constant(cells) for cells in block)
        for unit in [block] if varying <= 1 else self.units(block):
            if sum(not _constant(cells) for cells in unit) <= 1:
                self.parts.append(self.group(unit))
            else:
                self.parts.append(
                    Rest(self.name(), style_of((w.value, w.text) for cells in unit for w in _words(cells)))
                )
        return j

    def note_rare(self, present: Sequence[bool], *, shell: bool) -> None:
        there = [row for row, is_there in enumerate(present) if is_there]
        absent = [row for row, is_there in enumerate(present) if not is_there]
        if len(there) == 1:
            (self.barred if shell else self.rare)[there[0]] = (
                "shell expansion in a value" if shell else "a flag seen once"
            )
        elif len(absent) == 1:
            self.rare[absent[0]] = "a flag left out once"

    @staticmethod
    def units(block: Sequence[Cells]) -> list[list[Cells]]:
        """The block cut before each flag."""
        units: list[list[Cells]] = []
        for cells in block:
            if _key(cells) or not units:
                units.append([])
            units[-1].append(cells)
        return units

    def group(self, unit: Sequence[Cells]) -> Group:
        words = _words(unit[0])
        if len(unit) == len(words) == 1 and not key(words[0]) and words[0].style != "shell":
            one = hole(words, self.name())  # a plain word seen once is rather a value than a constant
            return Group(one.parameter, (one,))
        parts = tuple(self.part(cells) for cells in unit)
        holes = [part.parameter for part in parts if isinstance(part, Hole)]
        return Group(holes[0] if holes else self.name(), parts)


def _listed(rows: Sequence[Words], label: str) -> Shape:
    """The first words that most rows share, and one list for everything behind them; other rows are barred."""
    first = Counter(row[0].text for row in rows if row).most_common(1)[0][0]
    usual = [row for row in rows if row and row[0].text == first]
    common = 1
    while all(common < len(row) and row[common].text == usual[0][common].text for row in usual):
        common += 1
    lead = usual[0][:common]
    barred = {k: "another start of the line" for k, row in enumerate(rows) if row[:common] != lead}
    barred |= {k: "shell expansion in a value" for k, row in enumerate(rows) if _needs_shell(row[common:])}
    items = [(word.value, word.text) for k, row in enumerate(rows) if k not in barred for word in row[common:]]
    parts: tuple[Part, ...] = (*map(Fixed, lead), Rest(f"{label}.rest", style_of(items)))
    return Shape(parts, {}, barred)


def _needs_shell(words: Words) -> bool:
    return any(word.style == "shell" for word in words)


def _gives_back(shape: Shape, rows: Sequence[Words]) -> float:
    """The share of the rows that a list behind common words gives back."""
    *lead, rest = shape.parts
    style = rest.style if isinstance(rest, Rest) else "bare"
    held = [all(quote(word.value, style) == word.text for word in row[len(lead) :]) for row in rows]
    return sum(fits and k not in shape.barred for k, fits in enumerate(held)) / len(rows)


def _cost(parts: Iterable[Part], rows: Sequence[Words]) -> float:
    """The bits of the parts and of what the caller gives in all rows."""
    bits = 0.0
    fixed = 0
    for part in parts:
        match part:
            case Fixed():
                fixed += 1
            case Hole():
                bits += _PARAMETER + _WORD * len(rows)
            case Group(_, inner):
                valued = any(isinstance(p, Hole) for p in inner)
                bits += _PARAMETER + (_PRESENCE + _WORD / 2 * valued) * len(rows)
            case Rest():
                bits += _PARAMETER + _WORD * sum(max(0, len(row) - fixed) for row in rows)
    return bits


@lru_cache(maxsize=1024)  # with one run left out, the rows of most steps are the same again
def generalise(rows: tuple[Words, ...], label: str, *, whole: bool = False) -> Shape:
    """The simplest parts that explain the rows, by description length; `whole` keeps words in one piece."""
    if len({key(word) for row in rows for word in row}) > max(_HOPELESS, len(rows) / _EACH):
        return _listed(rows, label)
    shape = _Builder(align(rows), label, whole).build()
    if sum(isinstance(part, Group | Rest) for part in shape.parts) < _DIVERSE or shape.barred:
        return shape
    listed = _listed(rows, label)
    simpler = _cost(listed.parts, rows) < _cost(shape.parts, rows)
    return listed if simpler and _gives_back(listed, rows) >= _MOST else shape
