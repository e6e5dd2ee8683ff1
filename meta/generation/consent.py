"""What the caller of a tool must agree to beforehand, and when.

What the steps do is known in `policy`; a step that is never right for a tool is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence

from meta.generation.words import Names, RefusedError
from meta.model import Workflow, WorkflowStep
from meta.policy import NEVER, Effects, steps

MAY = {
    "destroy": "destroy", "spend": "spend", "privilege": "use the rights of others", "network": "change other machines",
    "write-outside": "change files outside of the project",
}  # fmt: skip


def effects(workflow: Workflow, commands: Sequence[WorkflowStep]) -> dict[str, Effects]:
    """The effects of each step by its name. Raises `RefusedError` for a step that no tool may take."""
    found = {step.name: steps.of_step(step, workflow) for step in commands}
    for name, effect in found.items():
        if effect.level >= NEVER:
            raise RefusedError(f"the step {name!r} is never done by a tool: {effect.reasons[0]}")
    return found


def needed(workflow: Workflow, commands: Sequence[WorkflowStep], names: Names) -> dict[str, str]:
    """The effects that the caller must agree to, each with the condition under which it can happen, as Python."""
    found: dict[str, list[str]] = {}
    for step in commands:
        for effect in sorted(steps.of_step(step, workflow).grave):
            found.setdefault(effect, []).append(_condition(effect, step, workflow, names))
    return {
        effect: f" and ({' or '.join(dict.fromkeys(conditions))})" if all(conditions) else ""
        for effect, conditions in sorted(found.items())
    }


def _condition(effect: str, step: WorkflowStep, workflow: Workflow, names: Names) -> str:
    """When the step can have the effect, "" for always: on request, or with optional words that bring it."""
    asked = [f"given.{names.of(step.switch).value}"] if step.switch else []
    optional = steps.groups(step)
    if effect not in steps.without(step, workflow, ()).grave:
        bringing = [name for name in optional if effect in steps.without(step, workflow, {name}).grave]
        if bringing and effect not in steps.without(step, workflow, set(optional) - set(bringing)).grave:
            given = [f"given.{names.of(name).value} not in (None, False)" for name in bringing]
            asked.append(given[0] if len(given) == 1 else f"({' or '.join(given)})")
    return " and ".join(asked)
