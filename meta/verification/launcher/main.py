"""Start a child under limits, with only some files and no network, and leave nothing of it behind.

The orders come in the first argument, the child's command line follows. Its exit code is passed on.
"""

from __future__ import annotations

import _thread
import errno
import marshal
import os
import resource
import select
import signal
import sys
import time

from . import kernel, watch
from .kernel import UnsupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

REFUSED = 125  # the exit code where the orders cannot be carried out; nothing was started then

# What Landlock does not speak of: other processes, memory and keys of the same user, labels of files.
_DENIED = """
    ptrace bpf perf_event_open userfaultfd shmget semget msgget mq_open add_key request_key keyctl open_by_handle_at
    mount umount2 pivot_root chroot setns move_mount open_tree
"""
_LABELS = """
    setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr setxattrat removexattrat
"""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Orders:
    """`parent` is who must be alive, `user` who to become (-1: stay), `confine` whether Landlock and filters apply.

    `report` is an open file for what the child did, -1 for no trace. `home` is looked through at the end.
    """

    def __init__(
        self,
        *,
        parent: int = 0,
        user: int = -1,
        confine: bool = False,
        limits: dict[str, int] | None = None,
        readable: list[str] | None = None,
        writable: list[str] | None = None,
        report: int = -1,
        home: str = "",
    ) -> None:
        self.parent, self.user, self.confine, self.limits = parent, user, confine, limits or {}
        self.readable, self.writable, self.report, self.home = readable or [], writable or [], report, home

    def text(self) -> str:
        """The orders as one word, for the same Python."""
        return marshal.dumps(vars(self)).hex()


def main() -> None:
    orders = Orders(**marshal.loads(bytes.fromhex(sys.argv[1])))
    # Who is asked to end must not do so between the start of a child and the moment in which it is known.
    asked, ask = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(ask)
    signal.signal(signal.SIGTERM, _hear)
    try:
        code = _run(orders, sys.argv[2:], asked)
    except (OSError, UnsupportedError) as error:
        print(f"launcher: {error}", file=sys.stderr)
        code = REFUSED
    sys.stderr.flush()
    os._exit(code)  # the thread that started the child is still there


def _hear(number: int, frame: FrameType | None) -> None:
    """Nothing: the signal is told through the pipe."""


