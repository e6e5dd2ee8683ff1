"""What the same prompt calls up is a pattern, however common its commands; what chance calls up is none."""

import numpy as np
import pytest

from meta.mining.chains import chained
from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern
from meta.mining.segments import commands
from meta.mining.triggers import joined, prompted
from meta.model import Segment, Step, StepKind

STATUS, DIFF, TEST, CHECK, BUILD, LIST = range(6)
WORK = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])

Log = list[tuple[str, str, list[int]]]  # session, prompt, symbols; -1 is an edit


def review(session: int, last: int = TEST) -> tuple[str, str, list[int]]:
    return (f"s{session}", "/review", [STATUS, DIFF, DIFF, last])


def other(seed: int, session: int) -> tuple[str, str, list[int]]:
    rng = np.random.default_rng([seed, session])
    return (f"s{session}", f"task {session}", rng.integers(0, 6, 5).tolist())


def segments_of(log: Log) -> list[Segment]:
    kinds: dict[bool, StepKind] = {True: "edit", False: "command"}
    return [
        Segment(
            "agent",
            session,
            "p",
            tuple(Step(str(s), kinds[s < 0], "work", position=10 * n + k) for k, s in enumerate(symbols)),
            (prompt,),
        )
        for n, (session, prompt, symbols) in enumerate(log)
    ]


def traces_of(log: Log) -> list[Trace]:
    numbers = {session: n for n, session in enumerate(dict.fromkeys(session for session, _, _ in log))}
    kept = [(numbers[session], [s for s in symbols if s >= 0]) for session, _, symbols in log]
    return [Trace(np.array(s, np.int32), np.zeros(len(s), np.float32), number) for number, s in kept]


def called_up(log: Log) -> list[Pattern]:
    return prompted(segments_of(log), traces_of(log), WORK)


def reviews(seed: int = 0) -> Log:
    return [*(review(n) for n in range(8)), *(other(seed, n) for n in range(20, 50))]


def test_what_a_prompt_mostly_calls_up_is_a_pattern() -> None:
    (pattern,) = called_up(reviews())
    assert pattern.steps == (STATUS, DIFF, TEST)
    assert len(pattern.instances) == 8
    assert pattern.instances[0].positions == (0, 2, 3)


def test_steps_that_stand_for_each_other_are_taken_in_side_by_side() -> None:
    log = [*(review(n) for n in range(6)), *(review(n, CHECK) for n in range(6, 12)), *reviews()[8:]]
    (pattern,) = called_up(log)
    assert set(pattern.steps) == {STATUS, DIFF, TEST, CHECK}
    assert pattern.presence == (1.0, 1.0, 0.5, 0.5)


def test_looking_around_is_none_however_often_a_prompt_calls_it_up() -> None:
    assert not called_up([(s, p, [STATUS, DIFF, LIST] if p == "/review" else c) for s, p, c in reviews()])


def test_what_every_prompt_calls_up_is_none() -> None:
    assert not called_up([(s, p, [STATUS, DIFF, DIFF, TEST]) for s, p, _ in reviews()])


def test_one_session_is_not_a_habit() -> None:
    assert not called_up([("s0" if p == "/review" else s, p, c) for s, p, c in reviews()])


def test_prompts_with_the_same_long_beginning_are_the_same() -> None:
    long = "You review the code of other people with great care and answer with a list of bugs: "
    assert called_up([(s, long + s if p == "/review" else p, c) for s, p, c in reviews()])
    assert not called_up([(s, s + long if p == "/review" else p, c) for s, p, c in reviews()])


def test_a_slash_command_is_the_same_with_any_arguments() -> None:
    assert called_up([(s, f"/review {s}" if p == "/review" else p, c) for s, p, c in reviews()])
    assert not called_up([(s, f"review {s}" if p == "/review" else p, c) for s, p, c in reviews()])


@pytest.mark.parametrize("whole", [True, False], ids=["segments", "commands"])
def test_a_shuffled_log_has_hardly_ever_one(whole: bool) -> None:
    found = 0
    for seed in range(100):
        log = reviews(seed)
        rng = np.random.default_rng(seed)
        mixed = [log[n][2] for n in rng.permutation(len(log))]
        if not whole:
            drawn = iter(rng.permutation(np.concatenate(mixed)).tolist())
            mixed = [[next(drawn) for _ in symbols] for _, _, symbols in log]
        found += len(called_up([(s, p, c) for (s, p, _), c in zip(log, mixed, strict=True)]))
    assert found <= 2


