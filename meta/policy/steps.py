"""What the steps of a workflow may do, whatever the values of their parameters are.

A value is taken for any text, and beside it the recorded ones are read as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from meta import rendering
from meta.model import Fixed, Group, Hole, Part, Rest, Workflow, WorkflowStep
from meta.policy import effects, table
from meta.policy.nouns import NOTHING, Effects

RUNS = 40  # recorded runs whose lines are read
_PLACE = '"${value}"'  # in the place of a value: nothing sets it, so it may be anything
_OPENINGS = {"+": "+x", ":": ":x", "@": "@/etc/passwd"}  # how a value may begin that some program takes for more


def of_step(step: WorkflowStep, workflow: Workflow) -> Effects:
    """The effects of a command step with any values and with the recorded ones; nothing for other steps."""
    found = NOTHING
    for line in (*_templates(step), *_recorded(step, workflow)):
        found |= effects(line)
    return found


def of_workflow(workflow: Workflow) -> Effects:
    found = NOTHING
    for step in workflow.steps:
        found |= of_step(step, workflow)
    return found


def declared(found: Iterable[Effects]) -> tuple[str, ...]:
    """The effects as a tool declares them: reading is not worth a word beside others."""
    kinds = {str(kind) for each in found for kind in each.kinds}
    unknown = {"unknown"} if any(each.unknown for each in found) else set()
    return tuple(sorted((kinds - {"read"}) | unknown or kinds))


def groups(step: WorkflowStep) -> tuple[str, ...]:
    """The parameters whose words may be left out."""
    return tuple(dict.fromkeys(part.parameter for part in step.parts if isinstance(part, Group)))


def without(step: WorkflowStep, workflow: Workflow, kept: Iterable[str]) -> Effects:
    """The effects of a step of which only these optional words are there, with any values."""
    return effects(_line(step, frozenset(kept)))


def openings(workflow: Workflow) -> dict[str, str]:
    """How the value of a parameter must not begin, by parameter: what a program would take for more than a value.

    A dash makes an option of a word that stands by itself; a few programs read more into other signs.
    """
    found: dict[str, set[str]] = {}
    for step in workflow.steps:
        for place, part in enumerate(_flat(step.parts)):
            if isinstance(part, Fixed):
                continue
            signs = set("-") if _by_itself(list(_flat(step.parts)), place) else set()
            signs |= {sign for sign, value in _OPENINGS.items() if _graver(step, part, value)}
            found.setdefault(part.parameter, set()).update(signs)
    return {name: "".join(sorted(signs)) for name, signs in found.items() if signs}


def _graver(step: WorkflowStep, hole: Hole | Rest, value: str) -> bool:
    """Whether one value makes a step graver than any text would be."""
    if isinstance(hole, Hole) and (hole.prefix or hole.style == "shell"):
        return False
    plain = effects(_line(step, frozenset(groups(step))))
    probed = effects(_line(step, frozenset(groups(step)), (hole.parameter, value)))
    return not probed.grave <= plain.grave or probed.level > max(plain.level, 2)


def _by_itself(parts: Sequence[Fixed | Hole | Rest], place: int) -> bool:
    """Whether a program sees the value as the beginning of a word that is not the value of a flag."""
    part = parts[place]
    if isinstance(part, Hole) and (part.prefix or part.style == "shell"):
        return False
    before = [known.word.value for known in parts[:place] if isinstance(known, Fixed)]
    if "--" in before:
        return False
    last = parts[place - 1] if place else None
    if not isinstance(last, Fixed) or isinstance(part, Rest):
        return True
    words = [word for word in before if not re.match(r"[A-Za-z_]\w*=", word)]
    return not (words and _takes_value(words, last.word.value))


def _takes_value(words: Sequence[str], flag: str) -> bool:
    """Whether a flag takes the word behind it, as the tables know."""
    name = table.program(words[0])
    commands = [name, *(f"{name} {word}" for word in words[1:] if not word.startswith("-"))]
    takes = frozenset[str]().union(*(table.valued().get(command, frozenset()) for command in commands))
    cluster = re.fullmatch(r"-[a-zA-Z]+", flag)
    return flag in takes or bool(cluster and f"-{flag[-1]}" in takes)


def _flat(parts: Iterable[Part]) -> Iterator[Fixed | Hole | Rest]:
    for part in parts:
        if isinstance(part, Group):
            yield from part.parts
        else:
            yield part


def _templates(step: WorkflowStep) -> Iterator[str]:
    """The line with all of its optional words, with none, and with each of them alone and left out alone."""
    if step.kind != "command" or not step.parts:
        return
    names = frozenset(groups(step))
    kept = [names, frozenset[str](), *(frozenset({name}) for name in names), *(names - {name} for name in names)]
    yield from dict.fromkeys(_line(step, some) for some in kept)


def _line(step: WorkflowStep, kept: frozenset[str], given: tuple[str, str] = ("", "")) -> str:
    """The step as a shell line, holes open or, for one parameter, with this value."""

    def shown(part: Part) -> Iterator[str]:
        match part:
            case Fixed(word):
                yield word.text
            case Hole(parameter, _, _, prefix, suffix):
                yield prefix + (rendering.quote(given[1], "double") if parameter == given[0] else _PLACE) + suffix
            case Rest(parameter):
                yield rendering.quote(given[1], "double") if parameter == given[0] else _PLACE
            case Group(parameter, inner):
                if parameter in kept:
                    for one in inner:
                        yield from shown(one)

    line = " ".join(text for part in step.parts for text in shown(part))
    return f"cd {rendering.quote(step.directory, 'bare')} && {line}" if step.directory else line


def _recorded(step: WorkflowStep, workflow: Workflow) -> Iterator[str]:
    """The lines of the step in recorded runs, as far as their values are known."""
    if step.kind != "command" or not step.parts or all(isinstance(part, Fixed) for part in step.parts):
        return
    seen: set[str] = set()
    for run in workflow.occurrences[:RUNS]:
        values = rendering.resolve(workflow.parameters, run.bindings)
        items = values.get(step.each, []) if step.each else [""]
        for item in items if isinstance(items, list) else [str(items)]:
            try:
                line = rendering.line(step, {**values, step.each: item} if step.each else values)
            except rendering.UnboundError:
                continue
            if line not in seen:
                seen.add(line)
                yield f"cd {rendering.quote(step.directory, 'bare')} && {line}" if step.directory else line
