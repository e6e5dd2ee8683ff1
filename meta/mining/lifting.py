"""Lift the runs of a mined pattern to a workflow: its steps, parameters, and the values that give each run back.

Which steps belong together was decided before; whether a tool is worth building is decided after.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meta.mining.binding import Values, bind
from meta.mining.dataflow import Flow, Slot, Value, together, trace
from meta.mining.drafts import Draft, drafts, filled, slots, switches
from meta.mining.guards import Presence, judgements, presences
from meta.mining.naming import slug, step_names
from meta.mining.parameters import parameters, renamed
from meta.mining.runs import Column, Run
from meta.mining.unusual import by_shape, by_values
from meta.model import Guard, Occurrence, Parameter, Workflow, WorkflowStep
from meta.rendering import template

_REFUSED = 0.2  # share of the runs that may be refused to keep the workflow simple
_FIT_AGAIN = 12  # runs up to which leaving one out always fits again


@dataclass(frozen=True, slots=True)
class Fit:
    """What a set of runs was generalised to.

    `decisive` are the runs without which another fit is to be expected, where that was asked.
    """

    steps: tuple[WorkflowStep, ...]
    parameters: tuple[Parameter, ...]
    refused: Mapping[int, str]
    decisive: frozenset[int] = frozenset()


def fit(columns: Sequence[Column], runs: Sequence[Run], share: float = _REFUSED, *, decisive: bool = False) -> Fit:
    """The steps and parameters that explain most of the runs; up to `share` of them are refused where that is simpler."""
    drafted, refused = drafts(columns, runs, share)
    values: list[Sequence[Mapping[str, Value]]] = []
    used: dict[int, Run] = {}
    for k, run in enumerate(runs):
        found = [one for c, draft in enumerate(drafted) if (one := filled(draft, c, run)) is not None]
        if k not in refused and len(found) == len(drafted):
            values.append(found)
            used[k] = run
    if not used:
        return Fit((), (), dict.fromkeys(range(len(runs)), "no two runs agree") | refused)
    holes = slots(drafted, values)
    flow = trace(holes, [[_output(run, c) for run in used.values()] for c in range(len(columns))])
    flow = replace(flow, same={**flow.same, **together(switches(drafted, values))})
    there = presences(columns, list(used.values()), [bool(draft.each) for draft in drafted])
    fitted = replace(_assemble(drafted, holes, flow, there, list(used.values())), refused=refused)
    if not decisive:
        return fitted
    numbers = list(used)
    alone = by_shape(runs) | {numbers[k] for k in flow.decisive | by_values(holes)}
    return replace(fitted, decisive=frozenset(alone))


def _output(run: Run, column: int) -> str | None:
    cell = run.cells[column]
    return cell[-1].output if cell else None


def _toggles(steps: Sequence[str], there: Sequence[Presence]) -> list[str]:
    """For each column the boolean that asks for its step or leaves it out, "" where none does."""
    names: list[str] = []
    for step, presence in zip(steps, there, strict=True):
        own = {"always": "", "switch": slug(step), "skip": f"skip_{slug(step)}"}[presence.toggle]
        names.append(names[presence.like] if presence.like is not None else own)
    return names


def _directory(runs: Sequence[Run], column: int) -> str:
    """Where the step usually ran."""
    seen = Counter(step.directory for run in runs for step in run.cells[column])
    return seen.most_common(1)[0][0] if seen else ""


def _assemble(
    drafted: Sequence[Draft], holes: Sequence[Slot], flow: Flow, there: Sequence[Presence], runs: Sequence[Run]
) -> Fit:
    thoughts = judgements(runs, len(drafted))
    names = step_names([draft.column.head for draft in drafted] + [slug(head, "-") for head, _ in thoughts.values()])
    thinking = dict(zip(thoughts, names[len(drafted) :], strict=True))
    toggles = _toggles(names[: len(drafted)], there)
    named = parameters(drafted, names, holes, flow, [toggle for toggle in toggles if toggle])
    steps: list[WorkflowStep] = []
    for k, (draft, presence, toggle) in enumerate(zip(drafted, there, toggles, strict=True)):
        if k in thoughts:
            head, share = thoughts[k]
            steps.append(WorkflowStep(thinking[k], "judgement", head, share))
        steps.append(
            WorkflowStep(
                names[k],
                draft.column.kind,
                draft.column.head,
                presence.share,
                renamed(draft.parts, named),
                Guard(names[presence.guard], "failed") if presence.guard is not None else None,
                switch=toggle if presence.toggle == "switch" else "",
                skip=toggle if presence.toggle == "skip" else "",
                each=named.names[draft.each] if draft.each else "",
                directory=_directory(runs, k),
                effect=draft.column.effect,
            )
        )
    switches = tuple(Parameter(toggle, "bool", default=False) for toggle in dict.fromkeys(toggles) if toggle)
    return Fit(tuple(steps), named.parameters + switches, {})


def _occurrence(run: Run, bindings: Values) -> Occurrence:
    """The run as evidence: when it ran, how long, and the round trips between its steps."""
    steps = run.commands
    begun = [step.time for step in steps if step.time is not None]
    calls = {step.event: step for step in steps}.values()
    ends = [step.time + (step.seconds or 0.0) for step in steps if step.time is not None]
    span = max(ends) - min(begun) if begun and len(begun) == len(steps) else None
    return Occurrence(
        session=run.session,
        agent=run.agent,
        events=tuple(dict.fromkeys(step.event for step in steps)),
        bindings=bindings,
        commands=tuple(step.line for step in steps),
        started=min(begun, default=None),
        span=span,
        waiting=max(0.0, span - sum(step.seconds or 0.0 for step in calls)) if span is not None else None,
        round_trips=max(0, len({step.message for step in steps if step.message}) - 1),
    )


def identity(steps: Sequence[WorkflowStep]) -> str:
    """A short hash of what the steps do, the same for the same steps."""
    text = "\n".join(f"{step.kind} {step.head} {template(step)}" for step in steps)
    return "wf:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def lift(
    name: str, project: str, columns: Sequence[Column], runs: Sequence[Run], *, leave_one_out: bool = True
) -> Workflow:
    """The workflow that explains most of the runs with few parameters; the runs it does not explain are refused.

    `held_out` stays 0 without `leave_one_out`, which takes several times as long.
    """
    fitted, bound = _best(columns, runs)
    occurrences = [_occurrence(run, one) for run, one in zip(runs, bound, strict=True) if not isinstance(one, str)]
    refused = [(run.session, one) for run, one in zip(runs, bound, strict=True) if isinstance(one, str)]
    return Workflow(
        identity(fitted.steps),
        name,
        project,
        fitted.steps,
        fitted.parameters,
        tuple(occurrences),
        tuple(refused),
        _held_out(columns, runs, fitted, bound) if leave_one_out else 0,
    )


def _best(columns: Sequence[Column], runs: Sequence[Run]) -> tuple[Fit, list[Values | str]]:
    """The simple fit, or the more general one where that explains more of too few runs."""
    fitted = fit(columns, runs, decisive=True)
    bound = _bound(fitted, runs)
    if _unexplained(bound) > _REFUSED * len(runs):
        general = fit(columns, runs, share=0.0, decisive=True)
        general_bound = _bound(general, runs)
        if _unexplained(general_bound) < _unexplained(bound):
            return general, general_bound
    return fitted, bound


def _unexplained(bound: Sequence[Values | str]) -> int:
    return sum(isinstance(one, str) for one in bound)


def _held_out(columns: Sequence[Column], runs: Sequence[Run], fitted: Fit, bound: Sequence[Values | str]) -> int:
    """How many explained runs a workflow learned without them explains.

    Beyond a few runs, one that is like others in everything that shapes the fit is counted without fitting again.
    """
    count = 0
    for k, run in enumerate(runs):
        if isinstance(bound[k], str):
            continue
        if len(runs) > _FIT_AGAIN and k not in fitted.decisive:
            count += 1
            continue
        others = fit(columns, [*runs[:k], *runs[k + 1 :]])
        count += not isinstance(bind(others.steps, others.parameters, run), str)
    return count


def _bound(fitted: Fit, runs: Sequence[Run]) -> list[Values | str]:
    """The bindings of every run, or why it is refused."""
    return [
        fitted.refused[k] if k in fitted.refused else bind(fitted.steps, fitted.parameters, run)
        for k, run in enumerate(runs)
    ]
