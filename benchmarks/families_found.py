"""Families found in the histories of public projects: `python -m benchmarks.families_found MIRRORS [ROW...]`.

MIRRORS holds the git directories as `<owner>+<name>/repo`; one that is not there is named and left out.

A row is one family that a study documented, as regular expressions over the paths that any commit but a merge ever added,
bulk commits too. `x` in the first expression captures a member's name; the distinct names (capitals and separators aside) are the gold
members. Further expressions are other files of the same members. What is measured, with nothing told about the repository:

- A found member is right for a row if its name is a gold member's and one of its files matches one of the row's expressions with it.
- The families of a row are all found ones of which more than half of the members are right; without one the row is not found.
- recall: gold members that are in one of these families, of all gold members.
- precision: right members of these families, of all their members (a name in two families counts once).
- top: the recall of the largest of these families alone. families: how many there are: more than one is a family in pieces.

Gold names are those of the whole history, so a member that was added in an import or was deleted since counts as well. The
expressions were taken from the study's table, whose author had seen a miner's output for six of the rows.
Seconds are those of reading the log, of discovery and of the look into the files, by the clock and of the processor (git's included).
"""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from meta import generators, git
from meta.families import paths
from meta.family import Family, Member


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    repository: str
    member: str
    others: tuple[str, ...] = ()


_AL, _CK = "pennersr/django-allauth", "bridgecrewio/checkov"
ROWS = (
    Row("allauth providers", _AL, r"allauth/socialaccount/providers/(?P<x>[^/]+)/(?:provider|views|urls|tests)\.py",
        (r"(?:allauth/)?tests/apps/socialaccount/providers/(?P<x>[^/]+)/\w+\.py",)),
    Row("checkov aws", _CK, r"checkov/terraform/checks/resource/aws/(?P<x>(?!__)[^/]+)\.py",
        (r"tests/terraform/checks/resource/aws/(?:test_(?P<x>[^/]+)\.py|example_(?P<y>[^/]+)/main\.tf)",)),
    Row("checkov arm", _CK, r"checkov/arm/checks/resource/(?P<x>(?!__)[^/]+)\.py",
        (r"tests/arm/checks/resource/(?:test_(?P<x>[^/]+)\.py|example_(?P<y>[^/]+)/[^/]+\.json)",)),
    Row("holidays countries", "vacanza/holidays", r"holidays/countries/(?P<x>(?!__)[^/]+)\.py",
        (r"tests/countries/test_(?P<x>[^/]+)\.py",)),
    Row("moto services", "getmoto/moto", r"moto/(?P<x>[^/]+)/(?:models|responses|urls)\.py",
        (r"tests/test_(?P<x>[^/]+)/[^/]+\.py",)),
    Row("city-scrapers spiders", "City-Bureau/city-scrapers", r"city_scrapers/spiders/(?P<x>(?!__)[^/]+)\.py",
        (r"tests/test_(?P<x>[^/]+)\.py", r"tests/files/(?P<x>[^/]+)\.html")),
    Row("dispatch modules", "Netflix/dispatch",
        r"src/dispatch/(?!plugins/|static/)(?:[^/]+/)?(?P<x>[^/]+)/(?:models|service|views)\.py",
        (r"src/dispatch/static/dispatch/src/(?P<x>[^/]+)/.*", r"tests/(?P<x>[^/]+)/test_[^/]+\.py")),
    Row("Santa experiments", "TUT-StudyClub/Santa2025", r"experiments/(?P<x>exp\d+[^/]*)/run\.py",
        (r"experiments/(?P<x>exp\d+[^/]*)/exp/\d+\.yaml",)),
    Row("faker locales", "joke2k/faker", r"faker/providers/\w+/(?P<x>[a-z]{2,3}_[A-Za-z_]+)/__init__\.py"),
    Row("alltheplaces spiders", "alltheplaces/alltheplaces", r"locations/spiders/(?P<x>(?!__)[^/]+)\.py"),
    Row("pygments lexers", "pygments/pygments", r"pygments/lexers/(?P<x>(?!_)[^/]+)\.py"),
    Row("pygments styles", "pygments/pygments", r"pygments/styles/(?P<x>(?!_)[^/]+)\.py"),
    Row("pyupgrade plugins", "asottile/pyupgrade", r"pyupgrade/_plugins/(?P<x>(?!_)[^/]+)\.py",
        (r"tests/features/(?P<x>[^/]+)_test\.py",)),
    Row("prowler aws services", "prowler-cloud/prowler",
        r"prowler/providers/aws/services/(?P<x>[^/]+)/(?P=x)_(?:service|client)\.py",
        (r"tests/providers/aws/services/(?P<x>[^/]+)/(?P=x)_service_test\.py",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    row: Row
    gold: int
    recall: float
    precision: float
    top: float
    families: tuple[Family, ...]


def name_in(row: Row, path: str) -> str:
    """The key of the member whose file the path is, "" where it is none."""
    for expression in (row.member, *row.others):
        if match := re.fullmatch(expression, path):
            return paths.key(next(name for name in match.groupdict().values() if name))
    return ""


def measured(row: Row, added: Iterable[str], found: Iterable[Family]) -> Measured:
    gold = {paths.key(match["x"]) for path in added if (match := re.fullmatch(row.member, path))}

    def right(member: Member) -> set[str]:
        return {name_in(row, path) for path in member.files} & gold & {paths.key(member.name)}

    families = [f for f in found if 2 * sum(bool(right(member)) for member in f.members) > len(f.members)]
    covered = [set().union(*map(right, family.members)) for family in families]
    every = {member.files[0]: bool(right(member)) for family in families for member in family.members}
    return Measured(
        row,
        len(gold),
        len(set().union(*covered)) / len(gold),
        sum(every.values()) / (len(every) or 1),
        max(map(len, covered), default=0) / len(gold),
        tuple(families),
    )


def _processor() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main(mirrors: Path, wanted: tuple[str, ...] = ()) -> int:
    rows = [row for row in ROWS if not wanted or any(word in row.name for word in wanted)]
    results: list[Measured] = []
    print(f"{'repository':28}{'commits':>9}{'families':>10}{'wall s':>9}{'cpu s':>8}")
    for repository in dict.fromkeys(row.repository for row in rows):
        folder = mirrors / repository.replace("/", "+") / "repo"
        if not folder.is_dir():
            print(f"{repository:28}  not at hand, left out")
            continue
        wall, processor = time.perf_counter(), _processor()
        found = generators.found(folder, time.time()).families
        wall, processor = time.perf_counter() - wall, _processor() - processor
        history = [commit for commit in git.commits(folder) if commit.changes]
        added = {change.path for commit in history for change in commit.changes if change.status == "A"}
        results += [measured(row, added, found) for row in rows if row.repository == repository]
        print(f"{repository:28}{len(history):9}{len(found):10}{wall:9.1f}{processor:8.1f}")
    print(f"\n{'row':24}{'gold':>6}{'recall':>8}{'precision':>11}{'top':>6}{'families':>10}  largest")
    for each in results:
        largest = max(each.families, key=lambda family: len(family.members), default=None)
        print(f"{each.row.name:24}{each.gold:6}{each.recall:8.3f}{each.precision:11.3f}{each.top:6.2f}{len(each.families):10}"
              f"  {largest.paths[0] if largest else 'NOT FOUND'}")  # fmt: skip
    if results:
        print(f"{'mean':24}{'':6}{fmean(r.recall for r in results):8.3f}{fmean(r.precision for r in results):11.3f}"
              f"{fmean(r.top for r in results):6.2f}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
