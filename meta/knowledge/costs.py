"""What burns time in a project: commands that take long, told with how long.

What a run of a workflow costs is estimated elsewhere.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator

from meta.knowledge.findings import Finding, Seen, at
from meta.knowledge.wording import code, shown
from meta.model import Segment, Step, conversation

LONG = 20.0  # seconds from which a command is worth a word
RUNS, SESSIONS = 4, 2


def costs(segments: Iterable[Segment]) -> Iterator[Finding]:
    """The commands of one project that take long, by the median: waits for a person's consent are in single runs."""
    runs: dict[str, list[tuple[Step, str]]] = defaultdict(list)
    for segment in segments:
        for step in segment.steps:
            if (
                step.kind == "command"
                and step.effect == "work"
                and step.seconds is not None
                and " - " not in f"{step.head} "
            ):
                runs[shown(step.words, step.head)].append((step, segment.session))
    for line, made in sorted(runs.items()):
        seconds = sorted(step.seconds or 0.0 for step, _ in made)
        middle = statistics.median(seconds)
        sessions = len({conversation(session) for _, session in made})
        if middle < LONG or len(made) < RUNS or sessions < SESSIONS or line.startswith(("sleep", "timeout", "<")):
            continue
        most = seconds[int(0.9 * (len(seconds) - 1))]
        yield Finding(
            "cost", f"long {line}", f"time of {line}",
            f"{code(line)} takes about {_told(middle)}: give it more than {_told(max(most, middle * 1.5))}, and run it once at the end of a change.",
            f"Median of {len(made)} runs in {sessions} sessions; nine of ten took at most {_told(most)}.", f"{code(line)} is run",
            tuple[Seen, ...](at(step, session) for step, session in made[-12:]),
        )  # fmt: skip


def _told(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"
