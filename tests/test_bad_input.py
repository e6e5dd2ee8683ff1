"""Damaged files: whatever stands in them, reading, segmenting and redacting end in time and raise nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meta import archive, redact, sources
from meta.mining import segments
from meta.sources.base import Example
from meta.store import Cursor, Store

EXAMPLES = [(source.name, example) for source in sources.SOURCES for example in source.examples]
KNOWN_REASONS = {"unknown format", "no session", "compressed", "unreadable"}
NASTY = [
    b"", b"\0", b"\n", b"\r", b'"', b"\\", b"{", b"}", b"[", b"]", b"null", b"-1", b"1e999", b"NaN", b"\xff\xfe",
    b"\\ud800", b"\xed\xa0\x80", b"9" * 400, b"[" * 3000, b"$(", b"`", b"<<EOF\n", b"'", b"&&", b";", b"true", b"{}",
]  # fmt: skip


def content(example: Example) -> bytes:
    """The bytes of an example's file."""
    if not example.raw.startswith("CREATE TABLE"):
        return example.raw.encode()
    database = sqlite3.connect(":memory:")
    database.executescript(example.raw)
    database.commit()
    return database.serialize()


FILES = [(example.name, content(example)) for _, example in EXAMPLES]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """An example's file after up to six cuts, insertions, replacements and repetitions, or two files glued together."""
    name, data = draw(st.sampled_from(FILES))
    if draw(st.integers(0, 4)) == 0:
        data += draw(st.sampled_from(FILES))[1]
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 40)))
        put = draw(st.sampled_from(NASTY) | st.binary(max_size=8) | st.just(data[start:stop] * 3))
        data = data[:start] + put + data[stop:]
    if draw(st.integers(0, 4)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    return name, data


def survives(name: str, data: bytes, redactor: redact.Redactor) -> None:
    """The way of a file into the index and the archive and on to the miner; raises what a bug raises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        reading = sources.read(path)
        assert reading.sessions or set(reading.skipped) <= KNOWN_REASONS
        assert reading.sessions or sum(reading.skipped.values()) == 1, "a file that gives nothing is counted once"
        masked = [redactor.session(session) for session in reading.sessions]
        store = Store()
        store.add(Cursor.of(path), masked)
        for session in store.sessions(sources.merge):
            segments.segments(session)
            assert archive.session(json.loads(archive.dumps(session))).id == session.id
        store.close()


@pytest.mark.slow
@settings(
    max_examples=5_000, deadline=timedelta(seconds=5), derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(damaged())
def test_no_damage_to_a_file_stops_the_reading(case: tuple[str, bytes]) -> None:
    survives(*case, REDACTOR)


REDACTOR = redact.Redactor(b"k" * 32)


@pytest.mark.parametrize(("name", "data"), FILES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(EXAMPLES)])
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(name: str, data: bytes) -> None:
    for part in range(8):
        survives(name, data[: len(data) * part // 8], REDACTOR)


MINE = """
import resource, sys
from meta.cli import main
if __name__ == "__main__":  # worker processes import this file again
    status = main(["mine", "--json", *sys.argv[1:]])
    print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.slow
def test_a_line_of_200_megabytes_is_skipped_within_512_megabytes_of_memory(tmp_path: Path) -> None:
    name, example = next((e.name, content(e)) for source, e in EXAMPLES if source == "claude-code")
    program, session = tmp_path / "run.py", tmp_path / "sessions" / name
    program.write_text(MINE)
    session.parent.mkdir(parents=True)
    with session.open("wb") as file:
        file.write(example.rstrip(b"\n") + b"\n")
        file.write(b'{"type":"user","message":{"role":"user","content":"')
        for _ in range(200):
            file.write(b"a" * 2**20)
        file.write(b'"}}\n')
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    environment |= {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CACHE", "STATE", "CONFIG", "DATA")}
    done = subprocess.run(
        [sys.executable, str(program), str(session.parent)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    status, kilobytes = map(int, done.stderr.split())
    found = json.loads(done.stdout)
    assert (status, found["sessions"], found["skipped"]["line too long"]) == (0, 1, 1)
    assert kilobytes < 512 * 1024
