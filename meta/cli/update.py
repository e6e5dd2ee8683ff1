"""Make a tool in use anew by the latest runs and templates, with your edits kept, and put it up for review.

Without a name: all tools whose template has changed, on one branch `meta/templates`.
"""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="a tool of `meta tools`")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("updating"):
        found = flow.update(desk.settings(args.workspace), args.tool, dry_run=args.dry_run)
    if args.json:
        desk.as_json([contract.built(built) for built in found])
    elif found:
        desk.table(
            ("tool", "state", "verdict", "why"), [(b.tool.name, b.state, b.verdict.state, b.reason) for b in found]
        )
    else:
        print("No tool is in use here.")
    return 1 if any(built.state == "refused" for built in found) else 0
