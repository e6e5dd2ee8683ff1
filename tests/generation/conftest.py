"""Every kind of tool, rendered once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meta.generation.generate import generate
from meta.model import Tool
from tests.generation.workflows import CASES, DECISION, ESTIMATE


@pytest.fixture(scope="session")
def tools() -> dict[str, Tool]:
    return {name: generate(case.workflow, ESTIMATE, DECISION) for name, case in CASES.items()}


@pytest.fixture(scope="session")
def folders(tools: dict[str, Tool], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each tool, written out."""
    folders = {}
    for name, tool in tools.items():
        folders[name] = tmp_path_factory.mktemp(name)
        for path, text in tool.files.items():
            (folders[name] / path).write_text(text)
    return folders


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts programs on PATH that note their words, and makes the current folder a project."""
    binaries, project = tmp_path / "bin", tmp_path / "project"
    binaries.mkdir()
    (project / ".git").mkdir(parents=True)
    (project / "sub").mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("PATH", str(binaries), prepend=":")
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))

    def put(name: str, then: str = "") -> Path:
        program = binaries / name
        program.write_text(
            f'#!/bin/bash\nprintf "%s\\0" {name} "$@" >> "$NOTES"; printf "\\n\\0" >> "$NOTES"\n{then}\n'
        )
        program.chmod(0o755)
        return tmp_path / "notes"

    return put
