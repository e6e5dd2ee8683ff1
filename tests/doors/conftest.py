"""A workspace in a home of its own, and sessions where an agent keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta import archive
from tests.cli.conftest import git, session


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    (folder / ".claude" / "projects").mkdir(parents=True)
    for name in ("CACHE", "STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def workspace(tmp_path: Path, home: Path) -> Path:
    """A workspace of the project that the sessions are of."""
    place = tmp_path / "shop"
    place.mkdir()
    git(place, "init", "-q")
    git(place, "config", "user.name", "ann")
    git(place, "config", "user.email", "ann@example.org")
    (place / "meta.toml").touch()
    (place / ".meta").mkdir()
    return place


def transcript(folder: Path, number: int) -> Path:
    """A real session's file, as the archive keeps it."""
    return archive.write(folder, session(number))


def kept(home: Path, number: int) -> Path:
    """A session where its agent keeps it; the format is known by the content."""
    path = home / ".claude" / "projects" / "shop" / f"{number}.jsonl"
    path.parent.mkdir(exist_ok=True)
    return transcript(path.parent / f"draft-{number}", number).replace(path)
