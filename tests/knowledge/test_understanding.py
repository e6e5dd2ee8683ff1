"""What went wrong is told with what knowledge lacked, and a change is proposed only where its case fails without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from meta.knowledge import documents, troubles, understanding
from meta.knowledge.troubles import Trouble
from meta.knowledge.understanding import Cause, Known
from meta.mining.segments import segments
from meta.model import Event, Lesson, Session
from tests.knowledge import work

REJECTED = "! [rejected] main -> main (fetch first)"
PUSHED = (
    work.failed("git push origin main", REJECTED),
    work.ran("git pull --rebase"),
    work.ran("git push origin main"),
)
UNKNOWN = "error: unrecognized option '--frob'"


def wrong(session: Session) -> list[Trouble]:
    return troubles.troubles(session, segments(session))


def known(*lessons: Lesson, taught: tuple[Lesson, ...] = (), there: bool = True, loaded: bool = False,
          texts: Mapping[str, str] | None = None, retired: frozenset[str] = frozenset()) -> Known:  # fmt: skip
    own = {f"lessons/{one.slug}.md": documents.dumps(one) for one in lessons}
    return Known(
        {**own, **(texts or {})}, {one.slug: one for one in lessons}, taught,
        lambda lesson, time: there, lambda lesson, time: loaded, retired,
    )  # fmt: skip


def cause(session: Session, about: Known) -> Cause:
    (found,) = understanding.causes(session.id, wrong(session), about)
    return found


def pushed() -> tuple[Session, Lesson]:
    session = work.session(1, *PUSHED)
    (lesson,) = work.lessons(session)
    return session, lesson


def test_a_session_in_which_all_went_well_has_no_trouble() -> None:
    assert wrong(work.session(1, work.ran("git push origin main"), work.edited("a.py"), work.ran("pytest -q"))) == []


def test_a_test_that_fails_until_the_code_is_written_is_no_trouble() -> None:
    red = work.failed("pytest -q", "FAILED a.py - AssertionError: assert 1 == 2")
    assert wrong(work.session(1, red, work.edited("a.py"), red, work.edited("a.py"), work.ran("pytest -q"))) == []


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        pytest.param(PUSHED, ["fixed"], id="mended by what ran before the second try"),
        pytest.param((work.failed("frobnicate --frob", UNKNOWN),), ["unfixed"], id="never passed"),
        pytest.param((work.failed("make x", "make: *** connection reset by peer"),), [], id="the network"),
        pytest.param((work.ran("git push"), work.said("No, never push to main.")), ["corrected"], id="put right"),
        pytest.param((work.ran("git push"), work.said("Now write the notes.")), [], id="the next task"),
    ],
)
def test_what_went_wrong_is_told_by_its_outcome(events: tuple[Event, ...], outcomes: list[str]) -> None:
    assert [one.outcome for one in wrong(work.session(1, *events))] == outcomes


def test_what_was_lost_reaches_to_the_try_that_passed() -> None:
    (trouble,) = wrong(work.session(1, work.ran("ls"), *PUSHED, work.ran("git status")))
    assert (trouble.calls, trouble.seconds) == (3, 3.0)


def test_where_no_lesson_is_one_is_proposed_whose_case_fails_without_it() -> None:
    session, lesson = pushed()
    found = cause(session, known(taught=(lesson,)))
    assert found.verdict == "no lesson"
    assert found.proposal
    assert found.proposal.proof.before is None
    assert found.proposal.proof.after.passed
    text = found.proposal.files[f"knowledge/lessons/{lesson.slug}.md"]
    assert documents.loads(text, lesson.slug).id == lesson.id
    assert "+claim:" in found.proposal.diff


def test_what_nobody_mended_teaches_nothing() -> None:
    found = cause(work.session(1, work.failed("frobnicate --frob", UNKNOWN)), known())
    assert (found.verdict, found.proposal) == ("nothing to learn from", None)


def test_a_lesson_that_was_retired_is_not_proposed_again() -> None:
    session, lesson = pushed()
    found = cause(session, known(taught=(lesson,), retired=frozenset([lesson.id])))
    assert (found.verdict, found.proposal) == ("given up", None)


def crowd(lesson: Lesson) -> dict[str, str]:
    """Documents that lie nearer to the situation than a lesson with other words."""
    near = replace(lesson, id="", situation="", evidence=(), when="a push is due")
    return {
        f"lessons/near-{n}.md": documents.dumps(replace(near, claim=f"Push git origin main {n}.")) for n in range(4)
    }


def test_a_lesson_that_is_not_found_gets_the_words_of_the_moment_and_is_found_then() -> None:
    session, lesson = pushed()
    other = replace(lesson, when="something else is wanted", claim="Bring the branch up to date.", why="It helps.")
    found = cause(session, known(other, texts=crowd(lesson)))
    assert found.verdict == "not found"
    assert found.proposal
    before, after = found.proposal.proof.before, found.proposal.proof.after
    assert before
    assert (before.passed, after.passed) == (False, True)
    assert '+when: "something else is wanted; or `git push origin main` fails' in found.proposal.diff


def test_where_no_words_make_a_lesson_found_nothing_is_proposed() -> None:
    session, lesson = pushed()
    other = replace(lesson, when="something else is wanted", claim="Bring the branch up to date.", why="It helps.")
    same = {
        f"lessons/near-{n}.md": documents.dumps(replace(lesson, id="", situation="", evidence=())) for n in range(4)
    }
    found = cause(session, known(other, texts=same))
    assert (found.verdict, found.proposal) == ("not found", None)
    assert "nearer" in found.advice


def test_a_lesson_followed_in_vain_gets_a_counter_example() -> None:
    _, lesson = pushed()
    vain = work.session(2, PUSHED[0], PUSHED[1], PUSHED[0])
    found = cause(vain, known(lesson))
    assert found.verdict == "contradicted"
    assert found.proposal
    assert "+## Counter-evidence" in found.proposal.diff
    assert found.proposal.proof.before
    assert found.proposal.proof.before.missing
    text = found.proposal.files[f"knowledge/lessons/{lesson.slug}.md"]
    again = replace(known(lesson), texts={f"lessons/{lesson.slug}.md": text})
    assert cause(vain, again).proposal is None


def test_a_number_that_is_stale_is_replaced_and_one_that_holds_is_not() -> None:
    session, lesson = pushed()
    then, now = replace(lesson, claim="A push takes 40 seconds."), replace(lesson, claim="A push takes 90 seconds.")
    found = cause(session, known(then, taught=(now,)))
    assert found.verdict == "stale number"
    assert found.proposal
    assert '+claim: "A push takes 90 seconds."' in found.proposal.diff
    assert cause(session, known(then, taught=(then,))).verdict != "stale number"
    assert cause(session, known(then, taught=(replace(now, claim="Pull first."),))).verdict != "stale number"


@pytest.mark.parametrize(
    ("there", "loaded", "verdict"),
    [(False, False, "not there yet"), (True, False, "not loaded"), (True, True, "followed")],
)
def test_a_lesson_that_says_it_is_judged_by_whether_the_agent_could_know_it(
    there: bool, loaded: bool, verdict: str
) -> None:
    session, lesson = pushed()
    found = cause(session, known(lesson, taught=(lesson,), there=there, loaded=loaded))
    assert (found.verdict, found.proposal) == (verdict, None)


def test_a_lesson_before_the_agent_while_the_failure_came_twice_was_not_followed() -> None:
    _, lesson = pushed()
    twice = work.session(3, PUSHED[0], PUSHED[0], *PUSHED[1:])
    assert cause(twice, known(lesson, loaded=True)).verdict == "not followed"


def test_the_machine_and_its_people_are_not_named() -> None:
    line = "git apply x"
    (trouble,) = wrong(
        work.session(1, work.failed(line, f"error: {work.ROOT}/a/b.py cannot be opened, /home/bob/c does not exist"))
    )
    assert "/home/" not in trouble.what + trouble.situation
