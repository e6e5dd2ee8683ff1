"""Search the small programs (`rendering.derive`) by which one value follows from another.

Whether such a find is believed is a matter of evidence: `bits` measures it, `mining.dataflow` decides.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from meta.rendering import derive

Program = tuple[tuple[str, ...], ...]

_SEPARATORS = "-_/.:@#= "
_CASES: tuple[Program, ...] = ((("lower",),), (("upper",),))
_SWAPS: tuple[Program, ...] = tuple(
    (("replace", old, new),) for old, new in ("-_", "_-", "/-", "/_", "/.", "./", "._", ".-", " -", " _")
)
_PATHS: tuple[Program, ...] = ((("basename",),), (("stem",),), (("dirname",),))
_PADS: tuple[Program, ...] = tuple((("pad", str(width)),) for width in range(2, 7))
_AT_MOST = 12.0  # bits of one value, however long it is
_NOUN = 5.4  # bits of one short word, as there are few that people use
_OPERATION = 1.5  # bits of one operation more
_LITERAL = 1.0  # bits of constant text around the value


def _length(value: str) -> float:
    """The bits of a value by its characters: a digit is one of ten, a letter tells more."""
    if len(value) <= 8 and value.isalpha():
        return min(_NOUN, 4.0 * len(value))
    bits = sum(3.3 if c.isdigit() else 4.0 if c.isalpha() else 1.0 for c in value[:12])
    return min(bits, _AT_MOST)


def bits(values: Sequence[str]) -> float:
    """How surprising it is that something agrees with all these values by chance.

    Values that repeat come from a small stock, so each of them tells little.
    """
    pairs = len(values) * (len(values) - 1) / 2
    same = sum(count * (count - 1) / 2 for count in Counter(values).values())
    stock = math.log2(pairs / same) if same else _AT_MOST
    return sum(min(_length(value), stock) for value in values)


def cost(program: Program) -> float:
    """The bits by which a program had more chances to fit than equality."""
    return sum(_LITERAL if operation[0] in ("prepend", "append") else _OPERATION for operation in program)


def _firsts(sample: str) -> Iterator[Program]:
    """Operations that select a part of values like the sample."""
    yield ()
    if "/" in sample or "." in sample:
        yield from _PATHS
    if re.search(r"\d", sample) and not sample.isdigit():
        yield (("regex", r"(\d+)"),)
    for separator in _SEPARATORS:
        count = sample.count(separator) + 1
        if count > 1:
            yield from ((("field", separator, str(k)),) for k in (*range(min(count, 4)), -1, -2))


def _seconds(sample: str) -> Iterator[Program]:
    """Operations that rewrite values like the sample."""
    if sample.lower() != sample.upper():
        yield from _CASES
    for swap in _SWAPS:
        if swap[0][1] in sample:
            yield swap
            yield from (swap + case for case in _CASES)
    if sample.isdigit():
        yield from _PADS


class Derivable:
    """Everything that short programs make of one column of values: distinct outputs with their shortest program."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = values
        self.made = tuple(self._search())

    def _search(self) -> Iterator[tuple[Program, tuple[str, ...]]]:
        seen: set[tuple[str, ...]] = set()
        candidates = list(_firsts(self.values[0]))
        candidates += [first + second for first in candidates for second in self._second(first)]
        for program in candidates:
            made = tuple(derive(value, program) or "" for value in self.values)
            if made not in seen and len(set(made)) > 1 and all(made):
                seen.add(made)
                yield program, made

    def _second(self, first: Program) -> Iterator[Program]:
        selected = derive(self.values[0], first)
        return _seconds(selected) if selected else iter(())

    def programs(self, targets: Sequence[str]) -> Iterator[Program]:
        """The programs that give the targets, constant text around the derived part allowed, shortest first."""
        for program, made in self.made:
            at = targets[0].find(made[0])
            while at >= 0:
                before, after = targets[0][:at], targets[0][at + len(made[0]) :]
                if all(target == before + part + after for target, part in zip(targets, made, strict=True)):
                    yield (
                        *program,
                        *((("prepend", before),) if before else ()),
                        *((("append", after),) if after else ()),
                    )
                    break
                at = targets[0].find(made[0], at + 1)
