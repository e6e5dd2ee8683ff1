"""The corridor: the whole story from session files to tools on review branches, in a few typed calls.

What happens in a call is told in its room; here values are only carried from one to the next. Clock, home folder and
environment are read here and nowhere below.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from meta import archive, codec, config, files, git, llm, process, redact, sources
from meta.config import Config
from meta.errors import UserError
from meta.model import Built, Check, Extraction, Listed, Proposal, Session, Survey, Tool, Verdict, Wording, Workflow
from meta.sources import git_history
from meta.store import Cursor, Store

if TYPE_CHECKING:
    from meta.registration.usage import Usage
    from meta.roi import Window

Progress = Callable[[int, int], None]


def _quiet(done: int, total: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one project and agent."""

    project: str
    agent: str
    sessions: int
    prompts: int
    calls: int
    shell: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Scan:
    found: tuple[Found, ...]
    skipped: Mapping[str, int]


# -- reading -----------------------------------------------------------------------------------------------------------


def _files(settings: Config, paths: Sequence[str | Path]) -> list[Path]:
    """The files that may hold sessions, and the repositories whose history is read: those named, or the workspace."""
    if not paths:
        own = [settings.workspace] if settings.workspace else []
        return [*sources.defaults(Path.home(), os.environ), *own]
    named = [Path(path).absolute() for path in paths]
    return [
        *sources.discover([path for path in named if not git.is_bare(path)]),
        *(path for path in dict.fromkeys(named) if git.is_repository(path)),
    ]


def _cursor(path: Path) -> Cursor:
    """The state of a file, or of a repository, now. Raises `OSError` for a file that cannot be read."""
    return Cursor.told(path, git.state(path)) if path.is_dir() else Cursor.of(path)


def _changed(store: Store, path: Path) -> bool:
    return not (store.holds(_cursor(path)) if path.is_dir() else store.unchanged(path))


def _history(repository: Path) -> Iterator[Session]:
    name = sources.project(str(repository).removesuffix(".git").rstrip("/"), "", "")
    return (replace(session, project=name) for session in git_history.read(repository))


def _read(path: Path, key: bytes) -> tuple[Cursor | None, tuple[Session, ...]]:
    """One file's (or repository's) sessions, redacted; a file without any stands for itself as what was skipped."""
    redactor = redact.Redactor(key)
    if path.is_dir():
        return _cursor(path), tuple(redactor.session(session) for session in _history(path))
    try:
        cursor = Cursor.of(path)
    except OSError:
        return None, (Session("", str(path), (), skipped={"unreadable": 1}),)
    reading = sources.read(path)
    if reading.sessions:
        return cursor, tuple(redactor.session(session) for session in reading.sessions)
    return cursor, (Session("", reading.digest, (), skipped=reading.skipped),)


def _open(paths: Sequence[str | Path]) -> Store:
    """The cached index of these paths, outside of any project: looking writes nothing into the current folder."""
    told = "\n".join([_program(), *sorted(str(Path(path).absolute()) for path in paths)])
    name = hashlib.sha256(told.encode()).hexdigest()[:16]
    try:
        return Store(config.folders().cache / f"{name}.sqlite")
    except UserError:  # nowhere to keep anything: read anew each time
        return Store()


def _ingest(store: Store, found: Sequence[Path], progress: Progress, *, forget: bool = True) -> dict[str, int]:
    """Bring the store up to date with the files: new and changed ones are read, vanished ones forgotten.

    A workspace does not forget: agents delete their sessions, and its index outlives them. What comes back is how
    many could not be read this time, by reason; they are tried again at the next.
    """
    lost: list[Session] = []
    for gone in set(store.paths()) - {str(path) for path in found} if forget else ():
        store.forget(Path(gone))
    changed = [path for path in found if _changed(store, path)]
    if changed:
        key = redact.key(config.folders().state)
        read = process.pool(partial(_read, key=key), changed, progress=progress)
        store.add_all((cursor, sessions) for cursor, sessions in read if cursor)
        lost.extend(session for cursor, sessions in read if cursor is None for session in sessions)
    return _skipped(lost)


