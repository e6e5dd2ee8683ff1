"""A branch is on disk when it is told of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.durability import faults

PROGRAM = """
import sys
from pathlib import Path
from meta.registration import branch
repository = Path(sys.argv[1])
commit = branch.build(repository, {f"{n}.txt": branch.Blob(f"{n}") for n in range(3)}, "three files")
branch.move(repository, "refs/heads/meta/x", before="", after=commit)
"""


@pytest.mark.skipif(not faults.strace_works(), reason="strace is not there or may not trace")
def test_every_object_and_the_reference_are_synced(tmp_path: Path) -> None:
    repository, log = tmp_path / "repository", tmp_path / "log"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    trace = [faults.STRACE, "-f", "-y", "-o", str(log), "-e", "trace=fsync"]
    subprocess.run([*trace, sys.executable, "-c", PROGRAM, str(repository)], check=True)
    calls = [line.split(None, 1)[1] for line in log.read_text().splitlines() if "/.git/" in line]
    assert sum("/objects/" in call for call in calls) == 5  # three files, their tree, the commit
    assert sum("/refs/heads/meta/" in call for call in calls) == 1
