"""Serve the registered tools to an agent over MCP on stdin and stdout.

Agents start this by themselves once it stands in their configuration, also in folders that are no workspace: there
nothing is offered. `--schemas` prints the same tools as function schemas for a vendor's API instead.
"""

from __future__ import annotations

import argparse
import sys

from meta import mcp_server
from meta.cli import desk
from meta.intake import workspace_of
from meta.registration.functions import VENDORS


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    parser.add_argument("--schemas", choices=sorted(VENDORS), help="print function schemas for this vendor's API")


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.schemas:
        desk.as_json(VENDORS[args.schemas](mcp_server.registered(workspace_of(settings))))
    else:
        workspace = workspace_of(settings) if args.workspace else settings.workspace
        mcp_server.serve(workspace, sys.stdin.buffer, sys.stdout.buffer)
    return 0
