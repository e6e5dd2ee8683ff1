"""The real agent clients: where each comes from, how it is run on loopback, and how its model calls things.

Every client gets a HOME of its own and its telemetry and updates off. What it did is for the tests to say.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
import pytest

MODELS = Path(__file__).with_name("models.py")
ALONE = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "alone"]  # a network that has only loopback
SECONDS = 120  # for one session
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Agent:
    """A client. `shell`, `find` and `serve` give the call by which its model runs a line, loads a server's tool, calls it.

    `listed` is how the client lists the skill `{tool}` for its model. `install` are the words that install the plugin
    in `{folder}`, whose server is called `server`.

    `prepare` writes what a person has set up in the client before: an account, and that this project is trusted.
    """

    name: str
    package: str
    version: str
    words: Sequence[str]  # between the program and the prompt
    environment: Mapping[str, str]  # `{home}` is the client's own home
    prepare: Callable[[Path, Path], None]
    shell: Callable[[str], Json]
    find: Callable[[str, str], Json | None]
    serve: Callable[[str, str, Json], Json]
    listed: str
    install: Sequence[Sequence[str]]
    server: str = "meta"

    @property
    def folder(self) -> Path:
        place = os.environ.get("META_CLIENTS") or platformdirs.user_cache_path("meta", appauthor=False) / "clients"
        return Path(place) / f"{self.name}-{self.version}"

    def program(self) -> Path:
        """The installed client; skips the test where it is neither there nor asked for."""
        found = self.folder / "node_modules" / ".bin" / self.name
        if found.exists():
            return found
        if os.environ.get("META_REAL_CLIENTS") != "1":
            pytest.skip(f"{self.package}@{self.version} is not installed; META_REAL_CLIENTS=1 installs it")
        if shutil.which("npm") is None:
            pytest.skip(f"npm is needed to install {self.package}")
        words = ["npm", "install", "--prefix", str(self.folder), "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*words, f"{self.package}@{self.version}"], check=True, timeout=600)
        return found


@dataclass(frozen=True, slots=True)
class Ran:
    """A session that ended: what the model was asked, what the client printed, and how long it took."""

    requests: tuple[Json, ...]
    printed: str
    seconds: float


@cache
def closed() -> bool:
    """Whether a network of its own, with nothing but loopback, can be made here."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0


