"""Run the commands of a competition: solvers in the sandbox, which may write their own run folder and nothing else.

The folder's own tools (gate, log) and git run without it, for they change the folder; which command is next is
decided in `machine`.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meta import process
from meta.errors import UserError
from meta.rendering import quote
from meta.verification import sandbox
from meta.verification.sandbox import Limits

CACHE = ".cache"  # of compiled code, in the run folder while the run goes on
KEPT = ".meta/compete/cache"  # between runs
ALIVE = ".meta/compete/alive"  # touched while a solver runs, so that a stopped run can be charged
MEMORY = 8 * 2**30
_BEAT = 0.5  # seconds
_STARTING = 60  # seconds of CPU and wall that a program may need beside its own budget
# What a program in the sandbox used is told from inside, by the shell that waited for it, in its last lines.
_TIMED = ("bash", "-c", '"$@"; code=$?; echo >&2; times >&2; exit $code', "timed")
_TIMES = re.compile(r"\n\d+m[\d.]+s \d+m[\d.]+s\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n\Z")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: `line` is what one would type in the folder to have the same."""

    line: str
    code: int
    stdout: str
    stderr: str
    cpu_seconds: float
    wall: float

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def last(self) -> str:
        """The last line of what was printed, "" for none."""
        return next((line for line in reversed(self.stdout.splitlines()) if line.strip()), "")

    @property
    def complaint(self) -> str:
        """What it said last about an error, else how it ended."""
        said = next((line.strip() for line in reversed(self.stderr.splitlines()) if line.strip()), "")
        return said or (f"it was stopped by signal {-self.code}" if self.code < 0 else f"it ended with {self.code}")


def line(argv: Sequence[str]) -> str:
    """The command as it is typed: bare words, double quotes where needed."""
    return " ".join(word if quote(word, "bare") == word else quote(word, "double") for word in argv)


def command(folder: Path, argv: Sequence[str], *, wall: float = 600.0) -> Ran:
    """How a command in the folder ended. `python` is this interpreter."""
    began, before = time.monotonic(), _children()
    done = process.run([_program(argv[0]), *argv[1:]], cwd=folder, timeout=wall, env=environment())
    code = 124 if done.timed_out else done.code
    return Ran(line(argv), code, done.stdout, done.stderr, _children() - before, time.monotonic() - began)


def solver(folder: Path, tool: Path, run: Path, words: Sequence[str], seconds: float) -> Ran:
    """How a solver ended that sees the folder, and may write in `run` only, with `seconds` of CPU time to keep to."""
    shown = [
        "python",
        str(tool.relative_to(folder)),
        "--competition",
        ".",
        "--run",
        str(run.relative_to(folder)),
        *words,
    ]
    _readable(folder)
    run.mkdir(parents=True, exist_ok=True)
    limits = Limits(wall=seconds * 20 + _STARTING * 10, cpu=int(seconds * 1.5) + _STARTING, memory=MEMORY, size=2**30)
    inside = [
        *_TIMED,
        "env",
        f"NUMBA_CACHE_DIR={CACHE}",
        f"XDG_CACHE_HOME={CACHE}",
        f"MPLCONFIGDIR={CACHE}",
        "OMP_NUM_THREADS=1",
    ]
    inside += [sandbox.python(), str(tool), "--competition", str(folder), "--run", "."]
    inside += [str(folder / word) if word.startswith("runs/") else word for word in words]
    began = time.monotonic()
    with _cached(folder, run), _beating(folder / ALIVE):
        sandbox.give(run)
        done = sandbox.run(inside, run, read_only=[folder], limits=limits)
    code, wall = 124 if done.code is None else done.code, time.monotonic() - began
    found = _TIMES.search(done.stderr)
    used = 60 * (int(found[1]) + int(found[3])) + float(found[2]) + float(found[4]) if found else min(wall, limits.cpu)
    said = done.stderr[: found.start()] if found else done.stderr
    return Ran(line(shown), code, done.stdout, said, used, wall)


def environment() -> dict[str, str]:
    """The environment of commands that are not sandboxed: what they need to find programs and a home, no key."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")
    given = {name: os.environ[name] for name in kept if name in os.environ}
    who = {"GIT_AUTHOR_NAME": "meta", "GIT_AUTHOR_EMAIL": "meta@localhost"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    return given | who | {"PYTHONDONTWRITEBYTECODE": "1"}


def git(folder: Path, *words: str) -> str:
    """What git prints. Raises `UserError` with what it complains about."""
    done = subprocess.run(["git", *words], cwd=folder, env=environment(), capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"git {words[0]} failed in {folder}: {said}. Mend that, then run this again.")
    return done.stdout.strip()


def _program(name: str) -> str:
    return sandbox.python() if name == "python" else name


def _children() -> float:
    """CPU seconds of all programs that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _readable(folder: Path) -> None:
    """As root the sandbox takes on another user, who has to be able to read the folder."""
    if os.geteuid() == 0 and folder.stat().st_mode & 0o005 != 0o005:
        raise UserError(f"the sandbox of root cannot read {folder}. Run `chmod o+rx {folder}`, then this again.")


@contextlib.contextmanager
def _cached(folder: Path, run: Path) -> Iterator[None]:
    """Lend the run what was compiled before; afterwards it lies outside of the run again, readable for all."""
    kept, lent = folder / KEPT, run / CACHE
    kept.mkdir(parents=True, exist_ok=True)
    if not lent.exists():
        kept.rename(lent)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            for path in (run, *run.rglob("*")):
                os.chown(path, 0, 0, follow_symlinks=False)
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        shutil.rmtree(kept, ignore_errors=True)
        lent.rename(kept)


@contextlib.contextmanager
def _beating(path: Path) -> Iterator[None]:
    """Touch the file while the work goes on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_BEAT):
            path.touch()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
