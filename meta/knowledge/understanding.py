"""Why a session went wrong, as far as knowledge goes: what should have been known then, what is missing, and what mends it.

A change is proposed only with a case that fails without it and passes with it; both are run here. Nothing is written.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

from meta.knowledge import documents, evals, guides, life
from meta.knowledge.evals import Case
from meta.knowledge.search import Entry, Index
from meta.knowledge.troubles import Trouble, seen_in
from meta.model import Lesson
from meta.redact import residue

Verdict = Literal[
    "no lesson", "nothing to learn from", "given up", "not found", "contradicted", "stale number", "not there yet",
    "not loaded", "not followed", "followed",
]  # fmt: skip
MEANING: Mapping[Verdict, str] = {
    "no lesson": "no lesson says it, though the sessions tell how it was mended",
    "nothing to learn from": "no lesson says it, and nobody has mended it often enough to draw one",
    "given up": "a lesson said it and was retired",
    "not found": "the lesson is there, but the words of this moment do not find it",
    "contradicted": "the lesson was followed here in vain",
    "stale number": "the lesson tells a number that the sessions no longer bear out",
    "not there yet": "the lesson came after this moment, and would be found now",
    "not loaded": "the lesson was there and could be found, but nothing showed it to the agent",
    "not followed": "the lesson was loaded into the session and not followed",
    "followed": "the lesson was there, and following it ended the trouble",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A case run against the documents as they are, and as they would be."""

    case: Case
    before: evals.Judged | None  # None: there is no such document yet
    after: evals.Judged


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files with their texts, the difference, and the case that fails before and passes after."""

    document: str
    what: str
    files: Mapping[str, str]
    diff: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class Cause:
    """One trouble with what knowledge had to say of it. `lesson` should have fired; `found` are the nearest documents."""

    trouble: Trouble
    verdict: Verdict
    lesson: str = ""
    there: bool = False
    loaded: bool = False
    found: tuple[str, ...] = ()
    advice: str = ""
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a workspace knows: all documents by name below knowledge/, its lessons by slug, what the sessions teach now.

    `there` tells whether a lesson's file was there at a time, `loaded` whether it was before the agent then; `cases` are
    the texts of case files by name.
    """

    texts: Mapping[str, str]
    lessons: Mapping[str, Lesson]
    taught: Sequence[Lesson]
    there: Callable[[Lesson, float | None], bool]
    loaded: Callable[[Lesson, float | None], bool]
    retired: Collection[str] = ()
    cases: Mapping[str, str] = field(default_factory=dict)


def causes(session: str, troubles: Iterable[Trouble], known: Known) -> list[Cause]:
    """The causes of a session's troubles; a lesson is proposed once, also where several ask for it."""
    index = Index(_entries(known.texts))
    taken: set[str] = set()
    found = []
    for trouble in troubles:
        cause = _cause(session, trouble, known, index)
        if cause.proposal and cause.proposal.document in taken:
            cause = replace(
                cause, proposal=None, advice=f"the change of {cause.proposal.document} above is for this too"
            )
        elif cause.proposal:
            taken.add(cause.proposal.document)
        found.append(cause)
    return found


def _entries(texts: Mapping[str, str]) -> list[Entry]:
    entries = []
    for name, text in texts.items():
        try:
            entries.append(Entry.of(guides.parse(text, name)))
        except guides.GuideError:  # `meta eval` tells what is wrong with it
            continue
    return entries


def _cause(session: str, trouble: Trouble, known: Known, index: Index) -> Cause:
    found = tuple(hit.name for hit in index.search(trouble.situation, evals.TOP))
    lesson = _speaking(session, trouble, known.lessons.values())
    taught = _speaking(session, trouble, known.taught)
    if lesson is None:
        if taught is None:
            return Cause(trouble, "nothing to learn from", found=found)
        if taught.id in known.retired:
            return Cause(
                trouble,
                "given up",
                taught.slug,
                found=found,
                advice="`meta undo`, or a look into knowledge/lessons/.retired/, brings it back",
            )
        return Cause(trouble, "no lesson", found=found, proposal=_new(trouble, taught, known))
    there, loaded = known.there(lesson, trouble.time), known.loaded(lesson, trouble.time)
    about = Cause(trouble, "followed", lesson.slug, there, loaded, found)
    if lesson.id in trouble.vain and trouble.fix != lesson.id:
        return replace(about, verdict="contradicted", proposal=_countered(session, trouble, lesson, known))
    if taught and taught.id == lesson.id and _stale(lesson.claim, taught.claim):
        return replace(about, verdict="stale number", proposal=_renumbered(trouble, lesson, taught, known))
    if _file(lesson.slug) not in found:
        proposal = _widened(trouble, lesson, known)
        advice = "" if proposal else "other documents lie nearer whatever its words: make one of them"
        return replace(about, verdict="not found", proposal=proposal, advice=advice)
    if not there:
        return replace(about, verdict="not there yet")
    if not loaded:
        fit = life.worth(lesson) >= 2 and lesson.load != "no"
        advice = (
            "`meta lessons --load` puts it before every session"
            if fit
            else f"`load: yes` in knowledge/{_file(lesson.slug)} and `meta lessons --load` put it before every session"
        )
        return replace(about, verdict="not loaded", advice=advice)
    if trouble.outcome == "fixed" and trouble.fix == lesson.id and len(trouble.events) == 1:
        return about
    return replace(about, verdict="not followed", advice="words did not help here: a check, a hook or a tool would")


