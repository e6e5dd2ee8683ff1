"""The life of a workspace beside the corridor: made, looked at, its tools decided on, its index made anew.

Nothing is mined or built here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from meta import config, files, git, sources
from meta.config import Config
from meta.errors import UserError
from meta.intake import Progress, alone, ingest, only_copies, quiet, skipped, workspace_of
from meta.model import Listed, Review, Session, Shadow, Tool
from meta.store import Store

if TYPE_CHECKING:
    from meta.registration.usage import Usage
    from meta.verification.sandbox import Rung


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed, or in a dry run would be, and one sentence about it."""

    summary: str
    paths: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    workspace: str
    sessions: int
    archived: int
    tools: Mapping[str, int]
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that meta needs, whether it is there, and if not how to get it."""

    name: str
    ok: bool
    detail: str


IN_USE = ("accepted", "registered")
IDLE = 4.0  # weeks in which a tool that pays is used
FOLDERS = ("generated_tools", "templates", "knowledge", "conversation-archive")
SETTINGS = """\
# Settings of meta for this repository; all are optional.
# weeks = 2.0          # the longest payback that is worth building
# min_support = 3      # occurrences that make a habit
# min_sessions = 3     # sessions that make a habit
# nudge = false        # true: tell agents of a tool whose steps they begin by hand; then `meta init --agent` again
"""


def init(
    settings: Config, start: Path, *, agents: Sequence[str] = (), trailers: bool = False, dry_run: bool = False
) -> Change:
    """Make the git repository around `start` a workspace, and let these agents and, for `trailers`, git call meta there."""
    made = _made(settings, start, dry_run=dry_run)
    if trailers:
        tied = _tied(git.root(start), dry_run=dry_run)
        made = Change(f"{made.summary} {tied.summary}", made.paths + tied.paths, dry_run)
    if not agents:
        return made
    told = _connected(settings, git.root(start), agents, dry_run=dry_run)
    return Change(f"{made.summary.partition(' Next:')[0]} {told.summary}", made.paths + told.paths, dry_run)


def _made(settings: Config, start: Path, *, dry_run: bool) -> Change:
    """The workspace. What is there already is left as it is."""
    from meta.registration import actions, lifecycle

    root = git.root(start)
    already = Change(f"{root} is a workspace of meta already.")
    done = f"{root} is a workspace of meta now. Next: `meta extract`."
    if settings.workspace == root and not actions.stopped(root):
        return already
    if dry_run:
        return Change(done, tuple(_new(root)), True)
    with alone(root):
        if config.workspace(root):  # it was another action that was stopped
            return already
        contents = _new(root)
        try:
            lifecycle.put(root, "init", "workspace", contents)
        except BaseException:
            with contextlib.suppress(UserError):  # the first failure is the one to tell
                actions.leave(root)
            raise
    return Change(done, tuple(contents))


def _new(root: Path) -> dict[str, str]:
    """The files that make a workspace and are not there yet."""
    contents = {"meta.toml": SETTINGS, ".meta/.gitignore": "*\n"}
    contents |= {f"{folder}/.gitkeep": "" for folder in FOLDERS if not (root / folder).exists()}
    return {path: text for path, text in contents.items() if not (root / path).exists()}


def _connected(settings: Config, workspace: Path, agents: Sequence[str], *, dry_run: bool) -> Change:
    from meta.registration import clients

    words = _program()
    if dry_run:
        rows = clients.settings(agents, words, nudge=settings.nudge)
        told = tuple(
            f"{path}: {'.'.join(own.path)} {'+' if own.item else '='} {json.dumps(own.value)}" for path, own in rows
        )
        return Change("Into their settings would go, where it is not there yet:", told, True)
    with _deciding(settings, workspace):
        changed = clients.connect(workspace, agents, words, nudge=settings.nudge)
    notes = " ".join(clients.CLIENTS[name].note for name in dict.fromkeys(agents)).strip()
    return Change(f"{', '.join(dict.fromkeys(agents))} will call meta. {notes}".strip(), changed)


def _tied(workspace: Path, *, dry_run: bool) -> Change:
    """Git's hook, and the place where sessions that go on are noted."""
    from meta import trailers as notes
    from meta.registration import trailers

    path = trailers.place(workspace)
    if dry_run:
        return Change("A git hook would tie commits to sessions.", (str(path),), True)
    with alone(workspace):
        changed = trailers.install(workspace, (sys.executable, "-P", "-m", "meta"))
        (workspace / notes.PLACE).mkdir(parents=True, exist_ok=True)
    return Change("Commits of a live session will name it.", changed)


