"""Judge a family by what a generator for it would have done: its last members at their parent commits, each other one left out.

Which families there are is found in `generators`, which also says what a generator would save.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meta.families import hubs, replay, score
from meta.families.patterns import learn_together
from meta.families.residue import Residue, residues
from meta.family import Coverage, Family, HubEdit, Pattern, Replayed, Strategy
from meta.model import Decision

REPLAYED = 5  # members, where nobody asks for more


@dataclass(frozen=True, slots=True)
class Proof:
    """What a generator for a family would have done, by the best strategy, and whether that is good enough.

    `coverage` is what to expect of it: the mean of `replay`, or `left_out` where nothing could be replayed.
    """

    patterns: tuple[Pattern, ...]
    hubs: tuple[HubEdit, ...]
    left_out: Coverage
    mdl_ratio: float
    replay: tuple[Replayed, ...]
    strategy: Strategy
    decision: Decision

    @property
    def coverage(self) -> Coverage:
        return score.mean([one.coverage for one in self.replay]) if self.replay else self.left_out


def judge(repository: Path, family: Family, last: int = REPLAYED) -> Proof:
    """The proof of a family of files, from its last members as history has them and its newest ones as they are."""
    members = replay.today(repository, family)
    roles = score.by_role(members)
    patterns = learn_together(roles)
    left_out = score.left_out(members) if len(members) > 1 else []
    whole = score.whole(left_out)
    ratio = score.mdl_ratio(patterns, roles)
    edits = hubs.edits(repository, family)
    ways = replay.replayed(replay.moments(repository, family, last))
    strategy, decision = replay.decide(
        len(family.members),
        score.each_role(left_out),
        whole,
        ratio,
        ways,
        max((edit.fits for edit in edits), default=0.0),
    )
    chosen = next((way.replay for way in ways if replay.WAYS[way.way] == strategy), ways[0].replay if ways else ())
    return Proof(patterns, edits, whole, ratio, chosen, strategy, decision)


def leftovers(repository: Path, family: Family) -> tuple[tuple[str, Residue], ...]:
    """Where a member's file, as it is, names a sibling in words that others say of themselves: the file, and what it says."""
    members = replay.today(repository, family, len(family.members))
    files = {(m.name, path): file for m in family.members for path, file in zip(family.paths, m.files, strict=True)}
    return tuple(
        (files[found.member, path], found)
        for path, texts in score.by_role(members).items()
        for found in residues(texts)
    )
