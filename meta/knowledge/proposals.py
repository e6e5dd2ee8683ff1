"""What of a model's proposals about lessons is taken: only what the lessons and the recorded facts bear out.

Words are judged, not their author: other words for a lesson keep its code, its numbers and what turns it round, and none
says more than the lesson; two lessons are one only where they say nearly the same; a new one stands on words that were
recorded, of a person or of a command that was run. What is refused is refused for a reason of a fixed list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from meta import policy
from meta.knowledge import corrections, failures, lessons, rules
from meta.knowledge.findings import Finding, Kind, Seen
from meta.knowledge.telling import Fact
from meta.knowledge.wording import code, listed
from meta.llm import UnusableError, plain
from meta.llm.lessons import New, Same, Words
from meta.model import Lesson
from meta.redact import residue

CLAIM, WHEN, WHY = 240, 160, 200  # characters
QUOTES = 4
SHORTEST, LONGEST = 8, 160  # characters of a quote
NEAR = 0.6  # of their words, from which two lessons may be one
ALIKE = 0.85  # from which a lesson is told already
STEM = 5  # letters by which forms of a word are the same

_CODE = re.compile(r"`([^`]*)`")
_ANSWERS = re.compile(r"(?:no+|nope|stop|wait)\s*[,.!:]\s*", re.IGNORECASE)
_SAID = re.compile(r" ?\(“[^”]*”\)")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
# Words that turn a claim round: other words for it hold just these.
_TURNS = re.compile(
    r"not|\w+n't|cannot|no|none|nor|nothing|without|instead|rather|before|after|until|unless|except|only|unlike|fail\w*|pass\w*|exist\w*"
    r"|miss\w*|avoid\w*|stop\w*|skip\w*|leave|leaves|out|less|more|fewer|every|each|all|first|last|never|wrong|right"
)
# Words that say nothing by themselves, in which any claim may be put.
_COMMON = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "if",
        "when",
        "where",
        "while",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "into",
        "of",
        "on",
        "onto",
        "over",
        "to",
        "through",
        "with",
        "within",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "they",
        "them",
        "their",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "do",
        "does",
        "did",
        "done",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "may",
        "might",
        "should",
        "there",
        "here",
        "then",
        "than",
        "so",
        "such",
        "because",
        "since",
        "which",
        "what",
        "who",
        "how",
        "also",
        "both",
        "same",
        "other",
        "another",
        "one",
        "two",
        "any",
        "some",
        "run",
        "runs",
        "ran",
        "running",
        "use",
        "uses",
        "used",
        "using",
        "set",
        "sets",
        "write",
        "writes",
        "written",
        "make",
        "makes",
        "made",
        "take",
        "takes",
        "give",
        "gives",
        "get",
        "gets",
        "put",
        "call",
        "calls",
        "called",
        "need",
        "needs",
        "needed",
        "want",
        "wants",
        "work",
        "works",
        "worked",
        "start",
        "starts",
        "begin",
        "keep",
        "keeps",
        "kept",
        "hold",
        "holds",
        "command",
        "commands",
        "line",
        "lines",
        "file",
        "files",
        "folder",
        "folders",
        "path",
        "paths",
        "project",
        "option",
        "options",
        "name",
        "names",
        "value",
        "values",
        "step",
        "steps",
        "time",
        "times",
        "way",
        "case",
        "thing",
        "things",
        "session",
        "sessions",
        "error",
        "errors",
        "change",
        "changes",
        "changed",
    ]
)

Holds = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """What a lesson may cite: whether a path is in the tree, and a commit in the history."""

    path: Holds
    commit: Holds


def words(proposal: Words, known: Mapping[str, Lesson], model: str) -> Lesson:
    """A lesson in the model's words, its own claim kept beside them. Raises `UnusableError`."""
    lesson = known.get(proposal.lesson)
    if lesson is None:
        raise UnusableError("there is no such lesson")
    if lesson.kind == "correction":
        raise UnusableError("a person's words stay as they were typed")
    own = " ".join([lesson.claim, lesson.when, lesson.why, _CODE.sub(" ", lesson.slug.replace("-", " "))])
    claim = _told("claim", proposal.claim, CLAIM, _spans(lesson.claim))
    when = _told("when", proposal.when, WHEN, _spans(lesson.when)).removesuffix(".")
    for told, before in ((claim, lesson.claim), (when, lesson.when)):
        if _spans(told) != _spans(before):
            raise UnusableError("the code of the lesson was changed")
        if _frame(told) != _frame(before):
            raise UnusableError("the words turn the lesson round")
        _founded(told, own)
    name = plain.name(proposal.name)
    _founded(name.replace("-", " "), own)
    return _clean(replace(lesson, slug=name, claim=claim, when=when, own=lesson.claim, words=model))


