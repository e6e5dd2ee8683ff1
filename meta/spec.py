"""Specs of a workspace: drafted from the sessions of a feature, and checked against the code as it is.

What belongs in one and what is a gap is decided in `knowledge.specs`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meta import git, intake, sources
from meta.config import Config
from meta.errors import UserError, did_you_mean
from meta.intake import Progress, quiet, workspace_of
from meta.knowledge import specs
from meta.knowledge.specs import Commit, Gap, Tree
from meta.model import Session
from meta.sources import git_history

FOLDERS = {"feature": "specs/features", "architecture": "specs/architecture"}
_NOT_CODE = ("specs", "knowledge", "conversation-archive", ".meta")


@dataclass(frozen=True, slots=True)
class Drafted:
    """A spec as it would be written; `kept` where somebody edited the one that is there, which then stays."""

    path: str
    text: str
    sessions: tuple[str, ...]
    kept: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """Where the code has parted from a spec since the commit that it was written at."""

    path: str
    commit: str
    gaps: tuple[Gap, ...]


def draft(
    settings: Config, name: str, *, kind: str = "feature", named: Sequence[str] = (), since: str = "", until: str = "",
    dry_run: bool = False, progress: Progress = quiet,
) -> Drafted:  # fmt: skip
    """The spec of a feature, written unless it is a dry run or was edited by hand."""
    from meta.generation import render
    from meta.mining.segments import segments
    from meta.mining.shell import Reader
    from meta.registration import lifecycle

    workspace = workspace_of(settings)
    slug = _slug(name)
    for told in filter(None, (since, until)):
        if not specs.is_day(told):
            raise UserError(f'"{told}" is no day. Name one like 2026-01-31.')
    with intake.alone(workspace, dry_run=dry_run):
        own = specs.of_feature(_sessions(settings, workspace, dry_run, progress), name, named, since, until)
        if not own:
            raise UserError(
                f'no session speaks of "{name}". Name its sessions with --sessions, or word it as it was asked for.'
            )
        parse = Reader({}, {})
        cut = [segment for session in own for segment in segments(session, parse)]
        paths = {entry.path for entry in git.tree(workspace)}
        lines = specs.sections(name, own, cut, _commits(workspace, own), paths)
        template = render.folder(workspace / "templates", f"spec-{kind}")
        made = render.render([template], {"name": slug, "commit": git.head(workspace), **lines})
        path, text = f"{FOLDERS[kind]}/{slug}.md", specs.marked(made["spec.md"])
        there = workspace / path
        before = there.read_text("utf-8", "replace") if there.is_file() else text
        kept = specs.edited(before)
        if not (dry_run or kept or (there.is_file() and before == text)):
            lifecycle.put(workspace, "spec", slug, {path: text})
    return Drafted(path, text, tuple(session.id for session in own), kept)


def _slug(name: str) -> str:
    slug = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60]
    if not slug:
        raise UserError(f'"{name}" is no name for a spec. Name the feature in plain words.')
    return slug


def _sessions(settings: Config, workspace: Path, dry_run: bool, progress: Progress) -> list[Session]:
    """The sessions of the workspace's own project, oldest first; of all where it has none."""
    with intake.index(settings, workspace, progress, dry_run=dry_run) as store:
        talked = [s for s in store.sessions(sources.merge) if s.events and s.origin not in ("git", "shell")]
    name = sources.project(str(workspace), "", "")
    own = [session for session in talked if session.project == name] or talked
    return sorted(own, key=lambda session: (session.started or 0.0, session.id))


def _commits(workspace: Path, sessions: Sequence[Session]) -> list[Commit]:
    known = {commit.sha: commit for commit in git.commits(workspace)}
    made = git_history.commits_of(sessions, known.values())
    return [Commit(one.commit, known[one.commit].subject, one.session) for one in made]


def check(settings: Config, name: str) -> Checked:
    """Where code and spec have parted."""
    workspace = workspace_of(settings)
    path = _place(workspace, name)
    text = (workspace / path).read_text("utf-8", "replace")
    told = specs.commit(text)
    commit = told if told and git.knows(workspace, told) else _last(workspace, path)
    if not commit:
        raise UserError(f"{path} names no commit of this repository and is in none. Commit it, then check it later.")
    _, names, _ = specs.mentioned(text)
    words = list(dict.fromkeys(word for _, word in names))
    moved, changed = git.since(workspace, commit)
    tree = Tree(
        _paths(workspace, commit), _paths(workspace, "HEAD"),
        git.spoken(workspace, words, commit, _NOT_CODE), git.spoken(workspace, words, "HEAD", _NOT_CODE),
        moved, changed, _tasks(workspace),
    )  # fmt: skip
    return Checked(path, commit, tuple(specs.gaps(text, tree)))


def _place(workspace: Path, name: str) -> str:
    found = {
        path.stem: f"{folder}/{path.name}"
        for folder in FOLDERS.values()
        for path in sorted((workspace / folder).glob("*.md"))
    }
    slug = name.rpartition("/")[2].removesuffix(".md")
    for each in (slug, _slug(slug)):
        if each in found:
            return found[each]
    raise UserError(f'there is no spec "{name}".{did_you_mean(name, found)} `meta spec NAME` drafts one.')


def _last(workspace: Path, path: str) -> str:
    return next((commit.sha for commit in git.commits(workspace, paths=[path])), "")


def _paths(workspace: Path, revision: str) -> set[str]:
    """The files and folders of a commit."""
    paths = {entry.path for entry in git.tree(workspace, revision)}
    return paths | {str(folder) for path in paths for folder in Path(path).parents if str(folder) != "."}


def _tasks(workspace: Path) -> dict[str, set[str]]:
    """What the project's own task runners can be asked for, by the words that ask."""
    found: dict[str, set[str]] = {}
    package, makefile = workspace / "package.json", workspace / "Makefile"
    if package.is_file():
        try:
            scripts = json.loads(package.read_text("utf-8", "replace")).get("scripts", {})
            found["npm run"] = set(map(str, scripts))
        except (ValueError, AttributeError):  # then nobody knows
            pass
    if makefile.is_file():
        found["make"] = set(re.findall(r"(?m)^([\w.-]+)[ \t]*:(?!=)", makefile.read_text("utf-8", "replace")))
    return found
