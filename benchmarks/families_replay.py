"""Make the last members of documented families at their parent commits, and beside it what copying and the projects' own scaffolds make.

`python -m benchmarks.families_replay MIRRORS [--last K] [--only REGEX]`; MIRRORS holds `<owner>+<name>/repo` git directories. The path
templates are given here, so that nothing depends on their discovery. The protocol is that of `meta.families.replay`.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.families import replay, score
from meta.families.patterns import answers, learn_together, render
from meta.family import Coverage, Family, Line, Member, Pattern, Slot, Text


@dataclass(frozen=True)
class Row:
    name: str
    repository: str
    paths: tuple[str, ...]
    but: str = "$^"  # names that are no members


ROWS = (
    Row("allauth", "pennersr+django-allauth", tuple(f"allauth/socialaccount/providers/{{X}}/{file}.py" for file in ("provider", "__init__", "views", "urls", "tests")) + tuple(f"tests/apps/socialaccount/providers/{{X}}/{file}.py" for file in ("__init__", "test_unit", "tests"))),
    Row("checkov-aws", "bridgecrewio+checkov", ("checkov/terraform/checks/resource/aws/{X}.py", "tests/terraform/checks/resource/aws/test_{X}.py", "tests/terraform/checks/resource/aws/example_{X}/main.tf")),
    Row("checkov-azure", "bridgecrewio+checkov", ("checkov/terraform/checks/resource/azure/{X}.py", "tests/terraform/checks/resource/azure/test_{X}.py")),
    Row("checkov-arm", "bridgecrewio+checkov", ("checkov/arm/checks/resource/{X}.py", "tests/arm/checks/resource/test_{X}.py")),
    Row("holidays", "vacanza+holidays", ("holidays/countries/{X}.py", "tests/countries/test_{X}.py"), "__init__"),
    Row("moto", "getmoto+moto", ("moto/{X}/models.py", "moto/{X}/__init__.py", "moto/{X}/responses.py", "moto/{X}/urls.py", "moto/{X}/exceptions.py", "tests/test_{X}/__init__.py"), "core|packages"),
    Row("city-scrapers", "City-Bureau+city-scrapers", ("city_scrapers/spiders/{X}.py", "tests/test_{X}.py", "tests/files/{X}.html"), "__init__"),
    Row("dispatch", "Netflix+dispatch", ("src/dispatch/{X}/models.py", "src/dispatch/{X}/__init__.py", "src/dispatch/{X}/service.py", "src/dispatch/{X}/views.py")),
    Row("santa", "TUT-StudyClub+Santa2025", ("experiments/{X}/run.py", "experiments/{X}/config.yaml", "experiments/{X}/exp/000.yaml")),
    Row("faker", "joke2k+faker", tuple(f"faker/providers/{kind}/{{X}}/__init__.py" for kind in ("person", "address", "company", "job", "phone_number", "internet", "date_time", "lorem", "ssn", "bank", "automotive", "color", "currency", "credit_card"))),
    Row("atp-gb", "alltheplaces+alltheplaces", ("locations/spiders/{X}_gb.py",)),
    Row("atp-all", "alltheplaces+alltheplaces", ("locations/spiders/{X}.py",)),
    Row("pygments-lexers", "pygments+pygments", ("pygments/lexers/{X}.py",), "_.*"),
    Row("pygments-styles", "pygments+pygments", ("pygments/styles/{X}.py",), "_.*"),
    Row("pyupgrade", "asottile+pyupgrade", ("pyupgrade/_plugins/{X}.py", "tests/features/{X}_test.py"), "__init__"),
    Row("prowler-aws", "prowler-cloud+prowler", ("prowler/providers/aws/services/{X}/{X}_service.py", "prowler/providers/aws/services/{X}/{X}_client.py", "tests/providers/aws/services/{X}/{X}_service_test.py")),
)  # fmt: skip


@dataclass(frozen=True)
class Scaffold:
    """A project's own templates: for each path template those that are made for it, the best of which counts."""

    row: str
    templates: Mapping[str, tuple[str, ...]]