def same(proposal: Same, known: Mapping[str, Lesson]) -> Lesson:
    """The lesson that stays, with what the other was seen in. Raises `UnusableError`."""
    keep, drop = known.get(proposal.keep), known.get(proposal.drop)
    if keep is None or drop is None or keep.id == drop.id:
        raise UnusableError("there is no such lesson")
    if keep.kind != drop.kind or keep.kind == "correction" or keep.project != drop.project:
        raise UnusableError("the lessons are of different kinds")
    if keep.situation and keep.situation == drop.situation:
        raise UnusableError("the lessons advise different things for the same")
    ratio = SequenceMatcher(None, _stems(keep.claim), _stems(drop.claim), autojunk=False).ratio()
    if ratio < NEAR or not _covers(keep, drop):
        raise UnusableError("the lessons do not say the same")
    evidence = tuple(dict.fromkeys((*drop.evidence, *keep.evidence)))[-lessons.MOST :]
    return replace(
        keep, evidence=evidence, also=(*keep.also, drop.id, *drop.also), seen=max(keep.seen, drop.seen),
        expires=max(keep.expires, drop.expires), helped=max(keep.helped, drop.helped), harmed=max(keep.harmed, drop.harmed),
    )  # fmt: skip


def _covers(keep: Lesson, drop: Lesson) -> bool:
    """Whether both have the same frame, and in it commands that begin with the same program."""
    mine, other = ([word.partition(" ")[0] for word in _frame(lesson.claim)] for lesson in (keep, drop))
    return mine == other


def new(
    proposal: New, facts: Mapping[str, Fact], known: Iterable[Lesson], place: Place, project: str, model: str
) -> Lesson:
    """A lesson of the model's that the facts bear out. Raises `UnusableError`."""
    quoted = [_quoted(id, text, facts) for id, text in proposal.quotes]
    if not 0 < len(quoted) <= QUOTES:
        raise UnusableError("the lesson quotes nothing" if not quoted else "the lesson quotes too much")
    if all(fact.source == "output" for fact, _ in quoted):
        raise UnusableError("what a program printed teaches nothing")
    if any(not place.path(path) for path in proposal.paths):
        raise UnusableError("a path is not in the tree")
    if any(not place.commit(commit) for commit in proposal.commits):
        raise UnusableError("a commit is not in the history")
    run = [fact for fact, _ in quoted if fact.source == "command"]
    allowed = [fact.code for fact in run]
    claim = _told("claim", proposal.claim, CLAIM, allowed)
    when = _told("when", proposal.when, WHEN, allowed).removesuffix(".")
    why = _told("why", proposal.why, WHY, allowed)
    if any(_harmful(fact) for fact in run):
        raise UnusableError("the lesson teaches a harmful command or a way round a check")
    ground = " ".join(f"{text} {fact.code}" for fact, text in quoted)
    name = plain.name(proposal.name)
    for told in (claim, when, why, name.replace("-", " ")):
        _founded(told, ground)
    _follows(claim, quoted, facts)
    stems = _stems(claim)
    if any(SequenceMatcher(None, stems, _stems(o.claim), autojunk=False).ratio() >= ALIKE for o in known):
        raise UnusableError("a lesson says that already")
    said = listed(list(dict.fromkeys(code(f.code) if f.source == "command" else f"“{text}”" for f, text in quoted)))
    cited = [code(each) for each in (*proposal.paths, *(commit[:12] for commit in proposal.commits))]
    why = f"{why.rstrip('.')}. Recorded: {said}{f'; see {listed(cited)}' if cited else ''}."
    seen = tuple(dict.fromkeys(Seen(fact.session, fact.event, fact.time) for fact, _ in quoted))
    key = "model " + " ".join(sorted(f"{fact.session} {fact.event} {text}" for fact, text in quoted))
    kind: Kind = "failure" if any(fact.failed for fact in run) else "convention"
    newest = max((fact.time for fact, _ in quoted if fact.time is not None), default=0.0)
    made = lessons.told(project, Finding(kind, key, name.replace("-", " "), claim, why, when, seen), newest)
    return _clean(replace(made, words=model))


def _quoted(id: str, text: str, facts: Mapping[str, Fact]) -> tuple[Fact, str]:
    """The fact and what is quoted of it, where it was told just so and may stand in a document."""
    fact = facts.get(id)
    if fact is None:
        raise UnusableError("a quote is of nothing that was told")
    if text not in fact.text:
        raise UnusableError("a quote is not what was recorded")
    if not min(SHORTEST, len(fact.text)) <= len(text) <= LONGEST or not text.isprintable():
        raise UnusableError("a quote is too short or too long")
    if fact.source == "person" and (corrections.SPEAKS.search(fact.text) or re.search(r"[`<>{}|]|https?://", text)):
        raise UnusableError("a quote gives orders or holds more than words")
    if fact.source == "person" and text not in re.split(r"(?<=[.!?])\s+|\n+", fact.text.strip()):
        raise UnusableError("a quote is a piece of a sentence")
    if fact.source == "output" and text != failures.quoted(fact.text):
        raise UnusableError("a quote gives orders or holds more than words")
    return fact, text


