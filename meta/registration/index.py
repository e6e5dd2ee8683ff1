"""The list of tools in AGENTS.md, which every agent reads, best payback first and never longer than its budget.

It is made from the skills that lie there; nothing else remembers which tools there are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meta.registration.card import plain

BUDGET = 8000  # characters; clients cut what is longer
MARKER = "tools"
IMPORT = "agents"  # the marker of the import line in CLAUDE.md
_NAME = re.compile(r"[a-z][a-z0-9-]{0,48}")
_HEAD = "## Tools made from repeated work\n\nCall these instead of running their steps one by one; each has `--help`.\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool of the list."""

    name: str
    description: str
    payback_weeks: float


def entries(skills: Mapping[str, str]) -> tuple[Entry, ...]:
    """The tools among skill files (name -> text of SKILL.md), best payback first; skills of others are left out."""
    found = [entry for name, text in skills.items() if (entry := _entry(name, text))]
    return tuple(sorted(found, key=lambda entry: (entry.payback_weeks, entry.name)))


def _entry(name: str, text: str) -> Entry | None:
    head = text.split("\n---", 1)[0]
    fields = dict(re.findall(r"^ *([\w-]+): *(.+?) *$", head, re.MULTILINE))
    if "meta-workflow" not in fields or not _NAME.fullmatch(name):
        return None
    payback = _value(fields.get("meta-payback-weeks", ""))
    number = float(payback) if re.fullmatch(r"\d+(\.\d+)?", payback) else math.inf
    return Entry(name, plain(_value(fields.get("description", ""))), number)


def _value(text: str) -> str:
    """A YAML scalar as it may stand there after an edit by hand."""
    try:
        value = json.loads(text)
    except ValueError:
        return text.strip("'")
    return value if isinstance(value, str) else text


def text(listed: Iterable[Entry], budget: int = BUDGET) -> str | None:
    """The block for AGENTS.md, None where there is no tool. What does not fit is counted, not cut in the middle."""
    listed = list(listed)
    if not listed:
        return None
    kept = _HEAD
    for place, entry in enumerate(listed):
        line = f"\n- `python3 generated_tools/{entry.name}/tool.py`: {entry.description}"
        more = f"\n- {len(listed) - place} more in `generated_tools/`, each with `--help`"
        room = budget - len(kept) - (len(more) if place + 1 < len(listed) else 0)
        if len(line) > room:
            return kept + more
        kept += line
    return kept
