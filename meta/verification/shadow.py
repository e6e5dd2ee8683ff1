"""Whether an accepted tool would have done what was done by hand since: every new run, asked of the tool as it is now.

What the tool was learned from is asked in `roundtrip`, before it is accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from meta import rendering
from meta.model import Occurrence, Shadow, Tool, Workflow
from meta.verification import sandbox, trials
from meta.verification.trials import BrokenToolError, Trial

MOST = 200  # runs, the youngest


def shadow(tool: Tool, options: Collection[str], workflow: Workflow, runs: Sequence[Occurrence]) -> Shadow | None:
    """How many of the runs the tool prints exactly; None where nothing may be executed here.

    `workflow` is what the runs are of by now. It may have parameters that the tool is without: then the tool has a
    value of its own, which is right or not. `options` are those that it has.
    """
    if sandbox.level() not in ("bubblewrap", "landlock"):
        return None
    runs = sorted(runs, key=lambda run: run.started or 0.0)[-MOST:]
    if not runs:
        return Shadow(0, 0)
    with sandbox.place() as place:
        folder = trials.write(tool, place / tool.name)
        try:
            given = [{name: value for name, value in run.bindings.items() if name in options} for run in runs]
            outcomes, _ = trials.attempt(folder, workflow, [Trial(rendering.arguments(bindings)) for bindings in given])
        except BrokenToolError:
            return Shadow(0, len(runs))
    same = [outcome.stdout == "\n".join(run.commands) + "\n" for run, outcome in zip(runs, outcomes, strict=True)]
    return Shadow(sum(same), len(runs))
