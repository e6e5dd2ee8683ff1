"""Make the tool that makes the next member of a family, prove it on the members there are, and put it up for review.

What a person asks for by name is built whatever it would save; it lies on a branch of its own, `meta/<name>`.
"""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a family's name or id, as `meta families` lists it")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    built = flow.generator(desk.settings(args.workspace), args.name, dry_run=args.dry_run)
    if args.json:
        desk.as_json(contract.built(built))
    else:
        print(f"{built.tool.name}: {built.state}, {built.verdict.state}. {built.reason}")
        if built.state == "proposed":
            print(f"Review it with `meta review {built.tool.name}`.")
    return 1 if built.state == "refused" else 0
