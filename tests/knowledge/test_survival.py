"""What became of a session's commits is told from real repositories: kept, rewritten, reverted, replaced."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from meta import aftermath
from meta.knowledge import notes, survival
from meta.knowledge.survival import Survival
from meta.model import Event, Session
from tests.knowledge import work


class Shop:
    """A repository, and the session that commits there: each commit has a time of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.events, self.count = folder, list[Event](), 0
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write("README", "shop\n")
        self.commit("Begin", own=False)

    def git(self, *arguments: str) -> str:
        self.count += 1
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
               for key, value in (("NAME", "ann"), ("EMAIL", "ann@example.org"), ("DATE", f"@{int(work.START) + self.count} +0000"))}  # fmt: skip
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**os.environ, **who}, check=True, capture_output=True, text=True
        ).stdout

    def write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def commit(self, subject: str, *more: str, own: bool = True) -> str:
        self.git("add", "-A")
        said = self.git("commit", "-m", subject, *more)
        if own:
            self.events.append(work.ran(f"git commit -m '{subject}' {' '.join(more)}", said))
        return self.git("rev-parse", "HEAD").strip()

    def became(self) -> Survival:
        return aftermath.outcomes(self.folder, [self.session()])["ann", "s0"]

    def session(self) -> Session:
        return work.session(0, *self.events)

    def states(self) -> list[tuple[str, str, int, int]]:
        return [(one.commit.subject, one.state, one.lines.added, one.lines.stand) for one in self.became().fates]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


LINES = "".join(f"line {n}\n" for n in range(10))


def test_a_commit_whose_lines_stand_is_kept_also_in_a_file_that_was_moved_or_indented(shop: Shop) -> None:
    shop.write("a.py", LINES)
    shop.commit("Add a cart")
    assert shop.states() == [("Add a cart", "kept", 10, 10)]
    (shop.folder / "a.py").unlink()
    shop.write("b.py", LINES)
    shop.commit("Move it", own=False)
    shop.write("b.py", LINES.replace("line 3", "    line 3"))
    shop.commit("Indent it", own=False)
    assert shop.states() == [("Add a cart", "kept", 10, 10)]
    assert shop.became().line() == "1 commit: 1 kept; of 10 added lines looked at 10 still stand."


@pytest.mark.parametrize(("left", "state"), [(4, "rewritten"), (5, "kept")])
def test_a_commit_is_rewritten_where_less_than_half_of_its_lines_stand(shop: Shop, left: int, state: str) -> None:
    shop.write("a.py", LINES)
    shop.commit("Add a cart")
    shop.write("a.py", "".join(LINES.splitlines(keepends=True)[:left]) + "other\n" * 7)
    shop.commit("Write it anew", own=False)
    assert shop.states() == [("Add a cart", state, 10, left)]


def test_a_revert_and_a_revert_of_it_are_followed_and_a_commit_that_only_names_another_is_none(shop: Shop) -> None:
    shop.write("a.py", LINES)
    sha = shop.commit("Add a cart")
    shop.write("c.py", "c\n")
    shop.commit("Add c", "-m", f"This follows commit {sha}.", own=False)
    assert shop.states() == [("Add a cart", "kept", 10, 10)]
    shop.git("revert", "--no-edit", sha)
    (fate,) = shop.became().reverted
    assert (fate.state, fate.lines.stand, fate.by and fate.by.subject) == ("reverted", 0, 'Revert "Add a cart"')
    shop.git("revert", "--no-edit", "HEAD")
    assert shop.states() == [("Add a cart", "kept", 10, 10)]
    shop.git("revert", "--no-edit", "HEAD")
    assert shop.states() == [("Add a cart", "reverted", 10, 0)]


def test_an_amended_commit_is_replaced_and_the_other_is_kept(shop: Shop) -> None:
    shop.write("a.py", LINES)
    shop.commit("Add a card")
    shop.write("a.py", LINES + "more\n")
    sha = shop.commit("Add a cart", "--amend")
    assert shop.states() == [("Add a card", "replaced", 0, 0), ("Add a cart", "kept", 11, 11)]
    assert (
        shop.became().line() == "2 commits: 1 kept, 1 replaced or dropped; of 11 added lines looked at 11 still stand."
    )
    shop.git("revert", "--no-edit", sha)
    assert [state for _, state, *_ in shop.states()] == ["reverted", "reverted"]


