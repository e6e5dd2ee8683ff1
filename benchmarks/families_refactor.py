"""What refactorings of public repositories save and whether they change nothing: `python -m benchmarks.families_refactor
MIRRORS [--only NAME] [--python NAME=FILE]…`.

MIRRORS holds bare repositories as OWNER+NAME/repo; each is checked out into a scratch folder, and its code is loaded and
tested in the sandbox only, under the interpreter that is named for it. What may be shared is a test's matter.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from meta import refactors
from meta.verification.sameness import Ground

DJANGO = (
    "import os, sys; sys.path.insert(0, os.getcwd()); import django; "
    "os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.projects.regular.settings'; django.setup()"
)

HOLIDAYS = [
    f"tests/countries/test_{name}.py"
    for name in ("australia", "china", "france", "germany", "iran", "malaysia", "switzerland", "thailand")
]


@dataclass(frozen=True, slots=True)
class Bed:
    """A repository, the files that are refactored in it, and how its code is started and tested."""

    repository: str
    paths: str
    tests: tuple[str, ...] = ()
    first: str = ""


BEDS = {
    "allauth": Bed(
        "pennersr+django-allauth",
        "allauth",
        ("-m", "pytest", "-q", "tests/apps/account", "tests/apps/socialaccount"),
        DJANGO,
    ),
    "santa": Bed(
        "TUT-StudyClub+Santa2025", "experiments/*/run.py", ("-m", "pytest", "-q", "-o", "pythonpath=src", "tests")
    ),
    "faker": Bed(
        "joke2k+faker",
        "faker",
        ("-m", "pytest", "-q", "-p", "faker.contrib.pytest.plugin", "tests/providers"),  # by itself once installed
    ),
    "holidays": Bed(
        "vacanza+holidays",
        "holidays",
        # Translations are compiled by the project's own build before their tests are run.
        ("-m", "pytest", "-q", "-o", "addopts=", "-k", "not l10n", "tests/calendars", "tests/groups", *HOLIDAYS),
    ),
}


def measure(name: str, bed: Bed, mirrors: Path, python: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        archive = ["git", f"--git-dir={mirrors / bed.repository / 'repo'}", "archive", "HEAD"]
        with subprocess.Popen(archive, stdout=subprocess.PIPE) as packed:
            subprocess.run(["tar", "x", "-C", folder], stdin=packed.stdout, check=True)
        used = time.process_time()
        plan = refactors.plan(root, refactors.members(root, [bed.paths]))
        seconds = time.process_time() - used
        print(f"{name}: {len(plan.groups)} groups, {plan.instances} instances, {len(plan.files)} files,", end=" ")
        print(f"+{plan.added} -{plan.removed} = {plan.net} lines, {seconds:.1f} s of processor time")
        for rule, count in Counter(g.rule for g in plan.groups for _ in g.sites).items():
            print(f"  {rule}: {sum(g.rule == rule for g in plan.groups)} groups, {count} instances")
        reasons = Counter(" ".join(each.reason.split()[:4]) for each in plan.refused for _ in each.sites)
        print(f"  refused: {dict(reasons.most_common(6))}")
        tests = (python, *bed.tests) if bed.tests else ()
        verdict = refactors.prove(root, plan, Ground(python, bed.first, tests))
        print(f"  {verdict.state} ({verdict.isolation})")
        for check in verdict.checks:
            print(f"  {check.passed}  {check.name}: {check.detail}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--only", choices=tuple(BEDS))
    parser.add_argument("--python", action="append", default=[], metavar="NAME=FILE")
    args = parser.parse_args()
    interpreters = dict(each.split("=", 1) for each in args.python)
    for name, bed in BEDS.items():
        if args.only in (None, name):
            measure(name, bed, args.mirrors, interpreters.get(name, ""))


if __name__ == "__main__":
    main()
