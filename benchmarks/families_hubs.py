"""How often the line that an add puts into a registry is made right, and in its place: `python -m benchmarks.families_hubs MIRRORS`.

MIRRORS is a folder of bare repositories, `<owner>+<name>/repo`. For each of a hub's last 40 adds the edit is learned from
the eight before it, and made in the hub as it stood in the parent commit, with the member's name and the values of the
slots given. What finds the hubs is measured elsewhere.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from meta import git, insertion
from meta.families import hubs, names
from meta.family import HubEdit, Insertion, Text

LAST, LEARNED = 40, 8
ROWS = (  # repository, its members' first file, hubs
    ("pennersr+django-allauth", r"allauth/socialaccount/providers/(\w+)/provider\.py",
     ("test_settings.py", "docs/installation.rst", "docs/overview.rst", "example/example/settings.py")),
    ("vacanza+holidays", r"holidays/countries/((?!__)\w+)\.py", ("holidays/countries/__init__.py", "holidays/registry.py", "README.md")),
    ("getmoto+moto", r"moto/(\w+)/models\.py", ("moto/backend_index.py", "moto/backends.py", "moto/__init__.py")),
    ("Netflix+dispatch", r"src/dispatch/(?:\w+/)?(\w+)/models\.py", ("src/dispatch/api.py", "src/dispatch/__init__.py")),
    ("pygments+pygments", r"pygments/lexers/((?!_)\w+)\.py", ("pygments/lexers/_mapping.py",)),
    ("pygments+pygments", r"pygments/styles/((?!_)\w+)\.py", ("pygments/styles/__init__.py",)),
    ("joke2k+faker", r"faker/providers/person/(\w+)/__init__\.py", ("tests/providers/test_person.py",)),
    ("TUT-StudyClub+Santa2025", r"experiments/(exp\d+_\w+)/run\.py", ("docs/experiments.md", "scripts/analyze_scores.py")),
    ("asottile+pyupgrade", r"pyupgrade/_plugins/((?!_)\w+)\.py", ("README.md",)),
)  # fmt: skip
REGISTRIES = (
    "test_settings.py",
    "docs/installation.rst",
    "holidays/countries/__init__.py",
    "holidays/registry.py",
    "moto/backend_index.py",
)
"""Lists that a program reads, one line a member, and that were chosen before anything was measured."""


@dataclass
class Score:
    """Of `adds`, how many were `refused` for want of a learned edit, are right in `text`, in `place` too, and so by the name `alone`.

    `given` are shares of a line's characters that the caller gives, because no default says them.
    """

    adds: int = 0
    single: int = 0
    refused: int = 0
    text: int = 0
    exact: int = 0
    place: int = 0
    alone: int = 0
    twice: int = 0
    changed: int = 0
    broken: int = 0
    given: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def adds(repository: Path, member: str, hub: str) -> list[tuple[str, hubs.Add]]:
    """The last commits that add one member and edit the hub, oldest first."""
    found: list[tuple[str, str, str, str]] = []
    for commit in git.commits(repository):
        added = [m for change in commit.changes if change.status == "A" and (m := re.fullmatch(member, change.path))]
        edited = [change.blob for change in commit.changes if change.status == "M" and change.path == hub]
        if len(added) == 1 and edited:
            found.append((commit.sha, added[0][1], f"{commit.parents[0]}:{hub}", edited[0]))
        if len(found) == LAST + LEARNED:
            break
    texts = blobs(repository, [name for _, _, *pair in found for name in pair])
    return [(sha, hubs.Add(name, next(texts), next(texts))) for sha, name, _, _ in found][::-1]


def blobs(repository: Path, wanted: Sequence[str]) -> Iterator[str]:
    command = ["git", "--git-dir", str(repository), "cat-file", "--batch"]
    done = subprocess.run(command, input="\n".join(wanted).encode() + b"\n", capture_output=True, check=True).stdout
    at = 0
    for _ in wanted:
        end = done.index(b"\n", at)
        size = int(done[at:end].split()[2])
        yield done[end + 1 : end + 1 + size].decode("utf-8", "replace")
        at = end + 2 + size


def measure(hub: str, rows: Sequence[tuple[str, hubs.Add]]) -> Score:
    score = Score()
    for number in range(max(hubs.LEAST, len(rows) - LAST), len(rows)):
        sha, add = rows[number]
        score.adds += 1
        puts = hubs.put_in(add)
        score.single += len(puts) == 1
        edit = hubs.learn(hub, [row for _, row in rows[max(0, number - LEARNED) : number]])
        if edit is None:
            score.refused += 1
        elif not hubs.made(edit.insertions, add):
            score.wrong.append(f"{sha[:9]} {add.name}: text {[put.text.strip()[:90] for put in puts]}")
        else:
            score.text += 1
            place(score, hub, edit, sha, add)
    return score


def place(score: Score, hub: str, edit: HubEdit, sha: str, add: hubs.Add) -> None:
    text, right, alone = add.before, True, True
    for found in edit.insertions:
        put = next(put for put in hubs.put_in(add) if hubs.values(found, add.name, put.text) is not None)
        around = add.after.splitlines()
        lines = [
            *around[put.start - found.anchor : put.start],
            put.text,
            *around[put.end : put.end + len(found.lines) - 1 - found.anchor],
        ]
        slots = hubs.values(found, add.name, put.text) or {}
        own = {slot: value for slot, value in slots.items() if value != default(found, slot, add.name)}
        score.given.append(sum(map(len, own.values())) / len(put.text.strip()))
        alone &= not own

        insert = partial(insertion.insert, lines=lines, like=found.like, anchor=found.anchor, inside=found.inside,
                         order=found.order, python=hub.endswith(".py"))  # fmt: skip
        try:
            text = insert(text)
        except insertion.NoPlaceError as error:
            right = False
            score.wrong.append(f"{sha[:9]} {add.name}: {error}")
            continue
        score.changed += 1
        score.twice += insert(text) == text
        if not hubs.same_place(add, put.text, text):
            right = False
            score.wrong.append(f"{sha[:9]} {add.name}: place of {put.text.strip()[:70]}")
    score.broken += hub.endswith(".py") and insertion.parses(add.before) and not insertion.parses(text)
    score.place += right
    score.alone += right and alone
    score.exact += text == add.after


def default(found: Insertion, slot: str, name: str) -> str | None:
    pieces = found.defaults.get(slot)
    if pieces is None:
        return None
    return "".join(p.text if isinstance(p, Text) else names.in_form(name, p.form) for p in pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--wrong", action="store_true", help="list what is not right")
    given = parser.parse_args()
    chosen, single = Score(), Score()
    print(
        f"{'hub':<62}{'adds':>5}{'one':>5}{'none':>5}{'text':>6}{'place':>6}{'alone':>6}{'exact':>6}{'twice':>8}{'broken':>7}{'given':>7}"
    )
    for repository, member, paths in ROWS:
        for hub in paths:
            score = measure(hub, adds(given.mirrors / repository / "repo", member, hub))
            slots = sum(score.given) / (len(score.given) or 1)
            print(f"{repository.partition('+')[2] + ' ' + hub:<62}{score.adds:>5}{score.single:>5}{score.refused:>5}{score.text:>6}{score.place:>6}{score.alone:>6}"
                  f"{score.exact:>6}{score.twice:>4}/{score.changed:<3}{score.broken:>7}{slots:>7.2f}")  # fmt: skip
            if given.wrong:
                print(*(f"      {line}" for line in score.wrong), sep="\n")
            for total, counts in ((chosen, hub in REGISTRIES), (single, score.single >= 0.8 * score.adds)):
                for name in ("adds", "text", "place", "alone", "twice", "changed", "broken") if counts else ():
                    setattr(total, name, getattr(total, name) + getattr(score, name))
    for title, total in (("the five registries", chosen), ("every hub that most adds put one line in", single)):
        print(f"{title}: text {total.text}/{total.adds}, text and place {total.place}/{total.adds}, by the name alone {total.alone}, "
              f"again without a change {total.twice}/{total.changed}, no Python any more {total.broken}")  # fmt: skip


if __name__ == "__main__":
    main()
