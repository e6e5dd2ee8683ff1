"""Decline a proposed tool, or a proposed change of the code; it is not proposed again."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", help="a tool of `meta tools`, or refactor-NAME of `meta review`")
    parser.add_argument("--reason", default="", help="why, for your own record")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    change = upkeep.reject(desk.settings(args.workspace), args.tool, reason=args.reason, dry_run=args.dry_run)
    desk.change(change, json=args.json)
    return 0
