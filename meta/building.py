"""From a proposal to a tool that was verified: generate, look for secrets, verify, and tell a reviewer.

Where the tool goes, to a new branch or over one that is in use, is for the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from meta import llm
from meta.errors import UserError
from meta.family import Judged
from meta.model import Built, Check, Estimate, Proposal, Tool, Verdict, Wording, Workflow
from meta.redact import residue

As = Callable[[Tool], Tool]


@dataclass(frozen=True, slots=True)
class Made:
    """A tool with its verdict in its manifest, and the text for its reviewer."""

    tool: Tool
    verdict: Verdict
    text: str


def build(workspace: Path, proposal: Proposal, model: llm.Access | None, *, dry_run: bool) -> Built:
    """Make the tool, and put one that passed on its review branch."""
    from meta.registration import lifecycle

    taken = {known.name for known in lifecycle.tools(workspace)}
    made = make(workspace, proposal, model, taken)
    return _put_up(workspace, made, proposal.workflow, proposal.estimate, proposal.decision.reason, dry_run=dry_run)


def make(
    workspace: Path,
    proposal: Proposal,
    model: llm.Access | None,
    taken: Collection[str],
    *,
    called: tuple[str, str] | None = None,
    verified: As = lambda tool: tool,
    why: str = "",
) -> Made | Built:
    """The tool of a workflow, or what it was refused for.

    `called` are the name and the description of one that is made anew, `verified` tells what of it will be in use, and
    `why` stands first in the text for its reviewer.
    """
    from meta import roi, verification
    from meta.generation import generate, wording, words
    from meta.registration import pull_request

    workflow, estimate = proposal.workflow, proposal.estimate
    try:
        own = wording.wording(workflow, taken)
        told, polished = _polished(workflow, own, model, taken) if model else (own, ())
        if called:
            told = replace(told, name=called[0], description=called[1] or told.description)
        tool = generate.generate(workflow, estimate, proposal.decision, words_for=told)
    except words.RefusedError as refused:
        empty = Tool(called[0] if called else workflow.name, workflow.id, "", "", {}, "")
        return _refused(empty, Check("generated", False, str(refused)))

    def verdict(tool: Tool) -> Verdict:
        found = verification.verify(verified(tool), workflow, workspace=workspace)
        return replace(found, checks=(*found.checks, *polished))

    def text(tool: Tool, verdict: Verdict) -> str:
        real = next((check.seconds for check in verdict.checks if check.seconds), ())
        return pull_request.text(workflow, estimate, tool, verdict, roi.compare(workflow, estimate, real), why)

    return _made(tool, verdict, text, residue.kinds)


def _made(
    tool: Tool,
    verified: Callable[[Tool], Verdict],
    told: Callable[[Tool, Verdict], str],
    secrets: Callable[[Iterable[str]], Collection[str]],
) -> Made | Built:
    """The generated tool with its verdict and what its reviewer is told, or what it was refused for."""
    from meta.generation import manifest

    if left := secrets([tool.name, tool.description, *tool.files, *tool.files.values()]):
        return _leaking(tool, left)
    verdict = verified(tool)
    if verdict.state == "failed":
        failed = next(check for check in verdict.checks if check.passed is False)
        return Built(tool, verdict, "refused", f"{failed.name}: {failed.detail}")
    tool = manifest.with_verdict(tool, verdict)
    text = told(tool, verdict)
    if left := secrets([text, tool.files["tool.toml"]]):  # the verdict stands in both; the rest was looked at
        return _leaking(tool, left)
    return Made(tool, verdict, text)


def _put_up(
    workspace: Path, made: Made | Built, workflow: Workflow, estimate: Estimate, reason: str, *, dry_run: bool
) -> Built:
    """A tool that passed goes on its review branch."""
    from meta.registration import lifecycle

    if isinstance(made, Built):
        return made
    if not dry_run:
        lifecycle.propose(workspace, made.tool, workflow, estimate, made.text)
    return Built(made.tool, made.verdict, "dry-run" if dry_run else "proposed", reason)


def build_generator(workspace: Path, judged: Judged, *, dry_run: bool) -> Built:
    """Make the tool that makes a family's next member, and put one that passed on its review branch."""
    from meta.families import blueprint
    from meta.generation import generator, words
    from meta.registration import generator_request, lifecycle
    from meta.verification import generators

    family = judged.family
    taken = {known.name for known in lifecycle.tools(workspace)}
    try:
        plan, texts = blueprint.of_repository(workspace, family)
        tool = generator.generate(judged, plan, texts, formatter=formatter(workspace), taken=taken)
    except (words.RefusedError, UserError) as refused:
        return _refused(Tool(family.name, family.id, "", "", {}, ""), Check("generated", False, str(refused)))
    made = _made(
        tool,
        generators.verify,
        lambda tool, verdict: generator_request.text(judged, plan.hubs, tool, verdict),
        residue.secrets,  # what else stands in a repository may stand in another file of it
    )
    return _put_up(
        workspace, made, generator.as_workflow(tool), judged.estimate, judged.decision.reason, dry_run=dry_run
    )


def formatter(workspace: Path) -> tuple[str, ...]:
    """What formats the project's Python, by its own settings."""
    from meta.generation import generator

    names = ("pyproject.toml", "ruff.toml", ".pre-commit-config.yaml")
    places = [workspace / name for name in names]
    return generator.formatter({p.name: p.read_text(errors="replace") for p in places if p.is_file()})


def _refused(tool: Tool, check: Check) -> Built:
    return Built(tool, Verdict((check,), "none"), "refused", check.detail)


def _leaking(tool: Tool, kinds: Collection[str]) -> Built:
    """A tool that is not written, for what is in it should have been masked before."""
    return _refused(
        tool, Check("no secret", False, f"its files would hold what looks like a secret: {', '.join(kinds)}")
    )


def _polished(
    workflow: Workflow, own: Wording, model: llm.Access, taken: Collection[str]
) -> tuple[Wording, tuple[Check, ...]]:
    """The model's words where they can be taken, else the tool's own, and what came of it."""
    from meta.generation import wording
    from meta.policy.names import RESERVED

    facts = wording.facts(workflow)
    if left := residue.kinds([own.name, own.description, *facts]):
        return own, (Check("polish", None, f"not done, the facts hold what looks like a secret: {', '.join(left)}"),)
    try:
        better = llm.polish(model, own, facts, taken={*taken, *RESERVED})
    except llm.UnusableError as reason:
        return own, (Check("polish", None, f"not done, the own words stay: {reason}"),)
    return better, (Check("polish", True, f"name and text by {model.model}"),)
