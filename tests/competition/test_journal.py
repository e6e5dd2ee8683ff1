"""The journal, as the experiment-log tool writes it and the machine reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from meta import sources
from meta.competition import journal
from meta.competition.record import Recorder
from meta.generation import render


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool as it is rendered."""
    folder = tmp_path_factory.mktemp("rendered")
    for path, text in render.render([render.folder(None, "experiment-log")], {}).items():
        (folder / path).write_text(text)
    return folder / "tool.py"


@pytest.mark.parametrize("name", ["experiment-log", "sweep"])
def test_a_rendered_tool_is_clean_and_passes_its_own_tests(tmp_path: Path, name: str) -> None:
    for path, text in render.render([render.folder(None, name)], {}).items():
        (tmp_path / path).write_text(text)
    assert not render.findings((tmp_path / "tool.py").read_text())
    done = subprocess.run([sys.executable, tmp_path / "test_tool.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("passed") == 3


def test_a_torn_last_line_is_counted_and_the_rows_before_and_after_it_are_there(tool: Path, tmp_path: Path) -> None:
    (tmp_path / "competition.toml").write_text('direction = "minimize"\n')

    def add(number: int) -> None:
        row = json.dumps({"id": f"00{number}", "tool": "t", "move": "m", "score": 1.0, "ok": True})
        subprocess.run([sys.executable, tool, "--competition", tmp_path, "--add", row], check=True, capture_output=True)

    add(1)
    whole = (tmp_path / journal.FILE).read_bytes()
    (tmp_path / journal.FILE).write_bytes(whole + whole[: len(whole) // 2])
    assert journal.read(tmp_path).torn == 1
    add(2)
    found = journal.read(tmp_path)
    assert [row.id for row in found.rows] == ["001", "002"]
    assert found.torn == 1


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b'{"id": 3, "tool": "t", "move": "m"}', b'{"id": "a"}', b"\xff"])
def test_what_is_no_row_is_no_experiment(line: bytes) -> None:
    assert journal.parse(line) is None


def test_values_of_a_wrong_kind_become_the_usual_ones() -> None:
    row = journal.parse(
        b'{"id": "1", "tool": "t", "move": "m", "score": "high", "cpu_seconds": NaN, "kept": 1, "gates": 3}'
    )
    assert row is not None
    assert (row.score, row.cpu_seconds, row.kept, row.gates) == (None, 0.0, False, ())


def test_a_recorded_session_is_read_as_the_policys_own_with_its_commands_and_how_they_ended(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "policy")
    recorder.begin("Try a line.", 100.0)
    recorder.command("python tool.py --run runs/1", "try", "fine", 0, (101.0, 104.5), 2.0)
    recorder.command("git commit -q -m x", "commit", "nothing to commit", 1, (105.0, 105.1), 0.1)
    (session,) = sources.read(recorder.path).sessions
    assert session.origin == "policy"
    assert [event.text for event in session.events] == [
        "Try a line.",
        "python tool.py --run runs/1",
        "git commit -q -m x",
    ]
    assert [event.exit_code for event in session.events[1:]] == [0, 1]
    assert session.events[1].seconds == pytest.approx(3.5)
    assert not any(event.usage and event.usage.output for event in session.events)
