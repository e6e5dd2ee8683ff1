"""Who imports whom in a repository, whether a new module would close a circle, and how a file can import it.

Only imports that run when a module is loaded count; nothing is loaded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from meta.refactoring.names import Imported
from meta.refactoring.nouns import RefusedError
from meta.refactoring.sources import Project, Source, joined, parent, within


@dataclass(frozen=True, slots=True)
class Way:
    """How a file imports a module of a folder: as part of a package, or after its folder was put on the path.

    `module` is the package ("" for none) as the file writes it, absolute or with leading dots. `up` counts the folders
    from the file's own to the one that goes on the path; None where the path is left alone.
    """

    module: str = ""
    up: int | None = None

    def statement(self, stem: str) -> str:
        """The module that names are imported from."""
        if not self.module or self.module.endswith("."):
            return self.module + stem
        return f"{self.module}.{stem}"


class Imports:
    """The import statements of a project, resolved to its files."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._edges: dict[str, set[str]] = {}
        self._roots_of: dict[str, set[str]] = {}
        self._known: dict[str, dict[str, set[str]]] = {}

    def way(self, path: str, folder: str) -> Way:
        """How the file at `path` imports a new module of `folder`, which holds it. Raises `RefusedError` for none."""
        project, source = self.project, self.project.sources[path]
        up = len(source.folder.removeprefix(folder).strip("/").split("/")) if folder != source.folder else 0
        top = project.top(source.folder)
        own = self._own(source)
        if top is None or folder == top or not within(folder, top):
            for root in sorted(own, key=len, reverse=True):
                if root != source.folder and within(folder, root) and _dotted(folder, root):
                    return Way(project.dotted(folder, root) if folder != root else "")
            if top is not None:
                raise RefusedError("its members lie in different packages")
            return Way(up=up)
        if top not in own and _is_script(source):
            return Way(up=up)
        if top in own or not self._relative(source):
            return Way(project.dotted(folder, top))
        return Way("." * (up + 1))

    def _own(self, source: Source) -> set[str]:
        """The roots that a file's own absolute imports of the repository prove to be on the path."""
        if source.path in self._roots_of:
            return self._roots_of[source.path]
        found = (
            self.project.found(name, (source.folder, *self.project.roots))
            for node in source.nodes
            for name, level in _modules(node)
            if not level
        )
        self._roots_of[source.path] = {each[1] for each in found if each}
        return self._roots_of[source.path]

    def _relative(self, source: Source) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.level for node in source.nodes)

    def circle(self, module: str, needs: Iterable[Imported], members: Iterable[str]) -> str:
        """The member that a new module would load again before it is ready itself; "" for none."""
        members = set(members)
        above = {joined(folder, "__init__.py") for folder in _above(module)}
        seen: set[str] = set()
        waiting = sorted({path for one in needs for path in self._files(one, parent(module))})
        while waiting:
            path = waiting.pop()
            if path in members:
                return path
            if path not in seen:
                seen.add(path)
                waiting += sorted(self.edges(path) - above)
        return ""

    def edges(self, path: str) -> set[str]:
        """The files that are loaded when this one is."""
        if path not in self._edges:
            source = self.project.sources[path]
            names = {each for statement in _loaded(source.tree.body) for each in self._named(source, statement)}
            found = {file for name in names for file in self._loads(name, source.folder)}
            self._edges[path] = found - {path}
        return self._edges[path]

    def _named(self, source: Source, node: ast.stmt) -> Iterator[str]:
        for name, level in _modules(node):
            if not level:
                yield name
            elif module := self.project.module(source.path):
                parts = module.split(".") if source.stem == "__init__" else module.split(".")[:-1]
                base = ".".join(parts[: len(parts) - level + 1])
                yield f"{base}.{name}".strip(".") if name else base

    def _files(self, one: Imported, folder: str) -> set[str]:
        names = [one.module, *([f"{one.module}.{one.name}"] if one.name else [])]
        return {path for name in names for path in self._loads(name, folder)}

    def _loads(self, name: str, folder: str) -> Iterator[str]:
        """The file of a module and those of the packages around it."""
        roots = (*([] if self.project.is_package(folder) else [folder]), *self._roots)
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            if found := self.project.found(".".join(parts[:count]), roots):
                yield found[0]

    @cached_property
    def _roots(self) -> tuple[str, ...]:
        return self.project.roots

    def importers(self, path: str) -> dict[str, set[str]]:
        """What other files take from this one by name: file -> names; "*" stands for all of it."""
        found: dict[str, set[str]] = {}
        for other in self.project.sources.values():
            if other.path != path and path in self._mentions(other):
                found[other.path] = self._mentions(other)[path]
        return found

    def _mentions(self, source: Source) -> dict[str, set[str]]:
        if source.path not in self._known:
            found: dict[str, set[str]] = {}
            roots = (*([] if self.project.is_package(source.folder) else [source.folder]), *self._roots)
            for node in source.nodes:
                if not isinstance(node, ast.Import | ast.ImportFrom):
                    continue
                for alias in node.names:
                    for module in set(self._named(source, node)):
                        whole = self.project.found(module, roots)
                        if whole and isinstance(node, ast.ImportFrom) and module == self._from(source, node):
                            found.setdefault(whole[0], set()).add(alias.name)
                        elif whole:
                            found.setdefault(whole[0], set()).add("*")
            self._known[source.path] = found
        return self._known[source.path]

    def _from(self, source: Source, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        module = self.project.module(source.path).split(".")
        parts = module if source.stem == "__init__" else module[:-1]
        return ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])


def _modules(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The modules that an import statement may load, each with its leading dots."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, 0) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or "", node.level
        yield from (((f"{node.module}." if node.module else "") + alias.name, node.level) for alias in node.names)


def _loaded(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The import statements that run with the module, also under conditions."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.iter_child_nodes(statement):
                if isinstance(node, ast.stmt):
                    yield from _loaded([node])
                elif isinstance(node, ast.ExceptHandler | ast.match_case):
                    yield from _loaded(node.body)


def _above(path: str) -> Iterator[str]:
    """The folders around a file, the lowest first."""
    while path:
        path = parent(path)
        yield path


def _dotted(folder: str, root: str) -> bool:
    inside = folder.removeprefix(root).strip("/")
    return all(part.isidentifier() for part in inside.split("/")) if inside else True


def _is_script(source: Source) -> bool:
    return any(
        isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and "__name__" in ast.dump(node.test)
        for node in source.tree.body
    )
