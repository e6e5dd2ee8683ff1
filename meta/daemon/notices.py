"""Tell a person once that something has become worth a tool, and no more than once a day.

What is worth it is decided in the corridor.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta import files
from meta.model import Candidate

PLACE = ".meta/notices.json"
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Notice:
    """What is worth a tool, and why."""

    name: str
    reason: str

    @property
    def line(self) -> str:
        return f"{self.name} is worth a tool: {self.reason}. Build it with `meta extract`."


def waiting(workspace: Path) -> tuple[Notice, ...]:
    """What is worth a tool by the last look and has none."""
    rows = _read(workspace).get("waiting", [])
    return tuple(Notice(str(row["name"]), str(row["reason"])) for row in rows if {"name", "reason"} <= row.keys())


def note(workspace: Path, found: Sequence[Candidate], now: float, every: float = DAY) -> tuple[Notice, ...]:
    """What is to be told now: the candidates that nobody was told of, unless others were told of less than a day ago."""
    before = _read(workspace)
    known = set(before.get("known", []))
    fresh = [candidate for candidate in found if candidate.id not in known]
    due = bool(fresh) and now - float(before.get("told", float("-inf"))) >= every
    rows = [{"name": candidate.name, "reason": candidate.reason} for candidate in found]
    after = before | {"waiting": rows}
    if due:
        after |= {"told": now, "known": sorted(known | {candidate.id for candidate in fresh})}
    if after != before:
        files.write(workspace / PLACE, json.dumps(after, indent=1))
    return tuple(Notice(candidate.name, candidate.reason) for candidate in fresh) if due else ()


def _read(workspace: Path) -> dict[str, Any]:
    try:
        rows = json.loads((workspace / PLACE).read_text())
    except (OSError, ValueError):  # none yet; what is damaged is made anew
        return {}
    return rows if isinstance(rows, dict) else {}


def show(text: str) -> None:
    """Put a line before the person's eyes where there is a desktop; the log has it in any case."""
    if sys.platform == "darwin" and shutil.which("osascript"):
        argv = ["osascript", "-e", "on run argv", "-e", 'display notification (item 1 of argv) with title "meta"',
                "-e", "end run", text]  # fmt: skip
    elif shutil.which("notify-send"):
        argv = ["notify-send", "--app-name=meta", "--", "meta", text]
    else:
        return
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
