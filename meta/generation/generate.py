"""From a workflow to the files of its tool: choose a template, fill it, and add what is known about it.

Whether the tool does what was recorded is not decided here but in verification.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from meta.generation import body, consent, manifest, options, render, wording, words
from meta.model import Decision, Estimate, Hole, Rest, Tool, Wording, Workflow, WorkflowStep
from meta.policy.steps import declared


def generate(
    workflow: Workflow,
    estimate: Estimate,
    decision: Decision,
    *,
    templates: Path | None = None,
    taken: Collection[str] = (),
    words_for: Wording | None = None,
) -> Tool:
    """The tool of a workflow, the same bytes every time. `taken` are names it must not have.

    `words_for` are the words to use instead of its own.

    Raises `words.RefusedError` where a tool could not do what was recorded.
    """
    options.check(workflow.parameters)
    told = words_for or wording.wording(workflow, taken)
    name, about = told.name, told.description
    steps, code = body.reachable(workflow.steps), body.build(workflow, name)
    kind = template(workflow, code)
    place = render.folder(templates, kind)
    effects = consent.effects(workflow, steps)
    version, allow = render.version(place), consent.needed(workflow, steps, code.names)
    answers = {
        "name": name, "workflow": workflow.id, "description": about, "version": version, "template": kind,
        "script": [(step.name, body.fixed_line(step)) for step in steps] if kind == "bash-script" else [],
        "summary": textwrap.fill(told.summary, 110), "allow": allow, "may": consent.MAY, **_facts(workflow, steps, code),
    }  # fmt: skip
    files = render.render(dict.fromkeys((render.folder(templates, "python-script"), place)), answers)
    tool = Tool(name, workflow.id, kind, version, {}, about, declared(effects.values()))
    files["tool.toml"] = manifest.manifest(workflow, tool, estimate, decision, files["tool.py"])
    files["evidence.json"] = manifest.evidence(workflow, code.resume, [f"--allow-{effect}" for effect in allow])
    return replace(tool, files=dict(sorted(files.items())))


def template(workflow: Workflow, code: body.Body) -> str:
    """The template that suits: a hybrid if the agent must think in between; bash if all is fixed and two need a shell."""
    if code.resume:
        return "hybrid"
    steps = body.reachable(workflow.steps)
    fixed = not workflow.parameters and all(
        words.constant(step) and not (step.guard or step.directory) and body.fixed_line(step).isprintable()
        for step in steps
    )
    return "bash-script" if fixed and sum(map(words.needs_shell, steps)) >= 2 else "python-script"


def _facts(workflow: Workflow, steps: Sequence[WorkflowStep], code: body.Body) -> dict[str, object]:
    """What the template must know to leave out what this tool does not need."""
    commands = [step for step in steps if step.kind == "command"]
    parts = [part for step in commands for part in words.flat(step.parts)]
    styles = {part.style for part in parts if isinstance(part, Hole | Rest)}
    styles |= {part.long_style for part in parts if isinstance(part, Hole)}
    typed = "typed(" in code.code
    rows = options.rows(workflow, code.names, code.required)
    return {
        "body": code.code, "call": code.call, "options": rows,
        "values": any(p.type != "bool" and p.source in ("caller", "output") for p in workflow.parameters),
        "required": bool(code.required), "resume": list(code.resume), "outputs": code.outputs,
        "repairs": code.repairs, "unchecked": code.unchecked, "styles": sorted(styles) if typed else [],
        "holes": any(isinstance(part, Hole) for part in parts), "typed": typed,
        "pairs": typed or any(words.is_pair(part) and not words.is_syntax(part) for part in parts),
        "shell": any(map(words.needs_shell, commands)), "environment": any(map(words.sets_environment, commands)),
        "paths": "PurePosixPath(" in code.code, "directories": any(step.directory for step in commands),
        "guarded": "plain(" in rows, "secrets": any(p.type == "secret" and p.source == "caller" for p in workflow.parameters),
    }  # fmt: skip
