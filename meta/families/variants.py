"""Sub-families: members that are more like each other than like the rest, and which of them the next member will be like.

The choice looks at names and at what came last, never at the member that is to be made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meta.families import names
from meta.families.lines import read

MOST, SMALLEST = 4, 3
_ALIKE = 0.45  # mean likeness from which on groups are one anyway
Texts = Mapping[str, str]


def clusters(members: Mapping[str, Texts]) -> list[list[str]]:
    """At most four groups of at least three members each by average link; one where there are no more."""
    like = likeness(members)
    groups = [[name] for name in members]

    def linked(one: Sequence[str], other: Sequence[str]) -> float:
        return sum(like[frozenset((a, b))] for a in one for b in other) / (len(one) * len(other))

    while len(groups) > 1:
        alike, at, other = max((linked(groups[i], groups[j]), -i, -j) for i in range(len(groups)) for j in range(i))
        large = sum(len(group) >= SMALLEST for group in groups)
        if alike < _ALIKE and large <= MOST:
            break
        groups[-other] += groups.pop(-at)
    found = [group for group in groups if len(group) >= SMALLEST]
    return found if len(found) > 1 else [list(members)]


def likeness(members: Mapping[str, Texts]) -> dict[frozenset[str], float]:
    """Of each two members half of what tokens and half of what lines they share, their names not regarded."""
    lines: dict[str, frozenset[tuple[str, ...]]] = {}
    for name, files in members.items():
        lines[name] = frozenset(line.kinds for text in files.values() for line in read(name, text))
    tokens = {name: frozenset(token for kinds in own for token in kinds) for name, own in lines.items()}

    def shared(one: frozenset[object], other: frozenset[object]) -> float:
        return 2 * len(one & other) / max(len(one) + len(other), 1)

    ordered = list(members)
    return {
        frozenset((one, other)): (shared(tokens[one], tokens[other]) + shared(lines[one], lines[other])) / 2
        for at, one in enumerate(ordered)
        for other in ordered[:at]
    }


def named_alike(name: str, others: Sequence[str]) -> str:
    """The other whose name shares most words with this one, the last of them where several do."""
    own = {word.lower() for word in names.words(name)}

    def shared(other: str) -> float:
        words = {word.lower() for word in names.words(other)}
        return len(own & words) / max(len(own | words), 1)

    return max(enumerate(others), key=lambda numbered: (shared(numbered[1]), numbered[0]))[1]
