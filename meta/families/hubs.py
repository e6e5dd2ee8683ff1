"""What adding a member does to a hub: the lines that each add puts into it, and where among their like.

Which files are hubs is found with the family. Putting the next member's lines in is for `insertion`.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise, starmap, takewhile
from operator import eq, le
from pathlib import Path
from typing import TypeVar, get_args

from meta import git, insertion
from meta.families import names
from meta.family import Family, Form, HubEdit, Insertion, Line, Named, Order, Piece, Slot, Text

RECENT = 8  # adds that tell how it is done now
LEAST = 3  # adds to learn from
MOST = 0.6  # share of the adds that put such a line in, at least
SAME = 0.7  # share of the lines in which a token is the same, for it to stay
ALIKE = 0.5  # Dice of the tokens of two lines that are of one kind
_TOKEN = re.compile(r"\x00|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|\s+|.", re.DOTALL)
_NAME = "\x00"
_CASED: tuple[Form, ...] = ("pascal", "camel", "title", "upper")  # in which a name may have a spelling of its own
_SPELLED = "spelled_"  # how slots begin that hold the name in any spelling


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


def edits(repository: Path, family: Family, last: int = RECENT) -> tuple[HubEdit, ...]:
    """What adding a member does to each hub of the family, learned from its last adds; hubs without a pattern are left out."""
    wanted = [
        (hub.path, m.name, m.commit) for hub in family.hubs for m in family.members if m.commit and "\n" not in hub.path
    ]
    specs = (f"{commit}{which}:{path}" for path, _, commit in wanted for which in ("^", ""))
    texts = [
        None if content is None else content.decode("utf-8", "replace") for content in git.contents(repository, specs)
    ]
    adds: dict[str, list[Add]] = {hub.path: [] for hub in family.hubs}
    for (path, name, _), before, after in zip(wanted, texts[::2], texts[1::2], strict=True):
        if before is not None and after is not None and before != after:
            adds[path].append(Add(name, before, after))
    learned = (learn(path, these[-last:]) for path, these in adds.items())
    return tuple(edit for edit in learned if edit)


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


@lru_cache(maxsize=64)
def put_in(add: Add) -> list[Put]:
    """The new logical lines in which the member is named."""
    old, new = add.before.splitlines(), add.after.splitlines()
    depths = [insertion.depth(line) for line in new]
    known = {_bare(line) for _, _, line in _logical(old)}
    found: list[Put] = []
    for start, end, slides, gone in _inserted(old, new):
        at = start
        while at < end:
            close = insertion.ending(depths, at)
            text = insertion.joined(new[at:close])
            if _bare(text) in known or not any(names.occurrences(add.name, text)) or _grew(gone, text):
                at += 1
                continue
            around = frozenset(
                (at - start - s, end + s - close) for s in slides if start + s <= at and close <= end + s
            )
            found.append(Put(text, insertion.opener(new, at), at, close, around))
            at = close
    return found


def _logical(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Each logical line, from its first line to behind its last, written as one."""
    depths = [insertion.depth(line) for line in lines]
    for start in range(len(lines)):
        end = insertion.ending(depths, start)
        yield start, end, insertion.joined(lines[start:end])


def _grew(gone: Sequence[str], text: str) -> bool:
    """Whether the line is one of those that are gone, with something put into it: a list on one line, a count."""
    for _, _, old in _logical(gone):
        start = _leading(old, text)
        if len(old) > 1 and start + _leading(old[start:][::-1], text[start:][::-1]) == len(old):
            return True
    return False


