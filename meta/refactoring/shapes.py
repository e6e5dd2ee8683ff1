"""The shape of a function's body: what is left of it when its local names and its constants are taken out.

Two functions of one shape do the same but for constants. Whether they are worth a helper is decided in `helpers`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meta.refactoring.names import SEEING, Function, Imported, Names, globals_of, tables
from meta.refactoring.nouns import RefusedError
from meta.refactoring.sources import Source

_NEVER = (
    ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef,
    ast.ClassDef, ast.NamedExpr, ast.Global, ast.Nonlocal, ast.Match,
)  # fmt: skip
_WORDS = {ast.Yield: "yields", ast.YieldFrom: "yields", ast.Await: "awaits", ast.NamedExpr: "binds by :=",
          ast.Global: "rebinds a global", ast.Match: "matches patterns"}  # fmt: skip


# Decorators that call the function or store it, and read nothing of its body as a compiler does.
CALLING = {
    "property", "staticmethod", "classmethod", "functools.cached_property", "functools.cache", "functools.lru_cache",
    "functools.wraps", "abc.abstractmethod", "typing.override", "typing_extensions.override", "typing.final",
    "django.utils.functional.cached_property", "django.utils.decorators.method_decorator", "pytest.fixture",
}  # fmt: skip
_COMPILING = {"jit", "njit", "jitclass", "script", "kernel", "data_oriented"}  # last words of what decorates a class


@dataclass(frozen=True)
class Shape:
    """A function with its shape. `variables` are its local names in the order in which the body has them, `given` those
    of them that it is given; `constants` stand in the order of the body, `free` are the names it takes from its file."""

    source: Source
    name: str
    node: ast.FunctionDef
    body: str
    variables: tuple[str, ...]
    given: tuple[bool, ...]
    constants: tuple[ast.Constant, ...]
    free: frozenset[str]

    @property
    def statements(self) -> list[ast.stmt]:
        return without_docstring(self.node)

    @property
    def lines(self) -> int:
        found = self.statements
        return (found[-1].end_lineno or 0) - found[0].lineno + 1

    @property
    def only_calls(self) -> bool:
        """Whether it does no more than to hand plain values on, so that a helper would be one more step and no less."""
        first, *rest = self.statements
        value = first.value if isinstance(first, ast.Return | ast.Expr) else None
        plain = (ast.Name, ast.Attribute, ast.Constant, ast.keyword, ast.expr_context, ast.Starred)
        return (
            not rest
            and isinstance(value, ast.Call)
            and all(isinstance(node, plain) for part in ast.iter_child_nodes(value) for node in ast.walk(part))
        )

    def parameter(self, place: int) -> int:
        """Where a variable stands among the parameters."""
        return list(parameters(self.node)).index(self.variables[place])

    @property
    def answers(self) -> bool:
        """Whether it returns a value."""
        return any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(self.node))


def functions(source: Source) -> Iterator[tuple[str, Function]]:
    """The functions at the top of a file and in its classes, each with its qualified name, those of one name left out."""
    found: list[tuple[str, Function]] = []

    def walk(body: list[ast.stmt], within: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((within + node.name, node))
            elif isinstance(node, ast.ClassDef):
                walk(node.body, f"{within}{node.name}.")

    walk(source.tree.body, "")
    names = [name for name, _ in found]
    yield from ((name, node) for name, node in found if names.count(name) == 1)


def without_docstring(node: Function) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def shape(names: Names, name: str, node: Function) -> Shape:
    """The shape of a function. Raises `RefusedError` for one whose body cannot stand elsewhere."""
    within = name.rpartition(".")[0]
    if isinstance(node, ast.AsyncFunctionDef) or getattr(node, "type_params", None):
        raise RefusedError("it is asynchronous or generic")
    statements = without_docstring(node)
    if not statements:
        raise RefusedError("it does nothing")
    for statement in statements:
        _check(names, statement, bool(within))
    _decorated(names, node, within)
    scopes = list(tables(names.scope(node, within)))
    free = frozenset(name for table in scopes for name in globals_of(table))
    local = {s.get_name() for table in scopes for s in table.get_symbols() if s.is_local() or s.is_parameter()}
    if {"super", "__class__"} & {s.get_name() for table in scopes for s in table.get_symbols()}:
        raise RefusedError("it uses super, which needs its class around it")
    if any(s.is_free() and s.get_name() not in local for table in scopes for s in table.get_symbols()):
        raise RefusedError("it is a closure")
    if seen := SEEING & free:
        raise RefusedError(f"it uses {min(seen)}, which can see where it stands")
    if both := local & free:
        raise RefusedError(f"{min(both)} has two meanings in it")
    given = parameters(node)
    normal = normalised(statements, local)
    inside = frozenset(used_in(statements))
    return Shape(
        names.source,
        name,
        node,
        normal.text,
        normal.variables,
        tuple(variable in given for variable in normal.variables),
        normal.constants,
        free & inside,
    )


def _check(names: Names, statement: ast.stmt, in_class: bool) -> None:
    for node in ast.walk(statement):
        if isinstance(node, _NEVER):
            raise RefusedError(f"it {_WORDS.get(type(node), 'has functions or classes of its own')}")
        if isinstance(node, ast.ImportFrom) and node.level:
            raise RefusedError("it imports relative to its own place")
        if isinstance(node, ast.Import | ast.ImportFrom) and any(names.import_of(alias).place for alias in node.names):
            raise RefusedError("it imports a module beside the script")
        if isinstance(node, ast.keyword) and node.arg == "stacklevel":
            raise RefusedError("it counts the frames above it")
        word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if word == "_getframe":
            raise RefusedError("it looks at its own frame")
        if in_class and word.startswith("__") and not word.endswith("__"):
            raise RefusedError(f"{word} is a private name of its class")


def _decorated(names: Names, node: ast.FunctionDef, within: str) -> None:
    """Refuse what a decorator may read: it would find a call in the place of the body."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute) and called.attr in ("setter", "getter", "deleter"):
            continue
        if names.whole(called) not in CALLING:
            raise RefusedError(f"the decorator {ast.unparse(called)} may read its body")
    body = names.source.tree.body
    for part in filter(None, within.split(".")):
        holder = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == part)
        body = holder.body
        for decorator in holder.decorator_list:
            words = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator).split(".")
            if words[-1] in _COMPILING:
                raise RefusedError(f"the decorator {'.'.join(words)} reads its body")


