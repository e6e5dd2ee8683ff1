"""Show what this workspace holds: sessions, archive, tools, and what could not be read."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    status = upkeep.status(desk.settings(args.workspace))
    if args.json:
        desk.as_json(asdict(status))
        return 0
    print(f"workspace  {status.workspace}")
    print(f"sessions   {status.sessions} in the index, {status.archived} in the archive")
    print("tools      " + (", ".join(f"{count} {state}" for state, count in status.tools.items()) or "none"))
    desk.skipped(status.skipped)
    return 0