def _program() -> tuple[str, ...]:
    """The words that start this very meta: its name where that is found, else by this interpreter."""
    found = shutil.which("meta")
    if found and Path(found).parent == Path(sys.executable).parent:
        return (found,)
    return (sys.executable, "-m", "meta")


def uninstall(settings: Config, *, dry_run: bool = False) -> Change:
    """Take our entries out of every agent's settings."""
    from meta import trailers as notes
    from meta.registration import actions, clients, trailers

    workspace = workspace_of(settings)
    if dry_run:
        entries = actions.journal(workspace).entries()
        named = dict.fromkeys(e.path for e in entries if e.kind == "key" or Path(e.path).name == trailers.NAME)
        return Change("would take our entries out of:", tuple(named), True)
    with alone(workspace):
        paths, kept = clients.disconnect(workspace)
        hooks, own = trailers.remove(workspace)
        shutil.rmtree(workspace / notes.PLACE, ignore_errors=True)
        paths, kept = (*paths, *hooks), (*kept, *own)
    if kept:
        return Change("taken out, but for what was changed by hand:", kept)
    return Change("no agent calls meta here any more." if paths else "no agent called meta here.", paths)


def review(settings: Config, name: str) -> Review:
    """A proposed tool, the update of tools in use, or a change of the project's own code, as its reviewer should see it."""
    from meta.registration import branch, inventory, lifecycle, pieces

    workspace = workspace_of(settings)
    paths = lifecycle.preview(workspace, name)
    if refactored := branch.refactorings(workspace).get(name):
        source = branch.difference(workspace, branch.ref(name))
        return Review(name, refactored.text, source, source.count("\n"), paths, own=True)
    updated = branch.updates(workspace).get(name, ())
    tools = [inventory.proposed(workspace, each, among=name) for each in updated or (name,)]
    summary = "\n".join(tool.files.get("PR.md", "") for tool in tools)
    if updated:
        head, folder = branch.ref(name), pieces.TOOLS
        source = "".join(branch.difference(workspace, head, f"{folder}/{each}/tool.py") for each in updated)
        return Review(name, summary, source, source.count("\n"), paths, updated)
    own = tools[0].files["tool.py"].partition("\n# What follows is the same in every tool")[0].rstrip()
    return Review(name, summary, own + "\n", own.count("\n") + 1, paths)


def hand_over(settings: Config, name: str) -> Change:
    """Write a review branch down for a review elsewhere."""
    from meta.registration import lifecycle

    workspace = workspace_of(settings)
    with alone(workspace):
        written, commands = lifecycle.hand_over(workspace, name)
    paths = tuple(str(path.relative_to(workspace)) for path in written)
    opens = "".join(f"\nA draft of a pull request is opened by:\n  {command}" for command in commands)
    return Change(f"meta/{name} as a patch and as a bundle; nothing was sent.{opens}", paths)


@contextlib.contextmanager
def _deciding(settings: Config, workspace: Path, *, recover: bool = True) -> Iterator[None]:
    """What is decided here on tools, alone; what the hook is told of them then follows."""
    from meta.nudge import tools as nudges

    with alone(workspace, recover=recover):
        yield
        if (workspace / ".meta").exists():  # else the first of our actions was taken back
            nudges.refresh(settings, workspace)


def refactorings(settings: Config) -> dict[str, str]:
    """The changes of the project's own code that wait for review: name -> what each is for."""
    from meta.registration import branch

    waiting = branch.refactorings(workspace_of(settings))
    return {name: each.text.partition("\n")[0] for name, each in waiting.items()}


def accept(settings: Config, name: str, *, dry_run: bool = False) -> Change:
    from meta.registration import branch, lifecycle

    workspace = workspace_of(settings)
    if dry_run:
        return Change(f"would accept {name}", lifecycle.preview(workspace, name), True)
    own, commit = name in branch.refactorings(workspace), branch.commit_of(workspace, branch.ref(name))
    with _deciding(settings, workspace):
        done = lifecycle.accept(workspace, name)
    if own:
        take = f"`git commit -C {commit[:12]}` commits them with its text once they are added"
        return Change(f"the changes of {name} are in these files; {take}. `meta undo` takes them back.", done.paths)
    return Change(f"{name} is accepted and registered. Commit these files when you like.", done.paths)


