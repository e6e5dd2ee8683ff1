"""Put values of ours into the text of a JSON or TOML file, and take out just them; every other byte stays as it is.

JSON may have comments and commas behind the last member, as editors' settings do. Reading and writing files, and
remembering what was put, is the business of `edits`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meta.errors import UserError

_SPACE = re.compile(r"[ \t\r\n]*")
_REMARK = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_SCALAR = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null')
_DEEPEST = 200  # levels; nobody's settings are nested like that
_WORD = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Own:
    """A value of ours: at a path of keys, or, as an `item`, an element of the array that is there."""

    path: tuple[str, ...]
    value: Any
    item: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """What must be known to take a value out again as it was put.

    `depth` of the path's keys were there before, `blank` stood between the brackets where they were empty, and
    `replaced` is the text of the value that gave way.
    """

    depth: int
    blank: str | None = None
    replaced: str | None = None


@dataclass(slots=True)
class _Node:
    """A value of the text. The children of an object begin with their keys; `values` are the children's values."""

    kind: str
    start: int
    end: int = 0
    keys: list[str] = field(default_factory=list)
    values: list[_Node] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    commas: list[int] = field(default_factory=list)

    def child(self, key: str) -> _Node | None:
        places = [place for place, name in enumerate(self.keys) if name == key]
        return self.values[places[-1]] if places else None  # readers take the last of the same name


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def document(self) -> _Node:
        start = 1 if self.text.startswith("\ufeff") else 0
        node = self.value(self.gap(start), 0)
        if self.gap(node.end) != len(self.text):
            raise self.wrong(self.gap(node.end))
        return node

    def wrong(self, place: int) -> ValueError:
        return ValueError(f"line {self.text.count(chr(10), 0, place) + 1}")

    def gap(self, place: int) -> int:
        """The next place that is neither space nor comment."""
        while True:
            match = _SPACE.match(self.text, place)
            place = match.end() if match else place
            remark = _REMARK.match(self.text, place)
            if not remark:
                return place
            place = remark.end()

    def scalar(self, place: int) -> _Node:
        match = _SCALAR.match(self.text, place)
        if not match:
            raise self.wrong(place)
        try:
            json.loads(match[0])
        except ValueError:
            raise self.wrong(place) from None
        return _Node("scalar", place, match.end())

    def value(self, place: int, depth: int) -> _Node:
        opening = self.text[place : place + 1]
        if opening not in ("{", "["):
            return self.scalar(place)
        if depth > _DEEPEST:
            raise self.wrong(place)
        node, closing = _Node(opening, place), "}" if opening == "{" else "]"
        place = self.gap(place + 1)
        while self.text[place : place + 1] != closing:
            if len(node.commas) < len(node.values):  # the one before has no comma behind it
                raise self.wrong(place)
            node.starts.append(place)
            if opening == "{":
                key = self.scalar(place)
                if self.text[place] != '"':
                    raise self.wrong(place)
                node.keys.append(json.loads(self.text[place : key.end]))
                place = self.gap(key.end)
                if self.text[place : place + 1] != ":":
                    raise self.wrong(place)
                place = self.gap(place + 1)
            node.values.append(self.value(place, depth + 1))
            place = self.gap(node.values[-1].end)
            if self.text[place : place + 1] == ",":
                node.commas.append(place)
                place = self.gap(place + 1)
        node.end = place + 1
        return node

    def meaning(self, node: _Node) -> Any:
        if node.kind == "{":
            return dict(zip(node.keys, map(self.meaning, node.values), strict=True))
        if node.kind == "[":
            return list(map(self.meaning, node.values))
        return json.loads(self.text[node.start : node.end])


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def put(text: str, own: Own, name: str) -> tuple[str, Trace] | None:
    """The JSON text with the value in it and how it got there; None where it is there already.

    `name` is the file's, for errors. Raises `UserError` for a text that is no JSON, or has no room for the value.
    """
    if not text.strip().removeprefix("\ufeff"):
        whole = _nested(own.path, [own.value] if own.item else own.value)
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n", Trace(0)
    reader = _Reader(text)
    levels, depth = _levels(reader, own, name)
    node, rest = levels[-1], own.path[depth:]
    if own.item and not rest:
        if any(_same(reader.meaning(value), own.value) for value in node.values):
            return None
        return _inserted(text, levels, None, own.value, depth)
    key, inner = rest[0], _nested(rest[1:], [own.value] if own.item else own.value)
    old = node.child(key)
    if old is None:
        return _inserted(text, levels, key, inner, depth)
    if _same(reader.meaning(old), own.value):
        return None
    indent, unit = _line_indent(text, old.start), _unit(text, levels[0])
    new = _printed(own.value, indent, unit, _newline(text))
    return text[: old.start] + new + text[old.end :], Trace(depth, None, text[old.start : old.end])


