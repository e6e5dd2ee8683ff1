"""Check what meta needs on this machine, and say how to get what is missing."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from meta import upkeep
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    findings = upkeep.doctor(desk.settings(args.workspace))
    if args.json:
        desk.as_json([asdict(finding) for finding in findings])
    else:
        desk.table(("", "what", "found"), [("ok" if f.ok else "--", f.name, f.detail) for f in findings])
    return 0 if all(finding.ok for finding in findings) else 1
