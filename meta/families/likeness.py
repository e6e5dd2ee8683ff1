"""How alike the files of a family are inside: what tells a family from a folder of different things.

Only lines are compared, cheaply; what they share exactly is learned elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from meta.families import paths

LEAST = 0.08  # of the characters; folders of different modules mostly stay below .06, documented families reach .15
LEAST_CHARACTERS = 60  # of a member: two lines, and nobody minds to write them
_SIBLINGS = 0.3  # of the members have a line: it is shared
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"\d+")
# What the files of any project share: imports, comments (licences) and the first lines of docstrings.
_COMMON = re.compile(r"(?:import|from|use|using|package|require|include)\b|#|//|/\*|\*|--|<!--|;|\"\"\"|'''")
_SHORT = 4


def shape(text: str, name: str) -> frozenset[str]:
    """The lines of a member without its name, strings, numbers and what any file has."""
    words = paths.words(name)
    own = re.compile("[^A-Za-z0-9]?".join(map(re.escape, words)), re.IGNORECASE) if words else None
    lines = set()
    for line in text.splitlines():
        bare = line.strip()
        if len(bare) < _SHORT or _COMMON.match(bare):
            continue
        bare = own.sub("X", bare) if own else bare
        lines.add(_NUMBER.sub("0", _STRING.sub("S", bare)))
    return frozenset(lines)


def likeness(members: Sequence[Collection[str]]) -> float:
    """The share of a member's characters that stand in lines which others have too, in the mean, 0 to 1."""
    shapes = [member for member in members if member]
    if len(shapes) < 2:
        return 0.0
    counts = Counter(line for member in shapes for line in member)
    least = max(2.0, _SIBLINGS * len(shapes))
    shares = (sum(len(line) for line in member if counts[line] >= least) / sum(map(len, member)) for member in shapes)
    return sum(shares) / len(shapes)
