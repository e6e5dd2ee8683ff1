"""Sessions of every agent, read from where the agents leave them.

The folder is the list: a module of it with a value `source` is a format. What the sessions mean is not known here.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from meta.errors import UserError
from meta.model import Session
from meta.sources.base import Example, Source
from meta.sources.merging import merge
from meta.sources.origins import by_program
from meta.sources.projects import project

__all__ = [
    "SOURCES", "Example", "Reading", "Source", "combine", "defaults", "discover", "merge", "project", "read", "sniff",
]  # fmt: skip

HEAD = 64 * 1024  # bytes of a file by which its format is known
_SKIPPED_FOLDERS = frozenset({".git", "node_modules"})
_COMPRESSED = (b"\x28\xb5\x2f\xfd", b"\x1f\x8b")  # zstd, gzip

_MODULES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
SOURCES: tuple[Source, ...] = tuple(module.source for module in _MODULES if hasattr(module, "source"))


@dataclass(frozen=True, slots=True)
class Reading:
    """What files gave: their sessions, and the files that gave none, counted by reason.

    The reasons are "unknown format", "no session", "compressed" and "unreadable". `digest` tells such files apart.
    """

    sessions: tuple[Session, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""


def discover(paths: Sequence[Path], skipped: Counter[str] | None = None) -> list[Path]:
    """The files at and below the paths, sorted; folders that cannot be listed are counted in `skipped`.

    Follows links, each folder once. Raises `UserError` where a path does not exist.
    """
    counts: Counter[str] = Counter() if skipped is None else skipped
    files: set[Path] = set()
    visited: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            files.update(_below(path, visited, counts))
        elif path.exists():
            files.add(path)
        else:
            raise UserError(f"{path} does not exist: name a session file or a folder that holds some")
    return sorted(files)


def _below(folder: Path, visited: set[tuple[int, int]], skipped: Counter[str]) -> Iterable[Path]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        skipped["unreadable"] += 1
        return
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    for entry in entries:
        try:
            if entry.is_file():
                yield Path(entry.path)
            elif entry.is_dir() and entry.name not in _SKIPPED_FOLDERS:
                yield from _below(Path(entry.path), visited, skipped)
        except OSError:
            skipped["unreadable"] += 1


def defaults(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """The session files in the places where the agents keep them, sorted."""
    return sorted({path for source in SOURCES for path in source.find(home, environ)})


def sniff(path: Path) -> Source | None:
    """The format of a file by its content, None if it is none of ours. Raises `OSError`."""
    return _recognised(path, _head(path))


def read(path: Path) -> Reading:
    """The sessions of one file. Never fails: a file that gives none is counted."""
    try:
        head = _head(path)
        source = _recognised(path, head)
        sessions = tuple(_placed(session, path) for session in source.read(path)) if source else ()
    except OSError:
        return Reading(skipped={"unreadable": 1}, digest=str(path))
    if sessions:
        return Reading(sessions)
    reason = "no session" if source else "compressed" if head.startswith(_COMPRESSED) else "unknown format"
    return Reading(skipped={reason: 1}, digest=hashlib.sha256(head).hexdigest())


def combine(readings: Iterable[Reading]) -> Reading:
    """The readings of many files as one: sessions merged, files without one counted once however often copied."""
    readings = tuple(readings)
    skipped: Counter[str] = Counter()
    for reading in {reading.digest: reading for reading in readings if not reading.sessions}.values():
        skipped.update(reading.skipped)
    return Reading(tuple(merge(session for reading in readings for session in reading.sessions)), dict(skipped))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _recognised(path: Path, head: bytes) -> Source | None:
    return next((source for source in SOURCES if source.sniff(path, head)), None)


def _placed(session: Session, path: Path) -> Session:
    driven = session.origin == "person" and by_program(session.cwd)
    name = session.project or project(session.cwd, "", str(path))
    return replace(session, path=str(path), project=name, origin="machine" if driven else session.origin)
