"""Run other programs with a time limit and bounded output, and spread work over processes.

What may be run, and under which isolation, is decided in `verification`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from meta.errors import UserError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_LONGEST = 60  # bytes of the folder for temporary files, so that a socket's path below it is short enough
_TICK = 0.05  # seconds between looks at a process whose pipes are silent
_GRACE = 0.2  # seconds a process that left the group may still hold the pipes
_CHUNK = 2**16  # bytes of one read, and at most of one write
_NEVER = threading.Event()


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended. `code` is negative for a signal, 127 where the program was not found, 126 not allowed.

    `clipped` tells that output went over the limit: then its first and last halves are kept.
    """

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False
    clipped: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out


class _Captured:
    """The first and the last bytes of a stream, in bounded memory."""

    def __init__(self, limit: int) -> None:
        self.half = limit // 2
        self.head = bytearray()
        self.tail = bytearray()
        self.dropped = 0

    def add(self, data: bytes) -> None:
        room = self.half - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) > 2 * self.half + _CHUNK:  # cut now and then, not at each chunk
            self._cut()

    def _cut(self) -> None:
        if surplus := max(0, len(self.tail) - self.half):
            del self.tail[:surplus]
            self.dropped += surplus

    def text(self) -> str:
        self._cut()
        middle = f"\n... {self.dropped} bytes left out ...\n".encode() if self.dropped else b""
        return bytes(self.head + middle + self.tail).decode(errors="replace")


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    timeout: float = 60.0,
    env: Mapping[str, str] | None = None,
    input: str = "",
    limit: int = 2**20,
    mercy: float = 0.0,
    files: Sequence[int] = (),
    stop: threading.Event = _NEVER,
) -> Completed:
    """How the program ended. After `timeout` seconds, or once `stop` is set, it is killed with all it started, as is
    what it leaves behind.

    `env` is the whole environment where given. `limit` is the most bytes kept of each output. `mercy` are the seconds
    that a program, asked to end, has for ending what left its group. `files` are open files that it inherits.
    """
    argv, start = tuple(argv), time.monotonic()
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
            bufsize=0,
            pass_fds=files,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        code = 126 if isinstance(error, PermissionError) else 127
        return Completed(argv, code, "", f"{error.filename}: {error.strerror}", time.monotonic() - start)
    outputs = (_Captured(limit), _Captured(limit))
    with process:
        try:
            data = input.encode(errors="surrogateescape")
            finished = _communicate(process, data, outputs, start + timeout, stop)
        finally:
            if mercy and process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(mercy)
            _kill(process)
        code = process.wait()
    stdout, stderr = (captured.text() for captured in outputs)
    clipped = any(captured.dropped for captured in outputs)
    return Completed(argv, code, stdout, stderr, time.monotonic() - start, not finished, clipped)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all gone; macOS says EPERM for zombies
        os.killpg(process.pid, signal.SIGKILL)


def _communicate(
    process: subprocess.Popen[bytes],
    data: bytes,
    outputs: tuple[_Captured, _Captured],
    deadline: float,
    stop: threading.Event,
) -> bool:
    """Whether the program ended before the deadline or `stop`. Its input is fed and its outputs are read meanwhile."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    for stream in (process.stdin, process.stdout, process.stderr):
        os.set_blocking(stream.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, outputs[0])
        selector.register(process.stderr, selectors.EVENT_READ, outputs[1])
        if data:
            selector.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()
        view = memoryview(data)
        while selector.get_map():
            ended = process.poll() is not None
            for key, _ in selector.select(_TICK):
                if key.data is None:
                    view = _feed(selector, key, view)
                else:
                    _read(selector, key)
            now = time.monotonic()
            if ended and selector.get_map():  # what it started still holds the pipes
                _kill(process)
                deadline = min(deadline, now + _GRACE)
            if now > deadline or stop.is_set():
                return ended
    while True:  # its pipes are closed, so it is most likely gone
        try:
            process.wait(_TICK)
            return True
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline or stop.is_set():
                return False


def _feed(selector: selectors.BaseSelector, key: selectors.SelectorKey, view: memoryview) -> memoryview:
    try:
        view = view[os.write(key.fd, view[:_CHUNK]) :]
    except BrokenPipeError:  # it does not want to read more
        view = view[len(view) :]
    if not view:
        selector.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]  # we registered the stream, not its number
    return view


def _read(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    data = os.read(key.fd, _CHUNK)
    if data:
        key.data.add(data)
    else:
        selector.unregister(key.fileobj)


def pool(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    workers: int = os.cpu_count() or 1,
    least: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[_Result]:
    """The results in the order of the items, the same for any number of workers. `progress` hears (done, total).

    Fewer than `least` items are not worth the start of processes (about 0.1 s). `function` is a module's own. Workers
    come from a fork server: a plain fork copies locks that other threads of a daemon hold, a spawn imports everything
    anew for each.
    """
    items = list(items)
    workers = min(workers, len(items))
    cramped = len(tempfile.gettempdir()) > _LONGEST  # the fork server listens there
    if workers < 2 or len(items) < least or cramped:
        return _counted(map(function, items), len(items), progress)
    chunk = max(1, len(items) // (workers * 8))
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context) as executor:
        try:
            return _counted(executor.map(function, items, chunksize=chunk), len(items), progress)
        except BrokenProcessPool as error:
            raise UserError("a worker process was killed, most likely out of memory. Use fewer workers.") from error


def _counted(results: Iterable[_Result], total: int, progress: Callable[[int, int], None]) -> list[_Result]:
    collected = []
    for result in results:
        collected.append(result)
        progress(len(collected), total)
    return collected
