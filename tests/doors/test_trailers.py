"""A commit names the session that makes it, once, and no commit is ever held up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from meta import trailers
from meta.cli import main
from meta.trailers import Live
from tests.cli.conftest import git

NAMED = "claude-code/s1"


def call(folder: Path, event: str, session: str = "s1", transcript: str = "/h/.claude/projects/x/s1.jsonl") -> None:
    told = {"session_id": session, "transcript_path": transcript, "cwd": str(folder), "hook_event_name": event}
    subprocess.run([sys.executable, "-m", "meta", "hook"], input=json.dumps(told), text=True, cwd=folder, check=True)


def named(folder: Path, commit: str = "HEAD") -> list[str]:
    return git(folder, "log", "-1", "--format=%(trailers:key=Session,valueonly)", commit).split()


def write(folder: Path, name: str, text: str = "x\n") -> None:
    (folder / name).write_text(text)
    git(folder, "add", name)


def commit(folder: Path, name: str, *more: str) -> None:
    write(folder, name)
    git(folder, "commit", "-qm", f"Add {name}", *more)


@pytest.fixture
def tied(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with our hook and a first commit, in which a session of this very process goes on."""
    commit(workspace, "base")
    assert main(["init", "--trailers", "--workspace", str(workspace)]) == 0
    call(workspace, "SessionStart")
    return workspace


def test_a_commit_of_a_live_session_names_it_and_one_before_or_after_does_not(tied: Path) -> None:
    assert named(tied) == []
    commit(tied, "a")
    assert named(tied) == [NAMED]
    assert git(tied, "log", "-1", "--format=%s").strip() == "Add a"
    call(tied, "SessionEnd")
    commit(tied, "b")
    assert named(tied) == []


