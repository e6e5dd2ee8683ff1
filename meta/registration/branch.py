"""Review branches made with git plumbing: the work tree, the index and HEAD are never touched.

What goes into a branch, and what happens to it, is decided in `lifecycle`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from meta import process
from meta.errors import UserError

PREFIX = "refs/heads/meta/"
TRAILER, UPDATE, REFACTORING = "Meta-Workflow", "Meta-Update", "Meta-Refactoring"
Mode = Literal["100644", "100755", "120000"]
_SYNCED = ("-c", "core.fsync=objects,reference")  # git by itself leaves both to chance when power is lost
_MODES: dict[str, Mode] = {"100755": "100755", "120000": "120000"}


@dataclass(frozen=True, slots=True)
class Blob:
    """The content of one path in a commit; for mode 120000 the target of a link."""

    content: str
    mode: Mode = "100644"


def git(repository: Path, *arguments: str, input: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What git printed. Raises `UserError` with git's own last line where it fails."""
    return _printed(repository, arguments[0], _git(repository, *arguments, input=input, environment=environment))


def _printed(repository: Path, command: str, done: process.Completed) -> str:
    if not done.ok:
        reason = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        raise UserError(f"git {command} in {repository}: {reason}")
    return done.stdout


def _git(
    repository: Path, *arguments: str, input: str = "", environment: Mapping[str, str] | None = None
) -> process.Completed:
    # Optional locks would let a mere `status` rewrite the user's index.
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(environment or {})}
    return process.run(["git", *_SYNCED, "-C", str(repository), *arguments], input=input, env=env, limit=2**26)


def ref(name: str) -> str:
    return PREFIX + name


