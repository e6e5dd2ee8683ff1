"""What adding a member does to a hub: the lines that each add puts into it, and where among their like.

Which files are hubs is found with the family. Putting the next member's lines in is for `insertion`.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import get_args

from meta import insertion
from meta.families import names
from meta.family import Form, HubEdit, Insertion, Line, Named, Order, Piece, Slot, Text

LEAST = 3  # adds to learn from
MOST = 0.6  # share of the adds that put such a line in, at least
SAME = 0.7  # share of the lines in which a token is the same, for it to stay
ALIKE = 0.5  # Dice of the tokens of two lines that are of one kind
_TOKEN = re.compile(r"\x00|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|\s+|.", re.DOTALL)
_NAME = "\x00"


@dataclass(frozen=True, slots=True)
class Add:
    """A hub before and after a member of this name was added."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Put:
    """A logical line with the member's name that an add put in, from line `start` to `end` of the hub afterwards.

    `around` are the numbers of lines before and after it that may have been put in with it: a diff often cannot tell.
    """

    text: str
    inside: str
    start: int
    end: int
    around: frozenset[tuple[int, int]]


def learn(path: str, adds: Sequence[Add]) -> HubEdit | None:
    """The edit that most of the adds made, oldest first; None where there is none."""
    if len(adds) < LEAST:
        return None
    puts = [put_in(add) for add in adds]
    kinds = _kinds(adds, puts)
    insertions = [found for kind in kinds if (found := _insertion(adds, kind))]
    if not insertions:
        return None
    fits = sum(made(insertions, add) for add in adds) / len(adds)
    return HubEdit(path, tuple(insertions), round(fits, 3))


def made(insertions: Sequence[Insertion], add: Add) -> bool:
    """Whether the add put in lines of just these forms, and no other with the member's name."""
    puts = put_in(add)
    taken = [next((p for p in puts if values(i, add.name, p.text) is not None), None) for i in insertions]
    return None not in taken and len(puts) == len(taken)


def put_in(add: Add) -> list[Put]:
    """The new logical lines in which the member is named."""
    old, new = add.before.splitlines(), add.after.splitlines()
    depths = [insertion.depth(line) for line in new]
    known = {insertion.plain(line.strip()) for line in _logical(old)}
    found: list[Put] = []
    for start, end, slides in _inserted(old, new):
        at = start
        while at < end:
            close = insertion.ending(depths, at)
            text = insertion.joined(new[at:close])
            if insertion.plain(text.strip()) in known or not any(names.occurrences(add.name, text)):
                at += 1
                continue
            around = frozenset((at - start - s, end + s - close) for s in slides if start + s <= at and close <= end + s)
            found.append(Put(text, insertion.opener(new, at), at, close, around))
            at = close
    return found


def _logical(lines: Sequence[str]) -> Iterator[str]:
    depths = [insertion.depth(line) for line in lines]
    for start in range(len(lines)):
        yield insertion.joined(lines[start : insertion.ending(depths, start)])


def _inserted(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, list[int]]]:
    """The stretches of new lines, each moved to where it holds whole logical lines, and by how much it can be moved."""
    for tag, _, _, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag not in ("insert", "replace"):
            continue
        slides = [0]
        if tag == "insert":
            while start + slides[0] > 0 and new[start + slides[0] - 1] == new[end + slides[0] - 1]:
                slides.insert(0, slides[0] - 1)
            while end + slides[-1] < len(new) and new[start + slides[-1]] == new[end + slides[-1]]:
                slides.append(slides[-1] + 1)
        best = min(slides, key=lambda s: (not _whole(new[start + s : end + s]), abs(s)))
        yield start + best, end + best, [s - best for s in slides]


def _whole(lines: Sequence[str]) -> bool:
    depth = 0
    for line in lines:
        depth += insertion.depth(line)
        if depth < 0:
            return False
    return depth == 0


