"""Repairs of one project told as findings: the same failure with the same repair is one, however often it was seen.

What a repair is, is decided in `repairs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meta.knowledge import failures, wording
from meta.knowledge.failures import Said
from meta.knowledge.findings import Finding, at, span
from meta.knowledge.repairs import Attempt
from meta.knowledge.wording import code
from meta.model import Step, conversation

SESSIONS = 2


def key(attempt: Attempt) -> str:
    """What makes two repairs the same lesson."""
    rule = attempt.rule
    if attempt.said.missing and rule.kind == "first":
        return f"install {attempt.said.missing}"
    told = f"{rule.kind} {_own(rule.old, attempt.project)} {_own(rule.new, attempt.project)}"
    return told if rule.kind in ("path", "edit") else f"{told} {situation(attempt)}"


def situation(attempt: Attempt) -> str:
    """The failure that a lesson speaks of: what was missing, or the form of what was said and whose it is."""
    if attempt.rule.kind == "path":
        return f"path {'/'.join(attempt.rule.old.split('/')[-2:])}"
    return failure(attempt.failed, attempt.said)


def failure(step: Step, said: Said) -> str:
    """What makes two failures the same."""
    return f"missing {said.missing}" if said.missing else f"{wording.wrapper(step) or step.head} {said.form}"


def _own(path: str, project: str) -> str:
    return path.removeprefix(f"{project}/")


def mended(repairs: Iterable[Attempt]) -> list[Finding]:
    """The findings in the repairs of one project, in order of their first repair."""
    groups: dict[str, list[Attempt]] = {}
    for attempt in repairs:
        groups.setdefault(key(attempt), []).append(attempt)
    return [finding for each, group in groups.items() if (finding := _finding(each, group))]


def claim(attempt: Attempt) -> str:
    """What one repair teaches, in one sentence."""
    return _claim(attempt, _told(attempt))[0]


def _told(attempt: Attempt) -> str:
    """What the program said, as it is quoted."""
    quote = "" if attempt.rule.kind == "path" else failures.quoted(attempt.said.line)
    return f" (“{quote}”)" if quote else ""


def _finding(name: str, group: Sequence[Attempt]) -> Finding | None:
    last = group[-1]
    rule, said = last.rule, last.said
    sessions = len({conversation(one.session) for one in group})
    # what was installed once is there; what passes the second time, or did not say why it failed, may have been luck
    once = rule.kind == "again" or (said.missing and rule.kind == "first") or not said.line
    if sessions < SESSIONS and once:
        return None
    named = rule.kind != "without" or rule.old.lstrip("-") in said.line or not rule.old.startswith("-")
    if sessions < SESSIONS and not (named or "already exists" in said.line):  # the option may have had no part in it
        return None
    sentence, title = _claim(last, _told(last))
    heads = sorted({_head(one) for one in group})
    seen = tuple(at(one.failed, one.session) for one in group)
    why = f"It failed {span(seen)}, and this made it pass."
    if len(heads) > 1:
        why += f" Seen with {wording.listed([code(head) for head in heads[:4]])}."
    return Finding("failure", name, title, sentence, why, _when(last, heads), seen, situation(last), _check(last))


def _head(attempt: Attempt) -> str:
    """The command that failed, as far as that matters."""
    if attempt.rule.kind in ("path", "edit"):
        return wording.line(attempt.failed).split(" ")[0]
    return _beside(attempt) if attempt.rule.old.startswith("-") else wording.command(attempt.failed)


def _when(attempt: Attempt, heads: Sequence[str]) -> str:
    if attempt.rule.kind == "path":
        return f"{code(_own(attempt.rule.old, attempt.project))} is looked for"
    return f"{' or '.join(code(head) for head in heads[:3])} fails{_told(attempt)}"


def _claim(attempt: Attempt, told: str) -> tuple[str, str]:
    """The claim in one sentence that holds without what it quotes (`told`), and a short title."""
    rule, said = attempt.rule, attempt.said
    failed, passed = wording.command(attempt.failed), wording.command(attempt.passed)
    old, new = _own(rule.old, attempt.project), _own(rule.new, attempt.project)
    head = attempt.failed.head
    if rule.kind == "again":
        return (
            f"When {code(failed)} fails{told}, run it again before anything else: it passed without a change.",
            f"{head} again",
        )
    if rule.kind == "path":
        return f"{code(old)} does not exist; it is {code(new)}.", f"path {new}"
    if rule.kind == "edit":
        return (
            f"When {code(failed)} fails{told}, set the file right with {code(new)}.",
            f"mend {head.split(' - ')[0].split('/')[-1]} by {new.split()[0]}",
        )
    if rule.kind == "first" and said.missing:
        return f"{code(said.missing)} is not installed here: run {code(new)} before {code(failed)}.", new
    if rule.kind == "first":
        return f"When {code(failed)} fails{told}, run {code(new)} and then the same again.", f"{head} after {new}"
    if rule.kind == "folder":
        places = [code(place) if place else "the project's root" for place in (new, old)]
        return f"Run {code(failed)} in {places[0]}, not in {places[1]}{told}.", f"{head} in {new or 'root'}"
    if rule.kind == "without" and not rule.old.startswith("-"):
        return f"Run {code(head)} without {code(old)}: {code(failed)} fails{told}.", f"{head} without {old}"
    if rule.kind == "without":
        beside = _beside(attempt)
        name = head if beside == failed else beside.split(" ")[0]
        return f"Leave out {code(old)} in {code(beside)}, which fails{told}.", f"{name} without {old.strip('-')}"
    if rule.kind == "with" and "=" in new:
        return f"Set {code(new)} for {code(failed)}, which fails without{told}.", f"{head} with {new.partition('=')[0]}"
    if rule.kind == "through":
        return f"Run {code(failed)} through {code(new)}: alone it fails{told}.", f"{head} through {new}"
    if rule.kind == "instead":
        return f"When {code(failed)} fails{told}, run {code(passed)}.", f"{new} for {old}"
    return (
        f"Write {code(passed)}, not {code(failed)}, which fails{told}.",
        f"{head} with {new.strip('-') or 'two dashes'}",
    )


def _beside(attempt: Attempt) -> str:
    """The command that does not take an option: of a pipeline the one that complains."""
    program = attempt.said.line.partition(":")[0]
    others = {word.value for word in attempt.failed.words} - {attempt.failed.head}
    return f"{program} {attempt.rule.old}" if program in others else wording.command(attempt.failed)


def _check(attempt: Attempt) -> str:
    """A command that shows whether the lesson still holds, where there is a cheap one."""
    rule = attempt.rule
    return f"test -e {_own(rule.new, attempt.project)}" if rule.kind == "path" and rule.new.count("/") > 1 else ""