def pattern(steps: tuple[int, ...], *places: tuple[int, tuple[int, ...]], gain: float = 9.0) -> Pattern:
    instances = tuple(Instance(trace, positions) for trace, positions in places)
    return Pattern(steps, (1.0,) * len(steps), instances, loop=False, gain=gain)


def test_what_holds_a_shorter_pattern_takes_its_place_and_its_other_occurrences() -> None:
    short = pattern((TEST, CHECK), *((n, (2, 3)) for n in range(4)))
    long = pattern((STATUS, TEST, CHECK), *((n, (0, 2, 3)) for n in range(3)))
    (whole,) = joined([short], [long])
    assert whole.steps == long.steps
    assert whole.presence == (0.75, 1.0, 1.0)
    assert whole.instances[-1] == Instance(3, (-1, 2, 3))


def test_what_a_pattern_already_tells_is_left_out_and_what_none_tells_is_kept() -> None:
    told = pattern((STATUS, TEST, CHECK), *((n, (0, 2, 3)) for n in range(3)))
    part = pattern((TEST, CHECK), *((n, (2, 3)) for n in range(3)))
    new = pattern((CHECK, BUILD), *((n, (5, 6)) for n in range(3)))
    assert joined([told], [part]) == [told]
    assert joined([told], [new]) == [told, new]


def gated(sessions: int, between: tuple[int, ...] = ()) -> Log:
    return [
        row
        for n in range(sessions)
        for row in ((f"s{n}", "do it", [-1, TEST, CHECK, *between]), (f"s{n}", "commit", [STATUS, BUILD]))
    ]


def led(log: Log, gates: list[int], commits: list[int]) -> tuple[Pattern, list[Segment]]:
    gate = pattern((TEST, CHECK), *((n, (0, 1)) for n in gates))
    commit = pattern((STATUS, BUILD), *((n, (0, 1)) for n in commits))
    patterns, segments = chained([gate, commit], segments_of(log), traces_of(log))
    assert patterns[0] == gate
    return patterns[1], segments


def test_a_gate_that_mostly_ends_the_prompt_before_leads_a_pattern_and_is_optional() -> None:
    log = [*gated(24), *((f"t{n}", "commit", [STATUS, BUILD]) for n in range(8))]
    pattern, segments = led(log, list(range(0, 48, 2)), [*range(1, 48, 2), *range(48, 56)])
    assert pattern.steps == (TEST, CHECK, STATUS, BUILD)
    assert pattern.presence == (0.75, 0.75, 1.0, 1.0)
    first = pattern.instances[0]
    heads = [commands(segments[first.trace])[place].head for place in first.positions]
    assert heads == [str(step) for step in pattern.steps]
    assert segments[first.trace].prompts == ("commit",)


def test_a_gate_is_none_that_is_edited_after_or_seldom_there_or_in_another_session() -> None:
    alone = (STATUS, BUILD)
    assert led(gated(24, (-1,)), list(range(0, 48, 2)), list(range(1, 48, 2)))[0].steps == alone
    rare = [*gated(4), *((f"t{n}", "commit", [STATUS, BUILD]) for n in range(20))]
    assert led(rare, [0, 2, 4, 6], [1, 3, 5, 7, *range(8, 28)])[0].steps == alone
    apart = [(f"{session}{prompt}", prompt, symbols) for session, prompt, symbols in gated(24)]
    assert led(apart, list(range(0, 48, 2)), list(range(1, 48, 2)))[0].steps == alone


def test_two_patterns_in_no_order_do_not_lead_each_other() -> None:
    one, two = ("do it", [TEST, CHECK]), ("commit", [STATUS, BUILD])
    log = [(f"s{n}", *row) for n in range(24) for row in ((one, two) if n % 2 else (two, one))]
    gates = [n for n, row in enumerate(log) if row[1] == "do it"]
    commits = [n for n, row in enumerate(log) if row[1] == "commit"]
    assert led(log, gates, commits)[0].steps == (STATUS, BUILD)
