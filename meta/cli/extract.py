"""Archive the sessions, find what repeats, build what is worth it, prove it, and put it up for review.

Every tool that passes lies on a branch of its own, `meta/<name>`; in your work tree only the archive and `knowledge/` grow.
"""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.paths_argument(parser)
    desk.workspace_option(parser)
    desk.project_option(parser)
    parser.add_argument("--most", type=int, default=10, metavar="N", help="tools to build at the most (default: 10)")
    desk.polish_option(parser)
    desk.model_option(parser, "word and merge lessons and add new ones")
    desk.batch_option(parser)
    parser.add_argument(
        "--spooled", action="store_true", help="work off the sessions that hooks have noted, and no others"
    )
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.spooled:
        from meta import worker

        done = worker.work_off(settings)
        print(f"{done.done} sessions worked off, {done.failed} put aside")
        return 0
    with desk.progress("extracting") as tick:
        extraction = flow.extract(
            settings,
            args.paths,
            project=args.project,
            most=args.most,
            dry_run=args.dry_run,
            polish=args.polish,
            advise=args.model,
            batch=args.batch,
            progress=tick,
        )
    if args.json:
        desk.as_json(contract.extraction(extraction))
        return 0
    print(f"{extraction.survey.sessions} sessions read, {len(extraction.archived)} archived anew")
    if extraction.lessons:
        print(f"{len(extraction.lessons)} new lessons in knowledge/lessons/; `meta lessons` lists them")
    if extraction.asked:
        desk.asked(extraction.asked)
    if not extraction.tools:
        print("Nothing new is worth a tool. `meta mine` shows what repeats and why it is kept ad hoc.")
        return 0
    desk.table(
        ("tool", "state", "verdict", "why"),
        [(t.tool.name, t.state, t.verdict.state, t.reason) for t in extraction.tools],
    )
    if any(tool.state == "proposed" for tool in extraction.tools):
        print("Review a tool with `meta review NAME`, then `meta accept NAME` or `meta reject NAME`.")
    return 0
