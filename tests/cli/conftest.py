"""A home of one's own for every command, a real repository, and a day of small real sessions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from meta import archive
from meta.cli import main
from meta.model import Event, Session, Usage

SAMPLE = Path(__file__).parents[2] / "meta" / "data" / "sample"
DAY = 86_400.0


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def meta(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`meta` as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "meta", *arguments],
        cwd=folder, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def snapshot(folder: Path) -> dict[str, object]:
    """Every file, link and folder below a folder, `.git` and its refs included, by content and mode."""
    found: dict[str, object] = {}
    for root, directories, names in os.walk(folder):
        for name in [*directories, *names]:
            path = Path(root, name)
            place = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[place] = os.readlink(path)
            else:
                found[place] = (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
    return found


def session(number: int, *, file: str = "test_a", project: str = "shop") -> Session:
    """A session in which a file is edited and then checked, linted and committed by hand, each in its own call."""
    start = 1_790_000_000.0 + number * DAY / 4
    name = f"s{number}"
    lines = [f"pytest -q tests/{file}.py", "ruff check src", "git add -A", f"git commit -m 'Change number {number}'"]
    events = [Event(f"{name}-0", "prompt", start, "Fix the next thing, test it, lint it and commit")]
    edit = {"file_path": "src/a.py", "old_string": "1", "new_string": "2"}
    events.append(_call(f"{name}-1", start + 5, "Edit", "edit", arguments=edit))
    for place, line in enumerate(lines, 2):
        events.append(_call(f"{name}-{place}", start + 8.0 * place, "Bash", "shell", text=line))
    return Session("ann", name, tuple(events), project=project, cwd=f"/home/ann/{project}")


def _call(id: str, time: float, tool: str, kind: Any, **more: Any) -> Event:
    return Event(
        id, "call", time, tool=tool, tool_kind=kind, status="ok", exit_code=0, seconds=1.5, message=id,
        usage=Usage(600, 90, 60_000, 600), model="claude-sonnet-4-5", **more,
    )  # fmt: skip


def write(folder: Path, *sessions: Session) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for each in sessions:
        (folder / f"{each.id}.json").write_bytes(archive.dumps(each))
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a current folder that is no repository."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("XDG_", "META_", "CLAUDE", "CODEX", "GEMINI"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    for kind in ("CACHE", "STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(folder / kind.lower()))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.org")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    return folder


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    return write(tmp_path / "sessions", *(session(number) for number in range(8)))


@pytest.fixture
def repository(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, and the current folder."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("a = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    monkeypatch.chdir(folder)
    return folder


class Desk:
    """Runs commands in this process and keeps what they printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path, exit: int = 0) -> str:
        """What the command printed on stdout. Its exit status must be `exit`, and stderr silent where that is 0."""
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stopped:  # argparse leaves this way
            status = int(stopped.code or 0)
        out, err = self._capsys.readouterr()
        assert status == exit, f"{arguments} gave {status}: {err}{out}"
        assert exit or not err, f"{arguments} complained: {err}"
        return out

    def json(self, *arguments: str | Path, exit: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", exit=exit))

    def complaint(self, *arguments: str | Path) -> str:
        """The one line of a user's error."""
        status = main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        assert (status, out) == (1, ""), f"{arguments} gave {status}: {err}{out}"
        assert err.startswith("meta: "), f"{arguments} said: {err}"
        assert err.count("\n") == 1, f"{arguments} said: {err}"
        return err


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(capsys)
