"""Read a text by a pattern and write one from answers.

Reading finds the answers that give the text back; where none do, those that come closest. How a pattern is learned is in `patterns`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from meta.families.lines import split
from meta.families.names import in_form
from meta.family import Each, Free, Line, Named, Node, Option, Pattern, Slot, Text, Value

NAME = "name"  # the parameter that is the member's name
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Fit:
    """A text read by a pattern: the answers, and which of its lines (by number) which `Line` of the pattern makes."""

    answers: Mapping[str, Value]
    made: Mapping[int, Line]
    exact: bool


def render(pattern: Pattern, answers: Mapping[str, Value]) -> str:
    """The file that the answers make; what they do not say has its default, else is empty or absent."""
    known = {**pattern.defaults, **answers}
    for computed in pattern.computed:
        source = _text(known, computed.source)
        known[computed.parameter] = computed.prefix + in_form(source, computed.form) + computed.suffix
    return "".join(_written(pattern.nodes, known))


def _written(nodes: Sequence[Node], known: Mapping[str, Value | Named]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Line():
                yield _line(node, known)
            case Option():
                if known.get(node.parameter) is True:
                    yield from _written(node.nodes, known)
            case Each():
                rows = known.get(node.parameter)
                for row in rows if isinstance(rows, tuple) else ():
                    yield from (_line(line, {**known, **row}) for line in node.lines)
            case Free():
                yield _text(known, node.parameter)


def _line(line: Line, known: Mapping[str, Value | Named]) -> str:
    return "".join(_piece(piece, known) for piece in line.pieces)


def _piece(piece: Text | Named | Slot, known: Mapping[str, Value | Named]) -> str:
    match piece:
        case Text():
            return piece.text
        case Named():
            return in_form(_text(known, piece.parameter), piece.form)
        case Slot():
            return _text(known, piece.parameter)


def _text(known: Mapping[str, Value | Named], parameter: str) -> str:
    value = known.get(parameter, "")
    if isinstance(value, Named):
        return in_form(_text(known, value.parameter), value.form)
    return value if isinstance(value, str) else ""


def answers(pattern: Pattern, name: str, text: str) -> Mapping[str, Value]:
    """What makes the text, or what comes closest to it: then the lines that fit nowhere stand in the free place before them."""
    return read(pattern, name, text).answers


def read(pattern: Pattern, name: str, text: str) -> Fit:
    lines = split(text)
    return _exact(pattern, name, lines) or _closest(pattern, name, lines)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A line of a pattern for one member: its regex, and what each group of it is."""

    line: Line
    regex: re.Pattern[str]
    groups: tuple[Named | Slot, ...]
    prefix: str
    worth: float

    def values(self, text: str) -> tuple[str, ...] | None:
        if not text.startswith(self.prefix):
            return None
        if not self.groups:
            return () if text == self.prefix else None
        match = self.regex.fullmatch(text)
        return match.groups() if match else None


@lru_cache(maxsize=1 << 14)
def _reader(line: Line, name: str) -> _Reader:
    parts: list[str] = []
    groups: list[Named | Slot] = []
    literal = ""
    for piece in line.pieces:
        text = piece.text if isinstance(piece, Text) else ""
        if isinstance(piece, Named) and piece.parameter == NAME:
            text = in_form(name, piece.form)
        elif not isinstance(piece, Text):
            earlier = groups.index(piece) if piece in groups else None
            parts.append("(.*?)" if earlier is None else f"(?:\\{earlier + 1})")
            if earlier is None:
                groups.append(piece)
            continue
        parts.append(re.escape(text))
        literal += "" if groups else text
    words = bool(re.search(r"\w", "".join(p.text for p in line.pieces if isinstance(p, Text))))
    named = any(isinstance(p, Named) for p in line.pieces)
    return _Reader(line, re.compile("".join(parts)), tuple(groups), literal, 1.0 if words or named else 0.2)


