"""Show what a repository keeps adding in one shape: files, or with --units functions and classes.

Best first: what is added often, and shares most. Nothing is changed, and nothing of the repository is run.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from meta import contract, generators, git
from meta.cli import desk
from meta.errors import UserError
from meta.family import Family
from meta.generators import Found


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "repository", nargs="?", default=".", metavar="REPO", help="a git repository (default: this one)"
    )
    parser.add_argument(
        "--units", action="store_true", help="look at the Python functions and classes as they are, not at history"
    )
    parser.add_argument("--top", type=int, default=20, metavar="N", help="rows to show (default: 20)")
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
    if args.json:
        told = [contract.family(family) | {"uses_expected": _uses(found, family)} for family in found.families]
        desk.as_json({"families": told, "commits": found.commits, "skipped": dict(found.skipped)})
    else:
        report(found, args.top)
    return 0


def _uses(found: Found, family: Family) -> float | None:
    """Members to expect in 14 days; of functions and classes nothing is known."""
    return round(generators.uses(found, family), 3) if family.kind == "files" else None


def row(family: Family, uses: float | None) -> tuple[str, ...]:
    places = " ".join(family.paths[:3]) + (f" and {len(family.paths) - 3} more" if len(family.paths) > 3 else "")
    if family.kind == "units":
        places += f" ({family.members[0].name}, …)"
    hubs = ", ".join(hub.path for hub in family.hubs[:2])
    hubs += f" and {len(family.hubs) - 2} more" if len(family.hubs) > 2 else ""
    return family.name, places, str(len(family.members)), "" if uses is None else f"{uses:.1f}", hubs


def report(found: Found, top: int) -> None:
    """The families as a table, or the plain sentence that there are none."""
    if not found.families:
        print(f"No family was found in {found.commits} commits." if found.commits else "No family was found.")
    else:
        headers = ("name", "files", "members", "next 14 days", "each edits")
        rows = [row(family, _uses(found, family)) for family in found.families[:top]]
        desk.table(headers, rows, right=frozenset({2, 3}))
    if len(found.families) > top:
        print(f"{len(found.families) - top} more: `meta families --top {len(found.families)}`.")
    desk.skipped(found.skipped)
