"""Hear the system calls of a child, note what they would change or reach, and answer those that are not let through.

What was noted is evidence, not a barrier: text in a program's memory may change after it was read here. The barrier is
the sandbox around. Whether it was declared is judged elsewhere.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time

from . import kernel, processes
from .kernel import NOTIFY, Rule
from .processes import HERE, NETLINK, UNIX, UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    # What a call does to a path: kind, argument of the folder (-1: none), of the path, whether a link is followed.
    _Row = tuple[str, int, int, bool]

_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_CONTINUE = 1
_NO_FOLLOW = 0x100
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MOST = 5000  # different things that are noted

_PATHS: dict[str, tuple[_Row, ...]] = {
    "open": (("write", -1, 0, True),),
    "creat": (("write", -1, 0, True),),
    "openat": (("write", 0, 1, True),),
    "openat2": (("write", 0, 1, True),),
    "truncate": (("write", -1, 0, True),),
    "rename": (("delete", -1, 0, False), ("write", -1, 1, False)),
    "renameat": (("delete", 0, 1, False), ("write", 2, 3, False)),
    "renameat2": (("delete", 0, 1, False), ("write", 2, 3, False)),
    "link": (("write", -1, 0, False), ("write", -1, 1, False)),
    "linkat": (("write", 0, 1, False), ("write", 2, 3, False)),
    "symlink": (("make", -1, 1, False),),
    "symlinkat": (("make", 1, 2, False),),
    "unlink": (("delete", -1, 0, False),),
    "unlinkat": (("delete", 0, 1, False),),
    "rmdir": (("delete", -1, 0, False),),
    "mkdir": (("make", -1, 0, False),),
    "mkdirat": (("make", 0, 1, False),),
    "mknod": (("make", -1, 0, False),),
    "mknodat": (("make", 0, 1, False),),
    "chmod": (("write", -1, 0, True),),
    "fchmodat": (("write", 0, 1, True),),
    "fchmodat2": (("write", 0, 1, True),),
    "chown": (("write", -1, 0, True),),
    "lchown": (("write", -1, 0, False),),
    "fchownat": (("write", 0, 1, True),),
    "utime": (("write", -1, 0, True),),
    "utimes": (("write", -1, 0, True),),
    "futimesat": (("write", 0, 1, True),),
    "utimensat": (("write", 0, 1, True),),
    "setxattr": (("write", -1, 0, True),),
    "lsetxattr": (("write", -1, 0, False),),
    "execve": (("run", -1, 0, True),),
    "execveat": (("run", 0, 1, True),),
}
_POWERS = (
    "mount", "umount2", "pivot_root", "chroot", "setns", "move_mount", "open_tree", "init_module", "finit_module",
    "reboot", "bpf",
)  # fmt: skip
_SENDS = ("connect", "sendto", "sendmsg", "sendmmsg")
_SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open")
_METADATA = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat",
    "utimensat",
)  # fmt: skip


def watched() -> list[Rule]:
    """The calls that change or reach something; a ring of calls would hide them and is not offered."""
    only = {"open": (1, _WRITES), "openat": (2, _WRITES), "sendto": (4, 0xFFFFFFFF)}
    heard = [*_PATHS, *_POWERS, *_SENDS]
    return [
        *kernel.refused("io_uring_setup", errno.ENOSYS),
        *(Rule(name, NOTIFY, *only.get(name, (-1,))) for name in heard),
    ]


def powers() -> list[Rule]:
    """The calls that only an administrator needs."""
    return [Rule(name, NOTIFY) for name in _POWERS]


def guarded(*, signals: bool) -> list[Rule]:
    """The calls that Landlock lets through and that are done here for the child, or refused."""
    return [Rule(name, NOTIFY) for name in (*_METADATA, *(_SIGNALS if signals else ()))]


class _Call:
    def __init__(self, token: int, pid: int, name: str, arguments: tuple[int, ...]) -> None:
        self.id, self.pid, self.name, self.arguments = token, pid, name, arguments

    def signed(self, index: int) -> int:
        low = self.arguments[index] & 0xFFFFFFFF
        return low - 2**32 if low >= 2**31 else low


class Watcher:
    """What was heard so far. `inside` are the folders that may be changed; `guards` is whether to act for the child."""

    def __init__(self, listener: int, inside: Sequence[str], *, traced: bool, guards: bool) -> None:
        self.listener, self.inside, self.traced, self.guards = listener, inside, traced, guards
        self.seen: dict[tuple[str, str], str] = {}
        self.dropped = 0
        self._names = {number: name for name, number in kernel.numbers().items()}

    def serve(self) -> None:
        """Answer one call."""
        buffer = bytearray(80)
        try:
            fcntl.ioctl(self.listener, _RECEIVE, buffer, True)
        except OSError:  # who asked is gone
            return
        token, pid, _, number, _, _, *arguments = struct.unpack("QIIiIQ6Q", buffer)
        call = _Call(token, pid, self._names.get(number, str(number)), tuple(arguments))
        try:
            refused = self._decide(call)
        except (UnreadableError, ValueError, struct.error):  # or what stands there makes no sense
            self.note("blind", call.name, call.pid)
            refused = errno.EPERM
        self._answer(call, refused)

    def _answer(self, call: _Call, refused: int | None) -> None:
        """None lets the call go on, 0 says that it is done, else the error number."""
        fields = (call.id, 0, 0, _CONTINUE) if refused is None else (call.id, 0, -refused, 0)
        try:
            fcntl.ioctl(self.listener, _ANSWER, bytearray(struct.pack("QqiI", *fields)), True)
        except OSError:  # who asked is gone
            return

    def note(self, kind: str, what: str, pid: int) -> None:
        if (kind, what) in self.seen:
            return
        if len(self.seen) >= MOST:
            self.dropped += 1
            return
        self.seen[kind, what] = processes.content(f"/proc/{pid}/comm").strip()

    def _decide(self, call: _Call) -> int | None:
        if call.name == "socket":
            return self._socket(call)
        if self.guards and call.name in _SIGNALS:
            return None if _descends(call) else errno.EPERM
        if self.traced:
            self._trace(call)
        if self.guards and call.name in _POWERS:
            return errno.EPERM
        if self.guards and call.name in _METADATA:
            return self._act(call)
        return None

    def _socket(self, call: _Call) -> int:
        family = call.arguments[0] & 0xFFFF
        if family not in (UNIX, NETLINK):  # libraries ask the machine's own services by these
            self.note("network", f"a socket of family {family}", call.pid)
        return errno.EACCES

    def _trace(self, call: _Call) -> None:
        if call.name in _POWERS:
            self.note("privilege", call.name, call.pid)
        elif call.name in _SENDS:
            for address in _addresses(call):
                if place := processes.place(address, call.pid):
                    self.note("network", place, call.pid)
        elif call.name not in ("fchmod", "fchown"):
            self._trace_paths(call)

    def _trace_paths(self, call: _Call) -> None:
        if call.name == "openat2" and not processes.number(call.pid, call.arguments[2], 8) & _WRITES:
            return
        for kind, folder, index, follow in _PATHS[call.name]:
            where = call.signed(folder) if folder >= 0 else HERE
            text = processes.text(call.pid, call.arguments[index]) if call.arguments[index] else ""
            if not text and where == HERE:
                continue
            path = processes.resolve(call.pid, where, text, follow=follow and not _exclusive(call))
            if kind == "make" and os.path.lexists(path):
                continue  # `mkdir -p` asks for every folder above too
            if kind == "run" and not os.access(path, os.X_OK):
                continue  # a search along PATH
            self.note(kind if kind != "make" else "write", path, call.pid)

    def _act(self, call: _Call) -> int:
        """Change mode, owner or times for the child, on the very file that was looked at; outside it is refused."""
        if call.name in ("fchmod", "fchown"):
            where, text, follow = call.signed(0), "", True
            values = call.arguments[1:]
        else:
            _, folder, index, follow = _PATHS[call.name][0]
            where = call.signed(folder) if folder >= 0 else HERE
            text = processes.text(call.pid, call.arguments[index]) if call.arguments[index] else ""
            values = call.arguments[index + 1 :]
            flags = {"fchmodat2": 3, "fchownat": 4, "utimensat": 3}.get(call.name)
            follow = follow and not (flags is not None and call.arguments[flags] & _NO_FOLLOW)
        try:
            pinned = os.open(
                processes.path_of(call.pid, where, text), os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
            )
        except OSError as error:
            return error.errno or errno.EPERM
        try:
            path = os.readlink(f"/proc/self/fd/{pinned}")
            if not any(path == root or path.startswith(root + "/") for root in self.inside):
                return errno.EPERM
            return _change(call, f"/proc/self/fd/{pinned}", values)
        finally:
            os.close(pinned)


def _change(call: _Call, path: str, values: Sequence[int]) -> int:
    try:
        if "chmod" in call.name:
            os.chmod(path, values[0] & 0o7777)
        elif "chown" in call.name:
            owner, group = (-1 if value & 0xFFFFFFFF == 0xFFFFFFFF else value & 0xFFFFFFFF for value in values[:2])
            os.chown(path, owner, group)
        else:
            os.utime(path, ns=_times(call, values[0], os.stat(path)))
    except OSError as error:
        return error.errno or errno.EPERM
    return 0


_NOW, _AS_IT_WAS = 0x3FFFFFFF, 0x3FFFFFFE  # in place of nanoseconds


def _times(call: _Call, address: int, was: os.stat_result) -> tuple[int, int]:
    """Of access and of change in nanoseconds."""
    if not address:
        return time.time_ns(), time.time_ns()
    if call.name == "utime":
        first, second = struct.unpack("2q", processes.read(call.pid, address, 16))
        return first * 10**9, second * 10**9
    numbers = struct.unpack("4q", processes.read(call.pid, address, 32))
    if call.name != "utimensat":
        return numbers[0] * 10**9 + numbers[1] * 1000, numbers[2] * 10**9 + numbers[3] * 1000

    def one(seconds: int, part: int, before: int) -> int:
        return {_NOW: time.time_ns(), _AS_IT_WAS: before}.get(part, seconds * 10**9 + part)

    return one(numbers[0], numbers[1], was.st_atime_ns), one(numbers[2], numbers[3], was.st_mtime_ns)


def _exclusive(call: _Call) -> bool:
    """Whether the last link of a path is not followed, because the call says so."""
    if call.name in ("open", "openat"):
        flags = call.arguments[1 if call.name == "open" else 2]
        return bool(flags & os.O_NOFOLLOW) or flags & (os.O_CREAT | os.O_EXCL) == os.O_CREAT | os.O_EXCL
    at = {"fchmodat2": 3, "fchownat": 4, "utimensat": 3, "execveat": 4}.get(call.name)
    return at is not None and bool(call.arguments[at] & _NO_FOLLOW)


def _addresses(call: _Call) -> list[bytes]:
    """The addresses a call names; none where it is about a connection that there is."""
    first, second = {"connect": (1, 2), "sendto": (4, 5)}.get(call.name, (0, 0))
    if first:
        return [processes.read(call.pid, call.arguments[first], min(call.arguments[second] & 0xFFFFFFFF, 128))]
    count = 1 if call.name == "sendmsg" else min(call.arguments[2] & 0xFFFFFFFF, 64)
    found = []
    for place in range(count):  # the heads of many messages stand 64 bytes apart
        name, size = struct.unpack("QI", processes.read(call.pid, call.arguments[1] + 64 * place, 12))
        if name:
            found.append(processes.read(call.pid, name, min(size, 128)))
    return found


def _descends(call: _Call) -> bool:
    """Whether a signal goes to what was started here: every number is a process, so a group by its leader."""
    target = call.signed(0)
    if target == 0:
        return True  # its own group
    pid, mine = abs(target), os.getpid()
    if target == -1:
        return False
    while pid > 1:
        lines = dict(
            line.split(":\t", 1) for line in processes.content(f"/proc/{pid}/status").splitlines() if ":\t" in line
        )
        if not lines:
            return False
        if mine in (parent := int(lines["PPid"]), int(lines["Tgid"])):
            return pid != mine
        pid = parent
    return False
