"""Bring a tool up to date without losing what a person changed in it.

A merge is three-way: the old render, the person's file, the new render. Where both changed the same lines the caller
gets the conflict to show; nothing is decided here.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from meta.errors import UserError


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text; with conflicts it holds both sides between git's markers."""

    text: str
    conflicts: int


def merge(old_render: str, edited: str, new_render: str) -> Merged:
    """The person's edits and the new render's, both relative to the old render."""
    with tempfile.TemporaryDirectory(prefix="meta-") as place:
        sides = {"edited": edited, "generated before": old_render, "generated now": new_render}
        for name, text in sides.items():
            Path(place, name).write_text(text, newline="")
        code, text = _git_merge(place, list(sides))
    return Merged(text, code)


def _git_merge(place: str, names: list[str]) -> tuple[int, str]:
    """The number of conflicts and the merged text of three files, the middle one being the common ancestor."""
    labels = [word for name in names for word in ("-L", name)]
    done = subprocess.run(["git", "merge-file", "-p", *labels, *names], cwd=place, capture_output=True, check=False)
    if not 0 <= done.returncode < 128:
        raise UserError(f"git cannot merge the tool: {done.stderr.decode(errors='replace').strip()}")
    return done.returncode, done.stdout.decode()
