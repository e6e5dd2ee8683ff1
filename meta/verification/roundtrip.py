"""Whether a tool does what was recorded: the same lines, the same programs, the same end after a failure.

The tool is tried in `trials`; what it is compared with is the meaning of the workflow in `rendering`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from meta import rendering
from meta.model import Binding, Check, Occurrence, Workflow
from meta.verification import hostile, sandbox, trials
from meta.verification.effects import Trace
from meta.verification.trials import BrokenToolError, Outcome, Trial

REHEARSED = 8  # recorded runs that are also run against recorders
SEPARATE = 3  # recorded runs that are tried once more, each in a process of its own


@dataclass(frozen=True, slots=True)
class _Failure:
    """A step that fails: the bindings with it, which line it is, and whether a later step repairs it."""

    bindings: Mapping[str, Binding]
    line: int
    repaired: bool


def check(tool: Path, workflow: Workflow, *, harmless: bool = False) -> tuple[tuple[Check, ...], Trace]:
    """The checks "round trip", "rehearsal" and "hostile values" of the tool in this folder, and what it did meanwhile.

    `harmless` is as in `sandbox.run`.
    """
    attacks, chosen = hostile.attacks(workflow), _rehearsed(workflow)
    failures = _failures(workflow, chosen)
    cases = [Trial(rendering.arguments(o.bindings)) for o in workflow.occurrences]
    cases += [Trial(rendering.arguments(o.bindings), True) for o in chosen]
    cases += [Trial(rendering.arguments(f.bindings), True, f.line) for f in failures]
    cases += [Trial(rendering.arguments(bindings), True) for a in attacks for bindings in (a.plain, a.bindings)]
    try:
        outcomes, trace = trials.attempt(tool, workflow, cases, harmless=harmless)
    except BrokenToolError as error:
        broken = Check("round trip", False, f"the tool could not be run: {error}")
        return (broken,), Trace(missing="the tool could not be run")
    rest = iter(outcomes)
    recorded, rehearsed, failed = (list(islice(rest, len(part))) for part in (workflow.occurrences, chosen, failures))
    checks = (
        _round_trip(workflow, recorded, tool, harmless),
        _rehearsal(workflow, list(zip(chosen, rehearsed, strict=True)), list(zip(failures, failed, strict=True))),
        hostile.check(workflow, attacks, list(rest)),
    )
    return checks, trace


def _expected(occurrence: Occurrence) -> str:
    return "\n".join(occurrence.commands) + "\n"


def _round_trip(workflow: Workflow, outcomes: list[Outcome], tool: Path, harmless: bool) -> Check:
    pairs = list(zip(workflow.occurrences, outcomes, strict=True))
    wrong = [f"{o.session}: {trials.difference(_expected(o), outcome)}" for o, outcome in pairs if _differs(o, outcome)]
    detail = f"{len(pairs) - len(wrong)} of {len(pairs)} recorded runs regenerated exactly"
    for occurrence in workflow.occurrences[:SEPARATE]:
        with sandbox.scratch() as folder:
            argv = [sandbox.python(), str(tool / "tool.py"), "--dry-run", *rendering.arguments(occurrence.bindings)]
            ran = sandbox.run(argv, folder, read_only=(tool,), harmless=harmless)
            if ran.stdout != _expected(occurrence):
                wrong.append(f"{occurrence.session}: another result in a process of its own")
    if not pairs:
        return Check("round trip", False, "there is no recorded run to compare with")
    return Check("round trip", not wrong, "; ".join([detail, *wrong[:3]]))


def _differs(occurrence: Occurrence, outcome: Outcome) -> bool:
    return outcome.code != 0 or outcome.stdout != _expected(occurrence) or bool(outcome.early)


def _rehearsed(workflow: Workflow) -> list[Occurrence]:
    """Recorded runs without a failure, one for each set of parameters first, the longest before others."""
    clean = [o for o in workflow.occurrences if not o.bindings.get("failed")]
    clean.sort(key=lambda o: -len(o.commands))
    first = {frozenset(o.bindings): o for o in reversed(clean)}
    kinds = sorted(first.values(), key=lambda o: -len(o.commands))
    return [*kinds, *(o for o in clean if o not in kinds)][:REHEARSED]


def _rehearsal(
    workflow: Workflow, chosen: list[tuple[Occurrence, Outcome]], failures: list[tuple[_Failure, Outcome]]
) -> Check:
    if not chosen:
        return Check("rehearsal", None, "not rehearsed: every recorded run had a failure in it")
    order = trials.order(workflow)
    wrong = [
        occurrence.session
        for occurrence, outcome in chosen
        if outcome.run_code or not outcome.run or not trials.same(outcome.run, outcome.shell, order)
    ]
    detail = f"{len(chosen) - len(wrong)} of {len(chosen)} runs called exactly what a shell would call"
    longest, calls = chosen[0][0], chosen[0][1].shell
    told = failures if len(calls) == len(longest.commands) else []  # else it is not known which call is the step's
    missed = [f"a failure of {f.bindings['failed']}" for f, outcome in told if not _ends_right(workflow, f, outcome)]
    if told:
        detail += f", {len(told) - len(missed)} of {len(told)} failures of a step ended as they should"
    return Check("rehearsal", not wrong + missed, "; ".join([detail, *wrong[:3], *missed[:3]]))


def _lines(workflow: Workflow, bindings: Mapping[str, Binding]) -> tuple[str, ...]:
    return rendering.commands(workflow.steps, workflow.parameters, bindings)


def _ends_right(workflow: Workflow, failure: _Failure, outcome: Outcome) -> bool:
    expected = "\n".join(_lines(workflow, failure.bindings)) + "\n"
    return outcome.stdout == expected and outcome.run == outcome.shell and (outcome.run_code == 0) == failure.repaired


def _failures(workflow: Workflow, chosen: list[Occurrence]) -> list[_Failure]:
    """Each step that always runs, failing. Left out where the calls of a step cannot be counted beforehand."""
    if not chosen or trials.order(workflow) != "kept":
        return []
    base = chosen[0].bindings
    repairs = {step.guard.step for step in workflow.steps if step.guard and step.guard.outcome == "failed"}
    found = []
    for place, step in enumerate(workflow.steps):
        before = rendering.commands(workflow.steps[:place], workflow.parameters, base)
        with_it = rendering.commands(workflow.steps[: place + 1], workflow.parameters, base)
        if step.kind == "command" and not step.each and len(with_it) == len(before) + 1:
            found.append(_Failure({**base, "failed": [step.name]}, len(before), step.name in repairs))
    return found
