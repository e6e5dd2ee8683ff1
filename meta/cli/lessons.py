"""List what was learned: what made failures pass, what holds in a project, what a person put right.

With PATHs the lessons in these sessions are shown and nothing is written. Without, those of the workspace, which
`meta extract` writes to knowledge/lessons/ and counts: helped / harmed are later sessions that followed one.
"""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk
from meta.config import Config
from meta.model import Lesson


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.paths_argument(parser)
    desk.workspace_option(parser)
    desk.project_option(parser)
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--load", action="store_true", help="put the best lessons into AGENTS.md, for every session")
    act.add_argument("--unload", action="store_true", help="take them out of AGENTS.md")
    act.add_argument("--search", metavar="WORDS", help="only those that fit a situation, best first")
    act.add_argument("--retire", metavar="LESSON", help="give a lesson up; `meta undo` takes that back")
    desk.model_option(act, "word and merge the lessons and add new ones from the sessions")
    desk.batch_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def row(lesson: Lesson, others: tuple[str, ...]) -> tuple[str, ...]:
    sessions = len({session for session, _ in lesson.evidence})
    claim = lesson.claim + (f" Otherwise in {', '.join(others)}." if others else "")
    return lesson.slug, lesson.kind, str(sessions), f"{lesson.helped} / {lesson.harmed}", claim


def advise(args: argparse.Namespace, settings: Config) -> int:
    with desk.progress("reading") as tick:
        plan, asked = flow.advise(
            settings, args.paths, project=args.project, batch=args.batch, dry_run=args.dry_run, progress=tick
        )
    if args.json:
        paths = [*plan.files, *(source for source, _ in plan.aside)]
        desk.as_json({"model": contract.asked(asked), "paths": paths, "dry_run": args.dry_run})
        return 0
    desk.asked(asked)
    for path, text in plan.files.items():
        claim = next((line[2:] for line in text.splitlines() if line.startswith("# ")), "")
        desk.tell(f"  {'would write' if args.dry_run else 'wrote'} {path}: {claim}")
    desk.tell(*(f"  {'would put' if args.dry_run else 'put'} aside {source}" for source, _ in plan.aside))
    return 0


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.load or args.unload or args.retire:
        done = flow.change_lessons(settings, load=args.load, retire=args.retire, dry_run=args.dry_run)
        if args.json:
            desk.as_json({"summary": done[0], "paths": list(done[1]), "dry_run": args.dry_run})
        else:
            desk.tell(done[0], *(f"  {path}" for path in done[1]))
        return 0
    if args.model:
        return advise(args, settings)
    with desk.progress("reading") as tick:
        found, others = flow.lessons(settings, args.paths, project=args.project, progress=tick)
    if args.search is not None:
        found = flow.fitting(found, args.search)
    if args.json:
        desk.as_json([{**contract.lesson(one), "contradicts": list(others.get(one.slug, ()))} for one in found])
    elif found:
        desk.table(
            ("lesson", "kind", "sessions", "helped / harmed", "claim"), [row(one, others.get(one.slug, ())) for one in found],
            right=frozenset({2}),
        )  # fmt: skip
    elif args.search is not None:
        print("No lesson has a word of that. `meta lessons` lists them all.")
    else:
        print("There are no lessons yet. `meta extract` writes what is worth keeping.")
    return 0
