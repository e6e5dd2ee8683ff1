"""Read a text by a pattern that does not make it: the most of its lines, in their order, and one value for each parameter."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meta.families.names import in_form
from meta.families.reading import NAME, Fit, Lines, Reader, reader
from meta.family import Each, Free, Line, Node, Option, Pattern, Slot, Value


@dataclass(frozen=True, slots=True)
class _Made:
    """A line of the text that a line of the pattern may make. `place` orders such lines as the pattern does."""

    place: int
    at: int
    reader: Reader
    node: int
    values: tuple[str, ...]


def closest(pattern: Pattern, name: str, lines: Sequence[str]) -> Fit:
    """The most lines of the text that can be made, in their order, with one value for each parameter."""
    chosen = _agreeing(pattern.nodes, _heaviest(list(_candidates(pattern.nodes, Lines(name, lines))), len(lines)))
    answers: dict[str, Value] = {NAME: name}
    by_node: defaultdict[int, list[_Made]] = defaultdict(list)
    for made in chosen:
        by_node[made.node].append(made)
    for number, node in enumerate(pattern.nodes):
        there = by_node[number]
        match node:
            case Option():
                worth = sum(reader(line, name).worth for line in node.nodes)
                on = sum(made.reader.worth for made in there) > worth / 2
                answers[node.parameter] = on or answers.get(node.parameter, False)
            case Each():
                there = _whole_rows(node, there)
                by_node[number] = there
                answers[node.parameter] = tuple(
                    _row(there[at : at + len(node.lines)]) for at in range(0, len(there), len(node.lines))
                )
    kept = {made.at: made for there in by_node.values() for made in there}
    for made in kept.values():
        if not isinstance(pattern.nodes[made.node], Each):
            for piece, value in zip(made.reader.groups, made.values, strict=True):
                answers.setdefault(piece.parameter, value)
    answers |= _rest(pattern.nodes, kept, lines)
    return Fit(answers, {at: (made.node, made.reader.line) for at, made in sorted(kept.items())})


def _candidates(nodes: Sequence[Node], text: Lines) -> Iterator[_Made]:
    place = 0
    for number, node in enumerate(nodes):
        block = _block(node)
        for offset, line in enumerate(block):
            for at, values in text.read(line).items():
                row = at * len(block) if isinstance(node, Each) else 0  # rows follow each other as the text's lines do
                yield _Made(place + row + offset, at, text.reader(line), number, values)
        place += len(block) * (len(text.lines) + 1 if isinstance(node, Each) else 1)


def _block(node: Node) -> Sequence[Line]:
    match node:
        case Line():
            return (node,)
        case Option():
            return node.nodes
        case Each():
            return node.lines
        case Free():
            return ()


def _heaviest(found: Sequence[_Made], length: int) -> list[_Made]:
    """Those that ascend in pattern and text and are worth most together."""
    best: list[tuple[float, int]] = [(0.0, -1)] * (length + 1)  # a binary indexed tree of maxima over the text's lines
    before: list[int] = []
    order = sorted(found, key=lambda made: (made.place, -made.at))
    top = (0.0, -1)
    for index, made in enumerate(order):
        reached = (0.0, -1)
        at = made.at
        while at > 0:
            reached = max(reached, best[at])
            at -= at & -at
        before.append(reached[1])
        total = (reached[0] + made.reader.worth, index)
        at = made.at + 1
        while at <= length:
            best[at] = max(best[at], total)
            at += at & -at
        top = max(top, total)
    chosen: list[_Made] = []
    index = top[1]
    while index >= 0:
        chosen.append(order[index])
        index = before[index]
    return chosen[::-1]


def _agreeing(nodes: Sequence[Node], chosen: Sequence[_Made]) -> list[_Made]:
    """Those whose slots have the value that most of them have."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for made in chosen:
        if isinstance(nodes[made.node], Each):
            continue
        for piece, value in zip(made.reader.groups, made.values, strict=True):
            if isinstance(piece, Slot):
                votes[piece.parameter][value] += 1
    usual = {parameter: counted.most_common(1)[0][0] for parameter, counted in votes.items()}

    def agrees(made: _Made) -> bool:
        if isinstance(nodes[made.node], Each):
            return True
        for piece, value in zip(made.reader.groups, made.values, strict=True):
            source = usual.setdefault(piece.parameter, value)
            if value != (source if isinstance(piece, Slot) else in_form(source, piece.form)):
                return False
        return True

    return [made for made in chosen if agrees(made)]


def _whole_rows(node: Each, there: Sequence[_Made]) -> list[_Made]:
    """The lines of rows that are there in full."""
    whole: list[_Made] = []
    size = len(node.lines)
    for at in range(len(there)):
        row = there[at : at + size]
        if (
            [made.reader.line for made in row] == list(node.lines)
            and row[-1].at - row[0].at == size - 1
            and (not whole or row[0].at > whole[-1].at)
        ):
            whole += row
    return whole


def _row(made: Sequence[_Made]) -> Mapping[str, str]:
    return {piece.parameter: value for one in made for piece, value in zip(one.reader.groups, one.values, strict=True)}


def _rest(nodes: Sequence[Node], kept: Mapping[int, _Made], lines: Sequence[str]) -> dict[str, Value]:
    """What is made by no line, in the free place where it stands or else the one before."""
    texts: defaultdict[str, str] = defaultdict(str)
    after = [at for at, node in enumerate(nodes) if isinstance(node, Free)]
    last = 0
    for at, line in enumerate(lines):
        if at in kept:
            last = kept[at].node
            continue
        place = next((free for free in after if free >= last), after[-1] if after else None)
        if place is not None:
            node = nodes[place]
            assert isinstance(node, Free)
            texts[node.parameter] += line
    return dict(texts)
