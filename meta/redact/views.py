r"""A text as the readers of its JSON see it: escapes read, layer by layer, each place traced back to the text itself.

Secrets are not known here. Reading `\"` everywhere and not only between quotes needs no parsing, works in cut and
broken JSON too, and shows a few places too many, never one too few.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterator

DEPTH = 6  # of JSON within JSON
_ESCAPE = re.compile(rb'\\(?:u[0-9a-fA-F]{4}|["\\/nrt])')
_PLAIN = ((b'\\"', b'"'), (b"\\n", b"\n"), (b"\\/", b"/"), (b"\\r", b"\r"), (b"\\t", b"\t"))
_PAIR = b"\xff\xfe"  # stands for two backslashes meanwhile, since UTF-8 has no such bytes


class View:
    """The lines of a text that have escapes, with these read."""

    def __init__(self, text: bytes) -> None:
        self._starts: list[int] = []  # of each line, among these lines
        self._places: list[int] = []  # of each line, in the text
        lines, place, start = [], 0, 0
        for line in text.split(b"\n"):
            if b"\\" in line:
                self._starts.append(start)
                self._places.append(place)
                lines.append(line)
                start += len(line) + 1
            place += len(line) + 1
        self._escaped = b"\n".join(lines)
        self.text = _read(self._escaped)

    @functools.cached_property
    def _shifts(self) -> tuple[list[int], list[int]]:
        """Where each escape ends in what is read, and by how much its end stands further in what is escaped."""
        ends, shifts, shift = [], [0], 0
        for match in _ESCAPE.finditer(self._escaped):
            begin, end = match.span()
            size = len(_character(match)) if end - begin == 6 else 1
            ends.append(begin - shift + size)
            shift += end - begin - size
            shifts.append(shift)
        return ends, shifts

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text stands what is read between these offsets."""
        ends, shifts = self._shifts
        first = start + shifts[bisect_right(ends, start)]
        last = end + shifts[bisect_right(ends, end)] - 1
        return self._place(first), self._place(last) + 1

    def _place(self, offset: int) -> int:
        line = bisect_right(self._starts, offset) - 1
        return self._places[line] + offset - self._starts[line]


def _read(text: bytes) -> bytes:
    read = text.replace(b"\\\\", _PAIR)
    for escape, plain in _PLAIN:
        read = read.replace(escape, plain)
    if b"\\u" in read:
        read = re.sub(rb"\\u[0-9a-fA-F]{4}", _character, read)
    return read.replace(_PAIR, b"\\")


def _character(match: re.Match[bytes]) -> bytes:
    return chr(int(match[0][2:], 16)).encode(errors="surrogatepass")


def views(text: bytes) -> Iterator[tuple[View, ...]]:
    """The layers below the text, each with those above it, the last of which it was read from."""
    layers: tuple[View, ...] = ()
    while len(layers) < DEPTH and b"\\" in text:
        view = View(text)
        if len(view.text) == len(text):
            return  # its backslashes are no escapes
        layers = (*layers, view)
        text = view.text
        yield layers