def reject(settings: Config, name: str, *, reason: str = "", dry_run: bool = False) -> Change:
    from meta.redact import residue
    from meta.registration import branch, inventory, lifecycle

    workspace = workspace_of(settings)
    if left := residue.kinds([reason]):
        raise UserError(
            f"the reason holds what looks like a secret ({', '.join(left)}). Word it without, then run this again."
        )
    if dry_run:
        lifecycle.preview(workspace, name)
        return Change(f"would delete the branch meta/{name} and remember that it was declined", dry_run=True)
    with alone(workspace):
        no_tool = {*branch.updates(workspace), *branch.refactorings(workspace)}
        work = () if name in no_tool else inventory.work(inventory.tool(workspace, name))
        lifecycle.reject(workspace, name, reason, work)
    return Change(f"{name} is declined and will not be proposed again. `meta undo` takes that back.")


def retire(settings: Config, name: str, *, dry_run: bool = False) -> Change:
    from meta.registration import lifecycle

    would = f"would move generated_tools/{name} aside and take out what was registered"
    done = f"{name} is retired. `meta undo` brings it back."
    return _moved(settings, name, lifecycle.retire, would, done, dry_run=dry_run)


def suspend(settings: Config, name: str, *, dry_run: bool = False) -> Change:
    from meta.registration import lifecycle

    would = f"would take out what was registered of {name}"
    done = f"{name} is offered to no agent any more. `meta resume {name}` brings it back."
    return _moved(settings, name, lifecycle.suspend, would, done, dry_run=dry_run)


def resume(settings: Config, name: str, *, dry_run: bool = False) -> Change:
    from meta.registration import lifecycle

    would, done = f"would register {name} again", f"{name} is registered again."
    return _moved(settings, name, lifecycle.resume, would, done, dry_run=dry_run)


def _moved(
    settings: Config, name: str, act: Callable[[Path, str], tuple[str, ...]], would: str, done: str, *, dry_run: bool
) -> Change:
    """What came of moving a tool's files from one state to another."""
    from meta.registration import inventory

    workspace = workspace_of(settings)
    if dry_run:
        inventory.tool(workspace, name)
        return Change(would, dry_run=True)
    with _deciding(settings, workspace):
        paths = act(workspace, name)
    return Change(done, paths)


def undo(settings: Config, start: Path, *, dry_run: bool = False) -> Change:
    """Take back the last action; where the last of ours was being removed around `start`, go on with that."""
    from meta.registration import actions, inventory, lifecycle

    root = None if settings.workspace else git.root(start)
    workspace = root if root and actions.leaving(root) else workspace_of(settings)
    if dry_run:
        return Change(f"would take back: {inventory.last(workspace)}", dry_run=True)
    with _deciding(settings, workspace, recover=False):
        done = lifecycle.undo(workspace, partial(only_copies, workspace))
    return Change(f"taken back: {done.verb} {done.name}", tuple(done.kept))


def tools(settings: Config, now: float | None = None) -> tuple[Listed, ...]:
    """Every tool of the workspace, with its use in the sessions of the index, and what may be better done with it."""
    from meta.nudge import sessions as nudged
    from meta.registration import inventory, lifecycle, renewing, usage

    workspace = workspace_of(settings)
    known = lifecycle.tools(workspace)
    sessions = _indexed(workspace) if known else []
    shadows, shown, waiting = inventory.shadows(workspace), nudged.shown(workspace), renewing.waiting(workspace)
    now = time.time() if now is None else now
    listed = []
    for each in known:
        used = usage.usage(each.name, sessions)
        one = _listed(inventory.tool(workspace, each.name), each.state, used, shadows.get(each.name))
        waits = each.state != "proposed" and each.name in waiting
        weeks = (now - inventory.since(workspace, each.name)) / usage.WEEK if each.state in IN_USE else 0.0
        told = usage.nudged(each.name, sessions, {s.session: s.time for s in shown if s.tool == each.name})
        listed.append(replace(one, update=waits, advice=_advice(one, used, weeks), nudged=told))
    return tuple(listed)


