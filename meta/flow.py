"""The corridor: the whole story from sessions to tools on review branches, in a few typed calls.

What happens in a call is told in its room; here values are only carried from one to the next.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from meta import archive, codec, files, llm, sources
from meta.config import Config
from meta.errors import UserError
from meta.intake import Progress, alone, files_of, ingest, opened, program, quiet, skipped, summed, workspace_of
from meta.model import Built, Check, Extraction, Proposal, Session, Survey, Tool, Verdict, Wording, Workflow
from meta.sources import git_history
from meta.store import Store

if TYPE_CHECKING:
    from meta.roi import Window


def survey(
    settings: Config, paths: Sequence[str | Path] = (), *, project: str | None = None, progress: Progress = quiet
) -> Survey:
    """What repeats in the sessions and what a tool for it would save, best first.

    A project is mined again only when one of its sessions changed.
    """
    with opened(paths) as store:
        lost = ingest(store, files_of(settings, paths), progress)
        found = _survey(store, settings, project)
    return replace(found, skipped=summed(found.skipped, lost))


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
                text = codec.dump(
                    _mine(name, store.sessions(sources.merge, name), settings, partial(_remembered, store))
                )
                store.cache(key, text)
            surveys.append(codec.load(text, Survey))
    return _together(surveys)


def _remembered(store: Store, key: str, lift: Callable[[], Workflow]) -> Workflow:
    """What was lifted under this key by this very meta before, else lifted now."""
    key = hashlib.sha256(f"{program()} {key}".encode()).hexdigest()
    text = store.cached(key)
    if text is None:
        workflow = lift()
        store.cache(key, codec.dump(workflow))
        return workflow
    return codec.load(text, Workflow)


def _key(name: str, mark: str, settings: Config) -> str:
    """All that went into a project's survey."""
    asked = replace(settings, workspace=None)
    return hashlib.sha256(f"{program()} {name} {mark} {asked}".encode()).hexdigest()


def _mine(
    name: str,
    sessions: Sequence[Session],
    settings: Config,
    remember: Callable[[str, Callable[[], Workflow]], Workflow],
) -> Survey:
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
    workflows = mining.mine(name, worked, support=settings.min_support, least=settings.min_sessions, remember=remember)
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
        skipped=skipped(sessions),
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
        skipped=summed(*(part.skipped for part in surveys)),
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


def extract(
    settings: Config,
    paths: Sequence[str | Path] = (),
    *,
    project: str | None = None,
    most: int = 10,
    dry_run: bool = False,
    polish: bool = False,
    progress: Progress = quiet,
) -> Extraction:
    """Read, archive, mine, and propose a tool for what is worth it and not known yet, the best `most` of them."""
    workspace = workspace_of(settings)
    model = llm.access(os.environ, settings.polish_model) if polish else None
    place = None if dry_run else workspace / ".meta" / "store.sqlite"
    with alone(workspace, dry_run=dry_run), Store(place) as store:
        lost = ingest(store, files_of(settings, paths), progress, forget=False)
        project = project or (None if paths else _own_project(store, workspace))
        archived = () if dry_run else _archive(store, workspace, project)
        found = _survey(store, settings, project)
        worth = [proposal for proposal in found.proposals if proposal.decision.build]
        chosen = _unknown(workspace, worth)[:most]
        built = tuple(_build(workspace, proposal, model, dry_run=dry_run) for proposal in chosen)
    return Extraction(replace(found, skipped=summed(found.skipped, lost)), built, (), archived)


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
    progress: Progress = quiet,
) -> Built:
    """The tool for one workflow, whatever the decision about it was. A model may `polish` its words."""
    workspace = workspace_of(settings)
    model = llm.access(os.environ, settings.polish_model) if polish else None
    proposal = find(survey(settings, paths, project=project, progress=progress), name)
    with alone(workspace, dry_run=dry_run):
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
    real = next((check.seconds for check in verdict.checks if check.seconds), ())
    text = pull_request.text(workflow, estimate, tool, verdict, roi.compare(workflow, estimate, real))
    lifecycle.propose(workspace, tool, workflow, estimate, text)
    return Built(tool, verdict, "proposed", proposal.decision.reason)


def _polished(
    workflow: Workflow, own: Wording, model: llm.Access, taken: Collection[str]
) -> tuple[Wording, tuple[Check, ...]]:
    """The model's words where they can be taken, else the tool's own, and what came of it."""
    from meta.generation import wording
    from meta.policy.names import RESERVED

    try:
        better = llm.polish(model, own, wording.facts(workflow), taken={*taken, *RESERVED})
    except llm.UnusableError as reason:
        return own, (Check("polish", None, f"not done, the own words stay: {reason}"),)
    return better, (Check("polish", True, f"name and text by {model.model}"),)


def verify(settings: Config, name: str) -> Verdict:
    """The verdict on a proposed or accepted tool as it is now, against the runs in this workspace's index."""
    from meta import verification
    from meta.registration import inventory

    workspace = workspace_of(settings)
    tool = inventory.tool(workspace, name)
    with Store(workspace / ".meta" / "store.sqlite") as store:
        found = _survey(store, settings, None)
    for proposal in (*found.proposals, *found.loops):
        if proposal.workflow.id == tool.workflow:
            return verification.verify(tool, proposal.workflow, workspace=workspace)
    raise UserError(f"the runs that {name} was learned from are not in the index. Run `meta rebuild`, then this again.")
