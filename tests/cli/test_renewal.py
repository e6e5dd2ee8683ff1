"""Tools in use: made anew when the work goes on differently, with a person's edits kept; suspended when they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meta.model import Event
from meta.vetting import fingerprint
from tests.cli.conftest import DAY, SAMPLE, Desk, git, session, snapshot, write
from tests.cli.test_life import VERIFIED, names, recorded, regenerated

pytestmark = VERIFIED

TOOL = "test-lint-commit"
PROGRAM = f"generated_tools/{TOOL}/tool.py"


@pytest.fixture
def sessions(tmp_path: Path, desk: Desk, repository: Path) -> Path:
    """Eight sessions whose tool is accepted and committed."""
    place = write(tmp_path / "sessions", *(session(number) for number in range(8)))
    desk("init")
    desk("extract", place)
    desk("accept", TOOL)
    commit(repository)
    return place


def commit(repository: Path) -> None:
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "more")


def edit(repository: Path, before: str, after: str) -> None:
    """A person's edit of the tool, committed."""
    path = repository / PROGRAM
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    commit(repository)


def extracted(desk: Desk, sessions: Path, numbers: Sequence[int], file: str = "test_b") -> list[dict[str, Any]]:
    """What came of further runs by hand, of another file than the tool knows."""
    write(sessions, *(session(number, file=file) for number in numbers))
    found: list[dict[str, Any]] = desk.json("extract", sessions)["tools"]
    return found


def test_what_is_done_otherwise_by_now_becomes_an_update_that_keeps_an_edit(
    desk: Desk, sessions: Path, repository: Path
) -> None:
    edit(repository, "import argparse", "import argparse  # as Ann likes it")
    (update,) = extracted(desk, sessions, range(8, 12))
    assert (update["name"], update["state"], update["verdict"]["state"]) == (TOOL, "proposed", "passed")
    assert desk.json("tools")[0]["update"]
    assert "update waits" in desk("tools")
    shown = desk("review", TOOL)
    assert "Why now" in shown
    assert any(line.startswith("+") and "tests/test_a.py" not in line for line in shown.splitlines())
    before = snapshot(repository)
    desk("accept", TOOL)
    text = (repository / PROGRAM).read_text()
    assert "as Ann likes it" in text
    assert not desk.json("tools")[0]["update"]
    occurrence = recorded_of(desk, sessions)[-1]
    assert any("test_b" in line for line in occurrence["commands"])
    assert regenerated(repository, TOOL, occurrence["bindings"]) == occurrence["commands"]
    assert extracted(desk, sessions, range(12, 14)) == [], "it is up to date now"
    desk("undo")  # what was archived since
    desk("undo")
    kept = (".meta/", ".git/", ".meta", ".git", "conversation-archive")
    assert {path: one for path, one in snapshot(repository).items() if not path.startswith(kept)} == {
        path: one for path, one in before.items() if not path.startswith(kept)
    }


def recorded_of(desk: Desk, sessions: Path) -> list[dict[str, Any]]:
    occurrences: list[dict[str, Any]] = desk.json("mine", sessions)["workflows"][0]["occurrences"]
    return occurrences


def test_no_update_is_proposed_for_a_tool_that_is_suspended(desk: Desk, sessions: Path) -> None:
    desk("suspend", TOOL)
    assert extracted(desk, sessions, range(8, 12)) == []
    assert desk.json("tools")[0]["shadow"] == {"matched": 0, "seen": 4}
    desk("resume", TOOL)
    assert [row["state"] for row in desk.json("extract", sessions)["tools"]] == ["proposed"]


def test_two_runs_of_another_kind_are_no_variation(desk: Desk, sessions: Path) -> None:
    assert extracted(desk, sessions, range(8, 10)) == []


def test_an_edit_where_the_update_changes_too_is_left_to_the_person(
    desk: Desk, sessions: Path, repository: Path
) -> None:
    edit(repository, "tests/test_a.py", "tests/test_ann.py")
    (update,) = extracted(desk, sessions, range(8, 12))
    assert update["state"] == "refused"
    assert "changed by hand" in update["reason"]
    assert "<<<<<<<" in (repository / f".meta/review/{TOOL}/tool.py").read_text()
    assert not desk.json("tools")[0]["update"]


def test_what_is_not_committed_is_not_updated(desk: Desk, sessions: Path, repository: Path) -> None:
    (repository / PROGRAM).write_text((repository / PROGRAM).read_text() + "\n")
    (update,) = extracted(desk, sessions, range(8, 12))
    assert (update["state"], "Commit it" in update["reason"]) == ("refused", True)


def test_an_update_that_was_declined_does_not_come_again_and_the_tool_stays(desk: Desk, sessions: Path) -> None:
    extracted(desk, sessions, range(8, 12))
    desk("reject", TOOL, "--reason", "one file is enough")
    assert extracted(desk, sessions, range(12, 14)) == []
    assert [row["state"] for row in desk.json("update", TOOL)] == ["declined"]
    assert names(desk, "registered") == [TOOL]
    assert not desk.json("tools")[0]["update"]


def test_a_change_after_the_proposal_is_in_the_way(desk: Desk, sessions: Path, repository: Path) -> None:
    extracted(desk, sessions, range(8, 12))
    edit(repository, "import argparse", "import argparse  # later")
    assert "in the way" in desk.complaint("accept", TOOL)


