"""Many writers of one settings file at once, ours and an agent with or without its lock: what each may lose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meta import files
from meta.edits import edit_key
from meta.errors import UserError
from meta.keys import Own

OURS = """
import sys
from pathlib import Path
from meta.edits import edit_key
from meta.keys import Own
path, name, edits = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(edits):
    edit_key(path, Own(("mcpServers", f"{name}-{number}"), {"command": name}))
    print(f"{name}-{number}")
"""
# What an agent does with its settings: it reads them, counts something up, and writes them all; mostly beside and
# renamed, at times in place. Where it takes a lock, that is a folder beside the file, passed over when it is stale.
# Beside the file it keeps what it believes to have written.
THEIRS = """
import json, os, random, sys, time
from contextlib import contextmanager
from pathlib import Path
path, log, stop, pause = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
lock = path.with_name(path.name + ".lock") if sys.argv[5] == "locks" else None
random.seed(1)
count = torn = 0

@contextmanager
def locked():
    while lock:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            try:
                if time.time() - lock.stat().st_mtime > 10:
                    lock.rmdir()
            except FileNotFoundError:
                pass
            time.sleep(0.001)
    yield
    if lock:
        lock.rmdir()

def rewrite():
    global count, torn
    try:
        values = json.loads(path.read_text())
    except ValueError:
        torn += 1
        return
    lost = values["theirs"]["count"] != count
    if lost:
        with log.open("a") as file: file.write(f"lost {count} {values['theirs']['count']}\\n")
    count += 1
    values["theirs"]["count"] = count
    values["theirs"][f"k{count % 50}"] = count
    text = json.dumps(values, indent=2)
    if random.random() < 0.8:
        draft = path.with_name(f"settings.json.tmp.{os.getpid()}")
        draft.write_text(text)
        draft.replace(path)
    else:
        path.write_text(text)

while not stop.exists():
    with locked():
        rewrite()
    time.sleep(pause)
with log.open("a") as file: file.write(f"wrote {count} torn {torn}\\n")
"""


def together(
    folder: Path, writers: int, edits: int, pause: float | None, *, locks: bool
) -> tuple[dict[str, int], list[str]]:
    """How many entries are missing in the end, and what ours complain of. `pause` None: no other program writes."""
    folder.mkdir()
    path, log, stop = (folder / name for name in ("settings.json", "log", "stop"))
    path.write_text(json.dumps({"theirs": {"count": 0}, "mcpServers": {"mine": {"command": "x"}}}, indent=2))
    log.write_text("")
    if pause is None:
        stop.touch()
    arguments = [str(path), str(log), str(stop), str(pause or 0), "locks" if locks else ""]
    theirs = subprocess.Popen([sys.executable, "-c", THEIRS, *arguments])
    ours = [
        subprocess.Popen(
            [sys.executable, "-c", OURS, str(path), f"w{number}", str(edits)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(writers)
    ]
    complaints, acknowledged = [], set()
    for process in ours:
        out, err = process.communicate(timeout=2000)
        acknowledged |= set(out.split())
        if process.returncode:
            complaints.append(err[-300:])
    stop.touch()
    assert theirs.wait(30) == 0
    values = json.loads(path.read_text())
    assert values["mcpServers"]["mine"] == {"command": "x"}
    told = log.read_text().splitlines()
    found = {
        "ours": len(acknowledged),
        "ours lost": len(acknowledged - values["mcpServers"].keys()),
        "theirs": int(told[-1].split()[1]),
        "theirs lost": sum(line.startswith("lost") for line in told),
    }
    assert sorted(path.name for path in folder.iterdir()) == ["log", "settings.json", "stop"], "something is left over"
    return found, complaints


def test_writers_of_ours_and_an_agent_that_locks_lose_nothing_of_each_other(tmp_path: Path) -> None:
    found, complaints = together(tmp_path / "agent", writers=4, edits=4, pause=0.02, locks=True)
    assert complaints == []
    assert found["theirs"] > 3
    assert (found["ours"], found["ours lost"], found["theirs lost"]) == (16, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [None, 0.05, 0.2])
def test_eight_writers_lose_nothing_of_each_other_nor_of_an_agent_that_locks(
    tmp_path: Path, pause: float | None
) -> None:
    found, complaints = together(tmp_path / "agent", 8, 200, pause, locks=True)
    print(found, complaints)
    assert complaints == []
    assert (found["ours"], found["ours lost"], found["theirs lost"]) == (1600, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.05, 0.2])
def test_what_an_agent_without_a_lock_writes_is_kept_and_of_ours_nearly_all(tmp_path: Path, pause: float) -> None:
    """Of ours a few may go: it may have read before we wrote, and written after the moment in which we looked again.

    One in a hundred is what is allowed: the moment is 20 ms, and such a program rarely takes as long from its
    reading to its writing, but for one that is held up.
    """
    found, complaints = together(tmp_path / "agent", 8, 200, pause, locks=False)
    print(found, complaints)
    assert found["theirs lost"] == 0
    assert found["ours lost"] <= found["ours"] / 100
    assert all("keeps changing while it is edited" in complaint for complaint in complaints)


VALUE = Own(("mcpServers", "meta"), {"command": "meta"})


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    return path


@pytest.mark.parametrize("kind", ["of an agent that has stopped", "of ours that was killed", "that is no folder"])
def test_a_lock_that_nobody_holds_is_passed_over(settings: Path, kind: str) -> None:
    lock = settings.with_name("settings.json.lock")
    if kind.endswith("folder"):
        lock.touch()
    else:
        lock.mkdir(0o1755 if "ours" in kind else 0o755)
    if "ours" not in kind:
        os.utime(lock, (time.time() - 11,) * 2)
    assert edit_key(settings, VALUE)
    assert lock.exists() == kind.endswith("folder")


def test_a_lock_that_is_held_is_waited_for(settings: Path) -> None:
    lock = settings.with_name("settings.json.lock")
    lock.mkdir()
    editing = subprocess.Popen([sys.executable, "-c", OURS, str(settings), "w", "1"], stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        editing.wait(1)
    assert settings.read_text() == "{}"
    lock.rmdir()
    assert editing.communicate(timeout=30)[0] == b"w-0\n"


@pytest.mark.slow
def test_a_lock_that_is_never_given_back_is_told_of_and_left(settings: Path) -> None:
    lock = settings.with_name("settings.json.lock")
    lock.mkdir()
    os.utime(lock, (time.time() + 60,) * 2)
    with pytest.raises(UserError, match="is held by another program"):
        edit_key(settings, VALUE)
    assert settings.read_text() == "{}"
    assert lock.exists()


def test_a_link_is_locked_where_it_leads(settings: Path) -> None:
    link = settings.with_name("link.json")
    link.symlink_to(settings)
    with files.turn(link, shared=True):
        assert settings.with_name("settings.json.lock").is_dir()
    with files.turn(link):
        assert not settings.with_name("settings.json.lock").exists()
