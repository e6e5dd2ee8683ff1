"""The tabular tool rendered from its template, and its modules, which stand alone and go when the tests are done."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from meta.generation import render

MODULES = ("artefacts", "blend", "data", "encoding", "folds", "gates", "metrics", "model", "runs", "tool", "variants")


@pytest.fixture(scope="session")
def rendered() -> dict[str, str]:
    """The tool's files by their names."""
    return render.render([render.folder(None, "tabular-cv")], {})


@pytest.fixture(scope="session")
def place(rendered: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tabular-cv")
    for name, text in rendered.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def tabular(place: Path) -> Iterator[SimpleNamespace]:
    """The tool's modules by their names."""
    sys.path.insert(0, str(place))
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    sys.path.remove(str(place))
    for name in MODULES:
        del sys.modules[name]