def commit_of(repository: Path, reference: str) -> str:
    """The commit a reference names, "" where there is none."""
    return _asked(repository, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").strip()


def _asked(repository: Path, *question: str) -> str:
    """What git answers, "" where it says no by its exit status, 1; a git that fails says neither."""
    done = _git(repository, *question)
    if done.code == 1:
        return ""
    return _printed(repository, question[0], done)


def proposed(repository: Path) -> dict[str, str]:
    """The tools that wait for review: name -> workflow. A branch of this prefix that is not ours is left out."""
    return _marked(repository, TRAILER)


def updates(repository: Path) -> dict[str, tuple[str, ...]]:
    """The branches on which accepted tools are made anew, and which tools these are."""
    return {name: tuple(told.replace(",", " ").split()) for name, told in _marked(repository, UPDATE).items()}


@dataclass(frozen=True, slots=True)
class Refactored:
    """A branch that changes the project's own code: the id of what it shares, and what its commit says of it."""

    id: str
    text: str


def refactorings(repository: Path) -> dict[str, Refactored]:
    """The branches `meta/refactor-…` that wait for review, also those on which a reviewer went on."""
    if not commit_of(repository, "HEAD"):
        return {}
    names = git(repository, "for-each-ref", "--format=%(refname)", f"{PREFIX}refactor-*").split()
    known = {name.removeprefix(PREFIX): _refactored(repository, name) for name in names}
    return {name: each for name, each in known.items() if each}


def trailer(repository: Path, commit: str, key: str) -> str:
    """What a commit says under this key, "" for nothing."""
    return git(repository, "log", "-1", f"--format=%(trailers:key={key},valueonly,separator=%x20)", commit).strip()


def _refactored(repository: Path, reference: str) -> Refactored | None:
    form = f"%(trailers:key={REFACTORING},valueonly,separator=%x20)%x00%B%x00"
    rows = git(repository, "log", f"--format={form}", f"{parting(repository, reference)}..{reference}").split("\0")
    for told, text in zip(rows[::2], rows[1::2], strict=False):
        if told.strip():
            return Refactored(told.strip(), text.partition(f"\n{REFACTORING}:")[0].strip() + "\n")
    return None


def _marked(repository: Path, key: str) -> dict[str, str]:
    """The review branches whose last commit of ours has a trailer, and what it says."""
    form = f"%(refname)%00%(contents:trailers:key={key},valueonly,separator=%2C)"
    rows = git(repository, "for-each-ref", f"--format={form}", PREFIX).splitlines()
    pairs = (row.removeprefix(PREFIX).split("\0", 1) for row in rows if "\0" in row)
    return {name: told.strip() for name, told in pairs if told.strip()}


def build(repository: Path, files: Mapping[str, Blob], message: str) -> str:
    """A new commit on top of HEAD (or the first one) with these files put into its tree.

    Paths are relative to `repository`, which may be a folder inside a work tree.
    """
    prefix = git(repository, "rev-parse", "--show-prefix").strip()
    parent = commit_of(repository, "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        environment = {"GIT_INDEX_FILE": str(Path(folder, "index")), **_identity(repository)}
        if parent:
            git(repository, "read-tree", parent, environment=environment)
        rows = []
        for path, blob in sorted(files.items()):
            number = git(repository, "hash-object", "-w", "--stdin", input=blob.content).strip()
            rows.append(f"{blob.mode} {number}\t{prefix}{path}\0")
        git(repository, "update-index", "-z", "--index-info", input="".join(rows), environment=environment)
        tree = git(repository, "write-tree", environment=environment).strip()
        parents = ["-p", parent] if parent else []
        return git(repository, "commit-tree", tree, *parents, input=message, environment=environment).strip()


def _identity(repository: Path) -> dict[str, str]:
    """An author for a machine on which none is configured."""
    if _git(repository, "var", "GIT_AUTHOR_IDENT").ok and _git(repository, "var", "GIT_COMMITTER_IDENT").ok:
        return {}
    who = {"NAME": "meta", "EMAIL": "meta@localhost"}
    return {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}


def move(repository: Path, reference: str, *, before: str, after: str) -> None:
    """Let a reference name `after` ("" deletes it) if it still names `before` ("": does not exist)."""
    if after:
        git(repository, "update-ref", "-m", "meta", reference, after, before or "0" * len(after))
    else:
        git(repository, "update-ref", "-d", reference, before)


def checked_out(repository: Path, reference: str) -> bool:
    """Whether a work tree of this repository stands on the reference."""
    rows = git(repository, "worktree", "list", "--porcelain").splitlines()
    return f"branch {reference}" in rows


def tree(repository: Path, revision: str, *paths: str) -> dict[str, Blob]:
    """The files of a commit below `paths` (all of them where none is given), relative to `repository`."""
    prefix = git(repository, "rev-parse", "--show-prefix").strip()
    rows = git(repository, "ls-tree", "-r", "-z", "--full-tree", revision, "--", *(prefix + path for path in paths))
    found: dict[str, Blob] = {}
    for row in filter(None, rows.split("\0")):
        head, path = row.split("\t", 1)
        mode, kind, number = head.split()
        if kind == "blob" and path.startswith(prefix):
            content = git(repository, "cat-file", "blob", number)
            found[path.removeprefix(prefix)] = Blob(content, _MODES.get(mode, "100644"))
    return found


def parting(repository: Path, revision: str) -> str:
    """Where a branch left HEAD; the empty tree where they have nothing in common."""
    base = _asked(repository, "merge-base", "HEAD", revision).strip() if commit_of(repository, "HEAD") else ""
    return base or git(repository, "hash-object", "-t", "tree", "--stdin").strip()


def changed(repository: Path, revision: str) -> tuple[str, ...]:
    """The paths that a branch changes against where it left HEAD, relative to `repository`."""
    base = parting(repository, revision)
    rows = git(repository, "diff", "--name-only", "--no-renames", "-z", "--relative", base, revision)
    return tuple(filter(None, rows.split("\0")))


def difference(repository: Path, revision: str, *paths: str) -> str:
    """What a branch changes in these files (in all where none is named), as git shows it."""
    return git(
        repository,
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--relative",
        parting(repository, revision),
        revision,
        "--",
        *paths,
    )


def history(repository: Path, path: str, told: str = "%H") -> tuple[str, ...]:
    """The commits of the current branch that changed a path, the first one first; none before the first commit.

    `told` is one word of each in git's form: its name, or its time (`%ct`).
    """
    if not commit_of(repository, "HEAD"):
        return ()
    return tuple(git(repository, "log", "--reverse", f"--format={told}", "HEAD", "--", path).split())


def settled(repository: Path, paths: Sequence[str]) -> bool:
    """Whether all of these paths are committed as they are."""
    return not git(repository, "status", "--porcelain", "--", *paths).strip()


def hand_over(repository: Path, name: str, folder: Path) -> tuple[Path, ...]:
    """The branch as a patch and as a bundle, for a review elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    patch, bundle = folder / f"{name}.patch", folder / f"{name}.bundle"
    base = _asked(repository, "merge-base", "HEAD", ref(name)).strip() if commit_of(repository, "HEAD") else ""
    span = [f"{base}..{ref(name)}"] if base else ["--root", ref(name)]
    patch.write_text(git(repository, "format-patch", "--stdout", *span))
    git(repository, "bundle", "create", "--quiet", str(bundle), *([f"^{base}"] if base else []), ref(name))
    return patch, bundle


def commands(name: str, *, told: bool = False) -> tuple[str, ...]:
    """What opens a pull request with the programs that are here; nothing is sent by us.

    A branch whose commit has `told` everything needs no PR.md.
    """
    if told:
        push = f"git push -u origin meta/{name}"
        opens = {
            "gh": f"{push} && gh pr create --draft --head meta/{name} --fill",
            "glab": f"{push} && glab mr create --draft --source-branch meta/{name} --fill",
        }
        return tuple(command for program, command in opens.items() if shutil.which(program))
    body = f"generated_tools/{name}/PR.md"
    show = f"git show meta/{name}:{body}"
    known = {
        "gh": f"git push -u origin meta/{name} && {show} | gh pr create --draft --head meta/{name} "
        f"--title 'Add the tool {name}' --body-file -",
        "glab": f"git push -u origin meta/{name} && glab mr create --draft --source-branch meta/{name} "
        f"--title 'Add the tool {name}' --description \"$({show})\"",
    }
    return tuple(command for program, command in known.items() if shutil.which(program))
