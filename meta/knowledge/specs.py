"""A spec of a feature: drafted from the sessions that made it, every line with its evidence, and held against the code later.

How its file is laid out is told by a template; what git knows is handed in.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from meta.knowledge import corrections, notes, wording
from meta.knowledge.findings import day
from meta.knowledge.wording import code, times
from meta.model import Event, Segment, Session
from meta.redact import residue
from meta.vetting import is_name, shown_id, visible

MOST = 20  # lines of a section
RUNS = 2  # of a command, from which it belongs to a feature
_PATHS = ("file_path", "path", "filePath", "absolute_path")
_DEFINES = re.compile(
    r"^[ \t]*(?:export |pub |public |async |default |static )*(?:def|class|func|function|fn|interface|struct|enum|trait)\s+([A-Za-z_]\w{3,40})\b",
    re.MULTILINE,
)
_SHELL = re.compile(
    r"^\s*[$#%>]\s|[\w.-]+@[\w.-]+:|^\S*[\\/]\S*[$#>]\s"
)  # a pasted prompt of a shell, which names people and machines
_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)test_[^/]+$|[._-](?:test|spec)\.\w+$|_test\.\w+$")
_MARK = "<!-- written "
_COMMIT = re.compile(r'(?m)^commit:[ \t]*"?([0-9a-f]{7,40})"?[ \t]*$')
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:[\w.@+-]+/)*[\w.@+-]+\.[A-Za-z]\w{0,5}|(?:[\w.@+-]+/)+[\w.@+-]*")
_NAME = re.compile(r"(?:[\w.]*[.:])?([A-Za-z_]\w{2,})(?:\(\))?|(--[a-z][\w-]+)")
Kind = Literal["gone", "renamed", "test gone", "command gone", "name gone", "changed"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that a session of the feature made."""

    sha: str
    subject: str
    session: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Where the code and a line of the spec have parted."""

    kind: Kind
    line: int
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """What git knows of a repository then (at the spec's commit) and now. `moved` tells new names by old ones, `changed`
    how many commits changed a path since; `tasks` are what `npm run` and `make` can be asked for now.
    """

    then: Collection[str]
    now: Collection[str]
    names_then: Collection[str]
    names_now: Collection[str]
    moved: Mapping[str, str]
    changed: Mapping[str, int]
    tasks: Mapping[str, Collection[str]]


def of_feature(sessions: Iterable[Session], name: str, named: Collection[str], since: str, until: str) -> list[Session]:
    """The sessions of a feature: those named, else those in which a person spoke of it with all words of its name."""
    words = set(re.findall(r"[a-z0-9]+", name.lower()))
    found = []
    for session in sessions:
        began = day(session.started)
        timely = (not since or began >= since) and (not until or began <= until)
        asked = any(words <= _words(e.text) for e in session.events if e.kind == "prompt")
        if timely and (any(session.id.startswith(one) for one in named) if named else asked):
            found.append(session)
    return found


def _words(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {*words, *(word.removesuffix("s") for word in words)}


def sections(
    name: str,
    sessions: Sequence[Session],
    segments: Sequence[Segment],
    commits: Iterable[Commit],
    paths: Collection[str],
) -> dict[str, list[str]]:
    """The lines of a draft by section; `paths` are those of the tree. Only vetted words, and what holds a secret is left out."""
    touched = _touched(sessions, paths)
    tests = [path for path in touched if _TEST.search(path)]
    lines = {
        "asked": [line for session in sessions for line in _asked(session, name)],
        "decisions": [_cited(said, session.id) for session in sessions for said in notes.decisions(session)],
        "files": [_file(path, touched[path]) for path in touched if path not in tests],
        "tests": [_file(path, touched[path]) for path in tests],
        "commands": list(_commands(segments)),
        "names": list(_names(sessions)),
        "commits": [
            _cited(f"{code(one.sha[:12])} “{one.subject}”", one.session)
            for one in commits
            if one.subject.isprintable() and not (notes.UNFIT.search(one.subject) or corrections.SPEAKS.search(one.subject))
        ],
    }  # fmt: skip
    return {title: _fit(each) for title, each in lines.items()}


def _fit(lines: Iterable[str]) -> list[str]:
    return [visible(line) for line in dict.fromkeys(lines) if not residue.kinds([line])][:MOST]


def _cited(text: str, session: str, event: str = "") -> str:
    where = " ".join(filter(None, (shown_id(session), shown_id(event) if event else "")))
    return f"{text} ({where})"


def _asked(session: Session, name: str) -> Iterator[str]:
    """The sentences of a person that speak of the feature."""
    words = set(re.findall(r"[a-z0-9]+", name.lower()))
    for event in session.events:
        if event.kind != "prompt" or session.origin != "person":
            continue
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", event.text):
            sentence = " ".join(sentence.split())
            fits = 15 <= len(sentence) <= corrections.LONGEST and sentence.isprintable() and words & _words(sentence)
            if fits and not (
                _SHELL.search(sentence) or notes.UNFIT.search(sentence) or corrections.SPEAKS.search(sentence)
            ):
                yield _cited(f"“{sentence}”", session.id, event.id)


def _touched(sessions: Iterable[Session], paths: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """The files of the tree that were written, most often written first, each with its session and event."""
    found: dict[str, list[tuple[str, str]]] = {}
    for session in sessions:
        for event in session.events:
            if event.kind == "call" and event.tool_kind in ("edit", "write") and event.status != "failed":
                told = next((event.arguments[name] for name in _PATHS if event.arguments.get(name)), "")
                path = _relative(told.replace("\\", "/"), session.cwd, paths)
                if path and wording.is_path(path):
                    found.setdefault(path, []).append((session.id, event.id))
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def _relative(path: str, root: str, paths: Collection[str]) -> str:
    """The path as the tree calls it, "" for one that is not there: wherever the project lay when it was written."""
    inside = path.removeprefix(f"{root}/") if root else path
    if inside in paths:
        return inside
    parts = path.strip("/").split("/")
    tails = ("/".join(parts[at:]) for at in range(1, len(parts) - 1))
    return next((tail for tail in tails if tail in paths), "")


def _file(path: str, edits: Sequence[tuple[str, str]]) -> str:
    return _cited(f"{code(path)}, written {times(len(edits), 'time')}", *edits[-1])


def _commands(segments: Iterable[Segment]) -> Iterator[str]:
    counts, last = Counter[str](), dict[str, tuple[str, str]]()
    for segment in segments:
        for step in segment.steps:
            if (
                step.kind == "command"
                and step.effect == "work"
                and step.status == "ok"
                and not step.head.startswith("git ")
            ):
                line = wording.command(step)
                counts[line] += 1
                last[line] = (segment.session, step.event)
    for line, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        if count >= RUNS and line and not line.startswith("<"):
            yield _cited(f"{code(line)}, run {times(count, 'time')}", *last[line])


def _names(sessions: Iterable[Session]) -> Iterator[str]:
    for session in sessions:
        for event in session.events:
            if event.kind == "call" and event.tool_kind in ("edit", "write") and event.status != "failed":
                for name in _DEFINES.findall("\n".join(_written(event))):
                    if is_name(name):
                        yield _cited(code(name), session.id, event.id)


def _written(event: Event) -> Iterator[str]:
    return (
        text
        for name, text in event.arguments.items()
        if name in ("new_string", "content", "patch", "input", "newString")
    )


def marked(text: str) -> str:
    """The text with the mark by which it is known later whether somebody edited it."""
    text = text.rstrip("\n") + "\n"
    return f"{text}\n{_MARK}{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]} -->\n"


def edited(text: str) -> bool:
    """Whether a spec is no longer as it was written."""
    body, mark, _ = text.rpartition(f"\n{_MARK}")
    return not mark or marked(body) != text


def commit(text: str) -> str:
    """The commit that a spec was written at, "" where it does not say."""
    found = _COMMIT.search(text)
    return found[1] if found else ""


def mentioned(text: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]], list[tuple[int, str]]]:
    """What a spec names in code spans, each with its line: paths, names (functions, classes, flags), and commands."""
    paths: list[tuple[int, str]] = []
    names: list[tuple[int, str]] = []
    commands: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        for told in _CODE.findall(line):
            if " " in told.strip():
                commands.append((number, told.strip()))
            elif _PATH.fullmatch(told):
                paths.append((number, told))
            elif (name := _NAME.fullmatch(told)) and not re.fullmatch(r"[0-9a-f]{7,40}", told):
                names.append((number, name[1] or name[2]))
    return paths, names, commands


def gaps(text: str, tree: Tree) -> list[Gap]:
    """Where code and spec have parted, in order of the spec's lines; what was never there says nothing."""
    paths, names, commands = mentioned(text)
    found = [gap for number, path in paths if (gap := _path_gap(number, path, tree))]
    found += [
        Gap("name gone", number, name, "it is in no file of the tree any more")
        for number, name in names
        if name in tree.names_then and name not in tree.names_now
    ]
    found += [gap for number, line in commands if (gap := _command_gap(number, line, tree))]
    return sorted(dict.fromkeys(found), key=lambda gap: (gap.line, gap.what))


def _path_gap(number: int, path: str, tree: Tree) -> Gap | None:
    plain = path.rstrip("/")
    if plain in tree.now:
        if count := tree.changed.get(plain, 0):
            return Gap("changed", number, path, f"in {times(count, 'commit')} since the spec was written")
        return None
    if plain not in tree.then:
        return None
    if plain in tree.moved:
        return Gap("renamed", number, path, f"it is {tree.moved[plain]} now")
    return Gap("test gone" if _TEST.search(plain) else "gone", number, path, "it was deleted")


_TASK = re.compile(r"(npm run|yarn run|pnpm run|bun run|make) ([\w:.-]+)")


def _command_gap(number: int, line: str, tree: Tree) -> Gap | None:
    """A command that asks for a task that is not there, or runs a file that is gone."""
    if task := _TASK.match(line):
        kind = "make" if task[1] == "make" else "npm run"
        known = tree.tasks.get(kind)
        if known is not None and task[2] not in known:
            return Gap("command gone", number, line, f"there is no task {task[2]}")
    for word in line.split():
        plain = word.removeprefix("./").rstrip("/")
        if plain in tree.then and plain not in tree.now:
            return Gap("command gone", number, line, f"{plain} is {tree.moved.get(plain, 'deleted')}")
    return None


def is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
