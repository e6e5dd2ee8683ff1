"""zsh: the extended history, `: <start>:<seconds>;<command>`, with metafied bytes and `\\` before a line break.

The plain history is a command an entry. Without times it could be any text, so it is taken only by its name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from meta.model import Session
from meta.sources.base import Example, Source
from meta.sources.shells import Typed, sessions

_ENTRY = re.compile(rb": *(\d{9,11}):(\d{1,9});(.*)", re.DOTALL)
_NAMES = ("zsh_history", ".zhistory")
_META = 0x83  # the next byte stands for itself xor 32


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    folder = Path(environment.get("ZDOTDIR") or home)
    return [path for path in (folder / ".zsh_history", folder / ".zhistory") if path.is_file()]


def sniff(path: Path, head: bytes) -> bool:
    return _ENTRY.match(head) is not None or (path.name.endswith(_NAMES) and b"\0" not in head)


def read(path: Path) -> Iterator[Session]:
    skipped: Counter[str] = Counter()
    yield from sessions("zsh", path, list(_typed(path.read_bytes(), skipped)), skipped)


def _typed(data: bytes, skipped: Counter[str]) -> Iterator[Typed]:
    timed = False
    for entry in _entries(data):
        match = _ENTRY.fullmatch(entry)
        command = _plain(match[3] if match else entry).strip()
        timed = timed or match is not None
        if match and command:
            yield Typed(command, float(match[1]), float(match[2]) or None)
        elif command and not timed:  # from before the shell was told to keep times
            yield Typed(command)
        elif entry.strip():
            skipped["not an entry"] += 1


def _entries(data: bytes) -> Iterator[bytes]:
    """The entries, each with its own line breaks; a backslash before one says that the entry goes on."""
    entry = b""
    for line in data.split(b"\n"):
        backslashes = len(line) - len(line.rstrip(b"\\"))
        if backslashes % 2:
            entry += line[:-1] + b"\n"
        else:
            yield entry + line
            entry = b""
    yield entry


def _plain(data: bytes) -> str:
    if _META in data:
        parts = data.split(bytes([_META]))
        data = parts[0] + b"".join(bytes([part[0] ^ 32]) + part[1:] if part else b"" for part in parts[1:])
    return data.decode("utf-8", "replace")


source = Source(
    name="zsh",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            ": 1767261600:0;git pull\n: 1767261605:12;for f in *.py; do\\\n  ruff check $f\\\ndone\n",
            (
                ("call", "git pull", "unknown"),
                ("call", "for f in *.py; do\n  ruff check $f\ndone", "unknown"),
            ),
            ".zsh_history",
        ),
    ),
)
