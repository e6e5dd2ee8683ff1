"""What is remembered of a session is small, is swept, and is nothing that was said."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest

from meta.nudge import sessions
from meta.nudge.beginning import Begun
from meta.nudge.rows import PLACE
from meta.nudge.sessions import Shown


def remembered(workspace: Path, session: str = "s") -> Begun:
    found: list[Begun] = []

    def look(begun: Begun) -> Begun:
        found.append(begun)
        return begun

    sessions.change(workspace, session, look)
    return found[0]


def _instead(begun: Begun, before: Begun) -> Begun:
    return begun


def test_what_was_put_is_there_for_that_session_alone(tmp_path: Path) -> None:
    long, short = Begun("t" * 99, ("a", "b"), ("c",)), Begun("u")
    for begun in (long, short):
        sessions.change(tmp_path, "s", partial(_instead, begun))
        assert remembered(tmp_path) == begun
    assert remembered(tmp_path, "other") == Begun()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"turn": 1}', '{"turn": "t", "first": 3, "done": []}', "\xff"])
def test_what_is_damaged_is_forgotten(tmp_path: Path, content: str) -> None:
    sessions.change(tmp_path, "s", lambda _: Begun("t"))
    (path,) = (tmp_path / PLACE / "sessions").iterdir()
    path.write_text(content, encoding="latin-1")
    assert remembered(tmp_path) == Begun()
    sessions.change(tmp_path, "s", lambda _: Begun("t"))
    assert remembered(tmp_path) == Begun("t")


def test_the_sessions_of_long_ago_are_swept_and_the_last_are_not(tmp_path: Path) -> None:
    for number in range(sessions.KEPT + 9):
        sessions.change(tmp_path, f"s{number}", lambda _: Begun("t"))
        os.utime(tmp_path / PLACE / "sessions" / f"s{number}.json", (number, number))
    kept = {path.stem for path in (tmp_path / PLACE / "sessions").iterdir()}
    assert len(kept) == sessions.KEPT
    assert f"s{sessions.KEPT + 8}" in kept
    assert "s0" not in kept


def test_a_session_whose_file_stays_busy_is_left_alone(tmp_path: Path) -> None:
    def again(begun: Begun) -> Begun:
        sessions.change(tmp_path, "s", lambda _: Begun("inner"))
        return Begun("outer")

    sessions.change(tmp_path, "s", again)
    assert remembered(tmp_path) == Begun("outer")


def test_a_session_stays_in_its_folder_whatever_it_is_called(tmp_path: Path) -> None:
    sessions.change(tmp_path, "../../evil/\0", lambda _: Begun("t"))
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / PLACE / "sessions"]


def test_every_nudge_is_kept_and_a_line_that_is_none_is_left_out(tmp_path: Path) -> None:
    assert sessions.shown(tmp_path) == []
    (tmp_path / PLACE).mkdir(parents=True)
    noted = [Shown("s", "gate", 1.5), Shown("s", "save", 2.0)]
    sessions.note(tmp_path, noted[0])
    with (tmp_path / PLACE / "shown.jsonl").open("a") as file:
        file.write(f"half\n[]\n{json.dumps({'session': 's'})}\n")
    sessions.note(tmp_path, noted[1])
    assert sessions.shown(tmp_path) == noted
