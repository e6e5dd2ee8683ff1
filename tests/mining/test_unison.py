"""Commands that are always run together are a habit in a small log too; commands that merely meet are not."""

import numpy as np
import pytest

from meta.mining.events import Trace
from meta.mining.unison import unison


def found(*sessions: list[int], weights: tuple[float, ...] = (1.0,) * 12) -> list[tuple[int, ...]]:
    traces = [Trace(np.array(s, np.int32), np.zeros(len(s), np.float32), n) for n, s in enumerate(sessions)]
    return [pattern.steps for pattern in unison(traces, np.array(weights), 3)]


@pytest.mark.parametrize("sessions", [[[0, 1]] * 3, [[5, 0, 1], [0, 1, 6], [0, 1], [7, 0, 1]], [[0, 1, 2]] * 4])
def test_what_always_follows_is_found(sessions: list[list[int]]) -> None:
    assert found(*sessions) == [tuple(sorted({s for s in sessions[-1] if s < 5}))]


@pytest.mark.parametrize(
    "sessions",
    [
        pytest.param([[0, 1]] * 2, id="two sessions"),
        pytest.param([[0, 1], [0, 1], [0, 1], [1, 0]], id="also the other way round"),
        pytest.param([[0, 1, 0, 1, 0, 1]], id="one session"),
        pytest.param([[0, 1], [0, 1], [0, 1], [0, 2]], id="also without"),
    ],
)
def test_what_only_often_follows_is_not(sessions: list[list[int]]) -> None:
    assert found(*sessions) == []


def test_looking_alone_is_not_found() -> None:
    assert found(*[[0, 1]] * 4, weights=(0.0,) * 12) == []
