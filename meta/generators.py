"""From a repository to its families: what is found in its history and in its code.

What they are worth is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.family import Family

_LOOKED_AT = 8  # newest members of a family
_ROLES = 4  # files of each


@dataclass(frozen=True, slots=True)
class Found:
    """The families of a repository, best first, and what could not be read, by reason."""

    families: tuple[Family, ...]
    commits: int
    skipped: Mapping[str, int]


def found(repository: Path) -> Found:
    from meta.families import filesets

    history = [commit for commit in git.commits(repository) if commit.changes]
    blobs = {entry.path: entry.blob for entry in git.tree(repository) if not entry.link}
    families = filesets.found(history, blobs.keys())
    alike = list(_alike(repository, families, blobs))
    return Found(tuple(f for f, a in zip(families, alike, strict=True) if a >= .12), len(history), {"families whose members are not alike": sum(a < .12 for a in alike)})


def _alike(repository: Path, families: Iterable[Family], blobs: Mapping[str, str]) -> Iterator[float]:
    """How alike the newest members of each family are, in the file that they share most of."""
    from meta.families import likeness

    wanted = [
        [
            [(m.name, blobs[m.files[role]]) for m in family.members if m.files[role] in blobs][-_LOOKED_AT:]
            for role in range(min(len(family.paths), _ROLES))
        ]
        for family in families
    ]
    names = [member for family in wanted for role in family for member in role]
    shapes = (
        likeness.shape(text.decode("utf-8", "replace"), name) if text else frozenset[str]()
        for (name, _), text in zip(names, git.contents(repository, (blob for _, blob in names)), strict=True)
    )
    for family in wanted:
        yield max((likeness.likeness([next(shapes) for _ in role]) for role in family), default=0.0)
