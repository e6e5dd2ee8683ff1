"""Serve the registered tools to an agent over MCP on stdin and stdout, or over HTTP.

Agents start this by themselves once it stands in their configuration, also in folders that are no workspace: there
nothing is offered. `--http` serves on loopback instead, behind a token that is told on stderr, or taken from
META_SERVE_TOKEN. `--schemas` prints the same tools as function schemas for a vendor's API.
"""

from __future__ import annotations

import argparse
import os
import sys

from meta import mcp_server
from meta.cli import desk
from meta.errors import UserError
from meta.intake import workspace_of
from meta.mcp_server import stdio
from meta.mcp_server.answers import SECONDS
from meta.registration.functions import VENDORS


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--http",
        type=int,
        nargs="?",
        const=0,
        metavar="PORT",
        help="serve over HTTP on loopback (default: a free port)",
    )
    way.add_argument("--schemas", choices=sorted(VENDORS), help="print function schemas for this vendor's API")
    parser.add_argument(
        "--timeout", type=float, default=SECONDS, metavar="SECONDS", help=f"of one call (default: {SECONDS:g})"
    )


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.schemas:
        desk.as_json(VENDORS[args.schemas](mcp_server.registered(workspace_of(settings))))
        return 0
    workspace = workspace_of(settings) if args.workspace else settings.workspace
    if args.http is None:
        stdio.serve(workspace, sys.stdin.buffer, sys.stdout.buffer, args.timeout)
    else:
        try:
            from meta.mcp_server import http
        except ImportError as error:
            raise UserError("--http needs the extra `http`: pip install 'metasmith[http]'") from error
        http.serve(workspace, args.http, http.token(os.environ), args.timeout)
    return 0