def _harmful(fact: Fact) -> bool:
    """Whether nobody should be taught a command that was run: it deletes, spends, or goes round a check."""
    effects = policy.effects(fact.text)
    return effects.level >= policy.NEVER or bool(effects.grave) or any(map(rules.NOT_TAUGHT.search, fact.text.split()))


def _follows(claim: str, quoted: Iterable[tuple[Fact, str]], facts: Mapping[str, Fact]) -> None:
    """A claim says what was said or done, in that order: a person's words, or commands.

    Of commands the last one passed, and where others failed the claim says so and they passed after it, or were said
    otherwise by it.
    """
    quoted = list(quoted)
    run = {
        fact.code: fact for fact, _ in sorted(quoted, key=lambda one: one[0].time or 0.0) if fact.source == "command"
    }
    spans = _spans(claim)
    if spans:
        last, failed = run[spans[-1]], [run[span] for span in spans if run[span].failed]
        if spans != list(run) or last.ended != "ok" or not all(_mended(one, last, facts) for one in failed):
            raise UnusableError("the commands of the claim are not as they were run")
        if [word for word in _frame(claim) if word not in spans] != ["fail"] * bool(failed):
            raise UnusableError("the words turn round what is quoted")
        return
    said = iter(word for fact, text in quoted if fact.source == "person" for word in _telling(text))
    if not all(word in said for word in _telling(claim)):
        raise UnusableError("the words turn round what is quoted")
    if _turned(claim) != [word for fact, text in quoted if fact.source == "person" for word in _turned(text)]:
        raise UnusableError("the words turn round what is quoted")


def _mended(failed: Fact, by: Fact, facts: Mapping[str, Fact]) -> bool:
    """Whether a command that failed passed after the other one was run, or the other one is the same said otherwise."""
    mine, other = failed.text.split(), by.text.split()
    if failed.session == by.session and SequenceMatcher(None, mine, other, autojunk=False).ratio() >= NEAR:
        return True
    told = [one for one in facts.values() if one.session == by.session == failed.session]
    after = told[told.index(by) + 1 :]
    return any(one.text == failed.text and one.ended == "ok" for one in after)


def _told(field: str, text: str, most: int, allowed: Iterable[str]) -> str:
    """A sentence of plain words with pieces of code, each of which is allowed."""
    text = text.strip(" ")
    if len(text) > most or text.count("`") % 2:
        raise UnusableError(f"the {field} is too long or its code has no end")
    permitted = set(allowed)
    if any(span not in permitted for span in _spans(text)):
        raise UnusableError("the code of the lesson is none that was recorded")
    plain.text(field, _CODE.sub("that", text), most)
    return text


def _spans(text: str) -> list[str]:
    return _CODE.findall(_SAID.sub("", text))


def _plain(text: str) -> list[str]:
    return _WORD.findall(_CODE.sub(" ", _SAID.sub("", text)).lower())


def _stems(text: str) -> list[str]:
    return [word[:STEM] for word in _plain(text)]


def _turned(text: str) -> list[str]:
    """The words that turn a sentence round, but for a "no" to what was done before it."""
    return [
        word[:4]
        for word in _plain(_ANSWERS.sub("", text, count=1) if _ANSWERS.match(text) else text)
        if _TURNS.fullmatch(word)
    ]


def _telling(text: str) -> list[str]:
    """The words of a sentence that say something, by their stems."""
    return [word[:STEM] for word in _plain(text) if word not in _COMMON or _TURNS.fullmatch(word)]


def _frame(text: str) -> list[str]:
    """What a sentence hangs on, in order: its pieces of code and the words that turn it round."""
    found = re.findall(r"`([^`]*)`|([a-z]+(?:'[a-z]+)?)", _SAID.sub("", text), re.IGNORECASE)
    return [span or word.lower()[:4] for span, word in found if span or _TURNS.fullmatch(word.lower())]


def _founded(text: str, ground: str) -> None:
    """Every word that says something is one of the ground's."""
    there = {word[:STEM] for word in _WORD.findall(ground.lower())}
    for word in _plain(text):
        if word not in _COMMON and word[:STEM] not in there and not _TURNS.fullmatch(word):
            raise UnusableError("a word is of nothing that was recorded")


def _clean(lesson: Lesson) -> Lesson:
    if residue.kinds([lesson.claim, lesson.why, lesson.when, lesson.slug]):
        raise UnusableError("the lesson holds what looks like a secret")
    return lesson