def _allows(fixed: Mapping[str, Value], groups: Sequence[Named | Slot], values: Sequence[str]) -> bool:
    for piece, value in zip(groups, values, strict=True):
        settled = fixed.get(piece.parameter)
        if isinstance(settled, str) and value != (
            in_form(settled, piece.form) if isinstance(piece, Named) else settled
        ):
            return False
    return True


def _exact(pattern: Pattern, name: str, lines: Sequence[str]) -> Fit | None:
    fixed: dict[str, Value] = {}
    for _ in range(_TRIES):
        taken = _parsed(pattern.nodes, name, lines, fixed)
        if taken is None:
            return None
        fit, disputed = _collected(pattern, name, lines, taken, fixed)
        if not disputed:
            return fit if render(pattern, fit.answers) == "".join(lines) else None
        fixed |= disputed
    return None


def _parsed(
    nodes: Sequence[Node], name: str, lines: Sequence[str], fixed: Mapping[str, Value]
) -> list[tuple[int, int]] | None:
    """For each node which lines it takes, so that all lines are taken and the most by what is given."""
    end = len(lines)
    best: dict[int, float] = {0: 0.0}
    steps: list[dict[int, int]] = []
    for node in nodes:
        after: dict[int, float] = {}
        back: dict[int, int] = {}

        def reach(
            at: int, start: int, value: float, after: dict[int, float] = after, back: dict[int, int] = back
        ) -> None:
            if at not in after or value > after[at]:
                after[at] = value
                back[at] = start

        match node:
            case Line():
                for start, value in best.items():
                    if start < end and _takes((node,), name, lines, start, fixed):
                        reach(start + 1, start, value + _reader(node, name).worth)
            case Option():
                settled = fixed.get(node.parameter)
                worth = sum(_reader(line, name).worth for line in node.nodes)
                for start, value in best.items():
                    if settled is not True:
                        reach(start, start, value)
                    if settled is not False and _takes(node.nodes, name, lines, start, fixed):
                        reach(start + len(node.nodes), start, value + worth)
            case Each():
                worth = sum(_reader(line, name).worth for line in node.lines)
                for start in sorted(best):
                    at, value = start, best[start]
                    reach(at, start, value)
                    while _takes(node.lines, name, lines, at, fixed):
                        at, value = at + len(node.lines), value + worth
                        reach(at, start, value)
            case Free():
                start = min(best)
                for at in range(start, end + 1):
                    if at in best and best[at] >= best[start]:
                        start = at
                    reach(at, start, best[start])
        if not after:
            return None
        best = after
        steps.append(back)
    if end not in best:
        return None
    spans: list[tuple[int, int]] = []
    at = end
    for back in reversed(steps):
        spans.append((back[at], at))
        at = back[at]
    return spans[::-1]


def _takes(block: Sequence[Line], name: str, lines: Sequence[str], start: int, fixed: Mapping[str, Value]) -> bool:
    if start + len(block) > len(lines):
        return False
    for line, text in zip(block, lines[start : start + len(block)], strict=True):
        reader = _reader(line, name)
        values = reader.values(text)
        if values is None or (fixed and not _allows(fixed, reader.groups, values)):
            return False
    return True


