"""Who drove a session: what each format says of itself, and the folders where only programs work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meta import sources
from meta.model import Session
from meta.sources import origins
from tests.safety.writers import WRITERS, Prompt, Script, Shell

SCRIPT = Script("s1", (Prompt("run the tests"), Shell("make test")), 1_790_000_000.0)


def read(folder: Path, agent: str, **changes: Any) -> Session:
    (session,) = sources.read(WRITERS[agent](folder, replace(SCRIPT, **changes))).sessions
    return session


@pytest.mark.parametrize("folder", origins.FOLDERS, ids=lambda folder: folder.program)
def test_each_folder_of_programs_is_known_and_its_likes_are_not(folder: origins.Folder) -> None:
    assert folder.examples
    assert folder.others
    assert all(map(origins.by_program, folder.examples))
    assert not any(map(origins.by_program, folder.others))


@pytest.mark.parametrize(
    "agent", ["claude-code", "codex", "gemini-cli", "opencode", "copilot-cli", "aider", "mini-swe-agent"]
)
def test_where_an_observer_works_no_person_does_whatever_the_format(agent: str, tmp_path: Path) -> None:
    assert read(tmp_path / "a", agent, cwd="/home/ada/.claude-mem/observer").origin == "machine"
    assert read(tmp_path / "b", agent, cwd="/home/ada/shop").origin == "person"


@pytest.mark.parametrize(
    ("agent", "about", "origin"),
    [
        ("claude-code", {}, "person"),
        ("claude-code", {"entrypoint": "cli"}, "person"),
        ("claude-code", {"entrypoint": "claude-desktop"}, "person"),
        ("claude-code", {"entrypoint": "claude-vscode"}, "person"),
        ("claude-code", {"entrypoint": "sdk-cli"}, "machine"),
        ("claude-code", {"entrypoint": "sdk-py"}, "machine"),
        ("claude-code", {"entrypoint": "mcp"}, "machine"),
        ("claude-code", {"entrypoint": "claude-code-github-action"}, "machine"),
        ("codex", {}, "person"),
        ("codex", {"originator": "codex_cli_rs"}, "person"),
        ("codex", {"originator": "Codex Desktop", "source": "vscode"}, "person"),
        ("codex", {"source": "exec"}, "machine"),
        ("codex", {"source": "mcp"}, "machine"),
        ("codex", {"originator": "codex_exec"}, "machine"),
        ("codex", {"originator": "codex_sdk_ts"}, "machine"),
        ("mini-swe-agent", {}, "person"),
        ("mini-swe-agent", {"info": {"config": {"environment": {"image": "x"}}, "model_stats": {}}}, "machine"),
        ("mini-swe-agent", {"info": {"config": {"agent_type": "benchmark.Agent"}, "model_stats": {}}}, "machine"),
        ("atif", {"extra": {"meta": {"origin": "policy"}}}, "policy"),
        ("atif", {"extra": {"meta": {"origin": "person"}}}, "person"),
    ],
)  # fmt: skip
def test_what_a_client_says_of_itself_tells_who_drove_it(
    agent: str, about: dict[str, Any], origin: str, tmp_path: Path
) -> None:
    assert read(tmp_path, agent, about=about).origin == origin


@pytest.mark.parametrize(
    ("agent", "about", "origin"),
    [
        ("claude-code", {"isSidechain": True, "agentId": "b7"}, "agent"),
        ("claude-code", {}, "person"),
        ("codex", {"source": {"subagent": {"thread_spawn": {"parent_thread_id": "s0"}}}}, "agent"),
        ("codex", {"forked_from_id": "s0"}, "person"),
        ("gemini-cli", {"kind": "subagent"}, "agent"),
        ("gemini-cli", {"kind": "main"}, "person"),
        ("opencode", {"parentID": "s0"}, "agent"),
        ("opencode", {}, "person"),
    ],
)
def test_what_an_agent_tells_its_sub_agent_is_told_by_no_person(
    agent: str, about: dict[str, Any], origin: str, tmp_path: Path
) -> None:
    assert read(tmp_path, agent, about=about).origin == origin
