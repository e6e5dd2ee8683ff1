"""The tabular tool as it is rendered: clean, light to ask, and true to its own tests."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from meta.generation import render

DEPENDENCIES = {"lightgbm", "numpy", "pandas"}


def test_what_is_rendered_is_clean_and_has_no_hole_left(rendered: dict[str, str]) -> None:
    for name, text in rendered.items():
        assert "{{" not in text.replace("${{", ""), name
        if name.endswith(".py"):
            assert render.findings(text) == [], name
            assert text.count("\n") < 400, name


def test_it_stands_alone_with_the_packages_that_its_header_names(rendered: dict[str, str]) -> None:
    own = {name.removesuffix(".py") for name in rendered}
    used: set[str] = set()
    for name, text in rendered.items():
        if name.endswith(".py") and name != "test_tool.py":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    used |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    used.add(node.module.split(".")[0])
    assert used - own - sys.stdlib_module_names == DEPENDENCIES
    header = next(line for line in rendered["tool.py"].splitlines() if line.startswith("# dependencies"))
    assert {word.split(">")[0].strip('[" ') for word in header.split(" = ")[1].split(",")} == DEPENDENCIES


def test_the_manifest_names_the_gates_and_metrics_that_there_are(rendered: dict[str, str], place: Path) -> None:
    manifest = json.loads(rendered["manifest.json"])
    named = "import metrics, json; print(json.dumps(sorted(metrics.METRICS)))"
    known = subprocess.run([sys.executable, "-c", named], cwd=place, capture_output=True, text=True, check=True)
    assert json.loads(known.stdout) == sorted(manifest["metrics"])
    assert all(f'Gate("{gate}"' in rendered["gates.py"] for gate in manifest["gates"])


def test_moves_are_told_without_loading_what_trains(place: Path) -> None:
    asked = "import sys, tool; tool.main(['--moves', '--json']); print('lightgbm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=place, capture_output=True, text=True, check=True)
    moves, loaded = done.stdout.splitlines()
    assert {"plain", "categories", "te", "rich", "second-seed", "blend"} <= {move["name"] for move in json.loads(moves)}
    assert loaded == "False"


def test_a_folder_without_a_competition_costs_one_line(place: Path, tmp_path: Path) -> None:
    command = [sys.executable, "tool.py", "--competition", str(tmp_path), "--run", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_every_planted_leak_is_caught_by_its_gate_and_none_is_seen_where_there_is_none(place: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "caught or told_apart or alarm"]
    done = subprocess.run([*command, "test_tool.py"], cwd=place, capture_output=True, text=True, check=False)
    assert "8 passed" in done.stdout, done.stdout[-2000:]


@pytest.mark.slow
def test_the_tool_passes_its_own_tests(place: Path) -> None:
    done = subprocess.run([sys.executable, "test_tool.py"], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("passed ") >= 15
