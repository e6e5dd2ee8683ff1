"""The text of a new shared module: its imports, its constants and its functions, in an order that can be loaded.

Which functions go there is decided in `library` and `helpers`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import libcst as cst

from meta.refactoring.names import BUILTINS, Imported
from meta.refactoring.nouns import RefusedError
from meta.refactoring.sources import Project, joined


@dataclass
class Draft:
    """A module in the making. `functions` map a name to its text, `constants` a name to its whole statement."""

    path: str
    reserved: set[str]
    future: bool = False
    imports: dict[str, tuple[Imported, ...]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".py")

    def refuses(self, needs: Mapping[str, tuple[Imported, ...] | None]) -> str:
        """Why these names cannot mean here what they meant where they were used; "" where they can."""
        for name, imported in needs.items():
            if self.imports.get(name, imported or ()) != (imported or ()):
                return f"{name} is imported from different places"
            if name in self.constants or name in self.functions:
                return f"{name} would mean something else in the shared module"
        return ""

    def needs(self, imports: Mapping[str, tuple[Imported, ...] | None]) -> None:
        """Take over the imports of a function; a builtin is only kept free."""
        for name, imported in imports.items():
            self.reserved.add(name)
            if imported:
                self.imports[name] = imported

    def free(self, name: str) -> str:
        """The name, with a number behind it where it is taken."""
        count, chosen = 1, name
        while chosen in self.reserved or chosen in self.functions or chosen in self.constants or chosen in BUILTINS:
            count += 1
            chosen = f"{name}_{count}"
        return chosen

    def text(self, said: str) -> str:
        """The module; `said` is its docstring."""
        parts = [f'"""{said}"""\n']
        if self.future:
            parts.append("from __future__ import annotations\n")
        if self.imports:
            parts.append(_imports({line for each in self.imports.values() for line in each}))
        if self.constants:
            parts.append("".join(self.constants.values()))
        head = "\n".join(parts)
        return head + "".join(f"\n\n{text}" for text in self.functions.values())


def place(project: Project, folder: str, taken: Iterable[str]) -> str:
    """The path of a new module in a folder: one that nothing there, and no module that is imported, is called."""
    heads = {name.split(".")[0] for name in taken} | set(sys.stdlib_module_names)
    last = folder.rpartition("/")[2]
    package = project.is_package(folder)
    wanted = "shared" if package or not last.isidentifier() else f"{last}_shared"
    stems = {path.rpartition("/")[2].removesuffix(".py") for path in project.sources}
    count, stem = 1, wanted
    while _there(project, joined(folder, stem)) or (not package and (stem in heads or stem in stems)):
        count += 1
        stem = f"{wanted}_{count}"
    return joined(folder, f"{stem}.py")


def _there(project: Project, path: str) -> bool:
    return (project.root / f"{path}.py").exists() or (project.root / path).exists()


def _imports(lines: set[Imported]) -> str:
    """Import statements in the usual order: the standard library, then the others."""
    own: list[Imported] = []
    others: list[Imported] = []
    for one in sorted(lines, key=lambda each: (bool(each.name), each.module, each.name)):
        (own if one.module.split(".")[0] in sys.stdlib_module_names else others).append(one)
    return "\n".join(_joined(part) for part in (own, others) if part)


def _joined(imports: list[Imported]) -> str:
    """One statement a module."""
    texts: list[str] = []
    for one in imports:
        head = f"from {one.module} import "
        if one.name and texts and texts[-1].startswith(head):
            texts[-1] += f", {one.line.removeprefix(head)}"
        else:
            texts.append(one.line)
    return "".join(f"{wrapped(text)}\n" for text in texts)


def wrapped(statement: str, width: int = 88) -> str:
    """A from-import as formatters write it: on one line, or one name a line."""
    if len(statement) <= width or " import " not in statement:
        return statement
    head, _, names = statement.partition(" import ")
    rows = "".join(f"    {name},\n" for name in names.split(", "))
    return f"{head} import (\n{rows})"


class _Renamed(cst.CSTTransformer):
    """Names in the place of others; what only looks like a name (an attribute, a keyword) is left alone."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self.names = names

    def visit_Attribute_attr(self, node: cst.Attribute) -> None:
        self._kept(node.attr)

    def visit_Arg_keyword(self, node: cst.Arg) -> None:
        if node.keyword:
            self._kept(node.keyword)

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Import | cst.ImportFrom):
            return False
        return super().on_visit(node)

    def _kept(self, node: cst.BaseExpression) -> None:
        self._left = getattr(self, "_left", set()) | {id(node)}

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if id(original_node) in getattr(self, "_left", set()):
            return updated_node
        return updated_node.with_changes(value=self.names.get(original_node.value, original_node.value))


def renamed(text: str, names: Mapping[str, str], within: set[str]) -> str:
    """A function's text with other global names. `within` are the names it has of its own."""
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return text
    if clash := (set(changed) | set(changed.values())) & within:
        raise RefusedError(f"{min(clash)} is a local name in it too")
    return cst.parse_module(text).visit(_Renamed(changed)).code
