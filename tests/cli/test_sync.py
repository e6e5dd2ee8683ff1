"""The door to a place of one's own: what was done is told, a dry run does nothing, a mistake is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Desk, snapshot, write
from tests.cli.conftest import session as made

pytest.importorskip("fsspec")


def test_the_archive_is_sent_once(desk: Desk, repository: Path, tmp_path: Path) -> None:
    desk("init")
    desk("extract", write(tmp_path / "sessions", made(1), made(2)))
    place = tmp_path / "place"
    url = f"file://{place}"
    before = snapshot(tmp_path)
    assert len(desk.json("sync", url, "--dry-run")["sent"]) == 2
    after = snapshot(tmp_path)
    assert {path for path in after if after[path] != before.get(path)} <= {"home/state/meta", "home/state/meta/machine"}
    assert len(desk.json("sync", url, "--key", tmp_path / "key")["sent"]) == 2
    assert "0 files sent" in desk("sync", url, "--key", tmp_path / "key")
    assert "sealed" in desk.complaint("sync", url)
    assert "nowhere" in desk.complaint("sync", "nowhere://x")
