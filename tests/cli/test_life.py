"""The whole life of a tool on the bundled sample, and every dry run on its way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SAMPLE, Desk, git, session, snapshot, write
from tests.registration.test_agents import installed, validate

VERIFIED = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="without bubblewrap a tool stays unverified, which exits 1"
)


def visible(repository: Path) -> dict[str, object]:
    """What a person can see: files, refs, HEAD, index; of git's own folder neither objects nor the log of refs."""
    found = {
        path: content
        for path, content in snapshot(repository).items()
        if not path.startswith((".git/objects", ".git/logs", ".git/refs"))
    }
    return found | {"refs": git(repository, "for-each-ref"), "status": git(repository, "status", "--porcelain")}


def names(desk: Desk, state: str) -> list[str]:
    return [tool["name"] for tool in desk.json("tools") if tool["state"] == state]


@VERIFIED
def test_a_tool_lives_and_is_taken_back_without_a_trace(desk: Desk, repository: Path) -> None:
    before = visible(repository)
    desk("init")
    archived = desk.json("extract", SAMPLE)["archived"]
    assert len(archived) == 19
    proposed = names(desk, "proposed")
    assert proposed
    name = proposed[0]
    assert "FAILED" not in desk("verify", name)
    assert name in desk("review")
    shown = desk("review", name)
    assert all(part in shown for part in ("What repeats", "Round trip", "def ", "wrong values", f"meta accept {name}"))
    assert "def parse(" not in shown, "what is the same in every tool need not be read again"
    desk("accept", name)
    assert names(desk, "registered") == [name]
    assert desk.json("extract", SAMPLE)["tools"] == [], "what has a tool was proposed again"
    occurrence = recorded(desk, name)
    assert regenerated(repository, name, occurrence["bindings"]) == occurrence["commands"]
    desk("retire", name)
    assert names(desk, "retired") == [name]
    assert desk.json("extract", SAMPLE)["tools"] == [], "what was retired was proposed again"
    taken_back = 0
    while (repository / ".meta").exists():
        assert "taken back" in desk("undo")
        taken_back += 1
    assert taken_back == len(["init", "archive", *proposed, "accept", "retire"])
    assert visible(repository) == before
    assert "meta init" in desk.complaint("undo")


@VERIFIED
def test_the_linters_of_agent_files_have_nothing_against_a_workspace_with_tools(desk: Desk, repository: Path) -> None:
    desk("init", "--agent", "claude", "--agent", "codex", "--agent", "gemini")
    desk("extract", SAMPLE)
    for name in names(desk, "proposed"):
        desk("accept", name)
    skills = [str(path) for path in (repository / ".agents/skills").iterdir()]
    assert len(skills) == len(names(desk, "registered")) == 2
    for words in (["agnix", "--strict", "."], *(["agentskills", "validate", skill] for skill in skills)):
        done = validate(repository, installed(words[0]), *words[1:])
        assert done.returncode == 0, done.stdout


def recorded(desk: Desk, name: str) -> dict[str, Any]:
    workflow = next(each for each in desk.json("mine", SAMPLE)["workflows"] if each["name"] == name)
    occurrence: dict[str, Any] = workflow["occurrences"][0]
    return occurrence


