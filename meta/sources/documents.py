"""Files that are one JSON document: read as a whole, or known by their first bytes.

What the fields mean is each format's own knowledge.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

SIZE_LIMIT = 512 * 2**20  # bytes; a document is held in memory as a whole
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]"]', re.DOTALL)


def document(path: Path, skipped: Counter[str]) -> dict[str, Any]:
    """The object of a JSON file; empty and counted where it is none."""
    if path.stat().st_size > SIZE_LIMIT:
        skipped["document too long"] += 1
        return {}
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        skipped["not JSON"] += 1
        return {}
    if not isinstance(value, dict):
        skipped["not an object"] += 1
        return {}
    return value


@lru_cache(maxsize=4)  # every format looks at the same head
def keys(head: bytes) -> frozenset[str]:
    """The keys of the first JSON object of a file, nested ones as `outer.inner` (two levels; through lists).

    `head` may end in the middle of the object. Empty where the file does not begin with one.
    """
    found: set[str] = set()
    names: list[str] = []  # the key under which each open bracket stands
    current = ""
    if not head[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return frozenset()
    for match in _TOKEN.finditer(head):
        text, colon = match.groups()
        if match.group() == b'"':  # a text that the head cuts
            break
        if match.group() in b"{[":
            names.append(current)
            current = ""
        elif match.group() in b"}]":
            current = names.pop() if names else ""
            if not names:
                break
        elif colon and len(names) <= 4:
            current = text.decode("utf-8", "replace")
            outer = [name for name in names if name]
            if len(outer) < 2:
                found.add(".".join([*outer, current]))
    return frozenset(found)
