"""Make this git repository a workspace: meta.toml and the folders for tools, knowledge and sessions.

With `--agent` this project's settings of that agent name our session hook and our MCP server too. Only entries of our
own are put in, and `meta uninstall` takes out exactly those. With `--trailers` a git hook ties the commits of a live
session to it, for `meta blame`; a hook that is there already stays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from meta import upkeep
from meta.cli import desk
from meta.registration.clients import CLIENTS


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    parser.add_argument(
        "--agent", action="append", default=[], choices=sorted(CLIENTS), help="let this agent call meta"
    )
    parser.add_argument("--trailers", action="store_true", help="let a git hook name the session in its commits")
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    start = Path(args.workspace or ".")
    change = upkeep.init(
        desk.settings(args.workspace), start, agents=args.agent, trailers=args.trailers, dry_run=args.dry_run
    )
    desk.change(change, json=args.json)
    return 0
