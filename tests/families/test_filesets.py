"""What is found in histories, each a real repository made here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meta import git
from meta.families import filesets
from meta.family import Family
from tests.families.histories import Made, adding, repository

NAMES = ("ebay", "tik_tok", "mailcow", "discogs", "steam")


def found(folder: Path, commits: Iterable[Made]) -> dict[str, Family]:
    """The families by their first path."""
    made = repository(folder, commits)
    present = {entry.path for entry in git.tree(made)}
    return {family.paths[0]: family for family in filesets.found(git.commits(made), present)}


def providers(*names: str, start: float = 1.0) -> list[Made]:
    """A start, and commits a month apart that each add a provider with its test and enter it in a list."""
    first = Made({"README": "0", "app/core.py": "core", "app/registry.py": "0"})
    return [first] + [
        adding(f"app/providers/{name}/views.py", f"app/providers/{name}/urls.py", f"tests/test_{name}.py",
               day=start + 30 * place, edits={"app/registry.py": str(place + 1), "README": "0"})
        for place, name in enumerate(names)
    ]  # fmt: skip


def test_what_commits_keep_adding_is_a_family(tmp_path: Path) -> None:
    family = found(tmp_path, providers(*NAMES))["app/providers/{X}/urls.py"]
    assert family.paths == ("app/providers/{X}/urls.py", "app/providers/{X}/views.py", "tests/test_{X}.py")
    assert [member.name for member in family.members] == list(NAMES)
    assert family.members[1].files[2] == "tests/test_tik_tok.py"
    assert (family.kind, family.name) == ("files", "app-providers")
    assert [(hub.path, hub.share) for hub in family.hubs] == [("app/registry.py", 1.0)]


def test_members_tell_who_added_them_when_and_in_which_commit(tmp_path: Path) -> None:
    family = found(tmp_path, providers(*NAMES))["app/providers/{X}/urls.py"]
    log = [commit for commit in git.commits(tmp_path) if commit.changes][::-1]
    told = [(member.commit, member.time, member.author) for member in family.members]
    assert told == [(commit.sha, commit.time, "ada") for commit in log[1:]]


def test_two_of_a_kind_are_no_family(tmp_path: Path) -> None:
    assert found(tmp_path, providers(*NAMES[:2])) == {}


def test_files_in_folders_of_their_own_are_no_family(tmp_path: Path) -> None:
    assert found(tmp_path, [adding("a/b.py"), adding("c/d.txt"), adding("e.cfg"), adding("f/g/h.js")]) == {}


def test_a_hub_that_few_of_the_last_ten_edit_is_none(tmp_path: Path) -> None:
    names = [f"name{letter}" for letter in "abcdefghijkl"]
    commits = [Made({"old.txt": "0", "new.txt": "0"})]
    commits += [
        adding(f"app/{name}.py", day=place, edits={"old.txt" if place < 5 else "new.txt": str(place + 1)})
        for place, name in enumerate(names)
    ]
    assert [hub.path for hub in found(tmp_path, commits)["app/{X}.py"].hubs] == ["new.txt"]


def test_a_case_of_a_wider_template_belongs_to_that(tmp_path: Path) -> None:
    cities = [f"spiders/chi_{name}.py" for name in ("parks", "library", "ssa_1", "ssa_2", "ssa_3")]
    others = [f"spiders/{name}.py" for name in ("cook_board", "il_labor", "det_water")]
    families = found(tmp_path, [adding(path, day=day) for day, path in enumerate(cities + others)])
    assert list(families) == ["spiders/{X}.py"]
    assert len(families["spiders/{X}.py"].members) == 8


def test_what_is_left_beside_a_template_that_nearly_all_have_is_no_family(tmp_path: Path) -> None:
    tests = [f"tests/test_{letter}{letter}{letter}.py" for letter in "abcdefghijklmnopqr"]
    others = ["tests/conftest.py", "tests/helpers.py", "tests/factories.py"]
    families = found(tmp_path, [adding(path, day=day) for day, path in enumerate(tests + others)])
    assert list(families) == ["tests/test_{X}.py"]


@pytest.mark.parametrize("path", [
    pytest.param("app/migrations/000{}_change.py", id="migrations"),
    pytest.param("locks/{}.lock", id="lock files"),
    pytest.param("logos/{}.png", id="binaries"),
    pytest.param("web/node_modules/{}/index.js", id="vendored code"),
])  # fmt: skip
def test_what_others_make_is_no_family(tmp_path: Path, path: str) -> None:
    names = ("ebay", "steam", "discogs", "mailcow")
    assert found(tmp_path / "left-out", [adding(path.format(name), day=day) for day, name in enumerate(names)]) == {}
    plain = [adding(f"app/{name}.py", day=day) for day, name in enumerate(names)]
    assert list(found(tmp_path / "kept", plain)) == ["app/{X}.py"]


def test_an_import_of_many_files_makes_no_family_but_its_members_count(tmp_path: Path) -> None:
    many = [f"app/name{letter}{other}.py" for letter in "abcdef" for other in "klmno"]
    assert found(tmp_path / "import", [adding(*many)]) == {}
    later = [adding(f"app/{name}.py", day=day) for day, name in enumerate(NAMES, 1)]
    assert len(found(tmp_path / "later", [adding(*many), *later])["app/{X}.py"].members) == 35


def test_a_family_of_which_nothing_is_left_is_history_only(tmp_path: Path) -> None:
    made = providers(*NAMES)
    gone = Made({path: None for commit in made[1:] for path in commit.files if "_" in path or "providers" in path}, 300)
    assert found(tmp_path, [*made, gone]) == {}


def test_a_member_that_was_deleted_since_still_counts(tmp_path: Path) -> None:
    made = providers(*NAMES)
    gone = Made({path: None for path in made[1].files if "providers" in path}, 300)
    members = found(tmp_path, [*made, gone])["app/providers/{X}/urls.py"].members
    assert [member.name for member in members] == list(NAMES)


def test_files_that_moved_at_once_are_found_at_their_new_place(tmp_path: Path) -> None:
    names = [f"name{letter}" for letter in "abcdefghijklmnopqrstuvwxyzäöü"]
    made = providers(*names)
    move = {f"tests/test_{name}.py": None for name in names} | {f"tests/apps/{name}/tests.py": name for name in names}
    family = found(tmp_path, [*made, Made(move, 2000)])["app/providers/{X}/urls.py"]
    assert family.paths[2:] == ("tests/apps/{X}/tests.py",)
    assert family.members[0].files[2] == "tests/apps/namea/tests.py"


def test_a_test_that_came_days_later_is_part_of_the_member(tmp_path: Path) -> None:
    commits = [adding("start")]
    for place, name in enumerate(NAMES):
        commits += [adding(f"app/{name}.py", day=30 * place), adding(f"tests/test_{name}.py", day=30 * place + 2)]
    assert found(tmp_path, commits)["app/{X}.py"].paths == ("app/{X}.py", "tests/test_{X}.py")


def test_a_test_that_came_months_later_is_not(tmp_path: Path) -> None:
    commits = [adding(f"app/{name}.py", day=place) for place, name in enumerate(NAMES)]
    commits += [adding(f"tests/test_{name}.py", day=200 + place) for place, name in enumerate(NAMES)]
    assert found(tmp_path, commits)["app/{X}.py"].paths == ("app/{X}.py",)


def test_two_families_do_not_take_the_same_name(tmp_path: Path) -> None:
    commits = [
        adding(f"{cloud}/checks/aws/{name}.py", day=10 * place + day)
        for day, cloud in enumerate(("terraform", "bicep"))
        for place, name in enumerate((f"{cloud}a", f"{cloud}b", f"{cloud}c"))
    ]
    commits += [adding(f"bicep/checks/aws/{name}.yaml", day=200 + day) for day, name in enumerate(("x", "y", "z"))]
    names = [family.name for family in found(tmp_path, commits).values()]
    assert len(names) == len(set(names)) == 3


def test_an_empty_repository_has_no_families(tmp_path: Path) -> None:
    assert found(tmp_path, []) == {}


WORDS = st.text(st.sampled_from("abcdefghijklmnop"), min_size=3, max_size=7)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(WORDS, min_size=3, max_size=9, unique=True), noise=st.lists(WORDS, max_size=6, unique=True))
def test_any_names_added_one_by_one_are_the_members(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], noise: list[str]
) -> None:
    commits = [
        adding(f"src/plugins/{name}/plugin.py", f"src/plugins/{name}/conf.py", day=20 * place)
        for place, name in enumerate(names)
    ]
    commits += [adding(f"z{word}/y{word[::-1]}.txt", day=500 + place) for place, word in enumerate(noise)]
    families = found(tmp_path_factory.mktemp("any"), commits)
    assert list(families) == ["src/plugins/{X}/conf.py"]
    assert [member.name for member in families["src/plugins/{X}/conf.py"].members] == names
