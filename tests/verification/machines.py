"""Machines that lack something, made on this one: another user, no bubblewrap, no user namespaces, no Landlock.

Nothing of ours is replaced: the kernel itself refuses. A program is run there with a copy of `meta` that every user
may read.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_bash

from meta.verification.launcher import kernel

ROOT = Path(__file__).parents[2]
USER = "1234"
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
# Refuses system calls as a kernel does that does not have them, for itself and for the program it becomes.
REFUSING = """
import errno, os, sys
from meta.verification.launcher import kernel
kernel.control(kernel.NO_NEW_PRIVILEGES, 1)
kernel.filter_calls(kernel.refused(sys.argv[1], errno.ENOSYS), listen=False)
os.execv(sys.argv[2], sys.argv[2:])
"""
# A namespace of the same user in which no further one can be made.
NO_NAMESPACES = (
    "unshare", "--user", "--map-current-user", "--keep-caps",
    "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"', "sh",
)  # fmt: skip


def readable(path: Path) -> bool:
    """Whether every user may come to it."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


@cache
def python() -> str:
    """A Python that every user may run, "" where there is none."""
    for name in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        path = Path(name)
        if path.exists() and all(map(readable, (path, path.resolve()))):
            new = subprocess.run([name, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
            if new.stdout.strip() == b"True":
                return name
    return ""


@cache
def like_ours() -> bool:
    """Whether that Python can load what was built for this one."""
    told = "import sys; print(*sys.version_info[:2])"
    return subprocess.run([python(), "-c", told], capture_output=True, text=True).stdout.split() == [
        str(number) for number in sys.version_info[:2]
    ]


@cache
def landlock() -> bool:
    """Whether this kernel has it."""
    try:
        return bool(kernel.landlock_version())
    except kernel.UnsupportedError:
        return False


@contextmanager
def house() -> Iterator[Path]:
    """A folder with a copy of `meta`, of the grammar that it needs, and of these tests, for every user."""
    with tempfile.TemporaryDirectory(prefix="house-") as name:
        ignored = shutil.ignore_patterns("__pycache__", "data")
        shutil.copytree(ROOT / "meta", Path(name, "meta"), ignore=ignored)
        for package in (tree_sitter, tree_sitter_bash):
            folder = Path(str(package.__file__)).parent
            shutil.copytree(folder, Path(name, folder.name), ignore=ignored)
        (place := Path(name, "tests")).mkdir()
        shutil.copytree(ROOT / "tests/verification", place / "verification", ignore=ignored)
        (place / "__init__.py").touch()
        for path in (Path(name), *Path(name).rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield Path(name)


def wrapped(argv: list[str], *, user: bool, refused: str = "", namespaces: bool = True) -> list[str]:
    """The command line that runs `argv` there: as an ordinary user, without some system calls, without namespaces."""
    if refused:
        argv = [python(), "-c", REFUSING, refused, *argv]
    if not namespaces:
        argv = [*NO_NAMESPACES, *argv]
    if user and os.geteuid() == 0:
        argv = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *argv]
    return argv


def environment(house: Path, *, hidden: tuple[str, ...] = ()) -> dict[str, str]:
    """The environment there, with programs hidden from PATH."""
    if not hidden:
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(house)}
    (there := house / f"without-{'-'.join(hidden)}").mkdir(exist_ok=True)
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if program.name not in hidden and not (there / program.name).is_symlink():
                (there / program.name).symlink_to(program)
    return {"PATH": str(there), "PYTHONPATH": str(house)}