def test_a_new_template_makes_all_its_tools_anew_on_one_branch(desk: Desk, repository: Path) -> None:
    desk("init")
    desk("extract", SAMPLE)
    proposed = names(desk, "proposed")
    assert len(proposed) == 2
    for name in proposed:
        desk("accept", name)
    commit(repository)
    assert {row["state"] for row in desk.json("update")} == {"known"}, "there is no new template"
    for name in proposed:  # as an older template would have made them
        folder = repository / "generated_tools" / name
        program = folder / "tool.py"
        now = program.read_text()
        program.write_text(now.replace("What follows is the same in every tool", "The rest is the same in every tool"))
        assert program.read_text() != now
        told = (folder / "tool.toml").read_text()
        told = told.replace('version = "1"', 'version = "0"')
        (folder / "tool.toml").write_text(told.replace(fingerprint(now), fingerprint(program.read_text())))
    commit(repository)
    assert {row["state"] for row in desk.json("update", "--dry-run")} == {"dry-run"}
    assert {row["state"] for row in desk.json("update")} == {"proposed"}
    assert git(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads/meta").split() == ["meta/templates"]
    assert set(desk.json("review", "templates")["updated"]) == set(proposed)
    desk("accept", "templates")
    for name in proposed:
        assert "What follows is the same" in (repository / "generated_tools" / name / "tool.py").read_text()
        occurrence = recorded(desk, name)
        assert regenerated(repository, name, occurrence["bindings"]) == occurrence["commands"]


def used(sessions: Path, *outcomes: bool, at: float) -> None:
    """A session in which the tool is called, with these outcomes."""
    start = session(40).events[0].time
    assert start is not None
    calls = [
        Event(
            f"u{at:.0f}-{n}", "call", start + at * DAY + 60.0 * n, f"python3 {PROGRAM} --message 'Change {n}'", "Bash",
            "shell", status="ok" if good else "failed", exit_code=0 if good else 1, seconds=1.0, message=f"m{n}",
        )
        for n, good in enumerate(outcomes)
    ]  # fmt: skip
    write(sessions, replace(session(40), id=f"used-{at:.0f}", events=tuple(calls)))


def test_a_tool_that_comes_to_fail_is_suspended_until_it_is_resumed(
    desk: Desk, sessions: Path, repository: Path
) -> None:
    used(sessions, True, True, True, at=1)
    assert desk.json("extract", sessions)["tools"] == []
    before = snapshot(repository)
    used(sessions, False, False, False, False, at=2)
    (row,) = desk.json("extract", sessions)["tools"]
    assert (row["name"], row["state"]) == (TOOL, "suspended")
    assert "4 of its last 7" in row["reason"]
    assert names(desk, "suspended") == [TOOL]
    assert "mend" in desk.json("tools")[0]["advice"]
    assert not (repository / f".agents/skills/{TOOL}").exists()
    assert TOOL not in "".join(path.read_text() for path in repository.glob("*.md"))
    desk("resume", TOOL)
    assert names(desk, "registered") == [TOOL]
    mine = (".agents", ".claude", ".gemini", "AGENTS.md", "generated_tools")
    assert {p: one for p, one in snapshot(repository).items() if p.startswith(mine)} == {
        p: one for p, one in before.items() if p.startswith(mine)
    }
    assert desk.json("extract", sessions)["tools"] == [], "old failures count once"
    used(sessions, False, False, False, at=3)
    assert [row["state"] for row in desk.json("extract", sessions)["tools"]] == ["suspended"]


@pytest.mark.parametrize(
    "outcomes",
    [(False, False, True, True, True), (True, False, True, False, True, False, True, True), (False, False)],
    ids=["it works again", "now and then", "twice"],
)
def test_a_tool_that_fails_as_work_does_is_not_suspended(
    desk: Desk, sessions: Path, outcomes: tuple[bool, ...]
) -> None:
    used(sessions, *outcomes, at=1)
    assert desk.json("extract", sessions)["tools"] == []
    assert names(desk, "registered") == [TOOL]


def test_a_tool_is_suspended_and_resumed_by_hand_and_that_is_taken_back(
    desk: Desk, sessions: Path, repository: Path
) -> None:
    before = snapshot(repository)
    desk("suspend", TOOL)
    assert "no suspended tool" in desk.complaint("resume", "test-lint")
    desk("resume", TOOL)
    assert "no registered" in desk.complaint("suspend", "other")
    desk("undo")
    assert names(desk, "suspended") == [TOOL]
    desk("undo")
    mine = (".agents", ".claude", ".gemini", "AGENTS.md", "generated_tools")
    assert {p: one for p, one in snapshot(repository).items() if p.startswith(mine)} == {
        p: one for p, one in before.items() if p.startswith(mine)
    }


def test_a_tool_that_nobody_uses_is_proposed_for_retirement(
    desk: Desk, sessions: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.json("tools")[0]["advice"] == ""
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
    git(repository, "commit", "-q", "--amend", "--no-edit")
    assert "retire" in desk.json("tools")[0]["advice"]
    used(sessions, *[True] * 20, at=1)
    desk("extract", sessions)
    assert desk.json("tools")[0]["advice"] == ""
