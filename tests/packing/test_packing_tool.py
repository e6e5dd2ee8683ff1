"""packing-2d as a user has it: rendered, linted, tested by its own tests, run, killed and run again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)


def result(folder: Path, *words: str) -> dict[str, object]:
    """What the tool says of a run of at most 15 CPU seconds past compiling, with crystals of few attempts."""
    done = python(folder, "tool.py", "--json", "--seconds", "300", *words)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize("tool", ["packing", "gate"])
def test_a_rendered_tool_is_clean(tool: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(tool)
    lint = python(
        folder,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--line-length",
        "120",
        "--select",
        "E,F,W,UP,B,SIM,RET,PERF,C4",
        "--ignore",
        "E402",
        ".",
    )
    assert lint.returncode == 0, lint.stdout
    shape = python(folder, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--check", ".")
    assert shape.returncode == 0, shape.stdout + shape.stderr


def test_it_prints_its_moves_and_a_dry_run_writes_nothing(packing: Path, tmp_path: Path) -> None:
    moves = json.loads(python(packing, "tool.py", "--moves", "--json").stdout)
    assert {"name", "arguments", "after", "repeat", "seconds", "gain_per_second"} == set(moves[0])
    assert "all" in {move["name"] for move in moves}
    assert "would spend" in python(packing, "tool.py", "--run", str(tmp_path / "run"), "--dry-run").stdout
    assert not (tmp_path / "run").exists()


def test_a_start_from_no_run_ends_in_one_line(packing: Path, tmp_path: Path) -> None:
    done = python(packing, "tool.py", "--run", str(tmp_path / "run"), "--from", str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_its_own_tests_pass(packing: Path) -> None:
    done = python(packing, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_tool.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_same_seed_and_attempts_give_the_same_submission_and_another_seed_another(
    packing: Path, tmp_path: Path
) -> None:
    runs = {name: tmp_path / name for name in ("a", "b", "c")}
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert result(packing, "--run", str(runs[name]), "--attempts", "60", "--seed", seed)["ok"]
    texts = {name: (run / "submission.csv").read_text() for name, run in runs.items()}
    assert texts["a"] == texts["b"]
    assert texts["a"] != texts["c"]


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_checkpoint(packing: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "tool.py", "--run", str(run), "--seconds", "600"]
    started = subprocess.Popen(command, cwd=packing, stdout=subprocess.DEVNULL)
    while not (run / "pool.npz").exists() and started.poll() is None:
        time.sleep(0.2)  # the first checkpoint comes after compiling
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert [path.name for path in run.iterdir() if not path.name.startswith(".")] == ["pool.npz"]
    first = result(packing, "--run", str(run), "--attempts", "0")
    more = result(packing, "--run", str(run), "--attempts", "400")
    assert first["ok"]
    assert more["ok"]
    assert float(str(more["score"])) < float(str(first["score"]))
