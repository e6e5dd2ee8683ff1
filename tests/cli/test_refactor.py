"""`meta refactor` on small real projects, from the first look to the review, and back."""

from __future__ import annotations

import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from meta.verification import sandbox
from tests.cli.conftest import Desk, git, snapshot

needs_sandbox = pytest.mark.skipif(sandbox.level() not in ("bubblewrap", "landlock"), reason="there is no sandbox")
READER = '''
from json import loads


class {name}Reader:
    """Reads what {name} sends."""

    kind = "{key}"

    def read(self, text):
        rows = loads(text)
        if not rows:
            return []
        found = [row for row in rows if row.get("{key}")]
        return sorted(found, key=str)

    def about(self):
        return self.kind
'''
TEST = """
from app.readers.ant import AntReader
from app.readers.bee import BeeReader


def test_what_is_read():
    assert AntReader().read('[{"legs": 6}, {}]') == [{"legs": 6}]
    assert BeeReader().read('[{"legs": 6}, {}]') == []
"""
KEYS = {"ant": "legs", "bee": "wings", "cat": "tail", "dog": "nose"}
NAME = "refactor-readers"
UNTESTED = ("--tests", "true")  # where it is not the tests that matter


def commit(folder: Path, text: str) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-qm", text)


def reader(folder: Path, name: str, key: str) -> None:
    path = folder / "app" / "readers" / f"{name}.py"
    path.write_text(READER.format(name=name.title(), key=key))
    commit(folder, f"Add {name}")


@pytest.fixture
def app(repository: Path, desk: Desk) -> Path:
    """A package with four readers, each added by a commit of its own, in a workspace."""
    (repository / "app/readers").mkdir(parents=True)
    for path in ("app/__init__.py", "app/readers/__init__.py"):
        (repository / path).write_text("")
    (repository / "test_readers.py").write_text(TEST)
    commit(repository, "Start")
    for name, key in KEYS.items():
        reader(repository, name, key)
    desk("init")
    return repository


def state(folder: Path) -> dict[str, object]:
    """The files, refs and status, without git's own store and our journal."""
    found = {p: c for p, c in snapshot(folder).items() if not p.startswith((".git/", ".meta"))}
    return found | {"refs": git(folder, "for-each-ref"), "status": git(folder, "status", "--porcelain")}


@needs_sandbox
def test_what_repeats_is_found_proved_reviewed_accepted_and_taken_back(desk: Desk, app: Path) -> None:
    before = state(app)
    found = desk.json("refactor", "app/readers")
    assert [(group["name"], len(group["sites"])) for group in found["groups"]] == [("read", 4)]
    assert found["verdict"]["state"] == "passed", found["verdict"]
    checks = {check["name"]: check["detail"] for check in found["verdict"]["checks"]}
    assert checks["bytecode"].startswith("4 of 4 functions")
    assert checks["project's tests"] == "the same as before: 1 passed"
    assert found["branch"] == f"meta/{NAME}"
    assert {p: c for p, c in state(app).items() if p != "refs"} == {p: c for p, c in before.items() if p != "refs"}

    assert desk.json("review") == [NAME]
    shown = desk("review", NAME)
    assert all(part in shown for part in ("Share what readers repeats", "4 of 4 functions", "-        rows = loads"))
    assert "look alike today" in shown, "the questions are those of a change"
    assert "generated_tools" not in shown
    assert not (app / "app/readers/shared.py").exists()

    accepted = desk.json("accept", NAME)
    assert sorted(accepted["paths"]) == sorted(["app/readers/shared.py", *(f"app/readers/{n}.py" for n in KEYS)])
    assert git(app, "branch", "--list", "meta/*") == ""
    assert git(app, "status", "--porcelain", "-uall").splitlines() == [
        *(f" M app/readers/{name}.py" for name in KEYS),
        "?? app/readers/shared.py",
        *(
            f"?? {path}"
            for path in git(app, "ls-files", "-o", "--exclude-standard").splitlines()
            if "/readers/" not in path
        ),
    ], "nothing but the code has changed"
    assert desk.json("review") == []

    desk("undo")
    assert desk.json("review") == [NAME]
    desk("undo")
    assert state(app) == before


@needs_sandbox
def test_the_members_of_a_family_are_refactored_by_its_name(desk: Desk, app: Path) -> None:
    for name in ("elk", "fox", "gnu"):
        reader(app, name, f"horns of {name}")
    families = [each["name"] for each in desk.json("families", "--replay", "0")["families"]]
    assert families
    found = desk.json("refactor", families[0], "--dry-run", *UNTESTED)
    assert [len(group["sites"]) for group in found["groups"]] == [7]
    assert found["branch"] == ""
    assert git(app, "branch", "--list", "meta/*") == ""
    units = desk.json("families", "--units", "--replay", "0")["families"]
    assert {each["kind"] for each in units} == {"units"}
    again = [desk.json("refactor", each["name"], "--dry-run", *UNTESTED)["groups"] for each in units]
    assert found["groups"] in again


