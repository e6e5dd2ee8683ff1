"""The tool that is rendered for a remote job holds its parameters, passes its own tests and starts `meta gpu run`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from meta.generation import render
from tests.gpu.conftest import Renter


def rendered(place: Path) -> Path:
    answers = {"name": "fit", "line": "python3 fit.py --epochs 3", "send": ["fit.py"], "get": ["*.json"], "budget": 9.0}
    for name, text in render.render([render.folder(None, "remote-gpu-job")], answers).items():
        (place / name).write_text(text)
    return place


def test_a_rendered_tool_is_linted_and_passes_its_own_tests(tmp_path: Path) -> None:
    rendered(tmp_path)
    lint = ["ruff", "check", "--isolated", "--select", render.RULES, "--ignore", "E501", str(tmp_path)]
    assert subprocess.run(lint, capture_output=True, check=False).returncode == 0
    done = subprocess.run([sys.executable, tmp_path / "test_tool.py"], capture_output=True, text=True, check=False)
    assert done.stdout.count("passed") == 3, done.stderr


def test_a_rendered_tool_tells_the_worst_case_by_the_guard(renter: Renter) -> None:
    renter.configure()
    (renter.root / "fit.py").write_text("")
    tool = rendered(renter.root) / "tool.py"
    done = subprocess.run(
        [sys.executable, tool, "--price"],
        cwd=renter.root,
        env=renter.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "at worst" in done.stdout
    assert not renter.cloud.machines