_CHECKOV = "checkov/common/util/templates/"
_MOTO = "scripts/template/lib/"
_SPIDERS = tuple(
    f"templates/spiders/{kind}.tmpl"
    for kind in (
        "basic",
        "crawl",
        "csvfeed",
        "json_blob",
        "structured_data_crawl",
        "structured_data_sitemap",
        "wp_go_maps",
        "xmlfeed",
    )
)
SCAFFOLDS = (
    Scaffold("checkov-aws", {"checkov/terraform/checks/resource/aws/{X}.py": (_CHECKOV + "resource.jinja2",), "tests/terraform/checks/resource/aws/test_{X}.py": (_CHECKOV + "unittest-python.jinja2",), "tests/terraform/checks/resource/aws/example_{X}/main.tf": (_CHECKOV + "unittest-terraform.jinja2",)}),
    Scaffold("checkov-azure", {"checkov/terraform/checks/resource/azure/{X}.py": (_CHECKOV + "resource.jinja2",), "tests/terraform/checks/resource/azure/test_{X}.py": (_CHECKOV + "unittest-python.jinja2",)}),
    Scaffold("city-scrapers", {"city_scrapers/spiders/{X}.py": ("templates/spider.tmpl",), "tests/test_{X}.py": ("templates/test.tmpl",)}),
    Scaffold("moto", {f"moto/{{X}}/{file}.py": (f"{_MOTO}{file}.py.j2",) for file in ("__init__", "models", "responses", "urls", "exceptions")} | {"tests/test_{X}/__init__.py": ("scripts/template/test/__init__.py.j2",)}),
    Scaffold("atp-all", {"locations/spiders/{X}.py": _SPIDERS}),
)  # fmt: skip
_HOLE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$\{?\w+\}?")


def as_pattern(path: str, template: str) -> Pattern:
    """A scaffold's template as it would be made: lines of control alone make nothing, every hole matches anything."""
    nodes = []
    for number, line in enumerate(template.splitlines()):
        parts = _HOLE.split(line)
        if not _HOLE.sub("", line).strip() and "{%" in line:
            continue
        pieces: list[Text | Slot] = [Text(parts[0])]
        for hole, part in enumerate(parts[1:]):
            pieces += [Slot(f"hole_{number}_{hole}"), Text(part)]
        nodes.append(Line((*pieces, Text("\n"))))
    return Pattern(path, tuple(nodes))


def scaffolded(scaffold: Scaffold, repository: Path, moments: Sequence[replay.Moment]) -> list[score.Tally]:
    """What the templates make of each member, in the version that stood last when it was made."""
    wanted = {template for templates in scaffold.templates.values() for template in templates}
    versions = [
        (commit.committed, change.path, change.blob)
        for commit in git.commits(repository) for change in commit.changes if change.path in wanted and change.blob
    ]  # fmt: skip
    texts = dict(
        zip(
            {blob: 0 for *_, blob in versions},
            git.contents(repository, {blob: 0 for *_, blob in versions}),
            strict=True,
        )
    )
    tallies = []
    for moment in moments:
        tally = score.Tally()
        for path, text in moment.files.items():
            made = [score.Tally(len(score.solid(text)))]
            for template in scaffold.templates.get(path, ()):
                then = [
                    (when, blob)
                    for when, file, blob in versions
                    if file == template and when < (moment.member.time or 0)
                ]
                if then and (content := texts[max(then)[1]]):
                    made.append(score.by_pattern(as_pattern(path, content.decode()), {}, moment.member.name, text))
            tally += max(made, key=lambda one: one.made)
        tallies.append(tally)
    return tallies


def family(row: Row, repository: Path) -> Family:
    """The members that single commits added, oldest first."""
    places = [
        re.compile(re.escape(path).replace(r"\{X\}", "(?P<x>[^/]+)", 1).replace(r"\{X\}", "(?P=x)"))
        for path in row.paths
    ]
    members: dict[str, Member] = {}
    commits = sorted(git.commits(repository), key=lambda commit: commit.committed)
    for commit in commits:
        added = [change.path for change in commit.changes if change.status == "A"]
        here: dict[str, dict[int, str]] = {}
        for path in added:
            for role, place in enumerate(places):
                match = place.fullmatch(path)
                if match and not re.fullmatch(row.but, match["x"]):
                    here.setdefault(match["x"], {})[role] = path
        for name, files in here.items():
            if name not in members and 0 in files:
                all_files = tuple(path.replace("{X}", name) for path in row.paths)
                members[name] = Member(
                    name, all_files, commit.sha if len(added) <= replay.BULK else "", commit.committed
                )
    return Family(row.name, row.name, "files", row.paths, tuple(members.values()))


