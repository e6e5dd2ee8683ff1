"""List the tools of this repository: proposed, accepted, registered, retired.

Minutes a week stand as foreseen / saved. `meta extract` asks each tool whether it would have done what was done by
hand since it was learned. A tool that does not pay says so in place of what it is for.
"""

from __future__ import annotations

import argparse

from meta import contract, upkeep
from meta.cli import desk
from meta.model import Listed


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.json_option(parser)


def row(tool: Listed) -> tuple[str, ...]:
    """Use, failures and nudges, the later runs by hand that it would have done the same, and the minutes foreseen and saved."""
    used = f"{tool.uses}" + (f", {tool.failures} failed" if tool.failures else "")
    used += f", taken {tool.nudged.taken} of {tool.nudged.shown} times told" if tool.nudged.shown else ""
    same = f"{tool.shadow.matched} of {tool.shadow.seen} the same" if tool.shadow and tool.shadow.seen else "-"
    saved = " / ".join("-" if minutes is None else f"{minutes:.1f}" for minutes in (tool.predicted, tool.realised))
    state = f"{tool.state}, update waits" if tool.update else tool.state
    return tool.name, state, used, same, saved, tool.advice or tool.description


def run(args: argparse.Namespace) -> int:
    found = upkeep.tools(desk.settings(args.workspace))
    if args.json:
        desk.as_json([contract.listed(tool) for tool in found])
    elif found:
        desk.table(
            ("tool", "state", "used", "by hand since", "min a week", "what it is for"), [row(tool) for tool in found]
        )
    else:
        print("There are no tools yet. `meta extract` proposes what is worth one.")
    return 0
