"""All traces laid end to end in flat arrays, and what of them is still unexplained.

Nothing is searched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Trace:
    """The symbols of one prompt-bounded segment, in order.

    `gaps` is the distance before each element that nothing explains, beyond adjacency: 0 is adjacent. A session is a
    number; several traces may belong to one.
    """

    symbols: np.ndarray
    gaps: np.ndarray
    session: int


@dataclass(frozen=True, slots=True)
class Events:
    """Every event of every trace. Symbols are renumbered: those too rare to repeat all become `len(names)`.

    A cell is a (symbol, session) pair that occurs; cells are sorted by symbol, then session.
    """

    order: tuple[int, ...]  # the caller's number of each trace
    starts: np.ndarray  # first event of each trace
    names: np.ndarray  # the caller's symbol of each symbol
    work: np.ndarray  # per symbol: whether it makes a pattern
    symbols: np.ndarray
    traces: np.ndarray
    sessions: np.ndarray
    gaps: np.ndarray
    cells: np.ndarray  # the cell of each event
    cell_starts: np.ndarray  # first cell of each symbol
    cell_sessions: np.ndarray
    adjacency: np.ndarray  # share of the neighbouring places of a session that lie in one trace
    prior: np.ndarray  # share of all events that each symbol makes
    postings: np.ndarray  # events sorted by symbol, then place
    posting_starts: np.ndarray

    def of(self, symbols: Sequence[int]) -> np.ndarray:
        """The events with one of these symbols, in order."""
        starts = self.posting_starts
        return np.sort(
            np.concatenate([self.postings[starts[s] : starts[s + 1]] for s in sorted(set(symbols))]), kind="stable"
        )


@dataclass(frozen=True, slots=True)
class Residual:
    """Which events are free, and what follows: their places (explained events take no room) and counts."""

    free: np.ndarray
    places: np.ndarray
    cell_counts: np.ndarray  # free events of each cell
    sizes: np.ndarray  # free events of each session


def lay_out(traces: Sequence[Trace], weights: np.ndarray | None, min_support: int) -> Events:
    """The traces as flat arrays, in an order that depends on their content only."""
    order = sorted(
        (i for i in range(len(traces)) if len(traces[i].symbols)),
        key=lambda i: (traces[i].symbols.tobytes(), traces[i].gaps.tobytes(), traces[i].session),
    )
    lengths = np.array([len(traces[i].symbols) for i in order], dtype=np.int64)
    raw = np.concatenate([traces[i].symbols for i in order] or [np.empty(0, np.int32)])
    gaps = np.concatenate([traces[i].gaps for i in order] or [np.empty(0, np.float32)])
    labels: dict[int, int] = {}
    numbers = np.array([labels.setdefault(traces[i].session, len(labels)) for i in order], dtype=np.int64)
    sessions = np.repeat(numbers, lengths)
    found, codes, counts = np.unique(raw, return_inverse=True, return_counts=True)
    frequent = counts >= min_support
    renumber = np.where(frequent, np.cumsum(frequent) - 1, frequent.sum())
    symbols = renumber[codes].astype(np.int64)
    names = found[frequent]
    keys, cells = np.unique(symbols * max(len(labels), 1) + sessions, return_inverse=True)
    sizes = np.bincount(sessions, minlength=len(labels)).astype(np.float64)
    segments = np.bincount(numbers, minlength=len(labels))
    return Events(
        order=tuple(order),
        starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        names=names,
        work=np.ones(len(names), np.bool_) if weights is None else np.asarray(weights)[names] > 0,
        symbols=symbols.astype(np.int32),
        traces=np.repeat(np.arange(len(order), dtype=np.int32), lengths),
        sessions=sessions.astype(np.int32),
        gaps=gaps.astype(np.float64),
        cells=cells.astype(np.int32),
        cell_starts=np.searchsorted(keys, np.arange(len(names) + 2) * max(len(labels), 1)),
        cell_sessions=(keys % max(len(labels), 1)).astype(np.int32),
        adjacency=(sizes - segments) / np.maximum(sizes - 1, 1),
        prior=np.bincount(symbols, minlength=len(names) + 1) / max(len(symbols), 1),
        postings=np.argsort(symbols, kind="stable"),
        posting_starts=np.searchsorted(np.sort(symbols), np.arange(len(names) + 2)),
    )


def residual(events: Events, free: np.ndarray) -> Residual:
    """What is left to explain when only the events in `free` are not yet explained."""
    return Residual(
        free=free,
        places=np.cumsum(free + events.gaps),
        cell_counts=np.bincount(events.cells, free, len(events.cell_sessions)),  # weights are quicker than a selection
        sizes=np.bincount(events.sessions, free, len(events.adjacency)),
    )
