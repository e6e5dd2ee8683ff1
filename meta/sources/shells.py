"""Sessions out of the commands of a shell's history file.

The files' forms are in `zsh`, `bash` and `fish`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meta.model import Event, Session
from meta.sources.events import cut, distinct

IDLE = 30 * 60.0  # seconds without a command that end a session


@dataclass(frozen=True, slots=True)
class Typed:
    """One command as it was typed; `time` in seconds since the epoch and `seconds` it took, where known."""

    command: str
    time: float | None = None
    seconds: float | None = None


def sessions(shell: str, path: Path, typed: Iterable[Typed], skipped: Mapping[str, int]) -> Iterator[Session]:
    """The commands in sessions, cut where the shell was idle; all in one where no times are known.

    A session is named by its first second, so that it keeps its name when the file grows or its top is trimmed.
    """
    uses: Counter[str] = Counter()
    events = []
    for item in typed:
        moment = f"{item.time:.0f}" if item.time is not None else "untimed"
        uses[moment] += 1
        name = f"{path.name}:{moment}.{uses[moment]}"
        events.append(Event(name, "call", item.time, item.command, tool=shell, tool_kind="shell", seconds=item.seconds))
    for place, piece in enumerate(cut(events, IDLE)):
        start = piece[0].time
        session_id = f"{shell}-{start:.0f}" if start is not None else f"{shell}-{path.name}-{place}"
        yield Session(
            agent=shell,
            id=session_id,
            events=distinct(session_id, piece),
            origin="shell",
            skipped={} if place else dict(skipped),
            path=str(path),
        )
    if not events and skipped:
        yield Session(shell, f"{shell}-{path.name}", (), origin="shell", skipped=dict(skipped), path=str(path))
