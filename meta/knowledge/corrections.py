"""What a person put right: a prompt after the agent's work that says what holds instead, and what it contradicted.

Wishes for the task at hand are none: only words that hold for the next time too are kept, as they were typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from meta.knowledge import wording
from meta.knowledge.findings import Finding, Seen, span
from meta.model import Event, Segment, Session

LEAST = 15
LONGEST = 160  # characters of a sentence that is quoted
ALIKE = 0.8  # of the words, from which two corrections are one

# A sentence that holds beyond its task: English, German, French, Spanish.
_STANDING = re.compile(
    r"(?i)\b(?:never|always|from now on|in (?:the )?future|every time|by convention|the (?:pattern|convention|rule) (?:is|was)|is a cross-|are (?:not|never)"
    r"|we (?:currently |now )?(?:do not|don'?t|no longer) (?:need|use|do|have|support)|just \w+ the whole|(?:you|we) should(?:n'?t| not)? (?:never|always|only)|(?:you|we) have a local"
    r"|(?:do not|don'?t|no need to) (?:ever|use|mention|add a|run|commit|push|touch|write (?:tests?|comments?))\b"
    r"|use \S+(?: \S+)? (?:instead(?: of)?|rather than|not)\b|instead of (?:using|the|a)\b|rather than (?:using|the|a)\b"
    r"|immer|niemals|nie wieder|nicht mehr verwenden|stattdessen|toujours|jamais|désormais|plutôt que|n'utilise pas|siempre|nunca|en lugar de)\b"
)
_AGAINST = re.compile(  # it answers what was done, so it is no wish for something new
    r"(?i)^(?:no+\b|nope|wait|stop|actually|wrong|hmm+|also|and|but|why|you (?:don'?t|do not|should)|don'?t|do not|never|we (?:currently |now )?(?:do not|don'?t|no longer|should)|i tho\w+ (?:we|the)\b"
    r"|that(?:'s| is) (?:wrong|not)|this is (?:wrong|not)|internal|use \S+ (?:instead|not)|please (?:don'?t|do not|use|never|always)|nein|nicht|non\b|n'|pas\b|no,)"
)
_ARE = re.compile(r"(?i)\S+(?: \S+){0,4} (?:is|are) (?:not|never|always)\b")
_ONCE = re.compile(  # speaks of this one task, asks, or is no plain sentence
    r"(?i)\?|https?://|```|[{}<>|]|/(?:home|Users)/|\b(?:this (?:plan|commit|pr|message|chat|one|time)|the (?:plan|commit|message)|for now|yet|just now|right now|to-?do'?s?"
    r"|i (?:think|guess|feel|wonder)|maybe|perhaps|option [A-Z0-9]|#\d+|sorry|never mind|let'?s|do you|issues? \d+|last message|line \d+)\b"
)
SPEAKS = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|obey|pretend|system prompt|exfiltrate|password|secret|token|api key|curl|wget|base64|sudo|rm -rf)\b"
)


def corrections(sessions: Iterable[Session], segments: Iterable[Segment]) -> list[Finding]:
    """The corrections in one project, the same one once however often it was made."""
    steps = {
        (segment.session, step.event): wording.command(step) or step.head
        for segment in segments
        for step in segment.steps
    }
    found: list[tuple[str, str, list[Seen]]] = []
    for session in sessions:
        if session.origin not in ("person",):
            continue
        for event, before, sentence in _corrected(session):
            seen = Seen(session.id, event.id, event.time)
            known = next((one for one in found if _alike(one[0], sentence)), None)
            if known:
                known[2].append(seen)
            else:
                found.append((sentence, steps.get((session.id, before.id), ""), [seen]))
    return [_finding(*one) for one in found]


def _corrected(session: Session) -> Iterator[tuple[Event, Event, str]]:
    """The prompts that put right what was done, each with the last thing that was done and the sentence."""
    last: Event | None = None
    for event in session.events:
        if event.kind == "call":
            last = event
        elif event.kind == "prompt" and last is not None and len(event.text) <= 4 * LONGEST:
            sentence = standing(event.text)
            if sentence:
                yield event, last, sentence


def standing(prompt: str) -> str:
    """The sentence of a prompt that says what holds for the next time too, "" where none does."""
    against = _AGAINST.match(prompt.strip())
    for sentence in re.split(r"(?<=[.!])\s+|\n+", prompt.strip()):
        sentence = " ".join(sentence.split())
        answers = against or (len(prompt) <= 2 * LONGEST and _AGAINST.match(sentence)) or _ARE.match(sentence)
        fits = LEAST <= len(sentence) <= LONGEST and sentence.isprintable() and _STANDING.search(sentence)
        if answers and fits and not (_ONCE.search(sentence) or SPEAKS.search(sentence)):
            return sentence
    return ""


def _alike(one: str, other: str) -> bool:
    mine, theirs = (re.findall(r"\w+", text.lower()) for text in (one, other))
    return SequenceMatcher(None, mine, theirs, autojunk=False).ratio() >= ALIKE


def _finding(sentence: str, before: str, seen: list[Seen]) -> Finding:
    words = re.findall(r"[^\W_]+", sentence.lower())
    title = " ".join([word for word in words if re.fullmatch(r"[a-z]{3,}", word)][:6]) or "correction"
    after = f" after {wording.code(before)}" if before else ""
    return Finding(
        "correction", f"said {' '.join(sorted(set(words)))}", title,
        f"The user put right: “{sentence}”", f"Said {span(seen)}{after}.", f"work like {wording.code(before)} is done" if before else "work of the same kind is done", tuple(seen),
    )  # fmt: skip
