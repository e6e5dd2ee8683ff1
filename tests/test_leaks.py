"""A thousand secrets go in by every field of sessions, by git's history and by the environment; none is found again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.secret_kinds import BARE as CONTEXTS
from benchmarks.secret_kinds import VENDORS, made
from meta import archive, flow
from meta.config import Config
from meta.model import Event, Session, Usage
from tests.services.messages import message, ok, serving
from tests.services.test_llm import GOOD
from tests.test_history import folders  # the fixture is used by name
from tests.test_polish import built

__all__ = ["folders"]

SESSIONS = 10
DAY = 86_400.0
_LONGEST = 90  # characters, so that a canary is fit for a file's name and a tag


class Canaries:
    """Made-up secrets, each given out once."""

    def __init__(self) -> None:
        self._source = random.Random(7)
        self.out: list[str] = []

    def __call__(self) -> str:
        kinds = sorted(kind for kind, form in VENDORS.items() if "/" not in form and "base64" not in form)
        while True:
            secret = made(VENDORS[self._source.choice(kinds)], self._source)
            if len(secret) <= _LONGEST:
                self.out.append(secret)
                return secret


def session(number: int, new: Canaries) -> Session:
    """A habit of four commands, with canaries in them, in their outputs and in every name."""
    name, start = f"s{number}", 1_790_000_000.0 + number * DAY / 4
    lines = [
        f"pytest -q tests/test_{number}.py", f"curl -s -H 'Authorization: Bearer {new()}' https://h.corp/deploy",
        "git add -A", f"git commit -m 'Change {number} of {new()}'",
    ]  # fmt: skip
    about: dict[str, Any] = {"tool": "Bash", "tool_kind": "shell", "status": "ok", "exit_code": 0, "seconds": 1.5}
    events = [Event(f"{name}-0", "prompt", start, f"Fix it and deploy with {new()}, <private>{new()}</private>")]
    for place, line in enumerate(lines, 1):
        event = Event(
            f"{name}-{place}", "call", start + 8.0 * place, line, message=f"m{place}", model="claude-x", **about
        )
        events.append(replace(event, output=f"done {new()}", usage=Usage(600, 90, 60_000, 600)))
    odd = Event(
        f"i {new()}", "call", start + 90, f"echo {new()}", cwd=f"/home/ann/{new()}", message=new(), model=new(), **about
    )
    arguments = {f"x {new()}": new(), "env": f"API_KEY={new()}", "password": new()}
    events.append(
        replace(odd, tool=f"mcp__{new()}", arguments=arguments, output=f'{{"a": "{{\\"b\\": \\"{new()}\\"}}"}}')
    )
    told = (f"{CONTEXTS[place % len(CONTEXTS)].form.format(value=new())}\n" for place in range(80))
    events.append(Event(f"{name}-9", "note", start + 99, "".join(told)))
    return Session("ann", f"{name}-{new()}", tuple(events), project="shop", cwd=f"/home/ann/{new()}", parent=new())


def below(folder: Path) -> dict[str, bytes]:
    """Every file, by name and content."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def objects(repository: Path) -> set[str]:
    """The contents of files and the commits; trees name the user's own files too."""
    command = ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"]
    told = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in told.splitlines() if not line.endswith(" tree")}


def content(repository: Path, names: set[str]) -> bytes:
    command = ["git", "cat-file", "--batch"]
    told = "\n".join(sorted(names)).encode()
    return subprocess.run(command, cwd=repository, input=told, check=True, capture_output=True).stdout


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    places = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    (tmp_path / "home").mkdir()
    who = {f"GIT_{role}_{key}": "ann@h.corp" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    with tempfile.TemporaryDirectory(prefix="m") as short:  # sockets lie in it, and their paths have a limit
        yield {**os.environ, **places, **who, "TMPDIR": short, "GIT_CONFIG_NOSYSTEM": "1"}


def test_of_a_thousand_secrets_none_is_found_in_what_meta_writes(tmp_path: Path, environment: dict[str, str]) -> None:
    new = Canaries()
    shop, recorded = tmp_path / "shop", tmp_path / "recorded"
    for folder in (shop, recorded):
        folder.mkdir()

    def run(*argv: str) -> str:
        done = subprocess.run(argv, cwd=shop, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    run("git", "init", "-q", "-b", "main")
    for number in range(8):
        (shop / f"{number}-{new()}.txt").write_text(new())
        run("git", "add", "-A")
        run("git", "commit", "-qm", f"Release {number} with {new()}")
        run("git", "tag", f"v{number}-{new()}")
    for number in range(SESSIONS):
        (recorded / f"{number}.json").write_bytes(archive.dumps(session(number, new)))
    environment |= {f"SECRET_{number}": new() for number in range(8)}
    assert len(new.out) >= 1000
    run(sys.executable, "-m", "meta", "init")
    before = objects(shop)
    said = [run(sys.executable, "-m", "meta", *words) for words in
            (["extract", str(recorded), str(shop), "--json"], ["tools"], ["mine", str(recorded), str(shop)])]  # fmt: skip
    kept = {name: data for name, data in below(shop).items() if "/.git/" not in name and not name.endswith(".txt")}
    kept |= below(tmp_path / "home") | below(Path(environment["TMPDIR"])) | {"said": "".join(said).encode()}
    kept["on branches"] = content(shop, objects(shop) - before)
    kept["names on branches"] = run("git", "log", "--branches", "--not", "main", "--name-only").encode()
    kept["names of files"] = "\n".join(kept).encode()
    leaks = {(canary, name) for name, data in kept.items() for canary in new.out if canary.encode() in data}
    assert not leaks
    looked_at = b"\n".join(kept.values())
    assert looked_at.count(b"REDACTED_") > 1000
    assert b"generated_tools/" in kept["names on branches"]
    assert any(name.endswith(".sqlite") for name in kept)


def test_a_tool_with_a_secret_in_its_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    secret = made(VENDORS["aws-key-id"], random.Random(1))
    with serving(monkeypatch, ok(message({**GOOD, "summary": f"Lint with {secret} and run the tests."}))):
        tool = built(tmp_path, polish=True)
    assert (tool.state, tool.reason) == ("refused", "its files would hold what looks like a secret: aws-key-id")


def test_a_file_with_a_secret_in_its_path_is_skipped_and_counted_and_a_person_in_it_is_no_secret(
    tmp_path: Path,
) -> None:
    for name in (made(VENDORS["github-personal"], random.Random(1)), "jane@acme.com"):
        (tmp_path / "kept" / name).mkdir(parents=True)
        (tmp_path / "kept" / name / "s.json").write_bytes(archive.dumps(session(1, Canaries())))
    found = flow.survey(Config(), [tmp_path / "kept"])
    assert (found.sessions, found.skipped) == (1, {"secret in the path": 1})
