"""Families of units: Python functions and classes of one shape, whatever their names and constants.

Other languages are not looked at, and whether a shared unit could stand for the members is decided elsewhere.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile

from meta.families import paths
from meta.family import Family, Member

LEAST_NODES = 25
LEAST = 3  # members
NEAR = 0.7  # of the nodes in common, to be of a family though not of its very shape
_INSIDE = 0.8  # of the members within members of another family: it is a part of that one
_NAMED = 5  # words
_GENERATED = re.compile(rb"(?im)^#.*(?:generated (?:by|from)|do not edit|@generated)")
_UNITS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

Statements = Mapping[int, int]
"""How many nodes of a unit stand in statements of each shape."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A function or class; `shape` is equal for units that differ in names, constants and docstrings only."""

    path: str
    name: str
    kind: str
    nodes: int
    shape: int
    statements: Statements

    @property
    def place(self) -> str:
        return f"{self.path}::{self.name}"


class UnreadableError(Exception):
    """A file no units are read from, and why."""


def units(path: str, source: bytes) -> list[Unit]:
    """The units of a file that are large enough. Raises `UnreadableError`."""
    if _GENERATED.search(source[:400]):
        raise UnreadableError("generated")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own escapes and comparisons
            tree = ast.parse(source)
        return list(_Reader(path).read(tree, ""))
    except (RecursionError, MemoryError):
        raise UnreadableError("nested too deeply") from None
    except (SyntaxError, ValueError):
        raise UnreadableError("does not parse" if _is_utf8(source) else "not UTF-8") from None


