"""Lead a pattern by the one that ends the prompt before it: the gate that is run, then the commit that is asked for.

Patterns are not found here, and none is made of what only happens to meet at the border of two prompts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from meta.mining.events import Trace
from meta.mining.patterns import Instance, Pattern, weighed
from meta.mining.segments import commands
from meta.mining.selection import THRESHOLD
from meta.mining.triggers import SOMETIMES
from meta.model import Segment

MOSTLY = 0.5  # share of the second pattern's occurrences that the first leads
NEAR = 2  # other commands between a pattern and the border of its segment


def chained(
    patterns: Sequence[Pattern], found: Sequence[Segment], traces: Sequence[Trace], least: int = 3
) -> tuple[list[Pattern], list[Segment]]:
    """The patterns, each led by the one that mostly ends the segment before it, and the segments they now refer to.

    What leads is optional, as it was done for another prompt. Nothing may be edited between the two.
    """
    segments, made = list(found), []
    follows = {n + 1 for n, (a, b) in enumerate(pairwise(traces)) if a.session == b.session}
    whole = [pattern for pattern in patterns if not pattern.loop]
    every_end = [_at_border(pattern, found, traces, last=True) for pattern in whole]
    needed = THRESHOLD + 2 * math.log2(max(len(whole), 1))
    for second in patterns:
        starts = _at_border(second, found, traces, last=False)
        best: tuple[float, Pattern, dict[int, Instance]] = (needed, second, {})
        for first, ends in zip(whole, every_end, strict=True):
            links = {n: ends[n - 1] for n in starts if n in follows and n - 1 in ends}
            often = len({traces[n].session for n in links}) >= least and len(links) >= MOSTLY * len(second.instances)
            if first is not second and often:
                best = max(best, (_attraction(first, second, traces), first, links), key=lambda one: one[0])
        _, first, links = best
        leads = {starts[n]: lead for n, lead in links.items()}
        made.append(_led(first, second, leads, segments, least) if links else second)
    return made, segments


def _attraction(first: Pattern, second: Pattern, traces: Sequence[Trace]) -> float:
    """In bits: how rarely the second pattern comes that often right after the first if each session is shuffled."""
    one, other = ({instance.trace for instance in pattern.instances} for pattern in (first, second))
    forward = sum(n + 1 in other and traces[n].session == traces[n + 1].session for n in one if n + 1 < len(traces))
    sizes, ones, others = (Counter(traces[n].session for n in numbers) for numbers in (range(len(traces)), one, other))
    expected = sum(ones[session] * others[session] / sizes[session] for session in ones)
    if not forward:
        return 0.0
    fewer = sum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(forward))
    return -math.log2(max(1.0 - fewer, 1e-12))


def _at_border(
    pattern: Pattern, found: Sequence[Segment], traces: Sequence[Trace], *, last: bool
) -> dict[int, Instance]:
    """The occurrences after (or before) which their segments have no edit and hardly another command, by trace."""
    there: dict[int, Instance] = {}
    for one in pattern.instances:
        place = max(one.positions) if last else min(p for p in one.positions if p >= 0)
        symbols = traces[one.trace].symbols.tolist()
        beyond = symbols[place + 1 :] if last else symbols[:place]
        border = commands(found[one.trace])[place].position
        edits = [step.position for step in found[one.trace].steps if step.kind == "edit"]
        edited = any(edit > border if last else edit < border for edit in edits)
        if sum(symbol not in pattern.steps for symbol in beyond) <= NEAR and not edited:
            there[one.trace] = one
    return there


def _led(
    first: Pattern, second: Pattern, leads: Mapping[Instance, Instance], segments: list[Segment], least: int
) -> Pattern:
    """The second pattern with the steps of the first before it. The segments that both span are added to `segments`."""
    instances: list[Instance] = []
    for one in second.instances:
        lead = leads.get(one)
        if lead is None:
            instances.append(Instance(one.trace, (*(-1 for _ in first.steps), *one.positions)))
            continue
        ahead, behind = segments[lead.trace], segments[one.trace]
        shift = len(commands(ahead))
        instances.append(
            Instance(len(segments), (*lead.positions, *(p + shift if p >= 0 else -1 for p in one.positions)))
        )
        segments.append(replace(behind, steps=ahead.steps + behind.steps))
    needed = max(least, SOMETIMES * len(leads))
    held = [sum(one.positions[k] >= 0 for one in instances) for k in range(len(first.steps))]
    columns = [k for k in range(len(first.steps) + len(second.steps)) if k >= len(held) or held[k] >= needed]
    steps = (*first.steps, *second.steps)
    kept = [replace(one, positions=tuple(one.positions[k] for k in columns)) for one in instances]
    return weighed(replace(second, steps=tuple(steps[k] for k in columns)), kept)
