"""The corridor: the whole story from sessions to tools on review branches, in a few typed calls.

What happens in a call is told in its room; here values are only carried from one to the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meta import advisor, archive, building, codec, files, sources
from meta.config import Config
from meta.errors import UserError, did_you_mean
from meta.intake import (
    Progress,
    alone,
    files_of,
    ingest,
    only_copies,
    opened,
    program,
    quiet,
    skipped,
    summed,
    workspace_of,
)
from meta.model import Asked, Built, Candidate, Extraction, Lesson, Proposal, Session, Survey, Verdict, Workflow
from meta.sources import git_history
from meta.store import Store
from meta.vetting import shown_work

if TYPE_CHECKING:
    from meta.learning import Improve, Learned, Plan
    from meta.llm import Access
    from meta.mining.shell import Reader
    from meta.mining.workflows import Remember
    from meta.renewal import Followed
    from meta.roi import Price, Window


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
    if project and project not in marks:
        known = ", ".join(sorted(filter(None, marks))) or "none"
        raise UserError(f'there are no sessions of a project "{project}". Known are: {known}.')
    surveys = []
    for name, mark in marks.items():
        if project in (None, name):
            key = _key(name, mark, settings)
            text = store.cached(key)
            if text is None:
                text = codec.dump(_mine(name, store, settings))
                store.cache(key, text)
            surveys.append(codec.load(text, Survey))
    return _together(surveys)


@contextmanager
def _recalled(store: Store, about: str) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """What was found out about something before, and a place for what is found out now; that is kept."""
    key = _hashed(about)
    text = store.cached(key)
    before: Mapping[str, Any] = json.loads(text) if text else {}
    now: dict[str, Any] = {}
    yield before, now
    if now != before:
        store.cache(key, json.dumps(now))


def _remembered(store: Store, key: str, lift: Callable[[], Workflow]) -> Workflow:
    """What was lifted under this key by this very meta before, else lifted now."""
    key = _hashed(key)
    text = store.cached(key)
    if text is None:
        workflow = lift()
        store.cache(key, codec.dump(workflow))
        return workflow
    return codec.load(text, Workflow)


def _key(name: str, mark: str, settings: Config) -> str:
    """All that went into a project's survey."""
    asked = replace(settings, workspace=None)
    return _hashed(f"{name} {mark} {asked}")


def _hashed(about: str) -> str:
    """A key of the cache: another version of this program finds nothing under it."""
    return hashlib.sha256(f"{program()} {about}".encode()).hexdigest()


def _mine(name: str, store: Store, settings: Config) -> Survey:
    """A project's survey, with what was read, priced and lifted for an earlier one at hand.

    Sessions that programs drove (observers, benchmarks) are nobody's habit, unless there are no others.
    """
    from meta import prices
    from meta.mining.shell import Reader

    with (
        _recalled(store, f"commands {name}") as commands,
        _recalled(store, f"prices {name} {prices.tables()}") as priced,
    ):
        usd = prices.Prices(*priced).usd
        return _surveyed(
            name, store.sessions(sources.merge, name), settings, Reader(*commands), usd, partial(_remembered, store)
        )


def _surveyed(
    name: str, sessions: Sequence[Session], settings: Config, parse: Reader, usd: Price, remember: Remember
) -> Survey:
    from meta import roi
    from meta.generation import naming
    from meta.mining.releases import releases
    from meta.mining.workflows import mine

    driven = [s for s in sessions if s.events]
    by_hand = [s for s in driven if s.origin not in ("machine", "policy")]
    people = git_history.joined(by_hand if any(s.origin != "git" for s in by_hand) else driven)
    history = [session for session in people if session.origin == "git"]
    worked = [session for session in people if session.origin != "git"]
    workflows = mine(
        name, worked, support=settings.min_support, least=settings.min_sessions, parse=parse, remember=remember
    )
    workflows += releases(name, history, support=settings.min_support, least=settings.min_sessions)
    proposals: list[Proposal] = []
    taken: set[str] = set()
    for workflow in roi.measured(workflows, people, usd):
        named = replace(workflow, name=naming.name(workflow, taken))
        taken.add(named.name)
        seen = history if named.occurrences and named.occurrences[0].origin == "git" else worked
        estimate = roi.estimate(named, _window(seen), usd)
        decision = roi.decide(
            named, estimate, weeks=settings.weeks, support=settings.min_support, sessions=settings.min_sessions
        )
        proposals.append(Proposal(named, estimate, decision))
    proposals.sort(key=_worth)
    return Survey(
        sessions=sum(bool(session.events) and not session.id.startswith(f"{session.parent}/") for session in sessions),
        events=sum(len(session.events) for session in sessions),
        skipped=skipped(sessions),
        proposals=tuple(p for p in proposals if not _is_loop(p.workflow, settings)),
        loops=tuple(p for p in proposals if _is_loop(p.workflow, settings)),
    )


