"""The daemon's index stays what a fresh full read gives while files are completed, renamed, moved and deleted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meta import config, intake, sources
from meta.daemon import control
from meta.store import Store
from tests.doors.conftest import kept
from tests.doors.test_daemon import indexed, until

pytestmark = pytest.mark.slow


@contextmanager
def daemon(workspace: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-m", "meta", "watch", "--workspace", str(workspace)]
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        control.stop(config.load(workspace, {}))
        process.kill()
        process.wait(10)


def events(store: Store) -> list[tuple[str, int]]:
    return sorted((one.id, len(one.events)) for one in store.sessions(sources.merge) if one.events)


def read_anew() -> list[tuple[str, int]]:
    with Store() as store:
        intake.ingest(store, sources.defaults(Path.home(), os.environ), intake.quiet)
        return events(store)


def known(workspace: Path) -> list[tuple[str, int]]:
    with Store(workspace / ".meta" / "store.sqlite") as store:
        return events(store)


def test_half_lines_rotated_files_and_moved_folders_end_as_a_fresh_read_does(workspace: Path, home: Path) -> None:
    paths = [kept(home, number) for number in range(3)]
    whole = paths[0].read_bytes()
    paths[0].write_bytes(whole[:-20])
    with daemon(workspace):
        assert until(lambda: indexed(workspace) >= 2)
        paths[0].write_bytes(whole)
        paths[1].rename(paths[1].with_name("1.old.jsonl"))
        kept(home, 3)
        shop = paths[0].parent
        shop.rename(shop.with_name("moved"))
        assert until(lambda: indexed(workspace) == 4 and known(workspace) == read_anew())


def test_what_an_agent_deletes_stays_in_the_index(workspace: Path, home: Path) -> None:
    kept(home, 0)
    with daemon(workspace):
        assert until(lambda: indexed(workspace) == 1)
        before = known(workspace)
        shutil.rmtree(home / ".claude" / "projects" / "shop")
        kept(home, 1)
        assert until(lambda: indexed(workspace) == 2)
        assert set(before) < set(known(workspace))
