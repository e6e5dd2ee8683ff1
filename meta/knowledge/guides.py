"""A guide: a document that says how to think in a field, with claims, their evidence, and a check that can fail.

It is Markdown that people write and edit; lessons, which are learned from sessions, are read here only to be found.

    ---
    title: …            when: …            scope: …            expires: 2027-01-31
    ---
    ## Claims           - **id**: the key line, on one line
    ## Evidence         - **id**: the figure. Source: where it can be looked up
    ## Counter-evidence - **id**: where the claim does not hold. Source: …
    ## Check            a fenced block of Python or shell that ends with an error where a claim is false
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import meta
from meta.errors import UserError

LEARNED = ("lessons", "sessions")  # folders of what is learned, not written
_FIELD = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*))?")
_QUOTED = re.compile(r"'((?:[^']|'')*)'(?:[ \t]+#.*)?")
_ITEM = re.compile(r"[-*][ \t]+(?:\*\*|`)?([a-z0-9][a-z0-9-]*)(?:\*\*|`)?:(?:\*\*)?[ \t]+(\S.*)")
_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t#]*")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([\w+-]*).*")
_KNOWN = ("claims", "evidence", "counter-evidence", "check")
_SOURCE = re.compile(r"\bSource:\s*\S")
_LANGUAGES = {"python": "python", "py": "python", "sh": "shell", "bash": "shell", "shell": "shell"}
_WRONG = re.compile(r"^([ \t]*)(\S.*?)[ \t]*# fails with: (.+?)[ \t]*$", re.MULTILINE)


class GuideError(UserError):
    """What is wrong with a document, with its path and line."""

    def __init__(self, path: str, line: int, text: str) -> None:
        super().__init__(f"{path}:{line}: {text}")
        self.path, self.line, self.text = path, line, text


@dataclass(frozen=True, slots=True)
class Claim:
    """One key line. `id` is what cases and evidence call it by."""

    id: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for or against the claim of this id, and where it can be looked up."""

    claim: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Check:
    """A program that ends with an error where the document is wrong. `language` is "python" or "shell"."""

    language: str
    code: str

    @property
    def wrong(self) -> tuple[str, ...]:
        """The program with one thing made wrong, once for each line that tells in a comment what it fails with."""
        marks = list(_WRONG.finditer(self.code))
        return tuple(self.code[: m.start()] + m[1] + m[3] + self.code[m.end() :] for m in marks)


@dataclass(frozen=True, slots=True)
class Guide:
    """A document. `name` is its path below `knowledge/`; `expires` is a day (ISO), "" for never; `prose` is all that
    stands in no section of ours."""

    name: str
    title: str
    when: str
    scope: str
    expires: str
    claims: tuple[Claim, ...]
    evidence: tuple[Evidence, ...]
    counter: tuple[Evidence, ...]
    check: Check | None
    prose: str
    version: str


def places(workspace: Path | None) -> dict[str, Path]:
    """All documents by name, in order: the workspace's own, and those of the package that it does not override.

    What was retired lies in a hidden folder.
    """
    package = Path(meta.__file__).parent
    shipped = next((f for f in (package / "data" / "knowledge", package.parent / "knowledge") if f.is_dir()), None)
    found: dict[str, Path] = {}
    for folder in (shipped, workspace / "knowledge" if workspace else None):
        if folder:
            files = (path for path in folder.rglob("*.md") if path.is_file() and not path.is_symlink())
            named = {path.relative_to(folder).as_posix(): path for path in files}
            found |= {name: path for name, path in named.items() if not f"/{name}".count("/.")}
    return dict(sorted(found.items()))


def parse(text: str, name: str) -> Guide:
    """The guide of a text. Sections and fields it does not know are left to the reader; `GuideError` says what is wrong."""
    lines = text.removeprefix("\ufeff").splitlines()
    fields, start = _front(lines, name)
    sections = _sections(lines, start)
    claims = tuple(Claim(*item) for item in _items(lines, sections, "claims", name))
    if not claims and fields.get("claim"):  # a lesson's one
        claims = (Claim("claim", fields["claim"], 1),)
    ids = [claim.id for claim in claims]
    for at, claim in enumerate(claims):
        if claim.id in ids[:at]:
            raise GuideError(name, claim.line, f'there are two claims "{claim.id}". Give each a name of its own.')
    evidence = _evidence(lines, sections, "evidence", ids, name)
    counter = _evidence(lines, sections, "counter-evidence", ids, name)
    headings = (m[2] for line in lines[start:] if (m := _HEADING.fullmatch(line)))
    title = fields.get("title") or fields.get("claim") or next(headings, "") or Path(name).stem
    return Guide(
        name, title, fields.get("when", ""), fields.get("scope", ""), _day(fields.get("expires", ""), lines, name),
        claims, evidence, counter, _check(lines, sections, name), _prose(lines, sections),
        hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()[:12],
    )  # fmt: skip


