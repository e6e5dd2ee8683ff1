"""Make the last members of documented families at their parent commits, and beside it what copying and the projects' own scaffolds make.

`python -m benchmarks.families_replay MIRRORS [--last K] [--predict K] [--only REGEX]`; MIRRORS holds `<owner>+<name>/repo` git directories. The path
templates are given here, so that nothing depends on their discovery. The protocol is that of `meta.families.replay`.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.families import replay, score
from meta.families.patterns import answers, learn_together, render
from meta.families.variants import clusters
from meta.family import Coverage, Family, Line, Member, Option, Pattern, Slot, Text


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
    Row("santa", "TUT-StudyClub+Santa2025", tuple(f"experiments/{{X}}/{file}" for file in ("run.py", "config.yaml", "exp/000.yaml", "exp/001.yaml", "exp/002.yaml", "exp/003.yaml", "utils/__init__.py", "utils/logger.py", "utils/env.py"))),
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
    """A scaffold's template as it would be made: every hole matches anything, and what an `if` holds is an option.

    As with learned lines one of holes alone, or of more holes than tokens, is no line of it.
    """
    nodes: list[Line | Option] = []
    option = ""
    for number, line in enumerate(template.splitlines()):
        if "{%" in line and not _HOLE.sub("", line).strip():
            option = f"with_{number}" if re.search(r"\{%-?\s*(?:if|elif|else)\b", line) else option
            option = "" if "endif" in line else option
            continue
        pieces: list[Text | Slot] = []
        for at, part in enumerate(_HOLE.split(line)):
            pieces += [Slot(f"hole_{number}_{at}"), Text(part)] if at else [Text(part)]
        fixed = re.findall(r"\w+|[^\w\s]", " ".join(piece.text for piece in pieces if isinstance(piece, Text)))
        holes = sum(isinstance(piece, Slot) for piece in pieces)
        if not holes or (any(token[0].isalnum() for token in fixed) and len(fixed) >= holes):
            made = Line((*pieces, Text("\n")))
            nodes.append(Option(option, (made,)) if option else made)
    return Pattern(path, tuple(nodes))


def scaffolded(scaffold: Scaffold, repository: Path, moments: Sequence[replay.Moment]) -> list[score.Tally]:
    """What the templates make of each member, in the version that stood last when it was made; of several the one that makes most."""
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
            made: list[score.Tally] = []
            for template in scaffold.templates.get(path, ()):
                then = [
                    (when, blob)
                    for when, file, blob in versions
                    if file == template and when < (moment.member.time or 0)
                ]
                if then and (content := texts[max(then)[1]]):
                    pattern = as_pattern(path, content.decode())
                    asked = [node.parameter for node in pattern.nodes if isinstance(node, Option)]
                    made.append(score.by_patterns([pattern], asked, moment.member.name, {path: text})[path])
            tally += max(made, key=lambda one: (one.made, -one.junk), default=score.Tally(len(score.solid(text))))
        tallies.append(tally)
    return tallies


def chosen(moment: replay.Moment) -> score.Tally:
    """What is made by a pattern of all or of those of one sub-family, the one that makes most as with a scaffold of several templates."""
    siblings = moment.siblings
    groups = [list(siblings), *clusters(siblings)]
    made = [
        score.total(score.taught({one: siblings[one] for one in group}, moment.member.name, moment.files).values())
        for group in (groups if len(groups) > 2 else groups[:1])
    ]
    return max(made, key=lambda one: (one.made, -one.junk))


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


@dataclass(frozen=True)
class Forecast:
    """Of one role what was to be expected of the members, and what came; `spread` is the standard error of the latter."""

    path: str
    members: int
    predicted: float
    replayed: float
    spread: float


def forecast(moments: Sequence[replay.Moment], came: Sequence[Mapping[str, score.Tally]]) -> list[Forecast]:
    """Of each role that three members have: what at these moments the newest siblings, left out in turn, let expect of it.

    Nobody's own lines are in what predicts them. Both are means over members, a moment's prediction one over its siblings.
    """
    predicted: dict[str, list[float]] = {}
    for moment in moments:
        left_out = score.left_out(moment.siblings)
        for path, coverage in score.each_role(left_out).items():
            if sum(path in files and files[path].lines > 0 for files in left_out) >= 3:
                predicted.setdefault(path, []).append(coverage.lines)
    real: dict[str, list[float]] = {}
    for files in came:
        for path, tally in files.items():
            if tally.lines:
                real.setdefault(path, []).append(tally.coverage.lines)
    return [
        Forecast(path, len(own), statistics.mean(predicted[path]), statistics.mean(own), statistics.stdev(own) / len(own) ** 0.5)
        for path, own in real.items() if len(own) >= 3 and path in predicted
    ]  # fmt: skip


def against(scaffold: Scaffold, repository: Path, moments: Sequence[replay.Moment]) -> str:
    """The scaffold, and where it has several templates what is made with the same hindsight."""
    made = scaffolded(scaffold, repository, moments)
    own = f"{shown(score.mean([tally.coverage for tally in made]))} pooled {shown(score.total(made).coverage)}"
    if all(len(templates) == 1 for templates in scaffold.templates.values()):
        return own
    return f"{own} of several, the pattern chosen alike {shown(score.mean([chosen(moment).coverage for moment in moments]))}"


@dataclass(frozen=True)
class Outcome:
    """What came of a family: by way in the mean over members, by the pattern over all lines of all members."""

    ways: Mapping[replay.Way, Coverage]
    one: score.Tally
    line: str
    forecasts: Sequence[Forecast]
    learning: Sequence[float]


def outcome(row: Row, mirrors: Path, last: int, predict: int) -> Outcome:
    repository = mirrors / row.repository / "repo"
    found = family(row, repository)
    moments = replay.moments(repository, found, last)
    came = [replay.made(moment) for moment in moments]
    learning: list[float] = []
    for moment in moments:
        roles = score.by_role(moment.siblings)
        start = time.process_time()
        patterns = learn_together(roles)
        learning.append(time.process_time() - start)
        lossless(patterns, roles)
    ways = {way: score.whole(made[way] for made in came) for way in replay.WAYS}
    one = score.total(tally for made in came for tally in made["one"].values())
    scaffold = next((each for each in SCAFFOLDS if each.row == row.name), None)
    line = " ".join(
        (
            f"{row.name:16} {len(found.members):4} {one.lines / max(len(moments), 1):4.0f}",
            *(shown(ways[way]) for way in ("last", "parent", "one", "variant")),
            f"{shown(one.coverage)} {one.plain / max(one.lines, 1):5.2f} {one.rows / max(one.lines, 1):4.2f}",
            against(scaffold, repository, moments) if scaffold else "",
        )
    )
    forecasts = forecast(moments[-predict:] if predict else [], [made["one"] for made in came])
    return Outcome(ways, one, line, forecasts, learning)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--last", type=int, default=10, help="members that are made anew")
    parser.add_argument("--predict", type=int, default=10, help="at how many of these the newest siblings are left out")
    parser.add_argument("--only", default="", help="families whose name has this")
    parser.add_argument("--processes", type=int, default=2, help="families at a time")
    options = parser.parse_args(arguments)
    print(
        "lines/junk in the mean over members: copies of the last and of the one named alike, a pattern (one), one of those like the last;"
        " pooled: the pattern's over all lines of all members, of them made by the name alone, rows of data"
    )
    print(
        f"{'family':16} {'n':>4} {'L':>4} {'last':>9} {'parent':>9} {'one':>9} {'variant':>9} {'pooled':>9} plain rows scaffold"
    )
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(options.processes) as pool:
        chosen = [row for row in ROWS if re.search(options.only, row.name)]
        asked = [pool.submit(outcome, row, options.mirrors, options.last, options.predict) for row in chosen]
        for each in asked:
            outcomes.append(each.result())
            print(outcomes[-1].line, flush=True)
    means = {way: score.mean([each.ways[way] for each in outcomes]) for way in replay.WAYS}
    print("mean", *(f"{way} {shown(coverage)}" for way, coverage in means.items()), end=" ")
    print("pooled", shown(score.mean([each.one.coverage for each in outcomes])))
    forecasts = [forecast for each in outcomes for forecast in each.forecasts]
    for one in forecasts:
        print(
            f"    predicted {one.predicted:.2f} replayed {one.replayed:.2f} (error of this mean {one.spread:.2f}) of {one.members:2} {one.path}"
        )
    if forecasts:
        pairs = [(one.predicted, one.replayed) for one in forecasts]
        print(
            f"predicted against replayed, by role: r = {pearson(pairs):.3f} over {len(pairs)} roles, mean error {statistics.mean(abs(a - b) for a, b in pairs):.3f};"
            f" standard error of what is replayed {statistics.mean(one.spread for one in forecasts):.3f}"
        )
    learning = [seconds for each in outcomes for seconds in each.learning]
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
