"""Agents are told of our hook and our server in their own settings; everything else in these stays byte by byte."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.registration import clients
from tests.cli.conftest import Desk, git, snapshot

FOREIGN = {
    ".claude/settings.local.json": '{\n  // mine\n  "permissions": {"allow": ["Bash(ls)"]},\n  "hooks": {\n    "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]\n  },\n}\n',
    ".mcp.json": '{"mcpServers":{"other":{"command":"x"}}}',
    ".codex/config.toml": '# mine\nmodel = "m"\r\n[mcp_servers.other]\ncommand = "x"\n',
    ".gemini/settings.json": '{\n\t"ui": {"theme": "dark"}\n}',
}  # fmt: skip
ALL = ("--agent", "claude", "--agent", "codex", "--agent", "gemini")


def told(repository: Path) -> dict[str, bytes]:
    found = [*repository.glob(".*/*.json"), *repository.glob(".*/*.toml"), *repository.glob(".mcp.json")]
    return {path.relative_to(repository).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def foreign(repository: Path) -> dict[str, bytes]:
    """Settings that a person wrote."""
    for name, text in FOREIGN.items():
        path = repository / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return told(repository)


def test_each_agent_is_told_of_the_hook_and_the_server(desk: Desk, repository: Path) -> None:
    desk("init", *ALL)
    claude = json.loads((repository / ".claude/settings.local.json").read_text())
    codex = json.loads((repository / ".codex/hooks.json").read_text())
    gemini = json.loads((repository / ".gemini/settings.json").read_text())
    assert set(claude["hooks"]) == set(codex["hooks"]) == {"SessionStart", "Stop", "SessionEnd"}
    assert set(gemini["hooks"]) == {"SessionStart", "AfterAgent", "SessionEnd"}
    for settings in (claude, codex, gemini):
        for (group,) in settings["hooks"].values():
            assert group["hooks"][0]["command"].endswith("meta hook")
    servers = [
        json.loads((repository / ".mcp.json").read_text())["mcpServers"],
        tomllib.loads((repository / ".codex/config.toml").read_text())["mcp_servers"],
        gemini["mcpServers"],
    ]
    assert all(server["meta"]["args"][-1] == "serve" for server in servers)


def test_only_the_named_agent_is_told(desk: Desk, repository: Path) -> None:
    desk("init", "--agent", "gemini")
    assert list(told(repository)) == [".gemini/settings.json"]


def test_a_person_s_own_settings_stay_and_come_back_to_the_byte(
    desk: Desk, repository: Path, foreign: dict[str, bytes]
) -> None:
    desk("init", *ALL)
    assert told(repository) != foreign
    text = (repository / ".claude/settings.local.json").read_text()
    assert "// mine" in text
    stops = json.loads(re.sub(r"//.*|,(?=\s*}\s*$)", "", text))
    assert len(stops["hooks"]["Stop"]) == 2
    assert stops["hooks"]["Stop"][0]["hooks"][0]["command"] == "say done"
    desk("init", *ALL)
    assert "no agent calls meta here" in desk("uninstall")
    assert told(repository) == foreign
    assert "no agent called meta here" in desk("uninstall")
    assert told(repository) == foreign


def test_where_there_was_nothing_nothing_is_left(desk: Desk, repository: Path) -> None:
    desk("init")
    before = git(repository, "status", "--porcelain", "--ignored")
    desk("init", *ALL)
    desk("uninstall")
    assert git(repository, "status", "--porcelain", "--ignored") == before


def test_what_was_changed_by_hand_is_kept_and_told(desk: Desk, repository: Path, foreign: dict[str, bytes]) -> None:
    desk("init", "--agent", "gemini")
    path = repository / ".gemini/settings.json"
    path.write_text(path.read_text().replace('"serve"', '"serve", "--mine"').replace("dark", "light"))
    assert "changed by hand" in desk("uninstall")
    settings = json.loads(path.read_text())
    assert settings["ui"] == {"theme": "light"}
    assert settings["mcpServers"]["meta"]["args"][-1] == "--mine"
    assert not any(settings.get("hooks", {}).values())


def test_a_dry_run_says_what_it_would_put_in_and_writes_nothing(
    desk: Desk, repository: Path, foreign: dict[str, bytes]
) -> None:
    assert "hooks.SessionEnd" in desk("init", *ALL, "--dry-run")
    assert told(repository) == foreign
    assert not (repository / ".meta").exists()


def test_settings_that_cannot_be_read_are_refused_in_one_line(desk: Desk, repository: Path) -> None:
    (repository / ".gemini").mkdir()
    (repository / ".gemini/settings.json").write_text("{half")
    assert ".gemini/settings.json" in desk.complaint("init", *ALL)
    assert list(told(repository)) == [".gemini/settings.json"], "what was put in before was not taken back"


def test_undo_takes_back_what_init_put_in(desk: Desk, repository: Path, foreign: dict[str, bytes]) -> None:
    desk("init")
    desk("init", "--agent", "codex")
    desk("undo")
    assert told(repository) == foreign


def test_what_stands_there_already_is_no_action_to_take_back(desk: Desk, repository: Path) -> None:
    desk("init", "--agent", "claude")
    before = snapshot(repository)
    desk("init", "--agent", "claude")
    assert snapshot(repository) == before
    desk("init", "--agent", "claude", "--agent", "codex")
    assert snapshot(repository) != before


def test_an_agent_that_is_not_known_is_refused() -> None:
    with pytest.raises(UserError, match="Known are: claude, codex, gemini"):
        clients.settings(["claude", "emacs"], ["meta"])