def _sum(*counts: Mapping[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _day(time: float | None) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d") if time is not None else "-"


def _skipped(sessions: Iterable[Session]) -> dict[str, int]:
    return _sum(*(session.skipped for session in sessions))


def scan(settings: Config, paths: Sequence[str | Path] = (), *, progress: Progress = _quiet) -> Scan:
    """What sessions there are, by project and agent."""
    store = _open(paths)
    lost = _ingest(store, _files(settings, paths), progress)
    sessions = store.sessions(sources.merge)
    groups: dict[tuple[str, str], list[Session]] = {}
    for session in sessions:
        if session.events:
            groups.setdefault((session.project, session.agent), []).append(session)
    return Scan(tuple(_found(*key, group) for key, group in sorted(groups.items())), _sum(_skipped(sessions), lost))


def _found(project: str, agent: str, sessions: Sequence[Session]) -> Found:
    events = [event for session in sessions for event in session.events]
    times = [event.time for event in events if event.time is not None]
    return Found(
        project=project,
        agent=agent,
        sessions=len(sessions),
        prompts=sum(event.kind == "prompt" for event in events),
        calls=sum(event.kind == "call" for event in events),
        shell=sum(event.tool_kind == "shell" for event in events),
        first=_day(min(times, default=None)),
        last=_day(max(times, default=None)),
    )


# -- mining ------------------------------------------------------------------------------------------------------------


def survey(
    settings: Config, paths: Sequence[str | Path] = (), *, project: str | None = None, progress: Progress = _quiet
) -> Survey:
    """What repeats in the sessions and what a tool for it would save, best first.

    A project is mined again only when one of its sessions changed.
    """
    store = _open(paths)
    lost = _ingest(store, _files(settings, paths), progress)
    found = _survey(store, settings, project)
    return replace(found, skipped=_sum(found.skipped, lost))


def _survey(store: Store, settings: Config, project: str | None) -> Survey:
    marks = store.projects()
    if project is not None and project not in marks:
        known = ", ".join(sorted(filter(None, marks))) or "none"
        raise UserError(f'there are no sessions of a project "{project}". Known are: {known}.')
    surveys = []
    for name, mark in marks.items():
        if project in (None, name):
            key = _key(name, mark, settings)
            text = store.cached(key)
            if text is None:
                text = codec.dump(_mine(name, store.sessions(sources.merge, name), settings))
                store.cache(key, text)
            surveys.append(codec.load(text))
    return _together(surveys)


def _key(name: str, mark: str, settings: Config) -> str:
    """All that went into a project's survey."""
    asked = replace(settings, workspace=None)
    return hashlib.sha256(f"{_program()} {name} {mark} {asked}".encode()).hexdigest()


@cache
def _program() -> str:
    """This very meta: another version, or an edited one, may read and find other things."""
    package = Path(__file__).parent
    states = ((path, path.stat()) for path in sorted(package.rglob("*.py")))
    told = "".join(f"{path.relative_to(package)} {s.st_size} {s.st_mtime_ns}\n" for path, s in states)
    return hashlib.sha256(told.encode()).hexdigest()


def _mine(name: str, sessions: Sequence[Session], settings: Config) -> Survey:
    """A project's survey.

    Sessions that programs drove (observers, benchmarks) are nobody's habit, unless there are no others.
    """
    from meta import mining, prices, roi
    from meta.generation import naming

    driven = [s for s in sessions if s.events]
    by_hand = [s for s in driven if s.origin not in ("machine", "policy")]
    people = git_history.joined(by_hand if any(s.origin != "git" for s in by_hand) else driven)
    history = [session for session in people if session.origin == "git"]
    worked = [session for session in people if session.origin != "git"]
    workflows = mining.mine(name, worked, support=settings.min_support, least=settings.min_sessions)
    workflows += mining.releases(name, history, support=settings.min_support, least=settings.min_sessions)
    proposals: list[Proposal] = []
    taken: set[str] = set()
    for workflow in roi.measured(workflows, people, prices.usd):
        named = replace(workflow, name=naming.name(workflow, taken))
        taken.add(named.name)
        seen = history if named.occurrences and named.occurrences[0].origin == "git" else worked
        estimate = roi.estimate(named, _window(seen), prices.usd)
        decision = roi.decide(
            named, estimate, weeks=settings.weeks, support=settings.min_support, sessions=settings.min_sessions
        )
        proposals.append(Proposal(named, estimate, decision))
    proposals.sort(key=_worth)
    return Survey(
        sessions=sum(bool(session.events) and not session.id.startswith(f"{session.parent}/") for session in sessions),
        events=sum(len(session.events) for session in sessions),
        skipped=_skipped(sessions),
        proposals=tuple(p for p in proposals if not p.workflow.loop),
        loops=tuple(p for p in proposals if p.workflow.loop),
    )


def _window(sessions: Iterable[Session]) -> Window | None:
    """When these sessions were watched: a repository is often older than what its agents keep."""
    from meta import roi

    times = [event.time for session in sessions for event in session.events if event.time is not None]
    return roi.Window(min(times), max(times)) if times else None


def _worth(proposal: Proposal) -> tuple[bool, float, int, str]:
    """Sorts what is worth building first, then by the minutes saved a week."""
    estimate = proposal.estimate
    saved = estimate.minutes_per_run * estimate.automation * estimate.runs_per_week
    return (not proposal.decision.build, -saved, -proposal.workflow.support, proposal.workflow.id)


def _together(surveys: Iterable[Survey]) -> Survey:
    surveys = tuple(surveys)
    return Survey(
        sessions=sum(part.sessions for part in surveys),
        events=sum(part.events for part in surveys),
        skipped=_sum(*(part.skipped for part in surveys)),
        proposals=tuple(sorted((p for part in surveys for p in part.proposals), key=_worth)),
        loops=tuple(sorted((p for part in surveys for p in part.loops), key=_worth)),
    )


def find(survey: Survey, name: str) -> Proposal:
    """The workflow of this name or id. Names are unique within a project only; the best comes first."""
    everything = (*survey.proposals, *survey.loops)
    for proposal in everything:
        if name in (proposal.workflow.name, proposal.workflow.id):
            return proposal
    import difflib

    close = difflib.get_close_matches(name, [proposal.workflow.name for proposal in everything], n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    raise UserError(f'no workflow is called "{name}".{hint} List them with `meta mine`.')


# -- building ----------------------------------------------------------------------------------------------------------


def _workspace(settings: Config) -> Path:
    if settings.workspace is None:
        raise UserError(
            "this is no workspace of meta. Run `meta init` in a git repository, or name one by --workspace."
        )
    return settings.workspace


def _alone(workspace: Path, *, dry_run: bool = False) -> AbstractContextManager[None]:
    """Nobody else changes the workspace meanwhile; a dry run changes nothing, so it waits for nobody."""
    return nullcontext() if dry_run else files.locked(workspace / ".meta" / "lock")


def extract(
    settings: Config,
    paths: Sequence[str | Path] = (),
    *,
    project: str | None = None,
    most: int = 10,
    dry_run: bool = False,
    polish: bool = False,
    progress: Progress = _quiet,
) -> Extraction:
    """Read, archive, mine, and propose a tool for what is worth it and not known yet, the best `most` of them."""
    workspace = _workspace(settings)
    model = llm.access(os.environ, settings.polish_model) if polish else None
    with _alone(workspace, dry_run=dry_run):
        store = Store() if dry_run else Store(workspace / ".meta" / "store.sqlite")
        lost = _ingest(store, _files(settings, paths), progress, forget=False)
        project = project or (None if paths else _own_project(store, workspace))
        archived = () if dry_run else _archive(store, workspace, project)
        found = _survey(store, settings, project)
        worth = [proposal for proposal in found.proposals if proposal.decision.build]
        chosen = _unknown(workspace, worth)[:most]
        built = tuple(_build(workspace, proposal, model, dry_run=dry_run) for proposal in chosen)
    return Extraction(replace(found, skipped=_sum(found.skipped, lost)), built, (), archived)


def _own_project(store: Store, workspace: Path) -> str | None:
    """The project that this workspace is: without paths only its own sessions are its business."""
    name = sources.project(str(workspace), "", "")
    return name if name in store.projects() else ""


def _archive(store: Store, workspace: Path, project: str | None) -> tuple[str, ...]:
    """Write the sessions that are new or have grown; an archived one that did not change is not touched."""
    from meta.registration import lifecycle

    # git keeps its own history
    kept = store.sessions(sources.merge, project)
    sessions = [session for session in kept if session.events and session.origin != "git"]
    places = {str("conversation-archive" / archive.name(session)): session for session in sessions}
    lifecycle.making(workspace, "archive", "sessions", [path for path in places if not (workspace / path).exists()])
    return tuple(path for path, session in places.items() if files.write(workspace / path, archive.dumps(session)))


def _unknown(workspace: Path, proposals: Sequence[Proposal]) -> list[Proposal]:
    """The proposals that were not declined and have no tool yet."""
    from meta.registration import inventory, lifecycle

    decided = {*lifecycle.declined(workspace), *inventory.workflows(workspace).values()}
    return [proposal for proposal in proposals if proposal.workflow.id not in decided]


def build(
    settings: Config,
    name: str,
    paths: Sequence[str | Path] = (),
    *,
    project: str | None = None,
    dry_run: bool = False,
    polish: bool = False,
    progress: Progress = _quiet,
) -> Built:
    """The tool for one workflow, whatever the decision about it was. A model may `polish` its words."""
    workspace = _workspace(settings)
    model = llm.access(os.environ, settings.polish_model) if polish else None
    proposal = find(survey(settings, paths, project=project, progress=progress), name)
    with _alone(workspace, dry_run=dry_run):
        return _build(workspace, proposal, model, dry_run=dry_run)


def _build(workspace: Path, proposal: Proposal, model: llm.Access | None, *, dry_run: bool) -> Built:
    """Generate, verify, and put a tool that passed on its review branch."""
    from meta import roi, verification
    from meta.generation import generate, manifest, wording, words
    from meta.registration import lifecycle, pull_request

    workflow, estimate = proposal.workflow, proposal.estimate
    taken = {known.name for known in lifecycle.tools(workspace)}
    try:
        own = wording.wording(workflow, taken)
        told, polished = _polished(workflow, own, model, taken) if model else (own, ())
        tool = generate.generate(workflow, estimate, proposal.decision, words_for=told)
    except words.RefusedError as refused:
        empty = Tool(workflow.name, workflow.id, "", "", {}, "")
        return Built(empty, Verdict((Check("generated", False, str(refused)),), "none"), "refused", str(refused))
    verdict = verification.verify(tool, workflow, workspace=workspace)
    verdict = replace(verdict, checks=(*verdict.checks, *polished))
    if verdict.state == "failed":
        failed = next(check for check in verdict.checks if check.passed is False)
        return Built(tool, verdict, "refused", f"{failed.name}: {failed.detail}")
    if dry_run:
        return Built(tool, verdict, "dry-run", proposal.decision.reason)
    tool = manifest.with_verdict(tool, verdict)
    text = pull_request.text(workflow, estimate, tool, verdict, roi.compare(workflow, estimate))
    lifecycle.propose(workspace, tool, workflow, estimate, text)
    return Built(tool, verdict, "proposed", proposal.decision.reason)


def _polished(
    workflow: Workflow, own: Wording, model: llm.Access, taken: Collection[str]
) -> tuple[Wording, tuple[Check, ...]]:
    """The model's words where they can be taken, else the tool's own, and what came of it."""
    from meta.generation import naming, wording

    try:
        better = llm.polish(model, own, wording.facts(workflow), taken={*taken, *naming.RESERVED})
    except llm.UnusableError as reason:
        return own, (Check("polish", None, f"not done, the own words stay: {reason}"),)
    return better, (Check("polish", True, f"name and text by {model.model}"),)


def verify(settings: Config, name: str) -> Verdict:
    """The verdict on a proposed or accepted tool as it is now, against the runs in this workspace's index."""
    from meta import verification
    from meta.registration import inventory

    workspace = _workspace(settings)
    tool = inventory.tool(workspace, name)
    found = _survey(Store(workspace / ".meta" / "store.sqlite"), settings, None)
    for proposal in (*found.proposals, *found.loops):
        if proposal.workflow.id == tool.workflow:
            return verification.verify(tool, proposal.workflow, workspace=workspace)
    raise UserError(f"the runs that {name} was learned from are not in the index. Run `meta rebuild`, then this again.")


# -- review and upkeep -------------------------------------------------------------------------------------------------


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


FOLDERS = ("generated_tools", "templates", "knowledge", "conversation-archive")
SETTINGS = """\
# Settings of meta for this repository; all are optional.
# weeks = 2.0          # the longest payback that is worth building
# min_support = 3      # occurrences that make a habit
# min_sessions = 3     # sessions that make a habit
"""


def init(settings: Config, start: Path, *, dry_run: bool = False) -> Change:
    """Make the git repository around `start` a workspace. What is there already is left as it is."""
    from meta.registration import lifecycle

    root = git.root(start)
    if settings.workspace == root:
        return Change(f"{root} is a workspace of meta already.")
    contents = {"meta.toml": SETTINGS, ".meta/.gitignore": "*\n"}
    contents |= {f"{folder}/.gitkeep": "" for folder in FOLDERS if not (root / folder).exists()}
    contents = {path: text for path, text in contents.items() if not (root / path).exists()}
    if not dry_run:
        lifecycle.put(root, "init", "workspace", contents)
    return Change(f"{root} is a workspace of meta now. Next: `meta extract`.", tuple(contents), dry_run)


def accept(settings: Config, name: str, *, dry_run: bool = False) -> Change:
    from meta.registration import lifecycle

    workspace = _workspace(settings)
    if dry_run:
        return Change(f"would accept {name}", lifecycle.preview(workspace, name), True)
    with _alone(workspace):
        done = lifecycle.accept(workspace, name)
    return Change(f"{name} is accepted and registered. Commit these files when you like.", done.paths)


def reject(settings: Config, name: str, *, reason: str = "", dry_run: bool = False) -> Change:
    from meta.registration import lifecycle

    workspace = _workspace(settings)
    if dry_run:
        lifecycle.preview(workspace, name)
        return Change(f"would delete the branch meta/{name} and remember that it was declined", dry_run=True)
    with _alone(workspace):
        lifecycle.reject(workspace, name, reason)
    return Change(f"{name} is declined and will not be proposed again. `meta undo` takes that back.")


def retire(settings: Config, name: str, *, dry_run: bool = False) -> Change:
    from meta.registration import inventory, lifecycle

    workspace = _workspace(settings)
    if dry_run:
        inventory.tool(workspace, name)
        return Change(f"would move generated_tools/{name} aside and take out what was registered", dry_run=True)
    with _alone(workspace):
        paths = lifecycle.retire(workspace, name)
    return Change(f"{name} is retired. `meta undo` brings it back.", paths)


def undo(settings: Config, *, dry_run: bool = False) -> Change:
    from meta.registration import inventory, lifecycle

    workspace = _workspace(settings)
    if dry_run:
        return Change(f"would take back: {inventory.last(workspace)}", dry_run=True)
    with _alone(workspace):
        done = lifecycle.undo(workspace)
    return Change(f"taken back: {done.verb} {done.name}", tuple(done.kept))


def tools(settings: Config) -> tuple[Listed, ...]:
    """Every tool of the workspace, with its use in the sessions of the index."""
    from meta.registration import inventory, lifecycle, usage

    workspace = _workspace(settings)
    known = lifecycle.tools(workspace)
    sessions = _indexed(workspace) if known else []
    return tuple(
        _listed(inventory.tool(workspace, each.name), each.state, usage.usage(each.name, sessions)) for each in known
    )


def _listed(tool: Tool, state: str, used: Usage) -> Listed:
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
    )


def _indexed(workspace: Path) -> list[Session]:
    """The sessions of the workspace's index, none where there is no index yet."""
    place = workspace / ".meta" / "store.sqlite"
    return Store(place).sessions(sources.merge) if place.exists() else []


def rebuild(settings: Config, *, dry_run: bool = False, progress: Progress = _quiet) -> Change:
    """Make the index anew from the archive; the archive is the truth."""
    workspace = _workspace(settings)
    archived = sorted((workspace / "conversation-archive").rglob("*.json"))
    if dry_run:
        return Change(f"would index {len(archived)} archived sessions anew", dry_run=True)
    with _alone(workspace):
        place = workspace / ".meta" / "store.sqlite"
        for old in place.parent.glob("store.sqlite*"):
            old.unlink()
        store = Store(place)
        _ingest(store, archived, progress)
    return Change(f"{len(archived)} archived sessions are indexed anew.")


def status(settings: Config) -> Status:
    """What the workspace holds."""
    workspace = _workspace(settings)
    store = Store(workspace / ".meta" / "store.sqlite")
    sessions = store.sessions(sources.merge)
    return Status(
        workspace=str(workspace),
        sessions=sum(bool(session.events) for session in sessions),
        archived=sum(1 for _ in (workspace / "conversation-archive").rglob("*.json")),
        tools=dict(Counter(tool.state for tool in tools(settings))),
        skipped=_skipped(sessions),
    )


def doctor(settings: Config) -> tuple[Finding, ...]:
    """What meta needs on this machine."""
    import shutil
    import sys

    from meta.verification import sandbox

    level = sandbox.level()
    where = config.folders()
    places = sources.defaults(Path.home(), os.environ)
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        Finding("Python", sys.version_info >= (3, 11), f"{python}; 3.11 or newer is needed"),
        Finding("git", shutil.which("git") is not None, shutil.which("git") or "install git"),
        Finding(
            "sandbox",
            level != "none",
            level if level != "none" else "install bubblewrap; without it tools stay unverified",
        ),
        Finding(
            "workspace",
            settings.workspace is not None,
            str(settings.workspace or "run `meta init` in a git repository"),
        ),
        Finding("sessions", bool(places), f"{len(places)} files where agents keep them"),
        Finding("folders", True, f"state {where.state}, cache {where.cache}"),
    )
