"""Releases out of git's history: the files that are edited for each of them, the commit, and the tag.

Other commits are nobody's routine and are not mined; how a history is read is not known here. git keeps no command
lines, so the two here are what a person would type for the same commit and tag.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from meta.mining.lifting import identity
from meta.model import (
    Binding,
    Derivation,
    Event,
    Fixed,
    Hole,
    Occurrence,
    Parameter,
    Session,
    Word,
    Workflow,
    WorkflowStep,
)
from meta.rendering import commands, derive
from meta.vetting import is_name, is_title

EXCEPTIONS = 0.2  # share of the releases whose tag may be another than their message tells
SHARED = 0.5  # share of the releases that must have edited a file for the edit to belong to releasing
_VERSION = re.compile(
    r"\bv?\d+\.\d+(?:\.\d+)*(?:[-.+]?(?:a|b|c|rc|alpha|beta|pre|post)[-.]?\d*)?(?![\w.])", re.IGNORECASE
)
_NUMBER = r"\d+\.\d[\w.+-]*"
_RELEASES = re.compile(r"\b(?:releas(?:e|ed|ing)|version)\b", re.IGNORECASE)
_DEVELOPMENT = re.compile(r"dev|snapshot|back to", re.IGNORECASE)


def releases(project: str, sessions: Iterable[Session], support: int = 3, least: int = 3) -> list[Workflow]:
    """The project's one way to release, if it was done `support` times in `least` sittings; else nothing.

    The edits are judgement: what to write is decided anew each time.
    """
    told = [(session, event) for session in sessions for event in session.events if _files(event)]
    tagged = [(session, event) for session, event in told if _tag(event)]
    named = [(session, event) for session, event in told if _tag(event) or _named(event)]
    for found in (tagged, named):  # where releases are tagged, what only sounds like one is none
        workflow = _workflow(project, found) if len({session.id for session, _ in found}) >= least else None
        if workflow and workflow.support >= support and workflow.sessions >= least:
            return [workflow]
    return []


def _files(event: Event) -> tuple[str, ...]:
    """The names of the files that a commit touched, none where git tells no commit or only their number."""
    if event.tool_kind != "commit" or event.arguments.get("files", "").isdigit():
        return ()
    return tuple(dict.fromkeys(PurePosixPath(path).name for path in event.arguments.get("files", "").splitlines()))


def _tag(event: Event) -> str:
    """The first of the commit's tags that is a version."""
    tags = event.arguments.get("tag", "").splitlines()
    return next((tag for tag in tags if _VERSION.search(tag) and is_name(tag)), "")


def _message(event: Event) -> str:
    """What a person would write to tell it: the subject, or of one that says much its version only."""
    version = _VERSION.search(event.text)
    return event.text if is_title(event.text) else version.group() if version else _tag(event)


def _named(event: Event) -> bool:
    """Whether the subject tells of a release: nothing but a version, or one and a word for it."""
    rest = _VERSION.sub("", event.text)
    if rest == event.text or _DEVELOPMENT.search(event.text):
        return False
    return not rest.strip() or _RELEASES.search(rest) is not None


def _workflow(project: str, found: Sequence[tuple[Session, Event]]) -> Workflow | None:
    """What the releases have in common; None where they share no file."""
    counts = Counter(name for _, event in found for name in _files(event))
    shared = {name: count for name, count in counts.items() if count >= SHARED * len(found)}
    runs = [(session, event) for session, event in found if shared.keys() & set(_files(event))]
    if not shared:
        return None
    tagged = all(_tag(event) for _, event in runs)
    edits = tuple(
        WorkflowStep(f"edit-{number}", "judgement", f"edit {name if is_name(name) else 'file'}", count / len(found))
        for number, (name, count) in enumerate(sorted(shared.items(), key=lambda item: (-item[1], item[0])), 1)
    )
    steps = (*edits, *(COMMANDS if tagged else COMMANDS[:1]))
    events = [event for _, event in runs]
    parameters = _parameters(events, tagged=tagged)
    bound = [_bound(event, parameters) for event in events]
    return Workflow(
        identity(steps), "", project, steps, parameters,
        occurrences=tuple(
            Occurrence(session.id, session.agent, (event.id,), values, commands(steps, parameters, values), event.time)
            for (session, event), values in zip(runs, bound, strict=True)
            if values is not None
        ),
        refused=tuple((session.id, "its tag is another than its message tells")
                      for (session, _), values in zip(runs, bound, strict=True) if values is None),
        held_out=sum(
            values is not None and _bound(event, _parameters(events[:k] + events[k + 1 :], tagged=tagged)) is not None
            for k, (event, values) in enumerate(zip(events, bound, strict=True))
        ),
    )  # fmt: skip


def _parameters(events: Sequence[Event], *, tagged: bool) -> tuple[Parameter, ...]:
    """The message, which the caller gives, and the tag, which follows from it if it nearly always did."""
    message = Parameter("message", "str", examples=tuple(_message(event) for event in events[-3:]))
    if not tagged:
        return (message,)
    tag = Parameter("tag", "str", examples=tuple(_tag(event) for event in events[-3:]))
    before = re.split(_NUMBER, _tag(events[-1]))[0]
    program = (("regex", _NUMBER), *((("prepend", before),) if before else ()))
    against = sum(derive(_message(event), program) != _tag(event) for event in events)
    if against > EXCEPTIONS * len(events):
        return message, tag
    return message, Parameter("tag", "str", "derived", derivation=Derivation("message", program))


def _bound(event: Event, parameters: Sequence[Parameter]) -> dict[str, Binding] | None:
    """The values that give the release back, None where its tag follows from its message and yet is another."""
    values: dict[str, Binding] = {"message": _message(event)}
    for parameter in parameters[1:]:
        if parameter.derivation is None:
            values[parameter.name] = _tag(event)
        elif derive(_message(event), parameter.derivation.program) != _tag(event):
            return None
    return values


def _fixed(line: str) -> tuple[Fixed, ...]:
    return tuple(Fixed(Word(word, word)) for word in line.split())


COMMANDS = (
    WorkflowStep("commit", "command", "git commit", 1.0, (*_fixed("git commit -a -m"), Hole("message", "double"))),
    WorkflowStep("tag", "command", "git tag", 1.0, (*_fixed("git tag"), Hole("tag"))),
)
