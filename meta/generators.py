"""From a repository to its families: what is found in its history and in its code, the most worth a look first.

What a generator for one would do, and whether to build it, is judged from these.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from meta import building, git, judging, process
from meta.errors import UserError, did_you_mean
from meta.families import filesets, likeness, paths, recurrence
from meta.families import units as shapes
from meta.family import Coverage, Family, Judged
from meta.intake import Progress, program, quiet
from meta.judging import Proof
from meta.model import Built, Candidate, Decision, Estimate
from meta.store import Store

_LOOKED_AT = 8  # newest members of a family
_ROLES = 4  # files of each


@dataclass(frozen=True, slots=True)
class Found:
    """The families of a repository, best first, and what was left out, by reason.

    `commits` were read until `now`; what they tell of the future and of the work is in `known` and `by_hand`.
    """

    families: tuple[Family, ...]
    skipped: Mapping[str, int]
    commits: int = 0
    now: float = 0.0
    known: recurrence.Experience = recurrence.NOTHING
    by_hand: Mapping[str, float] = field(default_factory=dict)


def found(repository: Path, now: float) -> Found:
    """The families of files, from history: first those whose next members will take most lines that others have too."""
    history = [commit for commit in git.commits(repository) if commit.changes]
    blobs = {entry.path: entry.blob for entry in git.tree(repository) if not entry.link}
    families = filesets.found(history, blobs.keys())
    shared = dict(zip((family.id for family in families), _shared(repository, families, blobs), strict=True))
    alike = [
        family
        for family in families
        if shared[family.id].share >= likeness.LEAST and shared[family.id].characters >= likeness.LEAST_CHARACTERS
    ]
    known = recurrence.experience(alike, now)

    def promise(family: Family) -> float:
        uses, _ = recurrence.expected(family, known, now)
        return shared[family.id].characters * (uses + recurrence.pace(family, now))

    different = len(families) - len(alike)
    return Found(
        families=filesets.named(sorted(alike, key=promise, reverse=True)),
        skipped={"folders of different things": different} if different else {},
        commits=len(history),
        now=now,
        known=known,
        by_hand=recurrence.gaps(history),
    )


def uses(seen: Found, family: Family) -> float:
    """The members to expect in the next 14 days."""
    return recurrence.expected(family, seen.known, seen.now)[0]


def worth(seen: Found, family: Family, coverage: Coverage, *, weeks: float = 2.0) -> tuple[Estimate, Decision]:
    """What a generator with this coverage would save, and whether to build it."""
    estimate = recurrence.estimate(family, coverage, seen.by_hand, seen.known, seen.now)
    return estimate, recurrence.decide(family, estimate, seen.now, weeks=weeks)


def judged(
    repository: Path,
    seen: Found,
    families: Sequence[Family],
    *,
    last: int = judging.REPLAYED,
    weeks: float = 2.0,
    progress: Progress = quiet,
) -> tuple[Judged, ...]:
    """These families, each with what a generator for it would have done and would save."""
    proofs = process.pool(partial(judging.judge, repository, last=last), families, least=2, progress=progress)
    return tuple(_judged(seen, family, proof, weeks) for family, proof in zip(families, proofs, strict=True))


def _judged(seen: Found, family: Family, proof: Proof, weeks: float) -> Judged:
    estimate, decision = worth(seen, family, proof.coverage, weeks=weeks)
    if proof.strategy == "refuse":
        decision = proof.decision
    elif not decision.reason.startswith("nothing to save"):
        decision = replace(decision, reason=f"{proof.decision.reason.removesuffix('.')}; {decision.reason}")
    return Judged(
        family, proof.patterns, proof.left_out, proof.mdl_ratio, proof.replay, proof.strategy, estimate, decision
    )


def due(seen: Found, *, weeks: float = 2.0) -> tuple[Family, ...]:
    """The families whose generator would pay back if it made everything; of no other does the proof matter."""
    return tuple(family for family in seen.families if worth(seen, family, Coverage(1.0, 0.0), weeks=weeks)[1].build)


def candidates(
    store: Store, workspace: Path, *, weeks: float = 2.0, progress: Progress = quiet
) -> tuple[Candidate, ...]:
    """The families of the workspace that are worth a tool and have none."""
    return _worth(store, workspace, weeks, progress)[0]


def proposed(
    store: Store, workspace: Path, *, weeks: float = 2.0, most: int, dry_run: bool, progress: Progress = quiet
) -> list[Built]:
    """A tool for each of the candidates, `most` of them."""
    if most < 1:  # nobody waits for the replay of what is not built
        return []
    waiting, judgements = _worth(store, workspace, weeks, progress)
    if waiting and not judgements:  # they were found before
        seen = found(workspace, time.time())
        there = [family for family in seen.families if family.id in {one.id for one in waiting}]
        judgements = judged(workspace, seen, there, weeks=weeks, progress=progress)
    return [building.build_generator(workspace, one, dry_run=dry_run) for one in judgements[:most]]


def _worth(
    store: Store, workspace: Path, weeks: float, progress: Progress
) -> tuple[tuple[Candidate, ...], tuple[Judged, ...]]:
    """The candidates, and what was found out of them now.

    They are remembered for a day, unless commits are added, for replaying members takes seconds; then nothing is found out.
    """
    from meta.registration import inventory

    now = time.time()
    about = f"{program()} families {git.state(workspace)} {int(now // 86400)} {weeks}"
    key = hashlib.sha256(about.encode()).hexdigest()
    known, cached = inventory.decided(workspace)[0], store.cached(key)
    if cached is not None:
        return tuple(one for row in json.loads(cached) if (one := Candidate(*row)).id not in known), ()
    seen = found(workspace, now)
    judgements = judged(workspace, seen, due(seen, weeks=weeks), weeks=weeks, progress=progress)
    built = [one for one in judgements if one.decision.build]
    rows = [Candidate(one.family.id, one.family.name, one.decision.reason) for one in built]
    store.cache(key, json.dumps([(row.id, row.name, row.reason) for row in rows]))
    return tuple(row for row in rows if row.id not in known), tuple(one for one in built if one.family.id not in known)


def build(workspace: Path, name: str, *, weeks: float = 2.0, dry_run: bool = False) -> Built:
    """The tool of the family of this name, whatever it would save."""
    seen = found(workspace, time.time())
    (one,) = judged(workspace, seen, [find(seen, name)], weeks=weeks)
    return building.build_generator(workspace, one, dry_run=dry_run)


def find(seen: Found, name: str) -> Family:
    """The family of this name or id. Raises `UserError` where there is none."""
    for family in seen.families:
        if name in (family.name, family.id):
            return family
    hint = did_you_mean(name, (family.name for family in seen.families))
    raise UserError(f'no family is called "{name}".{hint} List them with `meta families`.')


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the newest members have in common: characters in all files, and the share of that file where it is largest."""

    characters: float
    share: float


