"""Programs end in time with all they started, and work over processes gives what work in line gives."""

import os
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meta.process import pool, run


def test_a_program_gives_its_code_and_both_outputs() -> None:
    done = run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.code, done.stdout, done.stderr, done.timed_out, done.ok) == (3, "out\n", "err\n", False, False)


def test_input_of_any_size_is_fed_while_output_is_read() -> None:
    text = "x" * 300_000
    assert run(["cat"], input=text).stdout == text


def test_a_program_that_ignores_its_input_is_not_an_error() -> None:
    assert run(["true"], input="x" * 1_000_000).ok


def test_the_folder_and_the_environment_are_the_given_ones(tmp_path: Path) -> None:
    done = run(["/bin/sh", "-c", "pwd; echo $A-$HOME"], cwd=tmp_path, env={"A": "1"})
    assert done.stdout == f"{tmp_path}\n1-\n"


@pytest.mark.parametrize(("argv", "code"), [(["no-such-program-here"], 127), (["/"], 126)])
def test_a_program_that_cannot_start_is_a_result(argv: list[str], code: int) -> None:
    assert run(argv).code == code


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    done = run(["sh", "-c", "echo begun; sleep 100 & echo $!; wait"], timeout=0.3)
    assert done.timed_out
    assert not done.ok
    assert done.stdout.startswith("begun\n")
    assert not alive(int(done.stdout.split()[1]))


@pytest.mark.parametrize("closing", ["", "exec >&- 2>&-; "], ids=["that holds its pipes", "that closed its pipes"])
def test_a_program_is_killed_with_its_children_when_it_is_told_to_stop(tmp_path: Path, closing: str) -> None:
    stop, begun = threading.Event(), tmp_path / "begun"
    line = f"{closing}sleep 100 & echo $! > {begun}.new; mv {begun}.new {begun}; wait"
    with ThreadPoolExecutor() as threads:
        running = threads.submit(run, ["sh", "-c", line], stop=stop)
        while not begun.exists():
            assert not running.done()
        stop.set()
        done = running.result()
    assert (done.ok, done.timed_out) == (False, True)
    assert not alive(int(begun.read_text()))


def test_a_program_that_has_ended_was_not_stopped() -> None:
    stop = threading.Event()
    done = run(["true"], stop=stop)
    stop.set()
    assert (done.ok, done.timed_out) == (True, False)


def test_what_a_program_leaves_behind_is_killed_too() -> None:
    done = run(["sh", "-c", "sleep 100 >/dev/null 2>&1 & echo $!"])
    assert done.ok
    assert not alive(int(done.stdout))


def test_a_leftover_that_holds_the_pipes_does_not_hold_us() -> None:
    done = run(["sh", "-c", "sleep 100 & echo $!"], timeout=30)
    assert done.ok
    assert done.seconds < 10
    assert not alive(int(done.stdout))


def alive(process: int) -> bool:
    """Whether the process still runs; one that waits for init to bury it does not, and a killed one may take a moment."""
    for _ in range(20):
        status = run(["ps", "-o", "stat=", "-p", str(process)]).stdout.strip()
        if not status or status.startswith("Z"):
            return False
    return True


def test_output_over_the_limit_keeps_its_head_and_its_tail() -> None:
    done = run([sys.executable, "-c", "print('head' + 'x' * 10**6 + 'tail')"], limit=1000)
    assert done.clipped
    assert len(done.stdout) < 1100
    assert done.stdout.startswith("head")
    assert done.stdout.endswith("tail\n")


def test_output_up_to_the_limit_is_kept_whole() -> None:
    done = run([sys.executable, "-c", "print('x' * 999)"], limit=1000)
    assert not done.clipped
    assert done.stdout == "x" * 999 + "\n"


def square(number: int) -> tuple[int, bool]:
    return number * number, number == 7


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    heard: list[tuple[int, int]] = []
    results = pool(square, range(40), workers=workers, progress=lambda done, total: heard.append((done, total)))
    assert results == [square(n) for n in range(40)]
    assert heard == [(n + 1, 40) for n in range(40)]


def process(item: int) -> int:
    return os.getpid()


def test_small_work_stays_in_this_process_and_large_work_does_not() -> None:
    assert set(pool(process, range(3), workers=2)) == {os.getpid()}
    assert os.getpid() not in pool(process, range(30), workers=2)


def failing(item: int) -> int:
    raise ValueError(item)


def test_a_bug_in_the_function_keeps_its_type() -> None:
    with pytest.raises(ValueError, match="0"):
        pool(failing, range(30), workers=2)


def test_a_long_name_of_the_temporary_folder_only_costs_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert pool(abs, range(-40, 0), workers=2) == list(range(40, 0, -1))
