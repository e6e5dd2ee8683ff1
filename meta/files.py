"""Put files on disk whole: a reader sees the old content or the new, never a part, whenever the machine stops.

What may be written into a user's file, and how it is taken back, is decided in `edits`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from meta.errors import UserError

_TEMPORARY = ".meta-tmp"
_STALE = 10.0  # seconds; who holds an agent's lock for longer has to touch it
_LOCK_PATIENCE = 20.0  # seconds of waiting for one that is touched


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
    settle(path.parent)
    return True


def swap(path: Path, before: bytes | None, after: bytes, mode: int | None = None) -> bool:
    """Whether the file still was `before` (None: not there) and now is `after`; it keeps its mode, owner and symlink.

    `mode` is set where given. Where the file system can exchange two names, what somebody wrote between the look and the change comes back.
    """
    path = Path(os.path.realpath(path))
    try:
        status = _status(path)
        if (path.read_bytes() if status else None) != before:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(path, after, mode, status)
        try:
            done = _exchanged(draft, path, before, after) if status else _placed(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}. Nothing was changed; make room or access.") from error
    settle(path.parent)
    return done


def _placed(draft: Path, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        draft.replace(path)
    return True


def _exchanged(draft: Path, path: Path, before: bytes | None, after: bytes) -> bool:
    if not _exchange(draft, path):
        draft.replace(path)
        return True
    expected, put, found = before, after, draft.read_bytes()
    done = found == expected
    while found != expected:  # somebody wrote meanwhile: what came out goes back in, until what was put comes out
        expected, put = put, found
        _exchange(draft, path)
        found = draft.read_bytes()
    return done


def _exchange(one: Path, other: Path) -> bool:
    """Whether two names have changed places in one step; False where the system cannot."""
    import ctypes  # only for this

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    here = ctypes.c_int(-100)  # AT_FDCWD; the paths are absolute
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(2)) == 0)  # RENAME_EXCHANGE


@contextlib.contextmanager
def turn(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Let one of ours at a time change a file: its folder is locked, so no lock file is left beside it.

    Where folders cannot be locked, ours do not see each other. For a file that is `shared` with agents the lock
    that they take is held as well (`_agents_lock`).
    """
    folder = Path(os.path.realpath(path)).parent
    while not folder.is_dir():
        folder = folder.parent
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(f"cannot open {folder}: {error.strerror}. Give access to it.") from error
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        with _agents_lock(path) if shared else contextlib.nullcontext():
            yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _agents_lock(path: Path) -> Iterator[None]:
    """Hold the lock that Node's proper-lockfile makes, as Claude Code does: a folder `<file>.lock`, stale after a while.

    Ours carries the sticky bit, which nobody else sets on it. One of ours is met only after its process was killed,
    for ours take turns; it is taken over at once.
    """
    lock = Path(f"{os.path.realpath(path)}.lock")
    try:
        held = _acquired(lock)
    except OSError as error:
        raise UserError(f"cannot lock {path}: {error.strerror}. Make room or access.") from error
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(OSError):  # whoever comes next passes it over
                lock.rmdir()


def _acquired(lock: Path) -> bool:
    """Whether the lock is ours now; False where there is nothing to guard, or what is there is no such lock."""
    give_up = time.monotonic() + _LOCK_PATIENCE
    while time.monotonic() < give_up:
        try:
            lock.mkdir(0o1755)
            return True
        except FileNotFoundError:  # no folder, so no file that somebody could be writing
            return False
        except FileExistsError:
            pass
        try:
            status = lock.lstat()
            if status.st_mode & stat.S_ISVTX:
                os.utime(lock)
                return True
            if time.time() - status.st_mtime > _STALE:
                lock.rmdir()
                continue
        except FileNotFoundError:  # given back meanwhile
            continue
        except NotADirectoryError:
            return False
        time.sleep(0.005)
    raise UserError(f"{lock} is held by another program. Close that program, then run this again.")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _replace(path: Path, content: bytes, mode: int | None, before: os.stat_result | None) -> None:
    draft = _draft(path, content, mode, before)
    try:
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # swept later; the first failure is the one to tell
            draft.unlink(missing_ok=True)
        raise


def _draft(path: Path, content: bytes, mode: int | None, before: os.stat_result | None) -> Path:
    """A file beside `path` that holds the content, on disk, with the mode and owner that `path` shall have."""
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
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def settle(*folders: Path) -> None:
    """Make renames, links and removals in these folders survive a loss of power."""
    for folder in folders:
        try:
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise UserError(
                f"{folder} was changed, but may not last: {error.strerror}. Look after its disk."
            ) from error


def sweep(folders: Iterable[Path]) -> int:
    """How many leftovers of interrupted writes were removed from the folders; those of live processes stay."""
    removed = 0
    for folder in folders:
        try:
            for leftover in folder.glob(f".*{_TEMPORARY}"):
                owner = leftover.name.split(".")[1]
                if not owner.isdecimal() or int(owner) == os.getpid() or not _alive(int(owner)):
                    leftover.unlink(missing_ok=True)
                    removed += 1
        except OSError:  # a folder that cannot be tidied is no reason to refuse the work
            continue
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

    What the file says is for people: only the kernel's lock counts, so a number left by a killed process holds
    nobody up. Two kinds are taken, for network file systems keep hosts apart by the one or by the other; on one that
    is mounted with neither, two hosts do not see each other. Raises `UserError` naming the holder.
    """
    with contextlib.ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            held.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                holder = " ".join(os.read(handle, 300).decode(errors="replace").split()) or "unknown"
                raise UserError(f"another meta (process {holder}) is at work here. Wait for it, or stop it.") from None
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()} on {socket.gethostname()}".encode())
        except OSError as error:
            raise UserError(f"cannot lock {path}: {error.strerror}. Make room or access.") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # it is free in any case
                os.ftruncate(handle, 0)
