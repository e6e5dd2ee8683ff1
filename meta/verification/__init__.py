"""Whether a tool may be trusted: every check that can be made, and what each one saw.

Nothing is decided here about whether the tool is worth having.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from meta.model import Check, Tool, Verdict, Workflow
from meta.verification import effects, own_tests, replay, roundtrip, sandbox, static, trials

__all__ = ["verify"]

EXECUTED = ("round trip", "rehearsal", "hostile values", "own tests", "replay", "effects")


def verify(tool: Tool, workflow: Workflow, *, workspace: Path | None = None) -> Verdict:
    """All checks of a tool, in order, whether or not earlier ones passed.

    `workspace` is a repository on whose recorded commit the tool may be replayed. A tool that does not parse is not
    run; without a sandbox nothing is, and the verdict is "unverified" at best. Under mere limits only a tool is run
    that declares to read and nothing else, and that the static checks found nothing against.
    """
    known = [*static.check(tool, workflow), _held_out(workflow)]
    level = sandbox.level()
    harmless = set(tool.effects) == {"read"} and not any(check.passed is False for check in known)
    if not known[0].passed:
        return Verdict(tuple(known), "none")
    if level == "none" or (level == "limits" and not harmless):
        reason = "there is no sandbox on this machine" + (" that is enough for it" if level == "limits" else "")
        return Verdict((*known, *(Check(name, None, f"not run: {reason}") for name in EXECUTED)), "none")
    return Verdict((*known, *_executed(tool, workflow, workspace, harmless)), level)


def _executed(tool: Tool, workflow: Workflow, workspace: Path | None, harmless: bool) -> Iterator[Check]:
    with sandbox.place() as place:
        folder = trials.write(tool, place / tool.name)
        checks, rehearsed = roundtrip.check(folder, workflow, harmless=harmless)
        yield from checks
        yield own_tests.check(folder, harmless=harmless)
        replayed, ran = replay.check(tool, folder, workflow, workspace)
        yield replayed
        yield effects.check({"rehearsal": rehearsed, "replay": ran}, tool.effects)


def _held_out(workflow: Workflow) -> Check:
    """How many recorded runs a workflow learned without them still regenerates."""
    detail = f"{workflow.held_out} of {workflow.support} regenerated without having been learned from"
    # A run whose values are unlike all others cannot be foreseen; most of them have to be.
    return Check("held out", 2 * workflow.held_out >= workflow.support, detail)