def _is_utf8(source: bytes) -> bool:
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _Reader:
    """Hashes of the subtrees of one file, each computed once."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[ast.AST, tuple[int, int]] = {}

    def read(self, node: ast.AST, outer: str) -> Iterator[Unit]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _UNITS):
                name = f"{outer}.{child.name}" if outer else child.name
                shape, nodes = self.shape(child)
                if nodes >= LEAST_NODES:
                    yield Unit(self.path, name, type(child).__name__, nodes, shape, self.statements(child))
                yield from self.read(child, name)
            elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield from self.read(child, outer)

    def shape(self, node: ast.AST) -> tuple[int, int]:
        """The hash of a subtree without names and constants, and how many nodes it has."""
        known = self.known.get(node)
        if known is None:
            if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
                return self.shape(node.operand)  # a negative number
            parts: list[object] = [type(node).__name__]
            nodes = 1
            for items in _parts(node):
                shapes = [self.shape(item) if item else (0, 0) for item in items]
                parts.append(tuple([shape for shape, _ in shapes]))
                nodes += sum([count for _, count in shapes])
            known = self.known[node] = hash(tuple(parts)), nodes
        return known

    def statements(self, unit: ast.AST) -> Counter[int]:
        """The statements of a unit at any depth, a compound one by what stands before its body."""
        found: Counter[int] = Counter()
        for node in ast.walk(unit):
            if isinstance(node, ast.stmt) and node is not unit:
                items = (item for items in _parts(node) for item in items if item)
                heads = [self.shape(item) for item in items if not isinstance(item, ast.stmt)]
                shape = hash((type(node).__name__, *(part for part, _ in heads)))
                found[shape] += 1 + sum(count for _, count in heads)
        return found


def _parts(node: ast.AST) -> Iterator[Sequence[ast.AST | None]]:
    """What makes the shape of a node, field by field: no names, no constants, no contexts, no docstring."""
    if isinstance(node, ast.Constant):
        return
    for field in node._fields:
        value = getattr(node, field, None)
        if value is None:
            yield (None,)
        elif isinstance(value, list):
            start = field == "body" and isinstance(node, _UNITS) and ast.get_docstring(node, clean=False) is not None
            yield [item for item in value[start:] if item is None or isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            yield (value,)


def found(everything: Iterable[Unit]) -> tuple[Family, ...]:
    """The families of units, the one with most nodes to share first."""
    groups: dict[int, list[Unit]] = defaultdict(list)
    for unit in everything:
        groups[unit.shape].append(unit)
    ordered = sorted(groups.values(), key=lambda group: (-len(group) * group[0].nodes, group[0].place))
    joined = _joined(ordered)
    large = [group for group in map(_apart, joined) if len(group) >= LEAST]
    large.sort(key=lambda group: (-(len(group) - 1) * group[0].nodes, group[0].place))
    return tuple(_family(group) for group in _whole(large))


def _joined(groups: Sequence[Sequence[Unit]]) -> list[list[Unit]]:
    """The groups, with those that are near to the shape of an earlier one in it."""
    leaders: list[list[Unit]] = []
    having: dict[tuple[str, int], list[int]] = defaultdict(list)
    spread = Counter(shape for group in groups for shape in group[0].statements)
    for group in groups:
        kind, statements = group[0].kind, group[0].statements
        telling = [(kind, shape) for shape in _telling(statements, spread)]
        places = {place for each in telling for place in having[each]}
        near = [(_near(leaders[place][0].statements, statements), -place) for place in places]
        best = max(near, default=(0.0, 0))
        if best[0] >= NEAR:
            leaders[-best[1]] += group
            continue
        for each in telling:
            having[each].append(len(leaders))
        leaders.append(list(group))
    return leaders


def _telling(statements: Statements, spread: Mapping[int, int]) -> Iterator[int]:
    """The rarest statements of a unit, as many as one that is near to it cannot do without."""
    rest = sum(statements.values())
    least = NEAR * rest
    for shape in sorted(statements, key=lambda shape: (spread[shape], shape)):
        if rest < least:
            return
        yield shape
        rest -= statements[shape]


def _near(one: Statements, other: Statements) -> float:
    """The share of nodes that two units have in common, in statements of the same shape."""
    both = sum(min(count, other.get(shape, 0)) for shape, count in one.items())
    return both / ((sum(one.values()) + sum(other.values()) - both) or 1)


def _apart(group: Sequence[Unit]) -> list[Unit]:
    """The group without what stands inside another of it."""
    places = {(unit.path, unit.name) for unit in group}
    return [unit for unit in group if not any((unit.path, outer) in places for outer in _outer(unit.name))]


def _whole(groups: Sequence[list[Unit]]) -> Iterator[list[Unit]]:
    """The groups that are not just what stands inside the members of another, such as the methods of like classes."""
    inside: set[tuple[str, str]] = {(unit.path, unit.name) for group in groups for unit in group}
    for group in groups:
        parts = sum(any((unit.path, outer) in inside for outer in _outer(unit.name)) for unit in group)
        if parts < _INSIDE * len(group):
            yield group


def _outer(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _family(group: Sequence[Unit]) -> Family:
    places = sorted(unit.place for unit in group)
    template = _template(places)
    start, end = template.split(paths.HOLE) if template.count(paths.HOLE) == 1 else ("", "")
    members = tuple(
        Member(name=_name(template, place) or place[len(start) : len(place) - len(end)], files=(place,))
        for place in places
    )
    digest = blake2b("\0".join(["units", template, places[0]]).encode(), digest_size=6).hexdigest()
    return Family(f"u1-{digest}", _called(group), "units", (template,), members)


def _called(group: Sequence[Unit]) -> str:
    """The first words that all names share where there are some, or else of the name that most have."""
    names = [[word.lower() for word in paths.words(unit.name)] for unit in group]
    shared = list(dict.fromkeys(word for word in names[0] if all(word in other for other in names)))
    often, _ = Counter(unit.name for unit in group).most_common(1)[0]
    words = shared if len(shared) > 1 else [word.lower() for word in paths.words(often)]
    return "-".join(words[:_NAMED]) or often


def _template(places: Sequence[str]) -> str:
    """What the places have in common: a name wherever it is written, or else what they begin and end with."""
    counts = Counter(template for place in places for template in _opened(place).values())
    whole = [template for template, count in counts.items() if count == len(places)]
    if whole:
        return max(whole, key=lambda template: (template.count(paths.HOLE), len(template), template))
    start = _beginning(places)
    start = start[: max(start.rfind("/"), start.rfind("::") + 1) + 1]
    end = _beginning([place[len(start) :][::-1] for place in places])[::-1]
    cut = re.search(r"/|::|\.", end)
    return start + paths.HOLE + (end[cut.start() :] if cut else "")


def _beginning(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    alike = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    return "".join(characters[0] for characters in alike)


def _opened(place: str) -> dict[str, str]:
    return {key: template.replace("/::/", "::") for key, template in paths.opened(_parted(place)).items()}


def _name(template: str, place: str) -> str:
    spelled = paths.values(_parted(template), _parted(place))
    return spelled[0] if spelled else ""


def _parted(place: str) -> str:
    """A place as a path, so that its file and its name are parts."""
    return place.replace("::", "/::/")
