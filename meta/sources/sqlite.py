"""Other programs' SQLite databases, opened so that nothing in them can change.

The tables are each format's own knowledge.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

MAGIC = b"SQLite format 3\0"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write; what still stands in the write-ahead log is seen.

    Where the log cannot be opened (a read-only folder) the database is read without it.
    """
    with closing(_open(path)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.row_factory = sqlite3.Row
        yield connection


def _open(path: Path) -> sqlite3.Connection:
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True)
        try:
            connection.execute("select name from sqlite_master limit 1").fetchall()
        except sqlite3.DatabaseError:
            connection.close()
        else:
            return connection
    raise OSError(f"{path} cannot be opened as a database")


def select(
    connection: sqlite3.Connection, skipped: Counter[str], statement: str, *values: str
) -> Iterator[sqlite3.Row]:
    """The rows up to where the database is damaged, which is counted."""
    try:
        yield from connection.execute(statement, values)
    except sqlite3.DatabaseError:
        skipped["damaged database"] += 1


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The columns of a table; empty where there is no such table."""
    rows = select(connection, Counter(), "select name from pragma_table_info(?)", table)
    return frozenset(row["name"] for row in rows)


def has(path: Path, head: bytes, table: str, wanted: frozenset[str]) -> bool:
    """Whether the file is a database with this table and at least these columns."""
    if not head.startswith(MAGIC):
        return False
    try:
        with reading(path) as connection:
            return wanted <= columns(connection, table)
    except OSError:
        return False
