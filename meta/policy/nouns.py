"""The nouns of the policy: what a command does, and a row of knowledge about a program.

Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Effect = Literal["read", "write-project", "write-outside", "network", "spend", "destroy", "privilege"]

LEVELS: dict[str, int] = {
    "read": 0, "write-project": 1, "write-outside": 2, "network": 2, "spend": 3, "destroy": 3, "privilege": 3,
}  # fmt: skip
ASK, NEVER = 3, 4  # levels: only with the caller's consent, not at all

# What is not known when a line is read. A word holds such a character where any text may stand.
UNKNOWN = "\ue000"
FOREIGN = "\ue001"  # text from the network or out of a decoder
SECRET = "\ue002"  # text that holds secrets: the environment as a whole
MARKS = UNKNOWN + FOREIGN + SECRET


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a line does, its level, and why that is so. Where `effect` is "" the level alone is meant."""

    effect: Effect | Literal[""]
    level: int
    why: str


@dataclass(frozen=True, slots=True)
class Effects:
    """What a command line may do, and how grave that is.

    Levels: 0 reads, 1 writes in the project, 2 reaches outside and can be taken back, 3 spends, deletes or needs rights,
    4 is never right for a tool. `unknown` tells that a program or a part of the line is not known (level 3 at least).
    `reasons` are the gravest first. `grave` are the kinds of level 3 and more: what a caller must agree to.
    """

    kinds: frozenset[Effect]
    level: int
    reasons: tuple[str, ...] = ()
    unknown: bool = False
    grave: frozenset[Effect] = frozenset()

    def __or__(self, other: Effects) -> Effects:
        first, second = sorted((self, other), key=lambda effects: -effects.level)
        reasons = tuple(dict.fromkeys((*first.reasons, *second.reasons)))
        return Effects(
            self.kinds | other.kinds, first.level, reasons, self.unknown or other.unknown, self.grave | other.grave
        )


NOTHING = Effects(frozenset(), 0)
UNKNOWN_WHY = "unknown"


def summed(findings: Iterable[Finding]) -> Effects:
    """All findings of one line as one value."""
    found = sorted(dict.fromkeys(findings), key=lambda finding: -finding.level)
    kinds = frozenset(finding.effect for finding in found if finding.effect)
    reasons = tuple(dict.fromkeys(finding.why for finding in found if finding.level == found[0].level))
    unknown = any(finding.why.startswith(UNKNOWN_WHY) for finding in found)
    known = [finding for finding in found if finding.level >= ASK and not finding.why.startswith(UNKNOWN_WHY)]
    grave: frozenset[Effect] = frozenset(finding.effect or "privilege" for finding in known)
    return Effects(kinds | grave or frozenset({"read"}), found[0].level if found else 0, reasons, unknown, grave)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what the commands that begin with these words do.

    `command` is a program and its sub-command; `a|b` are alternatives for a word. A row without a condition is the
    base of its command, and the one with the longest command counts; a row with a condition counts as well where the
    condition holds: one of `flags` is given, one of the words is of `words` (a whole match; values of flags are meant by `values`), none of `unless` is given.
    `level` is said where it is not that of its effects. Paths: `reads`, `writes`, `deletes`, `rights` name operands (`*` all,
    `last`, `first`, `rest` all but the first, `sources` all but the last, `paths` those with a `/`) or the flags whose values they are. `match` and `not_match` are lines
    on which the row counts, or does not.
    """

    command: str
    effects: str = ""
    match: tuple[str, ...] = ()
    not_match: tuple[str, ...] = ()
    flags: str = ""
    words: str = ""
    unless: str = ""
    level: int | None = None
    reads: str = ""
    writes: str = ""
    deletes: str = ""
    rights: str = ""
    values: str = ""

    @property
    def conditional(self) -> bool:
        return bool(self.flags or self.words or self.values or self.unless)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A program that runs the command behind it.

    `command` names it (one or two words), `valued` are its flags that take a value, `own` is how many operands of its
    own come before the command. `kind`: "argv" the command is the words that follow, "text" they are joined and read
    by a shell, "flag" the text is the value of one of `flags`. `effects` are its own. Inside a `foreign` place
    (a container) a program that is not known counts as the place's own.
    """

    command: str
    match: tuple[str, ...]
    valued: str = ""
    own: int = 0
    kind: Literal["argv", "text", "flag"] = "argv"
    flags: str = ""
    effects: str = ""
    foreign: bool = False
