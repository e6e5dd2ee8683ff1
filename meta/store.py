"""The index of what was read: which files, in what state, with what sessions; made again from the archive at will.

It merges nothing and mines nothing: what several files tell about one session is kept apart, by file, and joined by
the caller's function when loaded. A session is one JSON text and not a row an event, because mining always wants whole
sessions: one `json.loads` a session is several times faster than building rows, and a file's part is replaced as one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Self

from meta.errors import UserError
from meta.model import Event, Session, Usage

OUTPUT_LIMIT = 4096  # characters of an event's output that mining may see
_CUT = "\n[...]\n"
RESULTS = 2048  # computed results that are kept, the youngest

_MIGRATIONS = (  # one tuple of statements a version; only ever added to
    (
        """CREATE TABLE files (
            path TEXT PRIMARY KEY, device TEXT NOT NULL, inode TEXT NOT NULL, size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL, head TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE sessions (
            file TEXT NOT NULL REFERENCES files (path) ON DELETE CASCADE, position INTEGER NOT NULL,
            agent TEXT NOT NULL, session TEXT NOT NULL, project TEXT NOT NULL, started REAL,
            events INTEGER NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (file, position))""",
        "CREATE INDEX sessions_by_digest ON sessions (digest)",
        "CREATE TABLE results (key TEXT PRIMARY KEY, text TEXT NOT NULL)",
    ),
    ("CREATE INDEX sessions_by_name ON sessions (agent, session)",),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The state in which a file was read; `head` is the hash of its first 4 KiB."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    head: str

    @classmethod
    def of(cls, path: Path) -> Cursor:
        """The state of a file now. Take it before reading, so that what is written meanwhile counts as a change."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            head = hashlib.sha256(file.read(4096)).hexdigest()
        return cls(str(path), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, head)

    @classmethod
    def told(cls, path: Path, state: str) -> Cursor:
        """The state of what is no file, such as a repository, as a text that changes with it."""
        return cls(str(path), 0, 0, len(state), 0, hashlib.sha256(state.encode()).hexdigest())


def _connected(place: str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=10, isolation_level=None)


class Store:
    """The index in one SQLite file (or in memory). Every change is one transaction, on disk when the call is back.

    `connect` opens the database; another driver of SQLite may stand for the usual one.
    """

    def __init__(self, path: Path | None = None, connect: Callable[[str], sqlite3.Connection] = _connected) -> None:
        self._name = str(path) if path else "the store in memory"
        with self._explained():
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = connect(str(path) if path else ":memory:")
        try:
            self._refuse_newer()
            with self._explained():
                for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                    self._database.execute(f"PRAGMA {setting}").fetchall()
            self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise UserError(
                f"cannot use {self._name}: {error}. Make room or access, or wait for other runs."
            ) from error
        except OSError as error:
            raise UserError(f"cannot use {self._name}: {error.strerror}. Make room or access.") from error
        except sqlite3.DatabaseError as error:
            raise UserError(f"{self._name} is damaged ({error}). Delete it and run `meta rebuild`.") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        if self._version() == len(_MIGRATIONS):
            return
        with self._transaction() as database:
            version = self._version()  # another process may have been quicker
            self._refuse_newer()
            for statement in (statement for script in _MIGRATIONS[version:] for statement in script):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")

    def _refuse_newer(self) -> None:
        """Before anything is written: even the kind of its journal is part of a newer form."""
        version = self._version()
        if version > len(_MIGRATIONS):
            raise UserError(f"{self._name} was made by a newer meta (its form {version}). Update meta to use it.")

    def _version(self) -> int:
        with self._explained():
            return int(self._database.execute("PRAGMA user_version").fetchone()[0])

    def unchanged(self, path: Path) -> bool:
        """Whether the file is as it was when it was read, as far as its status tells."""
        try:
            status = path.stat()
        except OSError:
            return False
        query = "SELECT device, inode, size, mtime_ns FROM files WHERE path = ?"
        with self._explained():
            row = self._database.execute(query, (_column(str(path)),)).fetchone()
        return bool(row == (str(status.st_dev), str(status.st_ino), status.st_size, status.st_mtime_ns))

    def holds(self, cursor: Cursor) -> bool:
        """Whether what the cursor names was read in just that state."""
        with self._explained():
            row = self._database.execute("SELECT head FROM files WHERE path = ?", (_column(cursor.path),)).fetchone()
        return bool(row == (cursor.head,))

    def add(self, cursor: Cursor, sessions: Iterable[Session]) -> None:
        """Put what a file holds in the place of what it held before, its cursor and its sessions at once."""
        self.add_all([(cursor, sessions)])

    def add_all(self, read: Iterable[tuple[Cursor, Iterable[Session]]]) -> None:
        """The same for many files in one transaction: each of its own would wait for the disk."""
        with self._transaction() as database:
            for cursor, sessions in read:
                rows = [self._row(cursor, position, session) for position, session in enumerate(sessions)]
                path, device, inode, *rest = astuple(cursor)
                database.execute("DELETE FROM files WHERE path = ?", (_column(path),))
                values = (_column(path), str(device), str(inode), *rest)  # both may need more than 63 bits
                database.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)", values)
                database.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    @staticmethod
    def _row(cursor: Cursor, position: int, session: Session) -> tuple[object, ...]:
        body = _body(session)
        names = map(_column, (session.agent, session.id, session.project))
        digest = hashlib.sha256(body.encode()).hexdigest()
        return (_column(cursor.path), position, *names, session.started, len(session.events), digest, body)

    def forget(self, path: Path) -> None:
        """Drop a file and what it told, as when it was removed."""
        with self._transaction() as database:
            database.execute("DELETE FROM files WHERE path = ?", (_column(str(path)),))

    def paths(self) -> list[str]:
        """The files that are known, in order."""
        with self._explained():
            return [path for (path,) in self._database.execute("SELECT path FROM files ORDER BY path")]

    def files_of(self, agent: str, session: str) -> list[str]:
        """The files that tell about a session, in order."""
        query = "SELECT DISTINCT file FROM sessions WHERE agent = ? AND session = ? ORDER BY file"
        with self._explained():
            return [file for (file,) in self._database.execute(query, (_column(agent), _column(session)))]

    def sessions(
        self, merge: Callable[[Iterable[Session]], list[Session]] = list, project: str | None = None
    ) -> list[Session]:
        """All sessions, or those of one project, joined by `merge`; long outputs have lost their middle.

        `merge` is given every file's sessions in the order of the paths, so the order of insertion does not matter.
        """
        where, values = ("WHERE project = ?", (_column(project),)) if project is not None else ("", ())
        query = f"SELECT body, file FROM sessions {where} ORDER BY file, position"
        with self._explained():
            rows = self._database.execute(query, values).fetchall()
        return merge(_session(body, path) for body, path in rows)

    def fingerprint(self) -> str:
        """A hash of what all files tell, wherever they lie and in whatever order they were added."""
        with self._explained():
            digests = self._database.execute("SELECT DISTINCT digest FROM sessions ORDER BY digest")
            return hashlib.sha256("".join(digest for (digest,) in digests).encode()).hexdigest()

    def projects(self) -> dict[str, str]:
        """The projects, each with a hash of what all files tell about it."""
        with self._explained():
            rows = self._database.execute("SELECT DISTINCT project, digest FROM sessions ORDER BY project, digest")
            marks: dict[str, str] = {}
            for name, digest in rows:
                marks[name] = hashlib.sha256((marks.get(name, "") + digest).encode()).hexdigest()
            return marks

    def cached(self, key: str) -> str | None:
        """A result that was computed before under this key, None where there is none."""
        with self._explained():
            row = self._database.execute("SELECT text FROM results WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def cache(self, key: str, text: str) -> None:
        """Keep a computed result; `key` must tell all that went into it, such as the fingerprint. Old ones go."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO results VALUES (?, ?)", (key, text))
            oldest = "SELECT rowid FROM results ORDER BY rowid DESC LIMIT -1 OFFSET ?"
            database.execute(f"DELETE FROM results WHERE rowid IN ({oldest})", (RESULTS,))


def clip(output: str) -> str:
    """The output where it is short, else its head and its tail, `OUTPUT_LIMIT` characters in all."""
    if len(output) <= OUTPUT_LIMIT:
        return output
    half = (OUTPUT_LIMIT - len(_CUT)) // 2
    return output[:half] + _CUT + output[-half:]


def _column(text: str) -> str:
    """Text that SQLite can hold; columns are for looking up, `body` holds the truth."""
    return text.encode(errors="backslashreplace").decode()


_EVENT = tuple(field.name for field in fields(Event))
_OUTPUT, _ARGUMENTS, _USAGE = (_EVENT.index(name) for name in ("output", "arguments", "usage"))
_SESSION = tuple(field.name for field in fields(Session) if field.name not in ("events", "path"))


def _body(session: Session) -> str:
    """The session as JSON, fields by position and mappings in one order; the path is left to the file's row."""
    about = {name: getattr(session, name) for name in _SESSION}
    about["skipped"] = dict(session.skipped)
    text = json.dumps(about, sort_keys=True, separators=(",", ":"))
    events = json.dumps([_values(event) for event in session.events], sort_keys=True, separators=(",", ":"))
    return f"[{text},{events}]"


def _values(event: Event) -> list[Any]:
    values = [getattr(event, name) for name in _EVENT]
    values[_OUTPUT] = clip(event.output)
    values[_ARGUMENTS] = dict(event.arguments)
    values[_USAGE] = astuple(event.usage) if event.usage else None
    return values


def _session(body: str, path: str) -> Session:
    about, events = json.loads(body)
    for values in events:
        if values[_USAGE] is not None:
            values[_USAGE] = Usage(*values[_USAGE])
    return Session(events=tuple(Event(*values) for values in events), path=path, **about)
