"""Write what was done for each experiment as a session in Claude Code's form, so that it can be mined like any other.

An experiment is a job with an aim of its own, so it is a session of its own. Its origin is `policy`: no model spoke, so there are no tokens, and it is kept apart from the work of people.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = ".meta/sessions"
_SHOWN = 4000  # characters of a command's output


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Recorder:
    """Sessions, each appended to its file as things happen. `origin` is "policy" or the name of the model."""

    folder: Path
    origin: str
    id: str = ""
    last: str = ""
    written: int = 0

    @property
    def path(self) -> Path:
        return self.folder / FOLDER / f"{self.id}.jsonl"

    def begin(self, goal: str, at: float) -> None:
        """Begin a session with what it is for, as its user would say it."""
        self.id, self.last, self.written = str(uuid.uuid4()), "", 0
        self.say(goal, at)

    def say(self, goal: str, at: float) -> None:
        """What is wanted next in the same session."""
        self._row("user", {"role": "user", "content": goal}, at)

    def command(self, line: str, about: str, output: str, code: int, times: tuple[float, float], cpu: float) -> None:
        """A command with what came out of it, when it began and ended, and the CPU seconds that it took."""
        began, ended = times
        call = f"toolu_{self.id[:8]}_{self.written}"
        use = {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": line, "description": about}}
        self._row("assistant", {"role": "assistant", "id": f"msg_{self.written}", "content": [use]}, began)
        shown = output if len(output) <= _SHOWN else f"{output[: _SHOWN // 2]}\n...\n{output[-_SHOWN // 2 :]}"
        text = f"Exit code {code}\n{shown}" if code else shown
        result = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": code != 0}
        told: Any = f"Error: {text}" if code else {"stdout": shown, "stderr": "", "interrupted": False}
        self._row(
            "user",
            {"role": "user", "content": [result]},
            ended,
            {"toolUseResult": told, "durationMs": round((ended - began) * 1000), "cpuMs": round(cpu * 1000)},
        )

    def _row(self, kind: str, message: Mapping[str, Any], at: float, more: Mapping[str, Any] | None = None) -> None:
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.id} {self.written}"))
        row = {
            "parentUuid": self.last or None, "isSidechain": False, "sessionId": self.id, "cwd": str(self.folder),
            "origin": {"kind": "policy", "by": self.origin}, "type": kind, "message": message, "uuid": identity,
            "timestamp": stamp(at), **(more or {}),
        }  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(row, ensure_ascii=False) + "\n")
        self.last = identity
        self.written += 1
