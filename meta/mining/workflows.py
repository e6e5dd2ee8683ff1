"""From one project's sessions to its workflows: segment, find what repeats, lift the parameters.

Each stage is a file of its own; this one only carries values from one to the next. Whether a workflow is worth a tool
is not judged here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from meta.mining import lifting
from meta.mining.chains import chained
from meta.mining.endings import ending
from meta.mining.events import Trace
from meta.mining.extension import extended
from meta.mining.nesting import nested
from meta.mining.patterns import Instance, Pattern, find
from meta.mining.prompts import typed
from meta.mining.runs import Column, Run
from meta.mining.segments import Parse, commands, segments
from meta.mining.shell import parse
from meta.mining.triggers import joined, prompted
from meta.mining.unison import unison
from meta.mining.vocabulary import learned
from meta.model import Fixed, Segment, Session, Workflow, WorkflowStep, conversation

FARTHEST = 4.0  # beyond this, farther apart makes no difference
DELETE = frozenset({"rm", "rmdir", "shred", "unlink"})
TRIGGERS = 40  # words of the prompts that are kept for naming
_WORD = re.compile(r"[a-z]{3,15}")


Remember = Callable[[str, Callable[[], Workflow]], Workflow]


def _forgetful(key: str, lift: Callable[[], Workflow]) -> Workflow:
    """Nothing was lifted before."""
    return lift()


def mine(
    project: str,
    sessions: Iterable[Session],
    *,
    support: int = 3,
    least: int = 3,
    parse: Parse = parse,
    remember: Remember = _forgetful,
) -> list[Workflow]:
    """The workflows of a project, the one that explains most first.

    `support` is the number of occurrences and `least` the number of sessions that make a habit. `parse` reads a shell
    call (see `shell.Reader`), `remember(key, lift)` gives what was lifted before from the same runs, else lifts: most runs stay the same from one session to the next.
    """
    found = learned([segment for session in sessions for segment in segments(session, parse)])
    columns = vocabulary(found)
    numbers = {column.head: number for number, column in enumerate(columns)}
    weights = np.array([float(column.effect == "work") for column in columns])
    traces = _traces(found, numbers)
    patterns = extended(find(traces, weights=weights, min_support=support, min_sessions=least), traces, weights)
    more = [
        *prompted(found, traces, weights, least),
        *ending(traces, weights, least),
        *unison(traces, weights, least),
    ]
    patterns, found = chained(joined(patterns, more), found, traces, least)
    made = {pattern: _workflow(project, pattern, columns, found, remember) for pattern in patterns}
    for longer, part, both in nested(patterns, least):
        if longer in made and part in made:
            whole = _workflow(project, both, columns, found, remember)
            if len(whole.refused) <= len(made[longer].refused) + len(made[part].refused):
                made = {both if one is longer else one: whole if one is longer else workflow
                        for one, workflow in made.items() if one is not part}  # fmt: skip
    return [workflow for workflow in made.values() if workflow.occurrences]


def vocabulary(found: Iterable[Segment]) -> list[Column]:
    """Every head that was run, in order; a head that mostly works is work."""
    effects: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    worked: set[str] = set()
    for segment in found:
        for step in commands(segment):
            effects[step.head][step.effect == "work"] += 1
            worked |= {step.head} if step.status != "failed" else set()
    return [
        Column(head, "command", "work" if c[True] >= c[False] else "inspect", head in worked)
        for head, c in sorted(effects.items())
    ]


def _gaps(segment: Segment) -> list[float]:
    """How far each command is from the one before: the edits between them. Looking around puts nothing apart."""
    edits = [step.position for step in segment.steps if step.kind == "edit"]
    places = [step.position for step in commands(segment)]
    between = [sum(last < edit < place for edit in edits) for last, place in pairwise(places)]
    return [0.0, *(min(float(count), FARTHEST) for count in between)] if places else []


def _traces(found: Sequence[Segment], numbers: Mapping[str, int]) -> list[Trace]:
    sessions: dict[tuple[str, str], int] = {}
    traces = []
    for segment in found:
        steps = commands(segment)
        number = sessions.setdefault((segment.agent, conversation(segment.session)), len(sessions))
        symbols = np.array([numbers[step.head] for step in steps], dtype=np.int32)
        traces.append(Trace(symbols, np.array(_gaps(segment), dtype=np.float32), number))
    return traces


def _run(segment: Segment, instance: Instance) -> Run:
    steps = commands(segment)
    cells = tuple((steps[position],) if position >= 0 else () for position in instance.positions)
    places = [step.position for cell in cells for step in cell]
    edits = [step for step in segment.steps if step.kind == "edit" and min(places) < step.position < max(places)]
    return Run(segment.session, segment.agent, cells, tuple(edits))


def _workflow(
    project: str, pattern: Pattern, columns: Sequence[Column], found: Sequence[Segment], remember: Remember
) -> Workflow:
    runs = [_run(found[instance.trace], instance) for instance in pattern.instances]
    chosen = [columns[step] for step in pattern.steps]
    key = hashlib.sha256(repr((project, chosen, runs)).encode(errors="backslashreplace")).hexdigest()
    workflow = remember(key, lambda: _lifted(project, chosen, runs))
    return replace(workflow, loop=pattern.loop, triggers=_triggers(found, pattern.instances))


def _lifted(project: str, columns: Sequence[Column], runs: Sequence[Run]) -> Workflow:
    """The runs as a workflow, without the steps that never worked, that delete what they are told, or that no run explains.

    A step whose failure calls for another one is of use when it fails. What is tidied away differs from run to run:
    who names it may as well delete it.
    """
    lifted = lifting.best(columns, runs)
    workflow = lifting.workflow("", project, runs, lifted)
    steps = [step for step in workflow.steps if step.kind != "judgement"]
    guards = {step.guard.step for step in steps if step.guard}
    useful = [columns[k].worked or step.name in guards for k, step in enumerate(steps)]
    kept = [k for k, step in enumerate(steps) if step.presence > 0 and useful[k] and not _deletes(step)]
    if not workflow.occurrences:
        return workflow
    if len(kept) == len(columns):
        return replace(workflow, held_out=lifting.held_out(columns, runs, lifted))
    left = [columns[k].head for k in kept]
    # two of the same that only a deletion kept apart are two runs of something else
    if len(kept) < min(2, len(columns)) or (any(map(_deletes, steps)) and any(a == b for a, b in pairwise(left))):
        return replace(workflow, occurrences=())
    fewer = [replace(run, cells=tuple(run.cells[k] for k in kept)) for run in runs]
    return lifting.lift("", project, [columns[k] for k in kept], [run for run in fewer if any(run.cells)])


def _deletes(step: WorkflowStep) -> bool:
    """Whether it deletes files that a parameter names."""
    return step.head.partition(" ")[0] in DELETE and not all(isinstance(part, Fixed) for part in step.parts)


def _triggers(found: Sequence[Segment], instances: Iterable[Instance]) -> tuple[str, ...]:
    """The words that people typed before the runs, by the number of runs they came before."""
    words: Counter[str] = Counter()
    for trace in {instance.trace for instance in instances if found[instance.trace].typed}:
        words.update({word for prompt in found[trace].prompts for word in _WORD.findall(typed(prompt).lower())})
    return tuple(word for word, _ in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:TRIGGERS])
