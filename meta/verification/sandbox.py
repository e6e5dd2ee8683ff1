"""Run a program that nobody has read yet, where it can reach nothing but a scratch folder.

This is the only place that executes generated code. It does not judge what came out, and there is no weaker way to
run: where bubblewrap does not work, nothing is executed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from meta import process
from meta.errors import UserError

Level = Literal["bubblewrap", "none"]

INSIDE = "/scratch"  # where the scratch folder is seen from inside, and the working folder there
PATH = f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_CONFIGURATION = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
# A user of this range owns nothing, and one of our own for each process keeps the count of processes apart.
_NOBODY = 61184 + os.getpid() % 4096


class NoSandboxError(UserError):
    """Nothing may be executed here, because bubblewrap is missing or the kernel refuses it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Sizes in bytes; `size` bounds each file and all of /tmp, `wall` and `cpu` are seconds."""

    wall: float = 20.0
    cpu: int = 20
    memory: int = 2 * 2**30
    processes: int = 64
    size: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left: its exit code (None where time was up), its output (`Limits.size` of each at most), its seconds."""

    code: int | None
    stdout: str
    stderr: str
    seconds: float


@cache
def level() -> Level:
    """The isolation that works here, tried once by running Python inside."""
    if not all(shutil.which(program) for program in ("bwrap", "prlimit")):
        return "none"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "none"
    with scratch() as folder:
        ran = _execute([python(), "-I", "-c", "import os; print(os.geteuid())"], folder, (), "", Limits())
    return "bubblewrap" if ran.code == 0 and ran.stdout.strip() not in ("", "0") else "none"


def run(
    argv: Sequence[str],
    scratch: Path,
    *,
    read_only: Sequence[Path] = (),
    stdin: str = "",
    limits: Limits = Limits(),
) -> Ran:
    """What `argv` did with `scratch` as its writable working folder and `read_only` seen at their own paths.

    No network, no environment, no home, no other process is visible; as root the user is dropped first.
    Raises `NoSandboxError` where that cannot be had.
    """
    if level() == "none":
        raise NoSandboxError("nothing is run here: install bubblewrap (and let it use user namespaces), then try again")
    return _execute(argv, scratch, read_only, stdin, limits)


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder that a sandboxed program may write, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="meta-", ignore_cleanup_errors=True) as name:
        folder = Path(name, "scratch")
        folder.mkdir()
        give(folder)
        yield folder


def give(folder: Path) -> None:
    """Hand what is in `folder` to the user that sandboxed programs run as. Only root has to."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)


def python() -> str:
    """The interpreter in use, as it is called inside."""
    return sys.executable


def _execute(argv: Sequence[str], folder: Path, read_only: Sequence[Path], stdin: str, limits: Limits) -> Ran:
    whole = [*_bubble(folder, read_only, limits), *_limited(limits), *argv]
    done = process.run(whole, timeout=limits.wall, input=stdin, limit=limits.size)
    return Ran(None if done.timed_out else done.code, done.stdout, done.stderr, done.seconds)


def _bubble(folder: Path, read_only: Sequence[Path], limits: Limits) -> list[str]:
    # Root keeps its own user namespace: only there can a foreign user be taken on, which has to happen because the
    # kernel does not count the processes of root and lets it write to /proc/sys. `_limited` drops it.
    spaces = ["ipc", "pid", "net", "uts", "cgroup-try"] if os.geteuid() == 0 else ["all"]
    shown = _distinct([Path(sys.base_prefix), Path(sys.prefix), *read_only])
    argv = ["bwrap", *(f"--unshare-{space}" for space in spaces), "--die-with-parent", "--new-session", "--clearenv"]
    argv += ["--setenv", "PATH", PATH, "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8"]
    argv += ["--setenv", "PYTHONDONTWRITEBYTECODE", "1", "--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            argv += ["--symlink", os.readlink(path), name]
        elif path.exists():
            argv += ["--ro-bind", name, name]
    argv += ["--perms", "0755", "--dir", "/etc"]
    for name in _CONFIGURATION:
        argv += ["--ro-bind-try", name, name]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    for name in ("/tmp", "/dev/shm"):
        argv += ["--perms", "1777", "--size", str(limits.size), "--tmpfs", name]
    for path in shown:
        for parent in reversed(path.parents[:-1]):
            argv += ["--perms", "0755", "--dir", str(parent)]
        argv += ["--ro-bind", str(path), str(path)]
    return [*argv, "--bind", str(folder), INSIDE, "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", INSIDE]


def _distinct(paths: Sequence[Path]) -> list[Path]:
    """The paths that /usr or an earlier one does not already show."""
    kept = [Path("/usr")]
    for path in paths:
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept[1:]


def _limited(limits: Limits) -> list[str]:
    drop = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--inh-caps=-all"]
    drop += ["--bounding-set=-all", "--no-new-privs"]
    limit = ["prlimit", f"--as={limits.memory}", f"--cpu={limits.cpu}", f"--nproc={limits.processes}"]
    limit += [f"--fsize={limits.size}", "--core=0"]
    return [*(drop if os.geteuid() == 0 else []), *limit]
