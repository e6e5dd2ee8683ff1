"""The conversation behind a line: found by the record of the commit or by its trailer, and none where there is none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from meta import archive
from meta.model import Event, Session
from tests.cli.conftest import Desk, git
from tests.families import histories
from tests.families.histories import Made


def commit(repository: Path, text: str, message: str) -> str:
    (repository / "shop.py").write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", message)
    return git(repository, "rev-parse", "HEAD").strip()


def talked(home: Path, repository: Path, id: str, prompt: str, line: str, output: str) -> None:
    """A session kept in the workspace's archive."""
    now = time.time()
    call = Event(f"{id}-c", "call", now, line, "Bash", "shell", status="ok", output=output, message="m")
    events = (Event(f"{id}-h", "prompt", now - 20, "Hello"), Event(f"{id}-p", "prompt", now - 10, prompt), call)
    session = Session("ann", id, events, project=repository.name, cwd=str(repository))
    archive.write(repository / "conversation-archive", session)


@pytest.fixture
def shop(desk: Desk, repository: Path, home: Path) -> dict[str, str]:
    """Three commits of one file: by a session that saw its name, by one that its trailer names, by nobody known."""
    desk("init")
    made = {"seen": commit(repository, "a = 1\n", "Add a")}
    talked(
        home,
        repository,
        "s1",
        "Add a price",
        "git commit -m 'Add a'",
        f"[main {made['seen'][:7]}] Add a\n 1 file changed",
    )
    made["named"] = commit(repository, "a = 1\nb = 2\n", "Add b\n\nSession: ann/s2")
    talked(home, repository, "s2", "Add another", "true", "")
    made["alone"] = commit(repository, "a = 1\nb = 2\nc = 3\n", "Add c")
    desk("rebuild")
    return made


@pytest.mark.parametrize(
    ("line", "key", "session", "asked"),
    [(1, "seen", "s1", "Add a price"), (2, "named", "s2", "Add another"), (3, "alone", None, None)],
)
def test_a_line_leads_to_the_session_that_made_its_commit(
    desk: Desk, shop: dict[str, str], line: int, key: str, session: str | None, asked: str | None
) -> None:
    found = desk.json("blame", f"shop.py:{line}")
    assert found["commit"] == shop[key]
    assert [talk["session"] for talk in found["sessions"]] == ([session] if session else [])
    if session and asked:
        (talk,) = found["sessions"]
        assert talk["prompts"][-1] == asked
        assert talk["archived"].startswith("conversation-archive/")
        assert asked in desk("blame", f"shop.py:{line}")
    else:
        assert "No session" in desk("blame", f"shop.py:{line}")


def test_a_place_that_is_none_is_told_in_one_line(desk: Desk, repository: Path, shop: dict[str, str]) -> None:
    assert "FILE:LINE" in desk.complaint("blame", "shop.py")
    assert "no file" in desk.complaint("blame", "other.py:1")
    assert "is not in" in desk.complaint("blame", "/etc/hosts:1")
    assert "only 3 lines" in desk.complaint("blame", "shop.py:99")
    (repository / "shop.py").write_text("a = 1\nb = 2\nc = 4\n")
    assert "no commit yet" in desk.complaint("blame", "shop.py:3")


def test_every_line_of_a_thousand_commits_leads_to_its_own_session(
    desk: Desk, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"v{number} = {number}\n" for number in range(1000)]
    commits = [Made({"shop.py": "".join(lines[: number + 1])}, number / 100) for number in range(1000)]
    place = histories.repository(tmp_path / "long", commits, checkout=True)
    monkeypatch.chdir(place)
    shas = git(place, "log", "--reverse", "--format=%H").split()
    desk("init")
    for number in range(0, 1000, 50):
        talked(
            home, place, f"s{number}", f"Add number {number}", "git commit -m made", f"[main {shas[number][:9]}] made"
        )
    desk("rebuild")
    for number in (0, 350, 950):
        found = desk.json("blame", f"shop.py:{number + 1}")
        assert (found["commit"], [talk["session"] for talk in found["sessions"]]) == (shas[number], [f"s{number}"])
    assert desk.json("blame", "shop.py:352")["sessions"] == []
