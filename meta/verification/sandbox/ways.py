"""The three ways to run a program that nobody has read: in bubblewrap, under Landlock, or only with limits.

Each is a command line around the program's own. Which way works here is found out in `ladder`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meta import process
from meta.model import Isolation
from meta.verification import launcher
from meta.verification.launcher.main import Orders
from meta.verification.sandbox.folders import NOBODY, give, place

PATH = f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
_INSIDE, _HOME = "/scratch", "/home/tool"  # in bubblewrap
_TEMPORARY = ("/tmp", "/dev/shm")
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_CONFIGURATION = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
_ETC = Path(__file__).with_name("etc")  # names that need no network: of the machine itself
_NAMES = ("/etc/hosts", "/etc/nsswitch.conf")
_MERCY = 30.0  # seconds in which the launcher ends what is left


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Sizes in bytes; `size` bounds each file and all of /tmp, `wall` and `cpu` are seconds."""

    wall: float = 20.0
    cpu: int = 20
    memory: int = 2 * 2**30
    processes: int = 64
    size: int = 64 * 2**20


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trace reported, as it came, and the folders that were the program's own. `report` is "" for none."""

    report: str
    scratch: str
    temporary: tuple[str, ...]
    home: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left: its exit code (None where time was up), its output (`Limits.size` of each at most), its seconds.

    `isolation` is what it ran under.
    """

    code: int | None
    stdout: str
    stderr: str
    seconds: float
    isolation: Isolation
    seen: Seen | None = None


def execute(
    isolation: Isolation,
    argv: Sequence[str],
    scratch: Path,
    *,
    read_only: Sequence[Path] = (),
    stdin: str = "",
    limits: Limits = USUAL,
    traced: bool = False,
) -> Ran:
    """What `argv` did in this way. Nothing is checked here; the way may not work."""
    with _report(traced) as report:
        if isolation == "bubblewrap":
            whole = _in_bubblewrap(argv, scratch, read_only, limits, report)
            files = [] if report is None else [report]
            # Not even the sandbox program gets the environment: the one inside could read it there.
            path = {"PATH": os.environ.get("PATH", os.defpath)}
            done = process.run(whole, timeout=limits.wall, env=path, input=stdin, limit=limits.size, files=files)
            seen = Seen(_read(report), _INSIDE, _TEMPORARY, _HOME)
        else:
            done, seen = _launched(isolation, argv, scratch, read_only, stdin, limits, report)
    code = None if done.timed_out else done.code
    return Ran(code, done.stdout, done.stderr, done.seconds, isolation, seen if traced else None)


@contextmanager
def _report(traced: bool) -> Iterator[int | None]:
    if not traced:
        yield None
        return
    opened = os.memfd_create("report")
    try:
        yield opened
    finally:
        os.close(opened)


def _read(report: int | None) -> str:
    if report is None:
        return ""
    return os.pread(report, os.fstat(report).st_size, 0).decode("utf-8", "surrogateescape")


def _launched(
    isolation: Isolation,
    argv: Sequence[str],
    scratch: Path,
    read_only: Sequence[Path],
    stdin: str,
    limits: Limits,
    report: int | None,
) -> tuple[process.Completed, Seen]:
    with place() as private:
        home, temporary = private / "home", private / "tmp"
        for folder in (home, temporary):
            folder.mkdir()
            give(folder)
        of = ("memory", "cpu", "size", "processes")
        orders = Orders(
            parent=os.getpid(),
            user=NOBODY if os.geteuid() == 0 else -1,
            confine=isolation == "landlock",
            limits={name: getattr(limits, name) for name in of},
            readable=["/usr", *_SYSTEM, *_CONFIGURATION, *_NAMES, *map(str, _shown(read_only))],
            writable=[os.path.realpath(folder) for folder in (scratch, home, temporary)],
            report=-1 if report is None else report,
            home=str(home),
        )
        environment = {"PATH": PATH, "HOME": str(home), "TMPDIR": str(temporary), "LANG": "C.UTF-8"}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_NOSYSTEM": "1"}  # that file cannot be read
        done = process.run(
            [*_launcher(orders), *argv],
            cwd=scratch,
            timeout=limits.wall,
            env=environment,
            input=stdin,
            limit=limits.size,
            mercy=_MERCY,
            files=[] if report is None else [report],
        )
        return done, Seen(_read(report), os.path.realpath(scratch), (str(temporary), *_TEMPORARY), str(home))


def _launcher(orders: Orders) -> list[str]:
    place = os.path.dirname(launcher.PLACE)
    return [sys.executable, *launcher.FLAGS, "-c", launcher.START, place, orders.text()]


def _in_bubblewrap(
    argv: Sequence[str], scratch: Path, read_only: Sequence[Path], limits: Limits, report: int | None
) -> list[str]:
    if report is None:
        return [*_bubble(scratch, read_only, limits), *_limited(limits), *argv]
    shown = [Path(launcher.PLACE), *read_only]
    start = _launcher(Orders(report=report, home=_HOME))
    return [*_bubble(scratch, shown, limits), *_limited(limits), *start, *argv]


def _bubble(folder: Path, read_only: Sequence[Path], limits: Limits) -> list[str]:
    # Root keeps its own user namespace: only there can a foreign user be taken on, which has to happen because the
    # kernel does not count the processes of root and lets it write to /proc/sys. `_limited` drops it.
    spaces = ["ipc", "pid", "net", "uts", "cgroup-try"] if os.geteuid() == 0 else ["all"]
    argv = ["bwrap", *(f"--unshare-{space}" for space in spaces), "--die-with-parent", "--new-session", "--clearenv"]
    argv += ["--hostname", "sandbox"]
    argv += ["--setenv", "PATH", PATH, "--setenv", "HOME", _HOME, "--setenv", "LANG", "C.UTF-8"]
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
    for path in _ETC.iterdir():
        argv += ["--ro-bind", str(path), f"/etc/{path.name}"]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    for name in ("/tmp", "/dev/shm", _HOME):
        argv += ["--perms", "1777", "--size", str(limits.size), "--tmpfs", name]
    for path in _shown(read_only):
        for parent in reversed(path.parents[:-1]):
            argv += ["--perms", "0755", "--dir", str(parent)]
        argv += ["--ro-bind", str(path), str(path)]
    return [*argv, "--bind", str(folder), _INSIDE, "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", _INSIDE]


def _shown(read_only: Sequence[Path]) -> list[Path]:
    """The paths of Python and of the caller that /usr or an earlier one does not already show."""
    kept = [Path("/usr")]
    for path in (Path(sys.base_prefix), Path(sys.prefix), *read_only):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept[1:]


def _limited(limits: Limits) -> list[str]:
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    drop += ["--bounding-set=-all", "--no-new-privs"]
    limit = ["prlimit", f"--as={limits.memory}", f"--cpu={limits.cpu}", f"--nproc={limits.processes}"]
    limit += [f"--fsize={limits.size}", "--core=0"]
    # Time is measured outside; this one is for a run whose parent was killed in the moment in which it was set up.
    late = ["timeout", "-s", "KILL", str(int(limits.wall) + 5)]
    return [*late, *(drop if os.geteuid() == 0 else []), *limit]
