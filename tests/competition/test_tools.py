"""A generated tool that does several commands in one is found, and only where it prints exactly those."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta.competition.tools import Finder

TOOL = """import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--run", required=True)
parser.add_argument("--message", required=True)
parser.add_argument("--skip-gate", action="store_true")
parser.add_argument("--dry-run", action="store_true")
given = parser.parse_args()
message = '"' + given.message + '"' if " " in given.message else given.message
lines = [f"gate runs/{given.run}/x.csv", f"log @runs/{given.run}/row.json", f"git commit -m {message}"]
print(*lines[given.skip_gate:], sep="\\n")
"""
ABOUT = """steps = [{name = "gate"}, {name = "log"}, {name = "commit"}]
parameters = [
  {name = "run", type = "str", option = "--run"},
  {name = "message", type = "str", option = "--message"},
  {name = "skip_gate", type = "bool", option = "--skip-gate"},
]
"""
LINES = ["gate runs/001/x.csv", "log @runs/001/row.json", 'git commit -m "experiment 001: 3"', "git push"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "generated_tools" / "promote"
    place.mkdir(parents=True)
    (place / "tool.py").write_text(TOOL)
    (place / "tool.toml").write_text(ABOUT)
    return tmp_path


def test_a_tool_that_prints_the_lines_that_are_next_is_found_with_their_values(folder: Path) -> None:
    found = Finder(folder).whole(LINES)
    assert found is not None
    assert found.covers == 3
    assert found.argv[2:6] == ("--run", "001", "--message", "experiment 001: 3")


def test_a_switch_of_the_tool_is_tried_too(folder: Path) -> None:
    found = Finder(folder).whole(LINES[1:])
    assert found is not None
    assert "--skip-gate" in found.argv
    assert found.covers == 2


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["gate runs/001/x.csv", "log @runs/002/row.json", "git commit -m x"], id="the run differs between lines"
        ),
        pytest.param(["gate runs/001/y.csv", "log @runs/001/row.json", "git commit -m x"], id="a fixed word differs"),
        pytest.param(["gate runs/001/x.csv"], id="less than what it does"),
        pytest.param(["git push", *LINES[:3]], id="something else comes first"),
        pytest.param([*LINES[:2], "git commit -m '$x'"], id="a value is typed as the tool would not type it"),
    ],
)
def test_a_tool_that_would_do_anything_else_is_not_found(folder: Path, lines: list[str]) -> None:
    assert Finder(folder).whole(lines) is None
