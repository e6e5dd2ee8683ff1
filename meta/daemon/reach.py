"""Ask a running daemon how it is, and answer: a process that lives but does not answer is not well.

What it does is not told here, only how to reach it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meta import config

if TYPE_CHECKING:
    from meta.daemon.loop import State

PATIENCE = 2.0  # seconds for an answer
LONGEST = 100  # bytes of a socket's path; macOS allows 103, Linux 107


def place(workspace: Path) -> Path:
    """The socket of a workspace's daemon: in the workspace, unless that is longer than the system allows."""
    path = workspace / ".meta" / "daemon.sock"
    if len(os.fsencode(path)) <= LONGEST:
        return path
    return config.folders().state / f"{hashlib.sha256(os.fsencode(workspace)).hexdigest()[:12]}.sock"


@contextlib.contextmanager
def answering(workspace: Path, state: State) -> Iterator[None]:
    """Answer everyone who asks, from a thread of its own, while the caller holds the daemon's lock."""
    path = place(workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # of a daemon that was killed: we hold its lock
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(8)
        threading.Thread(target=_serve, args=(server, state), daemon=True).start()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _serve(server: socket.socket, state: State) -> None:
    while True:
        try:
            asking, _ = server.accept()
        except OSError:  # closed: the daemon ends
            return
        with asking, contextlib.suppress(OSError):
            asking.settimeout(PATIENCE)
            asking.sendall(json.dumps(asdict(state)).encode())


def ask(workspace: Path) -> dict[str, Any] | None:
    """What the daemon says of itself, None where nobody answers in time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect(str(place(workspace)))
            answer = b"".join(iter(lambda: client.recv(65536), b""))
            told = json.loads(answer)
        except (OSError, ValueError):
            return None
    return told if isinstance(told, dict) else None
