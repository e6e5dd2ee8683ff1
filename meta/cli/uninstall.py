"""Take our hooks and our MCP server out of all agents' settings of this project, and leave everything else."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    desk.change(upkeep.uninstall(desk.settings(args.workspace), dry_run=args.dry_run), json=args.json)
    return 0
