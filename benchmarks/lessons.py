"""What is learned from recorded sessions: `python -m benchmarks.lessons CORPUS [--sample N --seed N]`.

CORPUS is a folder with a folder of sessions for each project. Tells the lessons of each project, the seconds a session,
and what holds in time: learned on the first 70 % of a project's sessions, of the failures in the rest that were seen
before those with a lesson that names what then made them pass. With --sample that many lessons are printed whole.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meta import redact, sources
from meta.knowledge import documents, lessons, mending, repairs
from meta.knowledge.findings import identity
from meta.learning import learned
from meta.mining.segments import segments
from meta.mining.shell import Reader
from meta.model import Lesson, Segment, Session

LEARNED = 0.7  # of a project's sessions, the first in time


@dataclass(frozen=True)
class Held:
    """Of the failures in the later sessions: those that were seen before, that passed by a repair, and by a known one.

    `told` are those of a kind whose message was seen before, `named` those of them that a lesson names.
    """

    failures: int = 0
    before: int = 0
    repaired: int = 0
    named: int = 0
    told: int = 0
    told_named: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def projects(corpus: Path) -> Iterator[tuple[str, list[Session]]]:
    """The sessions of each project, redacted, in order of time."""
    redactor = redact.Redactor(b"benchmark")
    for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
        read = sources.combine(map(sources.read, sources.discover([folder])))
        found: dict[str, list[Session]] = {}
        for session in sources.merge(read.sessions):
            if session.events and session.origin != "git":
                found.setdefault(session.project, []).append(redactor.session(session))
        for name, sessions in sorted(found.items()):
            yield name, sorted(sessions, key=lambda session: session.started or 0.0)


def held(project: str, sessions: Sequence[Session], cut: Sequence[tuple[Segment, ...]]) -> Held:
    """What the lessons of the first sessions are worth in the rest."""
    first = int(LEARNED * len(sessions))
    known = lessons.learned(project, sessions[:first], [one for each in cut[:first] for one in each])
    ids = {lesson.id for lesson in known}
    seen = {mending.failure(step, said) for each in cut[:first] for step, said in repairs.failed(each)}
    total = Held()
    for each in cut[first:]:
        passed = {attempt.failed: attempt for attempt in repairs.repairs(each)}
        for step, said in repairs.failed(each):
            again = mending.failure(step, said) in seen
            attempt = passed.get(step)
            named = again and attempt is not None and identity(project, mending.key(attempt)) in ids
            told = again and bool(said.line)
            total += Held(1, again, again and attempt is not None, named, told, told and named)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    every: list[Lesson] = []
    total, slowest, used, count = Held(), 0.0, 0.0, 0
    for project, sessions in projects(args.corpus):
        for session in sessions:
            start = time.process_time()
            learned(project, [session], Reader({}, {}))
            slowest = max(slowest, time.process_time() - start)
        start = time.process_time()
        found = learned(project, sessions, Reader({}, {}))
        seconds = time.process_time() - start
        reader = Reader({}, {})
        one = held(project, sessions, [segments(session, reader) for session in sessions])
        every += found.lessons
        total, used, count = total + one, used + seconds, count + len(sessions)
        kinds = ", ".join(
            f"{sum(x.kind == kind for x in found.lessons)} {kind}"
            for kind in ("failure", "convention", "cost", "correction")
        )
        print(
            f"{project:<28}{len(sessions):>5} sessions {len(found.lessons):>4} lessons ({kinds}) {len(found.notes):>3} notes; held {one.named} of {one.before} seen before"
        )
    print(
        f"\n{len(every)} lessons from {count} sessions; CPU {used / max(count, 1):.3f} s a session, the slowest alone {slowest:.2f} s"
    )
    print(
        f"held in time: of {total.failures} later failures {total.before} were seen before, {total.repaired} of them passed by a rule,"
        f" a lesson named it for {total.named} ({total.named / max(total.before, 1):.0%}); of the {total.told} that said why {total.told_named}"
        f" ({total.told_named / max(total.told, 1):.0%}); without lessons 0"
    )
    for lesson in random.Random(args.seed).sample(every, min(args.sample, len(every))):
        print(f"\n===== {lesson.slug} ({lesson.project})\n{documents.dumps(lesson)}")


if __name__ == "__main__":
    main()
