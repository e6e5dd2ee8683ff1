"""What made a command pass after it had failed: said otherwise, something run before it, or a file set right.

What a failure says is read in `failures`, what is said otherwise in `rules`; what several of these teach is told in
`lessons`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from meta.knowledge import failures, rules, wording
from meta.knowledge.failures import Said
from meta.knowledge.rules import Rule
from meta.model import Segment, Step
from meta.vetting import is_name

AHEAD = 25  # steps after a failure in which its repair is looked for
ALIKE = 0.5  # share of its words that a command said otherwise keeps
FEW = 2  # commands between, beyond which nobody can tell which of them it was
SILENT = Said("", "")  # it failed and did not say why

# What changes the state that a command finds, so that it may pass afterwards.
_PREPARES = re.compile(
    r"(?:.*[ /:-])?(?:install|ci|sync|build|compile|generate|codegen|pull|fetch|checkout|switch|init|migrate|start|up|mkdir|chmod"
    r"|login|restore|clone|link|setup|stash|add|rebase|update|upgrade|download|create|export|enable)(?::\w+)?"
)
_LOOKS = frozenset(
    ["rg", "grep", "ls", "cat", "sed", "head", "tail", "find", "wc", "fd", "tree", "stat", "file", "awk", "jq"]
)
_MENDS = re.compile(r"(?:sed -i|perl -p?i|perl -pi|chmod|dos2unix|touch|ln -s)\b")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A failed command, why it failed, and what was done about it: by `rule`, ending in the try `passed`.

    `worked` tells whether that try passed.
    """

    failed: Step
    said: Said
    rule: Rule
    passed: Step
    session: str
    project: str
    worked: bool = True


def repairs(segments: Iterable[Segment]) -> list[Attempt]:
    """What made the failures in the segments of one session pass, in order; what passes by itself is none."""
    found: dict[tuple[str, int], Attempt] = {}
    for attempt in attempts(segments):
        if attempt.worked:
            found.setdefault((attempt.failed.event, attempt.failed.position), attempt)
    return list(found.values())


def attempts(segments: Iterable[Segment]) -> list[Attempt]:
    """All that was tried about the failures of one session until it worked."""
    done = [(segment, step) for segment in segments for step in segment.steps]
    steps = [step for _, step in done]
    return [
        Attempt(step, said, rule, then, segment.session, segment.project, worked)
        for at, (segment, step) in enumerate(done)
        if (said := _why(step))
        for rule, then, worked in _tries(steps, at, said)
    ]


def failed(segments: Iterable[Segment]) -> list[tuple[Step, Said]]:
    """The commands of a session that failed, and what they said, but for what passes by itself."""
    return [(step, said) for segment in segments for step in segment.steps if (said := _why(step))]


def _why(step: Step) -> Said | None:
    if step.kind != "command" or step.status != "failed" or rules.asks_for_help(step):
        return None
    said = failures.said(step.output)
    if said is None and step.head in _LOOKS:  # a search that finds nothing has not failed
        return None
    return None if failures.transient([said.line if said else step.output[-failures.LONGEST :]]) else said or SILENT


def _tries(steps: Sequence[Step], at: int, said: Said) -> Iterator[tuple[Rule, Step, bool]]:
    """The tries at the same as the failed command that a rule leads to, up to the first that worked."""
    broken = steps[at]
    between: list[Step] = []
    for step in steps[at + 1 : at + 1 + AHEAD]:
        if step.kind == "command" and not rules.asks_for_help(step) and _same_aim(broken, step, said):
            worked = _passed(step, said)
            if rule := _rule(broken, step, said, between):
                yield rule, step, worked
            if worked or (rules.same(broken, step) and failures.said(step.output) == said):
                return
        between.append(step)


def _passed(step: Step, said: Said) -> bool:
    """Whether a try passed, or at least failed of something else than a thing that was missing."""
    if step.status == "ok":
        return True
    now = failures.said(step.output)
    return now is None if step.status == "unknown" else said.absent and (now is None or now.line != said.line)


def _same_aim(broken: Step, step: Step, said: Said) -> bool:
    """Whether a command is another try at the same: the same command, or one that keeps most of its words."""
    if broken.line == step.line:
        return True
    if " - " in f"{broken.head} " or " - " in f"{step.head} ":
        return False
    mine, other = ([word.text for word in one.words] for one in (broken, step))
    if broken.head in _LOOKS:
        return rules.rule(broken, step, said) is not None
    if broken.head == step.head:
        own = len(broken.head.split())
        return (
            SequenceMatcher(None, mine[own:], other[own:], autojunk=False).ratio() >= ALIKE
            or max(len(mine), len(other)) <= own + 2
        )
    return rules.rule(broken, step, said) is not None


def _rule(broken: Step, step: Step, said: Said, between: Sequence[Step]) -> Rule | None:
    edits = [one for one in between if one.kind == "edit"]
    if not edits and not rules.same(broken, step):
        return rules.rule(broken, step, said)
    if edits:
        return _mended(edits)
    ran = [one for one in between if one.kind == "command" and one.effect == "work"]
    if not ran and all(one.kind == "read" or one.effect != "work" for one in between) and rules.same(broken, step):
        return Rule("again", "", "")
    if not 0 < len(ran) <= FEW or any(one.status == "failed" for one in ran):
        return None
    prepared = [one for one in ran if _PREPARES.fullmatch(one.head) and one.head != broken.head]
    return Rule("first", "", _prepared(prepared[0], said)) if len(prepared) == 1 else None


def _prepared(step: Step, said: Said) -> str:
    """The command that prepares; of several packages that it installs, the one that was missing."""
    missing = re.split(r"[./]", said.missing)[0].replace("_", "-").lower()
    if missing and missing in {word.value.replace("_", "-").lower() for word in step.words} and is_name(missing):
        return f"{step.head} {missing}"
    return wording.command(step)


def _mended(edits: Sequence[Step]) -> Rule | None:
    """A short command that set the file right: code that was written in between is no rule."""
    lines = dict.fromkeys(one.line for one in edits)
    if len(lines) != 1 or not (line := next(iter(lines))) or not _MENDS.match(line) or len(line) > wording.LONGEST:
        return None
    script = next((word for word in edits[0].words if word.style in ("single", "double")), None)
    if script is None or len(script.text) > 40 or re.search(r"\d{2,}", script.text):
        return None
    before = edits[0].words[: edits[0].words.index(script) + 1]
    return Rule("edit", "", f"{' '.join(word.text for word in before)} <path>")
