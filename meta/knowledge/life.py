"""What becomes of lessons as sessions go on: merged with what is there, counted, retired, and the best of them loaded.

Which files that changes is decided by the caller; nothing is written here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from meta.knowledge import mending, repairs
from meta.knowledge.findings import identity
from meta.knowledge.lessons import MOST
from meta.model import Lesson, Segment, conversation

ALIKE = 0.85  # of the words, from which two claims are one
HARM = 2  # times that a lesson was followed in vain before it is given up
BUDGET = 2000  # characters that are loaded into every session
_QUOTE = re.compile(r" \(“[^”]*”\)")
_HEAD = "## Lessons from earlier sessions\n\nEach is told in full, with its evidence, in `knowledge/lessons/`.\n"


@dataclass(frozen=True, slots=True)
class Tried:
    """What later sessions tell of a lesson: the failure came back and was met by it, with or without success."""

    time: float
    session: str
    worked: bool


def tried(project: str, segments: Iterable[Segment]) -> dict[str, list[Tried]]:
    """The tries at the repairs of one project, by the lesson that they are."""
    found: dict[str, list[Tried]] = defaultdict(list)
    for attempt in repairs.attempts(segments):
        if attempt.failed.time is not None:
            told = Tried(attempt.failed.time, attempt.session, attempt.worked)
            found[identity(project, mending.key(attempt))].append(told)
    return found


def counted(lesson: Lesson, tries: Sequence[Tried]) -> Lesson:
    """The lesson with how often it helped and harmed since it was learned, once a conversation.

    Agents delete their sessions, so a count never falls.
    """
    later = [one for one in tries if one.time > lesson.since]
    helped = {conversation(one.session) for one in later if one.worked}
    harmed = {conversation(one.session) for one in later if not one.worked} - helped
    return replace(lesson, helped=max(lesson.helped, len(helped)), harmed=max(lesson.harmed, len(harmed)))


def merged(known: Mapping[str, Lesson], new: Iterable[Lesson]) -> dict[str, Lesson]:
    """What is known by the name of its file, with what was learned now: the same claim is one lesson with all evidence."""
    result = dict(known)
    ids = {id: name for name, lesson in known.items() for id in lesson.also}
    ids |= {lesson.id: name for name, lesson in known.items() if lesson.id}
    for lesson in new:
        name = ids.get(lesson.id) or _alike(lesson, known)
        if name:
            result[name] = _joined(result[name], lesson)
        else:
            name = lesson.slug if lesson.slug not in result else f"{lesson.slug}-{lesson.id[:6]}"
            result[name] = replace(lesson, slug=name)
            ids[lesson.id] = name
    return result


def _alike(lesson: Lesson, known: Mapping[str, Lesson]) -> str | None:
    """A lesson that says the same, such as one that a person wrote."""
    mine = re.findall(r"\w+", lesson.claim.lower())
    for name, other in known.items():
        if other.id != lesson.id and other.project in ("", lesson.project):
            theirs = re.findall(r"\w+", other.claim.lower())
            near = len(mine) <= 2 * len(theirs) <= 4 * len(mine)
            if (
                not other.id and near and SequenceMatcher(None, mine, theirs, autojunk=False).ratio() >= ALIKE
            ) or mine == theirs:
                return name
    return None


def _joined(old: Lesson, new: Lesson) -> Lesson:
    fresh = set(new.evidence)
    evidence = (*(pair for pair in old.evidence if pair not in fresh), *new.evidence)[-MOST:]
    also = tuple(dict.fromkeys((*old.also, *new.also)))
    old = replace(old, also=also, seen=max(old.seen, new.seen), expires=max(old.expires, new.expires))
    better = new.words != "" and new.id == old.id and old.words == ""
    if better:
        old = replace(old, claim=new.claim, when=new.when, words=new.words, own=new.own)
    if set(evidence) == set(old.evidence):
        return old
    if new.id in also:  # the same in other words
        return replace(old, evidence=evidence)
    if old.words and not better:  # its words stay, what they were made of is known anew
        return replace(old, own=old.own and new.claim, why=new.why, evidence=evidence)
    return replace(old, claim=new.claim, why=new.why, when=new.when, evidence=evidence)


def over(lesson: Lesson, newest: str) -> str:
    """Why a lesson is given up, "" for one that stays. `newest` is the day of its project's latest session."""
    if lesson.harmed >= HARM and lesson.harmed > lesson.helped:
        return f"followed in vain in {lesson.harmed} sessions, with success in {lesson.helped}"
    if lesson.id and lesson.expires and newest > lesson.expires and lesson.load != "yes":
        return f"not seen since {lesson.seen}"
    return ""


def contradictions(lessons: Iterable[Lesson]) -> dict[str, tuple[str, ...]]:
    """For each lesson that is not alone in its situation the others, which advise otherwise, by slug."""
    groups: dict[str, list[str]] = defaultdict(list)
    for lesson in lessons:
        if lesson.situation:
            groups[lesson.situation].append(lesson.slug)
    return {slug: tuple(o for o in group if o != slug) for group in groups.values() if len(group) > 1 for slug in group}


def worth(lesson: Lesson) -> float:
    """What a lesson is worth in a session that knows nothing: how widely it was seen, and what it did."""
    return len({conversation(session) for session, _ in lesson.evidence}) + 2 * lesson.helped - 3 * lesson.harmed


def loaded(lessons: Iterable[Lesson], budget: int = BUDGET) -> str | None:
    """The block of the best lessons for what every session loads, None where none is fit for it.

    What a program printed or a user typed is quoted in the files and left out here; a claim that is nothing without it
    is loaded only where a person said so.
    """
    chosen = sorted((one for one in lessons if _fit(one)), key=lambda one: (one.load != "yes", -worth(one), one.slug))
    kept, counts = _HEAD, Counter[str]()
    for lesson in chosen:
        line = f"\n- {brief(lesson)}"
        if len(kept) + len(line) <= budget and counts[line] == 0:
            kept += line
            counts[line] += 1
    return kept if counts else None


def _fit(lesson: Lesson) -> bool:
    if lesson.load:
        return lesson.load == "yes"
    if lesson.words and not lesson.own:  # a model thought of it, and no person said yet that it is right
        return False
    return lesson.kind != "correction" and worth(lesson) >= 2


def brief(lesson: Lesson) -> str:
    """The claim in one line, without what is quoted in it and in no model's words unless a person wants it loaded."""
    claim = lesson.claim if lesson.load == "yes" else _QUOTE.sub("", lesson.own or lesson.claim)
    return re.sub(r"\s+", " ", claim).replace("<!--", "").strip()
