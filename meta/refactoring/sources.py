"""The Python files of a repository as they are read: text, tree, place among packages.

What a name in them stands for is told in `names`.
"""

from __future__ import annotations

import ast
import copy
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import libcst as cst

LEFT_OUT = {
    ".git",
    ".hg",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".tox",
    ".nox",
    "site-packages",
    "build",
    "dist",
}
_DEEPEST = 150  # levels of a tree; written by hand they are seldom more than 30
_MOST = 2**20  # bytes: a longer file is data that looks like code


@dataclass(frozen=True)
class Source:
    """One Python file. `path` is relative to the repository, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @property
    def folder(self) -> str:
        return parent(self.path)

    @property
    def stem(self) -> str:
        return PurePosixPath(self.path).stem

    @cached_property
    def _levels(self) -> list[list[ast.AST]]:
        levels: list[list[ast.AST]] = [[self.tree]]
        while below := [child for node in levels[-1] for child in ast.iter_child_nodes(node)]:
            levels.append(below)
        return levels

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree, from the top down."""
        return tuple(node for level in self._levels for node in level)

    @property
    def is_deep(self) -> bool:
        """Whether the tree is nested so deeply that a walk by recursion comes near Python's limit."""
        return len(self._levels) > _DEEPEST

    @cached_property
    def written(self) -> cst.Module:
        """The tree that also has each space and comment."""
        return cst.parse_module(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)


def parent(path: str) -> str:
    """The folder of a path, "" for the top."""
    return path.rpartition("/")[0]


def joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def lowest(paths: Iterator[str]) -> str:
    """The lowest folder that holds all of these files."""
    return os.path.commonpath([f"/{parent(path)}" for path in paths]).strip("/")


class Project:
    """All Python files below a folder; the ones that cannot be used are counted, by reason."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.skipped: Counter[str] = Counter()
        self.sources: Mapping[str, Source] = {source.path: source for source in self._read()}

    def changed(self, files: Mapping[str, str]) -> Project:
        """The same with other texts of some files, and with new ones. Raises `SyntaxError` where one does not parse."""
        other = copy.copy(self)
        other.sources = {**self.sources, **{path: Source(path, text, ast.parse(text)) for path, text in files.items()}}
        other.__dict__.pop("roots", None)
        return other

    def _read(self) -> Iterator[Source]:
        for path in sorted(self._paths()):
            try:
                text = (self.root / path).read_bytes().decode("utf-8")
            except OSError:
                self.skipped["unreadable"] += 1
                continue
            except UnicodeDecodeError:
                self.skipped["not UTF-8"] += 1
                continue
            if len(text) > _MOST:
                self.skipped["too large"] += 1
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of a file's own odd escapes
                    yield Source(path, text, ast.parse(text))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self.skipped["does not parse"] += 1

    def _paths(self) -> Iterator[str]:
        for folder, names, files in os.walk(self.root):  # a link to a folder is not followed
            names[:] = [name for name in names if name not in LEFT_OUT]
            here = Path(folder).relative_to(self.root).as_posix()
            for name in files:
                if name.endswith(".py") and not os.path.islink(os.path.join(folder, name)):
                    yield joined("" if here == "." else here, name)

    def is_package(self, folder: str) -> bool:
        return joined(folder, "__init__.py") in self.sources

    def top(self, folder: str) -> str | None:
        """Where the package of this folder is imported from: the first folder above that is none; None outside of one."""
        if not self.is_package(folder):
            return None
        while self.is_package(folder):
            if not folder:
                return None  # a repository that is itself a package is imported from outside of what is seen
            folder = parent(folder)
        return folder

    def dotted(self, path: str, top: str) -> str:
        """The name under which a file or folder is imported from `top`."""
        inside = path.removeprefix(f"{top}/") if top else path
        return inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def module(self, path: str) -> str:
        """The dotted name of a file in a package, "" where it is in none."""
        top = self.top(parent(path))
        return "" if top is None else self.dotted(path, top)

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The folders from which absolute imports may start."""
        tops = {self.top(source.folder) for source in self.sources.values()}
        return tuple(sorted({top for top in tops if top is not None} | {"", "src"}))

    def found(self, dotted: str, roots: tuple[str, ...]) -> tuple[str, str] | None:
        """The file of a module and the root it is found from; None where it is not in the repository."""
        for root in roots:
            place = joined(root, dotted.replace(".", "/"))
            for path in (f"{place}.py", f"{place}/__init__.py"):
                if path in self.sources:
                    return path, root
        return None
