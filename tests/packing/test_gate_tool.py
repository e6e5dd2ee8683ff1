"""submission-gate as a user has it: rendered, tested by its own tests, and true to the official score."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(os.environ.get("META_SANTA2025") or Path(__file__).parents[2] / "shared/data/santa2025")
OFFICIAL = 173.652  # what the organisers' sample scores


def test_its_own_tests_pass(gate: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_tool.py"],
        cwd=gate, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_folder_without_a_competition_ends_in_one_line(gate: Path, tmp_path: Path) -> None:
    words = ["--competition", str(tmp_path), "--submission", str(tmp_path / "none.csv")]
    done = subprocess.run([sys.executable, "tool.py", *words], cwd=gate, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "competition.toml" in done.stderr


@pytest.mark.skipif(not (SAMPLE / "sample_submission.csv").exists(), reason="the competition's sample is not at hand")
def test_the_sample_has_its_official_score(gate: Path, tmp_path: Path) -> None:
    (tmp_path / "competition.toml").write_text('name = "trees"\nkind = "packing"\nmetric = "santa2025"\n')
    words = ["--competition", str(tmp_path), "--submission", str(SAMPLE / "sample_submission.csv"), "--json"]
    done = subprocess.run([sys.executable, "tool.py", *words], cwd=gate, capture_output=True, text=True)
    result = json.loads(done.stdout)
    assert result["ok"]
    assert abs(result["score"] - OFFICIAL) < 1e-3
