"""What becomes of the tools in use: would they have done what was done by hand since, do they fail, are they outgrown.

What has no tool yet is the corridor's; what a person decides is in `upkeep`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from meta import building, files
from meta.errors import UserError
from meta.model import Built, Occurrence, Proposal, Session, Shadow, Survey, Tool, Verdict
from meta.registration import inventory, lifecycle, pieces, renewing, usage
from meta.registration.branch import Blob
from meta.registration.card import card
from meta.vetting import shown_id, shown_work

MOSTLY = 0.5  # share of the runs a tool was learned from that tell its workflow among others
LAST = 10  # uses that tell whether a tool fails more than it did
RISEN = 0.01  # probability of so many failures by chance, below which it is no chance
FEWEST = 3  # failures
HAND = 0.1  # least share of failures that is taken for usual


def look_back(workspace: Path, found: Survey, sessions: Sequence[Session], support: int) -> list[Built]:
    """Ask every tool in use what it would have done since it was learned, suspend one that fails now, and propose the
    update of one that `support` new runs or more have outgrown."""
    seen: dict[str, Shadow] = {}
    done: list[Built] = []
    for name in renewing.accepted(workspace):
        tool = inventory.tool(workspace, name)
        proposal = successor(tool, found)
        if failing := _failing(workspace, tool, proposal, sessions):
            lifecycle.suspend(workspace, name)
            done.append(Built(tool, Verdict((), "none"), "suspended", failing))
        if proposal is None:
            continue
        told = _shadow(tool, proposal)
        seen |= {name: told} if told else {}
        if told and told.seen - told.matched >= support and not failing and not renewing.waiting(workspace, name):
            why = f"It does not do what was done in {told.seen - told.matched} of {told.seen} later runs by hand."
            done += [
                built
                for built in renew(workspace, name, [(tool, proposal)], why)
                if built.state not in ("known", "declined")
            ]
    if seen:
        inventory.keep_shadows(workspace, seen)
    return done


def successor(tool: Tool, found: Survey) -> Proposal | None:
    """The workflow that has most of the runs the tool was learned from, else the one that does the same."""
    learned, runs = inventory.learned(tool), inventory.runs(tool)
    everything = (*found.proposals, *found.loops)
    shared = [sum(bool(_events(run) & learned) for run in each.workflow.occurrences) for each in everything]
    most = max(shared, default=0)
    if most and most >= MOSTLY * runs:
        return everything[shared.index(most)]
    work = inventory.work(tool)
    return next((each for each in everything if work and work == shown_work(each.workflow.work)), None)


def successors(workspace: Path, found: Survey) -> set[str]:
    """The workflows that have a tool in use, whatever they have come to be."""
    tools = (inventory.tool(workspace, name) for name in renewing.accepted(workspace))
    return {proposal.workflow.id for tool in tools if (proposal := successor(tool, found))}


def _events(run: Occurrence) -> set[tuple[str, str]]:
    return {(shown_id(run.session), shown_id(event)) for event in run.events}


def _shadow(tool: Tool, proposal: Proposal) -> Shadow | None:
    from meta.verification import shadow

    learned = inventory.learned(tool)
    fresh = [run for run in proposal.workflow.occurrences if not _events(run) & learned]
    return shadow.shadow(tool, inventory.options(tool), proposal.workflow, fresh)


def _failing(workspace: Path, tool: Tool, proposal: Proposal | None, sessions: Sequence[Session]) -> str:
    """Why a registered tool should not be offered any more, "" where nothing is wrong.

    By hand a step fails now and then as well, a test above all; what counts is that it has become more.
    """
    if lifecycle.state(workspace, tool.name) != "registered":
        return ""
    judged = inventory.judged(workspace).get(tool.name, -math.inf)
    calls = [call for call in usage.usage(tool.name, sessions).calls if call.time > judged]
    last = calls[-LAST:]
    failures = sum(call.failed for call in last)
    earlier = calls[:-LAST]
    hand = [bool(run.bindings.get("failed")) for run in proposal.workflow.occurrences] if proposal else []
    usual = [*hand, *(call.failed for call in earlier)]
    rate = max((sum(usual) + 1) / (len(usual) + 2) if usual else 0.0, HAND)
    if failures < FEWEST or not last[-1].failed or _tail(failures, len(last), rate) > RISEN:
        return ""
    inventory.judge(workspace, tool.name, last[-1].time)
    return f"failed in {failures} of its last {len(last)} uses, where {rate:.0%} is usual; `meta resume` after a repair"


def _tail(failures: int, uses: int, rate: float) -> float:
    """The probability of at least so many failures (binomial)."""
    return sum(math.comb(uses, k) * rate**k * (1 - rate) ** (uses - k) for k in range(failures, uses + 1))


def renew(
    workspace: Path, name: str, tools: Sequence[tuple[Tool, Proposal]], why: str, *, dry_run: bool = False
) -> Iterator[Built]:
    """Make these tools anew, and put those that change on the branch `meta/<name>`."""
    changed: dict[str, dict[str, Blob]] = {}
    for tool, proposal in tools:
        built, brought = _renewed(workspace, tool, proposal, why)
        if brought and built.state == "proposed" and not dry_run:
            changed[tool.name] = brought
        yield replace(built, state="dry-run") if dry_run and built.state == "proposed" else built
    if changed:
        workflow = tools[0][1].workflow.id if name in changed else ""
        renewing.renew(workspace, name, changed, why, workflow)


def update(workspace: Path, found: Survey, tools: Sequence[Tool], *, one: bool, dry_run: bool) -> Iterator[Built]:
    """Make these tools anew where their templates have changed, all on one branch; `one` is made anew in any case."""
    from meta.generation import render

    due: list[tuple[Tool, Proposal]] = []
    for tool in tools:
        version = render.version(render.folder(None, tool.template)) if tool.template else ""
        proposal = successor(tool, found)
        if not one and version == tool.version:
            yield Built(tool, Verdict((), "none"), "known", "its template has not changed")
        elif proposal is None:
            yield Built(tool, Verdict((), "none"), "refused", "the runs that it was learned from are not in the index")
        else:
            due.append((tool, proposal))
    why = "It was made anew on request." if one else "Its template has changed."
    yield from renew(workspace, tools[0].name if one else renewing.ALL, due, why, dry_run=dry_run) if due else ()


def _renewed(workspace: Path, tool: Tool, proposal: Proposal, why: str) -> tuple[Built, dict[str, Blob]]:
    """The tool as its workflow is now, with what a person changed in it, and its files."""
    blend = partial(_blend, workspace, tool.name)
    about = proposal.workflow, proposal.estimate

    def in_use(fresh: Tool) -> Tool:
        files = renewing.blended(workspace, tool.name, pieces.made(fresh, card(fresh, *about), ""), blend)
        return _of(tool.name, files)

    if proposal.workflow.id in lifecycle.declined(workspace):
        return Built(tool, Verdict((), "none"), "declined", "this update was declined before"), {}
    try:
        made = building.make(
            workspace, proposal, None, (), called=(tool.name, tool.description), verified=in_use, why=why
        )
        if isinstance(made, Built):
            return made, {}
        fresh = pieces.made(made.tool, card(made.tool, *about), made.text)
        brought = renewing.blended(workspace, tool.name, fresh, blend)
    except UserError as reason:
        return Built(tool, Verdict((), "none"), "refused", str(reason)), {}
    new = _of(tool.name, brought)
    if new.files["tool.py"] == tool.files.get("tool.py"):
        return Built(new, made.verdict, "known", "nothing of it would change"), {}
    return Built(new, made.verdict, "proposed", why), brought


def _of(name: str, brought: Mapping[str, Blob]) -> Tool:
    """The tool of the files in its folder."""
    folder = f"{pieces.TOOLS}/{name}/"
    own = {path.removeprefix(folder): blob.content for path, blob in brought.items() if path.startswith(folder)}
    return inventory.described(name, own)


def _blend(workspace: Path, name: str, path: str, before: str, now: str, fresh: str) -> str:
    """All changes in one text. Where two meet, ours are left out of what only informs; in a program they are a person's
    to settle."""
    from meta.generation import update

    merged = update.merge(before, now, fresh)
    if not merged.conflicts:
        return merged.text
    if not path.endswith((".py", ".sh")):
        return now
    place = workspace / ".meta" / "review" / name / Path(path).name
    files.write(place, merged.text)
    raise UserError(
        f"{path} was changed by hand where the update changes it too, in {merged.conflicts} places. They are marked in "
        f"{place.relative_to(workspace)}: settle them, put the file in its place, commit it, then run `meta update`."
    )
