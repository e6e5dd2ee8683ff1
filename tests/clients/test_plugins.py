"""The clients' own validators accept our plugin folders, and refuse one that was broken on purpose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from meta.registration import plugins
from tests.clients import agents
from tests.clients.agents import Agent
from tests.registration.test_plugins import GATE

pytestmark = pytest.mark.clients
MANIFESTS = {
    "claude": ".claude-plugin/plugin.json",
    "codex": "plugins/meta/.codex-plugin/plugin.json",
    "gemini": "gemini-extension.json",
}
CHECKS = {
    "claude": (("plugin", "validate", "--strict", "{folder}"),),
    "codex": (("plugin", "marketplace", "add", "{folder}"), ("plugin", "add", "meta@meta")),
    "gemini": (("extensions", "validate", "{folder}"),),
}


def accepted(agent: Agent, home: Path, folder: Path) -> bool:
    """Whether the client's own check passes."""
    for words in CHECKS[agent.name]:
        call = [str(agent.program()), *(word.format(folder=folder) for word in words)]
        done = subprocess.run(call, cwd=home, env=agents.environment(agent, home), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=agents.SECONDS, check=False)  # fmt: skip
        if done.returncode:
            return False
    return True


@pytest.mark.parametrize("agent", agents.AGENTS, ids=lambda agent: agent.name)
def test_the_client_accepts_our_plugin_and_not_a_broken_one(agent: Agent, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "plugin"
    home.mkdir()
    agent.program()
    (home / f".{agent.name}").mkdir()  # not `prepare`: that turns plugins off in Codex
    plugins.put(folder, plugins.texts(agent.name, [GATE]))
    assert accepted(agent, home, folder)
    (folder / MANIFESTS[agent.name]).write_text('{"name": "me ta"')
    assert not accepted(agent, home, folder)
