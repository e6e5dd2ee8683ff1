"""What went wrong in one session: failures that stayed, failures that took tries, slips, and what a person put right.

Tests that fail until the code is written are work, not trouble. What knowledge should have said, is asked in `understanding`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from meta.knowledge import corrections, failures, mending, repairs, slips, wording
from meta.knowledge.failures import Said
from meta.knowledge.findings import identity
from meta.knowledge.repairs import Attempt
from meta.knowledge.wording import code
from meta.model import Segment, Session, Step
from meta.redact import residue
from meta.vetting import shown_id, visible

_HOME = re.compile(r"/(?:home|Users)/[^/\s]+/")
TRIES = 3  # of the same failure, from which it is trouble whatever it was
SLIPS = 2  # of the same cause in one session
Outcome = Literal["unfixed", "fixed", "repeated", "corrected", "slipped"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that went wrong. `situation` are the words of that moment that may be told, by which a document should
    have been found; `same` and `fix` tell the lessons that speak of it, and the one that mended it here.

    `calls`, `seconds` (of commands) and `tokens` are what went by from the first failure to the try that passed, or to
    the last one. `vain` are the lessons that were tried here without success.
    """

    outcome: Outcome
    what: str
    situation: str
    events: tuple[str, ...]
    time: float | None
    calls: int = 0
    seconds: float = 0.0
    tokens: int = 0
    same: str = ""
    fix: str = ""
    vain: tuple[str, ...] = ()


def troubles(session: Session, segments: Sequence[Segment]) -> list[Trouble]:
    """What went wrong in a session, in order of what it cost; what would tell a secret is left out."""
    found = [*_failures(session, segments), *_slips(session), *_corrected(session, segments)]
    told = [one for one in found if not residue.kinds([one.what, one.situation])]
    return sorted(told, key=lambda one: (-one.tokens, -one.calls, one.time or 0.0, one.what))


def _failures(session: Session, segments: Sequence[Segment]) -> Iterator[Trouble]:
    tries: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
    for attempt in repairs.attempts(segments):
        tries[attempt.failed.event, attempt.failed.position].append(attempt)
    groups: dict[str, list[tuple[Step, Said]]] = defaultdict(list)
    for step, said in repairs.failed(segments):
        if step.effect == "work" or (step.event, step.position) in tries:
            groups[mending.failure(step, said)].append((step, said))
    steps = [step for segment in segments for step in segment.steps]
    for group in groups.values():
        made = [attempt for step, _ in group for attempt in tries[step.event, step.position]]
        if trouble := _failure(session, steps, group, made):
            yield trouble


def _failure(
    session: Session, steps: Sequence[Step], group: Sequence[tuple[Step, Said]], made: Sequence[Attempt]
) -> Trouble | None:
    first, said = group[0]
    mended = next((attempt for attempt in made if attempt.worked), None)
    last = group[-1][0]
    stays = not any(s.head == first.head and s.status == "ok" and s.position > last.position for s in steps)
    if mended:
        outcome: Outcome = "fixed"
    elif stays and said.line and first.effect == "work":
        outcome = "unfixed"
    elif len(group) >= TRIES and not _work(steps, first, last):
        outcome = "repeated"
    else:
        return None
    quote = _placeless(failures.quoted(said.line), session.cwd)
    told = f" (“{quote}”)" if quote else ""
    command = wording.command(first) or first.head
    end = mended.passed.position if mended else last.position
    times = f"{len(group)} times" if len(group) > 1 else "once"
    ending = {
        "fixed": f"until {code(wording.command(mended.passed))} passed" if mended else "",
        "unfixed": "and never passed",
    }
    return Trouble(
        outcome, visible(f"{code(command)} failed {times}{told} {ending.get(outcome, '')}".rstrip()),
        visible(f"{code(command)} fails{told}"), tuple(step.event for step, _ in group), first.time, *_lost(session, first.position, end),
        same=identity(session.project, mending.situation(mended) if mended else mending.failure(first, said)),
        fix=identity(session.project, mending.key(mended)) if mended else "",
        vain=tuple(dict.fromkeys(identity(session.project, mending.key(one)) for one in made if not one.worked)),
    )  # fmt: skip


def _placeless(quote: str, root: str) -> str:
    """What was said, without where this machine keeps the project and its people."""
    return _HOME.sub("~/", quote.replace(f"{root}/", "") if root else quote)


def _work(steps: Sequence[Step], first: Step, last: Step) -> bool:
    """Whether files were edited between the tries: then each was another one."""
    return any(step.kind == "edit" and first.position < step.position < last.position for step in steps)


def _lost(session: Session, start: int, end: int) -> tuple[int, float, int]:
    """Calls, seconds of commands and tokens from one event to another; what came from a cache is not counted."""
    events = session.events[start : end + 1]
    usages = [event.usage for event in events if event.usage]
    return (
        sum(event.kind == "call" for event in events),
        sum(event.seconds or 0.0 for event in events),
        sum(usage.input + usage.output + usage.cache_write for usage in usages),
    )


def _slips(session: Session) -> Iterator[Trouble]:
    groups: dict[str, list[int]] = defaultdict(list)
    for place, event in enumerate(session.events):
        failed = event.kind == "call" and event.tool_kind != "shell" and event.status == "failed"
        if failed and (slip := slips.cause(event.output)):
            groups[slip.name].append(place)
    for slip in slips.SLIPS:
        if len(places := groups.get(slip.name, [])) >= SLIPS:
            events = [session.events[place] for place in places]
            lost = [_lost(session, place, place) for place in places]
            yield Trouble(
                "slipped", f"{len(places)} calls failed for the same cause: {slip.name}", slip.when,
                tuple(event.id for event in events), events[0].time,
                len(places), sum(one[1] for one in lost), sum(one[2] for one in lost), fix=identity(session.project, f"slip {slip.name}"),
            )  # fmt: skip


def _corrected(session: Session, segments: Iterable[Segment]) -> Iterator[Trouble]:
    for finding in corrections.corrections([session], segments):
        yield Trouble(
            "corrected", visible(finding.claim), visible(finding.when), tuple(one.event for one in finding.seen),
            finding.seen[0].time, fix=identity(session.project, finding.key),
        )  # fmt: skip


def seen_in(trouble: Trouble, session: str, evidence: Iterable[tuple[str, str]]) -> bool:
    """Whether a lesson's evidence is this very trouble."""
    own = {(shown_id(session), shown_id(event)) for event in trouble.events}
    return not own.isdisjoint(evidence)
