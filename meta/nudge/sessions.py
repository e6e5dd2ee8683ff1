"""What is remembered of each session while it runs, and of each nudge for good: small files beside the index.

One file a session, of those that were last at work; nothing that was said or run is in it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from meta.nudge.beginning import Begun
from meta.nudge.rows import PLACE
from meta.spool import fit

KEPT = 64  # sessions
LOOKS = 20  # for the file to be free, while another call of the same session is looked at
MOMENT = 0.005  # seconds between them
LARGEST = 2**16  # bytes of a session's file


@dataclass(frozen=True, slots=True)
class Shown:
    """That a session was told of a tool, and when."""

    session: str
    tool: str
    time: float


def change(workspace: Path, session: str, changed: Callable[[Begun], Begun]) -> None:
    """Put what `changed` makes of what is remembered in its place. A file that stays busy is left as it is."""
    path = workspace / PLACE / "sessions" / f"{fit(session)}.json"
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not _locked(handle):
            return
        before = _read(os.read(handle, LARGEST))
        if (after := changed(before)) != before or new:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(asdict(after)).encode(), 0)
    finally:
        os.close(handle)
    if new:
        _sweep(path.parent)


def _locked(handle: int) -> bool:
    for _ in range(LOOKS):
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(MOMENT)
    return False


def _read(content: bytes) -> Begun:
    """What is remembered; nothing where that is damaged."""
    try:
        row = json.loads(content)
        return Begun(str(row["turn"]), tuple(map(str, row["first"])), tuple(map(str, row["done"])))
    except (ValueError, LookupError, TypeError):
        return Begun()


def _sweep(folder: Path) -> None:
    """Forget the sessions that were at work longest ago."""
    with suppress(OSError):  # another hook is at it
        for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            path.unlink()


def note(workspace: Path, shown: Shown) -> None:
    """Record a nudge, in one write, so that two at once both stay whole."""
    handle = os.open(_log(workspace), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        os.write(handle, json.dumps(asdict(shown)).encode() + b"\n")
    finally:
        os.close(handle)


def shown(workspace: Path) -> list[Shown]:
    """Every nudge of the workspace; a line that is none is left out."""
    try:
        lines = _log(workspace).read_bytes().splitlines()
    except OSError:
        return []
    return [one for line in lines for one in _shown(line)]


def _shown(line: bytes) -> Iterator[Shown]:
    with suppress(ValueError, LookupError, TypeError):
        row = json.loads(line)
        yield Shown(str(row["session"]), str(row["tool"]), float(row["time"]))


def _log(workspace: Path) -> Path:
    return workspace / PLACE / "shown.jsonl"
