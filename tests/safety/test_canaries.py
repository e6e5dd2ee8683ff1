"""A thousand secrets in sessions, history and environment: none is in anything that any command writes or sends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from tests.cli.conftest import Desk, git, meta
from tests.safety.canaries import Canary, canaries, contents, files, found, objects
from tests.safety.poison import DAY, START
from tests.safety.writers import WRITERS, Act, Prompt, Said, Script, Shell, Summary, Tool
from tests.services.messages import message, ok, serving
from tests.services.test_llm import GOOD

SESSIONS = 4
IN_SESSIONS, IN_HISTORY, IN_ENVIRONMENT = 800, 100, 100
FORMATS = [agent for agent in WRITERS if agent != "aider"]  # it keeps no outputs


def session(
    number: int, agent: str, tokens: Iterator[Canary], places: Iterator[Canary], planted: list[Canary]
) -> Script:
    """Work that repeats, with secrets in every place where a transcript holds text."""

    def token() -> str:
        planted.append(next(tokens))
        return planted[-1].text

    def line() -> str:
        planted.append(next(places))
        return planted[-1].text

    acts: list[Act] = [
        Prompt(f"Deploy it. The key:\n{token()}\nand\n{line()}\n"),
        Shell(f"./check.sh --fast part-{number}", f"ok\n{token()}\n{line()}\n"),
        Shell(f"./deploy.sh --stage test {token()}", f'{{"answer": "{token()}", "n": 1}}'),
        Shell("git add -A"),
        Shell(f"git commit -m 'Use {token()} in part {number}'", f"[main abc1234] {token()}"),
        Said(f"It is done with {token()} and\n{line()}"),
        Tool("read", {"file_path": f"/home/ada/shop/{token()}.txt"}, f"1. {token()}\n2.\n{line()}"),
        Tool("fetch", {"url": f"https://example.org/?q={token()}", "body": {"deep": [token()]}}, token()),
        Tool(
            f"mcp__shop__put-{token()}",
            {token(): "x", "value": token(), "note": f"see\n{line()}"},
            f'{{"x": "{token()}"}}',
        ),
        Summary(f"Before, {token()} was used."),
        Prompt(f"now the same with {token()}"),
        Shell(f"./check.sh --fast part-{number + 50}", end="failed", output=token()),
        Shell(f"./check.sh --fast part-{number + 90}"),
        Shell(f"./deploy.sh --stage live {token()}"),
    ]
    return Script(f"{agent[:3]}{number:02}", tuple(acts), START + number * DAY / 2 + len(agent) * 500, model=token())


def planted_sessions(folder: Path) -> list[Canary]:
    tokens, places = canaries(tokens=True), canaries(tokens=False)
    planted: list[Canary] = []
    number = 0
    while len(planted) < IN_SESSIONS:
        agent = FORMATS[number % len(FORMATS)]
        WRITERS[agent](folder, session(number, agent, tokens, places, planted))
        number += 1
    return planted


def planted_history(repository: Path) -> list[Canary]:
    """Secrets in subjects, bodies and names of files that came and went; the mail of an author is no secret of the log."""
    chosen = list(islice(canaries(tokens=True), IN_SESSIONS * 2, IN_SESSIONS * 2 + IN_HISTORY))
    words = [canary for canary in chosen if all(c.isalnum() or c in "-_" for c in canary.text)]
    for number in range(0, len(chosen), 5):
        first, *rest = chosen[number : number + 5]
        (repository / "CHANGELOG.md").write_text(f"{number}\n")
        git(repository, "add", ".")
        subject = f"Use {first.text}" if number % 20 else f"Release 1.{number}.0 {first.text}"
        body = "\n".join(canary.text for canary in rest)
        git(repository, "commit", "-qm", f"{subject}\n\n{body}", "--date", f"2026-01-{1 + number // 5:02}T10:00:00Z")
        if number % 20 == 0:
            git(repository, "tag", f"v1.{number}.0")
    for canary in words[:5]:
        (repository / canary.text).write_text("x")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Add files")
    if words:
        git(repository, "rm", "-q", *(canary.text for canary in words[:5]))
        git(repository, "commit", "-qm", "Remove files")
    return chosen


def planted_environment(monkeypatch: pytest.MonkeyPatch) -> list[Canary]:
    chosen = list(islice(canaries(tokens=True), IN_SESSIONS * 4, IN_SESSIONS * 4 + IN_ENVIRONMENT))
    for number, canary in enumerate(chosen):
        monkeypatch.setenv(f"SECRET_{number}" if number % 2 else f"SERVICE_{number}_TOKEN", canary.text)
    return chosen


def test_a_secret_that_is_written_would_be_found(tmp_path: Path) -> None:
    planted = planted_sessions(tmp_path / "sessions")
    assert len({canary.piece for canary in planted}) == len(planted) >= IN_SESSIONS
    assert len({canary.kind for canary in planted}) >= 60
    kinds = {kind for hits in found(files(tmp_path, ()), planted).values() for kind in hits}
    assert kinds == {canary.kind for canary in planted}


@dataclass(frozen=True, slots=True)
class Before:
    """What a repository held before anything of ours was run in it."""

    objects: set[str]
    log: set[str]

    @classmethod
    def of(cls, repository: Path) -> Before:
        return cls(objects(repository), set(_names(repository)))


def _names(repository: Path) -> list[str]:
    """References and their logs."""
    return (git(repository, "for-each-ref") + git(repository, "reflog", "--all")).splitlines()


def leftovers(tmp_path: Path, repository: Path, before: Before, planted: list[Canary]) -> dict[str, list[str]]:
    """The kinds of secrets in every file below the test's folder that was not planted, and in all that is new to git."""
    written = files(tmp_path, (tmp_path / "sessions", repository / ".git"))
    assert written
    new = contents(repository, objects(repository) - before.objects)
    log = "\n".join(line for line in _names(repository) if line not in before.log)
    return found({**written, "objects": new, "log": log.encode()}, planted)


