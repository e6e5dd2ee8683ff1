"""Repeated functions of a repository become one: what would be changed, file by file.

Nothing is written or executed here. Whether the result does the same is proved in `proof` and in `verification`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from meta.refactoring import helpers, library
from meta.refactoring.assembly import Assembly
from meta.refactoring.drafts import Draft
from meta.refactoring.importing import Imports
from meta.refactoring.names import Names
from meta.refactoring.nouns import Group, Refactoring, Refused, Rule, Site
from meta.refactoring.rewriting import rewritten
from meta.refactoring.sources import Project
from meta.refactoring.watching import watched

__all__ = ["Group", "Refactoring", "Refused", "Rule", "Site", "counted", "plan"]

# Folders of which some tool loads each file for what it is: no shared module may lie there, and none may change.
_LOADED = re.compile(r"/(migrations|versions)/")
BOTH: tuple[Rule, ...] = ("library", "helper")


def plan(root: Path, paths: Iterable[str], *, rules: Collection[Rule] = BOTH) -> Refactoring:
    """What becomes of the functions that the files at `paths`, relative to `root`, share.

    The rest of the repository is read too, for it may import these files or patch names in them.
    """
    project = Project(root)
    chosen = [path for path in sorted(set(paths)) if path in project.sources and not _LOADED.search(f"/{path}")]
    deep = {path for path in chosen if project.sources[path].is_deep}
    skipped = {**project.skipped, **({"nested too deeply": len(deep)} if deep else {})}
    members = {path: Names(project, project.sources[path]) for path in chosen if path not in deep}
    watch, imports = watched(project), Imports(project)
    assembly = Assembly(project, imports, members, watch)
    refused: list[Refused] = []
    if "library" in rules:
        found, apart = library.copies(members.values(), watch)
        refused += apart
        assembly.copies(found)
    if "helper" in rules:
        gone = {(path, name) for path, edit in assembly.edits.items() for name in edit.removed}
        alike, apart = helpers.alike(members.values(), gone, watch)
        refused += apart
        assembly.helpers(alike)
    files = _files(assembly)
    before = {path: project.sources[path].text if path in project.sources else "" for path in files}
    added, removed = counted(before, files)
    return Refactoring(
        groups=tuple(assembly.groups),
        files=files,
        before=before,
        added=added,
        removed=removed,
        refused=tuple(sorted([*refused, *assembly.refused], key=lambda each: -len(each.sites))),
        notes=_notes(watch.asking, project, imports, files),
        skipped=skipped,
    )


def _files(assembly: Assembly) -> dict[str, str]:
    """The new modules and the edited files, by path."""
    files: dict[str, str] = {}
    for draft in assembly.drafts.values():
        if draft.functions:
            files[draft.path] = draft.text(_said(assembly, draft))
    for path, edit in sorted(assembly.edits.items()):
        source = assembly.project.sources[path]
        edit.asked |= assembly.watch.named & (edit.removed | edit.constants)
        for other, names in assembly.imports.importers(path).items():
            whole = assembly.project.sources[other].text if "*" in names else ""
            edit.asked |= names | {n for n in assembly.members[path].bound if f".{n}" in whole}
        files[path] = rewritten(source, edit)
    return files


def _said(assembly: Assembly, draft: Draft) -> str:
    """The docstring of a shared module."""
    files = len({site.path for group in assembly.groups if group.module == draft.path for site in group.sites})
    return f"What {files} files of this folder had in common, each with a copy of its own."


def counted(before: Mapping[str, str], files: Mapping[str, str]) -> tuple[int, int]:
    """The lines that are added and removed, as a diff counts them."""
    added = removed = 0
    for path, text in files.items():
        for line in difflib.unified_diff(before[path].splitlines(), text.splitlines(), n=0, lineterm=""):
            added += line.startswith("+") and not line.startswith("+++")
            removed += line.startswith("-") and not line.startswith("---")
    return added, removed


def _notes(asking: set[str], project: Project, imports: Imports, files: dict[str, str]) -> tuple[str, ...]:
    """What a reviewer should look at: code that asks for the sources of what has moved."""
    changed = [path for path in files if path in project.sources]
    looks = sorted({other for other in asking for path in changed if other == path or other in imports.importers(path)})
    return tuple(f"{path} asks for the source of functions, some of which have moved" for path in looks)
