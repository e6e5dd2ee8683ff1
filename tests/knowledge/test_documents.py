"""Lessons as files that people edit, and what becomes of them later."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.knowledge import documents, life
from meta.knowledge.life import Tried
from meta.model import Lesson

LESSON = Lesson(
    "push-after-pull", "When `git push` fails (“! [rejected]”), run `git pull` first.", "It failed twice.", "`git push` fails",
    (("s0", "s0-1"), ("s1", "s1-1")), id="abcdef012345", project="shop", situation="00ff", check="test -e 'a: b'",
    seen="2026-09-21", expires="2027-03-20", since=1_790_000_000.5,
)  # fmt: skip
NEW = replace(LESSON, evidence=(*LESSON.evidence, ("s2", "s2-1")), helped=2, seen="2026-10-01", expires="2027-03-30")


def test_a_lesson_is_read_back_as_it_was_written_and_is_not_taken_for_edited() -> None:
    text = documents.dumps(LESSON)
    assert documents.loads(text, LESSON.slug) == LESSON
    assert not documents.edited(text)
    assert documents.updated(text, LESSON) == text
    assert documents.updated(text, NEW) == documents.dumps(NEW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# When", "# Whenever"),
        ("**Why:**", "**Why:** Because of the office.\n\n**Why:**"),
        ("kind: failure", "kind: failure\nowner: ann"),
        ("claim: ", "claim: 'I say so' # "),
        ("---\n\n#", "---\n\nSee also the wiki.\n\n#"),
        ("\n", "\r\n"),
    ],
)
def test_what_a_person_changed_stays_and_our_fields_are_kept_up_to_date(before: str, after: str) -> None:
    edited = documents.dumps(LESSON).replace(before, after)
    updated = documents.updated(edited, NEW)
    assert after in updated
    read = documents.loads(updated, LESSON.slug)
    assert (read.helped, read.evidence, read.expires) == (2, NEW.evidence, NEW.expires)
    assert documents.updated(updated, NEW) == updated


def test_a_note_of_a_person_without_any_field_is_a_lesson_with_its_heading_as_the_claim() -> None:
    lesson = documents.loads("# Never deploy on a Friday\n\nWe tried.\n", "friday")
    assert (lesson.claim, lesson.id, lesson.evidence) == ("Never deploy on a Friday", "", ())


@given(st.text(max_size=300))
def test_any_file_can_be_read_and_brought_up_to_date_once(text: str) -> None:
    documents.loads(text, "x")
    once = documents.updated(text, NEW)
    assert documents.updated(once, NEW) == once
    assert documents.loads(once, "x").evidence == NEW.evidence


@given(st.text(max_size=80), st.text(max_size=80), st.integers(0, 99))
def test_any_claim_is_read_back(claim: str, why: str, helped: int) -> None:
    lesson = replace(LESSON, claim=claim or "x", why=why, helped=helped)
    assert (
        documents.loads(documents.dumps(lesson), LESSON.slug).claim,
        documents.loads(documents.dumps(lesson), "").helped,
    ) == (claim or "x", helped)


# -- life --------------------------------------------------------------------------------------------------------------


def test_the_same_lesson_from_other_sessions_is_one_with_all_evidence() -> None:
    merged = life.merged({"mine": replace(LESSON, slug="mine")}, [replace(LESSON, evidence=(("s9", "e"),))])
    assert list(merged) == ["mine"]
    assert merged["mine"].evidence == (*LESSON.evidence, ("s9", "e"))


def test_a_lesson_that_a_person_wrote_in_the_same_words_is_not_written_again() -> None:
    own = Lesson("own", LESSON.claim.replace("first", "before"), "", "", ())
    assert list(life.merged({"own": own}, [LESSON])) == ["own"]


def test_another_claim_is_another_lesson_also_where_its_name_is_taken() -> None:
    other = replace(LESSON, id="fedcba", claim="Run `make` in `src`.")
    assert set(life.merged({LESSON.slug: LESSON}, [other])) == {LESSON.slug, f"{LESSON.slug}-fedcba"}


def test_a_failure_that_comes_back_and_is_met_by_the_lesson_counts_once_a_conversation() -> None:
    later = LESSON.since + 1
    tries = [
        Tried(later, "s5", True),
        Tried(later, "s5/sub", True),
        Tried(later, "s6", False),
        Tried(LESSON.since - 1, "s0", True),
    ]
    counted = life.counted(LESSON, tries)
    assert (counted.helped, counted.harmed) == (1, 1)
    assert life.counted(counted, []) == counted, "a count fell when the sessions were gone"


@pytest.mark.parametrize(
    ("lesson", "newest", "gone"),
    [
        (LESSON, "2026-12-01", False),
        (LESSON, "2027-06-01", True),
        (replace(LESSON, load="yes"), "2027-06-01", False),
        (replace(LESSON, id=""), "2027-06-01", False),
        (replace(LESSON, harmed=2, helped=1), "2026-12-01", True),
        (replace(LESSON, harmed=2, helped=5), "2026-12-01", False),
        (replace(LESSON, harmed=1), "2026-12-01", False),
    ],
)
def test_a_lesson_is_given_up_that_harms_or_is_seen_no_more_while_work_goes_on(
    lesson: Lesson, newest: str, gone: bool
) -> None:
    assert bool(life.over(lesson, newest)) is gone


def test_lessons_for_the_same_situation_are_shown_as_contradicting() -> None:
    other = replace(LESSON, slug="other", id="1")
    alone = replace(LESSON, slug="alone", id="2", situation="11")
    assert life.contradictions([LESSON, other, alone]) == {LESSON.slug: ("other",), "other": (LESSON.slug,)}


def test_what_is_loaded_is_short_quotes_nothing_and_the_best_comes_first() -> None:
    many = [
        replace(LESSON, slug=f"l{n}", claim=f"When `git push` fails (“ignore {n}”), run `make part-{n}`.")
        for n in range(200)
    ]
    best = replace(LESSON, claim="Run `pnpm test`.", helped=9)
    said_ = replace(LESSON, kind="correction", claim="The user put right: “never”", helped=99)
    once = replace(LESSON, claim="Run `once`.", evidence=(("s", "e"),))
    text = life.loaded([*many, best, said_, once]) or ""
    assert len(text) <= life.BUDGET
    assert text.splitlines()[4] == "- Run `pnpm test`."
    assert not any(word in text for word in ("ignore", "never", "once", "“"))


def test_a_person_decides_what_is_loaded_and_nothing_is_where_nothing_is_fit() -> None:
    said_ = replace(LESSON, kind="correction", claim="The user put right: “never”", load="yes")
    assert "“never”" in (life.loaded([said_]) or "")
    assert life.loaded([replace(LESSON, load="no")]) is None
    assert life.loaded([]) is None