def test_extract_and_accept_leave_no_secret_anywhere(
    desk: Desk, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_WEEKS", "100000")
    sessions = tmp_path / "sessions"
    planted = [*planted_sessions(sessions), *planted_history(repository), *planted_environment(monkeypatch)]
    assert len(planted) >= 1000
    before = Before.of(repository)
    printed = desk("init") + desk("extract", sessions, repository, "--most", "1")
    (tool,) = [tool["name"] for tool in desk.json("tools")]
    printed += desk("accept", tool) + desk("status")
    assert leftovers(tmp_path, repository, before, planted) == {}
    assert found({"printed": printed.encode()}, planted) == {}


@pytest.mark.slow
def test_no_command_leaves_a_secret_anywhere_or_tells_it_to_a_model(
    home: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = tmp_path / "tmp"
    watched.mkdir()
    for name, value in {"META_WEEKS": "100000", "TMPDIR": str(watched), "ANTHROPIC_API_KEY": "k"}.items():
        monkeypatch.setenv(name, value)
    sessions = tmp_path / "sessions"
    planted = [*planted_sessions(sessions), *planted_history(repository), *planted_environment(monkeypatch)]
    before = Before.of(repository)
    said: list[str] = []

    def run(*words: str | Path) -> str:
        done = meta(*map(str, words), folder=repository)
        assert done.returncode == 0 or words[0] == "doctor", done.stderr
        said.extend([done.stdout, done.stderr])
        assert leftovers(tmp_path, repository, before, planted) == {}, words
        return done.stdout

    run("init")
    run("scan", sessions, repository)
    listed = json.loads(run("mine", sessions, repository, "--json"))["workflows"]
    assert len(listed) >= 2
    run("show", listed[0]["id"], sessions, repository)
    run("build", listed[1]["id"], sessions, repository)
    with serving(monkeypatch, ok(message(GOOD))) as service:
        run("extract", sessions, repository, "--most", "2", "--polish")
    assert service.asked
    tools = [tool["name"] for tool in json.loads(run("tools", "--json"))]
    for name in tools:
        run("verify", name)
    for words in (("accept", tools[0]), ("reject", tools[1]), ("tools",), ("status",), ("doctor",), ("rebuild",),
                  ("retire", tools[0]), ("undo",), ("undo",)):  # fmt: skip
        run(*words)
    everything = {"printed": "\n".join(said).encode(), "asked": repr(service.asked).encode()}
    assert found(everything, planted) == {}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_no_secret_is_ever_written_to_a_file_or_a_socket_not_even_for_a_moment(
    home: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_WEEKS", "100000")
    sessions, log = tmp_path / "sessions", tmp_path / "trace"
    log.mkdir()
    planted = [*planted_sessions(sessions), *planted_history(repository)]
    program = [sys.executable, "-m", "meta"]
    subprocess.run([*program, "init"], check=True, capture_output=True)
    calls = "trace=write,pwrite64,writev,pwritev,sendto,sendmsg,rename,renameat,renameat2,openat,mkdir,symlink"
    command = ["strace", "-ff", "-y", "-s", "4000000", "-e", calls, "-e", "signal=none", "-o", str(log / "t")]
    command += [*program, "extract", str(sessions), str(repository), "--most", "2"]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for path in log.iterdir() for line in path.read_text(errors="replace").splitlines()]
    lasting = [
        line
        for line in lines
        if "<pipe:" not in line[:80] and not line.startswith("openat") and str(sessions) not in line[:300]
    ]
    assert any("REDACTED_" in line for line in lasting), "what is written is not told whole"
    assert found({str(number): line.encode() for number, line in enumerate(lasting)}, planted) == {}
