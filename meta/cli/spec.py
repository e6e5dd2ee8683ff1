"""Draft the spec of a feature from the sessions that made it, or --check where code and spec have parted.

It goes to specs/features/ (or specs/architecture/), every line with the session and event that it is from. A spec that
was edited by hand stays as it is. Templates in templates/spec-feature of the workspace take the place of ours.
"""

from __future__ import annotations

import argparse

from meta import spec
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help='the feature in plain words, such as "password reset"')
    parser.add_argument("--check", action="store_true", help="say where the code has parted from it")
    parser.add_argument("--kind", choices=sorted(spec.FOLDERS), default="feature", help="(default: feature)")
    parser.add_argument(
        "--sessions", nargs="+", default=[], metavar="ID", help="its sessions, or beginnings of their ids"
    )
    parser.add_argument("--since", default="", metavar="DAY", help="only sessions from this day on")
    parser.add_argument("--until", default="", metavar="DAY", help="only sessions up to this day")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.check:
        return checked(args, spec.check(settings, args.name))
    with desk.progress("reading sessions") as tick:
        made = spec.draft(
            settings, args.name, kind=args.kind, named=args.sessions, since=args.since, until=args.until,
            dry_run=args.dry_run, progress=tick,
        )  # fmt: skip
    if args.json:
        desk.as_json(
            {
                "path": made.path,
                "text": made.text,
                "sessions": list(made.sessions),
                "kept": made.kept,
                "dry_run": args.dry_run,
            }
        )
    elif made.kept:
        print(
            f"{made.path} was edited by hand and stays as it is. `meta spec {args.name} --check` holds it against the code."
        )
    elif args.dry_run:
        desk.tell(made.text)
    else:
        print(f"{made.path} is drafted from {len(made.sessions)} sessions; `meta undo` takes it back.")
    return 0


def checked(args: argparse.Namespace, found: spec.Checked) -> int:
    """1 where they have parted; that files have changed is told, and is no parting yet."""
    parted = any(gap.kind != "changed" for gap in found.gaps)
    if args.json:
        gaps = [{"kind": gap.kind, "line": gap.line, "what": gap.what, "detail": gap.detail} for gap in found.gaps]
        desk.as_json({"path": found.path, "commit": found.commit, "parted": parted, "gaps": gaps})
    elif not found.gaps:
        print(f"{found.path} and the code agree; nothing that it names has changed since {found.commit[:12]}.")
    else:
        for gap in found.gaps:
            desk.tell(f"{found.path}:{gap.line}: {gap.kind}: {gap.what}: {gap.detail}")
    return 1 if parted else 0
