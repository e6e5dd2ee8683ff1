"""Find the values with which a workflow gives back one recorded run.

It guesses nothing: what it returns renders to the recorded lines exactly, or it says why not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meta.mining.alignment import Words, key
from meta.mining.holes import value
from meta.mining.runs import Run, failed
from meta.model import Binding, Fixed, Group, Hole, Parameter, Part, Rest, Step, WorkflowStep
from meta.rendering import UnboundError, commands, derive, quote

Values = dict[str, Binding]


class _UnexplainedError(Exception):
    """The run is not one of the workflow; the text is the reason."""


def match(parts: Sequence[Part], words: Words, values: Values) -> Values | None:
    """`values` with those that turn the parts into exactly these words; None where nothing does.

    Optional words are taken where they can be; a list takes as many words as it can up to the next option.
    """
    found: Values | None = values
    for k, part in enumerate(parts):
        if isinstance(part, Group):
            return _group(part, parts[k + 1 :], words[k:], values)
        if isinstance(part, Rest):
            return _rest(part, parts[k + 1 :], words[k:], values)
        if (found := _one(part, words[k : k + 1], values)) is None:
            return None
        values = found
    return values if len(words) == len(parts) else None


def _one(part: Fixed | Hole, words: Words, values: Values) -> Values | None:
    if not words:
        return None
    if isinstance(part, Fixed):
        return values if words[0].text == part.word.text else None
    given = value(part, words[0])
    if given is None or values.get(part.parameter, given) != given:
        return None
    return {**values, part.parameter: given}


def _group(group: Group, later: Sequence[Part], words: Words, values: Values) -> Values | None:
    lone = isinstance(group.parts[0], Hole) and not group.parts[0].prefix
    flag = lone and words and key(words[0])  # an optional plain word does not take the place of an option
    given = match(group.parts, words[: len(group.parts)], values) if not flag else None
    if given is not None:
        given = given if group.parameter in given else {**given, group.parameter: True}
        if (found := match(later, words[len(group.parts) :], given)) is not None:
            return found
    return None if values.get(group.parameter) else match(later, words, values)


def _rest(rest: Rest, later: Sequence[Part], words: Words, values: Values) -> Values | None:
    items: list[str] = []
    known = {part.parts[0].word.text for part in later if isinstance(part, Group) and isinstance(part.parts[0], Fixed)}
    for word in words:
        if word.style == "shell" or word.text in known or quote(word.value, rest.style) != word.text:
            break
        items.append(word.value)
    for count in range(len(items), -1, -1):
        if values.get(rest.parameter, items[:count]) == items[:count]:
            found = match(later, words[count:], {**values, rest.parameter: items[:count]})
            if found is not None:
                return found
    return None


def _why_not(step: WorkflowStep, words: Words, values: Values) -> str:
    """The reason why the words do not fit, in general terms."""
    fixed = {part.word.text for part in step.parts if isinstance(part, Fixed)}
    if any(word.style == "shell" and word.text not in fixed for word in words):
        return f"{step.name}: shell expansion in a value"
    if match(step.parts, words, {}) is not None:
        return f"{step.name}: a value differs from the one it follows"
    quoted = [word for word in words if word.style not in ("bare", "shell")]
    if any(all(match([part], (word,), {}) is None for part in _flat(step.parts)) for word in quoted):
        return f"{step.name}: quoting or a fixed part of a word differs"
    return f"{step.name}: words that no part explains"


def _flat(parts: Iterable[Part]) -> list[Part]:
    """The parts with those inside of groups in their place."""
    return [one for part in parts for one in (part.parts if isinstance(part, Group) else (part,))]


def _values(step: WorkflowStep, cell: Sequence[Step], values: Values) -> Values:
    """`values` with those of one cell."""
    if not step.each:
        if len(cell) > 1:
            raise _UnexplainedError(f"{step.name}: ran more than once")
        for recorded in cell:
            found = match(step.parts, recorded.words, values)
            if found is None:
                raise _UnexplainedError(_why_not(step, recorded.words, values))
            values = found
        return values
    items: list[str] = []
    listed = values.get(step.each)
    values = {name: bound for name, bound in values.items() if name != step.each}
    for recorded in cell:
        found = match(step.parts, recorded.words, values)
        if found is None:
            raise _UnexplainedError(_why_not(step, recorded.words, values))
        items.append(str(found[step.each]))
        values = {name: bound for name, bound in found.items() if name != step.each}
    if listed is not None and listed != items:
        raise _UnexplainedError(f"{step.name}: a value differs from the one it follows")
    return {**values, step.each: items}


def _outcomes(steps: Sequence[WorkflowStep], cells: Sequence[Sequence[Step]]) -> list[str]:
    """The names of the steps whose failure decided what ran."""
    decided: list[str] = []
    there = [bool(cell) for cell in cells]
    known = {step.name: failed(cell) for step, cell in zip(steps, cells, strict=True)}
    for step, is_there in zip(steps, there, strict=True):
        guard = step.guard
        if guard and guard.outcome == "failed" and is_there and guard.step not in decided:
            if known[guard.step] is False:
                raise _UnexplainedError(f"{step.name}: ran although {guard.step} had not failed")
            decided.append(guard.step)
    last = max((k for k, is_there in enumerate(there) if is_there), default=-1)
    wanted = [s for s in steps[last + 1 :] if s.kind == "command" and not (s.switch or s.each or s.guard)]
    repaired = {step.guard.step for step in steps if step.guard and step.guard.outcome == "failed"}
    if wanted and last >= 0 and known[steps[last].name] and steps[last].name not in repaired:
        decided.append(steps[last].name)
    return [step.name for step in steps if step.name in decided]


def _toggles(steps: Sequence[WorkflowStep], cells: Sequence[Sequence[Step]], failed: Sequence[str]) -> Values:
    """Which optional steps were asked for and which left out; raises where a step is missing without a reason."""
    values: Values = {}
    repaired = {step.guard.step for step in steps if step.guard and step.guard.outcome == "failed"}
    for step, cell in zip(steps, cells, strict=True):
        due = not step.guard or (step.guard.step in failed) == (step.guard.outcome == "failed")
        if step.kind != "command" or not due:
            continue
        if step.switch:
            wanted = bool(cell)
            if values.setdefault(step.switch, wanted) != wanted:
                raise _UnexplainedError(f"{step.name}: there without the step that belongs to it")
        elif step.skip:
            left_out = not cell
            if values.setdefault(step.skip, left_out) != left_out:
                raise _UnexplainedError(f"{step.name}: there without the step that belongs to it")
        elif not cell and not step.each:
            raise _UnexplainedError(f"{step.name}: missing")
        if step.name in failed and step.name not in repaired:
            break
    return {name: wanted for name, wanted in values.items() if wanted}


def _independent(values: Values, parameters: Iterable[Parameter]) -> Values:
    """The values without those that follow from others; raises where one does not follow."""
    for parameter in parameters:
        if parameter.source == "derived" and parameter.derivation and parameter.name in values:
            source = values.get(parameter.derivation.source)
            derived = derive(source, parameter.derivation.program) if isinstance(source, str) else None
            if derived != values[parameter.name]:
                raise _UnexplainedError(f"{parameter.name}: does not follow from {parameter.derivation.source}")
    derived_names = {parameter.name for parameter in parameters if parameter.source == "derived"}
    return {name: bound for name, bound in values.items() if name not in derived_names and bound not in (False, [])}


def _bind(steps: Sequence[WorkflowStep], parameters: Sequence[Parameter], run: Run) -> Values:
    columns = [step for step in steps if step.kind != "judgement"]
    if len(columns) != len(run.cells):
        raise _UnexplainedError("no step was learned for some columns")
    decided = _outcomes(columns, run.cells)
    values = _toggles(columns, run.cells, decided)
    for step, cell in zip(columns, run.cells, strict=True):
        if step.kind == "command":
            values = _values(step, cell, values)
    values = _independent(values, parameters)
    if decided:
        values["failed"] = decided
    try:
        lines = commands(steps, parameters, values)
    except UnboundError as error:
        raise _UnexplainedError(f"{error}: no value in this run") from error
    if lines != tuple(step.line for step in run.commands):
        raise _UnexplainedError("the steps ran in another order or quoting than the workflow's")
    return values


def bind(steps: Sequence[WorkflowStep], parameters: Sequence[Parameter], run: Run) -> Values | str:
    """The bindings with which `rendering.commands` gives the run's lines exactly, or the reason why there are none.

    The run's cells stand for the steps that are not judgement, in order.
    """
    try:
        return _bind(steps, parameters, run)
    except _UnexplainedError as error:
        return str(error)
