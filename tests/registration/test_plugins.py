"""A plugin's folder has what its client looks for, works in every project, and is made whole or not at all."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.registration import clients, plugins
from meta.registration.agents import registrars
from meta.registration.card import Card, OwnFile
from meta.registration.plugins import Packed

PROGRAM = 'import sys\nfrom pathlib import Path\n\nLOG = Path(__file__).resolve().with_name("last.log")\n'
PROGRAM = f"import re\n{PROGRAM}"
CARD = Card("gate", "Test. Use before committing.", "wf:1", "1")
TOLD = {p.path: p.text for r in registrars() for p in r.pieces(CARD) if isinstance(p, OwnFile)}
GATE = Packed("gate", CARD.description, PROGRAM, TOLD)
CLIENTS = sorted(plugins.FORMS)


def made(client: str, *tools: Packed) -> dict[str, str]:
    """The files of the plugin by their place in it."""
    root = plugins.FORMS[client].root
    return {path.removeprefix(root): text for path, text in plugins.texts(client, tools).items()}


def test_there_is_a_plugin_for_every_agent_that_can_be_connected() -> None:
    assert set(plugins.FORMS) == set(clients.CLIENTS)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_hooks_are_those_of_a_project_and_start_meta_by_its_name(client: str) -> None:
    hooks = json.loads(made(client)["hooks/hooks.json"])["hooks"]
    assert hooks == clients.CLIENTS[client].hooks(["meta"])
    assert {hook["command"] for (group,) in hooks.values() for hook in group["hooks"]} == {"meta hook"}


@pytest.mark.parametrize(("client", "file"), [("claude", ".mcp.json"), ("codex", ".mcp.json"), ("gemini", "gemini-extension.json")])  # fmt: skip
def test_the_server_is_started_by_its_name(client: str, file: str) -> None:
    assert json.loads(made(client)[file])["mcpServers"] == {"meta": {"command": "meta", "args": ["serve"]}}


@pytest.mark.parametrize("client", CLIENTS)
def test_every_text_names_the_program_where_it_lies_in_the_plugin(client: str) -> None:
    found = made(client, GATE)
    place = f'"{plugins.FORMS[client].place}/generated_tools/gate/tool.py"'
    assert "generated_tools/gate/tool.py" in found
    assert f"python3 {place}" in found["skills/gate/SKILL.md"]
    assert not [path for path, text in found.items() if "generated_tools/gate" in text.replace(place, "")]


def test_a_slash_command_comes_where_the_client_has_them() -> None:
    assert "commands/gate.md" in made("claude", GATE)
    assert "{{args}}" in tomllib.loads(made("gemini", GATE)["commands/gate.toml"])["prompt"]
    assert not [path for path in made("codex", GATE) if path.startswith("commands/")]


def test_runs_for_many_projects_share_no_log_and_a_program_edited_by_hand_stays() -> None:
    program = made("claude", GATE)["generated_tools/gate/tool.py"]
    assert "last.log" in program
    assert "__file__" not in program
    compile(program, "tool.py", "exec")
    edited = PROGRAM.replace("last.log", "mine.log")
    assert made("claude", Packed("gate", "x", edited, TOLD))["generated_tools/gate/tool.py"] == edited


@pytest.mark.parametrize(("client", "file"), [("claude", ".claude-plugin/plugin.json"), ("codex", ".codex-plugin/plugin.json"), ("gemini", "gemini-extension.json")])  # fmt: skip
def test_the_version_is_another_where_the_content_is(client: str, file: str) -> None:
    def version(*tools: Packed) -> str:
        return str(json.loads(made(client, *tools)[file])["version"])

    assert version(GATE) == version(GATE)
    assert version(GATE) != version()


def test_a_folder_is_made_once_and_one_that_holds_something_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    folder.mkdir()
    plugins.put(folder, {"a/b": "x"})
    assert (folder / "a/b").read_text() == "x"
    with pytest.raises(UserError, match="not empty"):
        plugins.put(folder, {"c": "y"})
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "b"]


def test_nothing_is_left_where_the_folder_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Make it first"):
        plugins.put(tmp_path / "no" / "plugin", {"a": "x"})
    with pytest.raises(UserError):
        plugins.put(tmp_path / "plugin", {"a": "x", "a/b": "a file is no folder"})
    plugins.put(tmp_path / "plugin", {"a": "x"}, dry_run=True)
    assert list(tmp_path.iterdir()) == []


def test_outside_of_a_workspace_there_are_no_tools() -> None:
    assert plugins.packed(None) == ()
