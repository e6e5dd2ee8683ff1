"""From a repository to its families: what is found in its history and in its code.

What they are worth is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.family import Family


@dataclass(frozen=True, slots=True)
class Found:
    """The families of a repository, best first, and what could not be read, by reason."""

    families: tuple[Family, ...]
    commits: int
    skipped: Mapping[str, int]


def found(repository: Path) -> Found:
    from meta.families import filesets

    history = [commit for commit in git.commits(repository) if commit.changes]
    present = {entry.path for entry in git.tree(repository) if not entry.link}
    return Found(filesets.found(history, present), len(history), {})
