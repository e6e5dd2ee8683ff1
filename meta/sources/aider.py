"""Aider: `.aider.chat.history.md` with all sessions of a repository, and `.aider.input.history` with what was typed.

The chat history tells the start of each session only; the times of the prompts are taken from the input history beside
it, which is a source of its own only where there is no chat history.

Nothing is escaped in the chat history, so an answer may hold lines that look like aider's own. What stands in a fence
is quoted, and a command was run only where a person was asked first; an answer that forges that too passes for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from meta.model import Event, Session, ToolKind, Usage
from meta.sources.base import Example, Source
from meta.sources.events import cut, distinct, turn
from meta.sources.markdown import Fences, fences

IDLE = 30 * 60.0  # seconds without typing that end a session of the input history
_HEADER = re.compile(r"^# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*$", re.MULTILINE)
_TOKENS = re.compile(r"Tokens: (.*?) received\.")
_AMOUNT = re.compile(r"([\d.]+)([kM]?) (sent|cache write|cache hit|received)")
_MODEL = re.compile(r"(?:Main model|Model): (\S+) with ")
_FOLDER = re.compile(r"^> Git working dir: (.+?)\s*$", re.MULTILINE)  # where it runs its commands
_ASKED = re.compile(r"Run shell commands?\? ")
_COMMIT = re.compile(r"Commit ([0-9a-f]{7,40}) (.*)")
_TYPED = re.compile(r"(?:/run\s+|/test\s+|!\s*)(\S.*)", re.DOTALL)
_ENTRY = re.compile(r"^# (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)\n((?:\+.*\n?)+)", re.MULTILINE)
_SCALE = {"": 1, "k": 1_000, "M": 1_000_000}


def find(home: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    here = Path(environment["PWD"]) if environment.get("PWD") else None
    names = (".aider.chat.history.md", ".aider.input.history")
    return [here / name for name in names if (here / name).is_file()] if here else ()


def sniff(path: Path, head: bytes) -> bool:
    """By content; the input history by its name too, for other programs write the same form."""
    text = head.decode("utf-8", "replace").replace("\r\n", "\n").lstrip()
    return bool(_HEADER.match(text) or (path.name.endswith("aider.input.history") and _ENTRY.match(text)))


def read(path: Path) -> Iterator[Session]:
    """The sessions of a file, in order. Times are those of the clock of the machine that wrote them."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if not _HEADER.search(text):
        yield from _typed_sessions(path, text)
        return
    times = _times(_beside(path, "chat.history.md", "input.history"))
    ids: Counter[str] = Counter()
    for start, lines in _chats(text):
        session_id = start.replace(" ", "T")
        ids[session_id] += 1
        if ids[session_id] > 1:
            session_id += f"#{ids[session_id]}"
        yield _session(path, session_id, lines, _local(start), times)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the chat history, and whether it stands in a fence."""

    text: str
    quoted: bool


def _chats(text: str) -> Iterator[tuple[str, list[_Line]]]:
    """The lines of each session with the time at which it started."""
    start, lines = "", list[_Line]()
    fence: Fences = ()
    quoted = False
    for line in text.splitlines():
        header = None if fence else _HEADER.match(line)
        if header and header[1] >= start:  # an older one is quoted, and so is what follows it
            if start:
                yield start, lines
            start, lines, quoted = header[1], [], False
        elif header:
            quoted = True
        elif start and not quoted:
            before, fence = fence, fences(line, fence)
            lines.append(_Line(line, bool(before and fence)))
    yield start, lines


def _session(
    path: Path, session_id: str, lines: Sequence[_Line], started: float | None, times: dict[str, list[float]]
) -> Session:
    folder = next((found for line in lines if not line.quoted and (found := _FOLDER.match(line.text))), None)
    root = str(path.parent) if (path.parent / ".git").exists() else ""
    events = _events(_pieces(lines), session_id, started, times)
    return Session(
        agent="aider",
        id=session_id,
        events=distinct(session_id, events),
        cwd=folder[1] if folder else root,
        path=str(path),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines of one kind: a prompt (`####`), a line of the tool (`>`), or what the model said."""

    kind: str
    text: str


def _pieces(lines: Iterable[_Line]) -> Iterator[_Piece]:
    kind, body = "", list[str]()
    for line in lines:
        mark, _, rest = line.text.partition(" ")
        new = "said" if line.quoted else {"####": "prompt", ">": "tool"}.get(mark, "said")
        if new != kind or new == "tool":
            yield _Piece(kind, "\n".join(body))
            kind, body = new, []
        body.append(rest.removesuffix("  ") if new != "said" else line.text)
    yield _Piece(kind, "\n".join(body))


