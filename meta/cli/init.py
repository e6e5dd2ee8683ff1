"""Make this git repository a workspace: meta.toml and the folders for tools, knowledge and sessions."""

from __future__ import annotations

import argparse
from pathlib import Path

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    change = upkeep.init(desk.settings(args.workspace), Path(args.workspace or "."), dry_run=args.dry_run)
    desk.change(change, json=args.json)
    return 0
