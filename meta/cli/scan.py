"""Show which sessions of which agents were found, by project."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from meta import intake
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.paths_argument(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("reading sessions") as tick:
        scan = intake.scan(desk.settings(), args.paths, progress=tick)
    if args.json:
        desk.as_json(asdict(scan))
        return 0
    headers = ("project", "agent", "sessions", "prompts", "tool calls", "shell", "first", "last")
    rows = [
        (f.project, f.agent, *map(str, (f.sessions, f.prompts, f.calls, f.shell)), f.first, f.last) for f in scan.found
    ]
    if not rows:
        desk.nothing(scan.skipped)
        return 0
    desk.table(headers, rows, right=frozenset({2, 3, 4, 5}))
    desk.skipped(scan.skipped)
    return 0
