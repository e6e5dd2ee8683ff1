"""Gather what a generator of a family's next member needs: paths, patterns, hub edits, and the answers of each member.

Whether such a generator is worth building is judged before; how it is written is decided in `generation`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from meta import git
from meta.errors import UserError
from meta.families import blobs, hubs, names, patterns, score
from meta.families.reading import NAME
from meta.family import (
    Blueprint,
    Each,
    Family,
    Form,
    Free,
    HubEdit,
    Insertion,
    Line,
    Member,
    Named,
    Node,
    Option,
    Pattern,
    Piece,
    Role,
    Slot,
    Text,
    Value,
)

LEAST = 3  # members to learn from
MEMBERS = 12  # newest ones that are learned from
ASKED = 8  # questions, the name included
OPTIONS = 4  # of them at most
_USUAL = 0.5  # share of the members that must have a file, or a value, for it to be the default
_X = "{X}"

Answers = dict[str, dict[str, Value]]


def of_repository(
    repository: Path, family: Family, last: int = MEMBERS
) -> tuple[Blueprint, Mapping[str, Mapping[str, str]]]:
    """The blueprint of the family's last members as they are today, and their files by name and path.

    Raises `UserError` where too few are left.
    """
    wanted = [(m, path, file) for m in family.members for path, file in blobs.files(family, m)]
    specs = [*(f"HEAD:{file}" for _, _, file in wanted), *(f"HEAD:{hub.path}" for hub in family.hubs)]
    texts = [blobs.text(content) for content in git.contents(repository, specs)]
    found: dict[str, dict[str, str]] = {}
    files: dict[str, dict[str, str]] = {}
    for (m, path, file), text in zip(wanted, texts, strict=False):
        if text is not None:
            found.setdefault(m.name, {})[path] = text
            files.setdefault(m.name, {})[file] = text
    members = {m.name: m for m in family.members if family.paths[0] in found.get(m.name, {})}
    newest = list(members.values())[-last:]
    if len(newest) < LEAST:
        raise UserError(f"of {family.name} fewer than {LEAST} members are there today: there is nothing to learn from.")
    roles = {path: {m.name: found[m.name][path] for m in newest if path in found[m.name]} for path in family.paths}
    roles = {path: of for path, of in roles.items() if of}
    hub_texts = {hub.path: text or "" for hub, text in zip(family.hubs, texts[len(wanted) :], strict=True)}
    there = [replace(m, files=tuple(file if file in files[m.name] else "" for file in m.files)) for m in newest]
    learned = patterns.learn_together(roles)
    edits = [edit for edit in hubs.edits(repository, family) if hub_texts[edit.path]]
    plan = blueprint(family.name, there, learned, roles, edits, hub_texts)
    return plan, {m.name: files[m.name] for m in newest}


def blueprint(
    name: str,
    members: Sequence[Member],
    learned: Sequence[Pattern],
    texts: Mapping[str, Mapping[str, str]],
    edits: Sequence[HubEdit] = (),
    hub_texts: Mapping[str, str] | None = None,
) -> Blueprint:
    """The blueprint of the members, from their `texts` by path template and name, and the texts of the hubs as they are."""
    answers: Answers = {
        m.name: dict(patterns.answers_together(learned, m.name, {path: of[m.name] for path, of in texts.items() if m.name in of}))
        for m in members
    }  # fmt: skip
    defaults: dict[str, Value | Named] = {k: v for p in learned for k, v in p.defaults.items()}
    roles = tuple(_role(number, pattern, members, answers, defaults) for number, pattern in enumerate(learned))
    linked = tuple(_linked(edit, (hub_texts or {}).get(edit.path, ""), answers, defaults) for edit in edits)
    options = score.questions(learned, texts, OPTIONS)
    return Blueprint(name, roles, linked, answers, defaults, _asked(options, roles, linked, answers, defaults))


def _role(
    number: int, pattern: Pattern, members: Sequence[Member], answers: Answers, defaults: dict[str, Value | Named]
) -> Role:
    """The role, with what of its path and its presence differs made parameters."""
    template = re.compile("(.+?)".join(map(re.escape, pattern.path.split(_X))))
    spelled = {
        m.name: f.groups()
        for m in members
        for path in m.files
        if (f := template.fullmatch(path)) and _same(m, f.groups())
    }
    pieces: list[Piece] = []
    for place, text in enumerate(pattern.path.split(_X)):
        if place:
            written = {member: groups[place - 1] for member, groups in spelled.items()}
            forms = Counter(form for member, text in written.items() for form in names.forms_of(member, text))
            form: Form = max(forms, key=lambda form: forms[form], default="as-is")
            if forms[form] == len(written):
                pieces.append(Named(NAME, form))
            else:
                slot = f"path_{number}_{place}"
                pieces.append(Slot(slot))
                defaults[slot] = Named(NAME, form)
                for member, text in written.items():
                    answers[member][slot] = text
        pieces += [Text(text)] if text else []
    present = "" if len(spelled) == len(members) else f"has_{_stem(pattern.path)}_{number}"
    if present:
        defaults[present] = len(spelled) > _USUAL * len(members)
        for who in members:
            answers[who.name][present] = who.name in spelled
    return Role(tuple(pieces), pattern, present)


def _stem(path: str) -> str:
    """A word for a file."""
    return names.in_form(path.rpartition("/")[2].partition(".")[0], "snake") or "file"


def _same(member: Member, groups: Sequence[str]) -> bool:
    """Whether what stands in a path is the member's name."""
    return all(names.letters(text) == names.letters(member.name) for text in groups)