def _shared(repository: Path, families: Iterable[Family], blobs: Mapping[str, str]) -> Iterator[_Shared]:
    wanted = [
        [
            [(m.name, blobs[m.files[role]]) for m in family.members if m.files[role] in blobs][-_LOOKED_AT:]
            for role in range(min(len(family.paths), _ROLES))
        ]
        for family in families
    ]
    members = [member for family in wanted for role in family for member in role]
    texts = git.contents(repository, (blob for _, blob in members))
    lines = (
        likeness.shape(text.decode("utf-8", "replace"), name) if text else frozenset[str]()
        for (name, _), text in zip(members, texts, strict=True)
    )
    for family in wanted:
        roles = [[next(lines) for _ in role] for role in family]
        shares = [likeness.likeness(role) for role in roles]
        sizes = [sum(len(line) for member in role for line in member) / (len(role) or 1) for role in roles]
        yield _Shared(sum(a * b for a, b in zip(shares, sizes, strict=True)), max(shares, default=0.0))


def units(repository: Path) -> Found:
    """The families of functions and classes in a work tree, of a bare repository in its last commit."""
    skipped: Counter[str] = Counter()
    every = []
    for path, source in _sources(repository):
        if paths.left_out(path):
            continue
        if source is None:
            skipped["larger than 1 MB or not at hand"] += 1
            continue
        try:
            every += shapes.units(path, source)
        except shapes.UnreadableError as reason:
            skipped[str(reason)] += 1
    return Found(shapes.found(every), skipped)


_LARGEST = 1 << 20  # bytes


def _sources(repository: Path) -> Iterator[tuple[str, bytes | None]]:
    """The Python files with their content, no links and nothing of submodules."""
    if git.is_bare(repository):
        entries = [entry for entry in git.tree(repository) if entry.path.endswith(".py") and not entry.link]
        contents = git.contents(repository, (entry.blob for entry in entries), _LARGEST)
        yield from zip((entry.path for entry in entries), contents, strict=True)
        return
    top = git.root(repository)
    for path in git.files(top):
        file = top / path
        if path.endswith(".py") and file.is_file() and not _linked(top, path):
            yield path, file.read_bytes() if file.stat().st_size <= _LARGEST else None


def _linked(top: Path, path: str) -> bool:
    """Whether the path, or a folder on the way to it, is a link: it may lead anywhere."""
    return os.path.realpath(top / path) != os.path.join(os.path.realpath(top), path)
