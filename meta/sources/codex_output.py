"""How a call of Codex ended, as told by the text of its output: three forms, and the lack of one.

Which call an output belongs to is known to the reader of the rollout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from meta.model import Status
from meta.sources.base import items, json_record, record, string

_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_RUNNING = re.compile(r"^(?:Process running with session ID|Script running with cell ID) (\S+)", re.MULTILINE)
_WALL = re.compile(r"^Wall time:? ([\d.]+) seconds", re.MULTILINE)
_NOT_RUN = re.compile(r".*\brejected\b|unsupported call|failed to parse")
_FAILED = re.compile(r"aborted by user|Script failed|(?:\S+ ){0,3}failed\b|execution error")
_HEADER_BYTES = 4096  # an exit status stands at the top of an output


@dataclass(frozen=True, slots=True)
class Result:
    """What came back of a call. `code` is the exit status where one is told, `running` the id of what goes on."""

    text: str
    code: int | None = None
    seconds: float | None = None
    running: str = ""
    failed: bool = False
    refused: bool = False

    def status(self, *, shell: bool) -> Status:
        if self.refused:
            return "not-run"
        if self.failed or self.code:
            return "failed"
        return "unknown" if self.running or (shell and self.code is None) else "ok"


def result_of(raw: object) -> Result:
    text = raw if isinstance(raw, str) else "\n".join(string(record(part).get("text")) for part in items(raw))
    if isinstance(raw, dict):
        text = string(raw.get("content"))
    if text.startswith('{"output"') and (whole := json_record(text)):
        metadata = record(whole.get("metadata"))
        code, seconds = metadata.get("exit_code"), metadata.get("duration_seconds")
        return Result(
            string(whole.get("output")),
            code if isinstance(code, int) else None,
            seconds if isinstance(seconds, float | int) else None,
        )
    header, output, body = text[:_HEADER_BYTES].partition("Output:\n")
    code = _EXIT.search(header)
    wall = _WALL.search(header)
    running = _RUNNING.search(header)
    if not (code or wall or running):
        return Result(text, failed=bool(_FAILED.match(text)), refused=bool(_NOT_RUN.match(text)))
    body = (body + text[_HEADER_BYTES:] if output else text).strip("\n")
    shown = (
        re.search(r'^\{.*?"exit_code":\s*(-?\d+)', body[:_HEADER_BYTES], re.DOTALL) if header[:6] == "Script" else None
    )
    exit_code = code or shown
    return Result(
        body,
        int(exit_code[1]) if exit_code else None,
        float(wall[1]) if wall else None,
        running[1] if running else "",
        failed=header.startswith("Script failed"),
    )
