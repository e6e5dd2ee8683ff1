"""Stop offering a tool to agents; its files stay where they are, and `meta resume` brings it back."""

from __future__ import annotations

import argparse

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.decision(parser, "a registered tool of `meta tools`")


def run(args: argparse.Namespace) -> int:
    return desk.decided(args, upkeep.suspend)
