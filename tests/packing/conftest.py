"""The tools of a packing competition, rendered once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.packing import rendered


@pytest.fixture(scope="session")
def packing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """packing-2d for one to five trees."""
    return rendered("packing-2d", tmp_path_factory.mktemp("packing-2d"), largest=5)


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rendered("submission-gate", tmp_path_factory.mktemp("submission-gate"))
