"""What one session came to, for people: decisions and why, problems and what solved them, patterns, what belongs in CLAUDE.md.

A note quotes what a person typed and what was committed; it is never loaded into a session.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from meta.knowledge import corrections, failures, habits, mending, repairs, wording
from meta.knowledge.findings import day
from meta.knowledge.survival import Survival
from meta.knowledge.wording import code
from meta.model import Lesson, Segment, Session, Step
from meta.redact import residue
from meta.vetting import shown_id, visible

MOST = 12  # lines of a section
_REASON = re.compile(
    r"(?i)\b(?:because|since (?:the|we|it|this|that|they)|so that|in order to|otherwise|the reason|weil|damit|parce qu|car (?:le|la|il|on)|porque)\b"
)
_DECIDES = re.compile(
    r"(?i)\b(?:let'?s (?:use|go|do|keep|make)|(?:i|we) (?:want|prefer|decided|choose|should use|will use|'ll use)|go with|better that|option [a-z0-9] is|use option|je valide)\b"
)
UNFIT = re.compile(r"[{}<>]|https?://|/(?:home|Users)/|```")
_MARK = "<!-- written "


@dataclass(frozen=True, slots=True)
class Note:
    """What is told of one session. `patterns` are lessons, by the claim and the id by which their file is found."""

    name: str
    head: str
    patterns: tuple[tuple[str, str], ...]
    tail: str

    def text(self, files: Mapping[str, str]) -> str:
        """The note as it is written; `files` are the names of the lessons' files by id."""
        links = [
            f"{claim} ([{files[id]}](../lessons/{files[id]}.md))" if id in files else claim
            for claim, id in self.patterns
        ]
        parts = (self.head, *_section("Patterns to document", links), self.tail)
        return _marked("\n\n".join(filter(None, parts)) + "\n")


def note(
    session: Session, segments: Sequence[Segment], lessons: Iterable[Lesson], became: Survival | None = None
) -> Note | None:
    """A session's note, with what became of its commits; None where there is nothing to tell."""
    steps = [step for segment in segments for step in segment.steps]
    own = [lesson for lesson in lessons if any(shown_id(session.id) == told for told, _ in lesson.evidence)]
    decided = list(dict.fromkeys([*decisions(session), *_commits(steps)]))[:MOST]
    problems = list(dict.fromkeys([*_repaired(segments), *_edited(segments)]))[:MOST]
    said = [lesson for lesson in own if lesson.kind == "correction"]
    undone = became is not None and bool(became.reverted)
    if not (problems or said or undone or any(not line.startswith("Committed") for line in decided)):
        return None
    patterns = tuple((lesson.claim, lesson.id) for lesson in own if lesson.kind != "correction")[:MOST]
    candidates = [
        lesson.claim for lesson in own if lesson.kind == "correction" or len({told for told, _ in lesson.evidence}) > 1
    ]
    date = day(session.started) or "undated"
    head = visible("\n\n".join([
        f"# {code(session.project or 'unknown')}, {date}", f"Session {code(shown_id(session.id))} of {session.agent}.",
        *([became.line()] if became else []), *_section("Key decisions and why", decided), *_section("Problems and solutions", problems),
    ]))  # fmt: skip
    tail = visible("\n\n".join(_section("Candidates for CLAUDE.md", candidates[:MOST])))
    if residue.kinds([head, tail]):  # the lessons were looked at
        return None
    short = re.sub(r"[^a-z0-9]+", "-", session.agent.lower()).strip("-")
    digest = hashlib.sha256(session.id.encode(errors="replace")).hexdigest()[:8]
    return Note(f"{date}-{short}-{digest}", head, patterns, tail)


def _marked(text: str) -> str:
    """The text with the mark by which it is known later whether somebody edited it."""
    return f"{text}\n{_MARK}{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]} -->\n"


def edited(text: str) -> bool:
    """Whether a note is no longer as it was written."""
    body, mark, _ = text.rpartition(f"\n{_MARK}")
    return not mark or _marked(body) != text


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"## {title}"
        yield "\n".join(f"- {line}" for line in lines)


def decisions(session: Session) -> Iterator[str]:
    """Sentences of a person that decide something and say why."""
    for event in session.events:
        if event.kind != "prompt" or session.origin != "person" or len(event.text) > 4 * corrections.LONGEST:
            continue
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", event.text):
            sentence = " ".join(sentence.split())
            fits = 20 <= len(sentence) <= corrections.LONGEST and sentence.isprintable() and not UNFIT.search(sentence)
            if (
                fits
                and _DECIDES.search(sentence)
                and _REASON.search(sentence)
                and not corrections.SPEAKS.search(sentence)
            ):
                yield f"“{sentence}”"


def _commits(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if step.head == "git commit" and step.status != "failed":
            subject = habits.subject(step)
            if (
                0 < len(subject) <= 100
                and subject.isprintable()
                and not (UNFIT.search(subject) or corrections.SPEAKS.search(subject))
            ):
                yield f"Committed: “{subject}”"


def _repaired(segments: Sequence[Segment]) -> Iterator[str]:
    for attempt in repairs.repairs(segments):
        yield mending.claim(attempt)


def _edited(segments: Iterable[Segment]) -> Iterator[str]:
    """Failures after which files were edited until the same command passed."""
    for segment in segments:
        open_: dict[str, tuple[str, list[str]]] = {}
        for step in segment.steps:
            if step.kind == "edit":
                for _, files in open_.values():
                    files.append(step.head.removeprefix("edit ") if not step.words else wording.command(step))
            elif step.kind == "command" and step.effect == "work" and step.status == "failed":
                said = failures.said(step.output)
                if quote := failures.quoted(said.line) if said and not failures.transient([said.line]) else "":
                    open_.setdefault(step.line, (quote, []))
            elif step.kind == "command" and step.status == "ok" and step.line in open_:
                quote, files = open_.pop(step.line)
                if files:
                    kinds = [code(name) for name in dict.fromkeys(files)][:3]
                    yield f"{code(wording.command(step))} failed (“{quote}”) and passed after {wording.listed(kinds)} had been edited."
