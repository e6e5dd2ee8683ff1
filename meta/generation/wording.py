"""The words of a tool, and the facts from which better ones may be made.

The facts are what the steps run: no word of a prompt, a message or an output is among them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from meta.generation import naming, words
from meta.model import Fixed, Wording, Workflow, WorkflowStep

_WORD = re.compile(r"[\w@%+=:,./{}\[\]-]{1,40}", re.ASCII)


def wording(workflow: Workflow, taken: Collection[str] = ()) -> Wording:
    """The tool's own words, the same every time."""
    return Wording(naming.name(workflow, taken), naming.description(workflow), naming.summary(workflow))


def facts(workflow: Workflow) -> tuple[str, ...]:
    """The steps with holes for what differs, the parameters' names, and what people asked for, of a fixed vocabulary.

    Words of a command that could hold prose are left out.
    """
    steps = (step.head if step.kind != "command" else _line(step) for step in workflow.steps)
    known = {word for topic in naming.TOPICS for word in topic.asked.split()}
    return (
        *(f"step: {step}" for step in steps),
        *(f"parameter: {parameter.name}" for parameter in workflow.parameters),
        *(f"asked: {word}" for word in workflow.triggers if word in known),
    )


def _line(step: WorkflowStep) -> str:
    shown = []
    for part in words.flat(step.parts):
        if not isinstance(part, Fixed):
            shown.append(f"{{{part.parameter}}}")
        elif part.word.style == "bare" and _WORD.fullmatch(part.word.text):
            shown.append(part.word.text)
    return " ".join(shown)
