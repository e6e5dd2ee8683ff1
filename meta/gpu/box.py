"""What the controller asks of a box, and what it gets back. How the box is reached is not its matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from meta.gpu.ledger import Attempt
from meta.gpu.nouns import Job


class BoxError(Exception):
    """The box did not answer, or not as it must; asking again may help."""


class UnknownHostError(BoxError):
    """The box shows another host key than it did first. It is not asked again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the supervisor is told: seconds, a percentage, and the shell line that ends the box."""

    command: str
    deadline: float
    lease: float
    idle: float
    idle_percent: float
    tick: float
    switch: str


@dataclass(frozen=True, slots=True)
class Look:
    """The job as it is now: its exit code once it has ended, why it was ended, and more of its log."""

    code: int | None
    reason: str
    log: bytes


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that came back. `whole` is one whose sha256 is the box's; a part of one keeps the suffix `.partial`."""

    path: str
    sha256: str
    whole: bool


class Box(Protocol):
    host_key: str

    def check(self) -> None:
        """Nothing where the box has a GPU that answers."""
        ...

    def start(self, job: Job, plan: Plan) -> None: ...
    def look(self, offset: int) -> Look: ...
    def collect(self, job: Job, place: Path, seconds: float, beat: Callable[[], None]) -> list[Artefact]:
        """The files that came within the seconds; `beat` is called all the while."""
        ...

    def close(self) -> None: ...


Connect = Callable[[Attempt], Box]  # with the host key that the attempt has pinned, if any
