"""Cut a session into segments, each the work on one task, and its events into steps.

A segment is a span of the log. Whether it repeats is decided in `patterns`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from meta.mining.shell import Command, parse
from meta.model import Event, Segment, Session, Status, Step, Word
from meta.vetting import is_name

Parse = Callable[[str, str], tuple[Command, ...]]  # a call and its shell -> the commands that it ran

IDLE = 30 * 60.0  # seconds of silence after which a new task is assumed
_CONTINUE = re.compile(
    r"(?:(?:ok|okay|yes|yep|yeah|sure|please|now|and|then|great|good|perfect|continue|go|proceed|resume|carry|keep|going|on|"
    r"ahead|do|it|that|next|step|more|again|retry|try|thanks|thank|you|y|k|[0-9]|ja|weiter|mach|bitte|oui|si|sí|vai|好|继续|"
    r"是|はい|続けて)(?:\b|(?<=[^a-z]))[\s.,!…-]*)+",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"\.\w{1,10}", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:")
_TOOLS = {"edit": ("edit", "work"), "write": ("edit", "work"), "read": ("read", "look"), "search": ("read", "look")}


def continues(prompt: str) -> bool:
    """Whether a prompt only says to go on, so that the task is still the one before."""
    return len(prompt) <= 60 and _CONTINUE.fullmatch(prompt.strip()) is not None


def segments(session: Session, parse: Parse = parse) -> tuple[Segment, ...]:
    """The session's steps, prompt to prompt, cut where it lay idle. Segments without steps are left out."""
    spans: list[tuple[list[str], list[Step]]] = [([], [])]
    last: float | None = None
    for position, event in enumerate(session.events):
        idle = event.time is not None and last is not None and event.time - last > IDLE
        if event.kind == "prompt" and not (continues(event.text) and not idle):
            spans.append(([event.text], []))
        elif idle:
            spans.append((list(spans[-1][0]), []))
        if event.kind == "call":
            spans[-1][1].extend(_steps(event, position, session, parse))
        if event.time is not None:
            last = event.time + (event.seconds or 0.0)
    return tuple(
        Segment(session.agent, session.id, session.project, tuple(steps), tuple(prompts), session.origin != "agent")
        for prompts, steps in spans
        if steps
    )


def commands(segment: Segment) -> list[Step]:
    """The steps that can be steps of a workflow: commands, but not looking around."""
    return [step for step in segment.steps if step.kind == "command" and step.effect != "look"]


def _steps(event: Event, position: int, session: Session, parse: Parse) -> Iterator[Step]:
    if event.status == "not-run":
        return
    if event.tool_kind == "shell":
        commands = parse(event.text, "powershell" if "powershell" in event.tool.lower() else "bash")
        for number, command in enumerate(commands):
            yield _command_step(command, number, len(commands), event, position, session)
    elif event.tool_kind == "commit":
        words = tuple(Word(text, text) for text in ("git", "tag" if event.arguments.get("tag") else "commit"))
        yield Step(
            " ".join(w.text for w in words),
            "command",
            "work",
            words,
            "",
            "",
            event.id,
            position,
            event.id,
            "ok",
            event.time,
        )
    elif event.tool_kind in _TOOLS:
        kind, effect = _TOOLS[event.tool_kind]
        yield Step(
            head=f"{kind} {_file_class(event)}", kind="edit" if kind == "edit" else "read",
            effect="work" if effect == "work" else "look", event=event.id, position=position,
            message=event.message or event.id, status=event.status, time=event.time, seconds=event.seconds,
        )  # fmt: skip


def _file_class(event: Event) -> str:
    paths = (
        event.arguments.get(key, "") for key in ("file_path", "path", "filePath", "absolute_path", "notebook_path")
    )
    path = PurePosixPath(next(filter(None, paths), ""))
    return f"*{path.suffix}" if _SUFFIX.fullmatch(path.suffix) else path.name if is_name(path.name) else "file"


def _command_step(command: Command, number: int, count: int, event: Event, position: int, session: Session) -> Step:
    """One command of a call. The call's seconds are shared evenly; its exit status is known of the last one only."""
    alone = count == 1
    return Step(
        head=command.head,
        kind=command.kind,
        effect=command.effect,
        words=command.words,
        display=command.display,
        directory=_directory(command.directory, event.cwd or session.cwd, session.cwd),
        event=event.id,
        position=position,
        message=event.message or event.id,
        status=_status(command, event, alone=alone, last=number == count - 1),
        time=event.time,
        seconds=None if event.seconds is None else event.seconds / count,
        output=event.output if alone or number == count - 1 else "",
    )


def _status(command: Command, event: Event, *, alone: bool, last: bool) -> Status:
    """The status of one command: known when it ran alone or the whole call went well, and no viewer stands behind it."""
    if command.hidden and event.status == "ok":
        return "unknown"
    return event.status if alone or (event.status == "ok" and last) else "unknown"


def _directory(changed: str | None, cwd: str, root: str) -> str:
    """Where a command ran: relative to the project's root below it, else as it was written."""
    if changed and (changed.startswith(("~", "-")) or "$" in changed):
        return changed
    given = (root or "/", changed or "", cwd or root or "/")
    drives = any(_DRIVE.match(path) for path in given)
    base, target, where = (_slashed(path, drives=drives) for path in given)
    absolute = target.startswith("/") or _DRIVE.match(target)
    where = posixpath.normpath(target if absolute else posixpath.join(where, target))
    return "" if where == base else where.removeprefix(f"{base.rstrip('/')}/")


def _slashed(path: str, *, drives: bool) -> str:
    """A path with slashes only and, on a system with drives, with the drive's name in one form: `/d/x` is `D:/x`."""
    path = path.replace("\\", "/")
    if drives:
        path = re.sub(r"^/?([A-Za-z])(?::|(?=/))", lambda match: f"{match[1].upper()}:", path)
    return path.rstrip("/") or path
