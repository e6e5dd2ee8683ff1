"""From sessions to the lessons and notes of a workspace: what is new is written, what is known is counted, what is over retired.

What a lesson is, is decided in `knowledge`; whoever archives the sessions does what is planned here, in one action.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from meta.edits import Journal
from meta.errors import UserError, did_you_mean
from meta.knowledge import documents, life, notes
from meta.knowledge import lessons as found
from meta.knowledge.findings import day
from meta.knowledge.life import Tried
from meta.knowledge.notes import Note
from meta.knowledge.survival import Survival
from meta.model import Asked, Lesson, Segment, Session
from meta.registration import actions
from meta.registration.actions import Action

if TYPE_CHECKING:
    from meta.mining.segments import Parse

LESSONS = "knowledge/lessons"
RETIRED = f"{LESSONS}/.retired"
NOTES = "knowledge/sessions"
LOADED = "AGENTS.md"
MARKER = "lessons"
_BLOCK = re.compile(
    rf"^<!-- meta:begin {MARKER} -->\r?\n(.*?)\r?\n<!-- meta:end {MARKER} -->", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the sessions of one project teach. `newest` is the day of the latest of them, `notes` tell of single sessions."""

    project: str
    newest: str
    lessons: tuple[Lesson, ...]
    tried: Mapping[str, Sequence[Tried]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    asked: Asked | None = None


Improve = Callable[[str, Sequence[Lesson], Sequence[Session], Sequence[Segment]], tuple[Sequence[Lesson], Asked]]
"""The lessons of a project as a model would have them, and what it was asked."""


def learned(
    project: str, sessions: Iterable[Session], parse: Parse, improve: Improve | None = None,
    outcomes: Mapping[tuple[str, str], Survival] = MappingProxyType({}),
) -> Learned:  # fmt: skip
    """What is to be learned in one project. Sessions that programs drove count only where there are no others.

    `outcomes` tells, by agent and id of a session, what became of its commits. Notes tell what was found in no model's
    words, so that a run without a model finds them as they should be.
    """
    from meta.mining.segments import segments  # loads the grammar, which a list of lessons does not need

    worked = [session for session in sessions if session.events and session.origin != "git"]
    by_hand = [session for session in worked if session.origin not in ("machine", "policy")] or worked
    cut = {id(session): segments(session, parse) for session in by_hand}
    every = [segment for session in by_hand for segment in cut[id(session)]]
    own = found.learned(project, by_hand, every)
    told = (notes.note(one, cut[id(one)], own, outcomes.get((one.agent, one.id))) for one in by_hand)
    lessons, asked = improve(project, own, by_hand, every) if improve else (own, None)
    newest = day(max((s.started for s in by_hand if s.started is not None), default=None))
    return Learned(project, newest, tuple(lessons), life.tried(project, every), tuple(filter(None, told)), asked)


def known(workspace: Path) -> dict[str, Lesson]:
    """The lessons of a workspace by the name of their file."""
    return {name: documents.loads(text, name) for name, text in _texts(workspace, LESSONS).items()}


def settled(workspace: Path) -> set[str]:
    """The ids of lessons whose words are a person's or a model's already, or that were given up."""
    texts = _texts(workspace, LESSONS)
    worded = [one for name, one in known(workspace).items() if one.words or documents.edited(texts[name])]
    return {id for one in worded for id in (one.id, *one.also)} | set(_gone(workspace))


def _gone(workspace: Path) -> Iterable[str]:
    return (documents.loads(text, name).id for name, text in _texts(workspace, RETIRED).items())


def _texts(workspace: Path, folder: str) -> dict[str, str]:
    if not (workspace / folder).resolve().is_relative_to(workspace.resolve()):
        raise UserError(f"{folder} leads out of this workspace. Replace the link by a folder, then run this again.")
    paths = sorted(path for path in (workspace / folder).glob("*.md") if path.stem != "README" and path.is_file())
    return {path.stem: path.read_bytes().decode(errors="surrogateescape") for path in paths}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to a workspace: files with their texts, and lessons that are retired; `new` are the new ones."""

    files: Mapping[str, str] = field(default_factory=dict)
    over: tuple[Lesson, ...] = ()
    new: tuple[Lesson, ...] = ()

    @property
    def aside(self) -> tuple[tuple[str, str], ...]:
        """The files that go with it, from where to where."""
        return tuple((f"{LESSONS}/{one.slug}.md", f"{RETIRED}/{one.slug}.md") for one in self.over)


def write(workspace: Path, plan: Plan, log: Journal) -> None:
    """Do what is planned, but for the files that are put aside."""
    for path, text in plan.files.items():
        log.write(workspace / path, text)
    _unload(workspace, log, plan.over)


def plan(workspace: Path, learned: Sequence[Learned]) -> Plan:
    """What is to be done so that a workspace holds what was learned; nothing where it does already."""
    texts = _texts(workspace, LESSONS)
    before = {name: documents.loads(text, name) for name, text in texts.items()}
    gone = set(_gone(workspace)) - {id for lesson in before.values() for id in lesson.also}
    newest = {each.project: each.newest for each in learned}
    ids = {lesson.id for lesson in before.values()}
    fresh = [
        lesson
        for each in learned
        for lesson in each.lessons
        if lesson.id not in gone and (lesson.id in ids or not life.over(lesson, each.newest))
    ]
    tries = {id: tried for each in learned for id, tried in each.tried.items()}
    after = {
        name: life.counted(one, [tried for id in (one.id, *one.also) for tried in tries.get(id, ())])
        for name, one in life.merged(before, fresh).items()
    }
    joined = {id for one in after.values() for id in one.also}
    over = tuple(
        one
        for name, one in after.items()
        if name in before and (one.id in joined or life.over(one, newest.get(one.project, "")))
    )
    files: dict[str, str] = {}
    for name, lesson in after.items():
        if lesson not in over and lesson != before.get(name):
            text = documents.updated(texts[name], lesson) if name in texts else documents.dumps(lesson)
            files[f"{LESSONS}/{name}.md"] = text
    written = _texts(workspace, NOTES)
    names = {id: name for name, one in after.items() if one not in over for id in (one.id, *one.also) if id}
    for note in (note for each in learned for note in each.notes):
        text = note.text(names)
        if note.name not in written or not (notes.edited(written[note.name]) or text == written[note.name]):
            files[f"{NOTES}/{note.name}.md"] = text
    return Plan(files, over, tuple(one for name, one in after.items() if name not in before))


def loaded(workspace: Path, project: str) -> str | None:
    """The block of the project's lessons that would be loaded into its every session, None where none is fit for it."""
    return life.loaded(one for one in known(workspace).values() if one.project in ("", project) or one.load == "yes")


def load(workspace: Path, text: str | None) -> bool:
    """Whether the block of lessons in AGENTS.md had to change; None takes it out."""
    path = workspace / LOADED
    content = path.read_text(errors="replace") if path.exists() else ""
    block = _BLOCK.search(content)
    if (block[1].replace("\r\n", "\n") if block else None) == (text.strip("\n") if text else None):
        return False
    with actions.doing(workspace, Action("load", "lessons")) as log:
        return log.block(path, MARKER, text)


def forget(workspace: Path, name: str) -> tuple[str, str]:
    """Retire one lesson: from where to where its file was moved. Raises `UserError` where there is none."""
    lessons = known(workspace)
    if name not in lessons:
        hint = did_you_mean(name, lessons)
        raise UserError(f'no lesson is called "{name}".{hint} List them with `meta lessons`.')
    source, target = f"{LESSONS}/{name}.md", f"{RETIRED}/{name}.md"
    if (workspace / target).exists():
        raise UserError(f"{target} exists already. Delete or rename it, then run this again.")
    with actions.doing(workspace, Action("forget", "lesson", aside=((source, target),))) as log:
        _unload(workspace, log, [lessons[name]])
    return source, target


def _unload(workspace: Path, log: Journal, over: Iterable[Lesson]) -> None:
    """Take retired lessons out of what is loaded; nothing else there changes without being asked for."""
    path = workspace / LOADED
    block = _BLOCK.search(path.read_text(errors="replace")) if path.is_file() else None
    lines = block[1].splitlines() if block else []
    gone = {f"- {life.brief(lesson)}" for lesson in over}
    kept = [line for line in lines if line not in gone]
    if kept != lines:
        log.block(path, MARKER, "\n".join(kept) if any(line.startswith("- ") for line in kept) else None)
