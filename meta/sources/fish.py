"""fish: `- cmd: <command>` and `  when: <seconds>` in `fish_history`, which looks like YAML and is not.

Only the two escapes that fish writes are undone: `\\n` and `\\\\`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from meta.model import Session
from meta.sources.base import Example, Source
from meta.sources.shells import Typed, sessions

_SNIFF = re.compile(rb"- cmd: [^\n]*\n  when: \d")
_ESCAPE = re.compile(r"\\([n\\])")


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return (data / "fish").glob("*_history")


def sniff(path: Path, head: bytes) -> bool:
    return _SNIFF.match(head) is not None


def read(path: Path) -> Iterator[Session]:
    skipped: Counter[str] = Counter()
    text = path.read_text(encoding="utf-8", errors="replace")
    yield from sessions("fish", path, list(_typed(text, skipped)), skipped)


def _typed(text: str, skipped: Counter[str]) -> Iterator[Typed]:
    command, time = "", None
    for line in text.split("\n"):
        if line.startswith("- cmd: "):
            if command:
                yield Typed(command, time)
            command, time = _ESCAPE.sub(_unescaped, line[7:]).strip(), None
        elif line.startswith("  when: ") and line[8:].strip().isdecimal() and len(line) < 24:
            time = float(line[8:])
        elif line.strip() and not line.startswith("  "):  # what is indented more are the paths of a command
            skipped["not an entry"] += 1
    if command:
        yield Typed(command, time)


def _unescaped(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else "\\"


source = Source(
    name="fish",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            "- cmd: git pull\n  when: 1767261600\n- cmd: echo a\\nprintf '\\\\t'\n  when: 1767261605\n  paths:\n    - a\n",
            (("call", "git pull", "unknown"), ("call", "echo a\nprintf '\\t'", "unknown")),
            "fish_history",
        ),
    ),
)
