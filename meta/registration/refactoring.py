"""The review branch of a refactoring: edited files of the project, and in the text of its commit why and how proved.

It is accepted, rejected and taken back in `lifecycle` like every proposal, and leaves no file of its own. What is
changed, and whether it is the same, was decided before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from meta.errors import UserError
from meta.policy.names import wrong_name
from meta.registration import actions, branch, lifecycle
from meta.registration.actions import Action, Moved
from meta.registration.branch import Blob


def check(workspace: Path, name: str, id: str, before: Mapping[str, str]) -> None:
    """Raises `UserError` where the branch `meta/<name>` cannot be made, or this refactoring was declined.

    `before` are the texts of the files as they were read, "" for a new one.
    """
    if reason := wrong_name(name):
        raise UserError(reason)
    declined = lifecycle.declined(workspace)
    if id in declined:
        raise UserError(f"this was declined before: {declined[id] or 'no reason given'}. `meta undo` takes that back.")
    head = _head(workspace, before)
    edited = {path: text for path, text in before.items() if text}
    if changed := sorted(path for path, text in edited.items() if path not in head or head[path].content != text):
        raise UserError(f"{changed[0]} is not committed as it is. Commit or stash it, then run this again.")
    there = branch.commit_of(workspace, branch.ref(name))
    if there and not branch.trailer(workspace, there, branch.REFACTORING):
        raise UserError(f"the branch meta/{name} has work of others on it. Accept it, or rename it.")
    if branch.checked_out(workspace, branch.ref(name)):
        raise UserError(f"meta/{name} is checked out. Switch to another branch, then run this again.")


def propose(workspace: Path, name: str, id: str, files: Mapping[str, str], before: Mapping[str, str], text: str) -> str:
    """The commit of the branch `meta/<name>` with these files and this text, which is made or made anew."""
    check(workspace, name, id, before)
    head = _head(workspace, before)
    blobs = {path: Blob(content, head[path].mode if path in head else "100644") for path, content in files.items()}
    commit = branch.build(workspace, blobs, f"{text}\n{branch.REFACTORING}: {id}\n")
    reference = branch.ref(name)
    with actions.doing(
        workspace, Action("propose", name, (Moved(reference, branch.commit_of(workspace, reference), commit),))
    ):
        return commit


def _head(workspace: Path, before: Mapping[str, str]) -> dict[str, Blob]:
    """Those of the files that are committed, as they are there."""
    edited = [path for path, text in before.items() if text]
    return branch.tree(workspace, "HEAD", *edited) if edited and branch.commit_of(workspace, "HEAD") else {}
