"""Tell which runs shape a fit: those that are alone in something that decides the parts.

Leaving out any other run gives the same parts, so it need not be fitted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations, groupby

from meta.mining.alignment import key
from meta.mining.dataflow import Slot
from meta.mining.holes import cut
from meta.mining.runs import Run

_FEW = 3  # distinct values, up to which a single one decides whether a word is a hole and what is cut off

_MANY = 9  # words in a row, above which another one makes no difference


def _traits(run: Run) -> Iterator[Hashable]:
    """What of a run decides the shape of the steps: presence, repetition, outcome, flags and quoting."""
    for k, cell in enumerate(run.cells):
        yield k, min(len(cell), 2), cell[-1].status if cell else ""
        for step in cell:
            kinds = groupby((key(word), word.style) for word in step.words)
            yield k, tuple((kind, min(len(list(same)), _MANY)) for kind, same in kinds)


def _alone(traits: Mapping[int, Sequence[Hashable]]) -> set[int]:
    """The runs that have a trait which at most one other has: without them it is there once or never."""
    count = Counter(trait for found in traits.values() for trait in set(found))
    return {run for run, found in traits.items() if any(count[trait] <= 2 for trait in found)}


def _near_ties(runs: Sequence[Run], column: int) -> set[int]:
    """The runs whose quoting leads by one at most, so that without one of them another would be chosen."""
    styles = {
        number: {word.style for step in run.cells[column] for word in step.words} - {"shell"}
        for number, run in enumerate(runs)
    }
    count = Counter(style for found in styles.values() for style in found if style != "bare")
    leaders = count.most_common(2)
    if len(leaders) < 2 or leaders[0][1] - leaders[1][1] > 1:
        return set()
    return {number for number, found in styles.items() if leaders[0][0] in found}


def _of_values(slot: Slot) -> set[int]:
    """The runs whose value is one of few, or ends the text that all values share."""
    values = {run: value for run, value in enumerate(slot.values) if isinstance(value, str)}
    found = _alone({run: [value] for run, value in values.items()}) if len(set(values.values())) <= _FEW else set()
    if len(values) > 1:
        whole = cut(list(values.values()))
        for order in (values.__getitem__, lambda run: values[run][::-1]):
            for run in (min(values, key=order), max(values, key=order)):
                if cut([value for other, value in values.items() if other != run]) != whole:
                    found.add(run)
    return found


def by_values(slots: Sequence[Slot]) -> set[int]:
    """The numbers of the runs without whose values a word would be generalised otherwise."""
    return {number for slot in slots for number in _of_values(slot)}


def by_shape(runs: Sequence[Run]) -> set[int]:
    """The numbers of the runs without which the flags, the quoting or the presence of steps would be others."""
    found = _alone({number: list(_traits(run)) for number, run in enumerate(runs)})
    columns = range(len(runs[0].cells))
    for column in columns:
        found |= _near_ties(runs, column)
    vectors = {tuple(bool(run.cells[column]) for run in runs) for column in columns}
    for one, other in combinations(vectors, 2):
        apart = [number for number, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        found |= set(apart) if len(apart) == 1 else set()
    return found
