"""Make accepted tools anew on a review branch, with what a person changed in them kept.

Three versions of each file count: as it was rendered, as it is committed, and as it is rendered now. Whether a tool
needs it is decided in `renewal`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from meta.errors import UserError
from meta.registration import actions, branch, inventory, lifecycle
from meta.registration.branch import Blob
from meta.registration.pieces import TOOLS, own
from meta.vetting import fingerprint

ALL = "templates"  # the branch for all tools that a new template changes
Blend = Callable[[str, str, str, str], str]  # path; as it was rendered, as it is, as it is rendered now -> all of them


def blended(workspace: Path, name: str, fresh: Mapping[str, Blob], blend: Blend) -> dict[str, Blob]:
    """The fresh files with the changes that were made to the tool since it was rendered.

    Raises `UserError` where that cannot be told.
    """
    now = own(workspace, "HEAD", name) if branch.commit_of(workspace, "HEAD") else {}
    if f"{TOOLS}/{name}/tool.py" not in now or not branch.settled(workspace, [f"{TOOLS}/{name}", *now]):
        raise UserError(f"{TOOLS}/{name} is not committed as it is. Commit it, then run this again.")
    before = _rendered(workspace, name)
    return {path: _blended(path, before.get(path), now.get(path), blob, blend) for path, blob in fresh.items()}


def _blended(path: str, before: Blob | None, now: Blob | None, fresh: Blob, blend: Blend) -> Blob:
    if before is None or now is None or now == before or "120000" in (now.mode, fresh.mode):
        return fresh
    return Blob(blend(path, before.content, now.content, fresh.content), fresh.mode)


def _rendered(workspace: Path, name: str) -> dict[str, Blob]:
    """The tool's files as they were rendered: in the commit that proposed them, or the first that has them."""
    wanted = inventory.rendered(inventory.tool(workspace, name))
    for commit in (*_proposals(workspace, name), *branch.history(workspace, f"{TOOLS}/{name}")):
        files = own(workspace, commit, name) if branch.commit_of(workspace, commit) else {}
        program = files.get(f"{TOOLS}/{name}/tool.py")
        if program and fingerprint(program.content) == wanted:
            return files
    raise UserError(
        f"git has no version of {name} as it was generated, so what was changed by hand cannot be told. "
        f"`meta retire {name}`, then `meta build` makes it anew."
    )


def _proposals(workspace: Path, name: str) -> Iterable[str]:
    """The commits by which this workspace proposed the tool or its updates, the last one first."""
    for record in reversed(actions.records(workspace)):
        row = json.loads(record.read_text())
        if row["verb"] in ("propose", "renew"):
            yield from (moved["after"] for moved in row["branches"])


def renew(workspace: Path, name: str, tools: Mapping[str, Mapping[str, Blob]], reason: str, workflow: str) -> str:
    """The commit of the branch `meta/<name>` that brings the files of these tools; it is made anew where it is ours.

    `workflow` is that of the one tool, "" for several.

    Raises `UserError` where somebody has worked on it.
    """
    before = lifecycle.ours(workspace, name)
    files = {path: blob for each in tools.values() for path, blob in each.items()}
    title = f"Update the tool {name}" if tuple(tools) == (name,) else f"Update {len(tools)} tools"
    told = f"{branch.TRAILER}: {workflow}\n" if workflow else ""
    message = f"{title}\n\n{reason}\n\n{told}{branch.UPDATE}: {', '.join(sorted(tools))}\n"
    return lifecycle.put_up(workspace, "renew", name, before, files, message)


def waiting(workspace: Path) -> set[str]:
    """The tools of which an update waits for review."""
    return {name for tools in branch.updates(workspace).values() for name in tools}
