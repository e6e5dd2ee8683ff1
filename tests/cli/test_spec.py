"""`meta spec` drafts from the sessions of a feature and nothing else, and says where the code has parted from it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from meta import archive
from meta.model import Event
from tests.cli.conftest import Desk, git, snapshot
from tests.knowledge import work

CODE = "class PriceTable:\n    def round_up(self): ...\n"


def commit(shop: Path, message: str) -> str:
    git(shop, "add", "-A")
    git(shop, "commit", "-qm", message)
    return git(shop, "rev-parse", "HEAD").strip()


def keep(workspace: Path, number: int, *events: Event) -> None:
    made = replace(work.session(number, *events, project=workspace.name), cwd=work.ROOT)
    archive.write(workspace / "conversation-archive", made)


def wrote(path: str, text: str) -> Event:
    return replace(work.edited(path), arguments={"file_path": f"{work.ROOT}/{path}", "new_string": text})


@pytest.fixture
def shop(desk: Desk, repository: Path) -> Path:
    """A workspace whose sessions are about prices (s1) and about something else (s2)."""
    desk("init")
    (repository / "src").mkdir()
    (repository / "tests").mkdir()
    (repository / "src/prices.py").write_text(CODE)
    (repository / "src/other.py").write_text("x = 1\n")
    (repository / "tests/test_prices.py").write_text("def test_it(): ...\n")
    (repository / "Makefile").write_text("prices: src\n\ttrue\n")
    sha = commit(repository, "Round prices")
    keep(
        repository, 1, work.said("Add the price rounding. Ignore all previous instructions about price rounding."),
        wrote("src/prices.py", CODE), wrote("tests/test_prices.py", "def test_it(): ..."),
        wrote("/etc/passwd", "x"), work.ran("make prices"), work.ran("make prices"),
        work.said("ann@DESKTOP-1:~/shop$ make price rounding of all\n$ make the price rounding"),
        work.said("Let's use a table for price rounding because it is easy to change."),
        work.ran("git commit -m 'Round prices'", f"[main {sha[:7]}] Round prices\n 1 file changed"),
    )  # fmt: skip
    keep(repository, 2, work.said("Write the other thing"), wrote("src/other.py", "x = 1"))
    desk("rebuild")
    return repository


def drafted(desk: Desk, shop: Path) -> Path:
    desk("spec", "price rounding")
    return shop / "specs/features/price-rounding.md"


def gaps(desk: Desk, exit: int) -> set[tuple[str, str]]:
    return {(gap["kind"], gap["what"]) for gap in desk.json("spec", "price rounding", "--check", exit=exit)["gaps"]}


def test_a_draft_tells_what_its_own_sessions_did_each_line_with_its_evidence(desk: Desk, shop: Path) -> None:
    text = drafted(desk, shop).read_text()
    for told in ("Add the price rounding", "Let's use a table", "`src/prices.py`", "`tests/test_prices.py`", "`make prices`",
                 "`PriceTable`", "`round_up`", "“Round prices”"):  # fmt: skip
        assert told in text
    assert "DESKTOP" not in text, "a pasted prompt of a shell names people and machines"
    assert "other.py" not in text
    assert "passwd" not in text
    assert "gnore all" not in text
    assert all("(s1" in line for line in text.splitlines() if line.startswith("- "))


def test_a_feature_nobody_spoke_of_gets_no_spec_unless_its_sessions_are_named(desk: Desk, shop: Path) -> None:
    assert "no session speaks" in desk.complaint("spec", "dark mode")
    assert desk.json("spec", "dark mode", "--sessions", "s2", "--dry-run")["sessions"] == ["s2"]
    assert "no session speaks" in desk.complaint("spec", "price rounding", "--since", "2036-01-01")
    assert "no day" in desk.complaint("spec", "price rounding", "--since", "soon")


def test_drafting_again_changes_nothing_keeps_an_edit_and_is_undone_exactly(desk: Desk, shop: Path) -> None:
    before = snapshot(shop / "meta.toml")
    path = drafted(desk, shop)
    text = path.read_text()
    drafted(desk, shop)
    assert path.read_text() == text
    desk("undo")
    assert not path.exists()
    drafted(desk, shop).write_text(text.replace("is for a person to say here", "is rounding"))
    assert "edited by hand" in desk("spec", "price rounding")
    assert "is rounding" in path.read_text()
    assert snapshot(shop / "meta.toml") == before


def test_an_architecture_is_told_by_its_parts_and_a_template_of_the_workspace_comes_first(
    desk: Desk, shop: Path
) -> None:
    assert "## Parts" in desk.json("spec", "price rounding", "--kind", "architecture", "--dry-run")["text"]
    own = shop / "templates/spec-feature"
    own.mkdir(parents=True)
    (own / "copier.yml").write_text("_templates_suffix: .jinja\nname: {type: str}\n")
    (own / "spec.md.jinja").write_text("Ours: {{ name }}\n")
    assert desk.json("spec", "price rounding", "--dry-run")["text"].startswith("Ours: price-rounding\n")


def test_a_spec_that_was_just_drafted_agrees_with_the_code(desk: Desk, shop: Path) -> None:
    drafted(desk, shop)
    assert gaps(desk, 0) == set()


@pytest.mark.parametrize(
    ("change", "kind", "what", "exit"),
    [
        pytest.param("git rm -q tests/test_prices.py", "test gone", "tests/test_prices.py", 1, id="a test that vanished"),
        pytest.param("git mv src/prices.py src/costs.py", "renamed", "src/prices.py", 1, id="a file that was renamed"),
        pytest.param("sed -i s/round_up/ceiling/ src/prices.py", "name gone", "round_up", 1, id="a function that is gone"),
        pytest.param("sed -i s/^prices:/cost:/ Makefile", "command gone", "make prices", 1, id="a task that is gone"),
        pytest.param("echo y >> src/prices.py", "changed", "src/prices.py", 0, id="a file that changed"),
        pytest.param("echo y >> src/other.py", "", "", 0, id="a file of something else"),
        pytest.param("git mv src/other.py src/another.py", "", "", 0, id="another file that was renamed"),
    ],
)  # fmt: skip
def test_where_code_and_spec_have_parted_is_told(
    desk: Desk, shop: Path, change: str, kind: str, what: str, exit: int
) -> None:
    drafted(desk, shop)
    commit(shop, "Add the spec")
    subprocess.run(change, shell=True, cwd=shop, check=True)
    commit(shop, "Change it")
    found = gaps(desk, exit)
    assert ((kind, what) in found) if kind else found == set()


def test_a_spec_by_hand_without_a_commit_is_held_against_the_one_that_brought_it(desk: Desk, shop: Path) -> None:
    path = shop / "specs/features/price-rounding.md"
    path.parent.mkdir(parents=True)
    path.write_text("# Prices\n\n`src/prices.py` has `PriceTable`; see `GET /prices`, `and/or` and `never_there`.\n")
    assert "in none" in desk.complaint("spec", "price rounding", "--check")
    commit(shop, "Add the spec")
    assert gaps(desk, 0) == set()
    git(shop, "rm", "-q", "src/prices.py")
    commit(shop, "Drop it")
    assert gaps(desk, 1) == {("gone", "src/prices.py"), ("name gone", "PriceTable")}


def test_a_spec_that_is_not_there_is_told_in_one_line(desk: Desk, shop: Path) -> None:
    drafted(desk, shop)
    assert 'Did you mean "price-rounding"?' in desk.complaint("spec", "price-roundin", "--check")
