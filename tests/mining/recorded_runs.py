"""Runs built from command lines, for the tests of lifting."""

from __future__ import annotations

import re
from collections.abc import Sequence

from meta.mining.runs import Column, Run
from meta.model import Status, Step, Style, Word

_PIECE = re.compile(
    r"""(?P<prefix>[^\s"'$*|<>]*)(?:"\$\(cat\ <<'EOF'\n(?P<heredoc>.*?)\nEOF\n\)"|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)')(?=\s|$)
    |(?P<word>\S+)""",
    re.VERBOSE | re.DOTALL,
)


def word(found: re.Match[str]) -> Word:
    text, prefix = found.group(), found["prefix"] or ""
    quoted: Style
    for quoted in ("heredoc", "double", "single"):
        if (inner := found[quoted]) is not None:
            if quoted == "double" and re.search(r"(?<!\\)[$`]", inner):
                return Word(text, text, "shell")
            inner = re.sub(r'\\([\\$"`])', r"\1", inner) if quoted == "double" else inner
            return Word(text, prefix + inner, quoted, prefix)
    return Word(text, text, "shell" if re.search(r"[$*|<>`\"']", text) else "bare")


def step(line: str, head: str = "", *, status: Status = "ok", output: str = "", position: int = 0) -> Step:
    words = tuple(map(word, _PIECE.finditer(line)))
    return Step(
        head or " ".join(w.text for w in words[:2]),
        "command",
        "work",
        words,
        event=f"e{position}",
        position=position,
        message=f"m{position}",
        status=status,
        time=100.0 + 10 * position,
        seconds=1.0,
        output=output,
    )


Cell = str | tuple[str, str] | tuple[str, str, str] | list[str] | None


def run(number: int, cells: Sequence[Cell], *edited: tuple[int, str]) -> Run:
    """A run from lines, (line, status), (line, status, output), lists of lines, or None; `edited` are (position, head)."""
    found: list[tuple[Step, ...]] = []
    position = 0
    for cell in cells:
        lines = cell if isinstance(cell, list) else [] if cell is None else [cell]
        steps = []
        for line in lines:
            position += 10
            text, status, output = (*line, "")[:3] if isinstance(line, tuple) else (line, "ok", "")
            known: Status = "failed" if status == "failed" else "unknown" if status == "unknown" else "ok"
            steps.append(step(text, status=known, output=output, position=position))
        found.append(tuple(steps))
    edits = tuple(Step(head, "edit", "work", position=place, event=f"edit{place}") for place, head in edited)
    return Run(f"s{number}", "claude", tuple(found), edits)


def runs(*cells: Sequence[Cell]) -> list[Run]:
    return [run(k, one) for k, one in enumerate(cells)]


def columns(*heads: str) -> list[Column]:
    return [Column(head) for head in heads]
