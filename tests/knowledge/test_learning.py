"""Lessons in a workspace: written by `meta extract`, listed, loaded, retired, taken back, and edited by people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from meta.knowledge import life
from meta.learning import learned
from meta.mining.shell import parse
from meta.model import Session
from tests.cli.conftest import Desk, desk, home, repository, snapshot, write
from tests.knowledge.work import edited, failed, ran, said, session
from tests.safety.poison import CARRIERS, PAYLOADS, poison
from tests.safety.writers import WRITERS, Act, Prompt, Script, Shell

__all__ = ["desk", "home", "repository"]  # fixtures

REPAIR = (
    failed("git push origin main", "! [rejected]  main -> main (fetch first)"),
    ran("git pull --rebase origin main"),
    ran("git push origin main"),
)
VAIN = (REPAIR[0], REPAIR[1], REPAIR[0])
CLAIM = "When `git push origin main` fails (“! [rejected] main -> main (fetch first)”), run `git pull --rebase origin main` and then the same again."
NAME = "git-push-after-git-pull-rebase-origin-main"
FILE = f"knowledge/lessons/{NAME}.md"


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    return write(tmp_path / "sessions", session(0, *REPAIR), session(1, *REPAIR, ran("git commit -m 'Add a cart'")))


def extract(desk: Desk, folder: Path, *sessions: Session) -> list[str]:
    """The slugs of the new lessons."""
    write(folder, *sessions)
    return [one["slug"] for one in desk.json("extract", folder)["lessons"]]


def test_extract_writes_lessons_and_notes_that_say_what_was_seen(desk: Desk, repository: Path, twice: Path) -> None:
    desk("init")
    (lesson,) = desk.json("extract", twice)["lessons"]
    assert lesson["claim"] == CLAIM
    assert lesson["evidence"] == [{"session": "s0", "event": "s0-1"}, {"session": "s1", "event": "s1-1"}]
    assert (lesson["helped"], lesson["harmed"], lesson["expires"]) == (0, 0, "2027-09-22")
    assert f"# {CLAIM}" in (repository / FILE).read_text()
    notes = [path.read_text() for path in sorted((repository / "knowledge/sessions").glob("2026-*.md"))]
    assert len(notes) == 2
    assert all(f"- {CLAIM}" in note for note in notes)
    assert "“Add a cart”" in notes[1]


def test_a_session_that_teaches_nothing_leaves_nothing(desk: Desk, repository: Path, tmp_path: Path) -> None:
    desk("init")
    assert extract(desk, tmp_path / "s", session(0, ran("git status"), edited("a.py"))) == []
    assert not (repository / "knowledge/lessons").exists()
    assert not (repository / "knowledge/sessions").exists()


def test_a_second_run_writes_nothing_and_a_dry_run_nothing_at_all(desk: Desk, repository: Path, twice: Path) -> None:
    desk("init")
    assert [one["slug"] for one in desk.json("extract", twice, "--dry-run")["lessons"]] == [NAME]
    assert not (repository / FILE).exists()
    desk("extract", twice)
    before = snapshot(repository / "knowledge"), snapshot(repository / ".meta/actions")
    assert desk.json("extract", twice)["lessons"] == []
    assert (snapshot(repository / "knowledge"), snapshot(repository / ".meta/actions")) == before


def test_undo_takes_everything_back_but_what_a_person_has_edited(desk: Desk, repository: Path, twice: Path) -> None:
    desk("init")
    desk("extract", twice)
    note = next((repository / "knowledge/sessions").glob("*.md"))
    note.write_text("mine\n")
    assert "changed by hand" in desk("undo")
    assert list((repository / "knowledge").rglob("*.md")) == [note]


def test_later_sessions_are_evidence_and_count_and_the_words_of_a_person_stay(
    desk: Desk, repository: Path, twice: Path
) -> None:
    desk("init")
    desk("extract", twice)
    path = repository / FILE
    path.write_text(path.read_text().replace("# When", "# As Ann says: when"))
    assert extract(desk, twice, session(2, *REPAIR), session(3, *VAIN)) == []
    (lesson,) = desk.json("lessons")
    assert (len(lesson["evidence"]), lesson["helped"], lesson["harmed"]) == (3, 1, 1)
    assert "# As Ann says: when" in path.read_text()


def test_a_lesson_that_is_followed_in_vain_is_retired_and_does_not_come_back(
    desk: Desk, repository: Path, twice: Path
) -> None:
    desk("init")
    desk("extract", twice)
    desk("lessons", "--load")
    assert "git pull --rebase" in (repository / "AGENTS.md").read_text()
    extract(desk, twice, session(2, *VAIN), session(3, *VAIN))
    assert desk.json("lessons") == []
    assert (repository / "knowledge/lessons/.retired" / f"{NAME}.md").exists()
    assert "git pull" not in (repository / "AGENTS.md").read_text()
    assert extract(desk, twice, session(4, *REPAIR)) == []
    assert not (repository / FILE).exists()


def test_a_lesson_retired_by_hand_comes_back_with_undo_and_another_name_is_refused(
    desk: Desk, repository: Path, twice: Path
) -> None:
    desk("init")
    desk("extract", twice)
    before = (repository / FILE).read_bytes()
    assert "would retire" in desk("lessons", "--retire", NAME, "--dry-run")
    assert (repository / FILE).exists()
    desk("lessons", "--retire", NAME)
    assert not (repository / FILE).exists()
    desk("undo")
    assert (repository / FILE).read_bytes() == before
    assert NAME in desk.complaint("lessons", "--retire", NAME[:-1])


def test_the_block_is_loaded_on_request_only_and_taken_out_byte_for_byte(
    desk: Desk, repository: Path, twice: Path
) -> None:
    agents = repository / "AGENTS.md"
    agents.write_text("# Ours\r\n\r\nNo final line break")
    before = agents.read_bytes()
    desk("init")
    desk("extract", twice)
    assert agents.read_bytes() == before
    assert "git pull" in desk("lessons", "--load", "--dry-run")
    assert agents.read_bytes() == before
    desk("lessons", "--load")
    assert "fetch first" not in agents.read_text(), "what a program printed was loaded"
    assert "nothing to change" in desk("lessons", "--load")
    desk("lessons", "--unload")
    assert agents.read_bytes() == before


def test_nothing_is_loaded_where_nothing_was_seen_twice(desk: Desk, repository: Path, tmp_path: Path) -> None:
    desk("init")
    extract(desk, tmp_path / "s", session(0, *REPAIR))
    assert "no lesson" in desk.complaint("lessons", "--load")


def test_lessons_of_sessions_are_shown_without_a_workspace_and_without_a_trace(
    desk: Desk, twice: Path, tmp_path: Path
) -> None:
    before = snapshot(twice)
    assert [one["claim"] for one in desk.json("lessons", twice)] == [CLAIM]
    assert "git pull" in desk("lessons", twice)
    assert snapshot(twice) == before
    assert "no workspace" in desk.complaint("lessons")


def test_a_folder_of_lessons_that_leads_elsewhere_is_refused(
    desk: Desk, repository: Path, twice: Path, tmp_path: Path
) -> None:
    desk("init")
    (tmp_path / "elsewhere").mkdir()
    (repository / "knowledge/lessons").symlink_to(tmp_path / "elsewhere")
    assert "leads out" in desk.complaint("extract", twice)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_was_seen_last_long_before_the_latest_session_is_not_learned(
    desk: Desk, repository: Path, tmp_path: Path
) -> None:
    desk("init")
    assert extract(desk, tmp_path / "s", session(0, *REPAIR), session(500, ran("ls"))) == []
    assert not (repository / FILE).exists()


def test_a_note_names_the_file_of_a_lesson_also_where_two_projects_have_one_of_that_name(
    desk: Desk, repository: Path, tmp_path: Path
) -> None:
    desk("init")
    other = replace(session(1, *REPAIR, project="office"), id="other")
    extract(desk, tmp_path / "s", session(0, *REPAIR), other)
    files = {path.stem for path in (repository / "knowledge/lessons").glob("*.md")}
    named = [
        name
        for path in (repository / "knowledge/sessions").glob("*.md")
        for name in re.findall(r"lessons/(.+?)\.md", path.read_text())
    ]
    assert len(files) == 2
    assert sorted(named) == sorted(files)


def test_the_lessons_of_another_project_are_not_loaded(desk: Desk, repository: Path, tmp_path: Path) -> None:
    desk("init")
    office = [replace(session(n, *REPAIR, project="office"), id=f"o{n}") for n in range(2)]
    extract(desk, tmp_path / "s", *office)
    assert len(desk.json("lessons")) == 1
    assert "no lesson" in desk.complaint("lessons", "--load")


def test_what_a_program_drove_counts_only_where_nobody_else_worked() -> None:
    driven = session(0, *REPAIR, origin="machine")
    assert [one.claim for one in learned("shop", [driven], parse).lessons] == [CLAIM]
    assert learned("shop", [driven, session(1, ran("ls"))], parse).lessons == ()


def test_a_decision_with_its_reason_is_noted_and_one_without_is_not() -> None:
    why = "let's use sqlite because nobody here runs a server"
    (note,) = learned("shop", [session(0, ran("ls"), said(why))], parse).notes
    assert f"“{why}”" in note.text({})
    assert learned("shop", [session(0, ran("ls"), said("let's use sqlite"))], parse).notes == ()


# -- poison ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_order_that_stood_in_a_session_is_loaded_or_told_as_advice(payload: str, tmp_path: Path) -> None:
    from meta import sources

    tokens = set()
    for number in range(3):
        acts: list[Act] = [*REPAIR_ACTS]
        for name, carrier in CARRIERS.items():
            p = poison(name, payload=payload)
            tokens.add(p.token)
            acts += [Prompt("have a look"), *carrier(p, "claude-code")]
            acts += [
                Shell(f"make part -m x{number}", f"error: unexpected argument '-m' {p.text}", "failed"),
                Shell("make part"),
            ]
        WRITERS["claude-code"](tmp_path, Script(f"cla{number}", tuple(acts), 1_790_000_000.0 + number * 86_400))
    read = sources.combine(map(sources.read, sources.discover([tmp_path])))
    sessions = [one for one in sources.merge(read.sessions) if one.events]
    lessons = learned(sessions[0].project, sessions, parse).lessons
    assert any("git pull --rebase" in one.claim for one in lessons), "nothing was learned, so nothing is shown"
    loaded = life.loaded(lessons) or ""
    assert "git pull --rebase" in loaded
    assert not [token for token in tokens if token in loaded]
    told = [text for one in lessons for text in (one.claim, one.why, one.when, one.slug)]
    assert not [text for text in told if "gnore" in text or any(token in text for token in tokens)]


REPAIR_ACTS = [
    Shell("git push origin main", "! [rejected]  main -> main (fetch first)", "failed"),
    Shell("git pull --rebase origin main"),
    Shell("git push origin main"),
]
