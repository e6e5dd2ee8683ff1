"""Put files on disk whole: a reader sees the old content or the new, never a part, whenever the machine stops.

What may be written into a user's file, and how it is taken back, is decided in `edits`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from meta.errors import UserError

_TEMPORARY = ".meta-tmp"


def write(path: Path, content: str | bytes, mode: int | None = None) -> bool:
    """Whether the file had to change. It has then this content, and keeps its mode, owner and symlink.

    `mode` is set where given; a new file without it gets the usual one. Text is written as UTF-8. A `UserError`
    tells that the machine refused; the old content is then still there.
    """
    content = content.encode() if isinstance(content, str) else content
    path = Path(os.path.realpath(path))
    try:
        before = _status(path)
        if before and before.st_size == len(content) and path.read_bytes() == content:
            if mode is not None and stat.S_IMODE(before.st_mode) != mode:
                path.chmod(mode)
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content, mode, before)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}. Nothing was changed; make room or access.") from error
    return True


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _replace(path: Path, content: bytes, mode: int | None, before: os.stat_result | None) -> None:
    temporary = path.with_name(f".{os.getpid()}.{secrets.token_hex(4)}{_TEMPORARY}")
    if mode is None and before:
        mode = stat.S_IMODE(before.st_mode)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                with contextlib.suppress(PermissionError):  # only root can give a file away
                    os.fchown(handle, before.st_uid, before.st_gid)
            if mode is not None:
                os.fchmod(handle, mode)
            os.fsync(handle)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make renames and removals in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> int:
    """How many leftovers of interrupted writes were removed from a folder; those of live processes stay."""
    removed = 0
    for leftover in folder.glob(f".*{_TEMPORARY}"):
        owner = leftover.name.split(".")[1]
        if owner.isdecimal() and int(owner) != os.getpid() and _alive(int(owner)):
            continue
        leftover.unlink(missing_ok=True)
        removed += 1
    return removed


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the one lock of a workspace. `path` is the lock file; it stays, and the kernel frees it with its holder.

    Raises `UserError` naming the process that holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            raise UserError(f"another meta (process {holder}) is at work here. Wait for it, or stop it.") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
