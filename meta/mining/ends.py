"""What texts have in common at their start and at their end, character by character."""

from __future__ import annotations

from collections.abc import Sequence


def common_start(texts: Sequence[str]) -> str:
    """The longest start of all the texts."""
    first, last = min(texts), max(texts)
    k = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:k]


def common_end(texts: Sequence[str]) -> str:
    """The longest end of all the texts."""
    return common_start([text[::-1] for text in texts])[::-1]
