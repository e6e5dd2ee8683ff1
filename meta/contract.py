"""The JSON that `meta` prints: stable, only ever added to.

Values go out here; nothing is read back.
"""

from __future__ import annotations

import math
from typing import Any

from meta import rendering
from meta.family import Family, Judged
from meta.model import (
    Asked,
    Behind,
    Built,
    Estimate,
    Extraction,
    Lesson,
    Listed,
    Occurrence,
    Parameter,
    Proposal,
    Survey,
    Verdict,
)

Json = dict[str, Any]


def _number(value: float) -> float | None:
    """JSON has no infinity: a payback that never comes is null."""
    return None if math.isinf(value) or math.isnan(value) else round(value, 6)


def estimate(value: Estimate) -> Json:
    return {
        "runs_per_week": _number(value.runs_per_week),
        "minutes_per_run": _number(value.minutes_per_run),
        "round_trips_per_run": _number(value.round_trips_per_run),
        "tokens_per_run": _number(value.tokens_per_run),
        "usd_per_run": _number(value.usd_per_run),
        "automation": _number(value.automation),
        "build_minutes": _number(value.build_minutes),
        "payback_weeks": _number(value.payback_weeks),
        "payback_interval": [_number(bound) for bound in value.interval],
        "sources": dict(value.sources),
    }


def parameter(value: Parameter) -> Json:
    return {
        "name": value.name,
        "type": value.type,
        "source": value.source,
        "default": value.default,
        "examples": list(value.examples),
    }


def occurrence(value: Occurrence) -> Json:
    return {
        "session": value.session,
        "events": list(value.events),
        "bindings": dict(value.bindings),
        "commands": list(value.commands),
    }


def family(value: Family) -> Json:
    return {
        "id": value.id,
        "name": value.name,
        "kind": value.kind,
        "paths": list(value.paths),
        "members": [{"name": m.name, "files": list(m.files), "commit": m.commit} for m in value.members],
        "hubs": [{"path": hub.path, "share": hub.share} for hub in value.hubs],
    }


def judged(value: Judged) -> Json:
    return {
        **family(value.family),
        "coverage": {"leave_one_out": _number(value.left_out.lines), "junk": _number(value.left_out.junk)},
        "mdl_ratio": _number(value.mdl_ratio),
        "replay": [
            {
                "member": one.member,
                "commit": one.commit,
                "lines": _number(one.coverage.lines),
                "junk": _number(one.coverage.junk),
            }
            for one in value.replay
        ],
        "strategy": value.strategy,
        "estimate": estimate(value.estimate),
        "decision": "build" if value.decision.build else "keep-ad-hoc",
        "reason": value.decision.reason,
    }


def proposal(value: Proposal) -> Json:
    workflow = value.workflow
    return {
        "id": workflow.id,
        "name": workflow.name,
        "project": workflow.project,
        "steps": [
            {
                "template": rendering.template(step),
                "presence": round(step.presence, 4),
                "kind": step.kind,
                "name": step.name,
                "head": step.head,
            }
            for step in workflow.steps
        ],
        "parameters": [parameter(item) for item in workflow.parameters],
        "support": workflow.support,
        "sessions": workflow.sessions,
        "occurrences": [occurrence(item) for item in workflow.occurrences],
        "estimate": estimate(value.estimate),
        "decision": "build" if value.decision.build else "keep-ad-hoc",
        "reason": value.decision.reason,
    }


def survey(value: Survey) -> Json:
    return {
        "sessions": value.sessions,
        "events": value.events,
        "skipped": dict(sorted(value.skipped.items())),
        "workflows": [proposal(item) for item in value.proposals],
        "loops": [proposal(item) for item in value.loops],
    }


def verdict(value: Verdict) -> Json:
    return {
        "state": value.state,
        "isolation": value.isolation,
        "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in value.checks],
    }


def built(value: Built) -> Json:
    return {
        "name": value.tool.name,
        "workflow": value.tool.workflow,
        "path": value.path,
        "verdict": verdict(value.verdict),
        "state": value.state,
        "reason": value.reason,
    }


def listed(value: Listed) -> Json:
    saved = (value.predicted, value.realised)
    predicted, realised = (None if minutes is None else _number(minutes) for minutes in saved)
    return {
        "name": value.name,
        "state": value.state,
        "description": value.description,
        "uses": value.uses,
        "failures": value.failures,
        "shadow": {
            "matched": value.shadow.matched if value.shadow else None,
            "seen": value.shadow.seen if value.shadow else None,
        },
        "nudged": {"shown": value.nudged.shown, "taken": value.nudged.taken},
        "predicted": predicted,
        "realised": realised,
        "update": value.update,
        "advice": value.advice,
    }


def lesson(value: Lesson) -> Json:
    return {
        "slug": value.slug,
        "claim": value.claim,
        "when": value.when,
        "evidence": [{"session": session, "event": event} for session, event in value.evidence],
        "helped": value.helped,
        "harmed": value.harmed,
        "expires": value.expires or None,
        "kind": value.kind,
        "project": value.project,
        "why": value.why,
        "check": value.check,
        "words": value.words,
        "own": value.own,
    }


def asked(value: Asked) -> Json:
    return {
        "questions": value.questions, "usd": _number(value.usd), "taken": dict(value.taken), "refused": dict(value.refused),
    }  # fmt: skip


def extraction(value: Extraction) -> Json:
    return {
        **survey(value.survey),
        "tools": [built(item) for item in value.tools],
        "lessons": [lesson(item) for item in value.lessons],
        "archived": list(value.archived),
        **({"model": asked(value.asked)} if value.asked else {}),
    }


def behind(value: Behind) -> Json:
    return {
        "path": value.path,
        "line": value.line,
        "commit": value.commit,
        "author": value.author,
        "time": value.time,
        "subject": value.subject,
        "sessions": [
            {
                "agent": talk.agent,
                "session": talk.session,
                "event": talk.event,
                "prompts": list(talk.prompts),
                "archived": talk.archived,
            }
            for talk in value.talks
        ],
    }
