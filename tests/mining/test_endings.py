"""What many tasks end with, in this order, is a pattern; what stands before the end or comes in any order is none."""

import numpy as np
import pytest

from meta.mining.endings import ending
from meta.mining.events import Trace

STATUS, DIFF, TEST, CHECK, BUILD = range(5)
WORK = np.array([0.0, 0.0, 1.0, 1.0, 1.0])


def traces(*logs: list[int], sessions: int = 100) -> list[Trace]:
    return [Trace(np.array(log, np.int32), np.zeros(len(log), np.float32), n % sessions) for n, log in enumerate(logs)]


def background(count: int = 40) -> list[list[int]]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 5, 6).tolist() for _ in range(count)]


def gates(count: int = 12, *tail: int) -> list[list[int]]:
    return [[DIFF, BUILD, TEST, TEST, CHECK, *tail] for _ in range(count)]


def test_what_many_tasks_end_with_is_a_pattern_and_repeats_count_once() -> None:
    patterns = ending(traces(*gates(), *background()), WORK)
    (gate,) = [one for one in patterns if one.steps == (BUILD, TEST, CHECK)]
    assert len(gate.instances) >= 12
    assert gate.instances[0].positions == (1, 3, 4)


def test_one_session_is_not_a_habit() -> None:
    assert not ending(traces(*gates(), sessions=1), WORK)


def test_looking_around_at_the_end_is_none() -> None:
    assert not ending(traces(*([BUILD, STATUS, DIFF] for _ in range(12)), *background()), WORK)


def test_what_comes_in_any_order_is_none() -> None:
    rng = np.random.default_rng(2)
    ends = [[DIFF, *rng.permutation([BUILD, TEST, CHECK]).tolist()] for _ in range(30)]
    assert not [one for one in ending(traces(*ends, *background()), WORK) if set(one.steps) == {BUILD, TEST, CHECK}]


@pytest.mark.parametrize("within", [True, False])
def test_a_shuffled_log_has_hardly_ever_one(within: bool) -> None:
    logs, found = [*gates(), *background()], 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        drawn = iter(rng.permutation(np.concatenate(logs)).tolist())
        mixed = [rng.permutation(log).tolist() if within else [next(drawn) for _ in log] for log in logs]
        found += bool(ending(traces(*mixed), WORK))
    assert found <= 3
