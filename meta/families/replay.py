"""Replay how the last members would have been made: at its parent commit each, from the siblings of that day alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meta import git
from meta.family import Family, Member

SIBLINGS = 12
_OLDER = 3  # times as many are looked at, for some of them are gone by then


@dataclass(frozen=True, slots=True)
class Moment:
    """A member as its commit added it, and the siblings as the parent commit had them, oldest first: texts by path template."""

    member: Member
    files: Mapping[str, str]
    siblings: Mapping[str, Mapping[str, str]]


def moments(repository: Path, family: Family, last: int = 10) -> list[Moment]:
    """The last members with their siblings, oldest first; all blobs are read by one git."""
    asked: list[tuple[int, str, str, str]] = []  # which member's moment, whose file, its role, the object
    members = [at for at, member in enumerate(family.members) if member.commit][-last:]
    for at in members:
        member = family.members[at]
        asked += [(at, "", path, f"{member.commit}:{file}") for path, file in _files(family, member)]
        for sibling in family.members[max(at - _OLDER * SIBLINGS, 0) : at]:
            if sibling.name != member.name and sibling.commit != member.commit:
                asked += [
                    (at, sibling.name, path, f"{member.commit}^:{file}") for path, file in _files(family, sibling)
                ]
    found: dict[int, dict[str, dict[str, str]]] = {at: {} for at in members}
    for (at, name, path, _), content in zip(asked, git.contents(repository, (spec for *_, spec in asked)), strict=True):
        text = _text(content)
        if text is not None:
            found[at].setdefault(name, {})[path] = text
    result = []
    for at in members:
        files = found[at].pop("", {})
        siblings = [(name, texts) for name, texts in found[at].items() if family.paths[0] in texts][-SIBLINGS:]
        if files and siblings:
            result.append(Moment(family.members[at], files, dict(siblings)))
    return result


def _files(family: Family, member: Member) -> Sequence[tuple[str, str]]:
    return [(path, file) for path, file in zip(family.paths, member.files, strict=True) if file and "\n" not in file]


def _text(content: bytes | None) -> str | None:
    """A text as it is, byte for byte; None for what is none."""
    if content is None or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def by_role(siblings: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The siblings' texts by path template, then by name."""
    roles: dict[str, dict[str, str]] = {}
    for name, texts in siblings.items():
        for path, text in texts.items():
            roles.setdefault(path, {})[name] = text
    return roles
