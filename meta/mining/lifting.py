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
from meta.mining.drafts import Draft, Refused, drafts, filled, slots, switches
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


@dataclass(frozen=True, slots=True)
class Lifted:
    """A fit of runs with the bindings of each, or why it is refused."""

    fit: Fit
    bound: tuple[Values | str, ...]


def fit(columns: Sequence[Column], runs: Sequence[Run], share: float = _REFUSED, *, decisive: bool = False) -> Fit:
    """The steps and parameters that explain most of the runs; up to `share` of them are refused where that is simpler."""
    return _fitted(columns, runs, *drafts(columns, runs, share), decisive)


def _fitted(
    columns: Sequence[Column], runs: Sequence[Run], drafted: Sequence[Draft], refused: Refused, decisive: bool
) -> Fit:
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
    heads = [draft.column.head for draft in drafted]
    names = step_names((*heads, *(slug(head, "-") for head, _ in thoughts.values())))
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


def lift(name: str, project: str, columns: Sequence[Column], runs: Sequence[Run]) -> Workflow:
    """The workflow that explains most of the runs with few parameters; the runs it does not explain are refused."""
    lifted = best(columns, runs)
    return replace(workflow(name, project, runs, lifted), held_out=held_out(columns, runs, lifted))


def workflow(name: str, project: str, runs: Sequence[Run], lifted: Lifted) -> Workflow:
    """What the runs were lifted to, with those that are explained as its occurrences; none was left out yet."""
    pairs = list(zip(runs, lifted.bound, strict=True))
    return Workflow(
        identity(lifted.fit.steps),
        name,
        project,
        lifted.fit.steps,
        lifted.fit.parameters,
        tuple(_occurrence(run, one) for run, one in pairs if not isinstance(one, str)),
        tuple((run.session, one) for run, one in pairs if isinstance(one, str)),
    )


def best(columns: Sequence[Column], runs: Sequence[Run]) -> Lifted:
    """The simple fit, or the more general one where that explains more of too few runs."""
    simple = _lifted(columns, runs, _REFUSED)
    if _unexplained(simple) > _REFUSED * len(runs):
        general = _lifted(columns, runs, 0.0)
        if _unexplained(general) < _unexplained(simple):
            return general
    return simple


def _lifted(columns: Sequence[Column], runs: Sequence[Run], share: float) -> Lifted:
    fitted = fit(columns, runs, share, decisive=True)
    bound = (fitted.refused.get(k) or bind(fitted.steps, fitted.parameters, run) for k, run in enumerate(runs))
    return Lifted(fitted, tuple(bound))


def _unexplained(lifted: Lifted) -> int:
    return sum(isinstance(one, str) for one in lifted.bound)


def held_out(columns: Sequence[Column], runs: Sequence[Run], lifted: Lifted) -> int:
    """How many explained runs a workflow learned without them explains; it takes several times as long as one fit.

    Beyond a few runs, one that is like others in everything that shapes the fit is counted without fitting again.
    """
    count = 0
    for k, run in enumerate(runs):
        if isinstance(lifted.bound[k], str):
            continue
        if len(runs) > _FIT_AGAIN and k not in lifted.fit.decisive:
            count += 1
            continue
        count += _explained(columns, [*runs[:k], *runs[k + 1 :]], run)
    return count


def _explained(columns: Sequence[Column], runs: Sequence[Run], run: Run) -> bool:
    """Whether the workflow of these runs explains another run."""
    drafted, refused = drafts(columns, runs, _REFUSED)
    if any(filled(draft, c, run) is None for c, draft in enumerate(drafted)):
        return False  # what its words do not fit, its values cannot bind
    others = _fitted(columns, runs, drafted, refused, decisive=False)
    return not isinstance(bind(others.steps, others.parameters, run), str)