def _front(lines: list[str], name: str) -> tuple[dict[str, str], int]:
    """The fields of the front matter, the items of a list joined, and the place of the line below it."""
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    fields: dict[str, list[str]] = {}
    last = ""
    for at, line in enumerate(lines[1:], 2):
        field = _FIELD.fullmatch(line.rstrip())
        if line.rstrip() == "---":
            return {key: "; ".join(filter(None, map(value, told))) for key, told in fields.items()}, at
        if field and field[1].lower() in fields:
            raise GuideError(name, at, f'"{field[1]}" is told twice. Keep one of them.')
        if field:
            last = field[1].lower()
            fields[last] = [(field[2] or "").strip()]
        elif last and (item := re.match(r"[ \t]*-[ \t]+(.*)", line)):
            fields[last].append(item[1].strip())
        elif last and line[:1] in (" ", "\t"):
            fields[last][-1] = f"{fields[last][-1]} {line.strip()}".strip()
        elif line.strip() and not line.startswith("#"):
            raise GuideError(name, at, "is neither `name: value` nor the `---` that ends the front matter.")
    raise GuideError(name, 1, "the front matter has no end. Put a line `---` below it.")


def value(text: str) -> str:
    """What a scalar of the front matter stands for, in each of the ways in which YAML writes one on a line."""
    if text[:1] == '"':
        try:
            return str(json.JSONDecoder(strict=False).raw_decode(text)[0])
        except ValueError:
            return text.strip('"')
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1].replace("''", "'")
    return re.sub(r"(^|\s+)#\s.*$", "", text).strip(" \t")


def _day(told: str, lines: list[str], name: str) -> str:
    if told:
        try:
            date.fromisoformat(told)
        except ValueError:
            at = next(at for at, line in enumerate(lines, 1) if line.lower().startswith("expires"))
            raise GuideError(name, at, f'"expires" is a day such as 2027-01-31, not {told!r}.') from None
    return told


def _sections(lines: list[str], start: int) -> dict[str, list[int]]:
    """The sections by their heading, each the places of its lines. Smaller headings belong to their section."""
    found: dict[str, list[int]] = {}
    title, fence = "", ""
    for at in range(start, len(lines)):
        mark = _FENCE.fullmatch(lines[at].strip())
        heading = _HEADING.fullmatch(lines[at])
        if mark and (not fence or (mark[1].startswith(fence) and not mark[2])):
            fence = "" if fence else mark[1]
        elif heading and not fence and (len(heading[1]) <= 2 or heading[2].lower() in _KNOWN):
            title = heading[2].lower()
            continue
        found.setdefault(title, []).append(at)
    return found


def _items(
    lines: list[str], sections: Mapping[str, list[int]], section: str, name: str
) -> Iterator[tuple[str, str, int]]:
    """The items of a section: the name each begins with, its text and its line. Lines below belong to it."""
    items: list[tuple[str, str, int]] = []
    for at in sections.get(section, ()):
        line = lines[at]
        if item := _ITEM.fullmatch(line.rstrip()):
            items.append((item[1], item[2], at + 1))
        elif re.match(r"[-*][ \t]", line):
            raise GuideError(
                name, at + 1, f"each of the {section} begins with the name of a claim: `- **name**: text`."
            )
        elif items and line.strip() and line[0] in " \t":
            id, text, first = items[-1]
            items[-1] = (id, f"{text} {line.strip()}", first)
    yield from items


def _evidence(
    lines: list[str], sections: Mapping[str, list[int]], section: str, ids: list[str], name: str
) -> tuple[Evidence, ...]:
    found = tuple(Evidence(*item) for item in _items(lines, sections, section, name))
    for one in found:
        if one.claim not in ids:
            raise GuideError(name, one.line, f'there is no claim "{one.claim}". Known are: {", ".join(ids) or "none"}.')
        if not _SOURCE.search(one.text):
            raise GuideError(name, one.line, "says not where it is from. End it with `Source: …`.")
    return found


def _prose(lines: list[str], sections: Mapping[str, list[int]]) -> str:
    kept = (lines[at] for section, places in sections.items() if section not in _KNOWN for at in places)
    return "\n".join(kept).strip()


def _check(lines: list[str], sections: Mapping[str, list[int]], name: str) -> Check | None:
    """The first fenced block of the section."""
    places = sections.get("check", [])
    for at in places:
        if mark := _FENCE.fullmatch(lines[at].strip()):
            language = _LANGUAGES.get(mark[2].lower())
            if language is None:
                raise GuideError(name, at + 1, "the check is a block of `python` or `sh`. Name one behind the fence.")
            end = next((i for i in places if i > at and lines[i].strip() == mark[1]), None)
            if end is None:
                raise GuideError(name, at + 1, "the check has no end. Close its fence.")
            return Check(language, "\n".join(lines[at + 1 : end]) + "\n")
    return None
