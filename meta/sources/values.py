"""Fields of foreign JSON: the value where it has the expected type, else an empty one.

Nothing here knows a format, and nothing here fails: what is missing or odd is empty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container
from datetime import UTC, datetime
from typing import Any


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """The text, with lone surrogates replaced: they can be written nowhere."""
    if not isinstance(value, str) or value.isascii():
        return value if isinstance(value, str) else ""
    return value.encode("utf-8", "replace").decode()


def number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def integer(value: object) -> int | None:
    result = number(value)
    return None if result is None else int(result)


def count(value: object) -> int:
    """A number of tokens; 0 where there is none."""
    return max(integer(value) or 0, 0)


def iso(value: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 text; a text without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(string(value))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def milliseconds(value: object) -> float | None:
    """Seconds since the epoch of a number of milliseconds."""
    result = number(value)
    return None if result is None else result / 1000


def between(start: float | None, end: float | None) -> float | None:
    """The seconds from `start` to `end`, where both are known and in order."""
    return end - start if start is not None and end is not None and end >= start else None


def plain(content: object) -> str:
    """The text of a message: a string, or the `text` of its parts."""
    if isinstance(content, list):
        return "\n".join(text for part in content if (text := plain(part)))
    return string(mapping(content).get("text")) if isinstance(content, dict) else string(content)


def arguments(value: object, without: Container[str] = ()) -> dict[str, str]:
    """The arguments of a call as text; what is not a string is written as JSON."""
    return {
        string(key): item
        if isinstance(item, str) and item.isascii()
        else string(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False))
        for key, item in mapping(value).items()
        if key not in without and item is not None
    }
