"""What must answer at once loads no heavy package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[1] / "meta" / "data" / "sample"
HEAVY = (
    "numba", "llvmlite", "numpy", "pandas", "libcst", "copier", "jinja2", "genai_prices", "anthropic", "pydantic",
    "tree_sitter", "tree_sitter_bash", "re2", "git", "rich",
)  # fmt: skip
RUN = """
import json, sys
from meta.cli import main
if __name__ == "__main__":  # worker processes import this file again
    status = main(sys.argv[2:])
    sys.stdout.flush()
    open(sys.argv[1], "w").write(json.dumps([status, sorted(sys.modules)]))
"""


def loaded(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules that are loaded when the command is done."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    program, result = tmp_path / "run.py", tmp_path / "modules.json"
    program.write_text(RUN)
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[1])}
    environment |= {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CACHE", "STATE", "CONFIG", "DATA")}
    subprocess.run(
        [sys.executable, str(program), str(result), *arguments],
        cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    status, modules = json.loads(result.read_text())
    assert status == 0
    return set(modules)


@pytest.mark.parametrize("command", ["--help", "status", "tools", "lessons"])
def test_a_quick_command_loads_nothing_heavy(tmp_path: Path, command: str) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    loaded(tmp_path, "init")
    assert loaded(tmp_path, command).isdisjoint(HEAVY)


def test_only_the_first_mining_of_the_same_sessions_loads_what_mines(tmp_path: Path) -> None:
    assert "tree_sitter" in loaded(tmp_path, "mine", "--json", str(SAMPLE))
    assert loaded(tmp_path, "mine", "--json", str(SAMPLE)).isdisjoint(HEAVY)
