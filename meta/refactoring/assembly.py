"""From what is alike to files: which shared module each group goes to, under which name, and who imports it.

A group that cannot be moved without harm is refused here with its reason: names that would clash, a circle of imports,
no way to import.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping

from meta.refactoring import drafts
from meta.refactoring.drafts import Draft
from meta.refactoring.helpers import Alike
from meta.refactoring.importing import Imports
from meta.refactoring.library import Copies, Unit
from meta.refactoring.names import Constant, Imported, Names, used
from meta.refactoring.nouns import Group, Refused, RefusedError, Rule, Site
from meta.refactoring.rewriting import Edit, Taken
from meta.refactoring.shapes import Shape
from meta.refactoring.sources import Project, lowest
from meta.refactoring.watching import Watched


class Assembly:
    """The new modules and the edits of the old ones, group by group."""

    def __init__(self, project: Project, imports: Imports, members: Mapping[str, Names], watch: Watched) -> None:
        self.project, self.imports, self.members, self.watch = project, imports, members, watch
        self.drafts: dict[str, Draft] = {}  # by folder
        self.needs: dict[str, set[Imported]] = defaultdict(set)  # by folder
        self.loaders: dict[str, set[str]] = defaultdict(set)  # who imports the module of a folder
        self.edits: dict[str, Edit] = defaultdict(Edit)
        self.groups: list[Group] = []
        self.refused: list[Refused] = []

    # What `library` found.

    def copies(self, found: Mapping[int, Copies]) -> None:
        """Take over all that can be shared, with what it needs."""
        for folder, kinds in _folders(found).items():
            draft = self._draft(folder)
            state: dict[int, bool] = {}
            for kind in sorted(kinds, key=lambda k: -found[k].saved):
                self._accepted(kind, found, draft, folder, state)
            kept = [kind for kind in kinds if state[kind]]
            while dropped := [kind for kind in kept if any(not state[need] for need in found[kind].needs)]:
                for kind in dropped:
                    state[kind] = False
                    self._refuse("library", found[kind].units, "one that it calls is not shared")
                kept = [kind for kind in kept if state[kind]]
            self._moved([found[kind] for kind in kept], {kind: found[kind] for kind in kept}, draft)

    def _accepted(
        self, kind: int, found: Mapping[int, Copies], draft: Draft, folder: str, state: dict[int, bool]
    ) -> bool:
        if kind not in state:
            state[kind] = True  # copies that need each other
            each = found[kind]
            needed = [self._accepted(need, found, draft, folder, state) for need in each.needs]
            reason = "" if all(needed) else "one that it calls is not shared"
            imports = each.best.imports
            reason = (
                reason
                or draft.refuses(imports)
                or self._loads(folder, draft, imports, [u.source.path for u in each.units])
            )
            if reason:
                self._refuse("library", each.units, reason)
                state[kind] = False
            else:
                draft.needs(imports)
        return state[kind]

    def _moved(self, chosen: list[Copies], kept: Mapping[int, Copies], draft: Draft) -> None:
        """Write the functions into the draft, the most frequent of a name under that name."""
        chosen = sorted(chosen, key=lambda each: (-len(each.units), each.best.key))
        named: dict[tuple[str, str], str] = {}  # a function of a file -> its name in the module
        for each in chosen:
            name = draft.free(each.best.node.name)
            draft.functions[name] = ""  # taken
            named |= {unit.key: name for unit in each.units}
        constants = _constants(chosen, draft)
        texts: dict[str, str] = {}
        for each in sorted(chosen, key=lambda each: (each.best.node.lineno, each.best.key)):
            best = each.best
            names = {call[1]: named[call] for call in best.calls()} | {best.node.name: named[best.key]}
            names |= {n: constants[n, _value(m)] for n, m in best.names.items() if isinstance(m, Constant)}
            texts[named[best.key]] = drafts.renamed(best.text, names, set(best.own))
            draft.future |= any(unit.future for unit in each.units)
            self._group(
                "library", named[best.key], draft.path, tuple(Site(*unit.key) for unit in each.units), best.lines
            )
            for unit in each.units:
                self._taken(unit, named[unit.key], draft)
        draft.functions = {name: texts[name] for name in texts} | {n: t for n, t in draft.functions.items() if t}

    def _taken(self, unit: Unit, name: str, draft: Draft) -> None:
        path = unit.source.path
        edit = self.edits[path]
        edit.removed.add(unit.node.name)
        edit.constants |= {n for n, m in unit.names.items() if isinstance(m, Constant)}
        self._import(path, draft, unit.node.name, name)

    # What `helpers` found.

    def helpers(self, found: Iterable[Alike]) -> None:
        """Take over each group whose helper can be imported where it is needed, the one that saves most first."""
        for group in found:
            paths = sorted({each.source.path for each in group.shapes})
            try:
                self._helper(group, paths)
            except RefusedError as error:
                self._refuse("helper", group.shapes, str(error))

    def _helper(self, group: Alike, paths: list[str]) -> None:
        if group.imports is None:
            path = paths[0]
            name = self._free(group.name, paths, Draft(path, set()))
            self.edits[path].own.append(group.text(name))
        else:
            folder = lowest(iter(paths))
            draft = self._draft(folder)
            if reason := draft.refuses(group.imports) or self._loads(folder, draft, group.imports, paths):
                raise RefusedError(reason)
            name = self._free(group.name, paths, draft)
            text = group.text(name)
            draft.needs(group.imports)
            draft.functions[name] = text
            path = draft.path
            for each in paths:
                self._import(each, draft, name, name)
        for shape in group.shapes:
            self.edits[shape.source.path].bodies[shape.name] = group.call(shape, name)
        self._group("helper", name, path, group.sites, group.example.lines)

    def _free(self, name: str, paths: list[str], draft: Draft) -> str:
        """A name that means nothing yet in any of these files."""
        there = set[str]()
        for path in paths:
            names = self.members[path]
            there |= used(names.source.tree) | set(names.bound)
            there |= {bound for taken in self.edits[path].taken.values() for bound in taken.names}
            there |= {text.split("(")[0].removeprefix("def ") for text in self.edits[path].own}
        return Draft(draft.path, draft.reserved | there, functions=draft.functions, constants=draft.constants).free(
            name
        )

    # Both.

    def _draft(self, folder: str) -> Draft:
        if folder not in self.drafts:
            heads = {one.split(".")[0] for names in self.members.values() for one in names.modules}
            self.drafts[folder] = Draft(drafts.place(self.project, folder, heads), set())
        return self.drafts[folder]

    def _loads(
        self, folder: str, draft: Draft, imports: Mapping[str, tuple[Imported, ...] | None], paths: Iterable[str]
    ) -> str:
        """Why the module of a folder cannot be loaded by these files when it imports that; "" where it can."""
        paths = set(paths)
        needs = {one for each in imports.values() for one in each or ()}
        try:
            for path in paths:
                self.imports.way(path, folder)
        except RefusedError as error:
            return str(error)
        if circle := self.imports.circle(draft.path, self.needs[folder] | needs, self.loaders[folder] | paths):
            return f"a circle of imports: the shared module would need {circle}, which needs it"
        self.needs[folder] |= needs
        self.loaders[folder] |= paths
        return ""

    def _import(self, path: str, draft: Draft, bound: str, name: str) -> None:
        way = self.imports.way(path, draft.path.rpartition("/")[0])
        self.edits[path].taken.setdefault(draft.path, Taken(draft.path, way)).names[bound] = name

    def _group(self, rule: Rule, name: str, module: str, sites: tuple[Site, ...], lines: int) -> None:
        self.groups.append(Group(rule, name, module, sites, lines))

    def _refuse(self, rule: Rule, functions: Iterable[Unit | Shape], reason: str) -> None:
        sites = tuple(Site(f.source.path, f.name if isinstance(f, Shape) else f.node.name) for f in functions)
        self.refused.append(Refused(rule, sites[0].name.rpartition(".")[2], sites, reason))


def _folders(found: Mapping[int, Copies]) -> dict[str, list[int]]:
    """The copies by the folder of their module: what needs one another goes together, as high as any of it has to."""
    group: dict[int, int] = {kind: kind for kind in found}

    def root(kind: int) -> int:
        while group[kind] != kind:
            kind = group[kind]
        return kind

    for kind, each in found.items():
        for need in each.needs:
            group[root(kind)] = root(need)
    parts: dict[int, list[int]] = defaultdict(list)
    for kind in found:
        parts[root(kind)].append(kind)
    folders: dict[str, list[int]] = defaultdict(list)
    for kinds in parts.values():
        folders[lowest(unit.source.path for kind in kinds for unit in found[kind].units)] += kinds
    return folders


def _constants(chosen: Iterable[Copies], draft: Draft) -> dict[tuple[str, str], str]:
    """Put the constants that the functions need into the draft: (name, value) -> name there."""
    names: dict[tuple[str, str], str] = {}
    for each in chosen:
        for name, meaning in each.best.names.items():
            if isinstance(meaning, Constant) and (name, _value(meaning)) not in names:
                there = names[name, _value(meaning)] = draft.free(name)
                source = each.best.source
                text = "".join(source.lines[meaning.node.lineno - 1 : meaning.node.end_lineno])
                draft.constants[there] = drafts.renamed(text, {name: there}, set())
    return names


def _value(constant: Constant) -> str:
    return ast.dump(constant.value)
