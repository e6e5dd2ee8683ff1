"""The text of a file after functions were taken out of it, bodies replaced, and imports brought in line.

Everything else stays as it was written, comments and blank lines too. What is to be done is decided elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from meta.refactoring.drafts import wrapped
from meta.refactoring.importing import Way
from meta.refactoring.names import Function, used
from meta.refactoring.nouns import RefusedError
from meta.refactoring.shapes import functions, without_docstring
from meta.refactoring.sources import Source

_WORDS = re.compile(r"[A-Za-z_]\w*")
_SHORT = 60  # characters: a longer text is prose, and names no variable


@dataclass
class Taken:
    """What a file imports of a new module: bound name -> name there. `path` is that module's."""

    path: str
    way: Way
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class Edit:
    """What is done to one file. `bodies` maps the qualified name of a function to the statement that becomes its body;
    `constants` may go if nothing else uses them; `own` are helpers for this file alone; `asked` are the names that
    others take from it."""

    removed: set[str] = field(default_factory=set)
    constants: set[str] = field(default_factory=set)
    bodies: dict[str, str] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    taken: dict[str, Taken] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


def function(module: cst.Module, name: str) -> tuple[cst.FunctionDef, str]:
    """A function of a file by its qualified name, and how the file indents."""
    body: Sequence[cst.CSTNode] = module.body
    for part in name.split("."):
        found = next(n for n in body if isinstance(n, cst.FunctionDef | cst.ClassDef) and n.name.value == part)
        body = found.body.body
    return cst.ensure_type(found, cst.FunctionDef), module.default_indent


def rewritten(source: Source, edit: Edit) -> str:
    """The file after the edit. A text that means something else than was asked for is found by the proof, not here."""
    left_out = {id(node) for node in source.tree.body if isinstance(node, Function) and node.name in edit.removed}
    for name, node in functions(source):
        left_out |= {id(statement) for statement in without_docstring(node)} if name in edit.bodies else set()
    calls = [node for text in edit.bodies.values() for node in ast.walk(ast.parse(text))]
    asked = edit.asked.union(*(used(ast.parse(text)) for text in edit.own))
    gone = edit.constants - _used([*_walk(source.tree, left_out), *calls]) - asked
    left_out |= {id(node) for node in source.tree.body if _sets(node, gone)}
    before, after = _used(source.nodes), _used([*_walk(source.tree, left_out), *calls]) | asked
    module = source.written.visit(_Cut(Edit(removed=edit.removed, bodies=edit.bodies, constants=gone)))
    idle = before - after - {name for taken in edit.taken.values() for name in taken.names}
    module = module.visit(_Unimported(idle))
    wanted = [
        Taken(t.path, t.way, {bound: name for bound, name in t.names.items() if bound in after})
        for t in edit.taken.values()
    ]
    return _imported(module, [taken for taken in wanted if taken.names], edit.own).code


def _walk(node: ast.AST, left_out: Collection[int]) -> Iterator[ast.AST]:
    """The nodes of a tree without those left out, named by id, and what is in them."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += [child for child in ast.iter_child_nodes(each) if id(child) not in left_out]


def _sets(node: ast.stmt, names: set[str]) -> bool:
    """Whether a statement does no more than to give one of these names a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id in names


def _used(nodes: Iterable[ast.AST]) -> set[str]:
    """Every name that is read, also in short texts: annotations, `__all__`."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= _SHORT:
            found |= set(_WORDS.findall(node.value))
    return found


class _Cut(cst.CSTTransformer):
    """Takes functions and constants at the top out, and replaces bodies."""

    def __init__(self, edit: Edit) -> None:
        super().__init__()
        self.edit = edit
        self.path: list[str] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.path.append(node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        self.path.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.path.append(node.name.value)
        return False  # what is in a function stays, or goes with it

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        return False

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.BaseStatement | cst.RemovalSentinel:
        name = ".".join(self.path)
        self.path.pop()
        if name in self.edit.removed:
            return cst.RemoveFromParent()
        if name not in self.edit.bodies:
            return updated_node
        block = updated_node.body
        kept = list(block.body[:1]) if updated_node.get_docstring() is not None else []
        call = cst.parse_statement(self.edit.bodies[name])
        if not isinstance(block, cst.IndentedBlock):
            raise RefusedError("its body stands on the line of its name")
        return updated_node.with_changes(body=block.with_changes(body=[*kept, call], footer=[]))

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.RemovalSentinel:
        if self.path or len(original_node.body) != 1:
            return updated_node
        statement = original_node.body[0]
        target: cst.BaseExpression | None = None
        if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
            target = statement.targets[0].target
        elif isinstance(statement, cst.AnnAssign):
            target = statement.target
        gone = isinstance(target, cst.Name) and target.value in self.edit.constants
        return cst.RemoveFromParent() if gone else updated_node

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        """The comments above what was taken out stay, where a blank line parts them from it."""
        kept: list[cst.BaseStatement | cst.SimpleStatementLine] = []
        waiting: list[cst.EmptyLine] = []
        after = iter(updated_node.body)
        following = next(after, None)
        for before in original_node.body:
            if self._goes(before):
                waiting += _apart(before.leading_lines)
                continue
            assert following is not None
            if waiting:
                following = following.with_changes(leading_lines=[*waiting, *following.leading_lines])
                waiting = []
            kept.append(following)
            following = next(after, None)
        return updated_node.with_changes(body=kept, footer=[*waiting, *updated_node.footer])

    def _goes(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return node.name.value in self.edit.removed
        if isinstance(node, cst.SimpleStatementLine):
            return isinstance(self.leave_SimpleStatementLine(node, node), cst.RemovalSentinel)
        return False


def _apart(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """The comments before the last blank line; nothing where there are none."""
    last = max((place for place, line in enumerate(lines) if line.comment is None), default=-1)
    found = list(lines[:last])
    return found if any(line.comment for line in found) else []


class _Unimported(cst.CSTTransformer):
    """Takes out the imports of names, at the top of the file only."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    visit_ClassDef = visit_If = visit_Try = visit_FunctionDef  # type: ignore[assignment]  # none of them is entered

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import | cst.RemovalSentinel:
        kept = [alias for alias in updated_node.names if _bound(alias).split(".")[0] not in self.names]
        if not kept:
            return cst.RemoveFromParent()
        return updated_node.with_changes(names=_fewer(updated_node.names, kept))

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        names = updated_node.names
        if isinstance(names, cst.ImportStar) or getattr(updated_node.module, "value", "") == "__future__":
            return updated_node
        kept = [alias for alias in names if _bound(alias) not in self.names]
        if not kept:
            return cst.RemoveFromParent()
        if len(kept) < len(names) and updated_node.lpar is not None and len(kept) == 1 and not _commented(updated_node):
            return updated_node.with_changes(names=_fewer(names, kept), lpar=None, rpar=None)
        return updated_node.with_changes(names=_fewer(names, kept, wrapped=updated_node.lpar is not None))


