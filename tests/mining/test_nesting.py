"""A pattern that is part of a longer one becomes runs of it, where that leaves a pattern."""

from __future__ import annotations

from meta.mining.nesting import nested
from meta.mining.patterns import Instance, Pattern

TEST, LINT, FIX, TYPES = range(4)


def pattern(steps: tuple[int, ...], runs: int, first: int, *, loop: bool = False) -> Pattern:
    """Runs that are whole, one a trace, from trace `first` on."""
    places = tuple(range(len(steps)))
    instances = tuple(Instance(first + n, places) for n in range(runs))
    return Pattern(steps, tuple(1.0 for _ in steps), instances, loop, 10.0)


GATE = pattern((TEST, LINT, FIX, LINT), 20, 0)


def test_a_lint_with_its_repair_is_a_gate_without_the_test() -> None:
    part = pattern((LINT, FIX, LINT), 5, 100)
    ((longer, shorter, both),) = nested([part, GATE])
    assert (longer, shorter) == (GATE, part)
    assert both.presence == (0.8, 1.0, 1.0, 1.0)
    assert both.instances[-1].positions == (-1, 0, 1, 2)


def test_runs_that_the_longer_one_has_already_are_not_counted_twice() -> None:
    ((_, _, both),) = nested([GATE, pattern((TEST, LINT), 23, 0)])
    assert len(both.instances) == 23


def test_other_steps_another_order_a_loop_and_what_would_hardly_ever_be_whole_stay_apart() -> None:
    assert not list(nested([GATE, pattern((LINT, TYPES), 5, 100)]))
    assert not list(nested([GATE, pattern((FIX, TEST), 5, 100)]))
    assert not list(nested([GATE, pattern((LINT, FIX), 5, 100, loop=True)]))
    assert not list(nested([GATE, pattern((TEST, LINT), 500, 100)]))
    assert not list(nested([GATE]))
