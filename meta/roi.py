"""What a tool for a workflow would cost and save, and whether that is worth a person's review.

The value of a tool is time per task x frequency x automation share. Every input says whether it was measured in
the sessions, estimated from them, or assumed. Tokens and money are shown beside the time, never mixed into it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, pstdev

from meta.model import Comparison, Decision, Estimate, Event, Occurrence, Origin, Provenance, Session, Usage, Workflow

WEEK = 7 * 86400.0
HALF_LIFE = 4 * WEEK  # what was done a month ago counts half
LONGEST_WAIT = 120.0  # seconds; a longer silence between two calls is the person's, not the model's
# Medians of a model round trip in 827 public sessions: 4.9 s and 88,000 tokens, nearly all read from the cache.
TYPICAL_WAIT = 4.9
TYPICAL_USAGE = Usage(cache_read=88_000)
TYPICAL_MODEL = "claude-sonnet-4-5"
TYPICAL_PAUSE = 10.0  # seconds, assumed: between two commands of a person whose history has no times
UPKEEP = 1.0  # minutes, assumed: what a tool asks for in its first month

Price = Callable[[str, Usage, int | None], float | None]


@dataclass(frozen=True, slots=True)
class Window:
    """When the project was watched: from its first event to the moment the estimate is made for."""

    start: float
    end: float

    @property
    def weeks(self) -> float:
        return max(self.end - self.start, 0.0) / WEEK


@dataclass(frozen=True, slots=True)
class _Log:
    """A session's events by id, with what each model message cost."""

    events: Mapping[str, tuple[int, Event]]
    order: Sequence[Event]
    messages: Mapping[str, tuple[Usage, str]]
    origin: Origin


def _log(session: Session) -> _Log:
    events = {event.id: (index, event) for index, event in enumerate(session.events)}
    messages = {e.message: (e.usage, e.model) for e in session.events if e.message and e.usage is not None}
    return _Log(events, session.events, messages, session.origin)


def _wait(log: _Log, index: int) -> float | None:
    """Seconds between the end of what came before an event and its issue; None without times.

    What the model says before it calls is part of the wait.
    """
    issued = log.order[index].time
    before = next((e for e in reversed(log.order[:index]) if e.time is not None and e.kind != "note"), None)
    if issued is None or before is None or before.time is None:
        return None
    return min(max(issued - before.time - (before.seconds or 0.0), 0.0), LONGEST_WAIT)


def _measure(occurrence: Occurrence, log: _Log, price: Price) -> Occurrence:
    calls = [log.events[event] for event in dict.fromkeys(occurrence.events) if event in log.events]
    trips = [
        (index, event)
        for (_, last), (index, event) in pairwise(calls)
        if not event.message or event.message != last.message
    ]
    waits = [_wait(log, index) for index, _ in trips]
    ran = sum(event.seconds or 0.0 for _, event in calls)
    known = bool(calls) and calls[0][1].time is not None and None not in waits
    waiting = sum(wait for wait in waits if wait is not None) if known else None
    tokens, money = 0, 0.0
    for _, event in trips:
        usage, model = log.messages.get(event.message, (None, ""))
        if usage is not None:
            tokens += usage.input + usage.output + usage.cache_read + usage.cache_write
            money += price(model, usage, int(event.time // 86400) if event.time is not None else None) or 0.0
    return replace(
        occurrence,
        started=calls[0][1].time if calls else None,
        span=None if waiting is None else waiting + ran,
        waiting=waiting,
        round_trips=0 if log.origin == "shell" else len(trips),
        tokens=tokens,
        usd=money,
        origin=log.origin,
        commit=next(filter(None, (event.arguments.get("commit") for _, event in calls)), ""),
        failed=bool(calls) and calls[-1][1].status == "failed",
    )


def _committed(run: Occurrence) -> Occurrence:
    """A run that git tells. It keeps no times of the steps: assumed is an agent that runs each command by itself."""
    return replace(run, span=None, waiting=None, round_trips=len(run.commands) - 1)


def measured(workflows: Iterable[Workflow], sessions: Iterable[Session], price: Price) -> list[Workflow]:
    """The workflows with times, round trips, tokens and money of every occurrence read from its session."""
    found = list(workflows)
    wanted = {(o.agent, o.session) for workflow in found for o in workflow.occurrences}
    logs = {(s.agent, s.id): _log(s) for s in sessions if (s.agent, s.id) in wanted}
    return [
        replace(
            workflow,
            occurrences=tuple(
                _measured(o, logs[o.agent, o.session], price) if (o.agent, o.session) in logs else o
                for o in workflow.occurrences
            ),
        )
        for workflow in found
    ]


def _measured(occurrence: Occurrence, log: _Log, price: Price) -> Occurrence:
    run = _measure(occurrence, log, price)
    return _committed(run) if log.origin == "git" else run


def _gamma_quantile(shape: float, z: float) -> float:
    """The quantile of a Gamma(shape, 1) at the normal deviate z (Wilson and Hilferty 1931)."""
    return float(shape * max(1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape)), 0.0) ** 3)


