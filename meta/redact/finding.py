"""Where secrets stand in a text: the rules compiled and tried, in the text and in what its escapes hide.

What is put in their place is told in the package itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from meta.redact import blocks, programs
from meta.redact.names import PLACEHOLDER
from meta.redact.places import PLACES
from meta.redact.rules import Found, Rule
from meta.redact.vendors import VENDORS
from meta.redact.views import views

RULES = (*VENDORS, *PLACES)  # the first rule that covers a place names it
_PROGRAMS, _BLOCKS = len(RULES), len(RULES) + 1  # stand behind the rules among the candidates
_PIECE = 1 << 16  # bytes in which the rules of vendors are picked anew
_QUOTES = b"\"'`"
_LEAD = 96  # bytes before a match that its rule may see
_FEW, _APART = 1000, 112  # so many matches are tried in any text, and one more for so many bytes of it
_FEW_SECRETS, _SECRETS_APART = 500, 256  # the same for what is masked


class Span(NamedTuple):
    start: int
    end: int
    kind: str


class DenseError(Exception):
    """A text made of matches: looking at each of them would take too long, so none is told from the other."""


class _Compiled:
    """All rules for RE2, which is linear on any input; patterns work on bytes (Latin-1 to it), exact for UTF-8 since
    all that they name is ASCII.

    A filter by literals tells which rules may match. Rules of vendors in which it finds no literal go into one set
    automaton; those of places would make that automaton too large and are tried always.
    """

    def __init__(self) -> None:
        import re2  # heavy, and not needed by commands that read no session

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = 64 * 2**20
        options.log_errors = False  # where an automaton grows too large, RE2 says so and takes a slower way
        self.patterns = [re2.compile(rule.pattern.encode(), options) for rule in RULES]
        self.programs = re2.compile(programs.NAMES.encode(), options)
        self.leads = [re.compile(rule.lead) if rule.lead else None for rule in RULES]
        self._filter = re2.Filter()
        for pattern in (*(rule.hint or rule.pattern for rule in RULES), programs.NAMES, blocks.HINT):
            self._filter.Add(pattern.encode(), options)
        self._filter.Compile()
        self._loose = [index for index in self._filter.Match(b"", True) or () if index < len(VENDORS)]
        self._set = re2.Set.SearchSet(options)
        for index in self._loose:
            self._set.Add(RULES[index].pattern.encode())
        self._set.Compile()

    def candidates(self, data: bytes) -> list[int]:
        """The places in `RULES` of those that may match, in order; behind them programs and blocks."""
        named = set(self._filter.Match(data, True) or ()).difference(self._loose)
        return sorted(named.union(self._loose[index] for index in self._set.Match(data) or ()))


@functools.cache
def compiled() -> _Compiled:
    return _Compiled()  # takes about 0.03 s, so once a process


class _Budget:
    """How many matches may be looked at, and how many may be secrets. What is too much depends on the text alone."""

    def __init__(self, size: int) -> None:
        self._matches = _FEW + size // _APART
        self._secrets = _FEW_SECRETS + size // _SECRETS_APART

    def look(self) -> None:
        self._matches -= 1
        if self._matches < 0:
            raise DenseError

    def found(self, span: Span) -> Span:
        self._secrets -= 1
        if self._secrets < 0:
            raise DenseError
        return span


def find(data: bytes) -> list[Span]:
    """The secrets in order, none overlapping another. Raises `DenseError`."""
    found = list(_search(data))
    for layers in views(data):
        for span in _search(layers[-1].text):
            start, end = span.start, span.end
            for view in reversed(layers):
                start, end = view.place(start, end)
            found.append(Span(start, end, span.kind))
    return _merged(found)


def _search(data: bytes) -> Iterator[Span]:
    budget = _Budget(len(data))
    candidates = compiled().candidates(data)
    vendors = [index for index in candidates if index < len(VENDORS)]
    for start, end in _pieces(data) if vendors else ():
        picked = vendors if end - start == len(data) else compiled().candidates(data[start:end])
        for index in picked:
            if index < len(VENDORS):
                yield from _of_rule(index, data, start, end, budget)
    for index in candidates:
        if index == _PROGRAMS:
            named = []
            for match in compiled().programs.finditer(data):
                budget.look()
                named.append(match.span(1))
            yield from (budget.found(Span(*span)) for span in programs.spans(data, named))
        elif index == _BLOCKS:
            yield from (budget.found(Span(*span)) for span in blocks.spans(data))
        elif index >= len(VENDORS):
            yield from _of_rule(index, data, 0, len(data), budget)


def _pieces(data: bytes) -> Iterator[tuple[int, int]]:
    """Parts of the text, each but the first beginning with the line break that ends the one before."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _PIECE)
        end = len(data) if end < 0 else end
        yield start, end
        start = end


