"""The loops say the same whether they are compiled or not, so a log may grow past the point where that changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from meta.mining import kernels

Arguments = tuple[object, ...]


def log(rng: np.random.Generator, size: int, vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Symbols, traces, places and which events are free."""
    traces = np.sort(rng.integers(0, 6, size)).astype(np.int32)
    places = np.cumsum(rng.choice([1.0, 1.0, 2.0, 3.5, 12.0], size)).astype(np.float32)
    return rng.integers(0, vocabulary, size).astype(np.int32), traces, places, rng.random(size) < 0.9


def seeds(rng: np.random.Generator) -> Arguments:
    symbols, traces, places, free = log(rng, 300, 7)
    return symbols, traces, places, free, np.append(np.ones(7, bool), False), 0, 7, 8.0, bool(rng.random() < 0.5), 4096


def chance(rng: np.random.Generator) -> Arguments:
    starts = np.arange(0, 7 * 5 + 1, 5)
    cells = np.tile(np.arange(5), 7)
    counts = rng.integers(0, 30, len(cells)).astype(np.float64)
    sizes = rng.integers(1, 400, 5).astype(np.float64)
    return rng.integers(0, 7, 3), starts, cells, counts, sizes, rng.random(5), rng.random(8)


def alignment(rng: np.random.Generator) -> Arguments:
    symbols, traces, places, _ = log(rng, 200, 4)
    events, steps = np.nonzero(symbols[:, None] == rng.integers(0, 4, 4))
    return events, traces[events], places[events], steps, rng.uniform(1, 6, 4), rng.uniform(0, 3, 4), 3.0, 0.4, 2.0, 8.0


def surroundings(rng: np.random.Generator) -> Arguments:
    symbols, traces, places, free = log(rng, 200, 7)
    rows = np.sort(rng.choice(200, 30, replace=False)).reshape(10, 3)
    rows[rng.random(rows.shape) < 0.3] = -1
    rows = rows[(rows >= 0).any(axis=1)]
    return rows, symbols, traces, places, free, traces, 6, 7, 8.0, bool(rng.random() < 0.5)


def columns(function: Callable[..., object], result: object) -> list[np.ndarray]:
    """All that came back, seeds in the order of their keys (a hash table has none)."""
    found = [np.asarray(column) for column in (result if isinstance(result, tuple) else (result,))]
    return [column[np.argsort(found[0])] for column in found] if function is kernels.count_seeds else found


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        pytest.param(kernels.count_seeds, seeds, id="seeds"),
        pytest.param(kernels.expected, chance, id="chance"),
        pytest.param(kernels.align, alignment, id="alignment"),
        pytest.param(kernels.tally, surroundings, id="surroundings"),
    ],
)
def test_a_loop_gives_the_same_bits_compiled_or_not(
    function: Callable[..., object], arguments: Callable[[np.random.Generator], Arguments]
) -> None:
    plain = function.__wrapped__  # type: ignore[attr-defined]  # what functools.wraps leaves is unknown to types
    for number in range(20):
        given = arguments(np.random.default_rng(number))
        slow = columns(function, plain(*map(kernels._plain, given)))
        fast = columns(function, kernels._compiled(plain)(*given))
        assert all(np.array_equal(one, other) for one, other in zip(slow, fast, strict=True))
