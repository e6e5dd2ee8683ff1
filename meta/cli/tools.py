"""List the tools of this repository: proposed, accepted, registered, retired."""

from __future__ import annotations

import argparse

from meta import contract, upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    found = upkeep.tools(desk.settings(args.workspace))
    if args.json:
        desk.as_json([contract.listed(tool) for tool in found])
    elif found:
        desk.table(("tool", "state", "what it is for"), [(t.name, t.state, t.description) for t in found])
    else:
        print("There are no tools yet. `meta extract` proposes what is worth one.")
    return 0
