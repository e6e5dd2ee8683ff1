"""Watch the agents' sessions in the foreground, and tell when something becomes worth a tool.

`meta daemon start` does the same in the background. No model is called and no agent is started.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from meta.cli import desk
from meta.config import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.workspace_option(parser)
    parser.add_argument("--once", action="store_true", help="look once, tell what is new, and end")
    desk.json_option(parser)
    parser.add_argument("--log", metavar="FILE", help="write to this file, which is kept small, instead of stderr")


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    return _once(settings, json=args.json) if args.once else _watch(settings, args.log)


def _once(settings: Config, *, json: bool) -> int:
    import time

    from meta import flow
    from meta.daemon import notices
    from meta.intake import workspace_of

    due = notices.note(workspace_of(settings), flow.candidates(settings), time.time())
    if json:
        desk.as_json([asdict(notice) for notice in due])
        return 0
    for notice in due:
        desk.tell(notice.line)
    return 0


def _watch(settings: Config, log: str | None) -> int:
    import logging
    import logging.handlers
    import signal
    import threading

    from meta.daemon import loop

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    handler = (
        logging.handlers.RotatingFileHandler(log, maxBytes=2**20, backupCount=2) if log else logging.StreamHandler()
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("meta.daemon")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    loop.watch(settings, stop, log=logger.info)
    return 0
