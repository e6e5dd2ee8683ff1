"""Functions that do the same but for a few constants hand these to one helper.

Each of them stays, with its signature, decorators and docstring, and only its body becomes a call. Copies whose whole
closure is equal are taken by `library` before.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from meta.refactoring.names import Imported, Names
from meta.refactoring.nouns import Refused, RefusedError, Site
from meta.refactoring.rewriting import function
from meta.refactoring.shapes import Shape, functions, meanings, shape
from meta.refactoring.watching import Watched

MOST = 4  # constants that may differ
_WIDTH = 88

Imports = Mapping[str, tuple[Imported, ...] | None]


@dataclass(frozen=True)
class Alike:
    """Functions of one shape that may share a helper. `holes` are the places among the constants at which they differ,
    those with the same values together; `imports` is None where all stand in one file and so share its names."""

    shapes: tuple[Shape, ...]
    holes: tuple[tuple[int, ...], ...]
    imports: Imports | None

    @property
    def name(self) -> str:
        """What most of them are called."""
        return Counter(each.node.name for each in self.shapes).most_common(1)[0][0].strip("_") or "shared"

    @property
    def example(self) -> Shape:
        """The one that becomes the helper: it has the most comments."""
        return max(self.shapes, key=lambda each: (_body(each).count("#"), each.source.path, each.name))

    @property
    def order(self) -> list[int]:
        """The variables that the helper is given, as the example orders its parameters."""
        example = self.example
        return sorted((i for i, given in enumerate(example.given) if given), key=lambda i: example.parameter(i))

    @property
    def words(self) -> tuple[str, ...]:
        """What the helper calls its constants."""
        example, found = self.example, list[str]()
        around = {
            (child.lineno, child.col_offset): (child, node)
            for node in ast.walk(example.node)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.Constant)
        }
        for places in self.holes:
            first = example.constants[places[0]]
            constant, parent = around[first.lineno, first.col_offset]
            word = _word(constant, parent, example.node)
            count, chosen = 1, word
            while chosen in {*found, *example.variables, *example.free} or not chosen.isidentifier():
                count += 1
                chosen = f"{word}_{count}"
            found.append(chosen)
        return tuple(found)

    def site(self, each: Shape) -> Site:
        return Site(each.source.path, each.name, tuple(_written(each, places[0]) for places in self.holes))

    @property
    def sites(self) -> tuple[Site, ...]:
        return tuple(map(self.site, self.shapes))

    @property
    def saved(self) -> int:
        """Lines less, counted roughly: a call a function, an import a file, and the helper itself."""
        calls = sum(each.lines - len(self.call(each, self.name).splitlines()) for each in self.shapes)
        files = len({each.source.path for each in self.shapes}) if self.imports is not None else 0
        return calls - files - self.example.lines - 4

    def call(self, each: Shape, name: str) -> str:
        """The statement that takes the place of a body."""
        arguments = [each.variables[place] for place in self.order]
        arguments += [f"{word}={value}" for word, value in zip(self.words, self.site(each).constants, strict=True)]
        head = "return " if each.answers else ""
        line = f"{head}{name}({', '.join(arguments)})"
        if len(line) + 4 + 4 * each.name.count(".") <= _WIDTH:
            return line
        inner = ", ".join(arguments)
        if len(inner) + 8 + 4 * each.name.count(".") <= _WIDTH:
            return f"{head}{name}(\n    {inner}\n)"
        return f"{head}{name}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"

    def text(self, name: str) -> str:
        """The helper under this name, made of the example."""
        return helper(self, name)


def alike(members: Iterable[Names], gone: set[tuple[str, str]], watch: Watched) -> tuple[list[Alike], list[Refused]]:
    """The groups that are worth a helper, best first, and those that look like it. `gone` were taken by `library`."""
    known = {names.source.path: names for names in members}
    shapes: dict[tuple[object, ...], list[Shape]] = defaultdict(list)
    refused: dict[tuple[str, str], list[Site]] = defaultdict(list)
    for names in known.values():
        for name, node in functions(names.source):
            if (names.source.path, name) in gone:
                continue
            try:
                found = shape(names, name, node)
            except RefusedError as error:
                refused[_blind(node), str(error)].append(Site(names.source.path, name))
                continue
            if found.lines > 1 and not found.only_calls:
                shapes[found.body, found.given, found.answers].append(found)
    groups: list[Alike] = []
    told: list[Refused] = []
    for each in shapes.values():
        if len(each) > 1:
            _split(each, known, watch, groups, told)
    told += [
        Refused("helper", sites[0].name.rpartition(".")[2], tuple(sites), reason)
        for (look, reason), sites in refused.items()
        if len(sites) > 1 and look
    ]
    return sorted(groups, key=lambda group: -group.saved), told


def _blind(node: ast.AST) -> str:
    """What a function looks like to somebody who reads no constants, "" for a short one."""
    parts = [type(each).__name__ + getattr(each, "attr", "") for each in ast.walk(node)]
    return " ".join(parts) if len(parts) > 30 else ""


def _split(
    each: list[Shape], known: Mapping[str, Names], watch: Watched, groups: list[Alike], told: list[Refused]
) -> None:
    """Sort functions of one shape into groups that may share a helper."""
    across: dict[tuple[object, ...], list[Shape]] = defaultdict(list)
    meaning: dict[tuple[object, ...], Imports] = {}
    apart: dict[str, list[Shape]] = defaultdict(list)
    reasons: dict[str, str] = {}
    for found in each:
        names = known[found.source.path]
        try:
            imports = meanings(names, found)
            module = names.project.module(found.source.path)
            if patched := watch.patches(found.source, module, set(found.free)):
                raise RefusedError(f"{patched} is replaced in {found.source.path} by other code")
            key: tuple[object, ...] = tuple(imports.items())
            across[key].append(found)
            meaning[key] = imports
        except RefusedError as error:
            apart[found.source.path].append(found)
            reasons.setdefault(found.source.path, str(error))
    for one, some in across.items():
        if len({each.source.path for each in some}) == 1:
            apart[some[0].source.path] += some
            reasons.setdefault(some[0].source.path, "the names it uses mean something else in the others")
        else:
            _group(some, meaning[one], groups, told)
    alone: dict[str, list[Site]] = defaultdict(list)
    for path, some in apart.items():
        if len(some) > 1:
            _group(some, None, groups, told)
        else:
            alone[reasons[path]].append(Site(path, some[0].name))
    for reason, sites in alone.items():
        told.append(Refused("helper", sites[0].name.rpartition(".")[2], tuple(sites), reason))


def _group(some: Sequence[Shape], imports: Imports | None, groups: list[Alike], told: list[Refused]) -> None:
    holes: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place in range(len(some[0].constants)):
        values = tuple((type(one.constants[place].value), repr(one.constants[place].value)) for one in some)
        if len(set(values)) > 1:
            holes[values].append(place)
    group = Alike(tuple(some), tuple(map(tuple, holes.values())), imports)
    if len(holes) > MOST:
        told.append(
            Refused(
                "helper", group.name, tuple(Site(s.source.path, s.name) for s in some), f"{len(holes)} constants differ"
            )
        )
    elif group.saved > 0:
        groups.append(group)


def _word(constant: ast.Constant, parent: ast.AST, node: ast.AST) -> str:
    """What a constant is called by the code around it."""
    if isinstance(parent, ast.keyword) and parent.arg:
        return parent.arg
    if not _is_key(constant, parent):
        return {str: "text", int: "number", float: "number"}.get(type(constant.value), "value")
    for each in ast.walk(node):
        if isinstance(each, ast.keyword) and each.value is parent and each.arg:
            return f"{each.arg}_key"
        if isinstance(each, ast.Assign) and each.value is parent and isinstance(each.targets[0], ast.Name):
            return f"{each.targets[0].id}_key"
    return "key"


def _is_key(constant: ast.Constant, parent: ast.AST) -> bool:
    if isinstance(parent, ast.Subscript):
        return parent.slice is constant
    if not isinstance(parent, ast.Call) or not isinstance(parent.func, ast.Attribute):
        return False
    return parent.func.attr in ("get", "pop") and parent.args[:1] == [constant]


def _written(each: Shape, place: int) -> str:
    constant = each.constants[place]
    found = ast.get_source_segment(each.source.text, constant) or ""
    return found if found and "\n" not in found else ast.unparse(constant)


def _body(each: Shape) -> str:
    first, last = each.statements[0].lineno, each.statements[-1].end_lineno
    return "".join(each.source.lines[first - 1 : last])


class _Filled(cst.CSTTransformer):
    """The constants at some places, in the order of the text, become names. What stands in f-strings is no constant."""

    def __init__(self, words: Mapping[int, str]) -> None:
        super().__init__()
        self.words, self.seen = words, 0

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        return False

    def visit_ConcatenatedString(self, node: cst.ConcatenatedString) -> bool:
        return False

    def _next(self, updated: cst.BaseExpression) -> cst.BaseExpression:
        word = self.words.get(self.seen)
        self.seen += 1
        return cst.Name(word) if word else updated

    def leave_ConcatenatedString(
        self, original_node: cst.ConcatenatedString, updated_node: cst.ConcatenatedString
    ) -> cst.BaseExpression:
        formatted = "FormattedString" in repr(original_node)
        return updated_node if formatted else self._next(updated_node)

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.BaseExpression:
        return self._next(updated_node)

    def leave_Integer(self, original_node: cst.Integer, updated_node: cst.Integer) -> cst.BaseExpression:
        return self._next(updated_node)

    def leave_Float(self, original_node: cst.Float, updated_node: cst.Float) -> cst.BaseExpression:
        return self._next(updated_node)

    def leave_Imaginary(self, original_node: cst.Imaginary, updated_node: cst.Imaginary) -> cst.BaseExpression:
        return self._next(updated_node)

    def leave_Ellipsis(self, original_node: cst.Ellipsis, updated_node: cst.Ellipsis) -> cst.BaseExpression:
        return self._next(updated_node)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self._next(updated_node) if original_node.value in ("True", "False", "None") else updated_node


def helper(group: Alike, name: str) -> str:
    """The text of the helper. Raises `RefusedError` where text and tree do not tell the same constants."""
    example = group.example
    order = sorted(
        range(len(example.constants)), key=lambda i: (example.constants[i].lineno, example.constants[i].col_offset)
    )
    rank = {place: number for number, place in enumerate(order)}
    words = {rank[place]: word for places, word in zip(group.holes, group.words, strict=True) for place in places}
    node, indent = function(example.source.written, example.name)
    body = cst.ensure_type(node.body, cst.IndentedBlock)
    body = body.with_changes(body=body.body[len(example.node.body) - len(example.statements) :])
    filled = _Filled(words)
    body = cst.ensure_type(body.visit(filled), cst.IndentedBlock)
    if filled.seen != len(example.constants):
        raise RefusedError("its constants could not be told apart")
    parameters = ", ".join([*(example.variables[place] for place in group.order), *group.words])
    definition = cst.ensure_type(cst.parse_statement(f"def {name}({parameters}):\n    pass\n"), cst.FunctionDef)
    kind = "methods" if "." in example.name else "functions"
    told = " but for what they hand over" if group.holes else ""
    doc = cst.parse_statement(f'"""What {len(group.shapes)} {kind} do{told}."""')
    whole = definition.with_changes(body=body.with_changes(body=[doc, *body.body]))
    return cst.Module([whole], default_indent=indent).code.rstrip() + "\n"
