"""Logs with workflows planted in them, so that what a miner finds can be compared with what is there.

Nothing is mined or judged here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

SESSION = (125, 140)  # events of a session, the range its length is drawn from
BURST_SYMBOLS = 5


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a log is made. Shares are 0 to 1; `noise` is the range of events put into a disturbed joint."""

    events: int = 10_000
    vocabulary: int = 500
    workflows: int = 30
    lengths: tuple[int, int] = (3, 10)
    rarest: int = 6  # occurrences of the rarest workflow
    background: float = 0.5
    disturbed: float = 0.2
    noise: tuple[int, int] = (1, 3)
    interleaved: float = 0.15
    dropped: float = 0.05
    decoys: bool = False


BASE = Recipe()
DECOYS = replace(BASE, decoys=True)
HARD = replace(BASE, background=0.8, disturbed=0.2, noise=(2, 6), interleaved=0.4, dropped=0.2)
HARDER = replace(HARD, disturbed=0.4)


class Event(NamedTuple):
    symbol: int
    workflow: int  # -1 is background


@dataclass(frozen=True, slots=True)
class Log:
    """Sessions of symbols, the workflow every event belongs to (-1 is none), and the workflows themselves."""

    sessions: list[np.ndarray]
    owners: list[np.ndarray]
    workflows: list[tuple[int, ...]]


def plant(recipe: Recipe, seed: int) -> Log:
    """The log of a recipe; the same seed gives the same log."""
    rng = np.random.default_rng(seed)
    frequencies = 1.0 / np.arange(1, recipe.vocabulary + 1)
    frequencies /= frequencies.sum()
    shortest, longest = recipe.lengths
    workflows = [
        tuple(int(s) for s in rng.choice(recipe.vocabulary, size=rng.integers(shortest, longest + 1), replace=False))
        for _ in range(recipe.workflows)
    ]
    blocks = _blocks(recipe, workflows, frequencies, rng)
    planted = sum(len(block) for block in blocks)
    rest = rng.choice(recipe.vocabulary, size=max(recipe.events - planted, 0), p=frequencies)
    blocks += [[Event(int(symbol), -1)] for symbol in rest]
    order = rng.permutation(len(blocks))
    sessions = _sessions([blocks[i] for i in order], rng)
    if recipe.decoys:
        _add_decoys(sessions, recipe, rng)
    return Log(
        [np.array([event.symbol for event in session], dtype=np.int32) for session in sessions],
        [np.array([event.workflow for event in session], dtype=np.int32) for session in sessions],
        workflows,
    )


def shuffled(log: Log, seed: int, *, within: bool) -> list[np.ndarray]:
    """The sessions of a log with their symbols permuted, each within its session or over all of them."""
    rng = np.random.default_rng(seed)
    if within:
        return [rng.permutation(session) for session in log.sessions]
    flat = rng.permutation(np.concatenate(log.sessions))
    return np.split(flat, np.cumsum([len(session) for session in log.sessions])[:-1])


def _blocks(
    recipe: Recipe, workflows: list[tuple[int, ...]], frequencies: np.ndarray, rng: np.random.Generator
) -> list[list[Event]]:
    """The occurrences of all workflows, disturbed, some woven into one another in pairs."""
    lengths = np.array([len(workflow) for workflow in workflows])
    weights = 1.0 / np.arange(1, len(workflows) + 1)
    scale = recipe.events * (1 - recipe.background) / float((weights * lengths).sum())
    counts = np.maximum(np.round(weights * scale), recipe.rarest).astype(int)
    owners = rng.permutation(np.repeat(np.arange(len(workflows)), counts))
    occurrences = [_occurrence(recipe, workflows[owner], int(owner), frequencies, rng) for owner in owners]
    paired = int(len(occurrences) * recipe.interleaved) // 2 * 2
    woven = [_weave(occurrences[i], occurrences[i + 1], rng) for i in range(0, paired, 2)]
    return woven + occurrences[paired:]


def _occurrence(
    recipe: Recipe, workflow: tuple[int, ...], owner: int, frequencies: np.ndarray, rng: np.random.Generator
) -> list[Event]:
    kept = [symbol for symbol in workflow if rng.random() >= recipe.dropped]
    low, high = recipe.noise
    block: list[Event] = []
    for symbol in kept:
        if block and rng.random() < recipe.disturbed:
            noise = rng.choice(recipe.vocabulary, size=rng.integers(low, high + 1), p=frequencies)
            block += [Event(int(s), -1) for s in noise]
        block.append(Event(symbol, owner))
    return block


def _weave(first: list[Event], second: list[Event], rng: np.random.Generator) -> list[Event]:
    turns = rng.permutation(np.repeat([0, 1], [len(first), len(second)]))
    sides = (iter(first), iter(second))
    return [next(sides[turn]) for turn in turns]


def _sessions(blocks: list[list[Event]], rng: np.random.Generator) -> list[list[Event]]:
    sessions: list[list[Event]] = [[]]
    size = rng.integers(*SESSION)
    for block in blocks:
        if len(sessions[-1]) + len(block) > size and sessions[-1]:
            sessions.append([])
            size = rng.integers(*SESSION)
        sessions[-1] += block
    return sessions


def _add_decoys(sessions: list[list[Event]], recipe: Recipe, rng: np.random.Generator) -> None:
    """Put in what looks like a workflow and is none: a loop, bursts without an order, a frequent pair.

    The loop is four symbols run 50 times in one session. Each of ten bursts is 15 draws from the same five symbols.
    The pair are two symbols that together make a tenth of all events, each at random places.
    """
    loop = rng.choice(recipe.vocabulary, size=4, replace=False)
    sessions[int(rng.integers(len(sessions)))] += [Event(int(s), -1) for _ in range(50) for s in loop]
    topic = rng.choice(recipe.vocabulary, size=BURST_SYMBOLS, replace=False)
    for i in rng.choice(len(sessions), size=10, replace=False):
        at = int(rng.integers(len(sessions[i])))
        sessions[i][at:at] = [Event(int(s), -1) for s in rng.choice(topic, size=15)]
    for symbol in rng.choice(recipe.vocabulary, size=2, replace=False):
        for _ in range(recipe.events // 20):
            session = sessions[int(rng.integers(len(sessions)))]
            session.insert(int(rng.integers(len(session) + 1)), Event(int(symbol), -1))
