"""Show the conversation behind a line: which commit wrote it, in which session, and what was asked for.

A commit with a trailer `Session: AGENT/ID` names its session; for others the sessions that are kept tell which made it.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from meta import blame, contract
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", metavar="FILE:LINE", help="a line of a committed file")
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("reading sessions") as tick:
        found = blame.behind(desk.settings(args.workspace), args.place, tick)
    if args.json:
        desk.as_json(contract.behind(found))
        return 0
    day = datetime.fromtimestamp(found.time, UTC).strftime("%Y-%m-%d %H:%M")
    print(f"{found.commit[:12]} {day} {found.author}: {found.subject}")
    for talk in found.talks:
        print(f"made by {talk.agent} in session {talk.session}" + (f", {talk.archived}" if talk.archived else ""))
        for prompt in talk.prompts:
            print("  asked: " + " ".join(prompt.split())[:200])
    if not found.talks:
        print("No session that is known made it.")
    return 0
