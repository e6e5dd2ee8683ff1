"""Make the last members of documented families at their parent commits, and beside it what copying and the projects' own scaffolds make.

The path templates are given here, so that nothing depends on their discovery.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.families import replay, score
from meta.families.patterns import learn_together
from meta.family import Family, Member


@dataclass(frozen=True)
class Row:
    name: str
    repository: str
    paths: tuple[str, ...]
    but: str = "$^"  # names that are no members


ROWS = (
    Row("allauth", "pennersr+django-allauth", tuple(f"allauth/socialaccount/providers/{{X}}/{file}.py" for file in ("provider", "__init__", "views", "urls", "tests")) + tuple(f"tests/apps/socialaccount/providers/{{X}}/{file}.py" for file in ("__init__", "test_unit", "tests"))),
    Row("checkov-aws", "bridgecrewio+checkov", ("checkov/terraform/checks/resource/aws/{X}.py", "tests/terraform/checks/resource/aws/test_{X}.py", "tests/terraform/checks/resource/aws/example_{X}/main.tf")),
    Row("checkov-azure", "bridgecrewio+checkov", ("checkov/terraform/checks/resource/azure/{X}.py", "tests/terraform/checks/resource/azure/test_{X}.py", "tests/terraform/checks/resource/azure/example_{X}/main.tf")),
    Row("checkov-arm", "bridgecrewio+checkov", ("checkov/arm/checks/resource/{X}.py", "tests/arm/checks/resource/test_{X}.py", "tests/arm/checks/resource/example_{X}/pass.json", "tests/arm/checks/resource/example_{X}/fail.json")),
    Row("holidays", "vacanza+holidays", ("holidays/countries/{X}.py", "tests/countries/test_{X}.py"), "__init__"),
    Row("moto", "getmoto+moto", ("moto/{X}/models.py", "moto/{X}/__init__.py", "moto/{X}/responses.py", "moto/{X}/urls.py", "moto/{X}/exceptions.py", "tests/test_{X}/__init__.py", "tests/test_{X}/test_{X}.py", "tests/test_{X}/test_server.py"), "core|packages"),
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


def family(row: Row, repository: Path) -> Family:
    """The members that single commits added, oldest first."""
    places = [re.compile(re.escape(path).replace(r"\{X\}", "(?P<x>[^/]+)", 1).replace(r"\{X\}", "(?P=x)")) for path in row.paths]
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
                members[name] = Member(name, all_files, commit.sha if len(added) <= 25 else "", commit.committed)
    return Family(row.name, row.name, "files", row.paths, tuple(members.values()))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--last", type=int, default=10)
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    sums = []
    print(f"{'family':16} {'n':>4} {'L':>4} {'copy last':>9} {'template':>9} {'plain':>5} {'rows':>5} cpu")
    for row in ROWS:
        if options.only and not re.search(options.only, row.name):
            continue
        repository = options.mirrors / row.repository / "repo"
        found = family(row, repository)
        start = time.process_time()
        copied, made = [], []
        learning = 0.0
        for moment in replay.moments(repository, found, options.last):
            newest = list(moment.siblings)[-1]
            files = {path: text for path, text in moment.files.items()}
            copied.append(score.total(score.by_copy(newest, moment.siblings[newest].get(path, ""), moment.member.name, text) for path, text in files.items()))
            begin = time.process_time()
            patterns = {pattern.path: pattern for pattern in learn_together(replay.by_role(moment.siblings))}
            learning = max(learning, time.process_time() - begin)
            made.append(score.total(score.by_pattern(patterns[path], moment.member.name, text) if path in patterns else score.Tally(min(len(text.splitlines()), 300)) for path, text in files.items()))
        one, two = score.total(copied), score.total(made)
        n = max(len(made), 1)
        mean = lambda ts, f: sum(f(t.coverage) for t in ts) / n
        sums.append((mean(made, lambda c: c.lines), mean(made, lambda c: c.junk)))
        print(f"{row.name:16} {len(found.members):4} {two.lines / n:4.0f} {mean(copied, lambda c: c.lines):.2f}/{mean(copied, lambda c: c.junk):.2f} {mean(made, lambda c: c.lines):.2f}/{mean(made, lambda c: c.junk):.2f} {two.plain / max(two.lines, 1):5.2f} {two.rows / max(two.lines, 1):5.2f} {time.process_time() - start:.1f} max {learning:.2f}", flush=True)
    print("mean", sum(a for a, _ in sums) / len(sums), sum(b for _, b in sums) / len(sums))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
