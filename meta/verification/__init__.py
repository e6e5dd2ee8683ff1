"""Whether a tool may be trusted: every check that can be made, and what each one saw.

Nothing is decided here about whether the tool is worth having.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from meta.model import Check, Tool, Verdict, Workflow
from meta.verification import own_tests, replay, roundtrip, sandbox, static, trials

__all__ = ["verify"]


def verify(tool: Tool, workflow: Workflow, *, workspace: Path | None = None) -> Verdict:
    """All checks of a tool, in order, whether or not earlier ones passed.

    `workspace` is a repository on whose recorded commit the tool may be replayed. A tool that does not parse is not
    run; without a sandbox nothing is, and the verdict is "unverified" at best.
    """
    return Verdict(tuple(_checks(tool, workflow, workspace)), sandbox.level())


def _checks(tool: Tool, workflow: Workflow, workspace: Path | None) -> Iterator[Check]:
    parsed, *rest = static.check(tool, workflow)
    yield parsed
    yield from rest
    yield _held_out(workflow)
    if not parsed.passed:
        return
    if sandbox.level() == "none":
        for name in ("round trip", "rehearsal", "hostile values", "own tests", "replay"):
            yield Check(name, None, "not run: there is no sandbox on this machine")
        return
    with tempfile.TemporaryDirectory(prefix="meta-") as place:
        Path(place).chmod(0o755)
        folder = trials.write(tool, Path(place, tool.name))
        yield from roundtrip.check(folder, workflow)
        yield own_tests.check(folder)
        yield replay.check(tool, folder, workflow, workspace)


def _held_out(workflow: Workflow) -> Check:
    """How many recorded runs a workflow learned without them still regenerates."""
    detail = f"{workflow.held_out} of {workflow.support} regenerated without having been learned from"
    # A run whose values are unlike all others cannot be foreseen; most of them have to be.
    return Check("held out", 2 * workflow.held_out >= workflow.support, detail)
