"""Take a proposed tool into the repository and register it for the agents."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", help="a tool of `meta tools`")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    change = upkeep.accept(desk.settings(args.workspace), args.tool, dry_run=args.dry_run)
    desk.change(change, json=args.json)
    return 0
