"""Take a proposed tool into the repository and register it for the agents, or take in a proposed change of its code."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.decision(parser, "a tool of `meta tools`, or refactor-NAME of `meta review`")


def run(args: argparse.Namespace) -> int:
    return desk.decided(args, upkeep.accept)
