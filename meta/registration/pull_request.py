"""The text a person reads before accepting a tool: one screen, every number with where it comes from.

It holds names, counts and the words of checks, and no sentence of a transcript.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from meta import rendering
from meta.model import Check, Comparison, Estimate, Tool, Verdict, Workflow
from meta.registration.card import consent
from meta.vetting import visible

WIDTH = 118
MARGIN = 15
REFUSED = 5  # reasons that are listed
_EFFECTS = {
    "read": "read the project",
    "write-project": "write in the project",
    "write-outside": "write outside of the project",
    "network": "use the network",
    "spend": "spend money",
    "destroy": "delete or overwrite what cannot be restored",
    "privilege": "use or change rights",
    "unknown": "run programs whose effects are not known",
}
_WHERE = {
    "bubblewrap": "in a bubblewrap sandbox without network",
    "landlock": "under Landlock and call filters without network",
    "limits": "ONLY LIMITED IN TIME AND MEMORY: it could have reached files and network",
    "none": "nothing was executed: no sandbox",
}


def text(
    workflow: Workflow, estimate: Estimate, tool: Tool, verdict: Verdict, economics: Comparison, why: str = ""
) -> str:
    """PR.md for one tool; `why` says what an update is for."""
    parts = [
        *([("Why now", [why])] if why else []),
        ("What repeats", _repeats(workflow)),
        ("What it saves", [*_saves(workflow, estimate), *_economics(economics, estimate)]),
        ("What was run", ran(workflow, verdict)),
        ("What it may do", _may(workflow, tool)),
        ("Remove it", [f"`meta retire {tool.name}` takes the tool and all that was registered for it out again."]),
    ]
    return page(tool, parts)


def page(tool: Tool, parts: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The tool's name, what it does, and the parts, each with its title in the margin."""
    return "\n".join([f"{tool.name}: {line(tool.description)}", "", *(_part(*part) for part in parts)]) + "\n"


def _part(title: str, sentences: Iterable[str]) -> str:
    """A title in the margin and its sentences beside it, each from a new line."""
    lines = [line for sentence in sentences for line in _wrapped(sentence)]
    return "\n".join(f"{title if number == 0 else '':<{MARGIN}}{line}" for number, line in enumerate(lines))


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, WIDTH - MARGIN, break_long_words=False, break_on_hyphens=False) or [""]


def line(text: str) -> str:
    """One line in which nothing is hidden from a person, neither as it is nor where it is shown as Markdown."""
    return re.sub(r"<(?=[A-Za-z/!?])|(?<=\])\(", r"\\\g<0>", " ".join(visible(text).split()))


def _repeats(workflow: Workflow) -> Iterator[str]:
    starts = [run.started for run in workflow.occurrences if run.started is not None]
    since = f" since {datetime.fromtimestamp(min(starts), UTC):%d %b %Y}" if starts else ""
    always = [step.name for step in workflow.steps if step.kind == "command" and step.presence >= 0.999]
    rest = [step for step in workflow.steps if step.kind == "command" and step.presence < 0.999]
    runs, sessions = count(workflow.support, "run"), count(workflow.sessions, "session")
    yield f"{' -> '.join(always) or 'varying steps'}, {runs} in {sessions}{since} (measured)."
    if rest:
        yield f"At times: {', '.join(f'{s.name} in {round(s.presence * workflow.support)}' for s in rest)}."
    thought = [step for step in workflow.steps if step.kind in ("edit", "judgement")]
    if thought:
        yield f"The agent thinks in between ({count(len(thought), 'place')}): the tool stops there and goes on when told."


def source(estimate: Estimate, *fields: str, also: str = "measured") -> str:
    """The weakest provenance of what a number is made of."""
    found = {estimate.sources.get(field, "estimated") for field in fields} | {also}
    return next(source for source in ("assumed", "estimated", "measured") if source in found)


