"""The real clients, from the first session to the use of a tool that was made of their sessions."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meta import mcp_server, spool
from tests.cli.conftest import git, meta
from tests.clients import agents
from tests.clients.agents import Agent, Ran

pytestmark = pytest.mark.clients

SESSIONS = 3
DEADLINE = 120.0  # seconds for a worker to be done with a session
TOOL = "test-lint-commit"
LINES = ("sh scripts/test.sh", "sh scripts/lint.sh", "git add -A", "git commit -m '{message}'")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small repository with a test and a lint that really run.

    Its sessions last seconds, where those of a person last minutes; so the limit of payback is stretched.
    """
    place = tmp_path / "shop"
    (place / "scripts").mkdir(parents=True)
    (place / "meta.toml").write_text("weeks = 500\n")
    (place / "shop.py").write_text("price = 1\n")
    (place / "scripts" / "test.sh").write_text("python3 -c 'import shop; assert shop.price'\n")
    (place / "scripts" / "lint.sh").write_text("! grep -n '[[:space:]]$' shop.py\n")
    git(place, "init", "-q")
    git(place, "config", "user.name", "ann")
    git(place, "config", "user.email", "ann@example.org")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "A shop")
    return place


def worked_off(workspace: Path) -> float:
    """Seconds until no session waits any more."""
    start = time.monotonic()
    while spool.counts(workspace)[0]:
        assert time.monotonic() - start < DEADLINE, (workspace / ".meta" / "worker.log").read_text()
        time.sleep(0.1)
    return time.monotonic() - start


def tools(project: Path, environment: dict[str, str]) -> list[dict[str, Any]]:
    done = meta("tools", "--json", folder=project, environment=environment)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def asked(ran: Ran, words: str) -> bool:
    """Whether the model was told these words."""
    return any(json.dumps(words)[1:-1] in json.dumps(request["body"]) for request in ran.requests)


def connected(agent: Agent, home: Path, project: Path, way: str = "settings") -> dict[str, str]:
    """The environment of a client that is set up, and that calls meta in the project: by the project's settings, or by
    a plugin that it has for all projects."""
    agent.program()
    agent.prepare(home, project)
    environment = agents.environment(agent, home)
    settings = ("--agent", agent.name) if way == "settings" else ()
    done = meta("init", *settings, folder=project, environment=environment)
    assert done.returncode == 0, done.stderr
    if way == "plugin":
        folder = home / "plugin"
        assert meta("plugin", agent.name, str(folder), folder=project, environment=environment).returncode == 0
        assert agents.installed(agent, home, folder)
    return environment


@pytest.mark.parametrize("way", ["settings", "plugin"])
@pytest.mark.parametrize("agent", agents.AGENTS, ids=lambda agent: agent.name)
def test_what_a_client_repeats_becomes_a_tool_that_it_finds_and_uses(
    agent: Agent, way: str, home: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = connected(agent, home, project, way)

    def session(prompt: str, *calls: dict[str, Any], price: int) -> Ran:
        (project / "shop.py").write_text(f"price = {price}\n")
        ran = agents.run(agent, home, project, prompt, calls)
        waited = worked_off(project)
        with capsys.disabled():
            print(f"\n{agent.name}: session {ran.seconds:.1f} s, worked off {waited:.1f} s later", end="")
        return ran

    for number in range(SESSIONS):
        lines = [line.format(message=f"Change the price, part {number}") for line in LINES]
        ran = session("Test, lint and commit", *map(agent.shell, lines), price=number + 2)
        assert not asked(ran, TOOL)
        assert [tool["state"] for tool in tools(project, environment)] == ["proposed"] * (number == SESSIONS - 1)
    assert meta("accept", TOOL, folder=project, environment=environment).returncode == 0

    (function,) = mcp_server.registered(project)
    server = "meta" if way == "settings" else agent.server
    values = {"message": "Change the price by the tool"}
    calls = [agent.find(server, function.name), agent.serve(server, function.name, values)]
    ran = session("Do it again", *filter(None, calls), price=9)
    assert asked(ran, agent.listed.format(tool=TOOL))
    assert asked(ran, f"- {function.name}: ")  # the server's instructions
    assert git(project, "log", "-1", "--format=%s").strip() == "Change the price by the tool"
    (used,) = tools(project, environment)
    assert (used["state"], used["uses"], used["failures"]) == ("registered", 1, 0)
    assert len(list((project / "conversation-archive").rglob("*.json"))) == SESSIONS + 1
    with capsys.disabled():
        network = "closed" if agents.closed() else "open: no network of its own can be made here"
        print(f"\n{agent.name}: hook {hook_times(home) or 'not recorded by the client'} ms, network {network}")


def hook_times(home: Path) -> list[int]:
    """The milliseconds that a client wrote down for its hooks at the end of a turn."""
    rows = [json.loads(line) for path in home.rglob("*.jsonl") for line in path.read_text().splitlines()]
    ends = [row for row in rows if row.get("subtype") == "stop_hook_summary"]
    return sorted(hook["durationMs"] for row in ends for hook in row["hookInfos"])


@pytest.mark.parametrize("agent", agents.AGENTS, ids=lambda agent: agent.name)
def test_in_a_project_beside_it_the_client_calls_no_meta(agent: Agent, home: Path, project: Path) -> None:
    connected(agent, home, project)
    beside = project.parent / "beside"
    beside.mkdir()
    git(beside, "init", "-q")
    ran = agents.run(agent, home, beside, "Look around", [agent.shell("touch looked")])
    assert (beside / "looked").exists()
    assert not asked(ran, "mcp_meta")
    assert not asked(ran, "mcp__meta")
    assert not (beside / ".meta").exists()
    assert spool.counts(project) == (0, 0)
    assert not (project / ".meta" / "worker.log").exists()


def test_codex_calls_no_hook_that_nobody_trusts_and_does_not_complain_of_one_that_is_trusted(
    home: Path, project: Path
) -> None:
    codex = agents.CODEX
    connected(codex, home, project)
    careful = replace(codex, words=[word for word in codex.words if word != agents.TRUST])
    agents.run(careful, home, project, "Look around", [codex.shell("touch looked")])
    assert (project / "looked").exists()
    assert spool.counts(project) == (0, 0)
    assert "SessionEnd" not in agents.run(codex, home, project, "Look around", [codex.shell("ls")]).printed
    worked_off(project)
    assert (project / ".meta" / "worker.log").exists()