def _of_rule(index: int, data: bytes, start: int, end: int, budget: _Budget) -> Iterator[Span]:
    rule, lead = RULES[index], compiled().leads[index]
    for match in compiled().patterns[index].finditer(data, start, end):
        budget.look()
        if span := _span(rule, lead, match, data):
            for part in _items(rule, span, data) if rule.items else (span,):
                yield budget.found(part)


def _items(rule: Rule, span: Span, data: bytes) -> Iterator[Span]:
    for item in re.compile(rule.items).finditer(data, span.start, span.end):
        if not PLACEHOLDER.fullmatch(_decoded(item[1])):
            yield Span(*item.span(1), span.kind)


def _span(rule: Rule, lead: re.Pattern[bytes] | None, match: Any, data: bytes) -> Span | None:
    """Where the secret of a match stands, None where the rule does not accept it or it is masked already."""
    last = match.re.groups
    start, end = match.span(last)
    while start < 0:
        last -= 1
        start, end = match.span(last)
    if not rule.items and end - start > 1 and data[start] in _QUOTES:
        start, end = start + 1, end - (data[end - 1] == data[start])
    name = before = ""
    if last > 1:
        begin, stop = match.span(1)
        name = _decoded(data[begin:stop])
    if lead:
        begin = match.start()
        stands = lead.match(data[max(begin - _LEAD, 0) : begin][::-1])
        if stands:
            before = _decoded(stands[0][stands.end(1) :][::-1])
            start -= stands.end(1) if rule.widened else 0
            name = name if rule.widened else _decoded(stands[1][::-1]) + name
    start, end = _whole(data, start, end)
    value = _decoded(data[start:end])
    if value.startswith("REDACTED_") and PLACEHOLDER.fullmatch(value):
        return None
    around = _decoded(data[start - 1 : start]) if start else "", _decoded(data[end : end + 1])
    found = Found(name, value, *around, before, last)
    return Span(start, end, rule.name) if rule.accept(found) else None


def _whole(data: bytes, start: int, end: int) -> tuple[int, int]:
    r"""The place with whole characters and without halves of escapes such as `\n` at its ends, so that JSON stays JSON."""
    while end < len(data) and data[end] & 0xC0 == 0x80:  # a pattern's limit may fall within a character
        end += 1
    if data[start - 1 : start] == b"\\" and _open(data, start):
        start = min(start + (5 if data[start : start + 1] == b"u" else 1), end)
    if data[end - 1 : end] == b"\\" and _open(data, end):
        end = max(end - 1, start)
    return start, end


def _open(data: bytes, offset: int) -> bool:
    """Whether the backslashes before the offset are an odd number."""
    before = data[max(offset - 64, 0) : offset]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _decoded(data: bytes) -> str:
    return data.decode(errors="replace")


def _merged(spans: list[Span]) -> list[Span]:
    """The spans in order, overlapping ones as one under the name of the first rule."""
    merged: list[tuple[int, Span]] = []
    for rank, span in sorted(enumerate(spans), key=lambda item: (item[1].start, item[1].end)):
        if merged and span.start < merged[-1][1].end:
            before, known = merged.pop()
            kind = known.kind if before < rank else span.kind
            rank, span = min(before, rank), Span(known.start, max(known.end, span.end), kind)
        merged.append((rank, span))
    return [span for _, span in merged]
