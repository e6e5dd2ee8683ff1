"""The clients' own validators accept our plugin folders, and refuse one that was broken on purpose."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from meta.registration import plugins
from tests.cli.conftest import git
from tests.clients import agents
from tests.clients.agents import Agent
from tests.registration.test_plugins import GATE

pytestmark = pytest.mark.clients
MANIFESTS = {
    "claude": ".claude-plugin/plugin.json",
    "codex": "plugins/meta/.codex-plugin/plugin.json",
    "gemini": "gemini-extension.json",
}


def accepted(agent: Agent, home: Path, folder: Path) -> bool:
    """Whether the client's own check passes: that of its program, or where it has none, installing it."""
    if agent.name == "codex":
        return agents.installed(agent, home, folder)
    words = {"claude": ["plugin", "validate", "--strict"], "gemini": ["extensions", "validate"]}[agent.name]
    done = subprocess.run([str(agent.program()), *words, str(folder)], cwd=home, env=agents.environment(agent, home),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=agents.SECONDS, check=False)  # fmt: skip
    return done.returncode == 0


@pytest.mark.parametrize("agent", agents.AGENTS, ids=lambda agent: agent.name)
def test_the_client_accepts_our_plugin_and_not_a_broken_one(agent: Agent, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "plugin"
    home.mkdir()
    agent.program()
    agent.prepare(home, folder)
    plugins.put(folder, plugins.texts(agent.name, [GATE]))
    assert accepted(agent, home, folder)
    (folder / MANIFESTS[agent.name]).write_text('{"name": "me ta"')
    assert not accepted(agent, home, folder)


@pytest.mark.parametrize("agent", agents.AGENTS, ids=lambda agent: agent.name)
def test_the_tools_of_a_plugin_are_at_hand_in_a_project_that_is_no_workspace(agent: Agent, tmp_path: Path) -> None:
    home, folder, project = tmp_path / "home", tmp_path / "plugin", tmp_path / "beside"
    for place in (home, project):
        place.mkdir()
    git(project, "init", "-q")
    agent.program()
    agent.prepare(home, project)

    def told() -> str:
        ran = agents.run(agent, home, project, "Look around", [agent.shell("touch looked")])
        return json.dumps([request["body"] for request in ran.requests])

    assert GATE.description not in told()
    plugins.put(folder, plugins.texts(agent.name, [GATE]))
    assert agents.installed(agent, home, folder)
    assert GATE.description in told()
    assert sorted(path.name for path in project.iterdir()) == [".git", "looked"]