def _leading(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items both begin with."""
    return sum(1 for _ in takewhile(bool, starmap(eq, zip(one, other, strict=False))))


def _inserted(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, list[int], Sequence[str]]]:
    """The stretches of new lines, each moved to where it holds whole logical lines, by how much it can be moved, and
    the old lines that are gone there."""
    same = _leading(old, new)
    matcher = difflib.SequenceMatcher(None, old[same:], new[same:], autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        gone, start, end = old[first + same : last + same], start + same, end + same
        if tag not in ("insert", "replace"):
            continue
        slides = [0]
        if tag == "insert":
            while start + slides[0] > 0 and new[start + slides[0] - 1] == new[end + slides[0] - 1]:
                slides.insert(0, slides[0] - 1)
            while end + slides[-1] < len(new) and new[start + slides[-1]] == new[end + slides[-1]]:
                slides.append(slides[-1] + 1)
        best = min(slides, key=lambda s: (not _whole(new[start + s : end + s]), abs(s)))
        yield start + best, end + best, [s - best for s in slides], gone


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
    """The tokens of the text; the name, in whatever spelling, is one."""
    return [_NAME if token.startswith(_NAME) else token for token in _tokens(name, text)]


def _tokens(name: str, text: str) -> list[str]:
    """The same, with the name's spelling behind its mark."""
    found, at = [], 0
    for start, end in names.occurrences(name, text):
        found += [*_TOKEN.findall(text[at:start]), _NAME + text[start:end]]
        at = end
    return [*found, *_TOKEN.findall(text[at:])]


def _insertion(adds: Sequence[Add], kind: Mapping[int, Put]) -> Insertion | None:
    """What the lines of a kind share, None where that tells no place."""
    counts = Counter(pair for put in kind.values() for pair in put.around)
    (before, after), support = max(counts.items(), key=lambda item: (item[1], -sum(item[0]), item[0]))
    if support < MOST * len(kind):
        return None
    rows = {n: _around(adds[n], put, before, after) for n, put in kind.items() if (before, after) in put.around}
    shared = [
        _shared([(adds[n].name, row[index]) for n, row in rows.items()], index) for index in range(before + 1 + after)
    ]
    inside = Counter(put.inside for put in kind.values()).most_common(1)[0][0]
    defaults = {name: default for _, own in shared for name, default in own.items()}
    lines = tuple(line for line, _ in shared)
    found = Insertion(lines, before, inside, "text", like(lines, before, inside), defaults)
    order = _order(found, [(adds[n], "\n".join(row)) for n, row in rows.items()])
    return replace(found, order=order) if order else None


def _around(add: Add, put: Put, before: int, after: int) -> list[str]:
    lines = add.after.splitlines()
    return [*lines[put.start - before : put.start], put.text, *lines[put.end : put.end + after]]


def _order(found: Insertion, rows: Sequence[tuple[Add, str]]) -> Order | None:
    """The order that puts most of the lines to where they are in the hub afterwards, None where none does.

    Of two that do, the one that the hub as a whole is nearer to.
    """
    right: Counter[Order] = Counter()
    tidy: dict[Order, float] = {}
    for add, text in rows:
        blocks = insertion.alike(add.after.splitlines(), found.like, found.anchor, len(found.lines))
        mine = next((i for i, (_, _, match) in enumerate(blocks) if match.string == text), None)
        if mine is None:
            continue
        for order in get_args(Order):
            keys = [insertion.key(match, order) for _, _, match in blocks]
            right[order] += insertion.rank(keys[:mine] + keys[mine + 1 :], keys[mine], order) == mine
            tidy[order] = sum(starmap(le, pairwise(keys))) / len(keys)
    best = max(tidy, key=lambda order: (right[order], tidy[order]), default=None)
    return best if best and right[best] else None


def same_place(add: Add, line: str, after: str) -> bool:
    """Whether the line stands in this text between the same old lines as in the hub after the add."""
    old = frozenset(map(_bare, add.before.splitlines()))
    return _neighbours(old, line, after) == _neighbours(old, line, add.after)


def _bare(line: str) -> str:
    return insertion.plain(line.strip())


def _neighbours(old: frozenset[str], line: str, text: str) -> tuple[str, str] | None:
    lines = text.splitlines()
    for start, end, whole in _logical(lines):
        if _bare(whole) == _bare(line):
            above, below = map(_bare, reversed(lines[:start])), map(_bare, lines[end:])
            return next((t for t in above if t in old and t), ""), next((t for t in below if t in old and t), "")
    return None


Aligned = Sequence[Mapping[int, int]]  # of each row: place in the middle one -> place in the row


def _shared(rows: Sequence[tuple[str, str]], number: int) -> tuple[Line, dict[str, tuple[Text | Named, ...]]]:
    """The line that these are, each with its member's name: tokens that all have, and slots with what most have there."""
    spelled = [_tokens(name, text) for name, text in rows]
    tokens = [[_NAME if token.startswith(_NAME) else token for token in row] for row in spelled]
    bags = [Counter(row) for row in tokens]
    middle = tokens[max(range(len(rows)), key=lambda i: sum(_dice(bags[i], bag) for bag in bags))]
    aligned = []
    for row in tokens:
        matches = difflib.SequenceMatcher(None, middle, row, autojunk=False).get_matching_blocks()
        aligned.append({a + i: b + i for a, b, size in matches for i in range(size)} | {-1: -1, len(middle): len(row)})
    forms = {place: _form(rows, spelled, aligned, place) for place, token in enumerate(middle) if token == _NAME}
    share = [sum(place in row for row in aligned) / len(rows) for place in range(len(middle))]
    piece: list[Text | Named] = [
        Named("name", forms[place][0]) if place in forms else Text(token) for place, token in enumerate(middle)
    ]
    pieces: list[Piece] = []
    defaults: dict[str, tuple[Text | Named, ...]] = {}
    last = -1
    loose = {p for p, (form, part) in forms.items() if part < 1 and form not in _CASED}
    for place in [*(p for p in range(len(middle)) if share[p] == 1 and p not in loose), len(middle)]:
        if any(row[place] - row[last] > 1 for row in aligned):
            slot = Slot(f"slot_{number}_{place}")
            usual = [p for p in range(last + 1, place) if min(share[p], forms.get(p, (0, 1.0))[1]) >= SAME]
            gaps = zip([last, *usual], [*usual, place], strict=True)
            if all(_mostly_adjacent(aligned, *gap) for gap in gaps):
                defaults[slot.parameter] = _merged(piece[p] for p in usual)
            pieces.append(slot)
        if place in forms and forms[place][0] in _CASED:
            spelled_so = Slot(f"{_SPELLED}{number}_{place}")
            defaults[spelled_so.parameter] = (piece[place],)
            pieces.append(spelled_so)
        else:
            pieces += piece[place : place + 1]
        last = place
    return Line(_merged(pieces)), defaults


def _mostly_adjacent(aligned: Aligned, one: int, other: int) -> bool:
    """Whether most rows have nothing between these two places."""
    return sum(row.get(other, 0) - row.get(one, other) == 1 for row in aligned) >= SAME * len(aligned)


_P = TypeVar("_P", bound=Piece)


def _merged(pieces: Iterable[_P]) -> tuple[_P | Text, ...]:
    """The pieces, texts that follow each other as one."""
    merged: list[_P | Text] = []
    for is_text, run in groupby(pieces, key=lambda piece: isinstance(piece, Text)):
        parts = list(run)
        merged += [Text("".join(part.text for part in parts if isinstance(part, Text)))] if is_text else parts
    return tuple(merged)


def _form(
    rows: Sequence[tuple[str, str]], spelled: Sequence[Sequence[str]], aligned: Aligned, place: int
) -> tuple[Form, float]:
    """The form in which most rows write the name there, and the share of all that do."""
    forms: Counter[Form] = Counter()
    for (name, _), row, places in zip(rows, spelled, aligned, strict=True):
        if place in places:
            forms.update(names.forms_of(name, row[places[place]].removeprefix(_NAME)))
    form: Form = max(forms, key=lambda form: forms[form], default="as-is")
    return form, forms[form] / len(rows)


def pattern(line: Line, name: str = "") -> str:
    """A regular expression of the line, of this member's where the name is given; slots are its groups."""
    parts = []
    for piece in line.pieces:
        match piece:
            case Slot():
                text = _any_spelling(name) if piece.parameter.startswith(_SPELLED) else ".*?"
                parts.append(f"(?P<{piece.parameter}>{text})")
            case Named() if not name:
                parts.append(r"[\w. -]*?" if piece.form in ("title", "spaced") else r"[\w.:/-]*?")
            case _:
                text = piece.text if isinstance(piece, Text) else names.in_form(name, piece.form)
                parts.append(_quoted(text))
    return "".join(parts).removesuffix(",") + ",?"


def _any_spelling(name: str) -> str:
    return "(?i:" + "[-_ ]?".join(map(re.escape, names.letters(name))) + ")" if name else r"[\w. -]*?"


def _quoted(text: str) -> str:
    """The text as a regular expression, with quotes of either kind."""
    return re.sub("[\"']", "[\"']", re.escape(text))


def like(lines: Sequence[Line], anchor: int, inside: str) -> str:
    """A regular expression of the lines' like: they begin as the anchor does, whatever follows."""
    parts = [pattern(line) for line in lines]
    first = lines[anchor].pieces[0]
    start = first.text if isinstance(first, Text) else ""
    if re.search(r"\w", start) or (inside and start.strip()):
        parts[anchor] = _quoted(start) + "(?P<key>.*)"
    else:
        parts[anchor] = f"(?P<key>{parts[anchor]})"
    return re.sub(r"\(\?P<(?!key>)\w+>", "(?:", "\n".join(parts))


def values(found: Insertion, name: str, text: str) -> dict[str, str] | None:
    """What stands in the slots of the anchor line, None where this is not the line of the member of this name."""
    match = re.fullmatch(pattern(found.lines[found.anchor], name), text)
    return match.groupdict() if match else None


def standing(found: Insertion, name: str, text: str) -> dict[str, str] | None:
    """What the slots of all lines of the member hold in the hub, None where it does not stand there."""
    lines = text.splitlines()
    for start, end, whole in _logical(lines):
        first, last = start - found.anchor, end + len(found.lines) - 1 - found.anchor
        if first < 0 or last > len(lines) or values(found, name, whole) is None:
            continue
        around = [*lines[first:start], whole, *lines[end:last]]
        matches = [re.fullmatch(pattern(line, name), text) for line, text in zip(found.lines, around, strict=True)]
        if all(matches):
            return {slot: value for match in matches if match for slot, value in match.groupdict().items()}
    return None
