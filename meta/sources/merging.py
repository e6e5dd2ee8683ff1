"""One set of sessions out of many files: every event once, whoever copied or replayed it.

The result depends on the set of sessions that were read, never on the order or number of the files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from meta.model import Event, Session

_Key = tuple[str, str, str, str, str]
_TOLD = ("not-run", "unknown", "failed", "ok")  # a copy that was made while the call ran knows the least


def merge(sessions: Iterable[Session]) -> list[Session]:
    """The sessions by start, copies of one joined, and an event that several hold left to the one that began first.

    A session that only repeats others is left out; one that repeats a part has the other as its parent.
    """
    copies: defaultdict[tuple[str, str], list[Session]] = defaultdict(list)
    for session in sessions:
        copies[session.agent, session.id].append(session)
    owners: dict[_Key, str] = {}
    own = [_own(session, owners) for session in sorted(map(_union, copies.values()), key=_seniority)]
    return sorted((session for session in own if session.events or session.skipped), key=_start)


def _start(session: Session) -> tuple[float, str, str]:
    return (float("inf") if session.started is None else session.started, session.agent, session.id)


def _seniority(session: Session) -> tuple[float, bool, float, str, str]:
    """A fork begins with its parent's first event, so the one that ended first is taken for the parent."""
    times = [event.time for event in session.events if event.time is not None]
    return (min(times, default=float("inf")), bool(session.parent), max(times, default=0.0), session.agent, session.id)


def _own(session: Session, owners: dict[_Key, str]) -> Session:
    events: list[Event] = []
    replayed: Counter[str] = Counter()
    for event in session.events:
        # ids that only count within a session may meet by chance, what they stand for seldom does
        key = (session.agent, event.id, event.kind, event.tool, event.text)
        owner = owners.setdefault(key, session.id)
        if owner == session.id:
            events.append(event)
        else:
            replayed[owner] += 1
    if not replayed:
        return session
    return replace(session, events=tuple(events), parent=session.parent or replayed.most_common(1)[0][0])


def _union(copies: list[Session]) -> Session:
    """One session out of snapshots and copies of it: in the order of the longest, each event as its fullest copy."""
    if len(copies) == 1:
        return copies[0]
    first, *others = sorted(copies, key=lambda copy: (-len(copy.events), _ids(copy), copy.path))
    fullest = {event.id: event for event in first.events}
    order = list(fullest)
    for copy in others:
        behind = ""
        missing: defaultdict[str, list[str]] = defaultdict(list)
        for event in copy.events:
            if event.id in fullest:
                behind = event.id
                fullest[event.id] = max(fullest[event.id], event, key=_fullness)
            else:
                fullest[event.id] = event
                missing[behind].append(event.id)
        order = [*missing[""], *(name for known in order for name in (known, *missing.get(known, ())))]
    skipped: Counter[str] = Counter()
    for copy in copies:
        skipped |= Counter(copy.skipped)  # copies repeat what they skip
    return replace(
        first,
        events=tuple(fullest[name] for name in order),
        project=next((copy.project for copy in (first, *others) if copy.project), ""),
        cwd=next((copy.cwd for copy in (first, *others) if copy.cwd), ""),
        parent=next((copy.parent for copy in (first, *others) if copy.parent), ""),
        skipped=dict(skipped),
    )


def _ids(session: Session) -> tuple[str, ...]:
    return tuple(event.id for event in session.events)


def _fullness(event: Event) -> tuple[int, int, int, float]:
    return (
        _TOLD.index(event.status),
        len(event.output),
        event.usage.output if event.usage else -1,
        event.seconds or 0.0,
    )