def _linked(edit: HubEdit, text: str, answers: Answers, defaults: dict[str, Value | Named]) -> HubEdit:
    """The edit with its slots named as the parameters that say the same in every member, or anew."""
    return replace(
        edit, insertions=tuple(_linked_lines(edit.path, found, text, answers, defaults) for found in edit.insertions)
    )


def _linked_lines(
    path: str, found: Insertion, text: str, answers: Answers, defaults: dict[str, Value | Named]
) -> Insertion:
    said = {member: values for member in answers if (values := hubs.standing(found, member, text))}
    new: dict[str, str] = {}
    fresh: dict[str, tuple[Text | Named, ...]] = {}
    for slot in (p.parameter for line in found.lines for p in line.pieces if isinstance(p, Slot)):
        values = {member: of[slot] for member, of in said.items()}
        same = next((p for p in defaults | _every(answers) if _says(p, values, answers)), None)
        if same is None:
            stem = _stem(path)
            known = {NAME, *defaults, *_every(answers), *new.values()}
            same = next(other for n in count(1) if (other := f"{stem}_{n}") not in known)
            if slot in found.defaults:
                fresh[same] = found.defaults[slot]
            for member, value in values.items():
                answers[member][same] = value
        new[slot] = same
    lines = tuple(
        Line(tuple(Slot(new[p.parameter]) if isinstance(p, Slot) else p for p in line.pieces)) for line in found.lines
    )
    return replace(found, lines=lines, defaults=fresh)


def _every(answers: Answers) -> dict[str, Value]:
    return {parameter: value for of in answers.values() for parameter, value in of.items()}


def _says(parameter: str, values: Mapping[str, str], answers: Answers) -> bool:
    known = {member: answers[member][parameter] for member in values if parameter in answers[member]}
    return (
        len(known) >= max(2, _USUAL * len(values))
        and len(set(values.values())) > 1
        and all(values[m] == v for m, v in known.items())
    )


def _asked(
    options: Sequence[str],
    roles: Sequence[Role],
    edits: Sequence[HubEdit],
    answers: Answers,
    defaults: Mapping[str, Value | Named],
) -> tuple[str, ...]:
    """The name, the options, and of what has no default those that most differ and stand in most places."""
    uses: Counter[str] = Counter()
    for role in roles:
        _count(role.pattern.nodes, uses)
        uses.update(p.parameter for p in role.path if isinstance(p, Slot))
    for edit in edits:
        uses.update(
            p.parameter for found in edit.insertions for line in found.lines for p in line.pieces if isinstance(p, Slot)
        )
    worth: dict[str, float] = {}
    for parameter, places in uses.items():
        values = [of[parameter] for of in answers.values() if isinstance(of.get(parameter), str)]
        if parameter != NAME and values:
            open_ = parameter not in defaults
            worth[parameter] = (
                places * len(set(values)) / len(values) * (4 if open_ else 1) * len(values) / len(answers)
            )
    return (NAME, *options, *sorted(worth, key=lambda p: (-worth[p], p)))[:ASKED]


def _count(nodes: Sequence[Node], uses: Counter[str]) -> None:
    for node in nodes:
        match node:
            case Line():
                uses.update(piece.parameter for piece in node.pieces if not isinstance(piece, Text))
            case Option():
                _count(node.nodes, uses)
            case Each() | Free():
                pass
