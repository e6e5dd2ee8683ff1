"""What patterns are worth: how much they make of a member that they were not learned from, and whether they say things shorter.

How members would have been made in history, and by which strategy, is in `replay`.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meta.families import names
from meta.families.align import ascending
from meta.families.closest import closest
from meta.families.fit import answers, resolved
from meta.families.lines import split
from meta.families.patterns import learn_together
from meta.families.reading import NAME
from meta.family import Coverage, Each, Free, Line, Option, Pattern, Text

ASKED = 8  # options that may be asked for; all others are as by default
NEWEST = 6  # members that are left out in turn
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Lines of members that are not blank: how many there are, how many of them are made, how many made ones they do not have.

    Of those made, `plain` need no value but the name, and `rows` are rows of data.
    """

    lines: int = 0
    made: int = 0
    junk: int = 0
    plain: int = 0
    rows: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.lines + other.lines, self.made + other.made, self.junk + other.junk,
            self.plain + other.plain, self.rows + other.rows,
        )  # fmt: skip

    @property
    def coverage(self) -> Coverage:
        return Coverage(self.made / max(self.lines, 1), self.junk / max(self.lines, 1))


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def mean(coverages: Sequence[Coverage]) -> Coverage:
    count = max(len(coverages), 1)
    return Coverage(sum(one.lines for one in coverages) / count, sum(one.junk for one in coverages) / count)


def by_role(members: Mapping[str, Texts]) -> dict[str, dict[str, str]]:
    """The members' texts by path template, then by name."""
    roles: dict[str, dict[str, str]] = {}
    for name, texts in members.items():
        for path, text in texts.items():
            roles.setdefault(path, {})[name] = text
    return roles


def questions(patterns: Sequence[Pattern], roles: Mapping[str, Texts], limit: int = ASKED) -> tuple[str, ...]:
    """The options that decide over most lines, by how often the members learned from have not what is the default."""
    gain: Counter[str] = Counter()
    for pattern in patterns:
        size: Counter[str] = Counter()
        for node in pattern.nodes:
            if isinstance(node, Option):
                size[node.parameter] += sum(not _blank(line) for line in node.nodes)
        if not size:
            continue
        for name, text in roles[pattern.path].items():
            given = answers(pattern, name, text)
            for parameter, lines in size.items():
                gain[parameter] += lines * (given.get(parameter) is not pattern.defaults[parameter])
    return tuple(parameter for parameter, lines in gain.most_common(limit) if lines)


def by_patterns(patterns: Sequence[Pattern], asked: Sequence[str], name: str, files: Texts) -> dict[str, Tally]:
    """By path template what the patterns make of the files, given the name, what fills the places of lines, and what is asked.

    An option is answered by whether most of its lines are there.
    """
    known = {pattern.path: pattern for pattern in patterns if pattern.path in files}
    there: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for path, pattern in known.items():
        nodes = tuple(
            node for node in pattern.nodes
            if not isinstance(node, Option) or node.parameter in asked or pattern.defaults[node.parameter] is True
        )  # fmt: skip
        lines = split(files[path])
        made = closest(Pattern(path, nodes), name, lines).made
        found = Counter(number for at, (number, _) in made.items() if lines[at].strip())
        for number, node in enumerate(nodes):
            if isinstance(node, Option) and node.parameter in asked:
                of[node.parameter] += sum(not _blank(line) for line in node.nodes)
                there[node.parameter] += found[number]
    chosen = {parameter: 2 * there[parameter] > of[parameter] for parameter in of}
    return {
        path: by_pattern(known[path], chosen, name, text) if path in known else Tally(len(solid(text)))
        for path, text in files.items()
    }


def by_pattern(pattern: Pattern, chosen: Mapping[str, bool], name: str, text: str) -> Tally:
    """What the pattern makes of the text with these options; others are as by default."""
    nodes = resolved(pattern, chosen)
    lines = split(text)
    made = [
        (nodes[number], line)
        for at, (number, line) in closest(Pattern(pattern.path, nodes), name, lines).made.items()
        if lines[at].strip()
    ]
    rows = sum(isinstance(node, Each) for node, _ in made)
    given = sum(isinstance(node, Line) and not _blank(node) for node in nodes)
    plain = sum(all(isinstance(piece, Text) or piece.parameter == NAME for piece in line.pieces) for _, line in made)
    return Tally(len(solid(text)), len(made), given - (len(made) - rows), plain, rows)


