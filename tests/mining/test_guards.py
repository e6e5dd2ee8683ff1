"""When an optional step runs: only after the check failed that it repairs, or on request."""

from meta.mining.lifting import lift
from meta.mining.runs import Column
from tests.mining.recorded_runs import Cell, run

CHECK: list[Cell] = [("npm run lint", "unknown"), None, None]
REPAIR: list[Cell] = [("npm run lint", "unknown"), "npm run lint:fix", "npm run lint"]


def columns(*heads: str) -> list[Column]:
    return [Column(head) for head in heads]


def test_a_step_named_after_the_repair_of_a_check_runs_after_its_failure() -> None:
    runs = [run(k, REPAIR if k % 2 else CHECK) for k in range(8)]
    found = lift("gate", "p", columns("npm run lint", "npm run lint:fix", "npm run lint"), runs)
    assert [step.guard and (step.guard.step, step.guard.outcome) for step in found.steps[1:]] == [
        ("lint", "failed")
    ] * 2
    assert [o.bindings for o in found.occurrences] == [{"failed": ["lint"]} if k % 2 else {} for k in range(8)]


def test_recorded_exit_codes_that_speak_against_it_win() -> None:
    runs = [run(k, ["npm run lint", "npm run lint:fix" if k % 2 else None]) for k in range(8)]
    found = lift("gate", "p", columns("npm run lint", "npm run lint:fix"), runs)
    assert all(step.guard is None for step in found.steps)


def test_another_optional_step_is_asked_for() -> None:
    runs = [run(k, [("npm run lint", "unknown"), "npm run types" if k % 3 == 0 else None]) for k in range(9)]
    found = lift("gate", "p", columns("npm run lint", "npm run types"), runs)
    assert found.steps[1].guard is None
    assert found.steps[1].switch
