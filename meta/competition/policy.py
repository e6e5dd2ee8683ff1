"""Choose the next move without a model: by gain per CPU second, optimistic about what was seldom tried (UCB1).

The same journal, moves and seed give the same choice. What a move does is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from meta.competition.nouns import LEAST, Budget, Choice, Choose, Competition, Experiment, Journal, Move

STOP = 0.01  # of the first rate: below it the rounds are over
RECENT = 3  # experiments that tell the recent rate
ROOM = 1.5  # times the seconds that a move took or was guessed: what it is given at the most
FEWEST = 5.0  # seconds that any move is given where the budget has them


Priors = Callable[[Sequence[Move]], Mapping[str, float]]


def policy(competition: Competition, priors: Priors = lambda moves: {}) -> Choose:
    """The policy as the one function that decides. `priors` tells by name what speaks for a move before it was tried."""
    return partial(choose, competition=competition, priors=priors)


def choose(
    journal: Journal, moves: Sequence[Move], budget: Budget, *, competition: Competition, priors: Priors
) -> Choice:
    """The next move, how long and with which seed, or why there is none."""
    spent = journal.spent
    if reached := spent.reached(budget):
        return Choice(None, reached)
    left = budget.cpu_seconds - spent.cpu_seconds
    open_moves = sorted(available(journal, moves), key=lambda move: (move.name, move.tool))
    if not open_moves:
        return Choice(None, "every move was tried")
    gains = gained(journal.rows, competition)
    if exhausted(journal.rows, gains) and all(tried(journal, move) for move in open_moves):
        return Choice(None, f"the last {RECENT} experiments gained less than {STOP:.0%} of the first rate")
    favour = priors(moves)
    values = {move: value(move, journal, gains, favour) for move in open_moves}
    best = max(open_moves, key=lambda move: values[move])  # of equals the first by name
    rows = tried(journal, best)
    seconds = min(left - LEAST / 2, max(FEWEST, ROOM * expected(best, rows)))
    told = f"rate {mean(rows, gains):.3g} a second in {len(rows)} runs" if rows else "not tried yet"
    return Choice(best, told, seconds, seed(journal, competition), parents(journal, competition))


def available(journal: Journal, moves: Sequence[Move]) -> list[Move]:
    """The moves whose conditions hold and that are worth another run. One that failed is not tried again."""
    done = journal.succeeded()
    failed = {(row.tool, row.move) for row in journal.rows if not row.ok}
    return [
        move
        for move in moves
        if done.issuperset(move.after)
        and (move.tool, move.name) not in failed
        and (move.repeat or not tried(journal, move))
    ]


def tried(journal: Journal, move: Move) -> list[Experiment]:
    return [row for row in journal.rows if (row.tool, row.move) == (move.tool, move.name)]


def gained(rows: Sequence[Experiment], competition: Competition) -> dict[str, float]:
    """By id by how much each kept experiment bettered what was best before; of the first one nothing is known."""
    best: float | None = None
    gains = {}
    for row in rows:
        if row.kept and row.score is not None:
            gains[row.id] = 0.0 if best is None else competition.gain(row.score, best)
            best = row.score
    return gains


def rate(row: Experiment, gains: Mapping[str, float]) -> float:
    return gains.get(row.id, 0.0) / max(row.cpu_seconds, 1e-3)


def mean(rows: Sequence[Experiment], gains: Mapping[str, float]) -> float:
    """Gain per CPU second of these runs together."""
    return sum(gains.get(row.id, 0.0) for row in rows) / max(sum(row.cpu_seconds for row in rows), 1e-3)


def exhausted(rows: Sequence[Experiment], gains: Mapping[str, float]) -> bool:
    """Whether the best recent rate is below `STOP` of the first one that was above zero."""
    rates = [rate(row, gains) for row in rows]
    first = next((one for one in rates if one > 0), None)
    return first is not None and len(rates) > RECENT and max(rates[-RECENT:]) < STOP * first


def value(move: Move, journal: Journal, gains: Mapping[str, float], priors: Mapping[str, float]) -> float:
    """UCB1: the measured rate, scaled by the best one, and a bonus for being tried seldom.

    A move that was never tried stands before all others; its prior and its cheapness decide among those.
    """
    rows = tried(journal, move)
    prior = priors.get(move.name, 1.0)
    if not rows:
        return 1e6 * prior / max(move.seconds, 1e-3)
    top = max((rate(row, gains) for row in journal.rows), default=0.0) or 1.0
    return mean(rows, gains) / top + math.sqrt(2 * math.log(len(journal.rows) + 1) / len(rows)) * 0.1


def expected(move: Move, rows: Sequence[Experiment]) -> float:
    """The seconds that a run of the move will take: as measured, else as guessed."""
    return max(row.cpu_seconds for row in rows) if rows else move.seconds


def seed(journal: Journal, competition: Competition) -> int:
    """The next experiment's own: another run with the same one would tell nothing new."""
    return competition.seed + len(journal.rows)


def parents(journal: Journal, competition: Competition) -> tuple[str, ...]:
    """The experiments whose files the next one begins with: all that ended well, the best first."""
    done = [row for row in journal.rows if row.ok and row.score is not None]
    sign = -1 if competition.direction == "maximize" else 1
    return tuple(row.id for row in sorted(done, key=lambda row: (sign * (row.score or 0.0), row.id)))