def test_what_names_neither_files_nor_a_family_is_told(desk: Desk, app: Path) -> None:
    assert 'no family is called "nothing-such"' in desk.complaint("refactor", "nothing-such")
    assert "names no Python file" in desk.complaint("refactor", "app/*.txt")
    for outside in ("/", "../other"):
        assert "may lead out of" in desk.complaint("refactor", outside)


def test_where_nothing_repeats_nothing_is_proposed(desk: Desk, app: Path) -> None:
    found = desk.json("refactor", "test_readers.py")
    assert (found["groups"], found["branch"], found["verdict"]["state"]) == ([], "", "unverified")
    assert "nothing to share" in desk("refactor", "test_readers.py")


@needs_sandbox
def test_a_change_that_a_test_notices_is_refused(desk: Desk, app: Path) -> None:
    (app / "test_lines.py").write_text(
        dedent(
            """
            import app.readers.ant


            def test_nobody_touches_it():
                assert "rows = loads(text)" in open(app.readers.ant.__file__).read()
            """
        )
    )
    commit(app, "Test")
    found = desk.json("refactor", "app/readers", exit=1)
    assert (found["verdict"]["state"], found["branch"]) == ("failed", "")
    assert any("test_nobody_touches_it was passed and is failed" in c["detail"] for c in found["verdict"]["checks"])
    assert git(app, "branch", "--list", "meta/*") == ""


def test_files_that_are_not_committed_are_refused_before_anything_is_run(desk: Desk, app: Path) -> None:
    path = app / "app/readers/ant.py"
    path.write_text(path.read_text() + "\n# not yet\n")
    assert "ant.py is not committed as it is" in desk.complaint("refactor", "app/readers")


@needs_sandbox
def test_a_declined_change_does_not_come_again_until_that_is_taken_back(desk: Desk, app: Path) -> None:
    desk("refactor", "app/readers", *UNTESTED)
    desk("review", NAME, "--hand-over")
    assert "Share what readers repeats" in (app / f".meta/review/{NAME}/{NAME}.patch").read_text()
    desk("reject", NAME, "--reason", "they will part")
    assert desk.json("review") == []
    assert "they will part" in desk.complaint("refactor", "app/readers")
    assert "they will part" in desk.complaint("refactor", "app/readers", "--name", "other")
    desk("undo")
    assert desk.json("review") == [NAME]


@needs_sandbox
def test_work_of_a_reviewer_is_accepted_and_not_overwritten(desk: Desk, app: Path) -> None:
    desk("refactor", "app/readers", *UNTESTED)
    git(app, "switch", "-q", f"meta/{NAME}")
    shared = app / "app/readers/shared.py"
    shared.write_text(shared.read_text() + "\n# looked at\n")
    git(app, "add", "app")
    git(app, "commit", "-qm", "Look")
    assert "is checked out" in desk.complaint("accept", NAME)
    git(app, "switch", "-q", "main")
    assert "work of others" in desk.complaint("refactor", "app/readers")
    desk("accept", NAME)
    assert "# looked at" in shared.read_text()


@needs_sandbox
def test_a_file_that_changed_after_the_proposal_is_in_the_way(desk: Desk, app: Path) -> None:
    desk("refactor", "app/readers", *UNTESTED)
    path = app / "app/readers/bee.py"
    path.write_text(path.read_text() + "\n# later\n")
    before = state(app)
    assert "bee.py has changed since" in desk.complaint("accept", NAME)
    assert state(app) == before


@needs_sandbox
def test_the_project_s_own_format_is_kept_where_it_was_kept_before(desk: Desk, app: Path) -> None:
    (app / "pyproject.toml").write_text("[tool.ruff]\nline-length = 40\nformat.quote-style = 'single'\n")
    subprocess.run(["ruff", "format", "-q", "."], cwd=app, check=True)
    odd = app / "app/readers/dog.py"
    odd.write_text(odd.read_text().replace("'nose'", '"nose"'))
    commit(app, "Format")
    desk("refactor", "app/readers", *UNTESTED)
    desk("accept", NAME)
    told = subprocess.run(["ruff", "format", "--check", "."], cwd=app, capture_output=True, text=True).stdout
    assert "app/readers/dog.py" in told, "it was not formatted before either"
    assert "1 file would be reformatted" in told