def pearson(pairs: Sequence[tuple[float, float]]) -> float:
    return statistics.correlation([one for one, _ in pairs], [other for _, other in pairs]) if len(pairs) > 2 else 0.0


def shown(coverage: Coverage) -> str:
    return f"{coverage.lines:.2f}/{coverage.junk:.2f}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--last", type=int, default=10, help="members that are made anew")
    parser.add_argument("--predict", type=int, default=1, help="of these how many have every sibling left out in turn")
    parser.add_argument("--only", default="", help="families whose name has this")
    options = parser.parse_args(arguments)
    print(
        "lines/junk: copies of the last and of the one named alike, a pattern (one; in it plain lines, data rows), one of the like"
    )
    print(f"{'family':16} {'n':>4} {'L':>4} {'last':>9} {'parent':>9} {'one':>9} plain rows {'variant':>9} scaffold")
    means: dict[str, list[Coverage]] = {}
    predicted: list[tuple[float, float]] = []
    learning: list[float] = []
    for row in ROWS:
        if not re.search(options.only, row.name):
            continue
        repository = options.mirrors / row.repository / "repo"
        found = family(row, repository)
        moments = replay.moments(repository, found, options.last)
        ways: dict[replay.Way, list[dict[str, score.Tally]]] = {}
        for way in replay.WAYS:
            ways[way] = [replay.made(moment, way) for moment in moments]
        for moment in moments:
            roles = score.by_role(moment.siblings)
            start = time.process_time()
            patterns = learn_together(roles)
            learning.append(time.process_time() - start)
            lossless(patterns, roles)
        whole = {way: [score.total(made.values()) for made in tallies] for way, tallies in ways.items()}
        for way, tallies in whole.items():
            means.setdefault(way, []).append(score.mean([tally.coverage for tally in tallies]))
        for moment in moments[: options.predict]:
            for path, tally in score.left_out(moment.siblings).items():
                real = score.total(made[path] for made in ways["one"] if path in made)
                taught = sum(path in texts for texts in moment.siblings.values())
                if tally.lines and taught > 3 and sum(path in made for made in ways["one"]) >= 3:
                    predicted.append((tally.coverage.lines, real.coverage.lines))
                    print(f"    predicted {tally.coverage.lines:.3f} replayed {real.coverage.lines:.3f} {path}")
        one = score.total(whole["one"])
        own = next((scaffolded(each, repository, moments) for each in SCAFFOLDS if each.row == row.name), [])
        print(
            f"{row.name:16} {len(found.members):4} {one.lines / max(len(moments), 1):4.0f}",
            shown(means["last"][-1]), shown(means["parent"][-1]), shown(means["one"][-1]),
            f"{one.plain / max(one.lines, 1):5.2f} {one.rows / max(one.lines, 1):4.2f}", shown(means["variant"][-1]),
            shown(score.mean([tally.coverage for tally in own])) if own else "", flush=True,
        )  # fmt: skip
    print("mean", *(f"{way} {shown(score.mean(coverages))}" for way, coverages in means.items()))
    print(
        f"predicted against replayed: r = {pearson(predicted):.2f} over {len(predicted)} roles, mean error {statistics.mean(abs(a - b) for a, b in predicted):.2f}"
    )
    print(
        f"learning all files of up to twelve members, CPU seconds: median {statistics.median(learning):.2f}, most {max(learning):.2f}"
    )
    return 0


def lossless(patterns: Sequence[Pattern], roles: Mapping[str, Mapping[str, str]]) -> None:
    """Every member learned from is made again, byte for byte."""
    for pattern in patterns:
        for name, text in roles[pattern.path].items():
            assert render(pattern, answers(pattern, name, text)) == text, (pattern.path, name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
