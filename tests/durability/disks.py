"""A disk under SQLite that fails, fills up, stops, or loses power at a chosen operation (an APSW VFS).

A machine that stops keeps what was written; one that loses power may lose, in any order and in part, what was not
synced since. What the store must make of it is said in the tests.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import apsw

Fault = Literal["killed", "full", "broken", "power"]
SECTOR = 512


class Stopped(apsw.IOError):
    """The machine is off."""


@dataclass(slots=True)
class Kept:
    """What of a file is safe, and what was written since: an offset and the bytes, or a length alone."""

    safe: bytes
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    synced: bool = True

    def after_power_loss(self, random: random.Random) -> bytes | None:
        """What may be found: any part of what was pending, writes torn at sectors; None where the file has gone."""
        if not self.synced and random.random() < 0.5:
            return None
        content = bytearray(self.safe)
        for offset, written in self.pending:
            if random.random() < 0.5:
                continue
            if written is None:
                del content[offset:]
                continue
            sectors = len(written) // SECTOR
            kept = written if random.random() < 0.7 or sectors < 2 else written[: SECTOR * random.randrange(sectors)]
            content.extend(bytes(max(0, offset + len(kept) - len(content))))
            content[offset : offset + len(kept)] = kept
        return bytes(content)


class Disk(apsw.VFS):
    """Counts operations; `at` is the number of the one that goes wrong, 0 for none."""

    def __init__(self, fault: Fault = "killed", at: int = 0) -> None:
        self.fault, self.at = fault, at
        self.operations = 0
        self.off = False
        self.files: dict[str, Kept] = {}
        super().__init__(f"disk-{id(self)}", "")

    def operation(self) -> None:
        if self.off:
            raise Stopped
        self.operations += 1
        if self.operations == self.at:
            if self.fault == "full":
                raise apsw.FullError
            if self.fault == "broken":
                raise apsw.IOError
            self.off = True
            raise Stopped

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802  # SQLite's names
        return _File(self, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        self.operation()
        self.files.pop(name, None)
        super().xDelete(name, syncdir)

    @contextlib.contextmanager
    def connection(self, place: str) -> Iterator[Any]:
        database = apsw.Connection(place, vfs=self.name)
        try:
            yield database
        finally:
            with contextlib.suppress(apsw.Error):
                database.close()

    @property
    def name(self) -> str:
        return f"disk-{id(self)}"

    def lose_power(self, seed: int) -> None:
        """Leave on the real disk what may be found there."""
        chance = random.Random(seed)
        for name, kept in self.files.items():
            content = kept.after_power_loss(chance)
            Path(name).unlink(missing_ok=True)
            if content is not None:
                Path(name).write_bytes(content)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        self.kept: Kept | None = None
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if isinstance(self.path, str) and flags[0] & (apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_WAL):
            there = os.path.exists(self.path)
            disk.operation()
            known = Kept(Path(self.path).read_bytes() if there else b"", synced=there)
            self.kept = disk.files.setdefault(self.path, known)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self.disk.operation()
        super().xWrite(data, offset)
        if self.kept:
            self.kept.pending.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self.disk.operation()
        super().xTruncate(size)
        if self.kept:
            self.kept.pending.append((size, None))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.operation()
        super().xSync(flags)
        if self.kept and isinstance(self.path, str):
            self.kept.safe, self.kept.pending, self.kept.synced = Path(self.path).read_bytes(), [], True

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self.disk.operation()
        return bytes(super().xRead(amount, offset))
