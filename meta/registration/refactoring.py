"""The review branch of a refactoring: edited files of the project, apart from the branches of tools.

What is changed, and whether it is the same, was decided before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from meta.errors import UserError
from meta.policy.names import wrong_name
from meta.registration import branch
from meta.registration.branch import Blob

TRAILER = "Meta-Refactoring"


def propose(repository: Path, name: str, files: Mapping[str, str], before: Mapping[str, str], message: str) -> str:
    """The commit of the branch `meta/refactor-<name>` with these files.

    Raises `UserError` where a file was not committed as it was read, or where somebody has worked on the branch.
    """
    if reason := wrong_name(f"refactor-{name}"):
        raise UserError(reason)
    edited = [path for path in files if before.get(path)]
    head = branch.tree(repository, "HEAD", *edited) if branch.commit_of(repository, "HEAD") else {}
    if changed := sorted(path for path in edited if path not in head or head[path].content != before[path]):
        raise UserError(f"{changed[0]} is not committed as it is. Commit or stash it, then run this again.")
    reference = branch.ref(f"refactor-{name}")
    there = branch.commit_of(repository, reference)
    if there and TRAILER not in branch.git(repository, "log", "-1", "--format=%B", there):
        raise UserError(f"the branch meta/refactor-{name} has work of others on it. Merge it, or rename it.")
    if branch.checked_out(repository, reference):
        raise UserError(f"meta/refactor-{name} is checked out. Switch to another branch, then run this again.")
    blobs = {path: Blob(text, head[path].mode if path in head else "100644") for path, text in files.items()}
    commit = branch.build(repository, blobs, f"{message}\n{TRAILER}: {name}\n")
    branch.move(repository, reference, before=there, after=commit)
    return commit
