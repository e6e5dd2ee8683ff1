"""Take back the last thing that meta changed in this repository, and nothing else."""

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
    start = Path(args.workspace or ".")
    change = upkeep.undo(desk.settings(args.workspace), start, dry_run=args.dry_run)
    desk.change(change, json=args.json)
    return 0
