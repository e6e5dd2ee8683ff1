"""Lessons as a model would have them: it is asked about what was found, and what it proposes is taken or refused.

Who asks it, and what that costs, is the caller's business; which proposals hold is decided in `proposals`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from meta.knowledge import life, proposals, telling
from meta.knowledge.proposals import Place
from meta.knowledge.telling import Facts
from meta.llm import Answer, Question, UnusableError
from meta.llm import lessons as form
from meta.llm.lessons import New, Same, Words
from meta.model import Asked, Lesson, Segment, Session
from meta.redact import residue

TOLD = 60  # lessons that are told with every question, those worth most
TOGETHER = form.MOST  # lessons whose words are asked for at once
MOST_NEW = 3  # new lessons of one answer

Asking = Callable[[Sequence[Question]], Iterable[Answer]]
"""The answers to questions, in order."""


def advised(
    project: str, found: Sequence[Lesson], sessions: Sequence[Session], segments: Sequence[Segment],
    ask: Asking, place: Place, model: str, settled: Collection[str] = (),
) -> tuple[list[Lesson], Asked]:  # fmt: skip
    """The lessons of a project, those `settled` in the words they have, and what was asked for them."""
    lessons = {lesson.id: lesson for lesson in found}
    told = [one for one in sorted(found, key=lambda one: (-life.worth(one), one.slug)) if _tellable(one)][:TOLD]
    context = telling.lessons(told)
    open_ = [one.id for one in told if one.id not in settled and one.kind != "correction"]
    chunks = [open_[at : at + TOGETHER] for at in range(0, len(open_), TOGETHER)]
    subjects: list[Facts | list[str]] = [*chunks, *telling.questions(sessions, segments, found)]
    questions = [
        form.question(context, one.text() if isinstance(one, Facts) else _about(one, lessons)) for one in subjects
    ]
    taken, refused = Counter[str](), Counter[str]()
    for subject, answer in zip(subjects, ask(questions), strict=True):
        if isinstance(answer, UnusableError):
            refused[str(answer)] += 1
            continue
        fresh = 0
        for proposal in form.proposals(answer):
            try:
                if isinstance(proposal, str):
                    raise UnusableError(proposal)
                if isinstance(proposal, New) and fresh == MOST_NEW:
                    raise UnusableError("the answer holds too many proposals")
                taken[_took(proposal, subject, lessons, place, project, model)] += 1
                fresh += isinstance(proposal, New)
            except UnusableError as reason:
                refused[str(reason)] += 1
    return list(lessons.values()), Asked(len(questions), taken=taken, refused=refused)


def _tellable(lesson: Lesson) -> bool:
    return lesson.kind != "correction" and not residue.kinds([lesson.claim, lesson.when])


def _about(ids: Iterable[str], lessons: Mapping[str, Lesson]) -> str:
    chosen = telling.lessons([lessons[id] for id in ids])
    return f"The words of these lessons, and which of them are the same:\n{chosen}"


def _took(
    proposal: Words | Same | New, subject: Facts | list[str], lessons: dict[str, Lesson], place: Place, project: str, model: str
) -> str:  # fmt: skip
    """What was done to the lessons, by its kind. Raises `UnusableError` where nothing was."""
    if isinstance(proposal, New):
        if not isinstance(subject, Facts):
            raise UnusableError("that was not asked for")
        made = proposals.new(proposal, subject.told, lessons.values(), place, project, model)
        lessons[made.id] = _named(made, lessons)
        return "new"
    if isinstance(subject, Facts):
        raise UnusableError("that was not asked for")
    if isinstance(proposal, Words):
        if proposal.lesson not in subject or proposal.lesson not in lessons or lessons[proposal.lesson].words:
            raise UnusableError("that was not asked for")
        made = proposals.words(proposal, lessons, model)
        lessons[made.id] = _named(made, lessons)
        return "words"
    made = proposals.same(proposal, lessons)
    lessons[made.id] = made
    del lessons[proposal.drop]
    return "same"


def _named(lesson: Lesson, others: dict[str, Lesson]) -> Lesson:
    taken = any(one.slug == lesson.slug and one.id != lesson.id for one in others.values())
    return replace(lesson, slug=f"{lesson.slug}-{lesson.id[:6]}") if taken else lesson


def one_by_one(ask: Callable[[Question], object]) -> Asking:
    """Questions asked one after another; what one of them comes to does not stop the others."""

    def asked(questions: Sequence[Question]) -> Iterator[Answer]:
        for question in questions:
            try:
                yield ask(question)
            except UnusableError as reason:
                yield reason

    return asked
