"""Build the tool for one workflow, also one that is kept ad hoc, and put it up for review."""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="WORKFLOW", help="its name or id, as `meta mine` prints them")
    desk.paths_argument(parser)
    desk.workspace_option(parser)
    desk.project_option(parser)
    desk.polish_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("building") as tick:
        built = flow.build(
            desk.settings(args.workspace), args.workflow, args.paths, project=args.project, dry_run=args.dry_run,
            polish=args.polish,
            progress=tick,
        )  # fmt: skip
    if args.json:
        desk.as_json(contract.built(built))
        return 0
    desk.verdict(built.tool.name, built.verdict)
    print(f"{built.state}: {built.reason}")
    return 0 if built.state == "proposed" or args.dry_run else 1
