"""Show what repeats in agent sessions, what a tool would save, and whether to build it.

Needs no `meta init` and writes nothing into the current folder.
"""

from __future__ import annotations

import argparse

from meta import contract, flow
from meta.cli import desk
from meta.model import Proposal, Survey

HALF_A_YEAR = 26.0  # weeks


def arguments(parser: argparse.ArgumentParser) -> None:
    desk.paths_argument(parser)
    desk.project_option(parser)
    parser.add_argument("--top", type=int, default=20, metavar="N", help="rows to show (default: 20)")
    parser.add_argument(
        "--all", action="store_true", help="show too what would take longer than half a year to pay back"
    )
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("reading sessions") as tick:
        survey = flow.survey(desk.settings(), args.paths, project=args.project, progress=tick)
    if args.json:
        desk.as_json(contract.survey(survey))
    else:
        report(survey, args.top, everything=args.all)
    return 0


def row(proposal: Proposal) -> tuple[str, ...]:
    workflow, estimate = proposal.workflow, proposal.estimate
    steps = " → ".join(step.head if step.kind == "command" else f"({step.head})" for step in workflow.steps)
    weekly = estimate.minutes_per_run * estimate.automation * estimate.runs_per_week
    return (
        workflow.name,
        workflow.project,
        steps,
        f"{workflow.support}/{workflow.sessions}",
        f"{weekly:.1f} min ${estimate.usd_per_run * estimate.runs_per_week:.2f}",
        "build" if proposal.decision.build else "keep",
        proposal.decision.reason.partition(":")[0],
    )


def report(survey: Survey, top: int, *, everything: bool) -> None:
    """The proposals as a table, or the plain sentence that there are none."""
    if not survey.sessions:
        desk.nothing(survey.skipped)
        return
    worth = sum(proposal.decision.build for proposal in survey.proposals)
    print(f"{survey.sessions} sessions, {survey.events} events; {worth} worth building", end="")
    print(f", {len(survey.proposals) - worth} kept ad hoc, {len(survey.loops)} loops" if survey.proposals else "")
    desk.skipped(survey.skipped)
    if not survey.proposals:
        print("Nothing repeats often enough to be worth a tool.")
        return
    shown = [p for p in survey.proposals if everything or p.decision.build or p.estimate.payback_weeks <= HALF_A_YEAR]
    headers = ("name", "project", "steps", "runs/sessions", "saves a week", "", "why")
    desk.table(headers, [row(proposal) for proposal in shown[:top]])
    if hidden := len(survey.proposals) - len(shown):
        print(f"{hidden} more would take longer than half a year to pay back: `meta mine --all`.")
    print("`meta show NAME` shows the evidence; `meta extract` builds what is worth it.")