def _kinds(adds: Sequence[Add], puts: Sequence[Sequence[Put]]) -> list[dict[int, Put]]:
    """The lines that were put in, those of one kind together by the number of their add; only kinds of most adds."""
    kinds: list[dict[int, Put]] = []
    tokens: list[Counter[str]] = []
    for number in reversed(range(len(adds))):
        for put in puts[number]:
            mine = Counter(tokens_of(adds[number].name, put.text))
            scored = [
                (_dice(mine, other) - 0.3 * (put.inside != next(iter(kind.values())).inside), index)
                for index, (kind, other) in enumerate(zip(kinds, tokens, strict=True))
                if number not in kind
            ]
            score, index = max(scored, default=(0.0, 0))
            if score >= ALIKE:
                kinds[index][number] = put
            else:
                kinds.append({number: put})
                tokens.append(mine)
    return [kind for kind in kinds if len(kind) >= max(LEAST, MOST * len(adds))]


def _dice(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / ((one.total() + other.total()) or 1)


def tokens_of(name: str, text: str) -> list[str]:
    """The tokens of the text; the name, where it stands in one of its forms, is one."""
    return [_NAME if token.startswith(_NAME) else token for token in _tokens(name, text)]


def _tokens(name: str, text: str) -> list[str]:
    """The same, with the name's spelling behind its mark."""
    found, at = [], 0
    for start, end in names.occurrences(name, text):
        if names.forms_of(name, text[start:end]):
            found += [*_TOKEN.findall(text[at:start]), _NAME + text[start:end]]
            at = end
    return [*found, *_TOKEN.findall(text[at:])]


def _insertion(adds: Sequence[Add], kind: Mapping[int, Put]) -> Insertion | None:
    """What the lines of a kind share, None where that tells no place."""
    counts = Counter(pair for put in kind.values() for pair in put.around)
    (before, after), support = max(counts.items(), key=lambda item: (item[1], -sum(item[0]), item[0]))
    if support < MOST * len(kind):
        return None
    rows = {
        number: _around(adds[number].after.splitlines(), put, before, after)
        for number, put in kind.items()
        if (before, after) in put.around
    }
    lines = tuple(
        _shared([(adds[number].name, row[index]) for number, row in rows.items()], str(index) if before + after else "")
        for index in range(before + 1 + after)
    )
    inside = Counter(put.inside for put in kind.values()).most_common(1)[0][0]
    found = Insertion(lines, before, inside, "text")
    orders: Counter[Order] = Counter()
    for order in get_args(Order):
        orders[order] = sum(_right(replace_order(found, order), adds[number], rows[number]) for number in rows)
    order, right = max(orders.items(), key=lambda item: item[1])
    return replace_order(found, order) if right >= len(rows) / 2 else None


def replace_order(found: Insertion, order: Order) -> Insertion:
    return Insertion(found.lines, found.anchor, found.inside, order)


def _around(lines: Sequence[str], put: Put, before: int, after: int) -> list[str]:
    return [*lines[put.start - before : put.start], put.text, *lines[put.end : put.end + after]]


def _right(found: Insertion, add: Add, rows: Sequence[str]) -> bool:
    """Whether the lines of the add come to where they are in the hub afterwards."""
    try:
        after = insertion.insert(add.before, rows, like(found), found.anchor, found.inside, found.order, python=False)
    except insertion.NoPlaceError:
        return False
    return same_place(add, rows[found.anchor], after)


def same_place(add: Add, line: str, after: str) -> bool:
    """Whether the line stands in this text between the same old lines as in the hub after the add."""
    return _neighbours(add, line, after) == _neighbours(add, line, add.after)


def _neighbours(add: Add, line: str, after: str) -> tuple[str, str] | None:
    old = {insertion.plain(text.strip()) for text in add.before.splitlines()}
    lines = after.splitlines()
    depths = [insertion.depth(text) for text in lines]
    for start in range(len(lines)):
        end = insertion.ending(depths, start)
        if insertion.plain(insertion.joined(lines[start:end])) == insertion.plain(line):
            above = (insertion.plain(text.strip()) for text in reversed(lines[:start]))
            below = (insertion.plain(text.strip()) for text in lines[end:])
            return next((t for t in above if t in old and t), ""), next((t for t in below if t in old and t), "")
    return None


def _shared(rows: Sequence[tuple[str, str]], prefix: str) -> Line:
    """The line that these are, each with its member's name: tokens that most have, and slots."""
    spelled = [_tokens(name, text) for name, text in rows]
    plain = [[_NAME if token.startswith(_NAME) else token for token in row] for row in spelled]
    bags = [Counter(row) for row in plain]
    middle = max(range(len(rows)), key=lambda i: sum(_dice(bags[i], bag) for bag in bags))
    matched: list[dict[int, int]] = []  # of each row: place in the middle one -> place in the row
    for row in plain:
        blocks = difflib.SequenceMatcher(None, plain[middle], row, autojunk=False).get_matching_blocks()
        matched.append({a + i: b + i for a, b, size in blocks for i in range(size)})
    need = SAME * len(rows)
    kept = [place for place in range(len(plain[middle])) if sum(place in row for row in matched) >= need]
    pieces: list[Piece] = []
    last = -1
    for place in [*kept, len(plain[middle])]:
        between = sum(_between(row, matched[i], last, place, len(plain[i])) for i, row in enumerate(plain))
        if place - last > 1 or between > len(rows) - need:
            pieces.append(Slot(f"slot{prefix}_{sum(isinstance(p, Slot) for p in pieces) + 1}"))
        if place < len(plain[middle]):
            token = plain[middle][place]
            pieces.append(Text(token) if token != _NAME else _named(rows, spelled, matched, place))
        last = place
    merged: list[Piece] = []
    for is_text, run in groupby(pieces, key=lambda piece: isinstance(piece, Text)):
        merged += [Text("".join(p.text for p in run if isinstance(p, Text)))] if is_text else list(run)
    return Line(tuple(merged))


def _between(row: Sequence[str], matched: Mapping[int, int], last: int, place: int, size: int) -> bool:
    """Whether the row has tokens of its own between these two places of the middle one."""
    start = matched.get(last, None if last >= 0 else -1)
    end = matched.get(place, size if place not in matched and place > max(matched, default=0) else None)
    return start is not None and end is not None and end - start > 1


def _named(rows: Sequence[tuple[str, str]], spelled: Sequence[Sequence[str]], matched: Sequence[Mapping[int, int]], place: int) -> Piece:
    """The form in which most rows write the name there."""
    forms: Counter[Form] = Counter()
    for (name, _), row, places in zip(rows, spelled, matched, strict=True):
        if place in places:
            forms.update(names.forms_of(name, row[places[place]].removeprefix(_NAME)))
    return Named("name", max(forms, key=lambda form: forms[form]))


def pattern(line: Line, name: str = "") -> str:
    """A regular expression of the line, of this member's where the name is given; slots are its groups."""
    parts = []
    for piece in line.pieces:
        if isinstance(piece, Slot):
            parts.append(f"(?P<{piece.parameter}>.*?)")
        else:
            text = piece.text if isinstance(piece, Text) else names.in_form(name, piece.form) if name else None
            parts.append(r"[\w.:/-]*?" if text is None else re.sub("[\"']", "[\"']", re.escape(text)))
    return "".join(parts).removesuffix(",") + ",?"


def like(found: Insertion) -> str:
    """A regular expression of the lines' like: they begin as it does, whatever follows."""
    parts = [pattern(line) for line in found.lines]
    pieces = found.lines[found.anchor].pieces
    first = pieces[0].text if isinstance(pieces[0], Text) else ""
    if re.search(r"\w", first) or (found.inside and first.strip()):
        parts[found.anchor] = re.sub("[\"']", "[\"']", re.escape(first)) + "(?P<key>.*)"
    else:
        parts[found.anchor] = f"(?P<key>{parts[found.anchor]})"
    return re.sub(r"\(\?P<slot\w+>", "(?:", "\n".join(parts))


def values(found: Insertion, name: str, text: str) -> dict[str, str] | None:
    """What stands in the slots of the anchor line, None where this is not the line of the member of this name."""
    match = re.fullmatch(pattern(found.lines[found.anchor], name), text)
    return match.groupdict() if match else None
