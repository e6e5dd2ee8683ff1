"""Let repeated functions of a project become one, prove that nothing else changes, and put that up for review.

WHERE is a folder, a file, a pattern such as `exp/*/run.py`, or a family as `meta families` lists it. The files are
loaded and the project's tests are run in the sandbox, before and after; what differs is not put up. The rest waits on a
branch for `meta review`, `meta accept` and `meta reject`.
"""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import asdict
from pathlib import Path

from meta import refactors
from meta.cli import desk
from meta.refactors import Refactored
from meta.verification.sameness import Ground


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="WHERE", help="where the repeated functions are")
    parser.add_argument("--name", default="", help="of the branch meta/refactor-NAME (default: as WHERE)")
    parser.add_argument("--python", default="", metavar="FILE", help="the project's own interpreter")
    parser.add_argument("--first", default="", metavar="CODE", help="Python that is run before a file is loaded")
    parser.add_argument("--tests", default="", metavar="COMMAND", help="how the tests are run (default: pytest)")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    settings, start = desk.settings(args.workspace), Path(args.workspace or ".")
    ground = Ground(args.python, args.first, tuple(shlex.split(args.tests)))
    done = refactors.refactor(
        settings, start, args.paths, now=time.time(), name=args.name, ground=ground, dry_run=args.dry_run
    )
    if args.json:
        desk.as_json(_contract(done))
    else:
        _shown(done)
    return 1 if done.verdict.state == "failed" else 0


def _contract(done: Refactored) -> dict[str, object]:
    plan = done.plan
    return {
        "id": plan.id,
        "groups": [asdict(group) for group in plan.groups],
        "files": sorted(plan.files),
        "added": plan.added,
        "removed": plan.removed,
        "net": plan.net,
        "refused": [asdict(each) for each in plan.refused],
        "notes": list(plan.notes),
        "skipped": dict(plan.skipped),
        "verdict": {**asdict(done.verdict), "state": done.verdict.state},
        "branch": done.branch,
    }


def _shown(done: Refactored) -> None:
    plan = done.plan
    if plan.groups:
        desk.table(
            ("shared", "in", "by", "lines"),
            [(group.name, group.module, str(len(group.sites)), str(group.lines)) for group in plan.groups],
            right=frozenset({2, 3}),
        )
    desk.tell(
        f"{plan.instances} functions, {len(plan.files)} files, +{plan.added} -{plan.removed} lines ({plan.net:+d})"
    )
    for each in plan.refused[:5]:
        desk.tell(f"  not shared: {each.name} ({len(each.sites)} times): {each.reason}")
    for note in plan.notes:
        desk.tell(f"  look at: {note}")
    desk.skipped(plan.skipped)
    desk.verdict("the same as before", done.verdict)
    if done.branch:
        print(f"Waits on {done.branch}: `meta review {done.branch.removeprefix('meta/')}`")
