"""A `meta` that is loaded once and forks for every command, so that thousands of faults are tried in minutes.

A command arrives as a line of JSON on stdin; with faults in it, strace holds the new process before it begins.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import meta
from meta.cli import main
from tests.durability import edit

_PR_SET_PTRACER, _ANYBODY = 0x59616D61, ctypes.c_ulong(-1)


def serve() -> None:
    for module in pkgutil.walk_packages(meta.__path__, "meta."):
        if module.name != "meta.__main__":
            importlib.import_module(module.name)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(asked: dict[str, Any]) -> int:
    child = os.fork()
    if not child:
        _become(asked)
    _, status = os.waitpid(child, os.WUNTRACED)
    strace = _attached(asked["strace"], child) if asked["strace"] else None
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    if strace:
        strace.wait(60)
    return os.waitstatus_to_exitcode(status)


def _become(asked: dict[str, Any]) -> None:
    """Be the command, once somebody says so."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    for handle, path in enumerate(("/dev/null", asked["out"], asked["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), handle)
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    status = 1
    try:
        name, *rest = asked["arguments"]
        status = edit.main(rest) if name == "edit" else main(asked["arguments"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _attached(command: Sequence[str], child: int) -> subprocess.Popen[bytes]:
    strace = subprocess.Popen([*command, "-p", str(child)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert strace.stderr
    said = strace.stderr.readline()
    assert b"attached" in said, said
    return strace


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    serve()
