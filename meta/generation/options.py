"""The options of a tool: one row of its table for each value that the caller may give."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from meta.generation.words import Names, RefusedError, flat
from meta.model import Fixed, Group, Hole, Parameter, Part, Word, Workflow, WorkflowStep
from meta.policy.nouns import LEVELS
from meta.policy.steps import openings
from meta.rendering import option, template
from meta.vetting import is_name

TAKEN = frozenset(
    ("dry_run", "failed", "json", "tail", "from", "help", *(f"allow_{effect}".replace("-", "_") for effect in LEVELS))
)


def rows(workflow: Workflow, names: Names, required: Collection[str]) -> str:
    """The rows `"--name": {settings},` of the caller's and output parameters, in order."""
    signs = openings(workflow)
    return "".join(
        f"{option(parameter.name)!r}: {_settings(parameter, workflow, names, required, signs.get(parameter.name, ''))},\n"
        for parameter in workflow.parameters
        if parameter.source in ("caller", "output")
    )


def check(parameters: Iterable[Parameter]) -> None:
    """Refuse a parameter whose option every tool already has."""
    for parameter in parameters:
        if parameter.name.replace("-", "_") in TAKEN and parameter.source in ("caller", "output"):
            raise RefusedError(f"the parameter {parameter.name!r} has the name of an option of every tool: rename it")


def _settings(parameter: Parameter, workflow: Workflow, names: Names, required: Collection[str], signs: str) -> str:
    settings: dict[str, object] = {}
    dest = names.identifiers[parameter.name]
    if dest != parameter.name.replace("-", "_"):
        settings["dest"] = dest
    if parameter.type == "bool":
        settings["action"] = "store_true"
        settings["default"] = bool(parameter.default)
    elif parameter.type == "list":
        settings |= {"action": "append", "default": []}
    elif parameter.default is not None:
        settings["default"] = str(parameter.default)
    elif parameter.name in required:
        settings["required"] = True
    if settings.get("default") is False:
        del settings["default"]
    text = ", ".join(f"{key!r}: {value!r}" for key, value in settings.items())
    if signs and parameter.type != "bool":
        recorded = ", ".join(map(repr, (signs, *_recorded(parameter, workflow, signs))))
        text += f", 'type': plain({recorded})"
    if parameter.type == "secret" and parameter.default is None:
        variable = re.sub(r"\W", "_", parameter.name).upper()
        text = text.replace("'required': True", "") + f", 'default': os.environ.get({variable!r})"
    return "{" + f"{text.strip(', ')}, 'help': {_help(parameter, workflow.steps)!r}".lstrip(", ") + "}"


def _recorded(parameter: Parameter, workflow: Workflow, signs: str) -> tuple[str, ...]:
    """The values that begin so and were recorded; they are what the parameter is for."""
    seen = [run.bindings.get(parameter.name, "") for run in workflow.occurrences]
    values = [
        value for one in (*seen, str(parameter.default or "")) for value in (one if isinstance(one, list) else [one])
    ]
    return tuple(sorted({value for value in values if isinstance(value, str) and value.startswith(tuple(signs))}))


def _help(parameter: Parameter, steps: Iterable[WorkflowStep]) -> str:
    """Where the value goes, and what it was like: only words of the commands and short plain values."""
    step = next((s for s in steps if parameter.name in {s.switch, s.skip, s.each, *_used(s)}), None)
    line = _shown(step) if step and step.parts else ""
    line = line if len(line) <= 70 else line[:67] + "..."
    what = {"switch": f"also run `{line}`", "skip": f"leave out `{line}`", "each": f"run `{line}` for each"}
    role = next((r for r in what if step and getattr(step, r) == parameter.name), "")
    text = what.get(role) or (f"with `{line}`" if parameter.type == "bool" else f"in `{line}`")
    if parameter.type == "secret":
        text += ", or set in the environment"
    if parameter.source == "output":
        text += "; else read from the output of the step before"
    seen = [str(e) for e in (parameter.choices or parameter.examples) if is_name(str(e))][:4]
    if seen and parameter.type in ("choice", "int", "float", "path"):
        text += f" (seen: {', '.join(seen)})"
    return text.replace("%", "%%")


def _shown(step: WorkflowStep) -> str:
    """The step for a reader, without the words that could hold prose."""
    return template(replace(step, parts=tuple(map(_without_prose, step.parts))))


def _without_prose(part: Part) -> Part:
    if isinstance(part, Group):
        return replace(part, parts=tuple(p for p in map(_without_prose, part.parts) if isinstance(p, Fixed | Hole)))
    if isinstance(part, Fixed) and not is_name(part.word.text):
        return Fixed(Word("…", "…"))
    if isinstance(part, Hole):
        return replace(part, prefix=_name_or_dots(part.prefix), suffix=_name_or_dots(part.suffix))
    return part


def _name_or_dots(text: str) -> str:
    return text if not text or is_name(text) else "…"


def _used(step: WorkflowStep) -> set[str]:
    groups = {part.parameter for part in step.parts if not isinstance(part, Fixed)}
    return groups | {part.parameter for part in flat(step.parts) if not isinstance(part, Fixed)}