def _is_loop(workflow: Workflow, settings: Config) -> bool:
    """Whether it was repeated inside few sessions, as far as its runs could be explained."""
    return workflow.loop or workflow.sessions < settings.min_sessions


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
    hint = did_you_mean(name, (proposal.workflow.name for proposal in everything))
    raise UserError(f'no workflow is called "{name}".{hint} List them with `meta mine`.')


def extract(
    settings: Config,
    paths: Sequence[str | Path] = (),
    *,
    project: str | None = None,
    own: bool = False,
    most: int = 10,
    dry_run: bool = False,
    polish: bool = False,
    advise: bool = False,
    batch: bool = False,
    progress: Progress = quiet,
) -> Extraction:
    """Read, archive, mine, and propose a tool for what is worth it and not known yet, the best `most` of them.

    A model may `polish` the words of tools, and be asked to `advise` on lessons, in a `batch` or one by one. Without paths, or where it is asked for, only the workspace's `own` project is mined.
    """
    from meta import generators, learning, renewal
    from meta.nudge import tools as nudges

    workspace = workspace_of(settings)
    model = advisor.access(settings, os.environ, settings.polish_model, "--polish") if polish else None
    place = None if dry_run else workspace / ".meta" / "store.sqlite"
    adviser = advisor.access(settings, os.environ, settings.lesson_model, "--model") if advise else None
    with alone(workspace, dry_run=dry_run), Store(place) as store:
        lost = ingest(store, files_of(settings, paths), progress, forget=False)
        project = project or (_own_project(store, workspace) if own or not paths else None)
        improve = _improver(adviser, store, workspace, batch)
        learned = list(_learned(store, project, improve, workspace))
        plan = learning.plan(workspace, learned)
        archived = () if dry_run else _archive(store, workspace, project, plan)
        found = _survey(store, settings, project)
        used = renewal.followed(workspace, found)
        called = store.sessions(sources.merge) if used and not dry_run else []
        renewed = [] if dry_run else renewal.look_back(workspace, used, called, settings.min_support)
        chosen = _unknown(workspace, found, used)[:most]
        built = [building.build(workspace, proposal, model, dry_run=dry_run) for proposal in chosen]
        built += generators.proposed(
            store, workspace, weeks=settings.weeks, most=most - len(built), dry_run=dry_run, progress=progress
        )
        if not dry_run:  # tools come and go with commits too
            nudges.refresh(settings, workspace)
    return Extraction(
        replace(found, skipped=summed(found.skipped, lost)), (*renewed, *built), plan.new, archived, _asked(learned)
    )


def _improver(model: Access | None, store: Store, workspace: Path, batch: bool) -> Improve | None:
    from meta import learning

    return advisor.improver(model, store, workspace, learning.settled(workspace), batch=batch) if model else None


def _asked(learned: Iterable[Learned]) -> Asked | None:
    """What a model was asked about all projects together."""
    parts = [each.asked for each in learned if each.asked]
    if not parts:
        return None
    return Asked(
        sum(part.questions for part in parts), sum(part.usd for part in parts),
        summed(*(part.taken for part in parts)), summed(*(part.refused for part in parts)),
    )  # fmt: skip


