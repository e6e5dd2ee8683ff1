"""Whether a tool's own tests pass in the sandbox, without a network and in a copy that is thrown away."""

from __future__ import annotations

import shutil
from pathlib import Path

from meta.model import Check
from meta.verification import sandbox


def check(tool: Path, *, harmless: bool = False) -> Check:
    """The check "own tests" of the tool in this folder. The test file is a program that exits 0 when all is well."""
    if not (tool / "test_tool.py").exists():
        return Check("own tests", False, "it has no tests")
    with sandbox.scratch() as folder:
        shutil.copytree(tool, folder, dirs_exist_ok=True)
        sandbox.give(folder)
        ran = sandbox.run([sandbox.python(), "test_tool.py"], folder, harmless=harmless)
    if ran.code is None:
        return Check("own tests", False, "time was up")
    count = sum(
        line.startswith("def test_") for line in (tool / "test_tool.py").read_text().replace("    ", "").split("\n")
    )
    if ran.code == 0 and count:
        return Check("own tests", True, f"{count} test{'s' if count != 1 else ''} passed without a network")
    last = " / ".join([line for line in ran.stderr.splitlines() if line.strip()][-2:])
    return Check("own tests", False, last or f"exit code {ran.code}, {count} tests")
