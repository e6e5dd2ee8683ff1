"""The MCP inspector, which is neither ours nor of the SDK that we use, lists and calls every tool over both transports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.doors.conftest import ECHO, MANIFEST, TOOLS, put
from tests.doors.test_mcp_http import serving

pytestmark = pytest.mark.clients

PACKAGES = ("@modelcontextprotocol/inspector@2.12.0", "node@22.23.3")  # it does not run on every Node


@pytest.fixture(scope="module")
def inspector() -> Path:
    """The folder of its programs; skips the tests where it is neither there nor asked for."""
    place = os.environ.get("META_CLIENTS") or platformdirs.user_cache_path("meta", appauthor=False) / "clients"
    folder = Path(place) / "inspector-2.12.0"
    found = folder / "node_modules" / ".bin"
    if not (found / "mcp-inspector").exists():
        if os.environ.get("META_REAL_CLIENTS") != "1":
            pytest.skip("the MCP inspector is not installed; META_REAL_CLIENTS=1 installs it")
        if shutil.which("npm") is None:
            pytest.skip("npm is needed to install the MCP inspector")
        words = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error", "--force"]
        subprocess.run([*words, *PACKAGES], check=True, timeout=600)
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    (place / "meta.toml").touch()
    for name, program in TOOLS.items():
        put(place, name, program, MANIFEST if program == ECHO else "")
    return place


@pytest.fixture(params=["stdio", "http"])
def target(request: pytest.FixtureRequest, shop: Path) -> Iterator[list[str]]:
    """How the inspector reaches the server."""
    if request.param == "stdio":
        yield [sys.executable, "-m", "meta", "serve", "--workspace", str(shop)]
    else:
        with serving(shop) as place:
            yield [place.url, "--transport", "http", "--header", f"Authorization: Bearer {place.token}"]


def inspected(inspector: Path, home: Path, target: list[str], *words: str) -> Any:
    path = os.pathsep.join([str(inspector), os.environ["PATH"]])
    env = {"PATH": path, "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = ["mcp-inspector", "--cli", *target, *words]
    done = subprocess.run(argv, env=env, cwd=home, capture_output=True, text=True, timeout=120, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        pytest.fail(f"{words} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def test_the_inspector_lists_and_calls_every_tool(inspector: Path, tmp_path: Path, target: list[str]) -> None:
    listed = {tool["name"]: tool for tool in inspected(inspector, tmp_path, target, "--method", "tools/list")["tools"]}
    assert set(listed) == set(TOOLS)
    assert listed["echo"]["inputSchema"]["required"] == ["message"]
    call = ["--method", "tools/call", "--tool-name"]
    done = inspected(inspector, tmp_path, target, *call, "echo", "--tool-arg", "message=two words")
    assert (done.get("isError", False), done["structuredContent"]["tail"]) == (False, ["two words"])
    for name in sorted(set(TOOLS) - {"echo"}):
        done = inspected(inspector, tmp_path, target, *call, name)
        assert (done["isError"], "gave no result" in done["content"][0]["text"]) == (True, True)
