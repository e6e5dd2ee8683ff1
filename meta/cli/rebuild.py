"""Make the index of this workspace again from its archive of sessions."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("reading the archive") as tick:
        change = upkeep.rebuild(desk.settings(args.workspace), dry_run=args.dry_run, progress=tick)
    desk.change(change, json=args.json)
    return 0
