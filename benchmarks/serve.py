"""How soon the MCP server answers: `python -m benchmarks.serve [--runs N]`.

From the start of the process to the answer of the first `tools/list`, `initialize` before it, over stdin and stdout. The
servers run by turns, so that a busy moment hits all alike; the bare one is the official SDK's with one tool, which does
nothing. What the servers answer is a test's matter.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAR = 500.0  # milliseconds
BARE = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare")
@server.tool()
def nothing(message: str) -> str:
    return message
server.run()
"""
MANIFEST = """
description = "Test, lint and commit. Use when asked to commit."
effects = ["write-project"]
[[parameters]]
name = "message"
type = "str"
option = "--message"
required = true
"""
ASKED: Sequence[Mapping[str, object]] = (
    {"id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}},
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list", "params": {}},
)  # fmt: skip


def workspace(place: Path, tools: int) -> Path:
    """A workspace with this many registered tools, as they lie there after `meta accept`."""
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    (place / "meta.toml").touch()
    for number in range(tools):
        folder = place / "generated_tools" / f"tool-{number}"
        skill = place / ".agents" / "skills" / folder.name
        folder.mkdir(parents=True)
        skill.mkdir(parents=True)
        (folder / "tool.toml").write_text(MANIFEST)
        (folder / "tool.py").write_text("# what a call would run\n" * 100)
        (skill / "SKILL.md").touch()
    return place


def first_list(argv: Sequence[str], env: Mapping[str, str], tools: int) -> tuple[float, float]:
    """Milliseconds on the clock to the list, and of the processor until the server had ended."""
    start, before = time.perf_counter(), os.times()
    with subprocess.Popen(argv, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for message in ASKED:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline()) if "id" in message else None
        wall = time.perf_counter() - start
        process.stdin.close()
    assert answer is not None
    assert len(answer["result"]["tools"]) == tools
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall * 1000, used * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    print(f"{runs} starts, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(Path(name) / "compiled")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)

        def ours(tools: int) -> Callable[[], tuple[float, float]]:
            place = workspace(Path(name) / str(tools), tools)
            return lambda: first_list([sys.executable, "-m", "meta", "serve", "--workspace", str(place)], env, tools)

        servers: dict[str, Callable[[], tuple[float, float]]] = {
            "meta serve, 1 tool": ours(1),
            "meta serve, 20 tools": ours(20),
            "bare SDK server, 1 tool": lambda: first_list([sys.executable, "-c", BARE], env, 1),
        }
        for run in servers.values():
            run()  # compiles, as an installation would have
        done: dict[str, list[tuple[float, float]]] = {server: [] for server in servers}
        for _ in range(runs):
            for server, run in servers.items():
                done[server].append(run())
    bare, over = statistics.median(wall for wall, _ in done["bare SDK server, 1 tool"]), False
    for server, rows in done.items():
        walls, used = [wall for wall, _ in rows], statistics.median(cpu for _, cpu in rows)
        middle = statistics.median(walls)
        promise = "" if server.startswith("bare") else f"{'<=' if middle <= BAR else 'OVER'} {BAR:g}"
        over |= promise.startswith("OVER")
        print(f"{server:<24} min {min(walls):7.1f}  median {middle:7.1f}  max {max(walls):7.1f} ms {promise:<8}"
              f" processor {used:7.1f} ms  {middle / bare:.2f} of the bare one")  # fmt: skip
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
