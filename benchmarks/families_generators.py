"""Whether a generated tool makes every member again: `python -m benchmarks.families_generators MIRRORS [NAME ...]`.

MIRRORS is a folder of bare repositories, `<owner>+<name>/repo`. Of each family the twelve newest members that are still
there are learned from; Copier makes each again from its answers, byte for byte, or the family is refused. How much of a
member that was not learned from is made is measured elsewhere.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.families.blueprint import of_repository
from meta.family import Coverage, Family, Hub, Judged, Member
from meta.generation import generator
from meta.generation.words import RefusedError
from meta.model import Decision, Estimate

ESTIMATE = Estimate(1, 1, 1, 1, 1, 1, 1, 1, (1, 1))


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    repository: str
    paths: tuple[str, ...]
    hubs: tuple[str, ...] = ()


ROWS = (
    Row("allauth", "pennersr+django-allauth", tuple(f"allauth/socialaccount/providers/{{X}}/{f}.py" for f in ("provider", "__init__", "urls", "views")),
        ("tests/projects/common/settings.py", "docs/installation/quickstart.rst")),
    Row("holidays", "vacanza+holidays", ("holidays/countries/{X}.py", "tests/countries/test_{X}.py"),
        ("holidays/countries/__init__.py", "holidays/registry.py", "README.md")),
    Row("moto", "getmoto+moto", tuple(f"moto/{{X}}/{f}.py" for f in ("models", "__init__", "responses", "urls", "exceptions")),
        ("moto/backend_index.py", "moto/backends.py")),
    Row("dispatch", "Netflix+dispatch", tuple(f"src/dispatch/{{X}}/{f}.py" for f in ("models", "service", "views")), ("src/dispatch/api.py",)),
    Row("checkov-arm", "bridgecrewio+checkov", ("checkov/arm/checks/resource/{X}.py", "tests/arm/checks/resource/test_{X}.py")),
    Row("pyupgrade", "asottile+pyupgrade", ("pyupgrade/_plugins/{X}.py", "tests/features/{X}_test.py"), ("README.md",)),
    Row("pygments", "pygments+pygments", ("pygments/lexers/{X}.py",), ("pygments/lexers/_mapping.py",)),
    Row("faker", "joke2k+faker", ("faker/providers/person/{X}/__init__.py",), ("tests/providers/test_person.py",)),
    Row("santa", "TUT-StudyClub+Santa2025", ("experiments/{X}/run.py", "experiments/{X}/exp/000.yaml")),
    Row("city-scrapers", "City-Bureau+city-scrapers", ("city_scrapers/spiders/{X}.py", "tests/test_{X}.py")),
)  # fmt: skip


def family(repository: Path, row: Row) -> Family:
    """The members by the commits that added their first file."""
    first = re.compile(re.escape(row.paths[0]).replace(r"\{X\}", r"([^\W_]\w*)"))
    found: dict[str, Member] = {}
    for commit in git.commits(repository):
        for match in (first.fullmatch(change.path) for change in commit.changes if change.status == "A"):
            if match:
                files = tuple(path.replace("{X}", match[1]) for path in row.paths)
                found[match[1]] = Member(match[1], files, commit.sha, commit.time)
    return Family(
        f"fam:{row.name}",
        row.name,
        "files",
        row.paths,
        tuple(list(found.values())[::-1]),
        tuple(Hub(h, 1) for h in row.hubs),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    print(
        f"{'family':<16}{'members':>8}{'files':>6}{'asked':>6}{'of':>5}{'hubs':>5}{'lines':>7}{'tests':>7}{'CPU s':>7}"
    )
    for row in ROWS:
        if given.names and row.name not in given.names:
            continue
        repository = given.mirrors / row.repository / "repo"
        found, start = family(repository, row), time.process_time()
        plan, texts = of_repository(repository, found)
        judged = Judged(found, (), Coverage(0, 0), 1, (), "template", ESTIMATE, Decision(True, ""))
        try:
            tool = generator.generate(judged, plan, texts)
        except RefusedError as refused:
            print(f"{row.name:<16} refused: {refused}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            for path, text in tool.files.items():
                place = Path(folder, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text.encode())
            done = subprocess.run([sys.executable, "test_tool.py"], cwd=folder, capture_output=True, text=True)
        asked = [
            line
            for line in tool.files["template/copier.yml"].split("\n")
            if re.match(r"\w", line) and line[0] != "_" and '"when": false' not in line
        ]
        share = json.loads(tool.files["members.json"])["lines"]
        passed = done.stdout.count("passed") if done.returncode == 0 else "FAILED"
        print(f"{row.name:<16}{len(texts):>8}{sum(map(len, texts.values())):>6}{len(asked):>6}{tool.files['template/copier.yml'].count(chr(10)) - 4:>5}"
              f"{len(plan.hubs):>5}{share:>7.2f}{passed:>7}{time.process_time() - start:>7.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
