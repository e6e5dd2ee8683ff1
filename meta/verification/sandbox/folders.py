"""Folders that a sandboxed program may have, taken away afterwards, also after this process was killed.

What is done in them is decided in `ways`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "meta-sandbox-"
# A user of this range owns nothing, and one of our own for each process keeps the count of processes apart.
NOBODY = 61184 + os.getpid() % 4096
_TRIES, _PAUSE = 100, 0.02  # a killed program may still write for a moment


@contextmanager
def place() -> Iterator[Path]:
    """A new folder, removed afterwards; while it is in use it is locked, so that `sweep` knows."""
    folder, held = _locked()
    try:
        folder.chmod(0o711)  # a foreign user passes through and sees nothing
        yield folder
    finally:
        _remove(folder)
        os.close(held)


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder that a sandboxed program may write, removed afterwards."""
    with place() as outer:
        folder = outer / "scratch"
        folder.mkdir()
        give(folder)
        yield folder


def give(folder: Path) -> None:
    """Hand what is in `folder` to the user that sandboxed programs run as. Only root has to."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def sweep() -> None:
    """Remove the folders of processes that were killed before they could, and end what still runs in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone, or of another user
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end(folder)
                _remove(folder)
            finally:
                os.close(held)


def _end(folder: Path) -> None:
    """End the sandbox of a folder. bubblewrap dies with its parent, except in the moment in which it is set up."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0] == b"bwrap" and any(word.startswith(os.fsencode(folder)) for word in words):
                    os.kill(int(entry.name), signal.SIGKILL)


def _locked() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(OSError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(held, fcntl.LOCK_EX)
            if folder.exists():
                return folder, held
            os.close(held)  # it was swept before it was locked


def _remove(folder: Path) -> None:
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        for root, names, _ in os.walk(folder):  # a program may have closed its folders to their owner
            for name in names:
                with suppress(OSError):
                    path = Path(root, name)
                    if not path.is_symlink():
                        path.chmod(0o700)
        time.sleep(_PAUSE)