def _advice(tool: Listed, used: Usage, weeks: float) -> str:
    """What to think about for a tool in use, "" for one that does its work; `weeks` is how long it has been there."""
    from meta.roi import UPKEEP

    if tool.state == "suspended":
        return "it came to fail: mend and `meta resume` it, or `meta retire` it"
    if tool.state not in IN_USE or weeks < IDLE:
        return ""
    if not used.uses:
        return f"not used in {weeks:.0f} weeks: `meta retire` it"
    if tool.realised is not None and tool.realised < UPKEEP / IDLE:  # a month's, assumed to stay
        return f"saves {tool.realised:.2f} min a week, less than its upkeep: `meta retire` it"
    return ""


def _listed(tool: Tool, state: str, used: Usage, shadow: Shadow | None) -> Listed:
    from meta.registration import inventory

    a_run, a_week = inventory.saving(tool)
    return Listed(
        name=tool.name,
        state=state,
        description=tool.description,
        uses=used.uses,
        failures=used.failures,
        predicted=a_week,
        realised=a_run * used.uses / used.weeks if a_run is not None and used.uses else None,
        shadow=shadow,
    )


def _indexed(workspace: Path) -> list[Session]:
    """The sessions of the workspace's index, none where there is no index yet."""
    place = workspace / ".meta" / "store.sqlite"
    if not place.exists():
        return []
    with Store(place) as store:
        return store.sessions(sources.merge)


def rebuild(settings: Config, *, dry_run: bool = False, progress: Progress = quiet) -> Change:
    """Make the index anew from the archive; the archive is the truth."""
    workspace = workspace_of(settings)
    archived = sorted((workspace / "conversation-archive").rglob("*.json"))
    if dry_run:
        return Change(f"would index {len(archived)} archived sessions anew", dry_run=True)
    with alone(workspace):
        place = workspace / ".meta" / "store.sqlite"
        for rest in place.parent.glob("store.sqlite.new*"):
            rest.unlink()
        with Store(place.with_name("store.sqlite.new")) as store:
            lost = sum(ingest(store, archived, progress).values())
        if lost:
            raise UserError(f"{lost} archived sessions cannot be read, so the old index stays. Mend or move them away.")
        if any(place.parent.glob("store.sqlite.new-*")):  # closing tells nobody that it failed, but leaves these
            raise UserError(f"the new index in {place.parent} could not be completed. Make room or access.")
        for old in place.parent.glob("store.sqlite-*"):
            old.unlink()
        place.with_name("store.sqlite.new").replace(place)
        files.settle(place.parent)
    return Change(f"{len(archived)} archived sessions are indexed anew.")


def status(settings: Config) -> Status:
    """What the workspace holds."""
    from meta.registration import lifecycle

    workspace = workspace_of(settings)
    sessions = _indexed(workspace)
    return Status(
        workspace=str(workspace),
        sessions=sum(bool(session.events) for session in sessions),
        archived=sum(1 for _ in (workspace / "conversation-archive").rglob("*.json")),
        tools=dict(Counter(str(tool.state) for tool in lifecycle.tools(workspace))),
        skipped=skipped(sessions),
    )


def doctor(settings: Config) -> tuple[Finding, ...]:
    """What meta needs on this machine."""
    from meta.verification import sandbox

    where = config.folders()
    places = sources.defaults(Path.home(), os.environ)
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        Finding("Python", sys.version_info >= (3, 11), f"{python}; 3.11 or newer is needed"),
        Finding("git", shutil.which("git") is not None, shutil.which("git") or "install git"),
        isolation(sandbox.rungs()),
        Finding(
            "workspace",
            settings.workspace is not None,
            str(settings.workspace or "run `meta init` in a git repository"),
        ),
        Finding("sessions", bool(places), f"{len(places)} files where agents keep them"),
        Finding("folders", True, f"state {where.state}, cache {where.cache}"),
    )


def isolation(ladder: Sequence[Rung]) -> Finding:
    """The isolation that works here, what keeps a stronger one from working, and the command that brings it."""
    level = next((rung.isolation for rung in ladder if rung.works), "none")
    meaning = {"limits": "too weak: tools stay unverified", "none": "nothing is executed: tools stay unverified"}
    told = [f"{level} ({meaning[level]})" if level in meaning else level]
    told += [f"{rung.isolation}: {rung.reason}" for rung in ladder if not rung.works]
    remedy = next((rung.remedy for rung in ladder if rung.remedy), "")
    return Finding("sandbox", level not in meaning, "; ".join(told) + (f". Better with: {remedy}" if remedy else ""))
