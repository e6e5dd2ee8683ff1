"""A run that is killed goes on where it was, and its budget with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meta.competition import journal, settings, state
from meta.competition.nouns import Journal
from tests.competition.fields import field
from tests.competition.test_machine import compete, lasting

ROOT = Path(__file__).parents[2]
# Kills itself, as `kill -9` does, in the moment before the given number of writes to the state, or of commands.
KILLED = """
import os, signal, sys
from pathlib import Path
from meta.competition import machine, policy, running, settings, state

def counted(function):
    def count(*args, **more):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **more)
    return count

folder, left = Path(sys.argv[1]), int(sys.argv[2])
sys.setprofile(None)
state.write = counted(state.write)
running.command = counted(running.command)
competition = settings.load(folder)
machine.compete(competition, policy.policy(competition), tell=lambda text: None)
"""


def killed(folder: Path, after: int) -> int:
    """How a run ended that is killed after so many of its steps."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(after)], env=environment, check=False
    ).returncode


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    folder = field(tmp_path_factory.mktemp("unkilled") / "curve", steps=3)
    compete(folder)
    return journal.read(folder)


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_journal(tmp_path: Path, whole: Journal) -> None:
    """Each start gets seven steps farther at the most, so that over the starts it is killed all over the run."""
    folder = field(tmp_path / "curve", steps=3)
    ends = [killed(folder, after) for after in (1, 2, 3, 4, 5, 6, 7, 5, 4, 3)]
    assert ends.count(-signal.SIGKILL) >= 5
    compete(folder)
    assert lasting(journal.read(folder)) == lasting(whole)


@pytest.mark.slow
@pytest.mark.parametrize("after", range(36))
def test_killed_at_any_step_and_run_again_the_journal_is_the_same(tmp_path: Path, whole: Journal, after: int) -> None:
    folder = field(tmp_path / "curve", steps=3)
    assert killed(folder, after) in (-signal.SIGKILL, 0)
    compete(folder)
    assert lasting(journal.read(folder)) == lasting(whole)
    subjects = subprocess.run(
        ["git", "log", "--format=%s"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    assert [subjects.count(f" {row.id}:") for row in whole.rows] == [1] * len(whole.rows)


def test_the_seconds_of_a_solver_that_was_killed_are_charged_when_it_goes_on(tmp_path: Path) -> None:
    folder = field(tmp_path / "curve", cpu=30)
    tool = folder / "generated_tools" / "tabular-cv" / "tool.py"
    tool.write_text(tool.read_text().replace("def fit(", "time.sleep(30)\n\n\ndef fit("))
    program = "import sys; from meta.cli import main; sys.exit(main(['compete', sys.argv[1]]))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], env=environment, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and not (folder / ".meta/compete/alive").exists():
        time.sleep(0.05)
    begun = _solving(folder, until)
    assert begun
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 1
    assert said.splitlines()[-1].startswith("meta: stopped; what was finished is kept.")
    now = state.charged(folder, state.read(folder))
    assert now.lost >= 1.0
    assert now.current is not None
    assert state.charged(folder, now) == now


def _solving(folder: Path, until: float) -> bool:
    """Whether a solver was begun in time."""
    while time.monotonic() < until:
        if (folder / state.FILE).exists():
            current = state.read(folder).current
            if current is not None and current.running_since:
                return True
        time.sleep(0.05)
    return False


def test_the_budget_is_that_of_all_runs_together(tmp_path: Path) -> None:
    folder = field(tmp_path / "curve", steps=2)
    compete(folder)
    assert len(journal.read(folder).rows) == 2
    compete(folder)
    assert len(journal.read(folder).rows) == 2
    told = (folder / "competition.toml").read_text()
    (folder / "competition.toml").write_text(told.replace("steps = 2", "steps = 3"))
    assert settings.load(folder).budget.steps == 3
    compete(folder)
    assert len(journal.read(folder).rows) == 3
