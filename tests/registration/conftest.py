"""A real repository to register tools in, and everything about it that can be compared."""

import os
import subprocess
from pathlib import Path

import pytest

from meta.model import Comparison, Estimate, Tool, Workflow
from tests.verification.sample import GATE, GATE_TOOL, SAVE, SAVE_TOOL, tool

SHEBANG = "#!/usr/bin/env -S uv run --script\n"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def snapshot(folder: Path) -> dict[str, object]:
    """Files, links, modes and empty folders outside .git and .meta, and the refs, HEAD and index of the repository."""
    found: dict[str, object] = {}
    for root, directories, names in os.walk(folder):
        directories[:] = [d for d in directories if d not in (".git", ".meta")]
        for name in [*directories, *names]:
            path = Path(root, name)
            place = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[place] = os.readlink(path)
            else:
                found[place] = (path.stat().st_mode, path.read_bytes() if path.is_file() else "folder")
    found["refs"] = git(folder, "for-each-ref")
    found["HEAD"] = (folder / ".git/HEAD").read_text()
    index = folder / ".git/index"
    found["index"] = index.read_bytes() if index.exists() else b""
    declined = folder / ".meta/declined.json"
    found["declined"] = declined.read_text() if declined.exists() else ""
    return found


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without commits."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ann@example.org")
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def workspace(empty: Path) -> Path:
    """A repository with a commit, a staged file, a changed one and a stray one."""
    (empty / "a.py").write_text("a = 1\n")
    (empty / "AGENTS.md").write_text("# House rules\n\nBe kind.\n")
    (empty / "CLAUDE.md").write_text("Read the house rules.")
    (empty / ".gitignore").write_text(".meta/\n")
    git(empty, "add", ".")
    git(empty, "commit", "-qm", "one")
    (empty / "staged.py").write_text("")
    git(empty, "add", "staged.py")
    (empty / "a.py").write_text("a = 2\n")
    (empty / "stray").write_text("x")
    return empty


@pytest.fixture
def gate() -> Tool:
    return tool(SHEBANG + GATE_TOOL, GATE)


@pytest.fixture
def save() -> Tool:
    return tool(SHEBANG + SAVE_TOOL, SAVE)


def estimate(payback_weeks: float = 0.5) -> Estimate:
    sources = {"round_trips_per_run": "measured", "minutes_per_run": "measured", "usd_per_run": "measured",
               "tokens_per_run": "measured", "runs_per_week": "estimated", "automation": "estimated",
               "build_minutes": "estimated"}  # fmt: skip
    return Estimate(41, 0.11, 1.2, 96_000, 0.027, 0.75, 3.4, payback_weeks, (0.4, 0.9), sources)  # type: ignore[arg-type]  # plain words


def economics() -> Comparison:
    return Comparison(6.6, 96_000, 0.027, 1.4, 3, "measured")


def workflow_of(made: Tool) -> Workflow:
    return GATE if made.workflow == GATE.id else SAVE
