import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from meta.model import Session, Usage
from meta.sources.opencode import find, read, source

SCHEMA = """
create table session (id text primary key, project_id text, parent_id text, directory text, time_created integer);
create table message (id text primary key, session_id text, time_created integer, time_updated integer, data text);
create table part (id text primary key, message_id text, session_id text, time_created integer, data text);
"""
INFO: dict[str, Any] = {"id": "ses_1", "directory": "/p", "parentID": "ses_0", "projectID": "x", "time": {"created": 1}}
TOKENS = {"input": 10, "output": 2, "reasoning": 1, "cache": {"read": 3, "write": 4}}
USER: dict[str, Any] = {"role": "user", "id": "msg_1", "sessionID": "ses_1", "time": {"created": 1000}}
AGENT: dict[str, Any] = {
    "role": "assistant",
    "id": "msg_2",
    "time": {"created": 2000},
    "modelID": "m",
    "tokens": TOKENS,
}


def tool(number: int, status: str = "completed", **metadata: Any) -> dict[str, Any]:
    state = {"status": status, "input": {"command": f"make {number}"}, "output": "x", "metadata": metadata}
    times = {"time": {"start": 2000, "end": 2500}}
    return {"type": "tool", "id": f"prt_{number}", "callID": f"c{number}", "tool": "bash", "state": state | times}


PARTS = [tool(1, exit=0), tool(2, exit=2), tool(3, "error"), tool(4, "running")]
TEXT = {"type": "text", "id": "prt_0", "text": "build"}


def export(folder: Path) -> Path:
    path = folder / "export.json"
    messages = [{"info": USER, "parts": [TEXT]}, {"info": AGENT, "parts": PARTS}]
    path.write_text(json.dumps({"info": INFO, "messages": messages}))
    return path


def tree(folder: Path) -> Path:
    storage = folder / "storage"
    path = storage / "session" / "proj" / "ses_1.json"
    files = {path: INFO, storage / "message/ses_1/msg_1.json": USER, storage / "message/ses_1/msg_2.json": AGENT}
    files |= {storage / "part/msg_2" / f"{part['id']}.json": part for part in PARTS}
    files |= {storage / "part/msg_1/prt_0.json": TEXT}
    for file, value in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    return path


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode=wal")
    connection.executescript(SCHEMA)
    return connection


def fill(connection: sqlite3.Connection) -> None:
    connection.execute("insert into session values ('ses_1', 'x', 'ses_0', '/p', 1)")
    for info in (USER, AGENT):
        stored = json.dumps({key: value for key, value in info.items() if key != "id"})
        connection.execute(
            "insert into message values (?, 'ses_1', ?, 0, ?)", (info["id"], info["time"]["created"], stored)
        )
    for message, part in [("msg_1", TEXT), *(("msg_2", part) for part in PARTS)]:
        connection.execute("insert into part values (?, ?, 'ses_1', 0, ?)", (part["id"], message, json.dumps(part)))
    connection.commit()


def database(folder: Path) -> Path:
    path = folder / "opencode.db"
    connection = connect(path)
    fill(connection)
    connection.close()
    return path


def checked(path: Path) -> Session:
    assert source.sniff(path, path.read_bytes()[: 64 * 1024])
    (found,) = read(path)
    return found


@pytest.mark.parametrize("make", [export, tree, database])
def test_the_three_forms_give_the_same_session(make: Any, tmp_path: Path) -> None:
    found = checked(make(tmp_path))
    assert (found.id, found.parent, found.cwd, found.skipped) == ("ses_1", "ses_0", "/p", {})
    assert [(event.kind, event.text, event.status, event.exit_code) for event in found.events] == [
        ("prompt", "build", "unknown", None),
        ("call", "make 1", "ok", 0),
        ("call", "make 2", "failed", 2),
        ("call", "make 3", "not-run", None),
        ("call", "make 4", "not-run", None),
    ]
    assert [event.usage for event in found.events] == [None, Usage(10, 2, 3, 4), None, None, None]
    assert {(event.message, event.model, event.seconds) for event in found.events[1:]} == {("msg_2", "m", 0.5)}


def test_what_stands_in_the_write_ahead_log_is_read_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    connection = connect(path)
    fill(connection)
    before = path.read_bytes()
    assert Path(f"{path}-wal").stat().st_size > 0
    assert len(checked(path).events) == 5
    assert path.read_bytes() == before
    connection.close()


def test_a_part_that_is_no_json_costs_that_part(tmp_path: Path) -> None:
    path = database(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("update part set data = '{' where id = 'prt_2'")
    connection.close()
    found = checked(path)
    assert (len(found.events), found.skipped) == (4, {"not JSON": 1})


def test_a_damaged_database_is_counted(tmp_path: Path) -> None:
    path = database(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[:4096] + b"\x07" * (len(raw) - 4096))
    assert any(session.skipped for session in read(path))


def test_redacted_ids_do_not_join_messages(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    info = AGENT | {"id": "REDACTED"}
    parts = [[tool(1) | {"callID": "REDACTED", "id": "REDACTED"}] for _ in range(2)]
    path.write_text(json.dumps({"info": INFO, "messages": [{"info": info, "parts": part} for part in parts]}))
    (found,) = read(path)
    assert len({event.id for event in found.events}) == len({event.message for event in found.events}) == 2


def test_another_database_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table part (id text)")
    connection.close()
    assert not source.sniff(path, path.read_bytes())


def test_the_database_is_found_where_opencode_keeps_it(tmp_path: Path) -> None:
    data = tmp_path / ".local/share/opencode"
    data.mkdir(parents=True)
    (data / "opencode.db").touch()
    assert list(find(tmp_path, {})) == [data / "opencode.db"]
    assert list(find(tmp_path, {"XDG_DATA_HOME": str(tmp_path / "other")})) == []
