"""A lesson as a Markdown file that people read and edit: written, read back whatever they did to it, and kept up to date.

What a person changed stays: of a file that is no longer as it was written only the lines of its own fields are touched.
Which lessons there are, is decided in `lessons`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, cast

from meta.knowledge.wording import times
from meta.model import Lesson

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)(?:\r?\n)?^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^([A-Za-z][\w-]*)[ \t]*:[ \t]*(.*?)[ \t]*$")
_OURS = ("seen", "expires", "helped", "harmed", "also")  # the fields that are kept up to date in a file that was edited
_KINDS = ("failure", "correction", "convention", "cost")


def dumps(lesson: Lesson) -> str:
    """The file of a lesson that nobody has edited."""
    fields: list[tuple[str, Any]] = [
        ("claim", lesson.claim), ("when", lesson.when), ("kind", lesson.kind), ("project", lesson.project),
        ("check", lesson.check), ("seen", lesson.seen), ("expires", lesson.expires),
        ("helped", lesson.helped), ("harmed", lesson.harmed), ("load", lesson.load),
        ("id", lesson.id), ("situation", lesson.situation), ("since", lesson.since),
        ("words", lesson.words), ("own", lesson.own), ("also", " ".join(lesson.also)),
    ]  # fmt: skip
    lines = [f"{name}: {_told(value)}" for name, value in fields if value != ""]
    text = "\n".join(["---", *lines, *_evidence(lesson.evidence), "---", "", _body(lesson)])
    return text.replace("\n", f"\nwritten: {json.dumps(_mark(text))}\n", 1)


def _told(value: Any) -> str:
    """A scalar that every reader of YAML takes as it was meant; plain where that is safe."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = re.fullmatch(r"[A-Za-z][\w./-]*|\d{4}-\d\d-\d\d", value) and value.lower() not in (
        "yes",
        "no",
        "true",
        "false",
        "null",
        "on",
        "off",
    )
    return value if plain else json.dumps(value, ensure_ascii=not value.isprintable())


def _evidence(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    return ["evidence:", *(f"  - {json.dumps(f'{session} {event}')}" for session, event in pairs)]


def _body(lesson: Lesson) -> str:
    seen = times(len({session for session, _ in lesson.evidence}), "session")
    return (
        f"# {lesson.claim}\n\n**When:** {lesson.when}.\n\n**Why:** {lesson.why}\n\n"
        f"Evidence: {times(len(lesson.evidence), 'event')} of {seen}, named above.\n"
    )


def _mark(text: str) -> str:
    """By which a file is known to be as it was written."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


def loads(text: str, slug: str) -> Lesson:
    """The lesson of a file, whatever a person did to it; what is not told has its usual value."""
    fields, evidence, body = _parts(text)
    heading = re.search(r"^#+[ \t]*(.+?)[ \t]*$", body, re.MULTILINE)
    first = heading[1] if heading else next((line.strip() for line in body.splitlines() if line.strip()), slug)
    why = re.search(r"\*\*Why:\*\*\s*(.+?)(?:\n\s*\n|\Z)", body, re.DOTALL)
    when = re.search(r"\*\*When:\*\*\s*(.+?)\.?(?:\n\s*\n|\Z)", body, re.DOTALL)
    kind, load = fields.get("kind", ""), fields.get("load", "").lower()
    return Lesson(
        slug, fields.get("claim") or first, " ".join(why[1].split()) if why else "",
        fields.get("when") or (" ".join(when[1].split()) if when else ""), evidence,
        helped=_count(fields.get("helped")), harmed=_count(fields.get("harmed")),
        id=fields.get("id", ""), kind=cast(Any, kind if kind in _KINDS else "failure"), project=fields.get("project", ""),
        situation=fields.get("situation", ""), check=fields.get("check", ""),
        seen=_day(fields.get("seen")), expires=_day(fields.get("expires")), since=_number(fields.get("since")),
        load=_load(load), words=fields.get("words", ""), own=fields.get("own", ""), also=tuple(fields.get("also", "").split()),
    )  # fmt: skip


def _load(told: str) -> Literal["", "yes", "no"]:
    return "yes" if told in ("yes", "true", "on") else "no" if told in ("no", "false", "off") else ""


def _parts(text: str) -> tuple[dict[str, str], tuple[tuple[str, str], ...], str]:
    """The fields of the front matter, the evidence, and the body."""
    front = _FRONT.match(text)
    if front is None:
        return {}, (), text
    fields: dict[str, str] = {}
    evidence: list[tuple[str, str]] = []
    name = ""
    for line in front[1].splitlines():
        if item := re.match(r"[ \t]*-[ \t]+(.+)", line):
            pair = _value(item[1].strip()).split()
            if name == "evidence" and len(pair) == 2:
                evidence.append((pair[0], pair[1]))
        elif field := _FIELD.match(line):
            name = field[1].lower()
            fields.setdefault(name, _value(field[2]))
    return fields, tuple(dict.fromkeys(evidence)), text[front.end() :]


def _value(text: str) -> str:
    """A YAML scalar as it may stand there after an edit by hand."""
    if text[:1] == '"':
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(text)
            return str(value)
        except ValueError:
            return text.strip('"')
    if text[:1] == "'" and text.rstrip()[-1:] == "'" and len(text) > 1:
        return text.rstrip()[1:-1].replace("''", "'")
    return re.sub(r"\s+#.*$", "", text)


def _count(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


def _number(text: str | None) -> float:
    return float(text) if text and re.fullmatch(r"\d{1,12}(?:\.\d{1,9})?", text) else 0.0


def _day(text: str | None) -> str:
    return text if text and re.fullmatch(r"\d{4}-\d\d-\d\d", text) else ""


def edited(text: str) -> bool:
    """Whether a file is no longer as it was written, so that its words are a person's."""
    mark = re.match(r'---\nwritten: "([0-9a-f]{12})"\n', text)
    return mark is None or mark[1] != _mark(f"---\n{text[mark.end() :]}")


def updated(text: str, lesson: Lesson) -> str:
    """The file with what is known now: written anew where it is as it was written, else only the fields that are ours."""
    if not edited(text):
        return dumps(lesson)
    known = ((name, getattr(lesson, name)) for name in _OURS)
    fields = {
        name: _told(" ".join(value) if isinstance(value, tuple) else value)
        for name, value in known
        if value not in ("", ())
    }
    return _patched(text, fields, _evidence(lesson.evidence), lesson.evidence)


def _patched(text: str, fields: Mapping[str, str], block: list[str], evidence: tuple[tuple[str, str], ...]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    front = _FRONT.match(text)
    if front is None:
        lines = [f"{name}: {value}" for name, value in fields.items()]
        return newline.join(["---", *lines, *block, "---", "", text])
    known, before, _ = _parts(text)
    lines, missing = [], dict(fields)
    inside = False
    for line in front[1].splitlines():
        field = _FIELD.match(line)
        inside = field[1].lower() == "evidence" if field else inside
        if inside and before != evidence:
            continue  # written anew below
        if field and (name := field[1].lower()) in missing:
            value = missing.pop(name)
            line = line if known[name] == _value(value) else f"{field[1]}: {value}"
        lines.append(line)
    lines += [f"{name}: {value}" for name, value in missing.items()]
    if before != evidence:
        lines += block
    return text[: front.start(1)] + newline.join(lines) + newline + text[front.end(1) :].lstrip("\r\n")
