"""Many writers of one settings file at once, ours and a program that knows of no lock, lose nothing of each other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
# renamed, at times in place. It looks at no lock. Beside the file it keeps what it believes to have written.
THEIRS = """
import json, os, random, sys, time
from pathlib import Path
path, log, stop, pause = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
random.seed(1)
count = torn = 0
while not stop.exists():
    try:
        values = json.loads(path.read_text())
    except ValueError:
        torn += 1
        continue
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
    time.sleep(pause)
with log.open("a") as file: file.write(f"wrote {count} torn {torn}\\n")
"""


def together(folder: Path, writers: int, edits: int, pause: float) -> tuple[dict[str, int], list[str]]:
    """How many entries of ours are missing in the end, and what the other program has to complain of."""
    folder.mkdir()
    path, log, stop = (folder / name for name in ("settings.json", "log", "stop"))
    path.write_text(json.dumps({"theirs": {"count": 0}, "mcpServers": {"mine": {"command": "x"}}}, indent=2))
    log.write_text("")
    theirs = subprocess.Popen([sys.executable, "-c", THEIRS, str(path), str(log), str(stop), str(pause)])
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


def test_writers_of_ours_lose_nothing_of_each_other_nor_of_a_program_that_knows_of_no_lock(tmp_path: Path) -> None:
    found, complaints = together(tmp_path / "agent", writers=4, edits=4, pause=1.0)
    assert complaints == []
    assert found["theirs lost"] == 0
    assert found["ours"] == 16
    assert found["ours lost"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.05, 0.2])
def test_eight_writers_beside_a_program_that_rewrites_all_the_time(tmp_path: Path, pause: float) -> None:
    """What it writes is never lost. Of ours a few may be: it knows of no lock, and may have read before we wrote."""
    found, complaints = together(tmp_path / "agent", writers=8, edits=200, pause=pause)
    print(found, complaints)
    assert found["theirs lost"] == 0
    assert found["ours lost"] <= found["ours"] / 100
    assert all("keeps changing while it is edited" in complaint for complaint in complaints)
