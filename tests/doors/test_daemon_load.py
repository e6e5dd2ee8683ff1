"""The daemon's index stays what a fresh full read gives while files are completed, renamed, moved and deleted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meta import config, intake, sources
from meta.daemon import control, reach
from meta.store import Store
from tests.doors.conftest import kept
from tests.doors.test_daemon import indexed, until

pytestmark = pytest.mark.slow


FILES, FOLDERS = 40_000, 200
WATCHES = 50  # that the system grants, far fewer than there are folders


@contextmanager
def daemon(workspace: Path, *within: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = [*within, sys.executable, "-m", "meta", "watch", "--workspace", str(workspace)]
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


def test_a_file_that_was_cut_short_and_written_anew_ends_as_a_fresh_read_does(workspace: Path, home: Path) -> None:
    path = kept(home, 0)
    whole = path.read_bytes()
    with daemon(workspace):
        assert until(lambda: indexed(workspace) == 1)
        for left in (len(whole) // 2, 0):
            path.write_bytes(whole[:left])
            kept(home, left + 1)
            assert until(lambda: known(workspace) == read_anew() != [])
        path.write_bytes(whole)
        assert until(lambda: indexed(workspace) == 3 and known(workspace) == read_anew())


def limited() -> tuple[str, ...]:
    """What starts a program that gets few watches, () where that cannot be."""
    words = ("unshare", "-r", "sh", "-c", f'echo {WATCHES} > /proc/sys/user/max_inotify_watches && exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        return ()
    return words


def burst(home: Path) -> None:
    """Sessions of one command each, in many folders."""
    for number in range(FILES):
        name, folder = f"s{number:06d}", home / ".claude" / "projects" / f"-p{number % FOLDERS}"
        folder.mkdir(exist_ok=True)
        about = {"sessionId": name, "cwd": f"/home/ann/p{number % FOLDERS}", "timestamp": "2026-01-01T10:00:00.000Z"}
        call = {"type": "tool_use", "id": f"t{name}", "name": "Bash", "input": {"command": f"ls dir{number}"}}
        rows = (
            {**about, "type": "user", "uuid": f"{name}u", "message": {"role": "user", "content": "list the files"}},
            {**about, "type": "assistant", "uuid": f"{name}a", "parentUuid": f"{name}u",
             "message": {"role": "assistant", "id": f"m{name}", "content": [call]}},
        )  # fmt: skip
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_burst_of_files_in_more_folders_than_can_be_watched_is_in_the_index_within_a_minute(
    workspace: Path, home: Path
) -> None:
    words = limited()
    if not words:
        pytest.skip("the number of watches cannot be limited here")
    (home / ".claude" / "projects" / "-p0").mkdir()
    with daemon(workspace, *words):
        assert until(lambda: (reach.ask(workspace) or {}).get("runs") == 1)
        burst(home)
        start = time.monotonic()
        place = workspace / ".meta" / "store.sqlite"

        def stored() -> int:
            with contextlib.closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as store:
                return int(store.execute("select count(*) from sessions where events > 0").fetchone()[0])

        assert until(lambda: stored() == FILES, 60.0), stored()
        print(
            f"{FILES} files in {FOLDERS} folders with {WATCHES} watches: {time.monotonic() - start:.1f} s after the last"
        )


def test_what_an_agent_deletes_stays_in_the_index(workspace: Path, home: Path) -> None:
    kept(home, 0)
    with daemon(workspace):
        assert until(lambda: indexed(workspace) == 1)
        before = known(workspace)
        shutil.rmtree(home / ".claude" / "projects" / "shop")
        kept(home, 1)
        assert until(lambda: indexed(workspace) == 2)
        assert set(before) < set(known(workspace))
