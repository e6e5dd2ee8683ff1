"""What is learned from a collection of real sessions, where it is at hand."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from meta import redact, sources
from meta.knowledge import documents, life
from meta.learning import Learned, learned
from meta.mining.shell import Reader
from meta.model import Session
from meta.redact import residue
from meta.vetting import shown_id

CORPUS = Path(os.environ.get("META_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "MANIFEST.json").exists(), reason="the corpus is not at hand"),
]


@pytest.fixture(scope="module")
def sessions() -> list[Session]:
    read = sources.combine(map(sources.read, sources.discover([CORPUS / "oh-my-posh", CORPUS / "test-framework"])))
    redactor = redact.Redactor(b"corpus")
    return [redactor.session(session) for session in sources.merge(read.sessions) if session.events]


@pytest.fixture(scope="module")
def found(sessions: list[Session]) -> list[Learned]:
    names = sorted({session.project for session in sessions})
    return [learned(name, [s for s in sessions if s.project == name], Reader({}, {})) for name in names]


def test_a_session_takes_less_than_a_second(sessions: list[Session]) -> None:
    for session in sessions:
        start = time.process_time()
        learned(session.project, [session], Reader({}, {}))
        assert time.process_time() - start < 1.0


def test_every_lesson_has_evidence_that_is_there_and_is_read_back_as_written(
    sessions: list[Session], found: list[Learned]
) -> None:
    events = {(shown_id(session.id), shown_id(event.id)) for session in sessions for event in session.events}
    lessons = [lesson for each in found for lesson in each.lessons]
    assert lessons
    for lesson in lessons:
        assert lesson.evidence
        assert set(lesson.evidence) <= events
        text = documents.dumps(lesson)
        assert documents.loads(text, lesson.slug) == lesson
        assert residue.kinds([text]) == ()


def test_what_is_loaded_quotes_no_output(found: list[Learned]) -> None:
    for each in found:
        assert "“" not in (life.loaded(each.lessons) or "")