def test_the_lines_of_a_commit_that_was_rebased_are_those_of_its_successor_and_one_on_a_branch_is_elsewhere(
    shop: Shop,
) -> None:
    shop.git("checkout", "-qb", "cart")
    shop.write("a.py", LINES)
    shop.commit("Add a cart")
    shop.git("checkout", "-q", "main")
    shop.write("c.py", "c\n")
    shop.commit("Add c", own=False)
    assert shop.states() == [("Add a cart", "elsewhere", 0, 0)]
    shop.git("checkout", "-q", "cart")
    shop.git("rebase", "-q", "main")
    assert shop.states() == [("Add a cart", "replaced", 10, 10)]
    shop.git("reset", "-q", "--hard", "HEAD~1")
    assert shop.states() == [("Add a cart", "replaced", 0, 0)]
    assert shop.became().fates[0].by is None


def test_binary_and_generated_files_are_not_counted(shop: Shop) -> None:
    (shop.folder / "a.bin").write_bytes(bytes(range(256)) * 9)
    shop.write("package-lock.json", LINES)
    shop.write("a.py", "a\n")
    shop.write("ä b/c d.py", "1\n2\n")
    shop.commit("Add things")
    assert shop.states() == [("Add things", "kept", 3, 3)]


@pytest.mark.parametrize("path", ["yarn.lock", "web/node_modules/a.js", "a.min.js", "go.sum", "x_pb2.py", "pnpm-lock.yaml", "dist/a.js"])  # fmt: skip
def test_what_is_generated_is_told_by_its_name(path: str) -> None:
    assert not survival.countable(path, 1)


@pytest.mark.parametrize("path", ["src/lock.py", "distance/a.py", "a.js", "vendors.py", "locks/unlock.json"])
def test_what_people_write_counts_unless_it_is_very_long(path: str) -> None:
    assert survival.countable(path, 1)
    assert not survival.countable(path, 10**7)


def test_only_the_latest_commits_are_looked_into_and_that_is_told(shop: Shop) -> None:
    for number in range(survival.COMMITS + 2):
        shop.write("a.py", "\n".join(map(str, range(number + 1))) + "\n")
        shop.commit(f"Count to {number}")
    became = shop.became()
    assert (became.total, len(became.fates)) == (survival.COMMITS + 2, survival.COMMITS)
    assert became.fates[-1].commit.subject == f"Count to {survival.COMMITS + 1}"
    assert became.line().startswith("22 commits (the latest 20 were looked into): 20 kept")


def test_a_commit_whose_files_are_too_many_is_not_called_kept(shop: Shop) -> None:
    shop.write("first.py", "1\n")
    shop.commit("Add the first")
    assert [state for _, state, *_ in shop.states()] == ["kept"]
    for number in range(survival.FILES):
        shop.write(f"part_{number}.py", LINES)
    shop.commit("Add many")
    assert [state for _, state, *_ in shop.states()] == ["unread", "kept"]


def test_a_commit_of_another_repository_and_a_name_with_another_subject_are_not_told(shop: Shop) -> None:
    sha = shop.commit("Nothing", "--allow-empty", own=False)
    shop.git("reset", "-q", "--hard", "HEAD~1")
    shop.events = [
        work.ran("git commit -m x", f"[main {sha[:7]}] Another"),
        work.ran("git commit -m y", "[main 0123abc] y"),
    ]
    assert aftermath.outcomes(shop.folder, [shop.session()]) == {}
    shop.events = [work.ran("git commit", f"[main {sha[:7]}] Nothing")]
    assert [one.commit.sha for one in shop.became().fates] == [sha]


def test_where_there_is_no_repository_nothing_is_told(tmp_path: Path) -> None:
    assert aftermath.outcomes(tmp_path, [work.session(0, work.ran("git commit -m a", "[main 0123abc] a"))]) == {}


def test_a_note_tells_what_became_of_the_commits_and_none_is_written_for_what_was_merely_kept(shop: Shop) -> None:
    shop.write("a.py", LINES)
    sha = shop.commit("Add a cart")
    session = shop.session()
    assert notes.note(session, work.cut([session]), [], shop.became()) is None
    shop.git("revert", "--no-edit", sha)
    note = notes.note(session, work.cut([session]), [], shop.became())
    assert note
    assert "\n\n1 commit: 1 reverted; of 10 added lines looked at 0 still stand.\n\n" in note.text({})
