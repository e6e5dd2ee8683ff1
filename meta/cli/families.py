"""Show what a repository keeps adding in one shape, how much of the next a generator would make, and whether it pays.

Files by default, functions and classes with --units. Best first. Nothing is changed, and nothing of the repository is run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from meta import contract, generators, git, judging
from meta.cli import desk
from meta.errors import UserError
from meta.family import Family, Judged
from meta.generators import Found


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "repository", nargs="?", default=".", metavar="REPO", help="a git repository (default: this one)"
    )
    parser.add_argument(
        "--units", action="store_true", help="look at the Python functions and classes as they are, not at history"
    )
    parser.add_argument(
        "--replay", type=int, default=judging.REPLAYED, metavar="K",
        help=f"last members that are made at their parent commits (default: {judging.REPLAYED}); 0 only lists",
    )  # fmt: skip
    parser.add_argument(
        "--residue", action="store_true", help="show only comments that still name the member they were copied from"
    )
    parser.add_argument("--top", type=int, default=20, metavar="N", help="families to judge and show (default: 20)")
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    repository = Path(args.repository)
    if not repository.is_dir():
        raise UserError(f"{repository} is no folder. Name a git repository.")
    found = generators.units(repository) if args.units else generators.found(repository, time.time())
    if git.is_shallow(repository) and not args.units:
        print(
            f"meta: only {found.commits} commits are here. `git fetch --unshallow` brings the others.", file=sys.stderr
        )
    shown = found.families[: args.top]
    if args.residue:
        return residue(repository, shown, json=args.json)
    judged: tuple[Judged, ...] = ()
    if args.replay > 0 and not args.units:
        with desk.progress("replaying members") as tick:
            judged = generators.judged(
                repository, found, shown, last=args.replay, weeks=desk.settings().weeks, progress=tick
            )
    if args.json:
        rows = [contract.judged(one) for one in judged] or [contract.family(family) for family in found.families]
        told = [
            row | {"uses_expected": _uses(found, family)} for row, family in zip(rows, found.families, strict=False)
        ]
        desk.as_json({"families": told, "commits": found.commits, "skipped": dict(found.skipped)})
    else:
        report(found, shown, judged)
    return 0


def residue(repository: Path, shown: Sequence[Family], *, json: bool) -> int:
    """What was copied and not adapted, a line each."""
    rows = [row for family in shown if family.kind == "files" for row in judging.leftovers(repository, family)]
    if json:
        told = [{"path": path, "line": one.line, "says": one.says, "expected": one.expected} for path, one in rows]
        desk.as_json({"residue": told})
        return 0
    for path, one in rows:
        print(f"{path}:{one.line}: {one.says}\n    expected: {one.expected}")
    if not rows:
        print("No comment names another member than its own.")
    return 0


def _uses(found: Found, family: Family) -> float | None:
    """Members to expect in 14 days; of functions and classes nothing is known."""
    return round(generators.uses(found, family), 3) if family.kind == "files" else None


def row(family: Family, uses: float | None) -> tuple[str, ...]:
    places = " ".join(family.paths[:3]) + (f" and {len(family.paths) - 3} more" if len(family.paths) > 3 else "")
    if family.kind == "units":
        places += f" ({family.members[0].name}, …)"
    return family.name, places, str(len(family.members)), "" if uses is None else f"{uses:.1f}"


def verdict(one: Judged) -> tuple[str, ...]:
    """What a generator makes, where history could tell, and what is decided."""
    count = len(one.replay)
    makes = f"{sum(each.coverage.lines for each in one.replay) / count:.0%}" if count else ""
    return makes, one.strategy, "build" if one.decision.build else "keep", one.decision.reason


def hubs(family: Family) -> str:
    names = ", ".join(hub.path for hub in family.hubs[:2])
    return names + (f" and {len(family.hubs) - 2} more" if len(family.hubs) > 2 else "")


def report(found: Found, shown: tuple[Family, ...], judged: tuple[Judged, ...]) -> None:
    """The families as a table, or the plain sentence that there are none."""
    if not found.families:
        print(f"No family was found in {found.commits} commits." if found.commits else "No family was found.")
    elif judged:
        judgement = ("name", "files", "members", "next 14 days", "makes", "by", "", "why")
        judgements = [row(one.family, _uses(found, one.family)) + verdict(one) for one in judged]
        desk.table(judgement, judgements, right=frozenset({2, 3, 4}))
        print("`meta generator NAME` makes the tool that makes the next one, and puts it up for review.")
    else:
        headers = ("name", "files", "members", "next 14 days", "each edits")
        places = [(*row(family, _uses(found, family)), hubs(family)) for family in shown]
        desk.table(headers, places, right=frozenset({2, 3}))
    if len(found.families) > len(shown):
        print(f"{len(found.families) - len(shown)} more: `meta families --top {len(found.families)}`.")
    desk.skipped(found.skipped)