def _run(orders: Orders, argv: list[str], asked: int) -> int:
    if orders.report >= 0:
        os.set_inheritable(orders.report, False)
    if orders.user >= 0:
        os.setgroups([])
        os.setresgid(orders.user, orders.user, orders.user)
        os.setresuid(orders.user, orders.user, orders.user)
    if orders.parent:  # 0: another program ends this one with its parent
        kernel.control(kernel.DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != orders.parent:
            return REFUSED
    kernel.control(kernel.CHILD_SUBREAPER, 1)
    kernel.control(kernel.DUMPABLE, 0)  # so that the child cannot look into this process
    started = _Child(orders, argv)
    watcher = None
    if started.listener >= 0:
        watcher = watch.Watcher(started.listener, orders.writable, traced=orders.report >= 0, guards=orders.confine)
    try:
        code = _wait(started.pid, watcher, asked)
    finally:
        _sweep()
        if orders.report >= 0:
            _report(orders, watcher, started.untraced)
    return code


class _Child:
    """A child of a thread that has put itself under the rules, which the rest of this process is not under."""

    def __init__(self, orders: Orders, argv: list[str]) -> None:
        self.pid, self.listener, self.untraced = 0, -1, ""
        self._error: Exception | None = None
        ready = _thread.allocate_lock()
        ready.acquire()
        _thread.start_new_thread(self._start, (orders, argv, ready))
        ready.acquire()
        if self._error:
            raise self._error

    def _start(self, orders: Orders, argv: list[str], ready: _thread.LockType) -> None:
        try:
            kernel.control(kernel.NO_NEW_PRIVILEGES, 1)
            processes = orders.limits.get("processes", 0)
            processes += _processes() if processes else 0
            if orders.confine:
                version = kernel.landlock_version()
                allowed = [(path, "read") for path in orders.readable] + [(path, "write") for path in orders.writable]
                kernel.restrict_files(version, [*allowed, *((path, "device") for path in _DEVICES)])  # type: ignore[list-item]  # literals
                rules = _confining(version, traced=orders.report >= 0)
                self.listener = kernel.filter_calls(rules, listen=True)
            elif orders.report >= 0:
                self._listen()
        except (OSError, UnsupportedError) as error:
            self._error = error
            ready.release()
            return
        self.pid = os.fork()
        if self.pid == 0:
            _become(orders, argv, processes)
        ready.release()
        while True:
            time.sleep(3600)  # the child would be told of this thread's end as of a parent's

    def _listen(self) -> None:
        """A trace is no barrier, so without one the child runs all the same."""
        try:
            self.listener = kernel.filter_calls(watch.watched(), listen=True)
        except UnsupportedError as error:
            self.untraced = str(error)


def _confining(version: int, *, traced: bool) -> list[kernel.Rule]:
    sockets = [kernel.Rule("socket", kernel.NOTIFY)] if traced else kernel.refused("socket", errno.EACCES)
    return [
        *sockets,
        *(watch.powers() if traced else []),
        *kernel.refused(_DENIED, errno.EPERM),
        *kernel.refused(_LABELS, errno.ENOTSUP),
        *kernel.refused("prlimit64", errno.EPERM, 0),  # the limits of another process
        *kernel.refused("io_uring_setup", errno.ENOSYS),
        *watch.guarded(signals=version < kernel.SIGNALS_SINCE),
        *(watch.watched() if traced else []),
    ]


def _become(orders: Orders, argv: list[str], processes: int) -> None:
    """In the child: a session and limits of its own, then the program."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        kernel.control(kernel.DUMPABLE, 1)
        kernel.control(kernel.DEATH_SIGNAL, signal.SIGKILL)
        of = {"memory": resource.RLIMIT_AS, "cpu": resource.RLIMIT_CPU, "size": resource.RLIMIT_FSIZE}
        for name, limit in of.items():
            if name in orders.limits:
                resource.setrlimit(limit, (orders.limits[name], orders.limits[name]))
        if processes:
            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"launcher: {argv[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _processes() -> int:
    """The threads that this user has already: the kernel counts them all together."""
    count, mine = 0, os.getuid()
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == mine:
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:  # it is gone
            continue
    return count


def _wait(pid: int, watcher: watch.Watcher | None, asked: int) -> int:
    """The child's exit code, as a shell would tell it. What it left behind is collected meanwhile.

    `asked` can be read when this has to end.
    """
    poll = select.poll()
    ended = os.pidfd_open(pid)
    poll.register(ended, select.POLLIN)
    poll.register(asked, select.POLLIN)
    if watcher:
        poll.register(watcher.listener, select.POLLIN)
    while True:
        for which, events in poll.poll(1000):
            if which == asked:
                return 128 + signal.SIGTERM
            if watcher and which == watcher.listener and events & select.POLLIN:
                watcher.serve()
            elif watcher and which == watcher.listener:
                poll.unregister(which)
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == pid:
                code = os.waitstatus_to_exitcode(found[1])
                return code if code >= 0 else 128 - code


def _sweep() -> None:
    """End all that the child started: what loses its parent becomes a child of this process."""
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        mine = os.getpid()
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
                if parent == mine:
                    os.kill(int(name), signal.SIGKILL)
            except OSError:  # it is gone
                continue
        time.sleep(0.001)


def _report(orders: Orders, watcher: watch.Watcher | None, untraced: str) -> None:
    import json

    document: dict[str, Any] = {"missing": untraced}
    if watcher:
        document = _heard(orders, watcher)
    with os.fdopen(orders.report, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(document, file)


def _heard(orders: Orders, watcher: watch.Watcher) -> dict[str, Any]:
    for root, _, names in os.walk(orders.home):
        for name in names:
            watcher.note("write", os.path.join(root, name), 0)
    events = [[kind, what, by] for (kind, what), by in watcher.seen.items()]
    return {"events": events, "missing": f"{watcher.dropped} things more than are kept" if watcher.dropped else ""}
