"""The one kind of error that is shown as a line; every other exception is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """A mistake of the user or of the machine. Its text is one line and says what to do next."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names what may have been meant, a space before it; "" where nothing is close."""
    from difflib import get_close_matches  # only a mistake needs it

    return "".join(f' Did you mean "{close}"?' for close in get_close_matches(name, list(known), n=1))