def regenerated(repository: Path, name: str, bindings: dict[str, Any]) -> list[str]:
    """The command lines that the accepted tool prints for these bindings."""
    options: list[str] = []
    for key, value in bindings.items():
        option = "--" + key.replace("_", "-")
        if value is True:
            options.append(option)
        elif value is not False and value is not None:
            options.extend(f"{option}={each}" for each in (value if isinstance(value, list) else [value]))
    program = repository / "generated_tools" / name / "tool.py"
    done = subprocess.run(
        [sys.executable, str(program), "--dry-run", *options],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def test_a_rejected_tool_is_remembered_until_that_is_taken_back(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    desk("extract", sessions, "--most", "1")
    (name,) = names(desk, "proposed")
    first = desk.json("mine", sessions)["workflows"][0]["id"]
    desk("reject", name, "--reason", "by hand is fine")
    assert desk.json("tools") == []
    assert first not in [tool["workflow"] for tool in desk.json("extract", sessions)["tools"]]
    while names(desk, "proposed"):
        desk("undo")
    desk("undo")
    assert names(desk, "proposed") == [name]


def test_a_proposed_tool_is_handed_over_for_a_review_elsewhere(
    desk: Desk, repository: Path, sessions: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    git(tmp_path, "clone", "-q", str(repository), str(elsewhere))
    desk("init")
    desk("extract", sessions, "--most", "1")
    (name,) = names(desk, "proposed")
    assert "nothing was sent" in desk("review", name, "--hand-over")
    patch, bundle = desk.json("review", name, "--hand-over")["paths"]
    git(elsewhere, "am", "-q", str(repository / patch))
    assert (elsewhere / f"generated_tools/{name}/tool.py").exists()
    assert f"refs/heads/meta/{name}" in git(elsewhere, "ls-remote", str(repository / bundle))
    assert "no proposed tool" in desk.complaint("review", "other", "--hand-over")


def test_a_second_extract_proposes_and_archives_nothing_new(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    assert desk.json("extract", sessions)["tools"]
    before = visible(repository)
    again = desk.json("extract", sessions)
    assert (again["tools"], again["archived"]) == ([], [])
    assert {k: v for k, v in visible(repository).items() if "store.sqlite" not in k} == {
        k: v for k, v in before.items() if "store.sqlite" not in k
    }


def test_a_new_session_is_archived_and_taken_back_alone(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    desk("extract", sessions, "--most", "0")
    write(sessions, session(8))
    (added,) = desk.json("extract", sessions, "--most", "0")["archived"]
    assert (repository / added).is_file()
    desk("undo")
    assert not (repository / added).exists()
    assert desk.json("status")["archived"] == 8


def test_what_a_person_changed_is_kept_by_undo(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    (repository / "meta.toml").write_text("weeks = 3.0\n")
    assert "kept" in desk("undo")
    assert (repository / "meta.toml").read_text() == "weeks = 3.0\n"


def test_init_twice_changes_nothing_the_second_time(desk: Desk, repository: Path) -> None:
    desk("init")
    before = snapshot(repository)
    assert "already" in desk("init")
    assert snapshot(repository) == before


def test_the_index_is_made_again_from_the_archive(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    desk("extract", sessions, "--most", "0")
    before = desk.json("status")
    shutil.rmtree(sessions)
    for file in (repository / ".meta").glob("store.sqlite*"):
        file.unlink()
    desk("rebuild")
    assert desk.json("status") == before


def test_no_dry_run_writes_anything(desk: Desk, repository: Path, sessions: Path) -> None:
    def nothing_happens(*command: str | Path) -> None:
        before = snapshot(repository)
        assert desk(*command, "--dry-run")
        desk.json(*command, "--dry-run")
        assert snapshot(repository) == before, f"{command} --dry-run wrote"

    nothing_happens("init")
    desk("init")
    nothing_happens("extract", sessions)
    nothing_happens("undo")
    best = desk.json("mine", sessions)["workflows"][0]
    nothing_happens("build", best["id"], sessions)
    desk("extract", sessions, "--most", "1")
    (name,) = names(desk, "proposed")
    for command in ("accept", "reject"):
        nothing_happens(command, name)
    nothing_happens("rebuild")
    desk("accept", name)
    nothing_happens("retire", name)
    nothing_happens("undo")


def test_a_workflow_is_built_by_name_whatever_the_decision(
    desk: Desk, repository: Path, sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_WEEKS", "0.001")
    desk("init")
    best = desk.json("mine", sessions)["workflows"][0]
    assert best["decision"] == "keep-ad-hoc"
    assert desk.json("extract", sessions)["tools"] == []
    assert desk.json("build", best["name"], sessions)["state"] == "proposed"


@VERIFIED
@pytest.mark.parametrize("decision", ["reject", "accept"])
def test_what_was_decided_on_is_not_proposed_again_when_its_arguments_vary(
    desk: Desk, repository: Path, tmp_path: Path, decision: str
) -> None:
    desk("init")
    sessions = tmp_path / "sessions"
    for number in range(8):
        write(sessions, session(number))
    (tool,) = desk.json("extract", sessions)["tools"]
    desk(decision, tool["name"])
    for number in range(8, 12):
        write(sessions, session(number, file="test_b"))
    again = desk.json("extract", sessions)
    assert again["workflows"][0]["id"] != tool["workflow"], "the same workflow: nothing was tried"
    assert again["workflows"][0]["decision"] == "build"
    assert [row["state"] for row in again["tools"]] == ([] if decision == "reject" else ["refused"])  # not committed


def test_a_reason_with_a_secret_is_not_kept(desk: Desk, repository: Path) -> None:
    desk("init")
    assert "looks like a secret" in desk.complaint(
        "reject", "x", "--reason", "api_key=ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    )


@VERIFIED
def test_later_runs_by_hand_say_whether_the_tool_would_have_done_the_same(
    desk: Desk, repository: Path, tmp_path: Path
) -> None:
    desk("init")
    sessions = tmp_path / "sessions"
    for number in range(8):
        write(sessions, session(number))
    (tool,) = desk.json("extract", sessions)["tools"]
    desk("accept", tool["name"])
    assert desk.json("extract", sessions)["tools"] == []
    assert desk.json("tools")[0]["shadow"] == {"matched": 0, "seen": 0}, "what it was learned from is no evidence"
    for number in range(8, 10):
        write(sessions, session(number))
    desk("extract", sessions)
    assert desk.json("tools")[0]["shadow"] == {"matched": 2, "seen": 2}
    for number in range(10, 13):
        write(sessions, session(number, file="test_b"))  # the tool knows only test_a
    desk("extract", sessions)
    assert desk.json("tools")[0]["shadow"] == {"matched": 2, "seen": 5}
    assert "2 of 5 the same" in desk("tools")
