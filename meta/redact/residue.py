"""What is left of secrets in texts that are about to leave: the last look at a door, which masks nothing.

Sessions are masked where they come in. What is made of them is short, and is looked at once more here, so that a word
that became a secret only beside others (a value beside the name of its option) is not written.
"""

from __future__ import annotations

from collections.abc import Iterable

from meta.redact.finding import DenseError, find


def kinds(texts: Iterable[str]) -> tuple[str, ...]:
    """The kinds of secrets that the texts hold, each once; none for texts that may leave."""
    found: dict[str, None] = {}
    for text in dict.fromkeys(texts):
        try:
            found |= dict.fromkeys(span.kind for span in find(text.encode(errors="surrogatepass")))
        except DenseError:
            found["text"] = None
    return tuple(found)


def secrets(texts: Iterable[str]) -> tuple[str, ...]:
    """The kinds without addresses: of texts that go no further than those they were taken from."""
    return tuple(kind for kind in kinds(texts) if kind != "email")
