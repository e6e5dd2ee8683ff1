"""Tell which holes hold the same value, which follow from another, and which were read in an earlier output.

Precision first: a missed link costs a parameter, a wrong one breaks the workflow. Names are given in `mining.naming`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meta.mining.holes import SECRET
from meta.mining.outputs import reading
from meta.mining.programs import Derivable, Program, bits, cost
from meta.model import Derivation
from meta.rendering import derive

_EVIDENCE = 11.0  # bits a link needs, so that about one in a thousand candidates is wrong
_SAME_NAME = 5.0  # bits that are spared where both stand behind the same flag
_SEARCH = 2.0  # bits more for what was searched among many programs or places
_EXCEPTIONS = 0.05  # share of the runs that may contradict that two flags are one

Value = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole or list of the workflow with its value in every run (None: not there).

    `column` is where it stands. `optional` marks a value that decides whether words are there at all. `hint` is the
    flag or variable that it belongs to, if any.
    """

    name: str
    column: int
    values: tuple[Value, ...]
    optional: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """`same` maps each slot to the slot that stands for all that are equal; the rest maps these to their sources.

    The source of an `outputs` derivation is the number of a column as text. `decisive` are the runs without which more
    links might be found: the only one that contradicts a link, or one on which links were searched.
    """

    same: Mapping[str, str]
    derived: Mapping[str, Derivation] = field(default_factory=dict)
    outputs: Mapping[str, Derivation] = field(default_factory=dict)
    decisive: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Class:
    """Slots that always hold the same value; the first of them stands for it."""

    slots: list[Slot]
    values: list[Value]

    @property
    def name(self) -> str:
        return self.slots[0].name

    @property
    def optional(self) -> bool:
        return any(slot.optional for slot in self.slots)


