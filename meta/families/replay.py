"""Replay how the last members would have been made: at its parent commit each, from the siblings of that day alone.

The protocol. For each of the last K members that a commit of at most `BULK` added files brought: the siblings are the twelve
newest that were added before and stand in the parent commit, with their files as they stand there, read as `commit^:path`; what
is learned, asked and chosen comes from them and from the new member's name. Then the member's files are scored, as its own commit
has them. A file of more than 300 lines is neither scored nor learned from, and blank lines do not count. A role that the siblings
do not have makes nothing of the member's file; a role that the member does not have is not counted.

`lines`: the share of the member's lines that equal, in one order, a line that is made. What fills the places of a line is given:
such a line is made if its fixed text is there, at least half of its tokens with a word among them, and if every parameter has one
value throughout the file. Rows of data are given in the same way and are told apart. Lines of a free place never count. An option
is as most siblings have it; of at most eight of a family, picked by the siblings alone, it is answered as the member has it.
`junk`: the lines made that the member does not have, over the lines it has. A copy is given nothing but the name.

What a strategy is worth is a mean over members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from meta import git
from meta.families import blobs
from meta.families.score import Tally, by_copy, mean, taught, total
from meta.families.variants import clusters, named_alike
from meta.family import Coverage, Family, Member, Replayed, Strategy
from meta.model import Decision

SIBLINGS = 12
LONGEST = 300  # lines of a file
BULK = 25  # added files from which on a commit adds no member but moves or imports them
_OLDER = 3  # times as many are looked at, for some of them are gone by then


@dataclass(frozen=True, slots=True)
class Moment:
    """A member as its commit added it, and the siblings as the parent commit had them, oldest first: texts by path template."""

    member: Member
    files: Mapping[str, str]
    siblings: Mapping[str, Mapping[str, str]]


def moments(repository: Path, family: Family, last: int = 10) -> list[Moment]:
    """The last members with their siblings, oldest first; all blobs are read by one git."""
    asked: list[tuple[int, str, str, str]] = []  # which member's moment, whose file, its role, the object
    members = [at for at, member in enumerate(family.members) if member.commit][-last:]
    for at in members:
        member = family.members[at]
        asked += [(at, "", path, f"{member.commit}:{file}") for path, file in blobs.files(family, member)]
        for sibling in family.members[max(at - _OLDER * SIBLINGS, 0) : at]:
            if sibling.name != member.name and sibling.commit != member.commit:
                asked += [
                    (at, sibling.name, path, f"{member.commit}^:{file}") for path, file in blobs.files(family, sibling)
                ]
    found: dict[int, dict[str, dict[str, str]]] = {at: {} for at in members}
    for (at, name, path, _), content in zip(asked, git.contents(repository, (spec for *_, spec in asked)), strict=True):
        text = _text(content)
        if text is not None:
            found[at].setdefault(name, {})[path] = text
    result = []
    for at in members:
        files = found[at].pop("", {})
        siblings = [(name, texts) for name, texts in found[at].items()][-SIBLINGS:]
        if any(text.strip() for text in files.values()) and siblings:
            result.append(Moment(family.members[at], files, dict(siblings)))
    return result


def today(repository: Path, family: Family, most: int = SIBLINGS) -> dict[str, dict[str, str]]:
    """The newest members as the last commit has them, oldest first: texts by name, then by path template."""
    newest = family.members[-_OLDER * most :]
    wanted = [(member.name, path, file) for member in newest for path, file in blobs.files(family, member)]
    found: dict[str, dict[str, str]] = {}
    contents = git.contents(repository, (f"HEAD:{file}" for _, _, file in wanted))
    for (name, path, _), content in zip(wanted, contents, strict=True):
        text = _text(content)
        if text is not None:
            found.setdefault(name, {})[path] = text
    return dict(list(found.items())[-most:])


def _text(content: bytes | None) -> str | None:
    """A text; None for what is none or is too long."""
    return None if content is not None and content.count(b"\n") > LONGEST else blobs.text(content)


Way = Literal["one", "variant", "last", "parent"]
"""A pattern of all siblings, a pattern of those like the last, a copy of the last, a copy of the one named most alike."""
WAYS: Mapping[Way, Strategy] = {"one": "template", "variant": "template", "last": "copy", "parent": "copy"}


def made(moment: Moment) -> dict[Way, dict[str, Tally]]:
    """By way and path template what there would have been of the member's files."""
    siblings, name, files = moment.siblings, moment.member.name, moment.files
    last = list(siblings)[-1]
    like_last = next((group for group in clusters(siblings) if last in group), list(siblings))
    one = taught(siblings, name, files)
    alike = {each: texts for each, texts in siblings.items() if each in like_last}
    parent = named_alike(name, list(siblings))
    return {
        "one": one,
        "variant": one if len(alike) == len(siblings) else taught(alike, name, files),
        "last": by_copy(last, siblings[last], name, files),
        "parent": by_copy(parent, siblings[parent], name, files),
    }


@dataclass(frozen=True, slots=True)
class Played:
    """A way and how each of the last members would have come out."""

    way: Way
    replay: tuple[Replayed, ...]

    @property
    def coverage(self) -> Coverage:
        return mean([one.coverage for one in self.replay])


def replayed(played: Sequence[Moment]) -> tuple[Played, ...]:
    """All ways, the one that saves most work first."""
    came = [(moment.member, made(moment)) for moment in played]
    ways = [
        Played(
            way,
            tuple(Replayed(member.name, member.commit, total(ways[way].values()).coverage) for member, ways in came),
        )
        for way in WAYS
    ]
    return tuple(sorted(ways, key=lambda way: -saved(way.coverage)))


def saved(coverage: Coverage) -> float:
    """Lines that need not be written, less what it takes to find and delete others."""
    return coverage.lines - coverage.junk / 2


def decide(
    members: int,
    left_out: Mapping[str, Coverage],
    whole: Coverage,
    mdl_ratio: float,
    ways: Sequence[Played],
    hub: float = 0.0,
) -> tuple[Strategy, Decision]:
    """The strategy to build for, or why there is none. `hub` is the best fit of an edit to an existing file."""
    if members < 5:
        return "refuse", Decision(False, f"Only {members} members: a generator is worth it from five on.")
    best = ways[0] if ways else None
    if best is not None and WAYS[best.way] == "copy" and saved(best.coverage) > 0:
        said = f"A copy of a sibling has {best.coverage.lines:.0%} of the next member's lines, more than a template."
        return "copy", Decision(True, said)
    if mdl_ratio > 0.95:
        return "refuse", Decision(
            False, f"The members share too little: a template and its answers are {mdl_ratio:.0%} of their length."
        )
    near = max((role.lines for role in left_out.values()), default=0.0)
    if whole.lines < 0.45 and near < 0.7 and hub < 0.8:
        return "refuse", Decision(
            False, f"A template makes only {whole.lines:.0%} of a member's lines, and no file nearly whole."
        )
    if whole.junk > 0.2:
        return "refuse", Decision(
            False, f"Of what a template makes, {whole.junk:.0%} of a member's length would have to be deleted."
        )
    kind = "A skeleton" if mdl_ratio > 0.85 else "A template"
    return "template", Decision(True, f"{kind} makes {whole.lines:.0%} of a member's lines.")
