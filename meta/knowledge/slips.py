"""Calls of an agent's own tools that fail again and again for the same cause, and what avoids them.

The causes are rows with the words of the clients; what is advised is ours. Failures of commands are in `failures`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meta.knowledge import wording
from meta.knowledge.findings import Finding, Seen
from meta.knowledge.wording import code, listed, times
from meta.model import Session, conversation

TIMES, SESSIONS = 4, 2
SHARE = 0.02  # of the calls of that kind: what hardly ever happens costs less than a lesson
MOST_SEEN = 12
_PATHS = ("file_path", "path", "filePath", "absolute_path")


@dataclass(frozen=True, slots=True)
class Slip:
    """One cause: how clients word it (with what is it and what is not), and what avoids it."""

    name: str
    said: re.Pattern[str]
    advice: str
    when: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


SLIPS = (
    Slip(
        "read before edit", re.compile(r"has not been read yet|must (?:be read|read the file) (?:before|first)"),
        "Read a file before the first edit of it", "a file is edited for the first time in a session",
        ("<tool_use_error>File has not been read yet. Read it first before writing to it.</tool_use_error>",),
        ("File has been modified since read, either by the user or by a linter.", "the book has been read"),
    ),
    Slip(
        "text of edit", re.compile(r"(?i)string to replace not found|failed to find (?:expected lines|context)|old_string not found|no match(?:es)? found for"),
        "Read the exact lines again right before an edit of them, with their tabs and spaces", "text in a file is replaced",
        ("<tool_use_error>String to replace not found in file.\nString: x</tool_use_error>",
         "apply_patch verification failed: Failed to find expected lines in /a/b.md:\n x"),
        ("Found 2 matches of the string to replace", "string to number"),
    ),
    Slip(
        "changed since read", re.compile(r"modified since read|unexpectedly modified|changed since (?:it was )?(?:last )?read"),
        "After a formatter or a linter has run, read a file again before an edit of it", "a formatter or a linter has run",
        ("File has been unexpectedly modified. Read it again before attempting to write it.",),
        ("File has not been read yet.",),
    ),
    Slip(
        "folder read", re.compile(r"EISDIR|Is a directory \(os error|is a directory, not a file"),
        "List a folder with a command: the tool that reads files fails on it", "something is to be read that may be a folder",
        ("EISDIR: illegal operation on a directory, read '/a/src'",), ("ENOENT: no such file or directory, open '/a/src'",),
    ),
)  # fmt: skip


def slips(sessions: Iterable[Session]) -> Iterator[Finding]:
    """The causes that came again in one project."""
    seen: dict[str, list[Seen]] = {}
    files: dict[str, Counter[str]] = {}
    kinds: dict[str, set[str]] = {}
    calls: Counter[str] = Counter()
    for session in sessions:
        for event in session.events:
            if event.kind != "call" or event.tool_kind == "shell":
                continue
            calls[event.tool_kind] += 1
            if event.status == "failed" and (slip := cause(event.output)):
                kinds.setdefault(slip.name, set()).add(event.tool_kind)
                seen.setdefault(slip.name, []).append(Seen(session.id, event.id, event.time))
                path = next((event.arguments[name] for name in _PATHS if event.arguments.get(name)), "").replace(
                    "\\", "/"
                )
                files.setdefault(slip.name, Counter())[path.rpartition("/")[2]] += 1
    for slip in SLIPS:
        found = seen.get(slip.name, [])
        count = len({conversation(one.session) for one in found})
        total = sum(calls[kind] for kind in kinds.get(slip.name, ()))
        if len(found) >= max(TIMES, SHARE * total) and count >= SESSIONS:
            most = [name for name, number in files[slip.name].most_common(2) if number > 1 and wording.is_path(name)]
            often = f", most often with {listed([code(name) for name in most])}" if most else ""
            yield Finding(
                "cost", f"slip {slip.name}", slip.name, f"{slip.advice} ({len(found)} of {times(total, 'call')} failed for want of it{often}).",
                f"Each cost a call and another try: {times(len(found), 'time')} in {times(count, 'session')}.", slip.when, tuple(found[-MOST_SEEN:]),
            )  # fmt: skip


def cause(output: str) -> Slip | None:
    """The cause that a failed call names, None where it is none of these."""
    return next((slip for slip in SLIPS if slip.said.search(output[:400])), None)