def test_a_commit_that_a_person_makes_beside_the_agent_is_not_the_agents(tied: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (note,) = (tied / trailers.PLACE).glob("*.json")
        note.write_text(json.dumps(asdict(replace(trailers.live(tied, time.time())[0], process=other.pid))))
        commit(tied, "a")
        other.terminate()
    assert named(tied) == []


def test_an_amended_commit_names_its_session_once(tied: Path) -> None:
    commit(tied, "a")
    git(tied, "commit", "-q", "--amend", "--no-edit")
    git(tied, "commit", "-q", "--amend", "-m", "Add a thing")
    assert named(tied) == [NAMED]
    git(tied, "commit", "-q", "--amend", "-C", "HEAD")
    assert named(tied) == [NAMED]


def test_other_trailers_stay(tied: Path) -> None:
    commit(tied, "a", "-s", "--trailer", "Reviewed-by: Bo")
    message = git(tied, "log", "-1", "--format=%B")
    assert "Signed-off-by" in message
    assert "Reviewed-by: Bo" in message
    assert named(tied) == [NAMED]


def branched(folder: Path) -> None:
    """Two commits on a branch `side` that the session made, and one on main that nobody knows."""
    git(folder, "checkout", "-qb", "side")
    commit(folder, "a")
    commit(folder, "b")
    git(folder, "checkout", "-q", "-")
    git(folder, "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "By hand")


def test_a_merge_names_the_session_that_merged(tied: Path) -> None:
    branched(tied)
    git(tied, "merge", "-q", "--no-ff", "-m", "Merge it", "side")
    assert named(tied) == [NAMED]


def test_a_squashed_merge_names_it_once(tied: Path) -> None:
    branched(tied)
    git(tied, "merge", "-q", "--squash", "side")
    git(tied, "-c", "core.editor=true", "commit", "-q")
    assert git(tied, "log", "-1", "--format=%B").count(f"\nSession: {NAMED}") == 1


def test_a_rebase_neither_doubles_a_trailer_nor_names_the_session_in_commits_of_others(tied: Path) -> None:
    branched(tied)
    git(tied, "checkout", "-q", "side")
    git(tied, "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "Nobody's")
    git(tied, "rebase", "-q", "main" if "main" in git(tied, "branch") else "master")
    assert [named(tied, f"HEAD~{back}") for back in range(4)] == [[], [NAMED], [NAMED], []]


def test_commits_squashed_in_a_rebase_name_it_once_as_a_trailer(tied: Path) -> None:
    branched(tied)
    git(tied, "checkout", "-q", "side")
    git(tied, "-c", "sequence.editor=sed -i 2s/pick/squash/", "-c", "core.editor=true", "rebase", "-q", "-i", "HEAD~2")
    assert named(tied) == [NAMED]


def test_a_message_that_is_left_empty_still_gives_the_commit_up(tied: Path) -> None:
    write(tied, "a")
    before = git(tied, "rev-parse", "HEAD")
    done = subprocess.run(["git", "-c", "core.editor=true", "commit"], cwd=tied, capture_output=True)
    assert done.returncode
    assert git(tied, "rev-parse", "HEAD") == before


@pytest.mark.parametrize("broken", ["python", "note", "place", "crash"])
def test_whatever_is_broken_the_commit_goes_on(tied: Path, broken: str) -> None:
    hook = tied / ".git/hooks/prepare-commit-msg"
    if broken == "python":
        hook.write_text(hook.read_text().replace(sys.executable, "/nowhere/python"))
    elif broken == "note":
        next((tied / trailers.PLACE).glob("*.json")).write_bytes(b"\xff{")
    elif broken == "place":
        subprocess.run(["rm", "-r", tied / ".meta"], check=True)
    else:
        hook.write_text(hook.read_text().replace("hook commit", "nothing at all"))
    commit(tied, "a")
    assert named(tied) == []


def test_a_work_tree_of_the_same_repository_is_tied_too(tied: Path, tmp_path: Path) -> None:
    git(tied, "worktree", "add", "-q", "-b", "second", str(tmp_path / "second"))
    commit(tmp_path / "second", "a")
    assert named(tmp_path / "second") == [NAMED]


def test_a_hook_that_is_there_stays_and_the_line_for_it_is_told(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = workspace / ".git/hooks/prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    assert main(["init", "--trailers", "--workspace", str(workspace)]) == 1
    assert "hook commit" in capsys.readouterr().err
    assert hook.read_text() == "#!/bin/sh\n"
    assert main(["uninstall", "--workspace", str(workspace)]) == 0
    assert hook.read_text() == "#!/bin/sh\n"


def test_the_hook_goes_where_git_looks_for_it_and_never_where_others_look_too(workspace: Path, tmp_path: Path) -> None:
    git(workspace, "config", "core.hooksPath", ".hooks")
    assert main(["init", "--trailers", "--workspace", str(workspace)]) == 0
    assert (workspace / ".hooks/prepare-commit-msg").stat().st_mode & 0o111
    call(workspace, "SessionStart")
    commit(workspace, "a")
    assert named(workspace) == [NAMED]
    assert main(["uninstall", "--workspace", str(workspace)]) == 0
    git(workspace, "config", "core.hooksPath", str(tmp_path / "shared"))
    assert main(["init", "--trailers", "--workspace", str(workspace)]) == 1
    assert not (tmp_path / "shared").exists()


def test_uninstall_takes_out_exactly_the_hook(tied: Path) -> None:
    assert main(["uninstall", "--workspace", str(tied)]) == 0
    assert not (tied / ".git/hooks/prepare-commit-msg").exists()
    assert not (tied / trailers.PLACE).exists()
    commit(tied, "a")
    assert named(tied) == []


def test_without_it_no_session_is_noted(workspace: Path) -> None:
    call(workspace, "SessionStart")
    assert not (workspace / trailers.PLACE).exists()


@pytest.mark.parametrize(
    ("processes", "above", "found"),
    [
        pytest.param([7], {7, 1}, 0, id="the agent is above"),
        pytest.param([7], {8}, None, id="another process is"),
        pytest.param([7, 9], {9}, 1, id="one of two is above"),
        pytest.param([7, 7], {7}, None, id="two in one agent"),
        pytest.param([0], {8}, 0, id="the only one, of an agent that could not be told"),
        pytest.param([7], set(), 0, id="the only one, where no process is told"),
        pytest.param([0, 0], set(), None, id="two of which nothing is told"),
        pytest.param([], {8}, None, id="none"),
    ],
)
def test_a_commit_belongs_to_the_session_whose_agent_it_runs_in(
    processes: list[int], above: set[int], found: int | None
) -> None:
    sessions = [Live("ann", f"s{n}", process, 0.0) for n, process in enumerate(processes)]
    assert trailers.mine(sessions, above) == (None if found is None else sessions[found])


@pytest.mark.parametrize("session", ["a b", "x\nSigned-off-by: evil", "", "x" * 200])
def test_what_is_no_plain_id_is_not_noted(workspace: Path, session: str) -> None:
    trailers.began(workspace, session, "/t")
    assert trailers.live(workspace, time.time()) == []


def test_a_session_that_gave_no_sign_of_life_for_a_day_is_over(workspace: Path) -> None:
    trailers.began(workspace, "s1", "/home/ann/.codex/sessions/x.jsonl")
    (one,) = trailers.live(workspace, time.time())
    assert one.name == "codex/s1"
    assert one.process in {os.getppid(), *(pid for pid, _ in trailers._above())}
    assert trailers.live(workspace, time.time() + trailers.LIVE + 1) == []
