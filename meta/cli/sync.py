"""Keep the archive and the knowledge in a place of your own too (a folder, S3, …), and fetch what other machines keep there.

Nothing there or here is overwritten; what was cut short goes on the next time. With --key all is sealed before it leaves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from meta import cloud, config
from meta.cli import desk
from meta.intake import alone, workspace_of


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="the place: s3://bucket/folder, file:///mnt/backup, …")
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="seal with the key in this file, which is made if it is not there: keep it",
    )
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    workspace = workspace_of(desk.settings(args.workspace))
    seal = cloud.key(args.key) if args.key else None
    owner = cloud.machine(config.folders().state)
    with alone(workspace, dry_run=args.dry_run), desk.progress("sending") as tick:
        done = cloud.sync(workspace, args.url, owner, seal=seal, dry_run=args.dry_run, progress=tick)
    if args.json:
        told = {"sent": done.sent, "fetched": done.fetched, "differing": done.differing, "refused": done.refused}
        desk.as_json({key: list(paths) for key, paths in told.items()})
        return 0
    verb = "would be " if args.dry_run else ""
    print(f"{len(done.sent)} files {verb}sent, {len(done.fetched)} {verb}fetched")
    for path in done.differing:
        print(f"  differs on another machine, yours is kept: {path}")
    for path in done.refused:
        print(f"  left alone, for what is in it or where it would lie: {path}")
    return 0
