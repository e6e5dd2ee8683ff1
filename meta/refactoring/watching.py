"""Who else looks at the names of a module: tests that patch them, code that asks where a function stands.

A patched name must stay where it is, or the patch would no longer reach the code that uses it.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field

from meta.refactoring.sources import Project, Source

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_PATCHING = ("patch", "setattr", "delattr", "object", "dict", "multiple")
_ASKING = {"getsource", "getsourcefile", "getsourcelines", "getmodule", "getfile"}


@dataclass
class Watched:
    """`patched` maps a module, by its last word, to the names that are replaced in it, each with its whole dotted name
    where that is known. `named` are the last words of all dotted texts. `asking` are files that ask for sources."""

    patched: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    named: set[str] = field(default_factory=set)
    asking: set[str] = field(default_factory=set)

    def patches(self, source: Source, module: str, names: set[str]) -> str:
        """The name of a file that some code replaces, of those given; "" for none. `module` is its dotted name."""
        called = {source.stem, module.rpartition(".")[2], ""}
        replaced = sorted(each for last in called for each in self.patched.get(last, set()))
        for name, dotted in replaced:
            if name in names and (not dotted or not module or f".{module}".endswith(f".{dotted}")):
                return name
        return ""


def watched(project: Project) -> Watched:
    """What is patched and asked anywhere in the project."""
    found = Watched()
    for source in project.sources.values():
        patching = re.search(r"patch|setattr|delattr", source.text) is not None
        if _ASKING & set(re.findall(r"\bget[a-z]+\b", source.text)):
            found.asking.add(source.path)
        imported = _imported(source)
        for node in source.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
                found.named.add(node.value.rpartition(".")[2])
            elif patching and isinstance(node, ast.Call):
                _replaced(node, imported, found)
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
                targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Attribute) and (dotted := _module(target.value, imported)):
                        found.patched[dotted.rpartition(".")[2]].add((target.attr, dotted))
    return found


def _imported(source: Source) -> dict[str, str]:
    """The names that may be modules, with what they were imported as."""
    found: dict[str, str] = {}
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}" if node.module else alias.name
    return found


def _module(node: ast.expr, imported: dict[str, str]) -> str:
    """The dotted name of what an expression stands for, "" where it is no imported name."""
    if isinstance(node, ast.Name):
        return imported.get(node.id, "")
    if isinstance(node, ast.Attribute) and (base := _module(node.value, imported)):
        return f"{base}.{node.attr}"
    return ""


def _replaced(call: ast.Call, imported: dict[str, str], found: Watched) -> None:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if not call.args or not (called in _PATCHING or called.endswith("patch")):
        return
    first, texts = call.args[0], [_text(argument) for argument in call.args[:2]]
    if texts[0] and _DOTTED.fullmatch(texts[0]):
        module, _, name = texts[0].rpartition(".")
        found.patched[module.rpartition(".")[2]].add((name, module))
    names = {
        texts[1] if len(texts) > 1 else "",
        *(word.arg for word in call.keywords if called == "multiple" and word.arg),
    }
    for name in filter(None, names):
        dotted = texts[0] if texts[0] else _module(first, imported)
        if dotted:
            found.patched[dotted.rpartition(".")[2]].add((name, dotted))
        elif isinstance(first, ast.Name) and first.id not in ("self", "cls", *imported):
            found.patched[""].add((name, ""))  # it may be any module
        elif re.search(r"import_module|'modules'", ast.dump(first)):
            found.patched[""].add((name, ""))


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
