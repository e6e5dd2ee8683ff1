"""Events put together the same way for every format.

Reading the records is each format's own work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from meta.model import Event, Usage

_NO_ID = frozenset({"", "REDACTED"})  # a redactor may have written the same word over every id


def named(recorded: str, fallback: str) -> str:
    """The recorded id, or `fallback` where it is no id."""
    return fallback if recorded in _NO_ID else recorded


def distinct(session: str, events: Iterable[Event]) -> tuple[Event, ...]:
    """The events, each with an id of its own: a number is added to a repeated one.

    Where none was recorded it is the session and the place, so that events of two sessions are not taken for copies.
    """
    result: list[Event] = []
    uses: dict[str, int] = {}
    taken: set[str] = set()
    for place, event in enumerate(events):
        name = event_id = named(event.id, f"{session}:{place}")
        while event_id in taken:
            uses[name] = uses.get(name, 1) + 1
            event_id = f"{name}#{uses[name]}"
        taken.add(event_id)
        result.append(event if event_id == event.id else replace(event, id=event_id))
    return tuple(result)


def turn(note: Event, calls: Sequence[Event], usage: Usage | None) -> list[Event]:
    """The events of one model message: its text as a note, where there is one, then its calls.

    The usage stands on the first of them. A message with nothing but a usage is kept for its cost.
    """
    used = usage if usage != Usage() else None
    events = [note, *calls] if note.text.strip() or (used and not calls) else list(calls)
    return [replace(events[0], usage=used), *events[1:]] if events else []


def cut(events: Iterable[Event], idle: float) -> list[tuple[Event, ...]]:
    """The events in pieces, cut where nothing happened for more than `idle` seconds."""
    pieces: list[list[Event]] = []
    last: float | None = None
    for event in events:
        gap = event.time - last if event.time is not None and last is not None else 0.0
        if not pieces or gap > idle:
            pieces.append([])
        pieces[-1].append(event)
        last = event.time if event.time is not None else last
    return [tuple(piece) for piece in pieces]