def _both(one: Sequence[Value], other: Sequence[Value]) -> list[tuple[Value, Value]]:
    return [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def _there(values: Sequence[Value]) -> list[bool]:
    return [value is not None for value in values]


def _text(value: Value) -> str:
    return " ".join(value) if isinstance(value, tuple) else value or ""


def _against(one: Sequence[Value], other: Sequence[Value]) -> list[int]:
    """The runs in which both are there and differ."""
    return [k for k, (a, b) in enumerate(zip(one, other, strict=True)) if a is not None and b is not None and a != b]


def _same(one: _Class, slot: Slot) -> bool:
    """Whether the slot holds the value of the class, beyond chance."""
    pairs = _both(one.values, slot.values)
    if len(pairs) < 2 or len({a for a, _ in pairs}) < 2:
        return False
    if (one.optional or slot.optional) and _there(one.values) != _there(slot.values):
        return False
    named = slot.hint and any(slot.hint == other.hint for other in one.slots)
    return bits([_text(a) for a, _ in pairs]) >= _EVIDENCE - _SAME_NAME * bool(named)


def _classes(slots: Sequence[Slot], decisive: set[int]) -> list[_Class]:
    """The classes of equal slots; adds the runs that alone keep a slot out of one."""
    classes: list[_Class] = []
    for slot in slots:
        against = [_against(one.values, slot.values) for one in classes]
        decisive.update(runs[0] for runs in against if len(runs) == 1)
        home = next((one for one, runs in zip(classes, against, strict=True) if not runs and _same(one, slot)), None)
        if home is None:
            classes.append(_Class([slot], list(slot.values)))
        else:
            home.slots.append(slot)
            home.values = [a if a is not None else b for a, b in zip(home.values, slot.values, strict=True)]
    return classes


def together(switches: Sequence[Slot]) -> dict[str, str]:
    """For each flag the first with the same words that is given together with it, but for few runs (to be refused)."""
    classes: list[_Class] = []
    for slot in switches:
        for one in classes:
            pairs = _both(one.values, slot.values)
            against = sum(a != b for a, b in pairs)
            if one.slots[0].hint == slot.hint and len(set(pairs)) > 1 and against <= _EXCEPTIONS * len(pairs):
                one.slots.append(slot)
                one.values = [a if a is not None else b for a, b in zip(one.values, slot.values, strict=True)]
                break
        else:
            classes.append(_Class([slot], list(slot.values)))
    return {slot.name: one.name for one in classes for slot in one.slots}


def _derivable(one: _Class) -> bool:
    texts = [value for value in one.values if value is not None]
    plain = all(isinstance(value, str) and value and not SECRET.search(value) for value in texts)
    return plain and len(texts) >= 2 and len(set(texts)) >= 2


def _sample(target: _Class) -> list[int]:
    """The runs to search on: up to four, with different values of the target."""
    runs: dict[Value, int] = {}
    for run, value in enumerate(target.values):
        if value is not None and len(runs) < 4:
            runs.setdefault(value, run)
    return list(runs.values())


class _Search:
    """Looks for programs between classes; what a source can be turned into is computed once for each sample."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, tuple[int, ...]], Derivable] = {}
        self.decisive: set[int] = set()

    def program(self, source: _Class, target: _Class) -> Program | None:
        """The cheapest believable program by which the target follows from the source in every run."""
        if any(b is not None and a is None for a, b in zip(source.values, target.values, strict=True)):
            return None
        runs = _sample(target)
        self.decisive.update(runs)
        key = (source.name, tuple(runs))
        if key not in self.made:
            self.made[key] = Derivable([_text(source.values[run]) for run in runs])
        for program in self.made[key].programs([_text(target.values[run]) for run in runs]):
            if self.holds(program, source, target):
                return program
        return None

    def holds(self, program: Program, source: _Class, target: _Class) -> bool:
        """Whether the program gives the target in every run, and what it takes from the source is beyond chance."""
        both = [k for k, b in enumerate(target.values) if b is not None]
        against = [k for k in both if derive(_text(source.values[k]), program) != target.values[k]]
        if against:
            self.decisive.update(against if len(against) == 1 else ())
            return False
        taken = tuple(operation for operation in program if operation[0] not in ("prepend", "append"))
        contributed = [derive(_text(source.values[k]), taken) or "" for k in both]
        return all(contributed) and bits(contributed) >= _EVIDENCE + _SEARCH + cost(program)


def _forward(classes: Sequence[_Class]) -> Iterator[tuple[_Class, _Class]]:
    """Pairs of target and possible source, the source earlier."""
    for k, target in enumerate(classes):
        yield from ((target, source) for source in classes[:k])


def _backward(classes: Sequence[_Class]) -> Iterator[tuple[_Class, _Class]]:
    """Pairs of target and possible source, the source later, and a part of the target rather than a text around it.

    The caller knows the fold that the last step's message tells of, not the message out of which a fold could be read.
    """
    for k, target in enumerate(classes):
        yield from ((target, source) for source in classes[k + 1 :] if _size(source) <= _size(target))


def _size(one: _Class) -> int:
    return sum(len(_text(value)) for value in one.values)


def trace(slots: Sequence[Slot], outputs: Sequence[Sequence[str | None]]) -> Flow:
    """The flow between slots in order of their place; `outputs[column][run]` is what a step printed.

    An argument given earlier is preferred to an output that only repeats it, an output to an argument given later.
    """
    decisive: set[int] = set()
    classes = _classes(slots, decisive)
    derived: dict[str, Derivation] = {}
    read: dict[str, Derivation] = {}
    search = _Search()
    free = [one for one in classes if _derivable(one) and not one.optional]

    def derive_along(pairs: Iterator[tuple[_Class, _Class]]) -> None:
        for target, source in pairs:
            taken = target.name in derived or target.name in read or source.name in derived
            if not taken and not any(d.source == target.name for d in derived.values()):
                program = search.program(source, target)
                if program is not None:
                    derived[target.name] = Derivation(source.name, program)

    derive_along(_forward(free))
    for one in free:
        if one.name not in derived and (found := _read(one, outputs)):
            read[one.name] = found
    derive_along((target, source) for target, source in _backward(free) if source.name not in read)
    same = {slot.name: one.name for one in classes for slot in one.slots}
    return Flow(same, derived, read, frozenset(decisive | search.decisive))


def _read(one: _Class, outputs: Sequence[Sequence[str | None]]) -> Derivation | None:
    """The latest earlier output in which the value stood at a place that can be told."""
    runs = [run for run, value in enumerate(one.values) if value is not None]
    values = [_text(one.values[run]) for run in runs]
    if bits(values) < _EVIDENCE + _SEARCH:
        return None
    for column in range(one.slots[0].column - 1, -1, -1):
        pattern = reading(values, [outputs[column][run] or "" for run in runs])
        if pattern is not None:
            return Derivation(str(column), (("regex", pattern),))
    return None
