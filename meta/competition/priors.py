"""What the knowledge documents say for a move before it was tried: a document whose trigger fits raises it.

What a move brings is measured afterwards, and then only that counts (`policy`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from meta.competition.nouns import Competition, Move
from meta.knowledge import guides
from meta.knowledge.guides import Guide
from meta.knowledge.search import Entry, Index

RAISED = 2.0
_TOP = 2  # documents of a move


def of(moves: Iterable[Move], competition: Competition) -> dict[str, float]:
    """By the name of each move by how much it is favoured before it was tried."""
    index = Index(Entry.of(guide) for guide in known(competition))
    told = {move.name: index.search(f"{move.name} {move.why}", _TOP) for move in moves}
    best = max((hit.score for hits in told.values() for hit in hits), default=0.0)
    return {name: RAISED if any(hit.score >= best / 2 > 0 for hit in hits) else 1.0 for name, hits in told.items()}


def known(competition: Competition) -> list[Guide]:
    """The documents on this kind of competition; one that cannot be read favours nothing."""
    found = []
    for name, path in guides.places(competition.folder).items():
        if name.split("/")[0] == competition.kind:
            with contextlib.suppress(guides.GuideError, OSError, UnicodeDecodeError):
                found.append(guides.parse(path.read_text(), name))
    return found


def told(situation: str, competition: Competition) -> str:
    """The title, the claims and the scope of the documents that fit a situation."""
    documents = {guide.name: guide for guide in known(competition)}
    hits = Index(Entry.of(guide) for guide in documents.values()).search(situation, _TOP)
    return "\n\n".join(_summary(documents[hit.name]) for hit in hits) or "Nothing is known about that."


def _summary(guide: Guide) -> str:
    claims = "\n".join(f"- {claim.text}" for claim in guide.claims)
    return f"{guide.title} (when: {guide.when})\n{claims}"
