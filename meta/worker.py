"""Work off the sessions that hooks have noted in a workspace: extract for each, one worker at a time.

The hook itself (`hook`) does nothing of this, for its agent waits for it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from meta import files, flow, spool
from meta.config import Config
from meta.errors import UserError
from meta.intake import workspace_of

PAUSES = (5.0, 60.0, 0.0)  # seconds after a failed try: somebody else may be at work in the workspace


@dataclass(frozen=True, slots=True)
class WorkedOff:
    """How many sessions were worked off, and how many were put aside after their last try."""

    done: int = 0
    failed: int = 0


def work_off(settings: Config, *, wait: Callable[[float], None] = time.sleep) -> WorkedOff:
    """Extract for every noted session until none is left.

    A second worker leaves all to the first, which looks once more after its last one; so none is left lying. A try is
    counted before it is made, so that a session which brings the worker down does so `spool.TRIES` times at the most.
    """
    workspace = workspace_of(settings)
    total = WorkedOff()
    while spool.jobs(workspace):
        try:
            with files.locked(workspace / ".meta" / "worker.lock"):
                total = _drained(settings, workspace, total, wait)
        except UserError:  # the first worker is at it
            break
    return total


def _drained(settings: Config, workspace: Path, total: WorkedOff, wait: Callable[[float], None]) -> WorkedOff:
    while found := spool.jobs(workspace):
        path, job = found[0]
        if job.tries >= spool.TRIES:
            spool.aside(path)
            total = replace(total, failed=total.failed + 1)
            continue
        spool.put(workspace, replace(job, tries=job.tries + 1))
        try:
            _extract(settings, workspace, Path(job.transcript))
        except UserError as error:
            print(f"meta: {job.session}: {error}", file=sys.stderr)
            wait(PAUSES[job.tries])
        else:
            spool.done(path)
            total = replace(total, done=total.done + 1)
    return total


def _extract(settings: Config, workspace: Path, transcript: Path) -> None:
    """Read one session (which may be gone) and propose what is worth a tool in this workspace's own project."""
    found = flow.extract(settings, [transcript] if transcript.exists() else [workspace], own=True)
    for tool in found.tools:
        print(f"{tool.tool.name}: {tool.state}, {tool.reason}")
