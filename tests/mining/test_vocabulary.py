"""A project's own programs have sub-commands where their first words recur, and values where they do not."""

from itertools import permutations

import pytest

from meta.mining.segments import segments
from meta.mining.vocabulary import learned
from meta.model import Event, Segment, Session


def worked(*calls: str, times: int = 3) -> list[Segment]:
    """The segments of sessions in each of which the calls were made; `{n}` in a call is the session's number."""
    sessions = (
        Session("a", f"s{n}", tuple(Event(f"{n}.{k}", "call", text=call.format(n=n), tool_kind="shell", status="ok") for k, call in enumerate(calls)))
        for n in range(times)
    )  # fmt: skip
    return [segment for session in sessions for segment in segments(session)]


def heads(found: list[Segment]) -> list[str]:
    return sorted({step.head for segment in learned(found) for step in segment.steps})


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (("./bin/jobctl submit --file {n}", "jobctl wait {n}"), ["jobctl submit", "jobctl wait"]),
        (("pybabel extract -o a .", "timeout 9 pybabel compile -d b"), ["pybabel compile", "pybabel extract"]),
        (("A=1 jobctl submit 2>&1 | tail", "cd x && jobctl wait"), ["jobctl submit", "jobctl wait"]),
        (("tools/dev up", "tools/dev db:seed"), ["tools/dev db:seed", "tools/dev up"]),
    ],
)
def test_words_that_recur_behind_a_program_are_its_sub_commands(calls: tuple[str, ...], expected: list[str]) -> None:
    assert heads(worked(*calls)) == expected


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(("frob file{n}",), id="file names"),
        pytest.param(("frob feature-{n}", "frob fix-{n}"), id="branches that differ"),
        pytest.param(("frob main",), id="a branch that is always the same"),
        pytest.param(("frob staging", "frob production"), id="places to deploy to"),
        pytest.param(("frob notes.txt", "frob Makefile"), id="files with a suffix or capitals"),
        pytest.param(("frob src", "cat src/a.py"), id="a folder"),
        pytest.param(("frob --fix src", "frob -v build"), id="flags"),
        pytest.param(("frob $build", "frob 'build'", 'frob "build all"'), id="what is not bare"),
        pytest.param(("frob",), id="nothing"),
    ],
)
def test_values_behind_a_program_are_not(calls: tuple[str, ...]) -> None:
    assert [head for head in heads(worked(*calls)) if head.startswith("frob")] == ["frob"]


@pytest.mark.parametrize("program", ["rm", "mkdir", "ssh", "curl", "pytest", "tar", "kill"])
def test_plain_utilities_have_none(program: str) -> None:
    assert all(head == program for head in heads(worked(f"{program} build", f"{program} cache")))


def test_two_uses_or_one_session_are_no_habit() -> None:
    assert heads(worked("frob build", times=2)) == ["frob"]
    assert heads(worked("frob build", "frob build", "frob build", times=1)) == ["frob"]


def test_many_words_that_were_used_once_leave_a_program_as_it_was() -> None:
    assert heads(worked("frob build", "frob x{n}a", "frob y{n}b")) == ["frob"]


def test_what_is_learned_does_not_depend_on_the_order_of_sessions() -> None:
    found = worked("frob build --all", "frob ship {n}", "frob {n}")
    expected = {segment.session: segment for segment in learned(found)}
    for order in permutations(found):
        assert {segment.session: segment for segment in learned(order)} == expected


def test_only_the_head_changes() -> None:
    found = worked("frob build --all")
    assert [step.line for segment in learned(found) for step in segment.steps] == ["frob build --all"] * 3
