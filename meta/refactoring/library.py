"""Functions that were copied between files, and whose copies mean the same, become one in a shared module.

Two functions mean the same if their trees are equal and everything they take from their files is: imports, literal
constants, and functions for which the same holds in turn. What differs only in constants is for `helpers`.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meta.refactoring.names import SEEING, Constant, Function, Imported, Meaning, Names, globals_of, tables
from meta.refactoring.nouns import Refused, RefusedError, Site
from meta.refactoring.sources import Source, lowest
from meta.refactoring.watching import Watched

# Decorators that only make something of the function they get: they write it down nowhere.
PURE = {
    "numba.njit", "numba.jit", "numba.vectorize", "numba.guvectorize", "numba.cfunc", "numba.stencil",
    "contextlib.contextmanager", "contextlib.asynccontextmanager", "typing.no_type_check", "jax.jit",
}  # fmt: skip
_HINTS = re.compile(r"get_type_hints|__annotations__|\bsignature\(|get_annotations|pydantic|singledispatch|beartype")
_SMALL = 20  # nodes of a tree: a shorter function is moved only with one that needs it

Key = tuple[str, str]
"""A function by the path of its file and its name."""


@dataclass(frozen=True)
class Unit:
    """A function that can be moved, with the meaning of each name it takes from its file.

    In a file of `future` annotations these are text; `asked` tells that the file may look at that.
    """

    source: Source
    node: Function
    names: Mapping[str, Meaning]
    own: frozenset[str]
    future: bool
    asked: bool

    @property
    def key(self) -> Key:
        return self.source.path, self.node.name

    @property
    def text(self) -> str:
        """Its lines, with the comments that stand on it."""
        lines = self.source.lines
        return "".join(lines[self.first : self.node.end_lineno]).rstrip() + "\n"

    @property
    def first(self) -> int:
        start = min([self.node.lineno, *(each.lineno for each in self.node.decorator_list)]) - 1
        while start and self.source.lines[start - 1].startswith("#"):
            start -= 1
        return start

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or 0) - self.first

    @property
    def imports(self) -> dict[str, tuple[Imported, ...] | None]:
        return {n: m for n, m in self.names.items() if m is None or isinstance(m, tuple)}

    def calls(self) -> list[Key]:
        return [
            (self.source.path, n)
            for n, m in self.names.items()
            if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)
        ]


@dataclass(frozen=True)
class Copies:
    """Units that mean the same, and the copies they need."""

    units: tuple[Unit, ...]
    needs: tuple[int, ...]

    @property
    def best(self) -> Unit:
        """The one that says most about itself."""
        return max(self.units, key=lambda unit: (unit.text.count("#"), unit.key))

    @property
    def saved(self) -> int:
        count, lines = len(self.units), self.units[0].lines + 2
        return (count - 1) * lines - count

    @property
    def folder(self) -> str:
        return lowest(iter(unit.source.path for unit in self.units))


def copies(members: Iterable[Names], watch: Watched) -> tuple[dict[int, Copies], list[Refused]]:
    """The copies among the members' functions by number, and what looks like copies and is none."""
    units: dict[Key, Unit] = {}
    reasons: dict[Key, str] = {}
    looks: dict[str, list[Key]] = defaultdict(list)
    for names in members:
        altered = _altered(names.source)
        for name, node in names.functions.items():
            key = (names.source.path, name)
            looks[ast.dump(node)].append(key)
            try:
                if name in altered:
                    raise RefusedError(f"{name} carries attributes of its own")
                units[key] = _unit(names, node, watch)
            except RefusedError as error:
                reasons[key] = str(error)
    looks = {look: keys for look, keys in looks.items() if len(keys) > 1}
    for key in [key for key in units if not any(key in keys for keys in looks.values())]:
        del units[key]
    _spoil(units, reasons)
    kinds = _kinds(units)
    groups: dict[int, list[Unit]] = defaultdict(list)
    for key, kind in kinds.items():
        groups[kind].append(units[key])
    found = {
        kind: Copies(tuple(each), tuple({kinds[call] for call in each[0].calls()} - {kind}))
        for kind, each in groups.items()
        if len(each) > 1
    }
    return _worth(found), list(_refused(looks, kinds, reasons, found))


def _unit(names: Names, node: Function, watch: Watched) -> Unit:
    source = names.source
    _check(names, node)
    taken = names.taken(node) - {node.name}
    meanings = {name: names.meaning(name) for name in sorted(taken)}
    for name, meaning in meanings.items():
        if isinstance(meaning, tuple) and any(one.place for one in meaning):
            raise RefusedError(f"{name} is imported from a module beside the script")
    if patched := watch.patches(source, names.project.module(source.path), taken | {node.name}):
        raise RefusedError(f"{patched} is replaced in {source.path} by other code")
    _defined(names, node, meanings)
    own = frozenset(
        symbol.get_name()
        for table in tables(names.scope(node))
        for symbol in table.get_symbols()
        if not symbol.is_global()
    )
    return Unit(source, node, meanings, own, names.future, bool(names.future and _HINTS.search(source.text)))


