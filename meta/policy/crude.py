"""Cut text that the grammar cannot read into words, by the signs of a shell alone.

Such a line is never taken for harmless; what is found here can only make it graver.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"""(?:\\.|'[^']*'?|"(?:\\.|[^"\\])*"?|\$\([^()]*\)|`[^`]*`?|\$\{[^}]*\}|[^\s;&|()<>'"\\])+|[;&|()\n]+|[<>]+""", re.DOTALL)  # fmt: skip


def read(text: str) -> Iterator[list[str]]:
    """The words of each command, as they are written."""
    line: list[str] = []
    for token in _TOKEN.findall(text):
        if set(token) <= set(";&|()\n"):
            if line:
                yield line
            line = []
        elif set(token) - set("<>"):
            line.append(token)
    if line:
        yield line
