"""What becomes of the tools in use: would they have done what was done by hand since, do they fail, are they outgrown.

What has no tool yet is the corridor's; what a person decides is in `upkeep`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from meta import building, files
from meta.errors import UserError
from meta.model import Built, Occurrence, Proposal, Session, Shadow, Survey, Tool, Verdict
from meta.registration import inventory, lifecycle, pieces, renewing, usage
from meta.registration.branch import Blob
from meta.registration.card import card
from meta.registration.usage import Call
from meta.vetting import shown_id, shown_work

State = Literal["refused", "declined", "known", "suspended"]
MOSTLY = 0.5  # share of the runs a tool was learned from that tell its workflow among others
LAST = 10  # uses that tell whether a tool fails more than it did
RISEN = 0.01  # probability of so many failures by chance, below which it is no chance
FEWEST = 3  # failures
HAND = 0.1  # least share of failures that is taken for usual


Followed = tuple[Tool, Proposal | None]
"""A tool in use and what its workflow is by now, None where it is not found any more."""


def followed(workspace: Path, found: Survey) -> list[Followed]:
    """The tools in use, those that are suspended included."""
    tools = (inventory.tool(workspace, name) for name in lifecycle.in_use(workspace))
    return [(tool, successor(tool, found)) for tool in tools]


def look_back(workspace: Path, used: Sequence[Followed], sessions: Sequence[Session], support: int) -> list[Built]:
    """Ask every tool in use what it would have done since it was learned, suspend one that fails now, and propose the
    update of one that `support` new runs or more have outgrown."""
    seen: dict[str, Shadow] = {}
    done: list[Built] = []
    states, waiting = lifecycle.in_use(workspace), renewing.waiting(workspace)
    judged = inventory.judged(workspace)
    for tool, proposal in used:
        calls = usage.usage(tool.name, sessions).calls if states[tool.name] == "registered" else ()
        calls = tuple(call for call in calls if call.time > judged.get(tool.name, -math.inf))
        offered = states[tool.name] != "suspended"
        if failing := _failing(calls, proposal):
            inventory.judge(workspace, tool.name, calls[-1].time)
            lifecycle.suspend(workspace, tool.name)
            done.append(_told(tool, "suspended", failing))
            offered = False
        told = _shadow(tool, proposal) if proposal else None
        if told is None or proposal is None:
            continue
        seen[tool.name] = told
        if told.seen - told.matched >= support and offered and tool.name not in waiting:
            why = f"It does not do what was done in {told.seen - told.matched} of {told.seen} later runs by hand."
            renewed = renew(workspace, tool.name, [(tool, proposal)], why)
            done += [built for built in renewed if built.state not in ("known", "declined")]
    if seen:
        inventory.keep_shadows(workspace, seen)
    return done


def _told(tool: Tool, state: State, reason: str) -> Built:
    """What is said of a tool that was not made anew."""
    return Built(tool, Verdict((), "none"), state, reason)


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


def _events(run: Occurrence) -> set[tuple[str, str]]:
    return {(shown_id(run.session), shown_id(event)) for event in run.events}


def _shadow(tool: Tool, proposal: Proposal) -> Shadow | None:
    from meta.verification import shadow

    learned = inventory.learned(tool)
    fresh = [run for run in proposal.workflow.occurrences if not _events(run) & learned]
    return shadow.shadow(tool, inventory.options(tool), proposal.workflow, fresh)


def _failing(calls: Sequence[Call], proposal: Proposal | None) -> str:
    """Why a tool that was called so should not be offered any more, "" where nothing is wrong.

    By hand a step fails now and then as well, a test above all; what counts is that it has become more.
    """
    earlier, last = calls[:-LAST], calls[-LAST:]
    failures = sum(call.failed for call in last)
    hand = [bool(run.bindings.get("failed")) for run in proposal.workflow.occurrences] if proposal else []
    usual = [*hand, *(call.failed for call in earlier)]
    rate = max((sum(usual) + 1) / (len(usual) + 2) if usual else 0.0, HAND)
    if failures < FEWEST or not last[-1].failed or _tail(failures, len(last), rate) > RISEN:
        return ""
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


def update(workspace: Path, used: Sequence[Followed], *, one: bool, dry_run: bool) -> Iterator[Built]:
    """Make these tools anew where their templates have changed, all on one branch; `one` is made anew in any case."""
    from meta.generation import render

    due: list[tuple[Tool, Proposal]] = []
    for tool, proposal in used:
        version = render.version(render.folder(None, tool.template)) if tool.template else ""
        if not one and version == tool.version:
            yield _told(tool, "known", "its template has not changed")
        elif proposal is None:
            yield _told(tool, "refused", "the runs that it was learned from are not in the index")
        else:
            due.append((tool, proposal))
    why = "It was made anew on request." if one else "Its template has changed."
    yield from renew(workspace, used[0][0].name if one else renewing.ALL, due, why, dry_run=dry_run) if due else ()


def _renewed(workspace: Path, tool: Tool, proposal: Proposal, why: str) -> tuple[Built, dict[str, Blob]]:
    """The tool as its workflow is now, with what a person changed in it, and its files."""
    blend = partial(_blend, workspace, tool.name)
    about = proposal.workflow, proposal.estimate

    def in_use(fresh: Tool) -> Tool:
        files = renewing.blended(workspace, tool.name, pieces.made(fresh, card(fresh, *about), ""), blend)
        return _of(tool.name, files)

    if proposal.workflow.id in lifecycle.declined(workspace):
        return _told(tool, "declined", "this update was declined before"), {}
    try:
        made = building.make(
            workspace, proposal, None, (), called=(tool.name, tool.description), verified=in_use, why=why
        )
        if isinstance(made, Built):
            return made, {}
        fresh = pieces.made(made.tool, card(made.tool, *about), made.text)
        brought = renewing.blended(workspace, tool.name, fresh, blend)
    except UserError as reason:
        return _told(tool, "refused", str(reason)), {}
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