def rate(times: Sequence[float], window: Window) -> tuple[float, float, float]:
    """Runs a week to expect: mean and 80 % interval of a Gamma-Poisson rate whose evidence halves every four weeks.

    The prior is half a run in one week, so that a single busy day is not taken for a habit.
    """
    decay = math.log(2) / HALF_LIFE
    weight = sum(math.exp(-decay * max(window.end - time, 0.0)) for time in times)
    exposure = (1 - math.exp(-decay * (window.end - window.start))) / decay / WEEK
    shape, weeks = 0.5 + weight, 1.0 + exposure
    return shape / weeks, _gamma_quantile(shape, -1.2816) / weeks, _gamma_quantile(shape, 1.2816) / weeks


def build_minutes(workflow: Workflow) -> float:
    """Minutes a person gives to the tool: reading it (one, and more with each step and parameter), and its upkeep.

    Generation and proof take seconds of the machine and are not counted.
    """
    return 1.0 + 0.2 * len(workflow.steps) + 0.2 * sum(p.source != "constant" for p in workflow.parameters) + UPKEEP


def _automation(workflow: Workflow) -> float:
    """The share of the work that the tool takes over, times the share of the recorded runs that it reproduces."""
    steps = [step for step in workflow.steps if step.presence > 0]
    mechanical = sum(step.presence for step in steps if step.kind != "judgement")
    proved = workflow.support / max(workflow.support + len(workflow.refused), 1)
    return mechanical / (sum(step.presence for step in steps) or 1.0) * proved


def estimate(workflow: Workflow, window: Window | None, price: Price) -> Estimate:
    """What a tool would cost and save. Without a window (no times at all) the rate is zero and assumed."""
    runs = workflow.occurrences
    trips = fmean(o.round_trips for o in runs) if runs else 0.0
    timed = [o for o in runs if o.span is not None and o.waiting is not None]
    trips_are: Provenance = "assumed" if any(o.origin == "git" for o in runs) else "measured"
    sources: dict[str, Provenance] = {"round_trips_per_run": trips_are, "build_minutes": "estimated"}
    if timed:
        minutes = fmean(o.span or 0.0 for o in timed) / 60
        waits = [(o.waiting or 0.0) / 60 for o in timed]
        sources["minutes_per_run"] = "measured"
    else:
        waits = [_assumed_wait(o) / 60 for o in runs]
        minutes = fmean(waits) if waits else 0.0
        sources["minutes_per_run"] = "assumed"
    tokens, usd = _tokens(runs, trips, price, sources)
    saved = fmean(waits) if waits else 0.0
    automation = _automation(workflow) * (saved / minutes if minutes else 0.0)
    sources["automation"] = "estimated"
    times = [o.started for o in runs if o.started is not None]
    weekly, low, high = rate(times, window) if window and times else (0.0, 0.0, 0.0)
    sources["runs_per_week"] = "estimated" if window and times else "assumed"
    build = build_minutes(workflow)
    spread = 1.2816 * pstdev(waits) / math.sqrt(len(waits)) / saved if len(waits) > 1 and saved else 0.0

    def payback(runs_per_week: float, factor: float) -> float:
        value = minutes * automation * factor * runs_per_week
        return build / value if value > 0 else math.inf

    return Estimate(
        runs_per_week=weekly,
        minutes_per_run=minutes,
        round_trips_per_run=trips,
        tokens_per_run=tokens,
        usd_per_run=usd,
        automation=automation,
        build_minutes=build,
        payback_weeks=payback(weekly, 1.0),
        interval=(payback(high, 1 + spread), payback(low, max(1 - spread, 0.0))),
        sources=sources,
    )


