"""Tell the hook of the registered tools, and read from later sessions whether the tools it named were taken.

The hook itself never comes here: this reads manifests.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from meta import config, files
from meta.config import Config
from meta.errors import UserError
from meta.model import Tool
from meta.nudge import reading, rows
from meta.nudge.rows import Index, Row
from meta.registration import functions, index, inventory, pieces

USUAL = 0.5  # of the runs have a step that counts as one of the first


def refresh(settings: Config, workspace: Path) -> None:
    """Bring what the hook reads up to date: the registered tools where nudges are wanted, else no file at all.

    Where the machine refuses, the file stays as it is: no action fails for it, and the next session's end tries again.
    """
    path = workspace / rows.INDEX
    with contextlib.suppress(UserError, OSError):
        listed = pieces.listed(workspace) if settings.nudge else ()
        if listed:
            found = tuple(_row(workspace, entry.name) for entry in listed)
            listing = index.text(listed, rows.BUDGET) or ""
            files.write(path, rows.dumps(Index(found, listing, str(config.folders().config))))
        elif path.exists():
            path.unlink()


def _row(workspace: Path, name: str) -> Row:
    try:
        tool = inventory.tool(workspace, name)
    except UserError:  # a manifest that was broken by hand tells no steps
        return Row(name, functions.name_of(name))
    return Row(name, functions.name_of(name), first_steps(tool))


def first_steps(tool: Tool) -> tuple[str, ...]:
    """The heads of the first two different things that the tool usually does; () where its manifest tells no two."""
    heads = tuple(dict.fromkeys(_usual(inventory.work(tool), inventory.steps(tool))))[:2]
    return heads if len(heads) == 2 else ()


def _usual(work: Sequence[str], steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The heads of the work that most runs did. A step of the manifest has its presence, and no head of its own."""
    rest = list(work)
    for step in steps:
        plain = re.sub(r"\[[^]]*\]", "", str(step.get("template", "")))  # without optional words
        did = list(reading.commands(plain))
        place = next((n for n, head in enumerate(rest) if any(one.is_step(head) for one in did)), None)
        if place is None:
            continue
        if not step.get("when") and _number(step.get("presence")) >= USUAL:
            yield rest[place]
        del rest[: place + 1]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
