"""The life of a tool in a workspace: proposed, accepted, registered, suspended, retired, or declined; and each step
taken back.

Where a tool's files lie is its state: on its branch it is proposed, in `generated_tools/` accepted, with its skill in
place registered, with it put aside in its own folder suspended, in `generated_tools/.retired/` retired. Retired tools
stay in the repository, so that everybody sees what was given up and nobody proposes it again. How an accepted tool is
made anew is told in `renewing`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from meta.edits import Journal
from meta.errors import UserError, did_you_mean
from meta.model import Estimate, Tool, Workflow
from meta.policy.names import wrong_name
from meta.registration import actions, branch
from meta.registration.actions import Action, Keep, Moved, Undone
from meta.registration.branch import Blob
from meta.registration.card import Link, OwnFile, card
from meta.registration.pieces import SHARED, SKILLS, TOOLS, inside, list_tools, made, of, own, with_lists

State = Literal["proposed", "accepted", "registered", "suspended", "retired"]

RETIRED = f"{TOOLS}/.retired"
_DECLINED = ".meta/declined.json"
_ASIDE = ".suspended"  # folder of a tool in which lies what agents were given of it


@dataclass(frozen=True, slots=True)
class Known:
    """A tool of a workspace and where it stands."""

    name: str
    state: State


@dataclass(frozen=True, slots=True)
class Accepted:
    """What `accept` put into the work tree, and its commit ("" where none was asked for)."""

    paths: tuple[str, ...]
    commit: str


def tools(workspace: Path) -> tuple[Known, ...]:
    """Every tool of the workspace by where its files lie, sorted by name."""
    states: dict[str, State] = {path.parent.name: "retired" for path in (workspace / RETIRED).glob("*/tool.py")}
    states |= dict.fromkeys(branch.proposed(workspace), "proposed")
    states |= in_use(workspace)
    return tuple(Known(name, states[name]) for name in sorted(states))


def registered(workspace: Path) -> tuple[str, ...]:
    """The names of the registered tools, sorted."""
    return tuple(name for name, state in in_use(workspace).items() if state == "registered")


def in_use(workspace: Path) -> dict[str, State]:
    """The tools in the work tree that are not retired, by name. Files alone tell them: a server asks again and again."""
    found: dict[str, State] = {}
    linked = {path.parent.name for path in (workspace / SKILLS).glob("*/SKILL.md")}
    for path in sorted((workspace / TOOLS).glob("[a-z]*/tool.py")):
        aside = (path.parent / _ASIDE).is_dir()
        found[path.parent.name] = "registered" if path.parent.name in linked else "suspended" if aside else "accepted"
    return found


def declined(workspace: Path) -> Mapping[str, str]:
    """The workflows that were declined and must not be proposed again, each with the reason."""
    return {workflow: str(row["reason"]) for workflow, row in _declined(workspace).items()}


def declined_work(workspace: Path) -> list[tuple[str, ...]]:
    """What the declined workflows do, where that was noted."""
    rows = _declined(workspace).values()
    return [tuple(map(str, row["work"])) for row in rows if isinstance(row.get("work"), list)]


def _declined(workspace: Path) -> dict[str, dict[str, Any]]:
    """Our list of declined tools, by workflow."""
    path = workspace / _DECLINED
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text())
        return {str(workflow): {**row, "reason": row["reason"]} for workflow, row in rows.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read as our list of declined tools. Mend it or delete it.") from error


def propose(workspace: Path, tool: Tool, workflow: Workflow, estimate: Estimate, text: str) -> str:
    """The commit of the review branch `meta/<name>`, which is made or made anew. `text` becomes its PR.md.

    Raises `UserError` for a declined workflow, a name that is taken, or a branch on which somebody has worked.
    """
    _check(tool.name)
    if workflow.id in declined(workspace):
        raise UserError(
            f"{tool.name} was declined before: {declined(workspace)[workflow.id]}. `meta undo` takes that back."
        )
    if any(known.name == tool.name and known.state != "proposed" for known in tools(workspace)):
        raise UserError(f"there is a tool called {tool.name} already. Retire it first, or choose another name.")
    before = ours(workspace, tool.name)
    files = made(tool, card(tool, workflow, estimate), text)
    if before and all(blob == files.get(path) for path, blob in own(workspace, before, tool.name).items()):
        return before
    message = f"Add the tool {tool.name}\n\n{tool.description}\n\n{branch.TRAILER}: {workflow.id}\n"
    return put_up(workspace, "propose", tool.name, before, files, message)


def put_up(workspace: Path, verb: str, name: str, before: str, files: Mapping[str, Blob], message: str) -> str:
    """The commit of the review branch `meta/<name>` with these files, which is made, or made anew from `before`."""
    commit = branch.build(workspace, with_lists(workspace, files), message)
    with actions.doing(workspace, Action(verb, name, (Moved(branch.ref(name), before, commit),))):
        return commit


def ours(workspace: Path, name: str) -> str:
    """The commit of a review branch, "" where there is none. Raises `UserError` where somebody has worked on it."""
    before = branch.commit_of(workspace, branch.ref(name))
    if before and name not in branch.proposed(workspace) and name not in branch.updates(workspace):
        raise UserError(f"the branch meta/{name} has work of others on it. Accept it, or rename it.")
    return before


def put(workspace: Path, verb: str, name: str, contents: Mapping[str, str]) -> None:
    """Write new files of ours as one action, so that `undo` takes them back."""
    with actions.doing(workspace, Action(verb, name)) as log:
        for path, text in contents.items():
            log.write(workspace / path, text)


def preview(workspace: Path, name: str) -> tuple[str, ...]:
    """The paths that `accept` would bring into the work tree."""
    return tuple(_brought(workspace, _proposed(workspace, name), name)[0])


def accept(workspace: Path, name: str, *, commit: bool = False) -> Accepted:
    """Bring a proposed tool, or the update of one, into the work tree and register it; its branch goes. The index is
    left alone. A change of the project's own code is brought likewise.

    With `commit` exactly these paths are committed on the current branch. Files edited on the review branch come as
    they are there. Raises `UserError` where something else is in the way.
    """
    reference = branch.ref(name)
    if branch.checked_out(workspace, reference):
        raise UserError(f"meta/{name} is checked out. Switch to the branch that should get it, then run this again.")
    head = _proposed(workspace, name)
    files, before = _brought(workspace, head, name)
    others = sorted(set(branch.changed(workspace, head)) - files.keys() - set(SHARED))
    if others:
        raise UserError(f"meta/{name} changes other files too ({', '.join(others[:3])}). Merge it with git instead.")
    files = {path: blob for path, blob in files.items() if not _shown_already(workspace, path, blob)}
    for path, blob in files.items():
        _free(workspace, path, blob, before.get(path))
    with actions.doing(workspace, Action("accept", name, (Moved(reference, head, ""),))) as log:
        for path, blob in files.items():
            _put(workspace, log, path, blob)
        paths = (*files, *(() if name in branch.refactorings(workspace) else list_tools(workspace, log)))
    return Accepted(paths, _commit(workspace, name, paths) if commit else "")


def _brought(workspace: Path, head: str, name: str) -> tuple[dict[str, Blob], dict[str, Blob]]:
    """The files that a review branch brings; for an update or a change of other code, those that it changes, and as
    they were before."""
    if name in branch.refactorings(workspace):
        paths = branch.changed(workspace, head)
        return branch.tree(workspace, head, *paths), branch.tree(workspace, branch.parting(workspace, head), *paths)
    updated = branch.updates(workspace).get(name)
    if updated is None:
        return own(workspace, head, name), {}
    base = branch.parting(workspace, head)
    before = {path: blob for each in updated for path, blob in own(workspace, base, each).items()}
    after = {path: blob for each in updated for path, blob in own(workspace, head, each).items()}
    return {path: blob for path, blob in after.items() if blob != before.get(path)}, before


def reject(workspace: Path, name: str, reason: str, work: Sequence[str] = ()) -> None:
    """Delete the branch of what is proposed, and remember why, so that it is not proposed again.

    `work` is what the tool does: the same with other arguments is not proposed either.
    """
    if branch.checked_out(workspace, branch.ref(name)):
        raise UserError(f"meta/{name} is checked out. Switch to another branch, then run this again.")
    head = _proposed(workspace, name)
    refactored = branch.refactorings(workspace).get(name)
    workflow = refactored.id if refactored else branch.proposed(workspace).get(name, f"name:{name}")
    path = workspace / _DECLINED
    rows = _declined(workspace)
    rows[workflow] = {"name": name, "reason": " ".join(reason.split()), "work": list(work)}
    with actions.doing(workspace, Action("reject", name, (Moved(branch.ref(name), head, ""),))) as log:
        log.write(path, json.dumps(rows, indent=1, sort_keys=True) + "\n")


def retire(workspace: Path, name: str) -> tuple[str, ...]:
    """The paths that are gone: the tool is moved to `generated_tools/.retired/`, its registration is put aside."""
    _check(name)
    if not (workspace / TOOLS / name / "tool.py").exists():
        raise unknown(workspace, name, ("accepted", "registered"))
    if (workspace / RETIRED / name).exists():
        raise UserError(f"{RETIRED}/{name} exists already. Delete or rename it, then run this again.")
    here = f".meta/aside/{actions.number(workspace):05}"
    registered, links = _registered(workspace, name)
    for path in (f"{TOOLS}/{name}", f"{RETIRED}/{name}", *registered):
        _no_linked_parent(workspace, path)
    aside = ((f"{TOOLS}/{name}", f"{RETIRED}/{name}"), *((path, f"{here}/{path}") for path in registered))
    _take_out(workspace, Action("retire", name, aside=aside, unlinked=links))
    return (f"{TOOLS}/{name}", *registered, *(path for path, _ in links))


def suspend(workspace: Path, name: str) -> tuple[str, ...]:
    """The paths that are gone: no agent is offered the tool any more; its files stay where they are."""
    _check(name)
    registered, links = _registered(workspace, name)
    if not registered:
        raise unknown(workspace, name, ("registered",))
    here = f"{TOOLS}/{name}/{_ASIDE}"
    for path in (f"{here}/x", *registered):
        _no_linked_parent(workspace, path)
    aside = tuple((path, f"{here}/{path}") for path in registered)
    _take_out(workspace, Action("suspend", name, aside=aside, unlinked=links))
    return (*registered, *(path for path, _ in links))


def resume(workspace: Path, name: str) -> tuple[str, ...]:
    """The paths that are back: agents are offered the suspended tool again."""
    _check(name)
    here = f"{TOOLS}/{name}/{_ASIDE}"
    files = [p for p in of(name) if isinstance(p, OwnFile) and (workspace / here / p.path).is_file()]
    if not files:
        raise unknown(workspace, name, ("suspended",))
    for piece in files:
        _no_linked_parent(workspace, piece.path)
        if os.path.lexists(workspace / piece.path):
            raise UserError(f"{piece.path} is in the way. Move it, then run this again.")
    links = [p for p in of(name) if isinstance(p, Link) and not _shown_already(workspace, p.path, _blob(p))]
    aside = tuple((f"{here}/{piece.path}", piece.path) for piece in files)
    with actions.doing(workspace, Action("resume", name, aside=aside)) as log:
        for link in links:
            log.link(workspace / link.path, link.target)
        actions.tidy(workspace, (path for path, _ in aside))
        list_tools(workspace, log)
    return (*(path for _, path in aside), *(link.path for link in links))


def _registered(workspace: Path, name: str) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """The files and the links by which agents know of a tool."""
    files = [p.path for p in of(name) if isinstance(p, OwnFile) and (workspace / p.path).exists()]
    return files, tuple((p.path, p.target) for p in of(name) if isinstance(p, Link) and _is_link(workspace, p))


def _take_out(workspace: Path, action: Action) -> None:
    with actions.doing(workspace, action) as log:
        actions.tidy(workspace, (*(path for path, _ in action.aside), *(path for path, _ in action.unlinked)))
        list_tools(workspace, log)


def _blob(link: Link) -> Blob:
    return Blob(link.target, "120000")


def undo(workspace: Path, keep: Keep = lambda paths: ()) -> Undone:
    """Take back the last of these actions: files, links, lists and branches are as they were before it.

    With the first one the index, the journal and the lock go as well: nothing of ours is left. An action or an undo
    that was stopped in the middle counts as the last. `keep` picks what must stay of the files it made.
    """
    done = actions.recover(workspace, keep, leaving=True) or actions.undo(workspace, keep)
    if actions.stopped(workspace):  # the first one was taken back, and this is the rest of it
        actions.leave(workspace)
    return done


def hand_over(workspace: Path, name: str) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """A patch and a bundle of the review branch in `.meta/review/<name>/`, and the commands that open a pull request."""
    _proposed(workspace, name)
    told = name in branch.refactorings(workspace)
    return branch.hand_over(workspace, name, workspace / ".meta" / "review" / name), branch.commands(name, told=told)


def _check(name: str) -> None:
    if reason := wrong_name(name):
        raise UserError(reason)


def unknown(workspace: Path, name: str, states: Iterable[State]) -> UserError:
    names = [known.name for known in tools(workspace) if known.state in tuple(states)]
    names += branch.refactorings(workspace) if "proposed" in states else ()
    hint = did_you_mean(name, names)
    return UserError(f'no {" or ".join(states)} tool is called "{name}".{hint} List them with `meta tools`.')


def _proposed(workspace: Path, name: str) -> str:
    """The commit of a proposed tool, or of a proposed update."""
    _check(name)
    head = branch.commit_of(workspace, branch.ref(name))
    if head and (name in branch.updates(workspace) or name in branch.refactorings(workspace)):
        return head
    if not head or f"{TOOLS}/{name}/tool.py" not in branch.tree(workspace, head, f"{TOOLS}/{name}"):
        raise unknown(workspace, name, ("proposed",))
    return head


def _no_linked_parent(workspace: Path, path: str) -> None:
    """Refuse a path that would lead out of the place it names."""
    inside(path)
    for parent in Path(path).parents:
        if (workspace / parent).is_symlink():
            raise UserError(
                f"{parent} is a link, so {path} would lie elsewhere. Replace it by a folder, then run this again."
            )


def _free(workspace: Path, path: str, blob: Blob, before: Blob | None) -> None:
    """Make sure that nothing of somebody else is where a file of ours goes: only what was there `before` an update."""
    _no_linked_parent(workspace, path)
    target = workspace / path
    if target.is_symlink() and blob.mode == "120000" and os.readlink(target) == blob.content:
        return
    known = [one.content.encode() for one in (blob, before) if one and one.mode != "120000"]
    if os.path.lexists(target) and (target.is_symlink() or not target.is_file() or target.read_bytes() not in known):
        if before and target.is_file():
            raise UserError(
                f"{path} has changed since, so it is in the way. Make the branch anew, or merge it with git."
            )
        raise UserError(f"{path} is in the way. Move it, then run this again.")


def _shown_already(workspace: Path, path: str, blob: Blob) -> bool:
    """Whether a link of ours is not needed, because its folder as a whole links to where the target lies."""
    folder = (workspace / path).parent
    if blob.mode != "120000" or not folder.is_symlink():
        return False
    return folder.resolve() == (workspace / os.path.normpath(f"{path}/../{blob.content}")).parent.resolve()


def _put(workspace: Path, log: Journal, path: str, blob: Blob) -> None:
    target = workspace / path
    if blob.mode == "120000":
        log.link(target, blob.content)
        return
    log.write(target, blob.content, 0o755 if blob.mode == "100755" else None)


def _is_link(workspace: Path, link: Link) -> bool:
    path = workspace / link.path
    return path.is_symlink() and os.readlink(path) == link.target


def _commit(workspace: Path, name: str, paths: Iterable[str]) -> str:
    """A commit of exactly these paths on the current branch; what else is staged stays staged."""
    branch.git(workspace, "add", "--", *paths)
    branch.git(workspace, "commit", "-q", "-m", f"Add the tool {name}", "--", *paths)
    return branch.commit_of(workspace, "HEAD")
