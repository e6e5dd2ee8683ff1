"""Families of files: what commits keep adding in the same places under another name, found in the raw log alone.

Each commit's added paths are written with as few bits as names and path templates allow; templates that many names
share are families. Whether the files of a family are alike inside is not looked at.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from hashlib import blake2b
from heapq import heapify, heappop, heappush

from meta.families import paths
from meta.family import Family, Hub, Member
from meta.git import Commit

LEAST = 3  # members
BULK = 25  # files added by one commit: more is an import or a move, not somebody's next one
_RECENT = 10  # adds that tell how it is done now
_TOGETHER = 0.5  # of the adds, for a file to be part of a member
_PART = 0.8  # of the names of a file that are members: it is something that only some members have
_SAME_WORK = 7 * 86400.0  # seconds between two adds for one name
_HUB = 0.4  # of the recent adds
_COVERED = 0.9  # of a template's paths, to be a case of a wider one
_MOST = 0.8  # of a wider template's paths in one narrower: the narrower is the family
_EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # git's name of a file without content


@dataclass(frozen=True, slots=True)
class _Add:
    """A file that a commit added."""

    path: str
    commit: Commit
    blob: str
    bulk: bool


def found(history: Iterable[Commit], present: Set[str] | None = None) -> tuple[Family, ...]:
    """The families of a history (newest commit first), largest first.

    `present` are the paths of today. A family of which no file is left is history only and is left out.
    """
    commits = [commit for commit in history if commit.changes]
    commits.reverse()
    adds = _adds(commits)
    every = {path: paths.opened(path) for path in adds}
    opened = _often(every, adds)
    chosen = _chosen(adds, opened)
    roles = _merged(_roles((t, name, path) for path, (t, name) in chosen.items()), opened)
    roles = _completed(roles, adds, opened)
    alive = adds.keys() & (adds.keys() if present is None else present)
    moved = _roles((t, name, path) for path in sorted(alive - chosen.keys()) for name, t in every[path].items())
    return named(_families(roles, moved, adds, alive))


def named(families: Iterable[Family]) -> tuple[Family, ...]:
    """The families, each with a short name that no other has."""
    every = list(families)
    names = _names([family.paths[0] for family in every])
    return tuple(replace(family, name=name) for family, name in zip(every, names, strict=True))


def _adds(commits: Iterable[Commit]) -> dict[str, _Add]:
    """The first add of each path, oldest first."""
    adds: dict[str, _Add] = {}
    for commit in commits:
        added = [change for change in commit.changes if change.status == "A"]
        bulk = len(added) > BULK
        for change in added:
            if change.path not in adds and not paths.left_out(change.path):
                adds[change.path] = _Add(change.path, commit, change.blob, bulk)
    return adds


def _often(every: Mapping[str, Mapping[str, str]], adds: Mapping[str, _Add]) -> dict[str, dict[str, str]]:
    """The templates of each path that enough paths of commits of an ordinary size have."""
    counts = Counter(t for path, templates in every.items() if not adds[path].bulk for t in templates.values())
    often = {template for template, count in counts.items() if count >= LEAST}
    return {
        path: {name: template for name, template in templates.items() if template in often}
        for path, templates in every.items()
    }


Role = dict[str, str]
"""The paths of one template by the key of the name."""


def _chosen(adds: Mapping[str, _Add], opened: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, str]]:
    """The template and the name that write each path best; no entry for a path that is best written as it is."""
    groups: dict[str, list[str]] = defaultdict(list)
    for add in adds.values():
        groups[add.commit.sha].append(add.path)
    counts = Counter(t for path, templates in opened.items() if not adds[path].bulk for t in templates.values())
    chosen: dict[str, tuple[str, str]] = {}
    for _ in range(2):  # again with what was chosen, for a template that others replace everywhere is none
        total = math.log2(max(sum(counts.values()), 2))
        cost = {t: total - math.log2(n) + paths.bits(t) / n for t, n in counts.items() if n >= LEAST}
        chosen = {path: name for group in groups.values() for path, name in _written(group, opened, cost, total)}
        counts = Counter(template for path, (template, _) in chosen.items() if not adds[path].bulk)
    return {path: (template, name) for path, (template, name) in chosen.items() if counts[template] >= LEAST}


def _written(
    group: Sequence[str], opened: Mapping[str, Mapping[str, str]], cost: Mapping[str, float], total: float
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The paths that one commit added, each with its template and name: the name that saves most bits comes first."""
    saving: dict[str, dict[str, tuple[float, str]]] = defaultdict(dict)
    for path in group:
        plain = total + paths.bits(path)
        for name, template in opened[path].items():
            if template in cost and (saved := plain - cost[template]) > 0:
                saving[name][path] = saved, template

    def gain(name: str) -> float:
        return sum(saved for path, (saved, _) in saving[name].items() if path not in done) - _name_bits(name)

    done: set[str] = set()
    heap = [(-gain(name), name) for name in saving]
    heapify(heap)
    while heap:
        was, name = heappop(heap)
        now = gain(name)
        if now <= 0:
            continue
        if -was > now:  # others took some of its paths meanwhile
            heappush(heap, (-now, name))
            continue
        for path, (_, template) in saving[name].items():
            if path not in done:
                done.add(path)
                yield path, (template, name)


