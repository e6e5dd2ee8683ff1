"""Learn what the files of a family's members share: a pattern for each role, and the answers that make each member from it.

`fit` writes files by a pattern and reads them; what a pattern is worth is measured in `score`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meta.families import align, rows
from meta.families.fit import answers
from meta.families.lines import read as read_lines
from meta.families.lines import split
from meta.families.link import Filled, Links, Names
from meta.families.unify import Shape, fitting, unify
from meta.families.writing import render
from meta.family import Each, Free, Line, Named, Node, Option, Pattern, Slot, Text, Value

__all__ = ["answers", "answers_together", "learn", "learn_together", "render"]

KEEP = (
    0.5,
    0.6,
    0.67,
    0.75,
)  # share of the members that must have a line for it to be made unasked: the first that makes
JUNK = 0.1  # no more than this share of lines that are not there
OPTION = 0.25  # share from which on it can be asked for
_DEFINED = re.compile(r"\b(?:def|class|function|func|fn|interface|struct|type)\s+(\w+)|(\w+)")


@dataclass(frozen=True, slots=True)
class _Place:
    """A line, or a run of rows, that the pattern keeps: by member what fills it, and which of its lines it is."""

    shape: Shape | None
    kind: rows.RowKind
    filled: Filled
    spans: Mapping[str, tuple[int, int]]


@dataclass(slots=True, eq=False)
class _Role:
    """The files of one role: by member its text, and the places that are kept of their lines, in order."""

    path: str
    texts: Mapping[str, str]
    places: Sequence[_Place]
    linked: bool = True
    pattern: Pattern = field(default_factory=lambda: Pattern("", ()))


def learn(path: str, members: Mapping[str, str]) -> Pattern:
    """What the texts of the members, given by name and oldest first, share."""
    return learn_together({path: members})[0]


def learn_together(roles: Mapping[str, Mapping[str, str]]) -> tuple[Pattern, ...]:
    """A pattern for each role, given by path template; parameters of one name mean the same in all of them."""
    learned = [_Role(path, texts, _places(texts)) for path, texts in roles.items()]
    while True:
        _assemble(learned)
        wrong = _wrong(learned)
        if not wrong:
            return tuple(role.pattern for role in learned)
        for role in wrong:
            role.linked = False


def answers_together(patterns: Sequence[Pattern], name: str, texts: Mapping[str, str]) -> Mapping[str, Value]:
    """The answers for all files of a member, its texts given by path template."""
    together: dict[str, Value] = {}
    for pattern in patterns:
        if pattern.path in texts:
            together |= answers(pattern, name, texts[pattern.path])
    return together


def _wrong(learned: Sequence[_Role]) -> list[_Role]:
    """The linked roles in which some member's answers, of all its files together, do not make its file byte for byte."""
    wrong: list[_Role] = []
    for name in dict.fromkeys(name for role in learned for name in role.texts):
        own = [role for role in learned if name in role.texts]
        together = answers_together([role.pattern for role in own], name, {role.path: role.texts[name] for role in own})
        for role in own:
            if role.linked and role not in wrong and render(role.pattern, together) != role.texts[name]:
                wrong.append(role)
    return wrong


def _places(texts: Mapping[str, str]) -> list[_Place]:
    names = list(texts)
    members = [read_lines(name, text) for name, text in texts.items()]
    folded = rows.items(members)
    columns = align.columns([[item.tokens for item in items] for items in folded])
    places = []
    for column in columns:
        items = {names[member]: folded[member][at] for member, at in sorted(column.lines.items())}
        place = _place(items, len(names))
        if place is not None:
            places.append(place)
    return places


def _place(items: Mapping[str, rows.Item], members: int) -> _Place | None:
    enough = max(min(2, members), OPTION * members)
    if len(items) < enough:
        return None
    spans = {name: (item.start, item.end) for name, item in items.items()}
    kind = next(iter(items.values())).kind
    if kind:
        return _Place(None, kind, {}, spans)
    shape = unify([item.tokens for item in items.values()], [1.0] * len(items))
    if shape is None:
        return None
    filled = fitting(shape, {name: item.tokens for name, item in items.items()})
    if len(filled) < enough:
        return None
    return _Place(shape, (), filled, {name: spans[name] for name in filled})


def _assemble(learned: Sequence[_Role]) -> None:
    """Give every role its pattern."""
    names = Names()
    together = Links(names)
    options: dict[frozenset[str], str] = {}
    computed: list[tuple[_Role, list[Node], Links]] = []
    for role in learned:
        links = together if role.linked else Links(names, linked=False)
        computed.append((role, _nodes(role, links, options if role.linked else None), links))
    shares = {option: share for _, _, links in computed for option, share in links.shares.items()}
    keep = _threshold(learned, [nodes for _, nodes, _ in computed], shares)
    for role, nodes, links in computed:
        links.settle()
        known = {**links.defaults, **{option: share >= keep for option, share in links.shares.items()}}
        used = set(_parameters(nodes))
        defaults = {name: value for name, value in known.items() if name in used}
        role.pattern = Pattern(role.path, tuple(nodes), (), defaults)