def _collected(
    pattern: Pattern, name: str, lines: Sequence[str], taken: Sequence[tuple[int, int]], fixed: Mapping[str, Value]
) -> tuple[Fit, dict[str, Value]]:
    """The answers that these spans give, and, where they give several for one parameter, what most of them say."""
    votes: dict[str, Counter[str | bool]] = defaultdict(Counter)
    answers: dict[str, Value] = {NAME: name}
    made: dict[int, Line] = {}
    forms: list[tuple[Named, str]] = []

    def voted(block: Sequence[Line], start: int) -> None:
        for line, at in zip(block, range(start, start + len(block)), strict=True):
            reader = _reader(line, name)
            made[at] = line
            for piece, value in zip(reader.groups, reader.values(lines[at]) or (), strict=True):
                if isinstance(piece, Slot):
                    votes[piece.parameter][value] += 1
                else:
                    forms.append((piece, value))

    for node, (start, end) in zip(pattern.nodes, taken, strict=True):
        match node:
            case Line():
                voted((node,), start)
            case Option():
                votes[node.parameter][end > start] += len(node.nodes)
                if end > start:
                    voted(node.nodes, start)
            case Each():
                rows, numbers = _rows(node, name, lines[start:end])
                answers[node.parameter] = rows
                made |= {start + at: line for at, line in numbers.items()}
            case Free():
                answers[node.parameter] = "".join(lines[start:end])
    disputed: dict[str, Value] = {}
    for parameter, counted in votes.items():
        answers[parameter] = counted.most_common(1)[0][0]
        if len(counted) > 1 and parameter not in fixed:
            disputed[parameter] = answers[parameter]
    for piece, value in forms:
        source = answers.setdefault(piece.parameter, value)
        if isinstance(source, str) and in_form(source, piece.form) != value and piece.parameter not in fixed:
            disputed.setdefault(piece.parameter, source)
    return Fit(answers, made, True), disputed


def _rows(node: Each, name: str, lines: Sequence[str]) -> tuple[tuple[Mapping[str, str], ...], dict[int, Line]]:
    rows: list[Mapping[str, str]] = []
    made: dict[int, Line] = {}
    for start in range(0, len(lines), len(node.lines)):
        row: dict[str, str] = {}
        for at, line in enumerate(node.lines, start):
            reader = _reader(line, name)
            made[at] = line
            row |= {p.parameter: v for p, v in zip(reader.groups, reader.values(lines[at]) or (), strict=True)}
        rows.append(row)
    return tuple(rows), made


@dataclass(frozen=True, slots=True)
class _Made:
    """A line of the text that a line of the pattern may make. `place` orders such lines as the pattern does."""

    place: int
    at: int
    reader: _Reader
    node: int
    values: tuple[str, ...]


def _closest(pattern: Pattern, name: str, lines: Sequence[str]) -> Fit:
    """The most lines of the text that can be made, in their order, with one value for each parameter."""
    chosen = _agreeing(_heaviest(list(_candidates(pattern.nodes, name, lines)), len(lines)))
    answers: dict[str, Value] = {NAME: name}
    by_node: defaultdict[int, list[_Made]] = defaultdict(list)
    for made in chosen:
        by_node[made.node].append(made)
    for number, node in enumerate(pattern.nodes):
        there = by_node[number]
        match node:
            case Option():
                worth = sum(_reader(line, name).worth for line in node.nodes)
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
    return Fit(answers, {at: made.reader.line for at, made in sorted(kept.items())}, False)


def _candidates(nodes: Sequence[Node], name: str, lines: Sequence[str]) -> Iterator[_Made]:
    place = 0
    for number, node in enumerate(nodes):
        block = (
            (node,)
            if isinstance(node, Line)
            else node.nodes
            if isinstance(node, Option)
            else node.lines
            if isinstance(node, Each)
            else ()
        )
        for offset, line in enumerate(block):
            reader = _reader(line, name)
            for at, text in enumerate(lines):
                values = reader.values(text)
                if values is not None:
                    row = (
                        at * len(block) if isinstance(node, Each) else 0
                    )  # rows follow each other as the text's lines do
                    yield _Made(place + row + offset, at, reader, number, values)
        place += len(block) * (len(lines) + 1 if isinstance(node, Each) else 1)


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


def _agreeing(chosen: Sequence[_Made]) -> list[_Made]:
    """Those whose slots have the value that most of them have."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for made in chosen:
        for piece, value in zip(made.reader.groups, made.values, strict=True):
            if isinstance(piece, Slot):
                votes[piece.parameter][value] += 1
    usual = {parameter: counted.most_common(1)[0][0] for parameter, counted in votes.items()}

    def agrees(made: _Made) -> bool:
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