def _name_bits(name: str) -> float:
    return 2 + paths.bits(name)


def _roles(written: Iterable[tuple[str, str, str]]) -> dict[str, Role]:
    """The roles of (template, name, path), those with enough names."""
    roles: dict[str, Role] = defaultdict(dict)
    for template, name, path in written:
        roles[template].setdefault(name, path)
    return {template: role for template, role in roles.items() if len(role) >= LEAST}


def _merged(roles: Mapping[str, Role], opened: Mapping[str, Mapping[str, str]]) -> dict[str, Role]:
    """The roles without those that another holds: `chi_ssa_{X}` and `chi_{X}` are cases of `{X}`.

    Where nearly all of a wider template is one narrower (`test_{X}` of `{X}`), the narrower stays and the rest is dropped.
    """
    inside: dict[str, dict[str, Role]] = defaultdict(dict)
    for narrow, role in roles.items():
        within: dict[str, Role] = defaultdict(dict)
        for name, path in role.items():
            for longer, template in opened[path].items():
                if template != narrow and template in roles and name in longer:
                    within[template][longer] = path
        for wide, renamed in within.items():
            if len(renamed) >= _COVERED * len(role):
                inside[wide][narrow] = renamed
    merged = dict(roles)
    for wide in sorted(inside, key=lambda t: (-len(roles[t]) - sum(map(len, inside[t].values())), t)):
        held = {narrow: role for narrow, role in inside[wide].items() if narrow in merged}
        if wide not in merged or not held:
            continue
        whole = dict(merged[wide])
        for role in held.values():
            whole |= role
        if max(map(len, held.values())) > _MOST * len(whole):
            del merged[wide]
            continue
        for narrow in held:
            del merged[narrow]
        merged[wide] = whole
    return merged


def _completed(
    roles: Mapping[str, Role], adds: Iterable[str], opened: Mapping[str, Mapping[str, str]]
) -> dict[str, Role]:
    """The roles with the paths that another template wrote best which turned out to be none."""
    whole = {template: dict(role) for template, role in roles.items()}
    known = {path for role in roles.values() for path in role.values()}
    for path in adds:
        fitting = [] if path in known else [(len(roles[t]), t, name) for name, t in opened[path].items() if t in roles]
        if fitting:
            _, template, name = max(fitting)
            whole[template].setdefault(name, path)
    return whole


def _families(
    roles: Mapping[str, Role], moved: Mapping[str, Role], adds: Mapping[str, _Add], alive: Set[str]
) -> Iterator[Family]:
    """One after the other: the role that tells the family first, and what is added with it."""
    steps: dict[str, list[Sequence[str]]] = defaultdict(list)
    for step in _steps(roles, adds):
        for template in step:
            steps[template].append(step)
    empty = {t for t, role in roles.items() if 2 * sum(adds[path].blob == _EMPTY for path in role.values()) > len(role)}
    order = sorted(roles, key=lambda t: (t in empty, paths.beside(t), -len(roles[t]), t))
    having: dict[str, list[str]] = defaultdict(list)
    for template, role in moved.items():
        for name in role:
            having[name].append(template)
    owner: dict[str, str] = {}
    for first in order:
        names = {name for name, path in roles[first].items() if path in alive}
        if first in owner or first in empty or len(names) < LEAST:
            continue
        owner[first] = first
        together = _together(first, steps[first], owner)
        others = [t for t in order if t in together and not alive.isdisjoint(roles[t].values())]
        there = Counter(t for name in sorted(names) for t in having.get(name, ()))
        others += [t for t, count in there.items() if count >= _TOGETHER * len(names)]
        for part in _parts(first, others, roles, steps):
            owner.setdefault(part, first)
        yield _family((first, *others), {**moved, **roles}, adds, alive)


