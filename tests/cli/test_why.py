"""`meta why`: a session is found by its names, told about, and what mends it is written and taken back."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from meta import archive
from meta.model import Event
from tests.cli.conftest import Desk, git, snapshot
from tests.knowledge import work

REJECTED = "! [rejected] main -> main (fetch first)"
EVENTS = (
    work.failed("git push origin main", REJECTED),
    work.ran("git pull --rebase"),
    work.ran("git push origin main"),
)


def keep(workspace: Path, number: int, *events: Event) -> Path:
    made = replace(work.session(number, *events, project=workspace.name), cwd=str(workspace))
    archive.write(workspace / "conversation-archive", made)
    return workspace / "conversation-archive" / archive.name(made)


@pytest.fixture
def shop(desk: Desk, repository: Path) -> Path:
    """A workspace with a session that went wrong, s1, and one that went well, s22."""
    desk("init")
    keep(repository, 1, *EVENTS)
    keep(repository, 22, work.ran("git status"))
    desk("rebuild")
    return repository


def test_a_session_is_found_by_its_id_its_beginning_and_its_file(desk: Desk, shop: Path) -> None:
    path = next(path for path in shop.rglob("ann-*s1.json"))
    told = [desk.json("why", named, "--dry-run")["session"] for named in ("s1", "ann/s1", "s2", path)]
    assert told == ["s1", "s1", "s22", "s1"]


def test_a_name_that_is_none_is_told_in_one_line(desk: Desk, shop: Path) -> None:
    assert 'Did you mean "s22"?' in desk.complaint("why", "s222")
    assert "beginning of 2 sessions" in desk.complaint("why", "s")
    assert "holds no session" in desk.complaint("why", "meta.toml")
    assert "no session is named" in desk.complaint("why")


def test_a_session_that_went_well_gets_one_line(desk: Desk, shop: Path) -> None:
    told = desk("why", "s22")
    assert told.count("\n") == 1
    assert "did not fail" in told
    assert desk.json("why", "s22")["failed"] is False


def test_what_is_proposed_is_written_only_where_that_is_asked_for_and_undone_exactly(desk: Desk, shop: Path) -> None:
    desk("why", "s1")
    before = snapshot(shop / "knowledge")
    (cause,) = desk.json("why", "s1")["causes"]
    assert (cause["verdict"], cause["proposal"]["before"]["passed"], cause["proposal"]["after"]["passed"]) == (
        "no lesson", False, True,
    )  # fmt: skip
    desk("why", "s1", "--write", "--dry-run")
    assert snapshot(shop / "knowledge") == before
    written = desk.json("why", "s1", "--write")["written"]
    assert all((shop / path).is_file() for path in written)
    assert {Path(path).suffix for path in written} == {".md", ".toml"}
    (cause,) = desk.json("why", "s1", "--write")["causes"]
    assert (cause["verdict"], cause["proposal"]) == ("not there yet", None)
    desk("undo")
    assert snapshot(shop / "knowledge") == before


def test_the_case_that_was_written_is_an_eval_that_fails_once_the_lesson_loses_its_words(
    desk: Desk, shop: Path
) -> None:
    written = desk.json("why", "s1", "--write")["written"]
    lesson = shop / next(path for path in written if path.endswith(".md"))
    name = lesson.relative_to(shop / "knowledge").as_posix()
    (result,) = desk.json("eval", name)["documents"]
    assert (result["cases"], result["passed"]) == (1, 1)
    lesson.write_text('---\nclaim: "Bake bread."\nwhen: "hungry"\n---\n')
    (result,) = desk.json("eval", name, exit=1)["documents"]
    assert (result["passed"], result["lowered"]) == (0, True)


def test_a_lesson_that_was_loaded_then_is_told_from_one_that_was_not(desk: Desk, shop: Path) -> None:
    desk("why", "s1", "--write")
    lesson = next((shop / "knowledge/lessons").glob("*.md"))
    lesson.write_text(lesson.read_text().replace("---\n", "---\nload: yes\n", 1))
    number = int((time.time() - work.START) / work.DAY) + 2
    keep(shop, number, *EVENTS[:1], *EVENTS)
    desk("rebuild")
    assert desk.json("why", f"s{number}")["causes"][0]["verdict"] == "not loaded"
    desk("lessons", "--load")
    git(shop, "add", "-A")
    git(shop, "commit", "-qm", "Load it")
    cause = desk.json("why", f"s{number}")["causes"][0]
    assert (cause["verdict"], cause["there"], cause["loaded"]) == ("not followed", True, True)


def test_former_changes_advise_the_next_one_once_there_are_three(desk: Desk, shop: Path) -> None:
    assert "three times" in desk("why", "--changes")
    for number in range(3):
        document = shop / "knowledge" / f"{number}.md"
        for text in ("---\ntitle: T\n---\n", "---\ntitle: T\nscope: here\n---\n"):
            document.write_text(text)
            git(shop, "add", "-A")
            git(shop, "commit", "-qm", "Change it")
    (advice,) = desk.json("why", "--changes")
    assert (advice["name"], len(advice["evidence"])) == ("missing scope", 3)
    assert "For this change:" in desk("why", "s1")
    assert "For this change:" not in desk("why", "s22")


def test_lessons_are_searched_by_the_words_of_a_situation(desk: Desk, shop: Path) -> None:
    desk("why", "s1", "--write")
    (shop / "knowledge/lessons/bread.md").write_text('---\nclaim: "Bake bread."\nwhen: "hungry"\n---\n')
    assert [one["slug"] for one in desk.json("lessons", "--search", "I am hungry")] == ["bread"]
    (found,) = desk.json("lessons", "--search", "git push was rejected")
    assert found["slug"] != "bread"
    assert desk.json("lessons", "--search", "quantum") == []
    assert "No lesson" in desk("lessons", "--search", "quantum")
