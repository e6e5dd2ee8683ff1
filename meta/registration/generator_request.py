"""The text a person reads before accepting a tool that makes the next member of a family: one screen.

It holds names, paths, counts and the words of checks; every number says where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from meta.family import HubEdit, Judged
from meta.model import Tool, Verdict, Workflow
from meta.registration.pull_request import count, days, line, page, ran, source, span

_MARK = re.compile(r"META:FILL here")
_SHOWN = 3  # paths that are listed


def text(judged: Judged, hubs: Sequence[HubEdit], tool: Tool, verdict: Verdict) -> str:
    """PR.md for the generator of a family."""
    nothing = Workflow(judged.family.id, tool.name, "", (), (), ())
    parts = [
        ("What repeats", _repeats(judged, hubs)),
        ("What it makes", _makes(judged, hubs)),
        ("Left to you", _left(tool)),
        ("What it saves", _saves(judged)),
        ("What was run", ran(nothing, verdict)),
        ("What it may do", _may(hubs, tool)),
        ("Remove it", [f"`meta retire {tool.name}` takes the tool out again; what it has made stays."]),
    ]
    return page(tool, parts)


def _repeats(judged: Judged, hubs: Sequence[HubEdit]) -> Iterator[str]:
    members = judged.family.members
    times = [member.time for member in members if member.time is not None]
    since = f" since {datetime.fromtimestamp(min(times), UTC):%d %b %Y}" if times else ""
    latest = ", ".join(line(member.name) for member in members[-_SHOWN:][::-1])
    yield f"{count(len(members), 'member')}{since} (measured), the latest {latest}; each adds"
    yield from (f"  {line(path)}" for path in judged.family.paths[:8])
    if hubs:
        yield f"and edits {', '.join(f'{line(edit.path)} ({edit.fits:.0%} of the last adds in just this form)' for edit in hubs)}."


def _makes(judged: Judged, hubs: Sequence[HubEdit]) -> Iterator[str]:
    if lines := [replayed.coverage.lines for replayed in judged.replay]:
        junk = sum(replayed.coverage.junk for replayed in judged.replay) / len(lines)
        yield (
            f"{sum(lines) / len(lines):.0%} of a next member's lines (measured: the last {len(lines)} as of their parent commits, "
            f"{min(lines):.0%} to {max(lines):.0%}), and {junk:.0%} as many that have to be deleted."
        )
    yield f"{judged.left_out.lines:.0%} of a known member's lines, made from the others (measured), {judged.left_out.junk:.0%} to be deleted."
    yield f"Template and answers are {judged.mdl_ratio:.0%} of the members as they are (measured)."
    if hubs:
        yield "The lines in the files that list the members, each among its like; a second run changes nothing."


def _left(tool: Tool) -> Iterator[str]:
    marks = {path: len(_MARK.findall(text)) for path, text in tool.files.items() if path.endswith(".jinja")}
    found = [
        f"{number} in {line(path.rpartition('/')[2].removesuffix('.jinja'))}"
        for path, number in marks.items()
        if number
    ]
    where = f" ({', '.join(found)})" if found else ""
    yield f"What is new in each: {count(sum(marks.values()), 'place')} marked META:FILL{where}."
    yield "It tells where they are; what it cannot place in a file it does not touch, and says so."


def _saves(judged: Judged) -> Iterator[str]:
    estimate = judged.estimate
    week = estimate.minutes_per_run * estimate.automation * estimate.runs_per_week
    yield (
        f"{estimate.runs_per_week:.2f} members a week ({source(estimate, 'runs_per_week')}) at {estimate.minutes_per_run:.0f} min "
        f"({source(estimate, 'minutes_per_run')}), of which {estimate.automation:.0%} goes away ({source(estimate, 'automation')}): "
        f"{week:.1f} min a week."
    )
    yield (
        f"Review and upkeep take about {estimate.build_minutes:.0f} min ({source(estimate, 'build_minutes')}): pays back "
        f"{days(estimate.payback_weeks)} (80 % interval {span(*estimate.interval)}, estimated)."
    )


def _may(hubs: Sequence[HubEdit], tool: Tool) -> Iterator[str]:
    program = re.search(r'^FORMATTER = \["([\w-]+)"', tool.files["tool.py"], re.MULTILINE)
    also = f" It runs {program[1]}, as the project is set up to." if program else ""
    where = f" and edit {count(len(hubs), 'file')} named above" if hubs else ""
    yield f"Write new files at the paths above{where}; it overwrites none.{also} No network."
