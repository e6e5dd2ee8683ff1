"""What the names of a file stand for: imports, constants, functions, builtins; and which names a function takes from it.

Scopes are those of Python's own symbol table, so that a local is never mistaken for a global of the same name.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from meta.refactoring.nouns import RefusedError
from meta.refactoring.sources import Project, Source, joined

Function = ast.FunctionDef | ast.AsyncFunctionDef
BUILTINS = {name for name in dir(builtins) if not name.startswith("__")} | {"__debug__"}
# A function that uses one of these can see where it stands or which names are around it.
SEEING = {"globals", "eval", "exec", "vars", "locals", "dir", "__import__", "inspect", "traceback", "compile"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True, order=True)
class Imported:
    """What a name is imported as: `module` whole, or its `name`. `place` is the folder of a module that is found only
    because it lies beside the script."""

    module: str
    name: str
    bound: str
    place: str = ""

    @property
    def line(self) -> str:
        if self.name:
            return f"from {self.module} import {self.name}" + (f" as {self.bound}" if self.bound != self.name else "")
        whole = self.bound == self.module.split(".")[0]
        return f"import {self.module}" + ("" if whole else f" as {self.bound}")


@dataclass(frozen=True, slots=True)
class Constant:
    """A global that is bound once, to a value that cannot change."""

    node: ast.Assign | ast.AnnAssign

    @property
    def value(self) -> ast.expr:
        assert self.node.value is not None
        return self.node.value


Meaning = tuple[Imported, ...] | Constant | Function | None
"""What a global name stands for; None is a builtin."""


class Names:
    """The global names of one file."""

    def __init__(self, project: Project, source: Source) -> None:
        self.project, self.source = project, source
        self.bound: dict[str, list[ast.AST]] = defaultdict(list)
        self.plain: set[ast.AST] = set()
        self.star = False
        for statement in source.tree.body:
            for name, node in _bindings(statement):
                self.bound[name].append(node)
                if node is statement or isinstance(statement, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign):
                    self.plain.add(node)
        for node in source.nodes:
            if isinstance(node, ast.Global):
                for name in node.names:
                    self.bound[name] += [node, node]  # bound whenever that function pleases
            self.star |= isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)

    @cached_property
    def table(self) -> symtable.SymbolTable:
        return symtable.symtable(self.source.text, self.source.path, "exec")

    @cached_property
    def future(self) -> bool:
        """Whether annotations stay text."""
        return any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self.source.tree.body
        )

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions at the top that are the only thing of their name."""
        return {
            name: nodes[0]
            for name, nodes in self.bound.items()
            if len(nodes) == 1 and isinstance(nodes[0], Function) and nodes[0] in self.plain
        }

    def meaning(self, name: str) -> Meaning:
        """What a global name stands for, wherever it is used. Raises `RefusedError` where that is not certain."""
        nodes = self.bound.get(name, [])
        if self.star:
            raise RefusedError("the file has a star import, so its names are not known")
        if not nodes:
            if name in BUILTINS:
                return None
            raise RefusedError(f"{name} is a global that the file does not bind")
        if all(isinstance(node, ast.alias) and node in self.plain for node in nodes):
            return self._imported(name, nodes)
        if len(nodes) > 1:
            raise RefusedError(f"the global {name} is bound more than once")
        node = nodes[0]
        if node not in self.plain:
            raise RefusedError(f"the global {name} is bound under a condition")
        if isinstance(node, Function):
            return node
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and is_fixed(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name):
                return Constant(node)
        kind = "class" if isinstance(node, ast.ClassDef) else "global"
        raise RefusedError(f"{name} is a {kind} of the file's own" + (", not a literal" if kind == "global" else ""))

    def whole(self, node: ast.expr) -> str:
        """The whole dotted name of an imported thing or a builtin, "" for anything else."""
        if isinstance(node, ast.Attribute):
            base = self.whole(node.value)
            return f"{base}.{node.attr}" if base else ""
        if not isinstance(node, ast.Name):
            return ""
        try:
            meaning = self.meaning(node.id)
        except RefusedError:
            return ""
        if isinstance(meaning, tuple) and len(meaning) == 1:
            return f"{meaning[0].module}.{meaning[0].name}".rstrip(".")
        return node.id if meaning is None else ""

    def _imported(self, name: str, nodes: list[ast.AST]) -> tuple[Imported, ...]:
        found = {self.import_of(node) for node in nodes if isinstance(node, ast.alias)}
        if len(found) > 1 and any(one.name or "." not in one.module for one in found):
            raise RefusedError(f"the global {name} is bound more than once")
        return tuple(sorted(found))

    def import_of(self, alias: ast.alias) -> Imported:
        statement = self._statements[alias]
        if isinstance(statement, ast.Import):
            bound = alias.asname or alias.name.split(".")[0]
            return Imported(alias.name, "", bound, self._beside(alias.name))
        module = self.absolute(statement)
        return Imported(module, alias.name, alias.asname or alias.name, "" if statement.level else self._beside(module))

    def written(self, alias: ast.alias) -> str:
        """An import of one name as it stands there."""
        node = self._statements[alias]
        origin = f"{'.' * node.level}{node.module or ''} " if isinstance(node, ast.ImportFrom) else ""
        return f"{origin}{alias.name} {alias.asname or ''}"

    @property
    def modules(self) -> set[str]:
        """The modules that are imported anywhere in the file, by their first word."""
        found = self._statements.items()
        names = {alias.name if isinstance(node, ast.Import) else node.module or "" for alias, node in found}
        return {name.split(".")[0] for name in names}

    @cached_property
    def _statements(self) -> dict[ast.alias, ast.Import | ast.ImportFrom]:
        return {
            alias: node
            for node in self.source.nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }

    def absolute(self, statement: ast.ImportFrom) -> str:
        """The module that a statement imports from."""
        if not statement.level:
            return statement.module or ""
        parts = self.project.module(self.source.path).split(".")
        if self.source.stem != "__init__":
            parts = parts[:-1]
        parts = parts[: len(parts) - statement.level + 1]
        if not all(parts) or not parts:
            raise RefusedError("a relative import leads out of what is seen")
        return ".".join([*parts, *filter(None, [statement.module])])

    def _beside(self, module: str) -> str:
        """The folder of a script from which, and from nowhere else, this module is found."""
        folder = self.source.folder
        if self.project.is_package(folder):
            return ""
        place = joined(folder, module.split(".")[0])
        here = f"{place}.py" in self.project.sources or any(
            path.startswith(f"{place}/") for path in self.project.sources
        )
        return folder or "." if here else ""

    def scope(self, node: Function, within: str = "") -> symtable.SymbolTable:
        """The symbol table of a function; `within` is the class that holds it, "" at the top."""
        table = self.table
        for part in filter(None, within.split(".")):
            table = next(t for t in table.get_children() if t.get_name() == part and t.get_type() == "class")
        lines = {node.lineno, *(decorator.lineno for decorator in node.decorator_list)}
        for child in table.get_children():
            if child.get_name() == node.name and child.get_type() == "function" and child.get_lineno() in lines:
                return child
        raise RefusedError("its scope was not found")

    def taken(self, node: Function) -> set[str]:
        """The global names that a function at the top takes from its file, when it is defined and when it runs."""
        found = {name for table in tables(self.scope(node)) for name in globals_of(table)}
        outside: list[ast.AST] = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        outside += [each for each in (*_arguments(node), node.returns) if each is not None]
        return found | {n.id for each in outside for n in ast.walk(each) if isinstance(n, ast.Name)}