def _check(names: Names, node: Function) -> None:
    """Refuse what would notice that it was moved."""
    for each in ast.walk(node):
        if isinstance(each, ast.Global):
            raise RefusedError(f"it rebinds the global {each.names[0]}")
        if isinstance(each, ast.ImportFrom) and each.level:
            raise RefusedError("it imports relative to its own place")
        if isinstance(each, ast.Import | ast.ImportFrom):
            for alias in each.names:
                if names.import_of(alias).place:
                    raise RefusedError("it imports a module beside the script")
        if isinstance(each, ast.Attribute) and each.attr == "_getframe":
            raise RefusedError("it looks at its own frame")
    for table in tables(names.scope(node)):
        if seen := SEEING & globals_of(table):
            raise RefusedError(f"it uses {min(seen)}, which can see where it stands")


def _defined(names: Names, node: Function, meanings: Mapping[str, Meaning]) -> None:
    """Refuse a definition that does more than to define."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if names.whole(called) not in PURE:
            raise RefusedError(f"the decorator {ast.unparse(called)} may do more than to decorate")
    arguments = node.args
    now = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
    now += [word.value for each in node.decorator_list if isinstance(each, ast.Call) for word in each.keywords]
    now += [value for each in node.decorator_list if isinstance(each, ast.Call) for value in each.args]
    if not names.future:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        now += [each.annotation for each in every if each and each.annotation] + (
            [node.returns] if node.returns else []
        )
    for expression in now:
        for each in ast.walk(expression):
            if isinstance(
                each, ast.Call | ast.List | ast.Dict | ast.Set | ast.Lambda | ast.NamedExpr | ast.ListComp
            ) and not _in_hint(each, expression, node):
                raise RefusedError("a default of it is made anew for each copy")
            if isinstance(each, ast.Name) and isinstance(meanings.get(each.id), ast.FunctionDef | ast.AsyncFunctionDef):
                raise RefusedError(f"its definition already needs {each.id}")


def _in_hint(each: ast.AST, expression: ast.expr, node: Function) -> bool:
    """Whether it is a list inside of an annotation, as in `Callable[[int], str]`."""
    return isinstance(each, ast.List) and isinstance(expression, ast.Subscript)


def _altered(source: Source) -> set[str]:
    """The names on which attributes are set."""
    return {
        node.value.id
        for node in source.nodes
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name)
    }


def _spoil(units: dict[Key, Unit], reasons: dict[Key, str]) -> None:
    """Take out the units that call one that cannot be moved, until none is left."""
    again = True
    while again:
        again = False
        for key, unit in list(units.items()):
            for call in unit.calls():
                if call not in units:
                    reasons.setdefault(call, "it has no copy")
                    reasons[key] = f"it calls {call[1]}, and {reasons[call]}"
                    del units[key]
                    again = True
                    break


def _kinds(units: Mapping[Key, Unit]) -> dict[Key, int]:
    """A number for each unit, the same for those that mean the same: refined until nothing parts any more."""
    numbers: dict[object, int] = {}

    def number(value: object) -> int:
        return numbers.setdefault(value, len(numbers))

    first = {key: (ast.dump(unit.node), unit.asked) for key, unit in units.items()}
    kinds = {key: number(first[key]) for key in units}
    while True:
        finer = {key: number((first[key], _closure(unit, kinds))) for key, unit in units.items()}
        if len(set(finer.values())) == len(set(kinds.values())):
            return finer
        kinds = finer


def _closure(unit: Unit, kinds: Mapping[Key, int]) -> tuple[object, ...]:
    found: list[object] = []
    for name, meaning in unit.names.items():
        if isinstance(meaning, Constant):
            found.append((name, ast.dump(meaning.value)))
        elif isinstance(meaning, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((name, kinds[unit.source.path, name]))
        else:
            found.append((name, meaning))
    return tuple(found)


def _worth(found: Mapping[int, Copies]) -> dict[int, Copies]:
    """The copies that make the code shorter, and those that they need."""
    waiting = [
        kind
        for kind, each in found.items()
        if each.saved > 0 and sum(1 for _ in ast.walk(each.units[0].node)) >= _SMALL
    ]
    kept: set[int] = set()
    while waiting:
        kind = waiting.pop()
        if kind not in kept:
            kept.add(kind)
            waiting += found[kind].needs
    return {kind: found[kind] for kind in sorted(kept)}


def _refused(
    looks: Mapping[str, list[Key]], kinds: Mapping[Key, int], reasons: Mapping[Key, str], found: Mapping[int, Copies]
) -> Iterable[Refused]:
    for keys in looks.values():
        told: dict[str, list[Key]] = defaultdict(list)
        for key in keys:
            if key in reasons:
                told[reasons[key]].append(key)
            elif kinds[key] not in found:
                told["what it takes from its file differs"].append(key)
        for reason, apart in told.items():
            yield Refused("library", apart[0][1], tuple(Site(path, name) for path, name in apart), reason)
