"""atuin, zsh, bash and fish."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meta.model import Session
from meta.sources import atuin, bash, fish, zsh
from meta.sources.base import Source

T = 1767261600
BASE = """id text primary key, timestamp integer not null, duration integer not null, exit integer not null,
    command text not null, cwd text not null, session text not null, hostname text not null"""
NOW = f"{BASE}, deleted_at integer, author text, intent text, shell text, author_kind integer"


def texts(sessions: list[Session]) -> list[list[str]]:
    return [[event.text for event in session.events] for session in sessions]


def history(source: Source, tmp_path: Path, raw: bytes, name: str = "history") -> list[Session]:
    path = tmp_path / name
    path.write_bytes(raw)
    assert source.sniff(path, raw)
    return list(source.read(path))


def test_zsh_joins_continued_lines_and_undoes_metafied_bytes(tmp_path: Path) -> None:
    meta = bytes([0x83, 0x83 ^ 32])  # how zsh writes the byte 0x83
    raw = b": 1767261600:3;echo a\\\necho b\n: 1767261601:0;echo '\xc3" + meta + b"'\n: 1767261602:0;echo \\\\\nodd\n"
    (found,) = history(zsh.source, tmp_path, raw)
    assert texts([found]) == [["echo a\necho b", "echo 'Ã'".replace("Ã", "\u00c3"), "echo \\\\"]]
    assert [event.seconds for event in found.events] == [3.0, None, None]
    assert (found.agent, found.origin, found.skipped) == ("zsh", "shell", {"not an entry": 1})


@pytest.mark.parametrize(
    ("source", "raw"),
    [
        (zsh.source, ": {}:0;a\n: {}:0;b\n: {}:0;c\n"),
        (bash.source, "#{}\na\n#{}\nb\n#{}\nc\n"),
        (fish.source, "- cmd: a\n  when: {}\n- cmd: b\n  when: {}\n- cmd: c\n  when: {}\n"),
    ],
    ids=["zsh", "bash", "fish"],
)
def test_half_an_hour_without_a_command_ends_a_session(source: Source, raw: str, tmp_path: Path) -> None:
    found = history(source, tmp_path, raw.format(T, T + 1800, T + 3601).encode())
    assert texts(found) == [["a", "b"], ["c"]]
    assert [session.id for session in found] == [f"{source.name}-{T}", f"{source.name}-{T + 3601}"]
    assert {event.tool_kind for session in found for event in session.events} == {"shell"}


def test_a_history_that_grew_keeps_the_ids_it_had(tmp_path: Path) -> None:
    raw = b": 1767261600:0;a\n: 1767261600:0;a\n"
    (before,) = history(zsh.source, tmp_path, raw)
    (after,) = history(zsh.source, tmp_path, raw + b": 1767261600:0;b\n")
    assert after.events[:2] == before.events
    assert len({event.id for event in after.events}) == 3


def test_bash_without_times_is_one_session_and_known_by_its_name_only(tmp_path: Path) -> None:
    raw = b"make\n# a comment\nmake test\n"
    assert texts(history(bash.source, tmp_path, raw, ".bash_history")) == [["make", "# a comment", "make test"]]
    assert not bash.source.sniff(tmp_path / "notes", raw)
    assert not bash.source.sniff(tmp_path / "notes", b"#!/bin/bash\nmake\n")


def test_bash_keeps_the_lines_before_the_first_time_apart_and_those_after_it_together(tmp_path: Path) -> None:
    raw = b"a\nb\n#1767261600\nfor x in y; do\n  z\ndone\n"
    found = history(bash.source, tmp_path, raw, ".bash_history")
    assert texts(found) == [["a", "b", "for x in y; do\n  z\ndone"]]


def test_fish_undoes_its_two_escapes_and_skips_paths(tmp_path: Path) -> None:
    raw = b"- cmd: echo \\\\n \\n ls\n  when: 1767261600\n  paths:\n    - a\nodd\n"
    (found,) = history(fish.source, tmp_path, raw)
    assert (texts([found]), found.skipped) == ([["echo \\n \n ls"]], {"not an entry": 1})


@pytest.mark.parametrize("source", [zsh.source, bash.source, fish.source], ids=["zsh", "bash", "fish"])
@given(tail=st.binary(max_size=60))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_a_history_fail(source: Source, tail: bytes, tmp_path: Path) -> None:
    for example in source.examples:
        path = tmp_path / example.name
        path.write_bytes(example.raw.encode() + tail)
        assert sum(len(session.events) for session in source.read(path)) >= 1


def database(tmp_path: Path, columns: str, *rows: tuple[object, ...]) -> Path:
    path = tmp_path / "history.db"
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode=wal")
    connection.execute(f"create table history ({columns})")
    for row in rows:
        connection.execute(f"insert into history values ({', '.join('?' * len(row))})", row)
    connection.commit()
    connection.close()
    return path


def typed(
    number: int, second: int, command: str = "make", code: int = 0, author: str | None = None, kind: int | None = None,
    deleted: int | None = None,
) -> tuple[object, ...]:  # fmt: skip
    time = (T + second) * 10**9
    return (f"id{number}", time, 2 * 10**9, code, command, "/p", "ses", "host:ada", deleted, author, None, "zsh", kind)


def read_database(path: Path) -> list[Session]:
    assert atuin.source.sniff(path, path.read_bytes()[: 64 * 1024])
    return list(atuin.read(path))


def test_atuin_tells_exit_code_duration_and_folder(tmp_path: Path) -> None:
    (found,) = read_database(database(tmp_path, NOW, typed(1, 0), typed(2, 5, "rg x", 1), typed(3, 9, "x", -1)))
    assert [(e.text, e.status, e.exit_code, e.seconds, e.cwd) for e in found.events] == [
        ("make", "ok", 0, 2.0, "/p"),
        ("rg x", "ok", 1, 2.0, "/p"),
        ("x", "unknown", None, 2.0, "/p"),
    ]
    assert (found.agent, found.id, found.origin, found.started) == ("atuin", "ses", "shell", float(T))


def test_a_deleted_command_is_not_read_and_idling_cuts(tmp_path: Path) -> None:
    path = database(tmp_path, NOW, typed(1, 0), typed(2, 1, "secret", deleted=1), typed(3, 7200, "b"))
    assert [(session.id, len(session.events)) for session in read_database(path)] == [("ses", 1), ("ses.1", 1)]


@pytest.mark.parametrize(
    ("author", "kind", "agent"),
    [
        ("codex", 2, "codex"),
        ("codex", None, "codex"),
        ("ada", 1, ""),
        ("codex", 1, ""),
        ("ada", None, ""),
        (None, 2, "agent"),
    ],
)
def test_commands_of_an_agent_are_a_session_of_their_own(
    tmp_path: Path, author: str | None, kind: int | None, agent: str
) -> None:
    rows = [typed(1, 0, author="ada", kind=1), typed(2, 1, author=author, kind=kind), typed(3, 2, author="ada", kind=1)]
    found = read_database(database(tmp_path, NOW, *rows))
    expected = [("atuin", "shell", 2), (agent, "machine", 1)] if agent else [("atuin", "shell", 3)]
    assert [(session.agent, session.origin, len(session.events)) for session in found] == expected


def test_an_old_database_without_authors_is_read(tmp_path: Path) -> None:
    (found,) = read_database(database(tmp_path, BASE, typed(1, 0)[:8]))
    assert (found.agent, len(found.events)) == ("atuin", 1)


def test_a_damaged_database_is_counted(tmp_path: Path) -> None:
    path = database(tmp_path, NOW, *(typed(n, n, "make " + "x" * 400) for n in range(100)))
    raw = path.read_bytes()
    path.write_bytes(raw[: 2 * 4096] + b"\x07" * (len(raw) - 2 * 4096))
    assert [dict(session.skipped) for session in atuin.read(path)][-1] == {"damaged database": 1}
