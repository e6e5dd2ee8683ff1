"""Show what this workspace holds: sessions, archive, tools, and what could not be read."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from meta import spool, upkeep
from meta.cli import desk
from meta.daemon import notices


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    status = upkeep.status(desk.settings(args.workspace))
    waiting = notices.waiting(Path(status.workspace))
    noted, aside = spool.counts(Path(status.workspace))
    if args.json:
        more = {"waiting": [asdict(notice) for notice in waiting], "noted": noted, "put_aside": aside}
        desk.as_json({**asdict(status), **more})
        return 0
    print(f"workspace  {status.workspace}")
    print(f"sessions   {status.sessions} in the index, {status.archived} in the archive")
    print("tools      " + (", ".join(f"{count} {state}" for state, count in status.tools.items()) or "none"))
    if noted or aside:
        print(f"noted      {noted} sessions by hooks, {aside} put aside in {spool.PLACE}/failed")
    for notice in waiting:
        desk.tell(f"waiting    {notice.line}")
    desk.skipped(status.skipped)
    return 0