def _arguments(node: Function) -> Iterator[ast.expr | None]:
    arguments = node.args
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if each is not None:
            yield each.annotation


def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from tables(child)


def globals_of(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}


def is_fixed(node: ast.expr) -> bool:
    """Whether an expression is a literal that nobody can change: numbers, text, None, tuples of them, their sums."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return is_fixed(node.operand)
    if isinstance(node, ast.BinOp):
        return is_fixed(node.left) and is_fixed(node.right)
    return isinstance(node, ast.Tuple) and all(map(is_fixed, node.elts))


def used(tree: ast.AST) -> set[str]:
    """Every name that is read, deleted or assigned anywhere in a tree."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement binds in its own scope, each with what binds it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name), alias
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, node
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for each in ast.walk(target):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    yield each.id, node
        if node.value is not None:
            yield from _bindings(node.value)
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, node
    for attribute in (
        ("name", "rest") if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.MatchMapping) else ()
    ):
        if isinstance(name := getattr(node, attribute, None), str):
            yield name, node
    if isinstance(node, _SCOPES):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, _COMPREHENSIONS) and not isinstance(child, ast.NamedExpr):
            for each in ast.walk(child):  # a comprehension's own names stay in it, what `:=` binds does not
                if isinstance(each, ast.NamedExpr):
                    yield each.target.id, each
            continue
        yield from _bindings(child)