def _events(
    pieces: Iterable[_Piece], session_id: str, started: float | None, times: dict[str, list[float]]
) -> Iterator[Event]:
    """The events of a session. What aider does after the tokens of a message belongs to that message."""
    model, message, said, messages = "", "", "", 0
    time = started
    agreed = False  # to what is run next
    for piece in pieces:
        text = piece.text.strip()
        if piece.kind == "prompt":
            if said:  # a message whose tokens were not told
                yield Event("", "note", time, said, model=model)
                said = ""
            time = _time_of(text, time, times)
            message = ""
            yield _prompt(text, time)
        elif piece.kind == "said" and text:
            said = f"{said}\n{text}" if said else text
        elif piece.kind == "tool":
            named = _MODEL.match(text)
            model = named[1] if named else model
            tokens = _TOKENS.match(text)
            if tokens:
                messages += 1
                message = f"{session_id}:m{messages}"
                note = Event(message, "note", time, said, message=message, model=model)
                yield from turn(note, (), _usage(tokens[0]))
                said = ""
            call = _call(text, time)
            agreed = bool(_ASKED.match(text) or (agreed and text.startswith("Running ")))
            if call and (agreed or call.tool_kind != "shell"):
                yield replace(call, message=message, model=model)
    if said:
        yield Event("", "note", time, said, model=model)


def _prompt(text: str, time: float | None) -> Event:
    """What the person typed: a prompt, or a command to run (`/run`, `/test`, `/git`, `!`)."""
    typed = _TYPED.fullmatch(text)
    command = typed[1] if typed else text.removeprefix("/") if text.startswith("/git ") else ""
    if command:
        return Event("", "call", time, command.strip(), tool="run", tool_kind="shell")
    return Event("", "prompt", time, text)


def _call(text: str, time: float | None) -> Event | None:
    """What a line of the tool says was done: a command run, an edit applied, a commit made."""
    if text.startswith("Running "):
        return Event("", "call", time, text.removeprefix("Running "), tool="shell", tool_kind="shell")
    if text.startswith("Applied edit to "):
        return _done("edit", "edit", {"file_path": text.removeprefix("Applied edit to ")}, time)
    commit = _COMMIT.fullmatch(text)
    return replace(_done("commit", "commit", {"commit": commit[1]}, time), text=commit[2]) if commit else None


def _done(tool: str, kind: ToolKind, given: Mapping[str, str], time: float | None) -> Event:
    return Event("", "call", time, tool=tool, tool_kind=kind, arguments=given, status="ok")


def _usage(line: str) -> Usage:
    amounts = {name: int(float(number) * _SCALE[scale]) for number, scale, name in _AMOUNT.findall(line) if _is(number)}
    hit, write = amounts.get("cache hit", 0), amounts.get("cache write", 0)
    return Usage(max(amounts.get("sent", 0) - hit - write, 0), amounts.get("received", 0), hit, write)


def _is(number: str) -> bool:
    return number.count(".") <= 1 and number != "."


def _local(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _beside(path: Path, old: str, new: str) -> Path | None:
    other = path.with_name(path.name.replace(old, new))
    return other if other != path and other.is_file() else None


def _entries(text: str) -> Iterator[tuple[float | None, str]]:
    for entry in _ENTRY.finditer(text.replace("\r\n", "\n")):
        typed = "\n".join(line[1:] for line in entry[2].splitlines())
        yield _local(entry[1]), typed.strip()


def _times(inputs: Path | None) -> dict[str, list[float]]:
    """When each text was typed, in order."""
    times: dict[str, list[float]] = defaultdict(list)
    for time, text in _entries(inputs.read_text(encoding="utf-8", errors="replace")) if inputs else ():
        if time is not None:
            times[text].append(time)
    return times


def _time_of(text: str, after: float | None, times: Mapping[str, list[float]]) -> float | None:
    """When a prompt was typed: the first time of its text since the last event; else the time of that event."""
    return next((time for time in times.get(text, ()) if after is None or time > after), after)


def _typed_sessions(path: Path, text: str) -> Iterator[Session]:
    if _beside(path, "input.history", "chat.history.md"):
        return
    answers = {"y", "n", "a", "s", "d", "yes", "no"}
    events = [_prompt(typed, time) for time, typed in _entries(text) if typed and typed.casefold() not in answers]
    for piece in cut(events, IDLE):
        start = piece[0].time
        session_id = f"input-{int(start) if start is not None else path.parent.name}"
        yield Session("aider", session_id, distinct(session_id, piece), path=str(path))


_CHAT = """
# aider chat started at 2025-07-15 14:53:34

> Main model: gpt-4o with diff edit format

#### make the scripts executable
#### and commit

Run this:

```bash
chmod +x a.sh
```

> Tokens: 3.2k sent, 66 received. Cost: $0.0086 message, $0.0086 session.
> chmod +x a.sh
> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: y
> Running chmod +x a.sh
> Applied edit to a.sh
> Commit dde0244 feat: add a script

#### /run ls
"""

source = Source(
    name="aider",
    find=find,
    sniff=sniff,
    read=read,
    examples=(
        Example(
            _CHAT,
            (
                ("prompt", "make the scripts executable\nand commit", "unknown"),
                ("note", "Run this:\n\n```bash\nchmod +x a.sh\n```", "unknown"),
                ("call", "chmod +x a.sh", "unknown"),
                ("call", "", "ok"),
                ("call", "feat: add a script", "ok"),
                ("call", "ls", "unknown"),
            ),
            ".aider.chat.history.md",
        ),
    ),
)