def parameters(node: Function) -> tuple[str, ...]:
    found = node.args
    every = [*found.posonlyargs, *found.args, found.vararg, *found.kwonlyargs, found.kwarg]
    return tuple(each.arg for each in every if each is not None)


def used_in(statements: list[ast.stmt]) -> set[str]:
    return {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}


@dataclass(frozen=True)
class Normal:
    """Statements as text without their local names and constants, and these in the order in which they stood."""

    text: str
    variables: tuple[str, ...]
    constants: tuple[ast.Constant, ...]


class _Normalised(ast.NodeTransformer):
    """Local names numbered by their first appearance; constants outside of f-strings taken out."""

    def __init__(self, local: set[str], keep: bool) -> None:
        self.local, self.keep = local, keep
        self.numbers: dict[str, str] = {}
        self.constants: list[ast.Constant] = []
        self.inside = 0

    def _new(self, name: str) -> str:
        return self.numbers.setdefault(name, f"v{len(self.numbers)}") if name in self.local else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._new(node.id), node.ctx)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        bound = node.asname or node.name.split(".")[0]
        return ast.alias(node.name, self._new(bound) if bound in self.local else node.asname)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.inside += 1
        self.generic_visit(node)
        self.inside -= 1
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if self.inside or self.keep:
            return node
        self.constants.append(node)
        return ast.Name("constant", ast.Load())


def normalised(statements: list[ast.stmt], local: set[str], *, keep: bool = False) -> Normal:
    """The statements without local names and, unless these are kept, without constants."""
    normal = _Normalised(local, keep)
    text = "\n".join(ast.dump(normal.visit(copy.deepcopy(statement))) for statement in statements)
    return Normal(text, tuple(normal.numbers), tuple(normal.constants))


def meanings(names: Names, found: Shape) -> Mapping[str, tuple[Imported, ...] | None]:
    """What the free names are imported as; a builtin is None. Raises `RefusedError` for what is the file's own."""
    known: dict[str, tuple[Imported, ...] | None] = {}
    for name in sorted(found.free):
        meaning = names.meaning(name)
        if meaning is not None and not isinstance(meaning, tuple):
            raise RefusedError(f"{name} is of the file itself")
        if meaning and any(one.place for one in meaning):
            raise RefusedError(f"{name} is imported from a module beside the script")
        known[name] = meaning
    return known
