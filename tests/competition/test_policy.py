"""The policy is a function of the journal, the moves and the budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from meta.competition import priors
from meta.competition.nouns import Budget, Choice, Competition, Experiment, Journal, Move
from meta.competition.policy import choose

GAME = Competition(Path(), "game", "tabular", "auc", "maximize", 7, {}, {}, Budget())
MOVES = tuple(
    Move("solver", name, seconds=seconds, repeat=True) for name, seconds in (("a", 10.0), ("b", 10.0), ("c", 40.0))
)


def row(number: int, move: str, score: float, seconds: float, *, kept: bool = True, ok: bool = True) -> Experiment:
    return Experiment(f"{number:03}", "solver", move, ok=ok, score=score, cpu_seconds=seconds, kept=kept)


def chosen(
    rows: list[Experiment], moves: tuple[Move, ...] = MOVES, budget: Budget = GAME.budget, lost: float = 0.0
) -> Choice:
    return choose(Journal(tuple(rows), lost=lost), moves, budget, competition=GAME, priors=lambda moves: {})


rows_strategy = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.floats(0, 200), st.booleans(), st.booleans()), max_size=12
).map(
    lambda told: [
        row(n, move, score, seconds, kept=kept, ok=ok) for n, (move, score, seconds, kept, ok) in enumerate(told)
    ]
)


@given(rows_strategy, st.floats(1, 1000), st.floats(0, 500))
def test_no_choice_may_use_more_than_what_is_left(rows: list[Experiment], cpu: float, lost: float) -> None:
    budget = Budget(cpu_seconds=cpu)
    choice = chosen(rows, budget=budget, lost=lost)
    spent = sum(one.cpu_seconds for one in rows) + lost
    assert choice.move is None or 0 < choice.seconds <= cpu - spent


@given(rows_strategy, st.permutations(MOVES))
def test_the_same_journal_gives_the_same_choice_in_whatever_order_moves_are_offered(
    rows: list[Experiment], moves: list[Move]
) -> None:
    assert chosen(rows, tuple(moves)) == chosen(rows)


@given(st.floats(0.01, 1), st.floats(1.5, 50))
def test_of_two_moves_tried_alike_the_one_that_gains_more_a_second_is_next(gain: float, times: float) -> None:
    rows = [row(1, "a", 0.0, 10), row(2, "a", gain / times, 10), row(3, "b", gain / times + gain, 10)]
    rows.append(row(4, "b", gain / times + gain, 10, kept=False))
    best = chosen(rows, MOVES[:2]).move
    assert best is not None
    assert best.name == "b"


def test_what_was_never_tried_comes_first_and_of_those_the_cheapest_then_the_first_by_name() -> None:
    rows = [row(1, "c", 0.5, 40)]
    first = chosen(rows)
    assert first.move == MOVES[0]
    assert chosen([*rows, row(2, "a", 0.6, 10)]).move == MOVES[1]


def test_a_move_waits_for_the_ones_it_comes_after_and_is_not_tried_again_once_it_failed() -> None:
    moves = (Move("solver", "a"), Move("solver", "b", after=("a",)))
    assert chosen([], moves).move == moves[0]
    assert chosen([row(1, "a", 0.5, 1)], moves).move == moves[1]
    assert chosen([row(1, "a", 0.5, 1, ok=False)], moves).move is None


def test_the_rounds_end_when_the_recent_rate_is_below_a_hundredth_of_the_first_and_not_before() -> None:
    start = [row(1, "a", 0.5, 10), row(2, "b", 0.6, 10), row(3, "c", 0.61, 10)]
    slow = [row(n, "a", 0.61, 10, kept=False) for n in (4, 5, 6)]
    assert chosen(start + slow).move is None
    assert chosen(start + slow[:2]).move is not None
    quick = replace(slow[2], score=0.7, kept=True)
    assert chosen([*start, *slow[:2], quick]).move is not None


def test_a_document_whose_trigger_fits_favours_a_move_and_another_move_is_not_favoured() -> None:
    moves = (
        Move("t", "original", why="rows of the original data set beside those of the competition"),
        Move("t", "zzz", why="qqq"),
    )
    found = priors.of(moves, competition=replace(GAME, folder=Path("/nonexistent")))
    assert found["original"] > 1
    assert found["zzz"] == 1
