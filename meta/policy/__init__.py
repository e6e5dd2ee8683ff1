"""What a command line may do, how grave that is, and why: for generation, verification, and whoever runs tools.

A line is read, never run. What cannot be read, and a program that no table knows, counts as grave (level 3).
"""

from __future__ import annotations

from functools import lru_cache

from meta.policy.nouns import ASK, NEVER, NOTHING, Effects, summed

__all__ = ["ASK", "NEVER", "NOTHING", "Effects", "effects"]


@lru_cache(maxsize=4096)
def effects(line: str, project: str = "") -> Effects:
    """The effects of a shell line that starts in a project; absolute paths below `project` are inside of it."""
    from meta.policy.walk import Scope, Walk  # loads the grammar, which a quick command does not need

    walk = Walk(project)
    walk.run(line, Scope())
    return summed(walk.found)
