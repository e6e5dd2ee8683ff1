"""What a model is told of recorded work: lessons and facts with ids, each fact short, redacted, and known by its source.

A person's words and the commands that were run can teach; what a program printed only shows that something failed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from meta.knowledge import corrections, failures, mending, repairs, wording
from meta.model import Event, Lesson, Segment, Session, Status, Step, conversation
from meta.redact import residue
from meta.vetting import shown_id

LONGEST = 300  # characters of a command that is told
AFTER = 4  # steps that are told after a failure
GROUP = 4  # failures of a kind that are told
BUDGET = 8000  # characters of facts in one question


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is told. `code` is a command as it may stand in a document."""

    session: str
    event: str
    time: float | None
    source: Literal["person", "command", "output"]
    text: str
    code: str = ""
    ended: Status = "unknown"

    @property
    def failed(self) -> bool:
        return self.ended == "failed"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one question, by the ids under which they are told."""

    about: str
    told: Mapping[str, Fact]

    def text(self) -> str:
        rows = [{"id": id, **_row(fact)} for id, fact in self.told.items()]
        return json.dumps({"about": self.about, "facts": rows}, ensure_ascii=False)


def _row(fact: Fact) -> dict[str, str]:
    code = {"code": fact.code} if fact.source == "command" else {}
    return {"source": fact.source, "text": fact.text, **code, **({"ended": "failed"} if fact.failed else {})}


def lessons(known: Sequence[Lesson]) -> str:
    """Lessons as they are told, each on a line."""
    rows = [{"id": one.id, "kind": one.kind, "claim": one.claim, "when": one.when} for one in known]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def questions(sessions: Iterable[Session], segments: Sequence[Segment], known: Iterable[Lesson]) -> Iterator[Facts]:
    """What is to be asked about: failures of a kind in several sessions, then each session, the latest first."""
    sessions = list(sessions)
    told = {pair for lesson in known for pair in lesson.evidence}
    recorded = {(one.id, event.id): event for one in sessions for event in one.events}
    by_session: dict[str, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_session[segment.session].append(segment)
    kinds: dict[str, list[tuple[str, list[Fact]]]] = defaultdict(list)
    for name, own in by_session.items():
        for kind, facts in _failures(own):
            if (shown_id(name), shown_id(facts[0].event)) not in told:
                kinds[kind].append((name, facts))
    groups = {kind: found for kind, found in kinds.items() if len({conversation(name) for name, _ in found}) > 1}
    for kind in sorted(groups, key=lambda kind: (-len(groups[kind]), kind)):
        latest = dict(groups[kind])  # one a session
        facts = [fact for each in [*latest.values()][-GROUP:] for fact in each]
        yield from _facts("the same failure in several sessions", facts, recorded)
    single: dict[str, list[Fact]] = defaultdict(list)
    for kind, found in kinds.items():
        for name, facts in found if kind not in groups else ():
            single[name] += facts
    for session in sorted(sessions, key=lambda one: (-(one.started or 0.0), one.id)):
        yield from _facts("one session", [*_said(session), *single.get(session.id, ())], recorded)


def _facts(about: str, found: Iterable[Fact], recorded: Mapping[tuple[str, str], Event]) -> Iterator[Facts]:
    """What is told of these, as far as there is room: words that were recorded just so, and hold nothing like a secret.

    Nothing where there is neither a failure nor a person's word.
    """
    kept, left = [], BUDGET
    for fact in dict.fromkeys(found):
        event = recorded[fact.session, fact.event]
        said = _squeezed(event.output if fact.source == "output" else event.text)
        verbatim = _squeezed(fact.text.removesuffix("…")) in said
        if verbatim and len(fact.text) <= left and not residue.kinds([fact.text, fact.code]):
            kept.append(fact)
            left -= len(fact.text)
    if any(fact.source == "person" for fact in kept) or any(fact.failed for fact in kept):
        yield Facts(about, {f"e{at}": fact for at, fact in enumerate(kept, 1)})


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _said(session: Session) -> Iterator[Fact]:
    if session.origin == "person":
        for event in session.events:
            if event.kind == "prompt" and 0 < len(event.text) <= 4 * corrections.LONGEST:
                yield Fact(session.id, event.id, event.time, "person", event.text)


def _failures(segments: Sequence[Segment]) -> Iterator[tuple[str, list[Fact]]]:
    """The failures of a session, each by its kind, with what it said and what was run next."""
    steps = [(segment.session, step) for segment in segments for step in segment.steps if step.kind == "command"]
    why = {id(step): said for step, said in repairs.failed(segments)}
    for at, (session, step) in enumerate(steps):
        if said := why.get(id(step)):
            facts = [_command(session, step)]
            if quote := failures.quoted(said.line):
                facts.append(Fact(session, step.event, step.time, "output", quote))
            facts += [_command(session, then) for _, then in steps[at + 1 : at + 1 + AFTER]]
            yield mending.failure(step, said), facts


def _command(session: str, step: Step) -> Fact:
    text = wording.line(step)
    return Fact(
        session, step.event, step.time, "command", text[:LONGEST], wording.command(step), step.status
    )  # fmt: skip
