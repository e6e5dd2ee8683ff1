"""The lessons of one project: what was found in its sessions, each told once with all its evidence, fit to be written.

How a lesson is written down and what becomes of it is told in `documents` and `life`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from meta.knowledge import corrections, costs, habits, mending, repairs, slips
from meta.knowledge.findings import Finding, day, identity
from meta.model import Lesson, Segment, Session
from meta.redact import residue
from meta.vetting import shown_id, visible

BELIEVED = timedelta(days=365)  # after the last time it was seen
MOST = 40  # pieces of evidence that are kept, the latest
_LONGEST = 60  # characters of a slug


def learned(project: str, sessions: Sequence[Session], segments: Sequence[Segment]) -> list[Lesson]:
    """The lessons in the sessions of one project, given with all their segments; what holds a secret is left out."""
    newest = max((e.time for session in sessions for e in session.events if e.time is not None), default=0.0)
    found = [
        *mending.mended(repairs.repairs(segments)),
        *habits.habits(sessions, segments),
        *costs.costs(segments),
        *slips.slips(sessions),
        *corrections.corrections(sessions, segments),
    ]
    lessons: dict[str, Lesson] = {}
    for finding in found:
        lesson = told(project, finding, newest)
        if not residue.kinds([lesson.claim, lesson.why, lesson.when, lesson.check, lesson.slug]):
            lessons.setdefault(lesson.id, lesson)
    return _named(list(lessons.values()))


def told(project: str, finding: Finding, newest: float) -> Lesson:
    """A finding as a lesson. `newest` is the time of the latest event that is known."""
    evidence = dict.fromkeys((shown_id(one.session), shown_id(one.event)) for one in finding.seen)
    times = [one.time for one in finding.seen if one.time is not None]
    last = day(max(times, default=None))
    expires = (datetime.fromtimestamp(max(times), UTC) + BELIEVED).strftime("%Y-%m-%d") if times else ""
    return Lesson(
        slug(finding.title), visible(finding.claim), visible(finding.why), visible(finding.when), tuple(evidence)[-MOST:],
        id=identity(project, finding.key), kind=finding.kind, project=project,
        situation=identity(project, finding.situation) if finding.situation else "", check=finding.check,
        seen=last, expires=expires, since=newest,
    )  # fmt: skip


def slug(title: str) -> str:
    """A title as the name of a file."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    name = ""
    for word in words:
        if len(name) + len(word) >= _LONGEST:
            break
        name += f"-{word}" if name else word
    return name or "lesson"


def _named(lessons: Sequence[Lesson]) -> list[Lesson]:
    """The lessons with names of their own: of those that share one, the later carry a piece of their id."""
    taken: set[str] = set()
    named = []
    for lesson in lessons:
        name = lesson.slug if lesson.slug not in taken else f"{lesson.slug}-{lesson.id[:6]}"
        taken.add(name)
        named.append(replace(lesson, slug=name))
    return named
