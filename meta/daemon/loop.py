"""Keep a workspace's index up to date while its person works, and tell when something becomes worth a tool.

Events of the file system are hints: they are lost in a burst and past the limit of watches. What the folders hold is
the truth, and is looked at again and again. Reading and mining happen in a child, which gives its memory back; no
model is called and no agent is started.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meta import files, process, sources
from meta.config import Config
from meta.daemon import notices
from meta.daemon.hints import Hints
from meta.daemon.reach import answering
from meta.intake import workspace_of

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds. After a hint, `quiet` must pass, but no more than `longest`; without hints the folders are compared
    `soon` after something was found, else every `look` (more seldom where comparing takes long), and everything is
    reconciled every `full`."""

    quiet: float = 1.0
    longest: float = 20.0
    soon: float = 5.0
    look: float = 30.0
    full: float = 600.0
    limit: float = 1800.0  # of one child


@dataclass(slots=True)
class State:
    """What `meta daemon status` is told."""

    workspace: str
    pid: int = field(default_factory=os.getpid)
    started: float = field(default_factory=time.time)
    reconciled: float | None = None
    runs: int = 0
    failures: int = 0
    watched: int = 0
    problem: str = ""


def watch(settings: Config, stop: threading.Event, *, rhythm: Rhythm = Rhythm(), log: Log = print) -> None:
    """Watch until `stop` is set. Raises `UserError` where another one watches this workspace already."""
    workspace = workspace_of(settings)
    state = State(str(workspace))
    with files.locked(workspace / ".meta" / "daemon.lock"), answering(workspace, state), Hints() as hints:
        log(f"watching for {workspace}")
        seen, last, pause = "", float("-inf"), rhythm.look
        while not stop.is_set():
            state.watched = hints.follow(_places())
            began = time.monotonic()
            now = told(sources.defaults(Path.home(), os.environ))
            # a look that takes long is taken more seldom, so that idling stays cheap
            pause = max(rhythm.look, 100 * (time.monotonic() - began)) if now == seen else rhythm.soon
            if now != seen or began - last >= rhythm.full:
                if _reconcile(workspace, state, rhythm, log):
                    seen = now
                last = began
            if hints.wait(pause, stop):
                hints.settle(rhythm.quiet, rhythm.longest, stop)
        log("stopped")


def _places() -> list[Path]:
    home = Path.home()
    return [place for source in sources.SOURCES for place in source.places(home, os.environ) if place.is_dir()]


def told(paths: Iterable[Path]) -> str:
    """A text that changes when one of the files does, as far as its status tells."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # gone meanwhile
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()


def _reconcile(workspace: Path, state: State, rhythm: Rhythm, log: Log) -> bool:
    """Whether a child read and mined what is there."""
    argv = [sys.executable, "-m", "meta", "watch", "--once", "--workspace", str(workspace)]
    done = process.run(argv, cwd=workspace, timeout=rhythm.limit, env=_environment(os.environ))
    state.runs += 1
    if not done.ok:
        state.failures += 1
        state.problem = (done.stderr.strip().splitlines() or [f"ended with {done.code}"])[-1]
        log(f"could not reconcile: {state.problem}")
        return False
    state.reconciled, state.problem = time.time(), ""
    for line in done.stdout.splitlines():
        log(line)
        notices.show(line)
    return True


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """What the child needs. Keys are none of its business: it asks no model."""
    return {name: value for name, value in own.items() if not name.endswith(("_KEY", "_TOKEN", "_SECRET"))}
