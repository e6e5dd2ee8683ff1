"""Find where in an earlier output a value stood: a regex with literal text around one group.

The rule is only believed when it fails on the outputs of other runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

from meta.mining.ends import common_end, common_start
from meta.rendering import derive

_CLASSES = (r"\d+", r"[0-9a-f]+", r"[\w-]+", r"[\w./-]+", r"[^\s\"'`<>()\[\],;]+", r"\S+")
_REACH = 32  # characters of context on each side
_PLACES = 6  # occurrences of a value in one output that are tried, from the end
_HOLDS = 0.9  # share of the runs that the rule must explain
_CHANCE = 0.34  # share of shuffled pairs that it may explain

Context = tuple[str, str]  # what stands left and right in the line; a line break stands for the line's end


def _alike(one: str, other: str) -> bool:
    """Whether two neighbouring characters belong to one word or number."""
    return (one.isalpha() and other.isalpha()) or (one.isdigit() and other.isdigit())


def _places(value: str, output: str) -> Iterator[Context]:
    """The contexts of a value's last occurrences that are not inside a longer word."""
    at = len(output)
    for _ in range(_PLACES):
        at = output.rfind(value, 0, at + len(value) - 1) if at else -1
        if at < 0:
            return
        end = at + len(value)
        if (at and _alike(output[at - 1], value[0])) or (end < len(output) and _alike(value[-1], output[end])):
            continue
        left = ("\n" * (at <= _REACH) + output[max(0, at - _REACH) : at]).rsplit("\n", 1)
        right = (output[end : end + _REACH] + "\n" * (end + _REACH >= len(output))).split("\n", 1)
        yield "\n" * (len(left) > 1) + left[-1], right[0] + "\n" * (len(right) > 1)


def _common(one: Context, other: Context) -> Context:
    return common_end([one[0], other[0]]), common_start([one[1], other[1]])


def _tells(context: Context) -> bool:
    """Whether there is enough around the value to know it by."""
    left, right = context
    return bool(left.strip(" ") or (right.strip(" \n") and left))


def _contexts(places: Sequence[Sequence[Context]]) -> list[Context]:
    """What is common to one place of each run, for every pair of places of the first two; longest first."""
    found = {_common(one, other) for one, other in product(places[0], places[1])}
    contexts: set[Context] = set()
    for context in found:
        for later in places[2:]:
            best = max((_common(context, place) for place in later), key=lambda c: len(c[0]) + len(c[1]))
            context = best if _tells(best) else context
        contexts.add(context)
    return sorted(filter(_tells, contexts), key=lambda c: (-len(c[0]) - len(c[1]), c))


def _pattern(context: Context, values: Sequence[str]) -> str | None:
    kind = next((kind for kind in _CLASSES if all(re.fullmatch(kind, value) for value in values)), None)
    if kind is None:
        return None
    left, right = context
    start = "^" + re.escape(left[1:]) if left.startswith("\n") else re.escape(left)
    stop = re.escape(right[:-1]) + "$" if right.endswith("\n") else re.escape(right)
    return ("(?m)" if start.startswith("^") or stop.endswith("$") else "") + f"{start}({kind}){stop}"


def _believable(pattern: str, values: Sequence[str], outputs: Sequence[str]) -> bool:
    read = [derive(output, (("regex", pattern),)) for output in outputs]
    if sum(one == value for one, value in zip(read, values, strict=True)) < _HOLDS * len(values):
        return False
    chance = sum(one == value for i, one in enumerate(read) for j, value in enumerate(values) if i != j)
    return chance <= _CHANCE * len(values) * (len(values) - 1)


def reading(values: Sequence[str], outputs: Sequence[str]) -> str | None:
    """The regex whose last match in each run's output gives that run's value, None where there is none to believe."""
    holding = [value in output for value, output in zip(values, outputs, strict=True)]
    if sum(holding) < _HOLDS * len(values):
        return None
    places = [tuple(_places(value, output)) for value, output in zip(values, outputs, strict=True)]
    known = [place for place in places if place]
    if len(known) < max(2, _HOLDS * len(values)):
        return None
    for context in _contexts(known):
        pattern = _pattern(context, values)
        if pattern is not None and _believable(pattern, values, outputs):
            return pattern
    return None
