"""Read a text by a pattern so that the answers give it back; None where no answers do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from meta.families.names import in_form
from meta.families.reading import NAME, Lines
from meta.families.writing import render
from meta.family import Each, Free, Line, Named, Node, Option, Pattern, Slot, Value

_TRIES = 5


def exact(pattern: Pattern, name: str, lines: Sequence[str]) -> Mapping[str, Value] | None:
    """Where a parameter would have two values, the more frequent one is settled and the text is read again."""
    text = Lines(name, lines)
    fixed: dict[str, Value] = {}
    for _ in range(_TRIES):
        spans = _parsed(pattern.nodes, text, fixed)
        if spans is None:
            return None
        answers, disputed = _collected(pattern.nodes, text, spans, fixed)
        if not disputed:
            return answers if render(pattern, answers) == "".join(lines) else None
        fixed |= disputed
    return None


def _parsed(nodes: Sequence[Node], text: Lines, fixed: Mapping[str, Value]) -> list[tuple[int, int]] | None:
    """For each node which lines it takes, so that all lines are taken and the most by what is given."""
    end = len(text.lines)
    best: dict[int, float] = {0: 0.0}
    steps: list[dict[int, int]] = []
    for node in nodes:
        after, back = _taken(node, best, text, fixed)
        if not after:
            return None
        best = after
        steps.append(back)
    if end not in best:
        return None
    spans: list[tuple[int, int]] = []
    at = end
    for back in reversed(steps):
        spans.append((back.get(at, at), at))
        at = back.get(at, at)
    return spans[::-1]


def _taken(
    node: Node, best: dict[int, float], text: Lines, fixed: Mapping[str, Value]
) -> tuple[dict[int, float], dict[int, int]]:
    """Up to which lines the text may be read behind the node, how well, and from where the node took them, if it took any.

    `best` is how well it may be read before the node, and may become what is returned.
    """
    after: dict[int, float] = {}
    back: dict[int, int] = {}
    match node:
        case Line():
            worth = text.reader(node).worth
            for start in _starts((node,), text, fixed):
                if start in best:
                    after[start + 1], back[start + 1] = best[start] + worth, start
        case Option():
            settled = fixed.get(node.parameter)
            if settled is not True:
                after = best
            worth = sum(text.reader(line).worth for line in node.nodes)
            # From the last on, so that what is better from here on is not built upon.
            for start in sorted(_starts(node.nodes, text, fixed), reverse=True) if settled is not False else ():
                at = start + len(node.nodes)
                if start in best and best[start] + worth > after.get(at, -1.0):
                    after[at], back[at] = best[start] + worth, start
        case Each():
            worth = sum(text.reader(line).worth for line in node.lines)
            starts = _starts(node.lines, text, fixed)
            for start in sorted(best):
                at, value = start, best[start]
                while True:
                    if value > after.get(at, -1.0):
                        after[at], back[at] = value, start
                    if at not in starts:
                        break
                    at, value = at + len(node.lines), value + worth
        case Free():
            start = min(best)
            for at in range(start, len(text.lines) + 1):
                if at in best and best[at] >= best[start]:
                    start = at
                after[at], back[at] = best[start], start
    return after, back


def _starts(block: Sequence[Line], text: Lines, fixed: Mapping[str, Value]) -> set[int]:
    """Where the lines of the block follow each other."""
    starts: set[int] | None = None
    for offset, line in enumerate(block):
        read = text.read(line)
        if fixed and read:
            groups = text.reader(line).groups
            read = {at: values for at, values in read.items() if _allows(fixed, groups, values)}
        here = {at - offset for at in read}
        starts = here if starts is None else starts & here
        if not starts:
            break
    return starts or set()


def _allows(fixed: Mapping[str, Value], groups: Sequence[Named | Slot], values: Sequence[str]) -> bool:
    for piece, value in zip(groups, values, strict=True):
        settled = fixed.get(piece.parameter)
        if isinstance(settled, str) and value != (
            in_form(settled, piece.form) if isinstance(piece, Named) else settled
        ):
            return False
    return True


def _collected(
    nodes: Sequence[Node], text: Lines, spans: Sequence[tuple[int, int]], fixed: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """The answers that these spans give, and, where they give several for one parameter, what most of them say."""
    votes: dict[str, Counter[str | bool]] = defaultdict(Counter)
    answers: dict[str, Value] = {NAME: text.name}
    forms: list[tuple[Named, str]] = []

    def voted(block: Sequence[Line], start: int) -> None:
        for line, at in zip(block, range(start, start + len(block)), strict=True):
            for piece, value in zip(text.reader(line).groups, text.read(line)[at], strict=True):
                if isinstance(piece, Slot):
                    votes[piece.parameter][value] += 1
                else:
                    forms.append((piece, value))

    for node, (start, end) in zip(nodes, spans, strict=True):
        match node:
            case Line():
                voted((node,), start)
            case Option():
                votes[node.parameter][end > start] += len(node.nodes)
                if end > start:
                    voted(node.nodes, start)
            case Each():
                answers[node.parameter] = _rows(node, text, start, end)
            case Free():
                answers[node.parameter] = "".join(text.lines[start:end])
    disputed: dict[str, Value] = {}
    for parameter, counted in votes.items():
        answers[parameter] = counted.most_common(1)[0][0]
        if len(counted) > 1 and parameter not in fixed:
            disputed[parameter] = answers[parameter]
    for piece, value in forms:
        source = answers.setdefault(piece.parameter, value)
        if isinstance(source, str) and in_form(source, piece.form) != value and piece.parameter not in fixed:
            disputed.setdefault(piece.parameter, source)
    return answers, disputed


def _rows(node: Each, text: Lines, start: int, end: int) -> tuple[Mapping[str, str], ...]:
    rows: list[Mapping[str, str]] = []
    for first in range(start, end, len(node.lines)):
        row: dict[str, str] = {}
        for at, line in enumerate(node.lines, first):
            values = text.read(line)[at]
            row |= {piece.parameter: value for piece, value in zip(text.reader(line).groups, values, strict=True)}
        rows.append(row)
    return tuple(rows)
