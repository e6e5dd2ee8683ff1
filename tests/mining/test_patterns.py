"""What is planted in traces is found, and what only looks planted is not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.planted import Finding, judge, traces
from benchmarks.planting import BASE, DECOYS, HARD, plant, shuffled
from meta.mining.events import Trace
from meta.mining.patterns import Pattern, find

TEST, LINT, FIX, TYPES, STATUS = 60, 61, 62, 63, 64
RARE = (50, 51, 52)


def trace(symbols: list[int], session: int, gaps: list[float] | None = None) -> Trace:
    return Trace(np.array(symbols, np.int32), np.array(gaps or [0] * len(symbols), np.float32), session)


def noise(rng: np.random.Generator, low: int = 4, high: int = 10) -> list[int]:
    """Background of 50 symbols with very different frequencies."""
    shares = 1 / np.arange(1, 51)
    return [int(s) for s in rng.choice(50, size=rng.integers(low, high), p=shares / shares.sum())]


def log(runs: list[list[int]], sessions: int, seed: int = 0) -> list[Trace]:
    """One trace a session, each run in the middle of noise; run i in session i modulo their number."""
    rng = np.random.default_rng(seed)
    parts: list[list[int]] = [noise(rng) for _ in range(sessions)]
    for i, run in enumerate(runs):
        parts[i % sessions] += run + noise(rng)
    return [trace(part, session) for session, part in enumerate(parts)]


def steps(patterns: list[Pattern]) -> list[tuple[int, ...]]:
    return [pattern.steps for pattern in patterns]


def test_a_rare_run_seen_three_times_in_three_sessions_is_found() -> None:
    runs: list[list[int]] = [list(RARE)] * 3 + [[]] * 37
    assert steps(find(log(runs, 40))) == [RARE]


def test_a_run_seen_in_two_sessions_is_not_found() -> None:
    runs: list[list[int]] = [list(RARE)] * 2 + [[]] * 38
    assert find(log(runs, 40)) == []
    assert all(pattern.loop for pattern in find(log([list(RARE), list(RARE), *[[]] * 38, list(RARE)], 40)))


def test_two_steps_are_a_pattern_when_they_follow_each_other_beyond_chance() -> None:
    assert steps(find(log([[TEST, LINT]] * 12, 30))) == [(TEST, LINT)]


def test_frequent_symbols_that_only_meet_are_no_pattern() -> None:
    rng = np.random.default_rng(1)
    apart = [
        [TEST, *noise(rng, 9, 14), LINT] if rng.random() < 0.5 else [LINT, *noise(rng, 9, 14), TEST] for _ in range(60)
    ]
    assert find(log(apart, 30)) == []


def test_variants_are_one_pattern_with_optional_steps() -> None:
    runs = [[TEST, LINT]] * 59 + [[TEST, LINT, FIX, LINT]] * 25 + [[TEST, LINT, TYPES]] * 22
    (gate,) = find(log([runs[i] for i in np.random.default_rng(5).permutation(len(runs))], 80))
    assert gate.steps in {(TEST, LINT, TYPES, FIX, LINT), (TEST, LINT, FIX, LINT, TYPES)}
    presence = dict(zip(gate.steps[2:], gate.presence[2:], strict=True))
    assert gate.presence[:2] == pytest.approx((1, 1), abs=0.02)
    assert presence == pytest.approx({TYPES: 22 / 106, FIX: 25 / 106, LINT: 25 / 106}, abs=0.03)
    assert len(gate.instances) == pytest.approx(106, abs=2)


def test_instances_point_at_the_steps() -> None:
    given = log([[TEST, LINT]] * 9 + [[TEST, 7, LINT], [TEST, 20, 3, LINT], [TEST, 11, LINT]], 30)
    (pattern,) = find(given)
    assert len(pattern.instances) >= 11
    for instance in pattern.instances:
        assert tuple(given[instance.trace].symbols[list(instance.positions)]) == (TEST, LINT)


def test_a_run_repeated_in_one_session_is_a_loop() -> None:
    runs: list[list[int]] = [[50, 51, 52, 53] * 30] + [[]] * 29
    (pattern,) = find(log(runs, 30))
    assert pattern.loop
    assert sorted(pattern.steps) == [50, 51, 52, 53]


def test_a_run_in_many_sessions_is_no_loop() -> None:
    (pattern,) = find(log([list(RARE)] * 12, 30))
    assert not pattern.loop


def test_a_step_that_only_inspects_may_stand_in_a_pattern_but_makes_none() -> None:
    weights = np.ones(65)
    weights[STATUS] = 0
    assert steps(find(log([[TEST, STATUS, LINT]] * 12, 30), weights=weights)) == [(TEST, STATUS, LINT)]
    assert find(log([[TEST, STATUS]] * 12, 30), weights=np.zeros(65)) == []
    assert steps(find(log([[TEST, STATUS]] * 12, 30))) == [(TEST, STATUS)]


def test_patterns_do_not_cross_from_one_trace_to_the_next() -> None:
    rng = np.random.default_rng(2)
    split = [t for s in range(20) for t in (trace([*noise(rng), TEST], s), trace([LINT, *noise(rng)], s))]
    assert find(split) == []


def test_far_steps_are_no_pattern() -> None:
    rng = np.random.default_rng(2)
    near = [[*noise(rng), TEST, LINT, *noise(rng)] for _ in range(20)]
    far = [trace(symbols, s, [50.0 * (x == LINT) for x in symbols]) for s, symbols in enumerate(near)]
    assert steps(find([trace(symbols, s) for s, symbols in enumerate(near)])) == [(TEST, LINT)]
    assert find(far) == []


def test_woven_patterns_are_both_found() -> None:
    a, b = [50, 51, 52, 53], [54, 55, 56, 57]
    woven = [[54, 50, 51, 55, 56, 52, 57, 53], [50, 51, 54, 52, 55, 56, 57, 53], [54, 55, 50, 56, 57, 51, 52, 53]]
    patterns = find(log([a] * 6 + [b] * 6 + woven, 40))
    assert sorted((pattern.steps, len(pattern.instances)) for pattern in patterns) == [(tuple(a), 9), (tuple(b), 9)]


def test_the_order_of_the_traces_does_not_matter() -> None:
    given = traces(plant(BASE, 3).sessions)[:40]
    order = np.random.default_rng(0).permutation(len(given))
    mixed = find([given[i] for i in order])
    straight = find(given)
    assert [(p.steps, p.gain, p.presence) for p in mixed] == [(p.steps, p.gain, p.presence) for p in straight]
    back = [sorted((int(order[i.trace]), i.positions) for i in p.instances) for p in mixed]
    assert back == [sorted((i.trace, i.positions) for i in p.instances) for p in straight]


@pytest.mark.parametrize("given", [[], [trace([], 0)], [trace([1], 0)], [trace([1, 1, 1, 1], s) for s in range(5)]])
def test_nothing_is_found_where_nothing_is(given: list[Trace]) -> None:
    assert find(given) == []


@pytest.mark.parametrize("within", [True, False], ids=["within sessions", "over all"])
def test_a_shuffled_log_yields_nothing(within: bool) -> None:
    planted = [plant(recipe, seed) for recipe in (BASE, HARD) for seed in range(4)]
    assert [find(traces(shuffled(one, 7, within=within))) for one in planted] == [[]] * 8


@pytest.mark.parametrize("within", [True, False], ids=["within sessions", "over all"])
def test_a_shuffled_log_of_short_sessions_yields_nothing(within: bool) -> None:
    rng = np.random.default_rng(3)
    for seed in range(20):
        given = [t.symbols for t in log([[TEST, LINT], [TEST, LINT, FIX, LINT], list(RARE)] * 10, 30, seed)]
        lengths = np.cumsum([len(s) for s in given])[:-1]
        parts = (
            [rng.permutation(s) for s in given] if within else np.split(rng.permutation(np.concatenate(given)), lengths)
        )
        assert find(traces(parts)) == []


def test_planted_workflows_are_found_and_nothing_else() -> None:
    for recipe, recall, spurious in ((BASE, 0.95, 0), (DECOYS, 0.95, 1), (HARD, 0.7, 2)):
        one = plant(recipe, 4)
        findings = [Finding(p.steps) for p in find(traces(one.sessions)) if not p.loop]
        result = judge(one, findings, miner="meta", recipe="", seed=4, seconds=0, megabytes=0)
        assert result.recall >= recall
        assert result.spurious <= spurious