def _threshold(learned: Sequence[_Role], nodes: Sequence[Sequence[Node]], shares: Mapping[str, float]) -> float:
    """The share from which on an option is on by default: the lowest at which few made lines are ones a member has not."""
    lines = sum(not line.isspace() for role in learned for text in role.texts.values() for line in split(text))
    for keep in KEEP:
        wrong = 0.0
        for role, own in zip(learned, nodes, strict=True):
            options = [node for node in own if isinstance(node, Option) and shares[node.parameter] >= keep]
            wrong += sum((1 - shares[node.parameter]) * len(node.nodes) for node in options) * len(role.texts)
        if wrong <= JUNK * lines:
            return keep
    return KEEP[-1]


def _parameters(nodes: Sequence[Node]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        match node:
            case Line():
                found += [piece.parameter for piece in node.pieces if not isinstance(piece, Text)]
            case Option():
                found += [node.parameter, *_parameters(node.nodes)]
            case Each() | Free():
                found.append(node.parameter)
    return found


def _nodes(role: _Role, links: Links, options: dict[frozenset[str], str] | None) -> list[Node]:
    """The places as nodes, with a free place wherever members have lines between."""
    free = _free_gaps(role)
    everyone = frozenset(role.texts)
    nodes: list[Node] = []
    block: list[Line] = []
    there = everyone

    def close() -> None:
        if not block:
            return
        if there == everyone:
            nodes.extend(block)
        else:
            parameter = options.get(there) if options is not None else None
            if parameter is None:
                parameter = links.names.new("with_" + _told(block))
                links.shares[parameter] = len(there) / len(everyone)
                if options is not None:
                    options[there] = parameter
            nodes.append(Option(parameter, tuple(block)))
        block.clear()

    for at, place in enumerate([*role.places, None]):
        present = frozenset(place.spans) if place is not None else everyone
        if at in free or place is None or place.shape is None or present != there:
            close()
        if at in free:
            nodes.append(Free(links.names.new("free"), fill=2 * free[at] >= len(everyone)))
        if place is None:
            break
        if place.shape is None:
            nodes.append(_each(place, role, links))
            continue
        there = present
        block.append(links.line(place.shape, place.filled))
    return nodes


def _told(block: Sequence[Line]) -> str:
    """A word for what these lines are."""
    text = "".join(piece.text if isinstance(piece, Text) else "x" for line in block for piece in line.pieces)
    found = [match.group(1) or match.group(2) for match in _DEFINED.finditer(text)]
    defined = [match.group(1) for match in _DEFINED.finditer(text) if match.group(1)]
    return (defined or found or ["lines"])[0][:40]


def _each(place: _Place, role: _Role, links: Links) -> Each:
    """The rows; a place that every row of every member fills alike is text."""
    read = [[rows.row_line(line)[1] for line in _span(role.texts[name], span)] for name, span in place.spans.items()]
    keys = Names()
    lines: list[Line] = []
    for at, kind in enumerate(place.kind):
        values = [row for lines_of in read for row in lines_of[at :: len(place.kind)]]
        pieces: list[Text | Named | Slot] = [Text(kind.texts[0])] if kind.texts[0] else []
        for number, text in enumerate(kind.texts[1:]):
            said = {row[number] for row in values}
            pieces.append(Text(said.pop()) if len(said) == 1 else Slot(keys.new("value")))
            pieces += [Text(text)] if text else []
        lines.append(Line(tuple(pieces)))
    return Each(links.names.new("rows"), tuple(lines))


def _span(text: str, span: tuple[int, int]) -> list[str]:
    return split(text)[slice(*span)]


def _free_gaps(role: _Role) -> dict[int, int]:
    """Before which places lines of members go that are kept nowhere, as few as can be, with how many members have some there."""
    between: list[tuple[int, int]] = []
    for name, text in role.texts.items():
        last, done = 0, 0
        for at, place in enumerate(role.places):
            if name in place.spans:
                start, end = place.spans[name]
                if start > done:
                    between.append((at, last))
                last, done = at + 1, end
        if len(read_lines(name, text)) > done:
            between.append((len(role.places), last))
    gaps: dict[int, int] = {}
    for latest, earliest in sorted(between):
        gap = next((gap for gap in gaps if earliest <= gap <= latest), latest)
        gaps[gap] = gaps.get(gap, 0) + 1
    return gaps
