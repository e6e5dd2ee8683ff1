"""What the knowledge documents say for a move before it was tried: a document whose trigger fits raises it.

What a move brings is measured afterwards, and then only that counts (`policy`).
"""

from __future__ import annotations

from collections.abc import Iterable

from meta.competition.nouns import Competition, Move
from meta.knowledge import guides
from meta.knowledge.search import Entry, Index

RAISED = 2.0
_TOP = 2  # documents of a move


def of(moves: Iterable[Move], competition: Competition) -> dict[str, float]:
    """By the name of each move by how much it is favoured before it was tried."""
    found = []
    for name, path in guides.places(competition.folder).items():
        if name.split("/")[0] == competition.kind:
            try:
                found.append(Entry.of(guides.parse(path.read_text(), name)))
            except (guides.GuideError, OSError, UnicodeDecodeError):  # one that cannot be read favours nothing
                continue
    index = Index(found)
    told = {move.name: index.search(f"{move.name} {move.why}", _TOP) for move in moves}
    best = max((hit.score for hits in told.values() for hit in hits), default=0.0)
    return {name: RAISED if any(hit.score >= best / 2 > 0 for hit in hits) else 1.0 for name, hits in told.items()}
