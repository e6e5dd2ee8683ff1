"""Small sessions of work: what was run, edited and said, in order."""

from __future__ import annotations

from collections.abc import Sequence

from meta.knowledge.lessons import learned
from meta.mining.segments import segments
from meta.model import Event, Lesson, Segment, Session, Status

START = 1_790_000_000.0
DAY = 86_400.0
ROOT = "/home/ann/shop"


def ran(line: str, output: str = "", status: Status = "ok", *, folder: str = "", seconds: float = 1.0) -> Event:
    cwd = f"{ROOT}/{folder}" if folder else ROOT
    return Event(
        "", "call", tool="Bash", tool_kind="shell", text=line, output=output, status=status, cwd=cwd, seconds=seconds
    )


def failed(line: str, output: str, *, folder: str = "") -> Event:
    return ran(line, output, "failed", folder=folder)


def edited(path: str, status: Status = "ok", output: str = "") -> Event:
    return Event(
        "",
        "call",
        tool="Edit",
        tool_kind="edit",
        arguments={"file_path": f"{ROOT}/{path}"},
        status=status,
        output=output,
    )


def said(text: str) -> Event:
    return Event("", "prompt", text=text)


def session(number: int, *events: Event, project: str = "shop", origin: str = "person") -> Session:
    """A session of its own day, which a prompt opens; its events have ids and times."""
    start = START + number * DAY
    made = [
        Event(
            f"s{number}-{place}", event.kind, start + 10.0 * place, event.text, event.tool, event.tool_kind, event.arguments,
            event.status, seconds=event.seconds, output=event.output, message=f"s{number}-{place}", cwd=event.cwd or ROOT,
        )
        for place, event in enumerate((said("see to the next thing"), *events))
    ]  # fmt: skip
    return Session("ann", f"s{number}", tuple(made), project=project, cwd=ROOT, origin=origin)  # type: ignore[arg-type]  # of a few


def cut(sessions: Sequence[Session]) -> list[Segment]:
    return [segment for one in sessions for segment in segments(one)]


def lessons(*sessions: Session, project: str = "shop") -> list[Lesson]:
    return learned(project, sessions, cut(sessions))


def claims(*sessions: Session) -> list[str]:
    return [lesson.claim for lesson in lessons(*sessions)]