def _saves(workflow: Workflow, estimate: Estimate) -> Iterator[str]:
    week = estimate.minutes_per_run * estimate.automation * estimate.runs_per_week
    usd = estimate.usd_per_run * estimate.runs_per_week
    yield (
        f"{estimate.round_trips_per_run:.1f} model round trips a run ({source(estimate, 'round_trips_per_run')}), "
        f"{estimate.runs_per_week:.1f} runs a week ({source(estimate, 'runs_per_week')}): "
        f"{week:.1f} min ({source(estimate, 'minutes_per_run', 'automation', 'runs_per_week')}) and "
        f"${usd:.2f} ({source(estimate, 'usd_per_run', 'runs_per_week')}) a week."
    )
    yield (
        f"Review and a month of upkeep take about {estimate.build_minutes:.0f} min "
        f"({source(estimate, 'build_minutes')}): pays back {days(estimate.payback_weeks)} "
        f"(80 % interval {span(*estimate.interval)}, estimated)."
    )


def _economics(economics: Comparison, estimate: Estimate) -> Iterator[str]:
    hand, tokens = source(estimate, "minutes_per_run"), source(estimate, "tokens_per_run", "usd_per_run")
    runs = f", {count(economics.script_runs, 'real run')}" if economics.script_runs else ""
    minutes, saved_tokens, usd = economics.saved(100)
    weakest = source(estimate, "minutes_per_run", "tokens_per_run", "usd_per_run", also=economics.source)
    yield (
        f"One run by hand: {economics.hand_seconds:.1f} s ({hand}), {_big(economics.hand_tokens)} tokens and "
        f"${economics.hand_usd:.3f} between the steps ({tokens}). "
        f"As a script: {economics.script_seconds:.1f} s ({economics.source}{runs}), no tokens."
    )
    yield f"Over 100 runs: {minutes:.1f} min, {_big(saved_tokens)} tokens, ${usd:.2f} saved ({weakest})."


def ran(workflow: Workflow, verdict: Verdict) -> Iterator[str]:
    failed = [check for check in verdict.checks if check.passed is False]
    if verdict.state != "passed":
        yield f"Verdict: {verdict.state.upper()}."
    for check in failed:
        yield f"FAILED {_checked(check)}."
    for check in verdict.checks:
        if check.passed and check.detail:
            yield f"{_checked(check)}."
    for check in verdict.checks:
        if check.passed is None:
            yield f"{_checked(check)}."
    bare = [check.name for check in verdict.checks if check.passed and not check.detail]
    yield (f"Passed: {', '.join(bare)}. " if bare else "") + f"Isolation: {_WHERE[verdict.isolation]}. All measured."
    reasons = Counter(_reason(reason) for _, reason in workflow.refused)
    if reasons:
        listed = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(REFUSED))
        yield f"Refused, not covered by the tool: {listed}."


def _checked(check: Check) -> str:
    detail = line(check.detail)
    return f"{check.name.capitalize()}: {detail[:240] + ' …' if len(detail) > 240 else detail}".rstrip(". ")


def _reason(reason: str) -> str:
    """A refusal's reason without quoted values, which may be text of a transcript."""
    return line(re.sub(r"(['\"`]).*?\1", "…", reason))[:80]


def _may(workflow: Workflow, tool: Tool) -> Iterator[str]:
    commands = [step for step in workflow.steps if step.kind == "command"]
    allowed = [_EFFECTS.get(effect, effect) for effect in tool.effects] or ["run its commands"]
    yield f"{', '.join(allowed).capitalize()}, by these {count(len(commands), 'command')} and no other:"
    for step in commands:
        shown = line(rendering.template(step))
        yield f"  {step.name}: {shown[:90] + ' …' if len(shown) > 90 else shown}"
    if agreed := consent(tool):
        yield f"It refuses to without {', '.join(agreed)}."


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _big(number: float) -> str:
    if number >= 1e6:
        return f"{number / 1e6:.1f}M"
    return f"{number / 1e3:.0f}k" if number >= 1e3 else f"{number:.0f}"


def days(weeks: float) -> str:
    if math.isinf(weeks):
        return "never"
    days = weeks * 7
    return f"in {days:.0f} days" if days >= 1.5 else "within a day"


def span(low: float, high: float) -> str:
    if math.isinf(low):
        return "never"
    return f"{low * 7:.0f} to {'never' if math.isinf(high) else f'{high * 7:.0f}'} days"
