"""Undo takes back what was ours and nothing else: no only copy of a session, no later work of a person."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from meta import archive
from meta.model import Event
from tests.cli.conftest import Desk, git, session


@pytest.fixture
def archived(desk: Desk, repository: Path, sessions: Path) -> Path:
    """The archive of eight sessions whose files are there."""
    desk("init")
    assert len(desk.json("extract", sessions, "--most", "0")["archived"]) == 8
    return repository / "conversation-archive"


def kept(archive_folder: Path) -> list[str]:
    return sorted(path.stem.rsplit("-", 1)[1] for path in archive_folder.glob("*/*.json"))


def test_undo_of_an_archive_step_keeps_the_only_copies_and_says_so_in_one_line(
    desk: Desk,
    archived: Path,
    sessions: Path,
) -> None:
    (sessions / "s1.json").unlink()
    (sessions / "s2.json").unlink()
    assert desk("undo").splitlines()[1:] == ["  2 archived sessions: kept, their agents have no copy any more"]
    assert kept(archived) == ["s1", "s2"]
    desk("rebuild")
    assert desk.json("status")["sessions"] == 2


def test_undo_of_an_archive_step_keeps_nothing_that_the_agents_still_have(
    desk: Desk,
    archived: Path,
    sessions: Path,
    tmp_path: Path,
) -> None:
    grown = session(3)
    more = Event("s3-more", "prompt", grown.started, "and more")
    (sessions / "s3.json").write_bytes(archive.dumps(replace(grown, events=(*grown.events, more))))
    (sessions / "s4.json").touch()
    assert desk("undo").splitlines()[1:] == []
    assert kept(archived) == []


def test_a_file_that_was_cut_or_tells_another_session_now_is_no_copy(
    desk: Desk,
    archived: Path,
    sessions: Path,
) -> None:
    whole = session(1)
    (sessions / "s1.json").write_bytes(archive.dumps(replace(whole, events=whole.events[:3])))
    (sessions / "s2.json").write_bytes(archive.dumps(session(9)))
    (sessions / "s3.json").write_text("{")
    desk("undo")
    assert kept(archived) == ["s1", "s2", "s3"]


def test_after_a_rebuild_the_archive_is_no_copy_of_itself(desk: Desk, archived: Path, sessions: Path) -> None:
    desk("rebuild")
    (sessions / "s5.json").unlink()
    desk("undo")
    assert kept(archived) == ["s5"]


def test_an_archived_session_that_a_person_edited_is_kept(desk: Desk, archived: Path) -> None:
    (edited,) = archived.glob("*/*s6.json")
    edited.write_text("mine")
    desk("undo")
    assert edited.read_text() == "mine"
    assert kept(archived) == ["s6"]


def test_two_at_once_are_done_one_after_the_other_or_refused_in_a_line(
    desk: Desk,
    repository: Path,
    sessions: Path,
) -> None:
    desk("init")
    command = [sys.executable, "-P", "-m", "meta", "extract", str(sessions), "--most", "0"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1])
    for process, line in zip(both, told, strict=True):
        if process.returncode:
            assert "another meta (process" in line
            assert line.count("\n") == 1
    assert desk.json("status")["archived"] == 8
    assert len(list((repository / ".meta" / "actions").glob("*"))) == 2


def test_undo_keeps_later_work_of_a_person_on_what_every_action_made(
    desk: Desk,
    repository: Path,
    sessions: Path,
) -> None:
    (repository / "AGENTS.md").write_text("# Mine\n")
    desk("init")
    desk("extract", sessions, "--most", "1")
    (name,) = [tool["name"] for tool in desk.json("tools")]
    desk("accept", name)
    own = {
        repository / "AGENTS.md": "# Mine\nlater\n",
        repository / "generated_tools" / name / "mine.txt": "a file beside the tool\n",
        repository / "meta.toml": "weeks = 3.0\n",
        repository / "knowledge" / "mine.md": "a thought\n",
    }
    (repository / "AGENTS.md").write_text((repository / "AGENTS.md").read_text() + "later\n")
    for path, text in own.items():
        if path.name != "AGENTS.md":
            path.write_text(text)
    while (repository / ".meta").exists():
        desk("undo")
    assert {path: path.read_text() for path in own} == own
    left = {
        p.relative_to(repository).as_posix() for p in repository.rglob("*") if p.is_file() and ".git" not in p.parts
    }
    assert left == {p.relative_to(repository).as_posix() for p in own} | {"a.py"}
    assert git(repository, "branch", "--format=%(refname:short)").split() == ["main"]
