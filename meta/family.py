"""The nouns of families: members of one shape, what they share, and what a generator of the next one is worth.

Only nouns stand here, and only the standard library is imported. Times are seconds since the epoch (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from meta.model import Decision, Estimate

FamilyKind = Literal["files", "units"]
Form = Literal["as-is", "snake", "kebab", "pascal", "camel", "upper", "flat", "title", "spaced"]
Strategy = Literal["template", "copy", "library", "refuse"]
Value = str | bool | tuple[Mapping[str, str], ...]
"""What fills a parameter: text (of a name, a hole, a free place), whether an option is there, the rows of a repetition."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of a family. `name` is what `{X}` stands for in its first path, as it is written there.

    `files` are its paths, one for each of the family's, "" where it has none; of a unit (a function, a class) the one file with the unit's
    qualified name behind "::". `commit` added it, at `time`, by `author`; both are empty for what stands in no commit.
    """

    name: str
    files: tuple[str, ...]
    commit: str = ""
    time: float | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    """A file that existed before and that the commits which add a member edit; `share` of the last ten did, 0 to 1."""

    path: str
    share: float


@dataclass(frozen=True, slots=True)
class Family:
    """Members of one shape, oldest first. `paths` are path templates with `{X}`, the first one found in every member."""

    id: str
    name: str
    kind: FamilyKind
    paths: tuple[str, ...]
    members: tuple[Member, ...]
    hubs: tuple[Hub, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """What is the same in the members."""

    text: str


@dataclass(frozen=True, slots=True)
class Named:
    """A name parameter in one of its written forms: `Named("name", "pascal")` of `tik-tok` is `TikTok`."""

    parameter: str
    form: Form


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that a parameter fills, without a line break."""

    parameter: str


Piece = Text | Named | Slot


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its indentation and its line break part of the pieces."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """Lines that are there where the parameter is true."""

    parameter: str
    nodes: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """Lines that are there once for each row of the parameter; the slots in them are named by the row's keys."""

    parameter: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Free:
    """Where members have whole lines of their own: the parameter is that text, mostly "".

    `fill` tells that most members have some here, so that the place is marked for whoever makes the next.
    """

    parameter: str
    fill: bool = False


Node = Line | Option | Each | Free


@dataclass(frozen=True, slots=True)
class Computed:
    """A parameter that nobody is asked for: another one in a form, or with text around it."""

    parameter: str
    source: str
    form: Form
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the files of one role share. `path` is its path template.

    `render(pattern, answers(pattern, text)) == text` holds for each member it was learned from, byte for byte.
    `defaults` hold the most frequent value of a parameter where there is one that most members have; of a parameter that is the name
    in a spelling of its own (TikTok of tiktok) the form in which it mostly is.
    """

    path: str
    nodes: tuple[Node, ...]
    computed: tuple[Computed, ...] = ()
    defaults: Mapping[str, Value | Named] = field(default_factory=dict)


Order = Literal["text", "folded", "letters", "end", "start"]
"""Where a line stands among its like: sorted as it is, without regard to case, or by letters and digits alone; last; first."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """Lines that each add of a member puts into a hub, one below the other; a logical line is written as one.

    `lines[anchor]` is the one by which its like are known, they and the new one in `order`, below the line `inside`
    that opens their block ("" where they are not indented). `like` is a regular expression of them, whose group `key`
    the order goes by. `defaults` are what most adds had in a slot.
    """

    lines: tuple[Line, ...]
    anchor: int
    inside: str
    order: Order
    like: str = ""
    defaults: Mapping[str, tuple[Text | Named, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HubEdit:
    """What adding a member does to a hub. `fits` is the share of the adds it was learned from that did exactly this."""

    path: str
    insertions: tuple[Insertion, ...]
    fits: float


@dataclass(frozen=True, slots=True)
class Role:
    """One file of a member: how its path is written, and what stands in it.

    `present` is the parameter that tells whether a member has it, "" where every one does.
    """

    path: tuple[Piece, ...]
    pattern: Pattern
    present: str = ""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """All that a generator of the next member is made from.

    `answers` make each member that was learned from, byte for byte: its files, and its lines in hubs. `asked` are the
    parameters worth asking for, the name first; every other one has a default or is left to be filled.
    """

    name: str
    roles: tuple[Role, ...]
    hubs: tuple[HubEdit, ...]
    answers: Mapping[str, Mapping[str, Value]]
    defaults: Mapping[str, Value | Named]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of a member's lines the share that is made right, and the made lines to delete as a share of its lines."""

    lines: float
    junk: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """How a member would have been made at its parent commit, from the siblings of that day."""

    member: str
    commit: str
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Judged:
    """A family with what a generator for it would do.

    `left_out` is the mean over the newest, each made from all others; `replay` is by the chosen `strategy`. `mdl_ratio` is the
    description length of pattern and answers over that of the members as they are: below one, something is shared.
    """

    family: Family
    patterns: tuple[Pattern, ...]
    left_out: Coverage
    mdl_ratio: float
    replay: tuple[Replayed, ...]
    strategy: Strategy
    estimate: Estimate
    decision: Decision
