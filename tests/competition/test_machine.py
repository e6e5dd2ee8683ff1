"""A competition from its files to a submission, with a real solver in the real sandbox."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from meta.competition import journal, machine, policy, settings
from meta.competition.nouns import Experiment, Journal, Outcome
from tests.competition.fields import field


def compete(folder: Path) -> Outcome:
    competition = settings.load(folder)
    return machine.compete(competition, policy.policy(competition), tell=lambda text: None)


def lasting(read: Journal) -> list[Experiment]:
    """The rows without what differs between two runs: times and the commits that hang on them."""
    return [replace(row, cpu_seconds=0.0, wall=0.0, commit="", time="", why="") for row in read.rows]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = field(tmp_path_factory.mktemp("whole") / "curve")
    return folder, compete(folder)


def test_the_best_honest_move_is_handed_in(finished: tuple[Path, Outcome]) -> None:
    folder, outcome = finished
    best = journal.read(folder).best
    assert best is not None
    assert best.move == "square"
    assert outcome.score == pytest.approx(0.3, abs=0.01)
    assert (folder / "submission.csv").read_bytes() == (folder / "runs" / best.id / "submission.csv").read_bytes()


def test_what_a_gate_refuses_is_never_handed_in_however_good_its_score(finished: tuple[Path, Outcome]) -> None:
    rows = {row.move: row for row in journal.read(finished[0]).rows}
    assert rows["leaky"].score < rows["square"].score  # type: ignore[operator]  # both have one
    assert not rows["leaky"].kept
    assert "permuted" in rows["leaky"].why


def test_a_worse_one_and_a_broken_one_are_rows_too_and_are_not_kept(finished: tuple[Path, Outcome]) -> None:
    rows = {row.move: row for row in journal.read(finished[0]).rows}
    assert not rows["worse"].kept
    assert rows["worse"].ok
    assert not rows["broken"].ok
    assert "the matrix is singular" in rows["broken"].why


def test_every_experiment_is_a_commit_with_its_id_and_nothing_is_left_uncommitted(
    finished: tuple[Path, Outcome],
) -> None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=finished[0], capture_output=True, text=True, check=True).stdout

    subjects = git("log", "--format=%s").splitlines()
    for row in journal.read(finished[0]).rows:
        assert sum(f" {row.id}:" in subject for subject in subjects) == 1
    assert git("status", "--porcelain") == ""
    assert "train.csv" not in git("ls-files").splitlines()


def test_a_second_run_after_the_end_does_nothing_more(finished: tuple[Path, Outcome]) -> None:
    before = (finished[0] / "journal.jsonl").read_bytes()
    again = compete(finished[0])
    assert (finished[0] / "journal.jsonl").read_bytes() == before
    assert again.score == finished[1].score


@pytest.mark.parametrize(("deadline", "moves"), [("2020-01-01T00:00:00Z", 1), ("2099-01-01T00:00:00Z", 3)])
def test_after_the_deadline_no_round_is_begun(tmp_path: Path, deadline: str, moves: int) -> None:
    folder = field(tmp_path / "curve", steps=3)
    settled = folder / "competition.toml"
    settled.write_text(f"deadline = {deadline}\n" + settled.read_text())
    outcome = compete(folder)
    assert outcome.experiments == moves
    assert ("deadline" in outcome.reason) == (moves == 1)
