"""Stop offering a tool to agents; its files stay where they are, and `meta resume` brings it back."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", help="a registered tool of `meta tools`")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    desk.change(upkeep.suspend(desk.settings(args.workspace), args.tool, dry_run=args.dry_run), json=args.json)
    return 0
