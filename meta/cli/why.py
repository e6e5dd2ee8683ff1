"""Show why a session went wrong: what knowledge lacked, a change that mends it, and a case that fails without it.

SESSION is an id, the beginning of one, or a session's file. With --write the proposed files go to knowledge/lessons/;
`meta undo` takes them back. --changes tells what former changes of documents advise for the next one.
"""

from __future__ import annotations

import argparse
from typing import Any

from meta import why
from meta.cli import desk
from meta.errors import UserError
from meta.intake import workspace_of
from meta.knowledge.changes import Advice
from meta.knowledge.evals import Judged
from meta.knowledge.understanding import MEANING, Cause, Proposal
from meta.knowledge.wording import times


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", nargs="?", metavar="SESSION", help="an id, the beginning of one, or a file")
    parser.add_argument("--changes", action="store_true", help="what former changes of documents advise")
    parser.add_argument("--write", action="store_true", help="write the proposed lessons and cases")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def advised(one: Advice) -> dict[str, Any]:
    evidence = [{"commit": commit, "path": path} for commit, path in one.evidence]
    return {"name": one.name, "text": one.text, "changes": one.total, "evidence": evidence}


def judged(one: Judged | None) -> dict[str, Any]:
    if one is None:
        return {"passed": False, "found": [], "missing": ["the document"]}
    return {"passed": one.passed, "found": list(one.found), "missing": list(one.missing)}


def proposed(one: Proposal) -> dict[str, Any]:
    case = one.proof.case
    return {
        "document": one.document,
        "what": one.what,
        "diff": one.diff,
        "case": {"say": case.say, "needs": list(case.needs), "holds": list(case.holds)},
        "before": judged(one.proof.before),
        "after": judged(one.proof.after),
    }


def told(cause: Cause) -> dict[str, Any]:
    trouble = cause.trouble
    return {
        "outcome": trouble.outcome,
        "what": trouble.what,
        "situation": trouble.situation,
        "events": list(trouble.events),
        "lost": {"calls": trouble.calls, "seconds": round(trouble.seconds, 1), "tokens": trouble.tokens},
        "verdict": cause.verdict,
        "lesson": cause.lesson or None,
        "there": cause.there,
        "loaded": cause.loaded,
        "found": list(cause.found),
        "advice": cause.advice,
        "proposal": proposed(cause.proposal) if cause.proposal else None,
    }


def outcome(one: Judged | None, document: str) -> str:
    if one is None:
        return "fails, there is no such document"
    if one.passed:
        return f"passes, found as number {one.found.index(document) + 1}"
    lacks = f"it does not say {', '.join(one.missing)}" if one.missing else "it is not found"
    return f"fails, {lacks} (found: {', '.join(one.found) or 'nothing'})"


def show(cause: Cause) -> None:
    trouble = cause.trouble
    lost = f"{trouble.calls} calls, {trouble.seconds:.0f} s of commands, {trouble.tokens} tokens"
    desk.tell("", f"{trouble.outcome}: {trouble.what}" + (f" ({lost})" if trouble.calls else ""))
    desk.tell(f"  {cause.verdict}: {MEANING[cause.verdict]}")
    if cause.lesson:
        desk.tell(f"  lesson: {cause.lesson}; there then: {_yes(cause.there)}; loaded: {_yes(cause.loaded)}")
    if cause.found:
        desk.tell(f"  nearest documents: {', '.join(cause.found)}")
    if cause.advice:
        desk.tell(f"  {cause.advice}")
    if cause.proposal:
        proof, name = cause.proposal.proof, cause.proposal.document
        desk.tell(f"  proposed: {cause.proposal.what}", *(f"    {line}" for line in cause.proposal.diff.splitlines()))
        desk.tell(
            f'  case "{proof.case.say}"',
            f"    before: {outcome(proof.before, name)}",
            f"    after:  {outcome(proof.after, name)}",
        )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def advise(found: list[Advice]) -> None:
    for one in found:
        where = ", ".join(f"{path} in {commit[:7]}" for commit, path in one.evidence[:3])
        desk.tell(f"{one.text} ({where})")


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.changes:
        found = why.advice(workspace_of(settings))
        if args.json:
            desk.as_json([advised(one) for one in found])
        elif found:
            advise(found)
        else:
            print("No kind of change of documents was seen three times yet.")
        return 0
    if not args.session:
        raise UserError("no session is named. Name one by its id, a beginning of it, or its file.")
    with desk.progress("reading sessions") as tick:
        about = why.why(settings, args.session, write=args.write, dry_run=args.dry_run, progress=tick)
    if args.json:
        desk.as_json({
            "agent": about.agent, "session": about.session, "project": about.project, "calls": about.calls,
            "failed": bool(about.causes), "causes": [told(cause) for cause in about.causes],
            "advice": [advised(one) for one in about.advice], "written": list(about.written), "dry_run": args.dry_run,
        })  # fmt: skip
        return 0
    if not about.causes:
        desk.tell(
            f"{about.agent}/{about.session} did not fail: of {about.calls} calls none stayed in trouble, and nobody put anything right."
        )
        return 0
    desk.tell(
        f"{about.agent}/{about.session}, {about.project}: {times(len(about.causes), 'thing')} went wrong in {about.calls} calls."
    )
    for cause in about.causes:
        show(cause)
    if any(cause.proposal for cause in about.causes) and about.advice:
        desk.tell("", "For this change:")
        advise(list(about.advice))
    if about.written:
        verb = "would be written" if args.dry_run else "written; `meta undo` takes them back"
        desk.tell("", f"{verb}:", *(f"  {path}" for path in about.written))
    return 0