def _blank(line: Line) -> bool:
    return all(isinstance(piece, Text) and not piece.text.strip() for piece in line.pieces)


def solid(text: str) -> list[str]:
    """The lines that are not blank, which are those that count."""
    return [line.rstrip() for line in split(text) if line.strip()]


def by_copy(source: str, copied: Texts, name: str, files: Texts) -> dict[str, Tally]:
    """By path template what a copy of another member's files has of these when the name in it is changed."""
    tallies = {}
    for path, text in files.items():
        lines, copy = solid(text), solid(renamed(source, copied.get(path, ""), name))
        same = common(copy, lines)
        tallies[path] = Tally(len(lines), same, len(copy) - same, same)
    return tallies


def renamed(source: str, text: str, name: str) -> str:
    """The text with one name for the other, each time in the form it was in; a spelling that is no form becomes the nearest."""
    parts: list[str] = []
    done = 0
    for start, end in names.occurrences(source, text):
        spelled = text[start:end]
        forms = names.forms_of(source, spelled)
        form = forms[0] if forms else "upper" if spelled.isupper() else "pascal" if spelled[0].isupper() else "snake"
        parts += [text[done:start], names.in_form(name, form)]
        done = end
    return "".join((*parts, text[done:]))


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts have in common, in one order."""
    where: dict[str, list[int]] = {}
    for at, line in enumerate(other):
        where.setdefault(line, []).insert(0, at)
    return len(ascending([(at, there) for at, line in enumerate(one) for there in where.get(line, ())]))


def taught(siblings: Mapping[str, Texts], name: str, files: Texts) -> dict[str, Tally]:
    """By path template what is made of a member's files by what its siblings teach."""
    roles = by_role(siblings)
    patterns = learn_together(roles)
    return by_patterns(patterns, questions(patterns, roles), name, files)


def left_out(members: Mapping[str, Texts]) -> list[dict[str, Tally]]:
    """What is made of each of the newest members by what all others teach, given oldest first; the next is most like the newest."""
    return [
        taught({other: texts for other, texts in members.items() if other != name}, name, members[name])
        for name in list(members)[-NEWEST:]
    ]


def whole(members: Iterable[Mapping[str, Tally]]) -> Coverage:
    """What is made of a member, in the mean."""
    return mean([total(files.values()).coverage for files in members])


def each_role(members: Iterable[Mapping[str, Tally]]) -> dict[str, Coverage]:
    """By path template what is made of a member's file, in the mean over the members that have some lines in it."""
    found: dict[str, list[Coverage]] = {}
    for files in members:
        for path, tally in files.items():
            if tally.lines:
                found.setdefault(path, []).append(tally.coverage)
    return {path: mean(coverages) for path, coverages in found.items()}


def mdl_ratio(patterns: Sequence[Pattern], roles: Mapping[str, Texts]) -> float:
    """The length of patterns and answers over that of the members, both as what a compressor makes of each member by itself."""
    said = sum(_length("".join(_told(pattern))) for pattern in patterns)
    whole = 0
    for pattern in patterns:
        for name, text in roles[pattern.path].items():
            whole += _length(text)
            said += _length("\n".join(_said(pattern, answers(pattern, name, text))))
    return said / whole if whole else 1.0


def _length(text: str) -> int:
    """Bytes that it takes to tell the text; an empty one takes none."""
    return len(zlib.compress(text.encode("utf-8", "surrogatepass"), 9)) - len(zlib.compress(b"", 9)) if text else 0


def _told(pattern: Pattern) -> Iterable[str]:
    for node in pattern.nodes:
        block = node.nodes if isinstance(node, Option) else node.lines if isinstance(node, Each) else (node,)
        for line in block:
            if isinstance(line, Line):
                yield from (piece.text if isinstance(piece, Text) else "\x01" for piece in line.pieces)


def _said(pattern: Pattern, given: Mapping[str, object]) -> Iterable[str]:
    """The answers that are not the default."""
    free = {node.parameter for node in pattern.nodes if isinstance(node, Free)}
    for parameter, value in given.items():
        if (
            parameter == NAME
            or value == pattern.defaults.get(parameter)
            or (value in ("", (), False) and parameter in free)
        ):
            continue
        if isinstance(value, tuple):
            yield from ("\x02".join(row.values()) for row in value)
        else:
            yield value if isinstance(value, str) else "\x03" if value else "\x04"
