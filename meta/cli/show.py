"""Show one workflow whole: its steps, parameters, economics, and every occurrence."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from meta import contract, flow, rendering, roi
from meta.cli import desk
from meta.model import Occurrence, Parameter, Proposal, WorkflowStep


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="WORKFLOW", help="its name or id, as `meta mine` prints them")
    desk.paths_argument(parser)
    desk.project_option(parser)
    parser.add_argument("--occurrences", type=int, default=5, metavar="N", help="how many to print (default: 5)")
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    with desk.progress("reading sessions") as tick:
        survey = flow.survey(desk.settings(), args.paths, project=args.project, progress=tick)
    proposal = flow.find(survey, args.workflow)
    if args.json:
        desk.as_json(contract.proposal(proposal))
    else:
        report(proposal, args.occurrences)
    return 0


def _step(step: WorkflowStep) -> str:
    notes = [f"in {step.presence:.0%} of the runs"]
    if step.guard:
        notes.append(f"only after {step.guard.step} {step.guard.outcome}")
    if step.switch:
        notes.append(f"on {rendering.option(step.switch)}")
    if step.skip:
        notes.append(f"not with {rendering.option(step.skip)}")
    if step.each:
        notes.append(f"once for each {rendering.option(step.each)}")
    text = rendering.template(step) if step.kind == "command" else f"[{step.kind}] {step.head}"
    return f"  {step.name:<16} {text}\n  {'':<16} {', '.join(notes)}"


def _parameter(parameter: Parameter) -> str:
    origin: str = parameter.source
    if parameter.derivation:
        rule = " ".join(".".join(operation) for operation in parameter.derivation.program)
        origin += f" of {parameter.derivation.source} by {rule}"
    default = "" if parameter.default is None else f", usually {parameter.default!r}"
    return f"  {rendering.option(parameter.name):<16} {parameter.type}, {origin}{default}"


def _occurrence(occurrence: Occurrence) -> str:
    when = datetime.fromtimestamp(occurrence.started, UTC).strftime("%Y-%m-%d %H:%M") if occurrence.started else "-"
    head = f"  {when}  {occurrence.agent} {occurrence.session}"
    return "\n".join([head, *(f"      {line}" for command in occurrence.commands for line in command.splitlines())])


def economics(proposal: Proposal) -> list[str]:
    """By hand beside as a script, with where each figure comes from."""
    estimate, source = proposal.estimate, proposal.estimate.sources
    both = roi.compare(proposal.workflow, estimate)
    minutes, tokens, usd = both.saved()
    payback = "never" if estimate.payback_weeks == float("inf") else f"{estimate.payback_weeks:.1f} weeks"
    low, high = (f"{bound:.1f}" if bound != float("inf") else "never" for bound in estimate.interval)
    return [
        f"  by hand     {both.hand_seconds:7.1f} s  {both.hand_tokens:9,.0f} tokens  ${both.hand_usd:.3f} a run"
        f"   ({source.get('minutes_per_run')}, tokens {source.get('tokens_per_run')})",
        f"  as a script {both.script_seconds:7.1f} s  {0:9,} tokens  ${0:.3f} a run   ({both.source})",
        f"  over 100 runs it saves {minutes:.1f} min, {tokens:,.0f} tokens, ${usd:.2f}",
        f"  {estimate.runs_per_week:.1f} runs a week ({source.get('runs_per_week')}), "
        f"{estimate.build_minutes:.1f} min to review and keep ({source.get('build_minutes')}): "
        f"pays back in {payback} ({low} to {high})",
    ]


def report(proposal: Proposal, shown: int) -> None:
    workflow = proposal.workflow
    desk.tell(f"{workflow.name}  {workflow.id}  ({workflow.project})")
    print(f"{'build' if proposal.decision.build else 'keep ad hoc'}: {proposal.decision.reason}\n")
    desk.tell("Steps", *map(_step, workflow.steps))
    if workflow.parameters:
        desk.tell("\nParameters", *map(_parameter, workflow.parameters))
    print("\nWhat it saves", *economics(proposal), sep="\n")
    held = f"{workflow.held_out} of them reproduced with that run left out"
    print(f"\nEvidence: {workflow.support} runs in {workflow.sessions} sessions, {held}")
    desk.tell(*map(_occurrence, workflow.occurrences[:shown]))
    if workflow.support > shown:
        print(f"  … and {workflow.support - shown} more (--occurrences {workflow.support})")
    if workflow.refused:
        print("\nNot explained, so left out")
        desk.tell(*(f"  {session}: {reason}" for session, reason in workflow.refused[:shown]))