def _speaking(session: str, trouble: Trouble, lessons: Iterable[Lesson]) -> Lesson | None:
    """The lesson that speaks of a trouble: what mended it here, else what was seen in it, else the best in its situation."""
    fitting = []
    for lesson in lessons:
        mended = bool(lesson.id) and lesson.id == trouble.fix
        own = seen_in(trouble, session, lesson.evidence)
        alike = bool(trouble.same) and lesson.situation == trouble.same
        if mended or own or alike:
            fitting.append(((mended, own, alike, life.worth(lesson), lesson.slug), lesson))
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def _file(slug: str) -> str:
    return f"lessons/{slug}.md"


def _new(trouble: Trouble, taught: Lesson, known: Known) -> Proposal | None:
    """A lesson file drawn from the evidence; its `when` takes the words of this moment where it is not found without."""
    merged = life.merged(known.lessons, [taught])
    lesson = next((one for name, one in merged.items() if name not in known.lessons), None)
    if lesson is None:  # somebody wrote the same already
        return None
    for text in (documents.dumps(lesson), documents.dumps(replace(lesson, when=_wider(lesson, trouble)))):
        made = _proposal(
            "a lesson drawn from the sessions", lesson.slug, text, Case(trouble.situation, ("claim",)), known
        )
        if made:
            return made
    return None


def _widened(trouble: Trouble, lesson: Lesson, known: Known) -> Proposal | None:
    text = _with_field(known.texts[_file(lesson.slug)], "when", _wider(lesson, trouble))
    return _proposal(
        "its `when` takes in the words of this moment", lesson.slug, text, Case(trouble.situation, ("claim",)), known
    )


def _wider(lesson: Lesson, trouble: Trouble) -> str:
    return "; or ".join(filter(None, (lesson.when.rstrip("."), trouble.situation)))


def _countered(session: str, trouble: Trouble, lesson: Lesson, known: Known) -> Proposal | None:
    """The lesson with this session as where it did not hold."""
    told = f"Followed in vain when {trouble.situation}."
    text = known.texts[_file(lesson.slug)].rstrip("\n")
    head = "" if re.search(r"(?m)^## Counter-evidence$", text) else "\n\n## Counter-evidence"
    line = f"\n- **claim**: {told} Source: session {session}, event {trouble.events[0]}.\n"
    case = Case(trouble.situation, ("claim",), holds=(told,))
    return _proposal("a counter-example", lesson.slug, f"{text}{head}{line}", case, known)


def _stale(told: str, now: str) -> bool:
    """Whether two claims differ in their numbers and in nothing else."""
    number = r"\d+(?:[.,]\d+)*"
    return told != now and re.sub(number, "N", told) == re.sub(number, "N", now)


def _renumbered(trouble: Trouble, lesson: Lesson, taught: Lesson, known: Known) -> Proposal | None:
    text = known.texts[_file(lesson.slug)]
    fresh = text.replace(lesson.claim, taught.claim).replace(json.dumps(lesson.claim), json.dumps(taught.claim))
    return _proposal(
        "the numbers as they are now",
        lesson.slug,
        fresh,
        Case(trouble.situation, ("claim",), holds=(taught.claim,)),
        known,
    )


def _with_field(text: str, name: str, value: str) -> str:
    """The document with one field of its front matter set, the rest as it is."""
    line = f"{name}: {json.dumps(value, ensure_ascii=False)}"
    changed, count = re.subn(rf"(?mi)^{name}[ \t]*:.*$", lambda _: line, text, count=1)
    if count:
        return changed
    return text.replace("---\n", f"---\n{line}\n", 1) if text.startswith("---\n") else f"---\n{line}\n---\n{text}"


def _proposal(what: str, slug: str, text: str, case: Case, known: Known) -> Proposal | None:
    """The change with its case; None where the case does not fail without it and pass with it."""
    name = _file(slug)
    old, beside = known.texts.get(name, ""), str(PurePosixPath(name).with_suffix(".cases.toml"))
    before, after = judged(case, name, known.texts), judged(case, name, {**known.texts, name: text})
    if (before and before.passed) or after is None or not after.passed or residue.kinds([text]):
        return None
    asked = known.cases.get(beside, "")
    asked_now = asked if f"say = {_quoted(case.say)}" in asked else asked + ("\n" if asked else "") + told(case)
    files = {f"knowledge/{name}": text, f"knowledge/{beside}": asked_now}
    diff = _diff(f"knowledge/{name}", old, text) + _diff(f"knowledge/{beside}", asked, asked_now)
    return Proposal(name, what, files, diff, Proof(case, before, after))


def judged(case: Case, name: str, texts: Mapping[str, str]) -> evals.Judged | None:
    """What comes of a case with these documents, None where the one that it is about is not among them."""
    if name not in texts:
        return None
    index = Index(_entries(texts))
    guide = guides.parse(texts[name], name)
    return evals.judge(guide, [case], lambda say: [hit.name for hit in index.search(say, evals.TOP)])[0]


def told(case: Case) -> str:
    """A case as it stands in its file."""
    lines = ["[[case]]", f"say = {_quoted(case.say)}", f"needs = {_quoted(list(case.needs))}"]
    lines += [f"holds = {_quoted(list(case.holds))}"] if case.holds else []
    return "\n".join(lines) + "\n"


def _quoted(value: str | list[str]) -> str:
    """A value as JSON and TOML both write it; all of it was made visible."""
    return json.dumps(value, ensure_ascii=False)


def _diff(path: str, old: str, new: str) -> str:
    before = f"a/{path}" if old else "/dev/null"
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), before, f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
