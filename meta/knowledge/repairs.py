"""What made a command pass after it had failed: said otherwise, something run before it, or files edited.

What a failure says is read in `failures`; what several of these teach is told in `lessons`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from meta.knowledge import failures
from meta.knowledge.failures import Said
from meta.model import Segment, Step

AHEAD = 25  # steps after a failure in which its repair is looked for
ALIKE = 0.5  # share of its words that a command said otherwise keeps
FEW = 2  # commands between, beyond which nobody can tell which of them it was

Kind = Literal["otherwise", "before", "edit"]


@dataclass(frozen=True, slots=True)
class Repair:
    """A failed command, why it failed, and what made it pass.

    `steps` are what was done: the command said otherwise, the commands before it, or the edits. `passed` is the command
    that passed in the end; for one said otherwise the same as its step.
    """

    kind: Kind
    failed: Step
    said: Said
    steps: tuple[Step, ...]
    passed: Step
    session: str
    project: str


def repairs(segments: Iterable[Segment]) -> list[Repair]:
    """The repairs in the segments of one session, in order; what passes by itself is none."""
    done = [(segment, step) for segment in segments for step in segment.steps]
    steps = [step for _, step in done]
    found = []
    for at, (segment, step) in enumerate(done):
        said = _why(step)
        if said and (repair := _repair(steps, at, said, segment)):
            found.append(repair)
    return found


def failed(segments: Iterable[Segment]) -> list[tuple[Step, Said]]:
    """The commands of a session that failed and said why, but for what passes by itself."""
    return [(step, said) for segment in segments for step in segment.steps if (said := _why(step))]


def _why(step: Step) -> Said | None:
    if step.kind != "command" or step.status != "failed":
        return None
    said = failures.said(step.output)
    return None if said is None or failures.transient([said.line]) else said


def _repair(steps: Sequence[Step], at: int, said: Said, segment: Segment) -> Repair | None:
    broken = steps[at]
    between: list[Step] = []
    for step in steps[at + 1 : at + 1 + AHEAD]:
        if step.kind == "command" and step.status == "failed" and step.line == broken.line:
            return None  # it is that failure's turn
        if step.kind == "command" and step.status in ("ok", "unknown") and _same_aim(broken, step):
            return _told(broken, said, between, step, segment)
        between.append(step)
    return None


def _same_aim(broken: Step, step: Step) -> bool:
    """Whether a command is another try at the same: the same command, or one that keeps most of its words."""
    if step.line == broken.line:
        return True
    mine, other = ([word.text for word in one.words] for one in (broken, step))
    if step.head == broken.head:
        return len(mine) > len(broken.head.split()) or len(other) > len(step.head.split())
    shared = SequenceMatcher(None, mine, other, autojunk=False).ratio()
    return len(mine) > 1 and shared >= ALIKE and mine[1:2] == other[1:2]


def _told(broken: Step, said: Said, between: Sequence[Step], passed: Step, segment: Segment) -> Repair | None:
    def made(kind: Kind, steps: Sequence[Step]) -> Repair:
        return Repair(kind, broken, said, tuple(steps), passed, segment.session, segment.project)

    edits = [step for step in between if step.kind == "edit"]
    ran = [step for step in between if step.kind == "command" and step.effect == "work" and step.status != "failed"]
    if passed.line != broken.line and not edits:
        return made("otherwise", [passed])
    if ran and not edits and len(ran) <= FEW:
        return made("before", ran)
    if edits and passed.line == broken.line:
        return made("edit", edits)
    return None