def _commented(node: cst.ImportFrom) -> bool:
    return "#" in cst.Module([]).code_for_node(node)


def _fewer(
    names: Sequence[cst.ImportAlias], kept: Sequence[cst.ImportAlias], *, wrapped: bool = False
) -> list[cst.ImportAlias]:
    """What is left of a list of names, ending as it did before."""
    if not kept or len(kept) == len(names):
        return list(kept)
    comma = names[-1].comma if wrapped else cst.MaybeSentinel.DEFAULT
    return [*kept[:-1], kept[-1].with_changes(comma=comma)]


def _bound(alias: cst.ImportAlias) -> str:
    name = alias.asname.name if alias.asname else alias.name
    return cst.Module([]).code_for_node(name)


def _imported(module: cst.Module, wanted: Iterable[Taken], own: Sequence[str]) -> cst.Module:
    """The module with statements that import what it takes, after its first block of imports."""
    wanted = list(wanted)
    body = list(module.body)
    bound = _bindings(body) if any(taken.way.up is not None for taken in wanted) else {}
    lines = [line for taken in wanted for line in _statements(taken, bound)]
    if lines:
        place = _place(body)
        place = _beside(body[:place], lines[0]) if len(lines) == 1 else place
        body[place:place] = cst.parse_module("\n".join(lines) + "\n").body
    if own:
        at = next((i for i, node in enumerate(body) if isinstance(node, cst.FunctionDef | cst.ClassDef)), len(body))
        blank = [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)]
        fresh = [
            cst.parse_statement(text, config=module.config_for_parsing).with_changes(leading_lines=blank)
            for text in own
        ]
        body[at:at] = fresh
    return module.with_changes(body=body)


def _statements(taken: Taken, bound: Mapping[str, str]) -> list[str]:
    stem = taken.path.rpartition("/")[2].removesuffix(".py")
    names = ", ".join(bind if bind == name else f"{name} as {bind}" for bind, name in sorted(taken.names.items()))
    statement = wrapped(f"from {taken.way.statement(stem)} import {names}")
    if taken.way.up is None:
        return [statement]
    lines = [] if bound.get("sys") == "sys" else ["import sys"]
    if bound.get("os") == "os" and bound.get("Path") != "pathlib.Path":
        folder = "os.path.abspath(__file__)"
        for _ in range(taken.way.up + 1):
            folder = f"os.path.dirname({folder})"
    else:
        lines += [] if bound.get("Path") == "pathlib.Path" else ["from pathlib import Path"]
        folder = f"str(Path(__file__).resolve().parents[{taken.way.up}])"
    return [*lines, f"sys.path.append({folder})", statement]


def _bindings(body: Sequence[cst.CSTNode]) -> dict[str, str]:
    """What the imports at the top bind."""
    found: dict[str, str] = {}
    lines = [node for node in body if isinstance(node, cst.SimpleStatementLine)]
    imports = [line for line in lines if isinstance(line.body[0], cst.Import | cst.ImportFrom)]
    for node in ast.parse(cst.Module(body=imports).code).body:
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _place(body: Sequence[cst.CSTNode]) -> int:
    """Behind the last import that stands before anything is defined or done."""
    place = 0
    for index, node in enumerate(body):
        kinds = {type(each) for each in node.body} if isinstance(node, cst.SimpleStatementLine) else set()
        if kinds and kinds <= {cst.Import, cst.ImportFrom}:
            place = index + 1
        elif index == 0 and kinds == {cst.Expr}:
            place = 1  # the docstring
        elif not isinstance(node, cst.If | cst.Try):
            break
    return place


def _beside(imports: Sequence[cst.CSTNode], line: str) -> int:
    """Among the imports of the same package, where the order of names wants it; else behind all."""
    module = line.split()[1]
    others = {index: _module(node) for index, node in enumerate(imports)}
    same = {i: other for i, other in others.items() if other and other.split(".")[0] == module.split(".")[0]}
    if not same:
        return len(imports)
    return max([index + 1 for index, other in same.items() if other < module], default=min(same))


def _module(node: cst.CSTNode) -> str:
    """What a statement imports from, "" for another statement."""
    if isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.ImportFrom):
        return cst.Module([]).code_for_node(node.body[0]).split()[1]
    return ""