def _levels(reader: _Reader, own: Own, name: str) -> tuple[list[_Node], int]:
    """The containers on the way to the value, and how many keys of its path are there."""
    try:
        node = reader.document()
    except ValueError as error:
        raise UserError(f"{name} is not valid JSON ({error}). Mend it, then run this again.") from None
    containers = own.path if own.item else own.path[:-1]
    levels = [node]
    for depth, key in enumerate(containers):
        if node.kind != "{":
            raise _no_room(name, own, depth)
        child = node.child(key)
        if child is None:
            return levels, depth
        levels.append(node := child)
    if node.kind != ("[" if own.item else "{"):
        raise _no_room(name, own, len(containers))
    return levels, len(containers)


def _no_room(name: str, own: Own, depth: int) -> UserError:
    where = ".".join(own.path[:depth]) or "the whole of it"
    return UserError(f"{where} in {name} is something else than {'.'.join(own.path)} needs. Change it by hand first.")


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _line_indent(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))].removeprefix("\ufeff")


def _unit(text: str, root: _Node) -> str:
    """What a level is indented by."""
    if root.starts and "\n" in text[root.start : root.starts[0]]:
        return _line_indent(text, root.starts[0]) or "  "
    return "  "


def _printed(value: Any, indent: str, unit: str, newline: str) -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", newline + indent)


def _remarks_end(text: str, place: int, stop: int) -> int:
    """Where the last comment between two places ends, the first place where there is none."""
    end = place
    while place < stop:
        match = _SPACE.match(text, place)
        place = match.end() if match else place
        remark = _REMARK.match(text, place)
        if not remark or remark.end() > stop:
            return end
        end = place = remark.end()
    return end


def _inserted(text: str, levels: Sequence[_Node], key: str | None, value: Any, depth: int) -> tuple[str, Trace]:
    node, newline, unit = levels[-1], _newline(text), _unit(text, levels[0])
    close, head = node.end - 1, f"{json.dumps(key, ensure_ascii=False)}: " if key is not None else ""
    if not node.values:
        blank = text[node.start + 1 : close]
        outer = _line_indent(text, node.start)
        place = _remarks_end(text, node.start + 1, close)
        new = newline + outer + unit + head + _printed(value, outer + unit, unit, newline)
        new += "" if "\n" in text[place:close] else newline + outer
        return text[:place] + new + text[place:], Trace(depth, blank)
    comma = len(node.commas) == len(node.values)
    last = node.commas[-1] + 1 if comma else node.values[-1].end
    place = _remarks_end(text, last, close)
    if "\n" in text[node.start : node.starts[0]]:
        indent = _line_indent(text, node.starts[0])
    elif "\n" in text[last:close]:
        indent = _line_indent(text, node.start) + unit
    else:
        new = " " + head + json.dumps(value, ensure_ascii=False)
        return text[:last] + ("" if comma else ",") + text[last:place] + new + ("," if comma else "") + text[
            place:
        ], Trace(depth)
    new = newline + indent + head + _printed(value, indent, unit, newline)
    return text[:last] + ("" if comma else ",") + text[last:place] + new + ("," if comma else "") + text[place:], Trace(
        depth
    )


