"""From a repository to its families: what is found in its history and in its code, the most worth a look first.

What a generator for one would do, and whether to build it, is judged from these.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.family import Family

_LOOKED_AT = 8  # newest members of a family
_ROLES = 4  # files of each


@dataclass(frozen=True, slots=True)
class Found:
    """The families of a repository, best first, and what was left out, by reason.

    `uses` are expected in the next 14 days, by the family's id, where history tells. `commits` were read.
    """

    families: tuple[Family, ...]
    uses: Mapping[str, float]
    commits: int
    skipped: Mapping[str, int]


def found(repository: Path, now: float) -> Found:
    """The families of files, from history: first those whose next members will take most lines that others have too."""
    from meta.families import filesets, likeness, recurrence

    history = [commit for commit in git.commits(repository) if commit.changes]
    blobs = {entry.path: entry.blob for entry in git.tree(repository) if not entry.link}
    families = filesets.found(history, blobs.keys())
    shared = dict(zip(families, _shared(repository, families, blobs), strict=True))
    alike = [
        family
        for family in families
        if shared[family].share >= likeness.LEAST and shared[family].characters >= likeness.LEAST_CHARACTERS
    ]
    known = recurrence.experience(alike, now)
    uses = {family.id: recurrence.expected(family, known, now)[0] for family in alike}

    def worth(family: Family) -> float:
        return shared[family].characters * (uses[family.id] + recurrence.pace(family, now))

    skipped = {"unlike members": len(families) - len(alike)} if len(alike) < len(families) else {}
    return Found(tuple(sorted(alike, key=worth, reverse=True)), uses, len(history), skipped)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the newest members have in common: characters in all files, and the share of that file where it is largest."""

    characters: float
    share: float


def _shared(repository: Path, families: Iterable[Family], blobs: Mapping[str, str]) -> Iterator[_Shared]:
    from meta.families import likeness

    wanted = [
        [
            [(m.name, blobs[m.files[role]]) for m in family.members if m.files[role] in blobs][-_LOOKED_AT:]
            for role in range(min(len(family.paths), _ROLES))
        ]
        for family in families
    ]
    members = [member for family in wanted for role in family for member in role]
    texts = git.contents(repository, (blob for _, blob in members))
    shapes = (
        likeness.shape(text.decode("utf-8", "replace"), name) if text else frozenset[str]()
        for (name, _), text in zip(members, texts, strict=True)
    )
    for family in wanted:
        roles = [[next(shapes) for _ in role] for role in family]
        shares = [likeness.likeness(role) for role in roles]
        sizes = [sum(len(line) for member in role for line in member) / (len(role) or 1) for role in roles]
        yield _Shared(sum(a * b for a, b in zip(shares, sizes, strict=True)), max(shares, default=0.0))


def units(repository: Path) -> Found:
    """The families of functions and classes in a work tree, of a bare repository in its last commit."""
    from meta.families import paths
    from meta.families import units as shapes

    skipped: Counter[str] = Counter()
    every = []
    for path, source in _sources(repository):
        if paths.left_out(path):
            continue
        if source is None:
            skipped["larger than 1 MB or not at hand"] += 1
            continue
        try:
            every += shapes.units(path, source)
        except shapes.UnreadableError as reason:
            skipped[str(reason)] += 1
    return Found(shapes.found(every), {}, 0, skipped)


_LARGEST = 1 << 20  # bytes


def _sources(repository: Path) -> Iterator[tuple[str, bytes | None]]:
    """The Python files with their content, no links and nothing of submodules."""
    if git.is_bare(repository):
        entries = [entry for entry in git.tree(repository) if entry.path.endswith(".py") and not entry.link]
        contents = git.contents(repository, (entry.blob for entry in entries), _LARGEST)
        yield from zip((entry.path for entry in entries), contents, strict=True)
        return
    top = git.root(repository)
    for path in git.files(top):
        file = top / path
        if path.endswith(".py") and file.is_file() and not _linked(top, path):
            yield path, file.read_bytes() if file.stat().st_size <= _LARGEST else None


def _linked(top: Path, path: str) -> bool:
    """Whether the path, or a folder on the way to it, is a link: it may lead anywhere."""
    return os.path.realpath(top / path) != os.path.join(os.path.realpath(top), path)