def environment(agent: Agent, home: Path) -> dict[str, str]:
    """All that the client sees: nothing of this user's own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    client = {name: value.replace("{home}", str(home)) for name, value in agent.environment.items()}
    return {"PATH": path, "HOME": str(home), "TERM": "dumb", "LANG": "C.UTF-8", **own, **client}


def installed(agent: Agent, home: Path, folder: Path) -> bool:
    """Whether the client took the plugin in this folder."""
    for words in agent.install:
        call = [str(agent.program()), *(word.format(folder=folder) for word in words)]
        done = subprocess.run(call, cwd=home, env=environment(agent, home), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=SECONDS, check=False)  # fmt: skip
        if done.returncode:
            return False
    return True


def run(agent: Agent, home: Path, project: Path, prompt: str, calls: Sequence[Json]) -> Ran:
    """One session of the real client in the project, in which its model makes these calls, one a turn."""
    script, log = home / "script.json", home / "requests.jsonl"
    script.write_text(json.dumps([{"say": "Next.", "calls": [call]} for call in calls]))
    log.write_text("")
    words = [sys.executable, str(MODELS), str(script), str(log), "--", str(agent.program()), *agent.words, prompt]
    start = time.monotonic()
    done = subprocess.run(
        [*(ALONE if closed() else ()), *words],
        cwd=project, env=environment(agent, home), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    seconds = time.monotonic() - start
    return Ran(tuple(json.loads(line) for line in log.read_text().splitlines()), done.stdout + done.stderr, seconds)


def _codex_settings(home: Path, project: Path) -> None:
    folder = home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(
        'model = "gpt-5.5"\ncheck_for_update_on_startup = false\n'
        "[analytics]\nenabled = false\n[feedback]\nenabled = false\n"
        "[features]\napps = false\nplugins = true\nremote_plugin = false\nin_app_updates = false\n"
        f'[projects."{project}"]\ntrust_level = "trusted"\n'
    )


TRUST = "--dangerously-bypass-hook-trust"  # what a person would confirm
_PROVIDER = '{name="scripted",base_url="{model}/v1",wire_api="responses",env_key="SCRIPTED_KEY"}'

CODEX = Agent(
    "codex", "@openai/codex", "0.169.0",
    words=("exec", "--json", TRUST, "--dangerously-bypass-approvals-and-sandbox",
           "-c", "model_provider=scripted", "-c", f"model_providers.scripted={_PROVIDER}"),
    environment={"CODEX_HOME": "{home}/.codex", "SCRIPTED_KEY": "none"},
    prepare=_codex_settings,
    shell=lambda line: {"name": "exec_command", "input": {"cmd": line}},
    find=lambda _, tool: {"type": "tool_search_call", "execution": "client", "input": {"query": tool, "limit": 5}},
    serve=lambda server, tool, values: {"name": tool, "namespace": f"mcp__{server}", "input": values},
    listed="/{tool}/SKILL.md)",
    install=(("plugin", "marketplace", "add", "{folder}"), ("plugin", "add", "meta@meta")),
)  # fmt: skip


def _claude_settings(home: Path, project: Path) -> None:
    folder = home / ".claude"
    folder.mkdir()
    trusted = {"projects": {str(project): {"hasTrustDialogAccepted": True}}}
    (folder / ".claude.json").write_text(json.dumps({"hasCompletedOnboarding": True, **trusted}))


CLAUDE = Agent(
    "claude", "@anthropic-ai/claude-code", "2.1.329",
    words=("--allowedTools", "Bash,ToolSearch,Skill,mcp__meta,mcp__plugin_meta_meta", "--output-format", "json", "-p"),
    environment={
        "CLAUDE_CONFIG_DIR": "{home}/.claude", "ANTHROPIC_BASE_URL": "{model}", "ANTHROPIC_API_KEY": "sk-ant-none",
        "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    },
    prepare=_claude_settings,
    shell=lambda line: {"name": "Bash", "input": {"command": line, "description": "Scripted"}},
    find=lambda server, tool: {
        "name": "ToolSearch", "input": {"query": f"select:mcp__{server}__{tool}", "max_results": 5},
    },
    serve=lambda server, tool, values: {"name": f"mcp__{server}__{tool}", "input": values},
    listed="available for use with the Skill tool:\n\n- {tool}: ",
    install=(("plugin", "marketplace", "add", "{folder}"), ("plugin", "install", "meta@meta")),
    server="plugin_meta_meta",
)  # fmt: skip


def _gemini_settings(home: Path, project: Path) -> None:
    folder = home / ".gemini"
    folder.mkdir()
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    (folder / "settings.json").write_text(json.dumps(settings))


GEMINI = Agent(
    "gemini", "@google/gemini-cli", "0.61.0",
    words=("-m", "gemini-3-pro", "--approval-mode", "yolo", "-o", "json", "-p"),
    environment={
        "GEMINI_CLI_HOME": "{home}", "GOOGLE_GEMINI_BASE_URL": "{model}", "GEMINI_API_KEY": "none",
        "GEMINI_TELEMETRY_ENABLED": "false", "GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_CLI_NO_RELAUNCH": "1",
    },
    prepare=_gemini_settings,
    shell=lambda line: {"name": "run_shell_command", "input": {"command": line, "description": "Scripted"}},
    find=lambda server, tool: None,
    serve=lambda server, tool, values: {"name": f"mcp_{server}_{tool}", "input": values},
    listed="<skill>\n    <name>{tool}</name>",
    install=(("extensions", "install", "--consent", "{folder}"),),
)  # fmt: skip

AGENTS = (CODEX, CLAUDE, GEMINI)
