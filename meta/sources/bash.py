"""bash: a command a line, or, with HISTTIMEFORMAT, `#<seconds>` before each.

Without times the content could be any text, so such a file is taken only if its name says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from meta.model import Session
from meta.sources.base import Example, Source
from meta.sources.shells import Typed, sessions

_TIME = re.compile(r"#(\d{9,11})")
_TIMED = re.compile(rb"#\d{9,11}\r?\n[^\n#]")


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    path = home / ".bash_history"
    return [path] if path.is_file() else ()


def sniff(path: Path, head: bytes) -> bool:
    return _TIMED.match(head) is not None or (path.name.endswith("bash_history") and b"\0" not in head)


def read(path: Path) -> Iterator[Session]:
    yield from sessions("bash", path, _typed(path.read_text(encoding="utf-8", errors="replace")), {})


def _typed(text: str) -> Iterator[Typed]:
    """The commands. Between two times all lines are one command; before the first time each line is."""
    time: float | None = None
    body: list[str] = []
    for line in text.split("\n"):
        stamp = _TIME.fullmatch(line.rstrip("\r"))
        if stamp or time is None:
            yield from _command(body, time)
            body = []
        if stamp:
            time = float(stamp[1])
        else:
            body.append(line)
    yield from _command(body, time)


def _command(body: list[str], time: float | None) -> Iterator[Typed]:
    command = "\n".join(body).strip()
    if command:
        yield Typed(command, time)


source = Source(
    name="bash",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            "#1767261600\ngit pull\n#1767261605\ncat <<EOF\nx\nEOF\n",
            (("call", "git pull", "unknown"), ("call", "cat <<EOF\nx\nEOF", "unknown")),
            "history",
        ),
    ),
)