def take(text: str, own: Own, trace: Trace, name: str) -> str | None:
    """The JSON text without the value, the same text where it has gone; None where it was changed by hand."""
    if not text.strip().removeprefix("\ufeff"):
        return text
    reader = _Reader(text)
    try:
        levels, depth = _levels(reader, own, name)
    except UserError:
        return None
    if depth < len(own.path if own.item else own.path[:-1]):
        return text
    node = levels[-1]
    if own.item:
        places = [n for n, value in enumerate(node.values) if _same(reader.meaning(value), own.value)]
    else:
        places = [n for n, key in enumerate(node.keys) if key == own.path[-1]]
        if places and not _same(reader.meaning(node.values[places[-1]]), own.value):
            return None
    if not places:
        return text
    place = places[-1]
    if trace.replaced is not None:
        old = node.values[place]
        return text[: old.start] + trace.replaced + text[old.end :]
    level = len(levels) - 1
    while level > trace.depth and len(levels[level].values) == 1:  # a container that was made for it goes with it
        level -= 1
        place = max(n for n, key in enumerate(levels[level].keys) if key == own.path[level])
    return _removed(text, levels[level], place, trace.blank if level == trace.depth else None)


def _removed(text: str, node: _Node, place: int, blank: str | None) -> str:
    start, end = node.starts[place], node.values[place].end
    while text[start - 1] in " \t\r\n":
        start -= 1
    if place < len(node.commas):
        comma = node.commas[place]
        cut = text[:start] + text[end:comma] + text[comma + 1 :]
    elif place:
        comma = node.commas[place - 1]
        cut = text[:comma] + text[comma + 1 : start] + text[end:]
    else:
        cut = text[:start] + text[end:]
    if blank is None or len(node.values) > 1:
        return cut
    close = node.end - 1 - (len(text) - len(cut))
    if cut[node.start + 1 : close].strip() != blank.strip():
        return cut
    return cut[: node.start + 1] + blank + cut[close:]


def put_toml(text: str, own: Own, name: str) -> str | None:
    """The TOML text with a table of ours at its end, or another value at its top; None where it is there already."""
    there = _at(_toml(text, name), own.path)
    if there is not None:
        if _same(there, own.value):
            return None
        raise UserError(f"{'.'.join(own.path)} in {name} is somebody else's. Remove it, then run this again.")
    newline = _newline(text)
    if isinstance(own.value, dict):
        gap = "" if not text or text.endswith("\n") else newline
        after = text + gap + newline.join(_table(own.path, own.value)) + newline
    else:
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        after = f"{mark}{_key(own.path)} = {_scalar(own.value)}{newline}{text.removeprefix(mark)}"
    try:
        _toml(after, name)
    except UserError:
        raise UserError(f"{name} has no room for {'.'.join(own.path)} as it is written. Add it by hand.") from None
    return after


def take_toml(text: str, own: Own, as_put: str = "") -> str | None:
    """The TOML text without the value, wherever and however it stands now; None where it was changed by hand.

    Where it still stands `as_put`, just those characters go.
    """
    import tomlkit  # not needed to put anything

    mark = "\ufeff" if text.startswith("\ufeff") else ""
    try:
        there = _at(tomllib.loads(text.removeprefix(mark)), own.path)
    except tomllib.TOMLDecodeError:
        return None
    if there is None:
        return text
    if not _same(there, own.value):
        return None
    if as_put and text.count(as_put) == 1:
        return text.replace(as_put, "")
    document = tomlkit.parse(text.removeprefix(mark))
    table: Any = document
    for key in own.path[:-1]:
        table = table[key]
    del table[own.path[-1]]
    return mark + tomlkit.dumps(document)


def _at(values: Any, path: Sequence[str]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name} is not valid TOML: {error}. Mend that line, then run this again.") from None


def _table(path: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    lines = [f"[{_key(path)}]"]
    lines += [f"{_key([key])} = {_scalar(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _table([*path, key], value)
    return lines


def _key(path: Sequence[str]) -> str:
    return ".".join(part if _WORD.fullmatch(part) else _scalar(part) for part in path)


def _scalar(value: Any) -> str:
    """JSON's texts, numbers, truths and lists are TOML's too, but for what TOML may not hold as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def form(path: Path) -> str:
    """The form of a file: "json" or "toml". Raises `UserError` for another."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in ("json", "jsonc", "toml"):
        raise UserError(f"{path} is neither JSON nor TOML, so no key of it can be ours.")
    return suffix[:4]
