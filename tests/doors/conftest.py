"""A workspace in a home of its own, sessions where an agent keeps them, and registered tools that behave and misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client

from meta import archive
from tests.cli.conftest import git, session

ECHO = """
import argparse, json
parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--message", required=True)
parser.add_argument("--count", type=int, default=1)
parser.add_argument("--path", action="append", default=[])
parser.add_argument("--fast", action="store_true")
parser.add_argument("--json", action="store_true")
given = parser.parse_args()
print(json.dumps({"ok": given.count > 0, "exit_code": 0, "tail": [given.message, *given.path], "steps": {}}))
"""
MANIFEST = """
name = "echo"
description = "Echo what it is given. Use when asked to echo."
effects = ["read"]
[estimate]
payback_weeks = 1.0
[[parameters]]
name = "message"
type = "str"
option = "--message"
required = true
[[parameters]]
name = "count"
type = "int"
option = "--count"
default = 1
[[parameters]]
name = "path"
type = "list"
option = "--path"
[[parameters]]
name = "fast"
type = "bool"
option = "--fast"
[[parameters]]
name = "stem"
type = "str"
source = "derived"
"""
TOOLS = {
    "echo": ECHO,
    "crash": "raise SystemExit('no such luck')",
    "flood": "print('x' * 100_000_000)",
    "silent": "",
    "liar": "print('[1, 2]')",
}


HANG = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
with open("begun.new", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.rename("begun.new", "begun")
time.sleep(600)
"""


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


def put(workspace: Path, name: str, program: str, manifest: str = "") -> None:
    """A registered tool, as it lies in a workspace after `accept`."""
    folder, skill = workspace / "generated_tools" / name, workspace / ".agents" / "skills" / name
    folder.mkdir(parents=True)
    (folder / "tool.toml").write_text(manifest or f'description = "{name}"\neffects = ["write-project"]\n')
    (folder / "tool.py").write_text(program)
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(f"---\nname: {name}\n---\n")


@pytest.fixture
def served(workspace: Path) -> Path:
    for name, program in TOOLS.items():
        put(workspace, name, program, MANIFEST if name == "echo" else "")
    (workspace / "knowledge").mkdir()
    (workspace / "knowledge" / "packing.md").write_text("# Packing\n")
    (workspace / "secret.md").write_text("sesame")
    return workspace


def begun(workspace: Path) -> list[int]:
    """The processes of the tool that hangs, once it hangs."""
    place = workspace / "begun"
    while not place.exists():
        time.sleep(0.02)
    return [int(number) for number in place.read_text().split()]


def over(connection: AbstractAsyncContextManager[Client], what: Callable[[Client], Any]) -> Any:
    """What came back over an MCP connection of its own."""

    async def run() -> Any:
        async with connection as client:
            return await what(client)

    return anyio.run(run)
