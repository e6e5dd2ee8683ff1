"""The corridor of refactorings: what would be shared, whether it is the same, and a branch for its review.

What may be shared is decided in `refactoring`, what is the same in `refactoring.proof` and `verification.sameness`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.errors import UserError
from meta.model import Check, Verdict
from meta.refactoring.nouns import Refactoring, Rule
from meta.refactoring.sources import Project
from meta.verification import sameness
from meta.verification.sameness import Ground

RULES: tuple[Rule, ...] = ("library", "helper")


@dataclass(frozen=True, slots=True)
class Refactored:
    """A refactoring with what was proved of it. `branch` and `commit` are where it waits for review, "" for nowhere."""

    plan: Refactoring
    verdict: Verdict
    branch: str = ""
    commit: str = ""


def members(root: Path, names: Iterable[str]) -> list[str]:
    """The Python files that folders, files or globs name, relative to `root`."""
    found: set[str] = set()
    for name in names:
        here = [root / name] if (root / name).exists() else sorted(root.glob(name))
        files = [
            path for one in here for path in (one.rglob("*.py") if one.is_dir() else [one]) if path.suffix == ".py"
        ]
        if not files:
            raise UserError(
                f"{name} names no Python file in {root}. Name a folder, a file, or a pattern such as `exp/*/run.py`."
            )
        found |= {path.relative_to(root).as_posix() for path in files}
    return sorted(found)


def plan(root: Path, paths: Iterable[str], *, rules: Collection[Rule] = RULES) -> Refactoring:
    """What becomes of the repeated functions in these files of the repository at `root`."""
    from meta import refactoring

    return refactoring.plan(root, paths, rules=rules)


def prove(root: Path, change: Refactoring, ground: Ground) -> Verdict:
    """Whether the files do the same after the change: read, then loaded and tested in the sandbox.

    What fails in the reading is not loaded. Where neither bytecode nor tests could be compared, as without a sandbox,
    the state is "unverified".
    """
    from meta.refactoring import proof

    project = Project(root)
    read = proof.check(project, change)
    if any(check.passed is False for check in read):
        return Verdict(read, "none")
    found = sameness.compare(root, _changed(project, change), ground)
    return Verdict((*read, *found.checks), found.isolation)


def _changed(project: Project, change: Refactoring) -> sameness.Changed:
    """What the sandbox has to know of a change."""
    after = project.changed(change.files)
    modules, outside = [], set()
    for path in change.files:
        if path not in project.sources:
            continue
        source = project.sources[path]
        top = project.top(source.folder)
        modules.append(
            sameness.Loaded(
                path, "" if top is None else project.dotted(path, top), source.folder if top is None else top
            )
        )
        outside |= _outside(after, path)
    sites = [(group, site) for group in change.groups for site in group.sites]
    return sameness.Changed(
        files=change.files,
        modules=modules,
        moved={(s.path, s.name): (g.module, g.name) for g, s in sites if g.rule == "library"},
        replaced=frozenset((s.path, s.name) for g, s in sites if g.rule == "helper"),
        outside=sorted(outside),
    )


def _outside(project: Project, path: str) -> set[str]:
    """The packages that a file imports and that do not lie in the repository."""
    from meta.refactoring.names import Names

    folders = {part for other in project.sources for part in other.removesuffix(".py").split("/")}
    return Names(project, project.sources[path]).modules - folders - {""}


def propose(root: Path, change: Refactoring, verdict: Verdict, name: str) -> Refactored:
    """Put the change on the branch `meta/refactor-<name>`, which is made, or made anew where it is still ours."""
    from meta.registration import refactoring as desk

    if verdict.state == "failed":
        return Refactored(change, verdict)
    commit = desk.propose(root, name, change.files, change.before, _message(change, name, verdict))
    return Refactored(change, verdict, f"meta/refactor-{name}", commit)


def _message(change: Refactoring, name: str, verdict: Verdict) -> str:
    """The commit's text: what became one, by how much the code is shorter, and what was checked."""
    copies = [group for group in change.groups if group.rule == "library"]
    helpers = [group for group in change.groups if group.rule == "helper"]
    rows = []
    if copies:
        rows.append(f"{sum(len(g.sites) for g in copies)} copies of {len(copies)} functions become one each.")
    if helpers:
        rows.append(
            f"{sum(len(g.sites) for g in helpers)} functions that differ in constants call {len(helpers)} helpers."
        )
    rows.append(f"{change.added} lines added, {change.removed} removed ({change.net:+d}).")
    marks = {True: "ok", False: "FAILED", None: "not run"}
    rows += ["", f"Same as before: {verdict.state} ({verdict.isolation})"]
    rows += [f"  {marks[check.passed]}: {check.name}: {check.detail}" for check in verdict.checks]
    if change.notes:
        rows += ["", "Look at:", *(f"  {note}" for note in change.notes)]
    return f"Share what {name} repeats\n\n" + "\n".join(rows) + "\n"


def refactor(
    root: Path, names: Iterable[str], *, name: str = "", ground: Ground, dry_run: bool = False,
    rules: Collection[Rule] = RULES,
) -> Refactored:  # fmt: skip
    """The whole way: find, prove, and put up for review unless it is only asked what would be done."""
    root = git.root(root)
    names = list(names)
    change = plan(root, members(root, names), rules=rules)
    if not change.files:
        return Refactored(change, Verdict((Check("moved functions", None, "there is nothing to share"),), "none"))
    verdict = prove(root, change, ground)
    return Refactored(change, verdict) if dry_run else propose(root, change, verdict, name or _slug(names[0]))


def _slug(name: str) -> str:
    words = [part for part in name.replace("*", "").split("/") if part and not part.endswith(".py")]
    return "-".join(words[-1:]).strip("-_.").lower().replace("_", "-") or "code"
