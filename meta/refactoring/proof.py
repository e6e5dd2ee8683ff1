"""Whether the files of a refactoring do what they did, as far as their text tells; nothing is executed.

Each shared function is read back from the new files and held against each of the old ones: a moved one has to be equal
with all that it takes from its file, a helper put in the place of its call with the constants of that call has to give
the old body. All else in the files has to have stayed. What is seen when the files are loaded is told in `verification`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from symtable import SymbolTable

from meta.model import Check
from meta.refactoring.names import Constant, Function, Meaning, Names, globals_of, tables
from meta.refactoring.nouns import Group, Refactoring, RefusedError, Site
from meta.refactoring.shapes import functions, normalised, parameters, without_docstring
from meta.refactoring.sources import Project


class _DifferError(Exception):
    """The text says what is not the same."""


def check(project: Project, plan: Refactoring) -> tuple[Check, ...]:
    """The checks "moved functions", "helpers" and "the rest". `project` is as it was before."""
    before = project.changed({path: text for path, text in plan.before.items() if path in project.sources})
    try:
        after = project.changed(plan.files)
    except SyntaxError as error:
        return (Check("the rest", False, f"a new file does not parse: {error.msg}"),)
    old = {path: Names(before, before.sources[path]) for path in plan.files if path in before.sources}
    new = {path: Names(after, after.sources[path]) for path in plan.files}
    reader = _Reader(plan, old, new)
    return (
        reader.held(
            "moved functions", ((g, s) for g in plan.groups if g.rule == "library" for s in g.sites), reader.moved
        ),
        reader.held("helpers", ((g, s) for g in plan.groups if g.rule == "helper" for s in g.sites), reader.helped),
        reader.rest(),
    )


class _Reader:
    """Old and new files side by side."""

    def __init__(self, plan: Refactoring, old: Mapping[str, Names], new: Mapping[str, Names]) -> None:
        self.plan, self.old, self.new = plan, old, new
        self.place = {(s.path, s.name): (g.module, g.name) for g in plan.groups if g.rule == "library" for s in g.sites}
        self.bodies = {(s.path, s.name) for g in plan.groups if g.rule == "helper" for s in g.sites}

    def held(self, name: str, pairs: Iterator[tuple[Group, Site]], compare: Callable[[Group, Site], None]) -> Check:
        count = 0
        for group, site in pairs:
            try:
                compare(group, site)
            except (_DifferError, RefusedError) as error:
                return Check(name, False, f"{site.name} of {site.path}: {error}")
            count += 1
        if not count:
            return Check(name, None, "there are none")
        return Check(name, True, f"{count} are the same as before, read back from the new files")

    def moved(self, group: Group, site: Site) -> None:
        """A function in the shared module against the one it replaces."""
        old, new = self.old[site.path], self.new[group.module]
        before, after = old.functions[site.name], new.functions[group.name]
        names = dict(_pairs(before, after)) | {site.name: group.name}
        if len(set(_pairs(before, after))) != len(dict(_pairs(before, after))):
            raise _DifferError("one name became two")
        for name in old.taken(before):
            self._same(old, name, new, names.get(name, name))

    def _same(self, old: Names, name: str, new: Names, other: str) -> None:
        """A global name of an old file and the one in its place have to mean the same."""
        was, now = old.meaning(name), new.meaning(other)
        if isinstance(was, Constant) and isinstance(now, Constant):
            same = ast.dump(was.value) == ast.dump(now.value)
        elif isinstance(was, Function) and isinstance(now, Function):
            same = self.place.get((old.source.path, name)) == (new.source.path, other)
        else:
            same = was == now
        if not same:
            raise _DifferError(f"{name} means something else than {other}")

    def helped(self, group: Group, site: Site) -> None:
        """The helper with the arguments of a call put in, against the body that the call replaced."""
        old, new, where = self.old[site.path], self.new[site.path], self.new[group.module]
        before, after = dict(functions(old.source))[site.name], dict(functions(new.source))[site.name]
        call, called, returned = _call(after)
        if called != self._bound(new, group):
            raise _DifferError("it calls something else")
        helper = where.functions[group.name]
        if returned != any(isinstance(node, ast.Return) and node.value for node in ast.walk(helper)):
            raise _DifferError("its answer is lost")
        arguments = dict(zip(parameters(helper), call.args, strict=False))
        arguments |= {word.arg: word.value for word in call.keywords if word.arg}
        if set(arguments) != set(parameters(helper)):
            raise _DifferError("the arguments are not those of the helper")
        scope = old.scope(before, site.name.rpartition(".")[0])
        local = {s.get_name() for t in tables(scope) for s in t.get_symbols() if s.is_local() or s.is_parameter()}
        inner = {s.get_name() for t in tables(where.scope(helper)) for s in t.get_symbols() if s.is_local()}
        put = _Put(arguments, inner - set(arguments))
        body = [put.visit(copy.deepcopy(statement)) for statement in without_docstring(helper)]
        expected = normalised(without_docstring(before), local, keep=True)
        if normalised(body, put.locals | local, keep=True).text != expected.text:
            raise _DifferError("the helper does something else with these constants")
        for name in {name for table in tables(scope) for name in globals_of(table)}:
            if any(
                isinstance(n, ast.Name) and n.id == name for part in without_docstring(before) for n in ast.walk(part)
            ):
                if where is new:  # in one file names mean what they meant, as far as they are bound as before
                    self._bound_as_before(old, new, name)
                else:
                    self._same(old, name, where, name)

    def _bound(self, names: Names, group: Group) -> str:
        """The name under which a file has a helper."""
        if names.source.path == group.module:
            return group.name
        stem = group.module.rpartition("/")[2].removesuffix(".py")
        for name, nodes in names.bound.items():
            for node in nodes:
                if isinstance(node, ast.alias) and len(nodes) == 1 and node.name == group.name:
                    one = names.import_of(node)
                    if one.module.rpartition(".")[2] == stem:
                        return name
        raise _DifferError("it does not import what it calls")

    def rest(self) -> Check:
        """The check that all else in the files is as it was, and that every name in it is still bound."""
        for path, old in self.old.items():
            new = self.new[path]
            try:
                if self._left(old) != self._left(new):
                    raise _DifferError("more has changed than was meant to")
                for name in {name for table in tables(new.table) for name in _needed(table)}:
                    if (path, name) in self.place:
                        self._reached(new, name, *self.place[path, name])
                    elif name in old.bound or name in new.bound:
                        self._bound_as_before(old, new, name)
            except (_DifferError, RefusedError) as error:
                return Check("the rest", False, f"{path}: {error}")
        return Check("the rest", True, f"all else in {len(self.old)} files is as it was")

    def _bound_as_before(self, old: Names, new: Names, name: str) -> None:
        ours = {group.name for group in self.plan.groups}
        if name not in old.bound and name in new.bound and (name in ours or name in ("sys", "Path")):
            return
        was, now = (sorted(_binding(names, node) for node in names.bound.get(name, [])) for names in (old, new))
        if was != now:
            raise _DifferError(f"{name} is bound in another way")

    def _reached(self, new: Names, name: str, module: str, there: str) -> None:
        meaning: Meaning = new.meaning(name)
        stem = module.rpartition("/")[2].removesuffix(".py")
        if not (
            isinstance(meaning, tuple) and meaning[0].name == there and meaning[0].module.rpartition(".")[2] == stem
        ):
            raise _DifferError(f"{name} is not what was moved")

    def _left(self, names: Names) -> list[str]:
        """A file without its imports, without what was moved, and without the bodies that were replaced."""
        path = names.source.path
        own = {group.name for group in self.plan.groups if group.module == path}
        gone = {name for one, name in self.place if one == path}
        constants = set(self.old[path].bound) - set(self.new[path].bound)
        found: list[str] = []
        tree = copy.deepcopy(names.source.tree)
        for name, function in functions(names.source):
            if (path, name) in self.bodies:
                _emptied(tree, function)
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) or ast.unparse(node).startswith("sys.path.append("):
                continue
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in own | gone:
                continue
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if (
                    isinstance(target, ast.Name)
                    and target.id in constants
                    and isinstance(names.meaning(target.id), Constant)
                ):
                    continue
            found.append(ast.dump(node))
        return found


class _Put(ast.NodeTransformer):
    """Arguments in the place of parameters; the helper's own locals get names that nothing else has."""

    def __init__(self, arguments: Mapping[str, ast.expr], own: set[str]) -> None:
        self.arguments = arguments
        self.own = own
        self.locals = {self._named(name) for name in own}

    def _named(self, name: str) -> str:
        return f"helper's {name}"

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.arguments:
            given = self.arguments[node.id]
            return ast.Name(given.id, node.ctx) if isinstance(given, ast.Name) else copy.deepcopy(given)
        return ast.Name(self._named(node.id), node.ctx) if node.id in self.own else node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name in self.own:
            node.name = self._named(node.name)
        return self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        bound = node.asname or node.name.split(".")[0]
        return ast.alias(node.name, self._named(bound) if bound in self.own else node.asname)