def _learned(
    store: Store, project: str | None, improve: Improve | None = None, repository: Path | None = None
) -> Iterator[Learned]:
    """What the sessions of each project teach; of those without one nobody knows for whom. A repository tells what became of their commits."""
    from meta import aftermath, learning
    from meta.mining.shell import Reader

    for name in store.projects():
        if name and project in (None, name):
            with _recalled(store, f"commands {name}") as commands:
                sessions = store.sessions(sources.merge, name)
                became = aftermath.outcomes(repository, sessions) if repository else {}
                yield learning.learned(name, sessions, Reader(*commands), improve, became)


def lessons(
    settings: Config, paths: Sequence[str | Path] = (), *, project: str | None = None, progress: Progress = quiet
) -> tuple[tuple[Lesson, ...], Mapping[str, tuple[str, ...]]]:
    """The lessons of the workspace, or those in the sessions of these paths, best first, and which contradict which."""
    from meta.knowledge import life

    if paths:
        with opened(paths) as store:
            ingest(store, files_of(settings, paths), progress)
            found = [lesson for each in _learned(store, project) for lesson in each.lessons]
    else:
        from meta import learning

        kept = learning.known(workspace_of(settings)).values()
        found = [lesson for lesson in kept if project in (None, lesson.project)]
    found.sort(key=lambda lesson: (-life.worth(lesson), lesson.project, lesson.slug))
    return tuple(found), life.contradictions(found)


def advise(
    settings: Config, paths: Sequence[str | Path] = (), *, project: str | None = None, batch: bool = False,
    dry_run: bool = False, progress: Progress = quiet,
) -> tuple[Plan, Asked]:  # fmt: skip
    """What a model makes of the lessons of the workspace, from the sessions in its index and in these paths, and what it was asked."""
    from meta import learning
    from meta.registration import actions
    from meta.registration.actions import Action

    workspace = workspace_of(settings)
    model = advisor.access(settings, os.environ, settings.lesson_model, "--model")
    place = workspace / ".meta" / "store.sqlite"
    with alone(workspace, dry_run=dry_run), Store(place) as store:
        ingest(store, files_of(settings, paths) if paths else [], progress, forget=False)
        name = project or (None if paths else _own_project(store, workspace))
        learned = list(_learned(store, name, _improver(model, store, workspace, batch), workspace))
        plan = learning.plan(workspace, learned)
        if not dry_run and (plan.files or plan.over):
            with actions.doing(workspace, Action("advise", "lessons", aside=plan.aside)) as log:
                learning.write(workspace, plan, log)
    return plan, _asked(learned) or Asked()


def fitting(lessons: Sequence[Lesson], situation: str) -> tuple[Lesson, ...]:
    """Those of some lessons that fit a situation, best first."""
    from meta.knowledge.search import Entry, Index

    names = {str(place): lesson for place, lesson in enumerate(lessons)}
    entries = (Entry(name, one.claim, one.when, "", one.why) for name, one in names.items())
    return tuple(names[hit.name] for hit in Index(entries).search(situation, len(lessons)))


def change_lessons(
    settings: Config, *, load: bool = False, retire: str | None = None, dry_run: bool = False
) -> tuple[str, tuple[str, ...]]:
    """What was done, in words, and the files that changed: one lesson retired, or the best loaded or taken out."""
    from meta import learning

    workspace = workspace_of(settings)
    with alone(workspace, dry_run=dry_run):
        if retire:
            if dry_run and retire in learning.known(workspace):
                return f"would retire the lesson {retire}", ()
            return f"{retire} is retired; `meta undo` takes that back", learning.forget(workspace, retire)
        text = learning.loaded(workspace, sources.project(str(workspace), "", "")) if load else None
        if load and text is None:
            raise UserError(
                "no lesson is fit to be loaded yet. Set `load: yes` in one, or wait until it is seen again."
            )
        if dry_run:
            return f"would be in {learning.LOADED}:", tuple((text or "nothing of ours").splitlines())
        changed = learning.load(workspace, text)
        return ("loaded" if load else "taken out") if changed else "nothing to change", (learning.LOADED,) * changed


