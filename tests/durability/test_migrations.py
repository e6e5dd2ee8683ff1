"""A store of any released form comes up to date whole or stays as it was, and one of a newer form is not touched."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from meta import store
from meta.errors import UserError
from meta.model import Event, Session
from meta.store import Cursor, Store
from tests.durability.disks import Disk, Fault

HEAD = len(store._MIGRATIONS)
SESSIONS = [Session("a", f"s{n}", (Event("e", "prompt", text="x" * 2000),), path="f") for n in range(3)]


def made(place: Path, version: int) -> Path:
    """A store as the release with this form left it: by its own statements, with rows of its own."""
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for statement in (statement for script in store._MIGRATIONS[:version] for statement in script):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {version}")
        database.execute("INSERT INTO files VALUES ('f', '1', '2', 3, 4, 'h')")
        for row in (Store._row(Cursor("f", 1, 2, 3, 4, "h"), *numbered) for numbered in enumerate(SESSIONS)):
            database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.execute("INSERT INTO results VALUES ('k', 't')")
    return place


def form(place: Path) -> tuple[int, list[tuple[str, str]]]:
    """The version and the tables and indices, after a check of the whole."""
    with contextlib.closing(sqlite3.connect(place)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (version,) = database.execute("PRAGMA user_version").fetchone()
        rows = database.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
        return version, rows.fetchall()


def migrated(index: Store) -> None:
    assert index.sessions() == SESSIONS
    assert index.holds(Cursor("f", 1, 2, 3, 4, "h"))
    assert index.cached("k") == "t"
    assert index.files_of("a", "s1") == ["f"]


@pytest.mark.parametrize("version", range(1, HEAD + 1))
def test_a_store_of_every_released_form_comes_up_to_date_with_all_it_held(tmp_path: Path, version: int) -> None:
    with Store(made(tmp_path / "old", version)) as index:
        migrated(index)
    Store(tmp_path / "new").close()
    assert form(tmp_path / "old") == form(tmp_path / "new")


@pytest.mark.parametrize("fault", ["killed", "full", "broken"])
@pytest.mark.parametrize("version", [pytest.param(0, marks=pytest.mark.slow), *range(1, HEAD)])
def test_a_migration_that_stops_at_any_operation_is_whole_or_not_begun(
    tmp_path: Path, version: int, fault: Fault
) -> None:
    def opened(at: int) -> Disk:
        disk = Disk(fault, at)
        for file in tmp_path.glob("db*"):
            file.unlink()
        if version:
            made(tmp_path / "db", version)
        with contextlib.suppress(apsw.Error), disk.connection(str(tmp_path / "db")) as database:
            Store(tmp_path / "db", lambda _: database)
        return disk

    Store(tmp_path / "new").close()
    operations = opened(0).operations
    assert operations > 5
    for at in range(1, operations + 1):
        opened(at)
        if version:
            assert form(tmp_path / "db")[0] in (version, HEAD)
        with Store(tmp_path / "db") as index:
            if version:
                migrated(index)
        assert form(tmp_path / "db") == form(tmp_path / "new")


@pytest.mark.slow
@pytest.mark.parametrize("version", range(HEAD))
def test_a_process_killed_before_any_statement_of_a_migration_leaves_a_store_that_opens(
    tmp_path: Path, version: int
) -> None:
    program = (
        "import os, signal, sqlite3, sys\nfrom pathlib import Path\nfrom meta.store import Store\n"
        "left = int(sys.argv[2])\n"
        "def count(statement):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if not left: os.kill(os.getpid(), signal.SIGKILL)\n"
        "def connect(place):\n"
        "    database = sqlite3.connect(place, isolation_level=None)\n"
        "    database.set_trace_callback(count)\n"
        "    return database\n"
        "Store(Path(sys.argv[1]), connect)"
    )
    for number in range(1, 100):
        place = tmp_path / f"{number}"
        if version:
            made(place, version)
        code = subprocess.run([sys.executable, "-c", program, str(place), str(number)], check=False).returncode
        with Store(place) as index:
            if version:
                migrated(index)
        if not code:
            break
        assert code == -signal.SIGKILL
    assert number > len(store._MIGRATIONS[version])


@pytest.mark.parametrize("kind", ["WAL", "DELETE"])
def test_older_code_refuses_a_newer_store_and_does_not_write_a_byte(tmp_path: Path, kind: str) -> None:
    place = made(tmp_path / "db", HEAD)
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode = {kind}").fetchall()
        database.execute(f"PRAGMA user_version = {HEAD + 1}")
        database.execute("CREATE TABLE later (x)")
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.glob("db*")}
    with pytest.raises(UserError, match="newer meta"):
        Store(place)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.glob("db*")} == before


def test_the_statements_of_released_forms_are_never_changed() -> None:
    """What is in stores out there cannot be edited: a new form is a tuple more."""
    known = ["7a45", "0011"]
    assert [_mark(script)[:4] for script in store._MIGRATIONS[: len(known)]] == known


def _mark(script: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(" ".join(statement.split()) for statement in script).encode()).hexdigest()