def _pairs(old: ast.AST, new: ast.AST) -> Iterator[tuple[str, str]]:
    """The names of two trees that are equal but for names. Raises where they differ in more."""
    if type(old) is not type(new):
        raise _DifferError("it is another function")
    if isinstance(old, ast.Name) and isinstance(new, ast.Name):
        yield old.id, new.id
        return
    for name in old._fields:
        one, other = getattr(old, name, None), getattr(new, name, None)
        if isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                raise _DifferError("it is another function")
            for first, second in zip(one, other, strict=True):
                if isinstance(first, ast.AST):
                    yield from _pairs(first, second)
                elif first != second:
                    raise _DifferError("it is another function")
        elif isinstance(one, ast.AST) and isinstance(other, ast.AST):
            yield from _pairs(one, other)
        elif isinstance(old, Function) and name == "name":
            yield str(one), str(other)
        elif (type(one), repr(one)) != (type(other), repr(other)):
            raise _DifferError("it is another function")


def _call(node: Function) -> tuple[ast.Call, str, bool]:
    """The one call that a body has become, the name it calls, and whether its value is returned."""
    statements = without_docstring(node)
    value = statements[0].value if isinstance(statements[0], ast.Return | ast.Expr) else None
    if len(statements) != 1 or not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        raise _DifferError("its body is no call of a helper")
    if not all(isinstance(each, ast.Name) for each in value.args):
        raise _DifferError("its body hands over more than names and constants")
    if not all(isinstance(each.value, ast.Constant) for each in value.keywords):
        raise _DifferError("its body hands over more than names and constants")
    return value, value.func.id, isinstance(statements[0], ast.Return)


def _emptied(tree: ast.Module, node: Function) -> None:
    """Take the body out of one function of a tree, all but its docstring."""
    for each in ast.walk(tree):
        if isinstance(each, Function) and (each.name, each.lineno) == (node.name, node.lineno):
            each.body = each.body[: len(each.body) - len(without_docstring(each))]


def _binding(names: Names, node: ast.AST) -> str:
    """How a name is bound, for a comparison: the import, or the tree without its place and its inside."""
    if isinstance(node, ast.alias):
        return names.written(node)
    return type(node).__name__


def _needed(table: SymbolTable) -> set[str]:
    """The global names that a scope reads; at the top also those that are read there and bound nowhere else."""
    if table.get_type() == "module":
        return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    return globals_of(table)