def _together(first: str, steps: Sequence[Sequence[str]], owner: Mapping[str, str]) -> set[str]:
    """The templates added in most steps that add the first, of all or of the last ones.

    Not counted is what came in the same step with the family that it is part of.
    """
    with_it = [{t for t in step if t != first and owner.get(t) not in step} for step in steps]
    lately = with_it[-_RECENT:]
    always, now = (Counter(t for step in each for t in step) for each in (with_it, lately))
    return {t for t in always if always[t] >= _TOGETHER * len(with_it) or now[t] >= _TOGETHER * len(lately)}


def _parts(
    first: str, others: Sequence[str], roles: Mapping[str, Role], steps: Mapping[str, Sequence[Sequence[str]]]
) -> Iterator[str]:
    """The templates that make no family of their own: they come with this one, or are something its members have."""
    for template, count in Counter(t for step in steps[first] for t in step).items():
        if count >= _TOGETHER * len(steps[template]):
            yield template
    folders = {folder for template in (first, *others) if (folder := _own_folder(template))}
    for template, role in roles.items():
        if _own_folder(template) in folders and len(role.keys() & roles[first].keys()) >= _PART * len(role):
            yield template


def _own_folder(template: str) -> str:
    """The folder that each member has for itself, "" where there is none."""
    start, hole, rest = template.partition(paths.HOLE)
    return start + hole + rest[: rest.index("/")] if "/" in rest else ""


def _steps(roles: Mapping[str, Role], adds: Mapping[str, _Add]) -> list[tuple[str, ...]]:
    """The templates that were added for one name within a few days of each other, oldest first."""
    names: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for template, role in roles.items():
        for name, path in role.items():
            if not adds[path].bulk:
                names[name].append((adds[path].commit.time, template))
    steps = []
    for each in names.values():
        each.sort()
        start = 0
        for index in range(1, len(each) + 1):
            if index == len(each) or each[index][0] - each[index - 1][0] > _SAME_WORK:
                steps.append((each[start][0], tuple(template for _, template in each[start:index])))
                start = index
    return [step for _, step in sorted(steps)]


def _family(templates: tuple[str, ...], roles: Mapping[str, Role], adds: Mapping[str, _Add], alive: Set[str]) -> Family:
    first = templates[0]
    members = []
    for name, path in roles[first].items():
        spelling = paths.values(first, path)
        made = adds[path].commit
        files = tuple(roles[template].get(name, "") for template in templates)
        members.append(Member(spelling[0] if spelling else name, files, made.sha, made.time, made.author))
    members.sort(key=lambda member: (member.time or 0.0, member.name))
    digest = blake2b(f"files\0{first}".encode(), digest_size=6).hexdigest()
    return Family(f"f1-{digest}", "", "files", templates, tuple(members), _hubs(members, adds, alive))


def _names(templates: Sequence[str]) -> list[str]:
    """A short name for each, from the words that stand nearest before the hole: two, or more where two have the same."""
    words = [paths.words(template[: template.index(paths.HOLE)]) for template in templates]
    names = ["" for _ in templates]
    for count in range(2, max(map(len, words), default=0) + 3):
        seen = Counter(names)
        for place, each in enumerate(words):
            if not names[place] or seen[names[place]] > 1:
                names[place] = "-".join(dict.fromkeys(word.lower() for word in each[-count:])) or "files"
    seen = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        names[place] = f"{name}-{seen[name]}" if seen[name] > 1 else name
    return names


def _hubs(members: Sequence[Member], adds: Mapping[str, _Add], alive: Set[str]) -> tuple[Hub, ...]:
    """The files that the last commits which added a member edited, most often edited first."""
    own = {path for member in members for path in member.files}
    newest = [adds[member.files[0]] for member in reversed(members)]
    last = list({add.commit.sha: add.commit for add in newest if not add.bulk}.values())[:_RECENT]
    edits = Counter(
        change.path
        for commit in last
        for change in commit.changes
        if change.status == "M" and change.path in alive and change.path not in own
    )
    hubs = [Hub(path, round(count / len(last), 3)) for path, count in edits.items() if count >= _HUB * len(last)]
    return tuple(sorted(hubs, key=lambda hub: (-hub.share, hub.path)))
