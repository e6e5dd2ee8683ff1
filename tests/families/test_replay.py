"""A replay sees what stood in the parent commit and nothing that came later."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta import judging
from meta.families import replay, score
from meta.families.replay import Moment
from meta.family import Coverage, Family, Member
from tests.families.histories import DAY, Made, T, git, repository

PATHS = ("app/{X}.py", "tests/test_{X}.py")
NAMES = ("acorn", "birch", "cedar", "dogwood", "elder")


def code(name: str, says: str = "old") -> str:
    return f'class {name.title()}(Tree):\n    id = "{name}"\n    leaves = {len(name)}\n\n    def grow(self):\n        return "{says}"\n'


def history(folder: Path, *more: Made) -> tuple[Path, Family]:
    """Five trees a day apart; on the third day, after the third tree, all there are say something new."""
    commits = [Made({"README": "trees"})]
    for day, name in enumerate(NAMES):
        text = code(name, "old" if day < 3 else "new")
        commits.append(Made({f"app/{name}.py": text, f"tests/test_{name}.py": f"assert {name}\n"}, day))
        if day == 2:
            commits.append(Made({f"app/{name}.py": code(name, "new") for name in NAMES[:3]}, day + 0.5))
    path = repository(folder, [*commits, *more])
    shas = git(path, "log", "--reverse", "--format=%H", "--diff-filter=A", "--", "app").split()
    members = tuple(
        Member(name, tuple(template.replace("{X}", name) for template in PATHS), sha, T + day * DAY)
        for day, (name, sha) in enumerate(zip(NAMES, shas, strict=False))
    )
    return path, Family("fam:trees", "tree", "files", PATHS, members)


def test_the_siblings_are_as_the_parent_commit_has_them_and_the_member_as_its_own_commit_has_it(tmp_path: Path) -> None:
    found = replay.moments(*history(tmp_path))
    assert [moment.member.name for moment in found] == ["birch", "cedar", "dogwood", "elder"]
    third, fourth = found[1], found[2]
    assert list(third.siblings) == ["acorn", "birch"]
    assert third.files == {PATHS[0]: code("cedar"), PATHS[1]: "assert cedar\n"}
    assert all('"old"' in texts[PATHS[0]] for texts in third.siblings.values())
    assert list(fourth.siblings) == ["acorn", "birch", "cedar"]
    assert all('"new"' in texts[PATHS[0]] for texts in fourth.siblings.values())


def test_what_came_after_changes_nothing(tmp_path: Path) -> None:
    later = Made({f"app/{name}.py": code(name, "later") for name in NAMES}, 9)
    assert replay.moments(*history(tmp_path / "a", later)) == replay.moments(*history(tmp_path / "b"))


def test_only_the_last_members_are_replayed_and_one_without_a_commit_is_not(tmp_path: Path) -> None:
    path, family = history(tmp_path)
    assert [moment.member.name for moment in replay.moments(path, family, 1)] == ["elder"]
    unknown = Family(family.id, family.name, "files", PATHS, (*family.members[:4], Member("fir", ("app/fir.py", ""))))
    assert [moment.member.name for moment in replay.moments(path, unknown, 1)] == ["dogwood"]


@pytest.mark.parametrize(
    ("content", "there"),
    [
        pytest.param("x = 1\n" * replay.LONGEST, True, id="a file of the greatest length counts"),
        pytest.param("x = 1\n" * (replay.LONGEST + 1), False, id="a longer file does not"),
        pytest.param(b"\xff\xfe", False, id="what is no text does not"),
        pytest.param(b"a\0b", False, id="nor what is binary"),
        pytest.param(None, False, id="nor what is gone from the commit before"),
    ],
)
def test_what_is_no_text_or_too_long_is_neither_scored_nor_learned_from(
    tmp_path: Path, content: str | bytes | None, there: bool
) -> None:
    last = Made({"app/fir.py": code("fir"), "tests/test_fir.py": "assert fir\n"}, 6)
    path, family = history(tmp_path, Made({"app/acorn.py": content}, 5.5), last)
    fir = Member("fir", ("app/fir.py", "tests/test_fir.py"), git(path, "rev-parse", "HEAD").strip(), T + 6 * DAY)
    grown = Family(family.id, family.name, "files", PATHS, (*family.members, fir))
    (moment,) = replay.moments(path, grown, 1)
    assert (PATHS[0] in moment.siblings["acorn"]) is there
    assert PATHS[1] in moment.siblings["acorn"]


def test_at_most_twelve_siblings_are_learned_from_the_newest_that_are_there(tmp_path: Path) -> None:
    names = [f"tree{chr(97 + number)}" for number in range(16)]
    commits = [Made({f"app/{name}.py": code(name)}, day) for day, name in enumerate(names)]
    gone = Made({f"app/{names[10]}.py": None}, 14.5)
    path = repository(tmp_path, [*commits[:15], gone, commits[15]])
    shas = git(path, "log", "--reverse", "--format=%H", "--diff-filter=A", "--", "app").split()
    members = tuple(
        Member(name, (f"app/{name}.py",), sha, T + day * DAY)
        for day, (name, sha) in enumerate(zip(names, shas, strict=True))
    )
    (moment,) = replay.moments(path, Family("f", "f", "files", PATHS[:1], members), 1)
    assert list(moment.siblings) == [*names[2:10], *names[11:15]]


def test_what_is_expected_and_what_comes_are_the_same_measure(tmp_path: Path) -> None:
    """A sibling that is left out is made just as a new member is that finds the others."""
    moment = replay.moments(*history(tmp_path))[-1]
    last = list(moment.siblings)[-1]
    others = {name: texts for name, texts in moment.siblings.items() if name != last}
    new = Moment(Member(last, ()), moment.siblings[last], others)
    assert score.left_out(moment.siblings)[-1] == replay.made(new)["one"]


def test_a_long_member_says_no_more_of_the_next_than_a_short_one() -> None:
    members = [{"{X}.py": score.Tally(2, 2, 0)}, {"{X}.py": score.Tally(98, 0, 49), "empty": score.Tally()}]
    assert score.whole(members) == Coverage(0.5, 0.25)
    assert score.each_role(members) == {"{X}.py": Coverage(0.5, 0.25)}


def test_a_family_of_one_shape_is_proved_by_what_it_would_have_made(tmp_path: Path) -> None:
    proof = judging.judge(*history(tmp_path))
    assert proof.strategy == "template"
    assert [one.member for one in proof.replay] == ["birch", "cedar", "dogwood", "elder"]
    odd = 1 / 6 / 5  # one line of one member: the dogwood has another number of leaves
    assert (proof.left_out.lines, proof.left_out.junk) == pytest.approx((1 - odd, odd))
