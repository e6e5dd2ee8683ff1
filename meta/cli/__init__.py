"""The front desk: one file a command, each a door and not a room.

A command's file has a docstring (its help), `arguments(parser)` and `run(args) -> int`. Only the file of the command
that is called is imported, so that help and completion stay quick.
"""

from __future__ import annotations

import os
import sys

GROUPS = (
    ("Find", ("scan", "mine", "show", "families", "lessons", "why", "spec", "blame")),
    ("Build", ("init", "extract", "build", "generator", "refactor", "verify")),
    ("Decide", ("review", "accept", "reject", "update", "suspend", "resume", "retire", "undo", "tools")),
    ("Compete", ("compete",)),
    ("Keep", ("serve", "plugin", "watch", "daemon", "eval", "status", "doctor", "rebuild", "sync", "uninstall")),
)
USAGE = "usage: meta [-h] [--version] COMMAND ..."


def _summary(command: str) -> str:
    """The first line of a command's docstring, read without importing it."""
    with open(os.path.join(os.path.dirname(__file__), f"{command}.py"), encoding="utf-8") as file:
        return file.readline().strip().strip('"')


def _help() -> str:
    lines = [USAGE, "", "Find what an agent does again and again, and turn it into proved tools."]
    for title, commands in GROUPS:
        lines += ["", f"{title}:"] + [f"  {command:<10} {_summary(command)}" for command in commands]
    return "\n".join([*lines, "", "`meta COMMAND --help` tells more. Results go to stdout, progress to stderr."])


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns 0 done, 1 a user's error, 2 wrong usage; a bug keeps its traceback."""
    try:
        status = _main(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()  # a reader that has gone is found out here, not at exit
        return status
    except BrokenPipeError:  # the reader of a pipe has gone: nothing to tell it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("meta: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _main(argv: list[str]) -> int:
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0 if argv else 2
    if argv[0] == "--version":
        from meta import __version__

        print(f"meta {__version__}")
        return 0
    if argv[0] == "hook":  # called by agents, which wait for it: nothing else is loaded
        from meta.hook import main as hook

        return hook(argv[1:])
    known = [command for _, commands in GROUPS for command in commands]
    if argv[0] not in known:
        from meta.errors import did_you_mean

        hint = did_you_mean(argv[0], known)
        print(f'{USAGE}\nmeta: there is no command "{argv[0]}".{hint} `meta --help` lists them.', file=sys.stderr)
        return 2
    from meta.cli.desk import serve

    return serve(argv[0], argv[1:])