def update(settings: Config, name: str | None = None, *, dry_run: bool = False) -> tuple[Built, ...]:
    """Make tools in use anew by the runs in the index: one, or all whose template has changed, on one branch."""
    from meta import renewal
    from meta.registration import inventory

    workspace = workspace_of(settings)
    with alone(workspace, dry_run=dry_run), Store(workspace / ".meta" / "store.sqlite") as store:
        found = _survey(store, settings, None)
        if name is None:
            used = renewal.followed(workspace, found)
        else:
            tool = inventory.tool(workspace, name)
            used = [(tool, renewal.successor(tool, found))]
        return tuple(renewal.update(workspace, used, one=name is not None, dry_run=dry_run))


def candidates(settings: Config) -> tuple[Candidate, ...]:
    """What is worth a tool in the workspace's own project and has none yet, after its index was brought up to date."""
    from meta import generators, renewal

    workspace = workspace_of(settings)
    with alone(workspace), Store(workspace / ".meta" / "store.sqlite") as store:
        ingest(store, files_of(settings, ()), quiet, forget=False)
        found = _survey(store, settings, _own_project(store, workspace))
        due = _unknown(workspace, found, renewal.followed(workspace, found))
        workflows = [Candidate(one.workflow.id, one.workflow.name, one.decision.reason) for one in due]
        return (*workflows, *generators.candidates(store, workspace, weeks=settings.weeks))


def _own_project(store: Store, workspace: Path) -> str | None:
    """The project that this workspace is, "" where no session of it is known."""
    name = sources.project(str(workspace), "", "")
    return name if name in store.projects() else ""


def _archive(store: Store, workspace: Path, project: str | None, plan: Plan) -> tuple[str, ...]:
    """Write the sessions that are new or have grown, and what was learned from them; what did not change is not touched."""
    from meta import learning
    from meta.registration import actions
    from meta.registration.actions import Action

    # git keeps its own history
    kept = store.sessions(sources.merge, project)
    sessions = [session for session in kept if session.events and session.origin != "git"]
    places = {str("conversation-archive" / archive.name(session)): session for session in sessions}
    new = tuple(path for path in places if not (workspace / path).exists())
    if not (new or plan.files or plan.over):
        return _written(workspace, places)
    action = Action("archive", "sessions", aside=plan.aside, made=new)
    with actions.doing(workspace, action, partial(only_copies, workspace)) as log:
        learning.write(workspace, plan, log)
        return _written(workspace, places)


def _written(workspace: Path, places: Mapping[str, Session]) -> tuple[str, ...]:
    return tuple(path for path, session in places.items() if files.write(workspace / path, archive.dumps(session)))


def _unknown(workspace: Path, found: Survey, used: Sequence[Followed]) -> list[Proposal]:
    """What is worth a tool, was not declined, and has none yet, whatever its workflow has come to be."""
    from meta.registration import inventory

    ids, works = inventory.decided(workspace)
    ids |= {proposal.workflow.id for _, proposal in used if proposal}
    return [
        p
        for p in found.proposals
        if p.decision.build
        and p.workflow.id not in ids
        and not any(_part(shown_work(p.workflow.work), w) for w in works)
    ]


def _part(some: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether all of it is done there, in that order."""
    rest = iter(whole)
    return bool(some) and all(one in rest for one in some)


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
    model = advisor.access(settings, os.environ, settings.polish_model, "--polish") if polish else None
    proposal = find(survey(settings, paths, project=project, progress=progress), name)
    with alone(workspace, dry_run=dry_run):
        return building.build(workspace, proposal, model, dry_run=dry_run)


def generator(settings: Config, name: str, *, dry_run: bool = False) -> Built:
    """The tool that makes the next member of a family of the workspace, whatever it would save."""
    from meta import generators

    workspace = workspace_of(settings)
    with alone(workspace, dry_run=dry_run):
        return generators.build(workspace, name, weeks=settings.weeks, dry_run=dry_run)


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
