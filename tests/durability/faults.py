"""Faults at every place where a real `meta` reads or writes: strace makes the n-th system call of a kind fail or kill.

What must hold afterwards is said in the tests; here a command is recorded, struck once, and its folder compared.
"""

from __future__ import annotations

import difflib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from meta.edits import Journal

STRACE = shutil.which("strace") or ""
WRITES = (
    "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "rmdir", "symlink", "symlinkat", "link", "linkat", "mkdir", "mkdirat", "chmod", "fchmod", "fchown",
)  # fmt: skip
READS = ("openat", "read", "pread64")
FULL = frozenset({"write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2", "symlink",
                  "symlinkat", "link", "linkat", "mkdir", "mkdirat", "openat"})  # fmt: skip  # what a full disk refuses
FAULTS = {"killed": "signal=SIGKILL", "full": "error=ENOSPC", "broken": "error=EIO"}


def strace_works() -> bool:
    if not STRACE:
        return False
    done = subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True, check=False)
    return done.returncode == 0


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th call of a kind that the command makes, and what it is about."""

    call: str
    number: int
    line: str


class Warm:
    """The process that forks for every command (`warm`)."""

    def __init__(self) -> None:
        program = [sys.executable, "-m", "tests.durability.warm"]
        self._process = subprocess.Popen(
            program, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def run(self, asked: dict[str, object]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._process.stdout.readline()))


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder in which a command is run, put back to its beginning before every run; `home` lies in it as well."""

    folder: Path
    workspace: Path
    template: Path
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(hash=False)
    warm: Warm = field(hash=False)

    def reset(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.template, self.folder, symlinks=True)

    def run(self, *strace: str) -> Done:
        """The command, traced where options of strace are given."""
        out, err = (self.folder.with_name(name) for name in ("out", "err"))
        code = self.warm.run({
            "arguments": self.arguments, "cwd": str(self.workspace), "environment": self.environment,
            "out": str(out), "err": str(err), "strace": [STRACE, *strace] if strace else [],
        })  # fmt: skip
        return Done(code, out.read_text(), err.read_text())

    def points(self) -> list[Point]:
        """Every call of the undisturbed command that touches the folder."""
        self.reset()
        log = self.folder.with_name("calls")
        done = self.run("-y", "-s", "1", "-o", str(log), "-e", f"trace={','.join((*WRITES, *READS))}")
        assert done.code == 0, done.err
        counts: Counter[str] = Counter()
        found = []
        for line in log.read_text(errors="replace").splitlines():
            if match := re.match(r"(\w+)\(", line):
                call = match[1]
                counts[call] += 1
                if str(self.folder) in line.replace(f"AT_FDCWD<{self.workspace}>", "") and " = -1 " not in line:
                    found.append(Point(call, counts[call], line))
        return found

    def strike(self, point: Point, fault: str) -> Done:
        self.reset()
        inject = f"inject={point.call}:{FAULTS[fault]}:when={point.number}"
        return self.run("-o", "/dev/null", "-e", f"trace={point.call}", "-e", inject)


def faults(points: list[Point]) -> Iterator[tuple[Point, str]]:
    """Every fault that can befall each of the calls."""
    for point in points:
        reading = point.call in READS and "O_WRONLY" not in point.line and "O_RDWR" not in point.line
        for fault in FAULTS:
            if (fault == "killed" and reading) or (fault == "full" and (reading or point.call not in FULL)):
                continue
            yield point, fault


def some(points: list[Point], share: float) -> list[tuple[Point, str]]:
    """This share of the faults, always the same ones; two of each kind at least."""
    chance = random.Random(7)
    kinds = [[tried for tried in faults(points) if tried[1] == fault] for fault in FAULTS]
    return [tried for kind in kinds for tried in chance.sample(kind, min(len(kind), max(2, round(len(kind) * share))))]


def visible(workspace: Path) -> dict[str, object]:
    """Files, links and modes outside of `.git` and `.meta`: what a person can see. Empty folders count."""
    found: dict[str, object] = {}
    for root, directories, names in os.walk(workspace):
        directories[:] = [name for name in directories if name not in (".git", ".meta")]
        for name in [*directories, *names]:
            path = Path(root, name)
            place = path.relative_to(workspace).as_posix()
            found[place] = os.readlink(path) if path.is_symlink() else path.is_file() and _file(path)
    return found


def _file(path: Path) -> tuple[int, bytes]:
    return path.stat().st_mode & 0o777, path.read_bytes()


@dataclass(frozen=True, slots=True)
class State:
    """All that a command leaves behind and that another one builds on; commits by their trees."""

    visible: dict[str, object]
    refs: str
    index: bytes
    actions: list[str]
    declined: str
    entries: list[tuple[str, ...]]
    store: dict[str, list[tuple[object, ...]]]


def refs(workspace: Path) -> str:
    """Every branch with its message and what it brings. Numbers are left out: some are times, measured anew each time."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=workspace, check=True, capture_output=True, text=True)
        return done.stdout

    empty = git("hash-object", "-t", "tree", "/dev/null").strip()
    told = git("for-each-ref", "--format=%(refname) %(contents)")
    names = git("for-each-ref", "--format=%(refname)").split()
    brought = "".join(git("diff", "--binary", "--full-index", empty, name) for name in names)
    lines = (line for line in brought.splitlines() if not line.startswith("index "))
    return told + re.sub(r"\d+", "#", "\n".join(lines))


def state(workspace: Path) -> State:
    home = workspace / ".meta"
    declined = home / "declined.json"
    entries = Journal(home / "journal.jsonl").entries()
    return State(
        visible=visible(workspace),
        refs=refs(workspace),
        index=(workspace / ".git" / "index").read_bytes(),
        actions=sorted(path.name for path in (home / "actions").glob("*")),
        declined=declined.read_text() if declined.exists() else "",
        entries=[(e.path, e.kind, e.before, e.own, e.after) for e in entries if ".meta" not in e.path],
        store=rows(home / "store.sqlite"),
    )


def differences(one: State, other: State) -> Iterator[tuple[str, str]]:
    for part in fields(State):
        here, there = getattr(one, part.name), getattr(other, part.name)
        if here == there:
            continue
        if isinstance(here, dict):
            names = {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}
            yield part.name, str({name: (here.get(name), there.get(name)) for name in names})[:300]
        elif isinstance(here, str):
            lines = difflib.unified_diff(here.splitlines(), there.splitlines(), lineterm="", n=0)
            yield part.name, " | ".join(lines)[:300]
        else:
            yield part.name, f"{here!r} and {there!r}"[:300]


def rows(store: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the store tells of each file, after a check of the whole; the cursor's session rows beside it."""
    if not store.exists() or store.stat().st_size == 0:
        return {}
    with sqlite3.connect(store) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone():
            return {}
        told: dict[str, list[tuple[object, ...]]] = {path: [] for (path,) in database.execute("SELECT path FROM files")}
        for path, *row in database.execute("SELECT file, position, agent, session, digest FROM sessions ORDER BY 1, 2"):
            told[path].append(tuple(row))
    database.close()
    return told


def leftovers(folder: Path) -> list[str]:
    """What no finished command may leave."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.endswith(".meta-tmp") or path.name == "unfinished" or ".new" in path.suffixes
    )


def invalid(workspace: Path) -> list[str]:
    """The JSON files that do not parse."""
    broken = []
    for path in workspace.rglob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            broken.append(str(path))
    return broken
