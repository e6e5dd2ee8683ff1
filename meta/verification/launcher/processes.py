"""What a process means: the memory, the paths and the addresses behind the numbers of its system calls.

All of it is as it was when it was looked at. What follows from it is told in `watch`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HERE = -100  # "the working folder" in place of an open folder
UNSPECIFIED, UNIX, NETLINK = 0, 1, 16  # families of addresses


class UnreadableError(Exception):
    """What a call is about stands in memory that cannot be read."""


def read(pid: int, address: int, size: int) -> bytes:
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            return os.pread(memory.fileno(), size, address)
    except OSError as error:
        raise UnreadableError from error


def content(path: str) -> str:
    """The text of a file about a process, "" when that is gone."""
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def number(pid: int, address: int, size: int) -> int:
    return int.from_bytes(read(pid, address, size), "little")


def text(pid: int, address: int) -> str:
    """The text up to its end; it may end right before memory that is not there."""
    found = b""
    while b"\0" not in found and len(found) < 4096:
        found += (part := read(pid, address + len(found), 4096 - (address + len(found)) % 4096))
        if not part:
            break
    return os.fsdecode(found.partition(b"\0")[0])


def path_of(pid: int, where: int, text: str) -> str:
    """A path that this process can open for the child's text."""
    if text.startswith("/"):
        for own in ("/proc/self", "/proc/thread-self", "/dev/fd", "/dev/std"):
            if text.startswith(own):
                return _own(pid, text)
        return text
    base = f"/proc/{pid}/cwd" if where == HERE else f"/proc/{pid}/fd/{where}"
    return f"{base}/{text}" if text else base


def _own(pid: int, text: str) -> str:
    """What a process calls its own, by its number."""
    standard = {"/dev/stdin": "0", "/dev/stdout": "1", "/dev/stderr": "2"}
    if text in standard:
        return f"/proc/{pid}/fd/{standard[text]}"
    for own, there in (
        ("/proc/self", f"/proc/{pid}"),
        ("/proc/thread-self", f"/proc/{pid}"),
        ("/dev/fd", f"/proc/{pid}/fd"),
    ):
        if text == own or text.startswith(own + "/"):
            return there + text[len(own) :]
    return text


def resolve(pid: int, where: int, text: str, *, follow: bool) -> str:
    """The absolute path that a text means to a process, links followed; the last one only where `follow`."""
    path = path_of(pid, where, text)
    if path.startswith(f"/proc/{pid}/fd/") and path.count("/") == 4:
        try:
            return os.readlink(path)
        except OSError:
            return path
    if follow:
        return os.path.realpath(path)
    folder, name = os.path.split(path.rstrip("/"))
    return os.path.normpath(os.path.join(os.path.realpath(folder or "/"), name))


def place(address: bytes, pid: int) -> str:
    """Where an address is; "" where it is nowhere or at a server of the same sandbox."""
    if len(address) < 3:
        return ""
    import socket

    family = int.from_bytes(address[:2], "little")
    if family == UNIX:
        return _local(address[2:], pid)
    if family in (socket.AF_INET, socket.AF_INET6):
        port = int.from_bytes(address[2:4], "big")
        raw = address[4:8] if family == socket.AF_INET else address[8:24]
        host = socket.inet_ntop(family, raw)
        loopback = host.startswith("127.") or host in ("::1", "0.0.0.0", "::", "::ffff:127.0.0.1")
        return "" if loopback and _serves(pid, port) else f"{host} port {port}"
    return "" if family in (UNSPECIFIED, NETLINK) else f"an address of family {family}"


def _local(name: bytes, pid: int) -> str:
    if name.startswith(b"\0"):
        shown = "@" + os.fsdecode(name[1:].rstrip(b"\0"))
        return "" if _listed(f"/proc/{pid}/net/unix", lambda words: words[-1] == shown) else f"unix:{shown}"
    text = os.fsdecode(name.partition(b"\0")[0])
    return f"unix:{resolve(pid, HERE, text, follow=True)}" if text else ""


def _serves(pid: int, port: int) -> bool:
    """Whether somebody in the same network listens there."""
    end = f":{port:04X}"
    tables = (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07"))
    return any(
        _listed(f"/proc/{pid}/net/{name}", lambda words, state=state: words[1].endswith(end) and words[3] == state)  # type: ignore[misc]  # a default in a lambda
        for name, state in tables
    )


def _listed(table: str, fits: Callable[[list[str]], bool]) -> bool:
    return any(fits(words) for words in map(str.split, content(table).splitlines()) if len(words) > 3)
