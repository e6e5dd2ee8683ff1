"""The nouns of a remote job: moments, limits, jobs, instances. Nothing here talks to a cloud, a box or a file."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from meta.errors import UserError
from meta.process import run

TAG = "meta-gpu"
_NAME = re.compile(rf"{TAG}-([0-9a-f]{{12}})-(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time by both clocks. `mono` runs on through suspension and starts anew with each `boot`."""

    wall: float
    mono: float
    boot: str

    def since(self, earlier: Moment) -> float:
        """Seconds from the earlier moment. Within one boot a jump of the wall clock does not count."""
        if self.boot == earlier.boot:
            return max(0.0, self.mono - earlier.mono)
        return max(0.0, self.wall - earlier.wall)


class Clock(Protocol):
    def now(self) -> Moment: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def __init__(self) -> None:
        try:
            self.boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        except OSError:
            told = run(("sysctl", "-n", "kern.bootsessionuuid"))  # macOS
            self.boot = told.stdout.strip() or "unknown"
        self.kind = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> Moment:
        return Moment(time.time(), time.clock_gettime(self.kind), self.boot)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Limits:
    """Every waiting time of the guard, in seconds. `active` is the provider's own where the settings name none."""

    active: float = 600.0  # request -> active
    ssh: float = 300.0  # active -> a shell and a GPU
    poll: float = 5.0  # between two looks at the job
    answer: float = 20.0  # a box that says nothing for this long is frozen
    lost: float = 150.0  # a box that cannot be reached for this long is given up
    lease: float = 200.0  # what the box waits for the client before it ends itself
    orphan: float = 200.0  # what the reaper waits for a controller that is gone
    idle: float = 300.0  # no job and a quiet GPU
    idle_percent: float = 5.0
    collect: float = 300.0  # pulling results
    settle: float = 120.0  # within which the provider's list shows what was launched
    retry: float = 20.0  # the longest pause between two tries of ending an instance
    patience: float = 900.0  # of a run for its instance to be gone; the reaper has no end
    stray: float = 600.0  # grace of an instance that is tagged as ours and that no row knows


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run. `hours` count from the moment the instance is active, `budget` in USD over all its attempts.

    `send` are local files that are put into the job's folder, `get` patterns of the files that come back.
    """

    name: str
    command: str
    type: str
    hours: float
    budget: float
    folder: str = ""
    region: str = ""
    send: tuple[str, ...] = ()
    get: tuple[str, ...] = ()
    tries: int = 1

    @property
    def token(self) -> str:
        """The same for the same job asked for again: at most one live instance has it."""
        told = json.dumps([self.folder, self.name, self.command, self.type])
        return hashlib.sha256(told.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance as the provider lists it. `price` is in USD an hour."""

    id: str
    name: str
    status: str
    ip: str = ""
    price: float = 0.0

    @property
    def tag(self) -> Tag | None:
        """Whose it is; None where it is not ours."""
        found = _NAME.fullmatch(self.name)
        return Tag(found[1], int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True, slots=True)
class Tag:
    """What the name of an instance says. `deadline` is in seconds of the epoch; Lambda has names and no other tags."""

    token: str
    attempt: int
    deadline: int

    @property
    def name(self) -> str:
        return f"{TAG}-{self.token}-{self.attempt}-{self.deadline}"


@dataclass(frozen=True, slots=True)
class Offer:
    """An instance type: USD an hour, and the regions that have one now."""

    type: str
    price: float
    regions: tuple[str, ...]


def checked(job: Job) -> Job:
    """The job, where its figures can be meant."""
    for what, value in (("--hours", job.hours), ("--budget", job.budget)):
        if not (math.isfinite(value) and value > 0):
            raise UserError(f"{what} must be above zero, not {value:g}.")
    if not job.command.strip():
        raise UserError("there is nothing to run. Name it with --command.")
    return job
