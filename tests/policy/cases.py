"""The lines of the data files, and which of them are held out."""

from __future__ import annotations

import hashlib
import re
from itertools import product
from pathlib import Path

DATA = Path(__file__).with_name("data")


def blocked() -> list[tuple[int, str]]:
    """The commands that must be blocked, each with the level that is expected at least."""
    rows = [line.split(" ", 1) for line in _lines("must_block.txt")]
    return [(int(level), command.replace("⏎", "\n")) for level, command in rows]


def allowed() -> list[str]:
    """The commands that must pass."""
    found: list[str] = []
    for line in _lines("must_allow.txt"):
        parts = re.split("‹(.*?)›", line)
        choices = [part.split("¦") if place % 2 else [part] for place, part in enumerate(parts)]
        found += ["".join(chosen).strip().replace("⏎", "\n") for chosen in product(*choices)]
    return list(dict.fromkeys(found))


def held_out(command: str) -> bool:
    """Whether a case was set aside before any rule was written: half of them, by the hash of their text."""
    return hashlib.sha256(command.encode()).digest()[0] % 2 == 1


def _lines(name: str) -> list[str]:
    lines = (DATA / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("# ") and line != "#"]