def _assumed_wait(run: Occurrence) -> float:
    """Seconds between the steps of a run that has no times."""
    return (len(run.commands) - 1) * TYPICAL_PAUSE if run.origin == "shell" else run.round_trips * TYPICAL_WAIT


def _tokens(
    runs: Sequence[Occurrence], trips: float, price: Price, sources: dict[str, Provenance]
) -> tuple[float, float]:
    if any(o.tokens for o in runs):
        sources["tokens_per_run"] = "measured"
        sources["usd_per_run"] = "measured" if any(o.usd for o in runs) else "assumed"
        known = [o for o in runs if o.tokens or not o.round_trips]
        return fmean(o.tokens for o in known), fmean(o.usd for o in known)
    if all(o.origin == "policy" for o in runs):  # no model spoke
        sources["tokens_per_run"] = sources["usd_per_run"] = "measured"
        return 0.0, 0.0
    sources["tokens_per_run"] = sources["usd_per_run"] = "assumed"
    typical = price(TYPICAL_MODEL, TYPICAL_USAGE, None) or 0.0
    return trips * TYPICAL_USAGE.cache_read, trips * typical


def _days(weeks: float) -> str:
    if math.isinf(weeks):
        return "never"
    days = weeks * 7
    return f"in {days:.0f} days" if days >= 1.5 else "within a day"


def decide(workflow: Workflow, estimate: Estimate, *, weeks: float, support: int, sessions: int) -> Decision:
    """Build or keep ad hoc, with the reason in one plain sentence."""
    work = [s for s in workflow.steps if s.kind == "command" and s.effect == "work"]
    runs = f"{workflow.support} runs in {workflow.sessions} session{'s' if workflow.sessions != 1 else ''}"
    if workflow.support < support or workflow.sessions < sessions:
        return Decision(False, f"too rare: {runs}, at least {support} in {sessions} are needed")
    if all(run.failed for run in workflow.occurrences):
        return Decision(False, f"it never worked: {runs}, and each ended with a failure")
    if not work:
        return Decision(False, "exploratory: it only looks at the state and changes nothing")
    if sum(step.kind == "judgement" for step in workflow.steps) > len(work):
        return Decision(False, "judgement throughout: most steps are decided by what was seen before")
    typed = any(o.origin == "shell" for o in workflow.occurrences)
    if estimate.round_trips_per_run < 0.05 and not typed:
        return Decision(False, f"nothing to save: {runs}, nearly all already in one call")
    if estimate.sources.get("runs_per_week") == "assumed":
        return Decision(False, f"no times were recorded, so {runs} give no rate and no payback")
    if estimate.payback_weeks > weeks:
        when = "never pays back" if math.isinf(estimate.payback_weeks) else f"pays back {_days(estimate.payback_weeks)}"
        return Decision(False, f"{when}, later than {weeks:g} weeks: {_saving(estimate)}")
    return Decision(True, f"pays back {_days(estimate.payback_weeks)}: {_saving(estimate)}")


def _saving(estimate: Estimate) -> str:
    week = estimate.minutes_per_run * estimate.automation * estimate.runs_per_week
    return (
        f"{estimate.runs_per_week:.1f} runs a week save {week:.1f} min "
        f"and ${estimate.usd_per_run * estimate.runs_per_week:.2f} against {estimate.build_minutes:.1f} min of review"
    )


def compare(workflow: Workflow, estimate: Estimate, real_runs: Sequence[float] = ()) -> Comparison:
    """By hand beside as a script, for one run. `real_runs` are the seconds of real runs of the tool."""
    hand = estimate.minutes_per_run * 60
    timed = [(o.span or 0.0) - (o.waiting or 0.0) for o in workflow.occurrences if o.span is not None]
    script = fmean(real_runs) if real_runs else (fmean(timed) if timed else 0.0)
    return Comparison(
        hand_seconds=hand,
        hand_tokens=estimate.tokens_per_run,
        hand_usd=estimate.usd_per_run,
        script_seconds=script,
        script_runs=len(real_runs),
        source="measured" if real_runs else "estimated",
    )
