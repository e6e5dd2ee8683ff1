"""Check a proposed or accepted tool again, against every run it was learned from."""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL", help="a tool of `meta tools`")
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    verdict = flow.verify(desk.settings(args.workspace), args.tool)
    if args.json:
        desk.as_json(contract.verdict(verdict))
    else:
        desk.verdict(args.tool, verdict)
    return 0 if verdict.state == "passed" else 1
