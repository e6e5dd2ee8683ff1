"""What all commands share: options, errors in one line, tables, progress. No command stands here."""

from __future__ import annotations

import argparse
import errno
import json as encoder
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from meta import config
from meta.config import Config
from meta.errors import UserError
from meta.model import Asked, Verdict
from meta.upkeep import Change
from meta.vetting import visible

# What a machine may refuse at any place that reads or writes; any other error of the system is a bug of ours.
_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM,
             errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENAMETOOLONG, errno.ESTALE}  # fmt: skip


def serve(command: str, argv: Sequence[str]) -> int:
    """Parse the arguments of a command and run it."""
    module = import_module(f"meta.cli.{command}")
    summary, _, rest = (module.__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog=f"meta {command}",
        description=summary,
        epilog=rest.strip() or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.arguments(parser)
    args = parser.parse_args(argv)
    try:
        return int(module.run(args))
    except UserError as error:
        print(visible(f"meta: {error}"), file=sys.stderr)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f" ({error.filename})" if error.filename else ""
        told = f"meta: the machine refused: {error.strerror}{where}. Make room or access, run it again."
        print(visible(told), file=sys.stderr)
    return 1


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def dry_run_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and write nothing")


def polish_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--polish", action="store_true", help="let a model word the name and description (needs ANTHROPIC_API_KEY)"
    )


def model_option(parser: argparse._ActionsContainer, what: str) -> None:
    """`what` a model is to do."""
    parser.add_argument("--model", action="store_true", help=f"let a model {what} (needs ANTHROPIC_API_KEY)")


def batch_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--batch", action="store_true", help="ask the model by a batch: half the price, up to an hour")


def asked(what: Asked) -> None:
    """What a model was asked, what that cost, and what of its proposals was taken and refused."""
    taken = ", ".join(f"{count} {kind}" for kind, count in sorted(what.taken.items())) or "nothing"
    tell(f"The model was asked {what.questions} questions for ${what.usd:.4f}; taken: {taken}.")
    tell(
        *(f"  refused {count}: {why}" for why, count in sorted(what.refused.items(), key=lambda one: (-one[1], one[0])))
    )


def paths_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or folders of sessions (default: where the agents keep them)"
    )


def workspace_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", metavar="DIR", help="the git repository to work for (default: this one)")


def project_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="NAME", help="only sessions of this project")


def settings(workspace: str | None = None) -> Config:
    """The settings in force for this folder or the named workspace."""
    start = Path(workspace) if workspace else Path.cwd()
    if not start.is_dir():
        raise UserError(f"{start} is no folder. Name a git repository.")
    return config.load(start, os.environ, config.folders().config)


def tell(*texts: str) -> None:
    """Texts on stdout, one below the other. What was recorded must not speak to the terminal."""
    for text in texts:
        print(visible(text))


def verdict(name: str, found: Verdict) -> None:
    """A tool's checks, one a line."""
    print(f"{name}: {found.state} (isolation: {found.isolation})")
    for check in found.checks:
        mark = {True: "ok", False: "FAILED", None: "not run"}[check.passed]
        tell(f"  {mark:<8}{check.name:<16}{check.detail}")


def change(done: Change, *, json: bool) -> None:
    """What a command changed."""
    if json:
        as_json(asdict(done))
        return
    print(done.summary)
    for path in done.paths:
        print(f"  {path}")


def decision(parser: argparse.ArgumentParser, tool: str) -> None:
    """The arguments of a command that decides on one tool; `tool` says on which."""
    parser.add_argument("tool", metavar="TOOL", help=tool)
    workspace_option(parser)
    dry_run_option(parser)
    json_option(parser)


def decided(args: argparse.Namespace, act: Callable[..., Change]) -> int:
    change(act(settings(args.workspace), args.tool, dry_run=args.dry_run), json=args.json)
    return 0


def skipped(counts: Mapping[str, int]) -> None:
    """What could not be used, by reason; nothing where all could."""
    if counts:
        print("skipped: " + ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())))


def nothing(counts: Mapping[str, int]) -> None:
    """That there are no sessions, and what to do about it."""
    print("No sessions were found. Name a file or folder that holds some: `meta scan PATH`.")
    skipped(counts)


def as_json(value: Any) -> None:
    text = encoder.dumps(value, ensure_ascii=False, indent=1)
    print(text if visible(text) == text else encoder.dumps(value, indent=1))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that appears after a second of work; nothing where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    import time

    from rich.console import Console
    from rich.progress import Progress

    started = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, visible=False)
        yield lambda done, total: bar.update(
            task, completed=done, total=total, visible=time.monotonic() - started > 1.0
        )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Rows in columns on stdout, cut to the terminal's width; whole where stdout is not a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False, soft_wrap=False)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, header in enumerate(headers):
        grid.add_column(header, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*map(visible, row))
    console.print(grid)
