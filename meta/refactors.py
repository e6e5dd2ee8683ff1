"""The corridor of refactorings: what would be shared, whether it is the same, and a branch for its review.

What may be shared is decided in `refactoring`, what is the same in `refactoring.proof` and `verification.sameness`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from meta import building, generators, git, process
from meta.config import Config
from meta.errors import UserError
from meta.intake import alone, workspace_of
from meta.model import Check, Verdict
from meta.redact import residue
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


def members(root: Path, names: Iterable[str], now: float = 0.0) -> list[str]:
    """The Python files that folders, files, globs or families name, relative to `root`; `now` is for families."""
    found: set[str] = set()
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UserError(f"{name} may lead out of {root}. Name it by its path from there.")
        here = [root / name] if (root / name).exists() else sorted(root.glob(name))
        if not here and not set("/*.") & set(name):
            found |= _of_family(root, name, now)
            continue
        files = [
            path for one in here for path in (one.rglob("*.py") if one.is_dir() else [one]) if path.suffix == ".py"
        ]
        if not files:
            raise UserError(
                f"{name} names no Python file in {root}. Name a folder, a file, a pattern such as `exp/*/run.py`, "
                "or a family of `meta families`."
            )
        found |= {path.relative_to(root).as_posix() for path in files}
    return sorted(found)


def _of_family(root: Path, name: str, now: float) -> set[str]:
    """The Python files of a family's members that are still there: one of history, else one of functions or classes."""
    seen = generators.found(root, now)
    shapes = generators.units(root)
    known = replace(seen, families=(*seen.families, *shapes.families))
    family = generators.find(known, name)
    files = {path.partition("::")[0] for member in family.members for path in member.files}  # a unit stands behind it
    there = {path for path in files if path.endswith(".py") and (root / path).is_file()}
    if not there:
        raise UserError(f"the family {name} has no Python files. Name one of `meta families` that has.")
    return there


def plan(root: Path, paths: Iterable[str], *, rules: Collection[Rule] = RULES) -> Refactoring:
    """What becomes of the repeated functions in these files of the repository at `root`, in the project's own format.

    A file that was not in that format before stays as it was written.
    """
    from meta import refactoring

    change = refactoring.plan(root, paths, rules=rules)
    formatter = building.formatter(root)
    if not formatter:
        return change
    files = {}
    for path, text in change.files.items():
        before = change.before[path]
        own = not before or _formatted(root, formatter, path, before) == before
        files[path] = _formatted(root, formatter, path, text) if own else text
    added, removed = refactoring.counted(change.before, files)
    return replace(change, files=files, added=added, removed=removed)


def _formatted(root: Path, formatter: Iterable[str], path: str, text: str) -> str:
    """What the formatter makes of a file; the text itself where it is not there or cannot."""
    done = process.run([*formatter, "--stdin-filename", path, "-"], cwd=root, input=text, limit=2**24)
    return done.stdout if done.ok and not done.clipped else text


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
    text = _text(change, name, verdict)
    if left := residue.secrets([text]):
        raise UserError(f"the text for its reviewer would hold what looks like a secret: {', '.join(sorted(left))}.")
    commit = desk.propose(root, f"refactor-{name}", change.id, change.files, change.before, text)
    return Refactored(change, verdict, f"meta/refactor-{name}", commit)


def _text(change: Refactoring, name: str, verdict: Verdict) -> str:
    """The commit's text, which is what a reviewer reads: what became one, what was checked, what to look at."""
    copies = [group for group in change.groups if group.rule == "library"]
    helpers = [group for group in change.groups if group.rule == "helper"]
    rows = []
    if copies:
        rows.append(f"Copies that become one each: {sum(len(g.sites) for g in copies)} of {len(copies)} functions.")
    if helpers:
        calls = sum(len(g.sites) for g in helpers)
        rows.append(f"Functions that differ in constants and share a helper: {calls}, helpers: {len(helpers)}.")
    rows.append(f"Lines: {change.added} added, {change.removed} removed ({change.net:+d}).")
    rows += ["", "What is shared:"]
    rows += [f"  {g.name} in {g.module}: {len(g.sites)} times {g.lines} lines" for g in change.groups]
    marks = {True: "ok", False: "FAILED", None: "not run"}
    rows += ["", f"Same as before: {verdict.state} (isolation: {verdict.isolation})"]
    rows += [f"  {marks[check.passed]}: {check.name}: {check.detail}" for check in verdict.checks]
    if change.notes:
        rows += ["", "Look at:", *(f"  {note}" for note in change.notes)]
    return f"Share what {name} repeats\n\n" + "\n".join(rows) + "\n"


def refactor(
    settings: Config, start: Path, names: Iterable[str], *, now: float, name: str = "", ground: Ground,
    dry_run: bool = False, rules: Collection[Rule] = RULES,
) -> Refactored:  # fmt: skip
    """The whole way: find, prove, and put up for review unless it is only asked what would be done."""
    from meta.registration import refactoring as desk

    root = git.root(start) if dry_run else workspace_of(settings)
    if (top := git.root(root)) != root.resolve():
        raise UserError(
            f"other files of {top} may use what would move. Make all of it the workspace: `meta init` there."
        )
    names = list(names)
    change = plan(root, members(root, names, now), rules=rules)
    if not change.files:
        return Refactored(change, Verdict((Check("moved functions", None, "there is nothing to share"),), "none"))
    name = name or _slug(names[0])
    if not dry_run:
        desk.check(root, f"refactor-{name}", change.id, change.before)  # before the long part
    verdict = prove(root, change, ground)
    if dry_run:
        return Refactored(change, verdict)
    with alone(root):
        return propose(root, change, verdict, name)


def _slug(name: str) -> str:
    """What a branch is called after a folder, a pattern or a family."""
    words = [part for part in name.replace("*", "").split("/") if part.strip(".") and not part.endswith(".py")]
    return re.sub(r"[^a-z0-9]+", "-", "".join(words[-1:]).lower()).strip("-")[:40] or "code"
