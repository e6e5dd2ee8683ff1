"""Write what is known about a tool beside it: tool.toml for people, evidence.json for the tool's own test.

Both hold numbers, ids and values of commands, never a sentence of a transcript.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

import tomlkit
from tomlkit.items import Array

from meta.model import Check, Decision, Estimate, Occurrence, Tool, Verdict, Workflow, WorkflowStep
from meta.policy.steps import declared, of_step
from meta.rendering import option, required, template
from meta.vetting import fingerprint, is_name, shown_id, shown_work, visible

RUNS = 12  # kept in evidence.json
LARGEST = 4000  # characters of one run's commands


def evidence(workflow: Workflow, resume: Sequence[str], allow: Iterable[str]) -> str:
    """A few recorded runs that differ most, as JSON: their bindings and their exact lines."""
    runs = [
        {
            "session": shown_id(occurrence.session),
            "bindings": dict(sorted(occurrence.bindings.items())),
            "whole": not occurrence.bindings.get("failed"),
            "commands": list(occurrence.commands),
        }
        for occurrence in diverse(workflow.occurrences)
    ]
    steps = [step.name for step in workflow.steps if step.kind == "command"]
    about = {"workflow": workflow.id, "steps": steps, "resume": list(resume), "allow": list(allow)}
    derived = any(parameter.source == "derived" for parameter in workflow.parameters)
    whole = {**about, "derived": derived, "runs": runs}
    text = json.dumps(whole, indent=1, ensure_ascii=False)
    return (text if visible(text) == text else json.dumps(whole, indent=1)) + "\n"


def diverse(occurrences: Iterable[Occurrence], most: int = RUNS) -> list[Occurrence]:
    """Different runs of moderate size, one of each shape before the second of any."""
    shapes: dict[tuple[object, ...], dict[tuple[str, ...], Occurrence]] = {}
    for occurrence in occurrences:
        if sum(map(len, occurrence.commands)) <= LARGEST:
            shapes.setdefault(_shape(occurrence.bindings), {}).setdefault(occurrence.commands, occurrence)
    rounds = zip_longest(*(kind.values() for kind in shapes.values()))
    return [occurrence for turn in rounds for occurrence in turn if occurrence is not None][:most]


def _shape(bindings: Mapping[str, object]) -> tuple[object, ...]:
    failed = bindings.get("failed", [])
    given = sorted(f"{name}\n" if "\n" in str(value) else name for name, value in bindings.items())
    return (tuple(given), tuple(failed) if isinstance(failed, list) else ())


def manifest(workflow: Workflow, tool: Tool, estimate: Estimate, decision: Decision, program: str) -> str:
    """The text of tool.toml. The verdict is added when there is one.

    By the `program` that was rendered, a later version is told from one that a person edited.
    """
    document = {
        "name": tool.name,
        "description": tool.description,
        "effects": list(tool.effects),
        "provenance": {
            "workflow": workflow.id,
            "project": workflow.project if is_name(workflow.project) else "",
            "work": list(shown_work(workflow.work)),
            "template": tool.template,
            "version": tool.version,
            "rendered": fingerprint(program),
        },
        "decision": {"build": decision.build, "reason": decision.reason},
        "estimate": _estimate(estimate),
        "steps": [_step(step, workflow) for step in workflow.steps],
        "parameters": [_parameter(workflow, name) for name in range(len(workflow.parameters))],
        "evidence": {
            "occurrences": workflow.support,
            "sessions": workflow.sessions,
            "held_out": workflow.held_out,
            "refused": len(workflow.refused),
            "runs": _runs(workflow.occurrences),
        },
    }
    return visible(tomlkit.dumps({key: _told(value) for key, value in document.items()}))


def with_verdict(tool: Tool, verdict: Verdict) -> Tool:
    """The tool with what its verification saw written into its tool.toml."""
    checks = [{"name": check.name, "passed": _passed(check), "detail": check.detail} for check in verdict.checks]
    document = tomlkit.parse(tool.files["tool.toml"])
    document["verdict"] = {"state": verdict.state, "isolation": verdict.isolation, "checks": checks}
    return replace(tool, files={**tool.files, "tool.toml": visible(tomlkit.dumps(document))})


def _passed(check: Check) -> str:
    return "not run" if check.passed is None else "yes" if check.passed else "no"


def _runs(occurrences: Iterable[Occurrence]) -> Array:
    """One line a recorded run: where it stands, not what was said there."""
    lines = tomlkit.array().multiline(True)
    for run in occurrences:
        line = tomlkit.inline_table()
        line.update(
            {"agent": run.agent, "session": shown_id(run.session), "events": [shown_id(event) for event in run.events]}
        )
        lines.append(line)
    return lines


def _told(value: object) -> object:
    """The value without what is empty, which TOML cannot say or a reader need not read."""
    if isinstance(value, Array):
        return value
    if isinstance(value, dict):
        return {key: _told(item) for key, item in value.items() if item is not None and item != "" and item != []}
    return [_told(item) for item in value] if isinstance(value, list) else value


def _estimate(estimate: Estimate) -> dict[str, object]:
    fields = ("runs_per_week", "minutes_per_run", "round_trips_per_run", "tokens_per_run", "usd_per_run", "automation",
              "build_minutes", "payback_weeks")  # fmt: skip
    numbers: dict[str, object] = {field: getattr(estimate, field) for field in fields}
    return {**numbers, "payback_interval": list(estimate.interval), "sources": dict(sorted(estimate.sources.items()))}


def _step(step: WorkflowStep, workflow: Workflow) -> dict[str, object]:
    guard = f"{step.guard.step} {step.guard.outcome}" if step.guard else ""
    return {"name": step.name, "kind": step.kind, "template": template(step), "presence": round(step.presence, 3),
            "when": guard, "directory": step.directory, "effects": list(declared([of_step(step, workflow)]))}  # fmt: skip


def _parameter(workflow: Workflow, index: int) -> dict[str, object]:
    parameter = workflow.parameters[index]
    given = option(parameter.name) if parameter.source in ("caller", "output") else ""
    follows = parameter.derivation.source if parameter.derivation else ""
    return {"name": parameter.name, "type": parameter.type, "source": parameter.source, "option": given,
            "required": bool(given) and required(parameter, workflow), "choices": [choice for choice in parameter.choices if is_name(choice)],
            "default": parameter.default, "follows": follows}  # fmt: skip
