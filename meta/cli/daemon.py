"""Install, start, stop or ask the daemon that watches the agents' sessions in the background.

It only reads, mines and tells; `meta extract` proposes. Nothing needs it.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from meta.cli import desk

ACTIONS = ("install", "start", "stop", "status", "logs", "uninstall")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    from meta.daemon import control

    settings = desk.settings(args.workspace)
    action = getattr(control, args.action)
    if args.action in ("install", "uninstall"):
        report = action(settings, dry_run=args.dry_run)
    elif args.dry_run and args.action in ("start", "stop"):
        report = control.Report(f"would {args.action} the daemon", control.status(settings).running)
    else:
        report = action(settings)
    if args.json:
        desk.as_json(asdict(report))
    else:
        print(report.text)
    return 0
