"""The append-only ledger of remote jobs: one JSON row a line, on disk before it counts. All state comes from its rows.

It asks no cloud. One file serves all projects of a user, under one lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from meta import files
from meta.errors import UserError
from meta.gpu.nouns import Clock, Instance, Job, Moment, Tag

WINDOW = 30 * 86400.0  # seconds over which the cap counts what was spent
_TRIES = 5


class RefusedError(UserError):
    """The guard does not launch; the text has the numbers."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One launch of a job, as its rows tell. `opened` is the intent, `touched` the last row that belongs to launching."""

    token: str
    number: int
    job: str
    type: str
    price: float
    deadline: float  # seconds from `opened`
    opened: Moment
    touched: Moment
    tag: int
    id: str = ""
    ip: str = ""
    host_key: str = ""
    stage: str = "intent"
    seen: bool = False
    active: Moment | None = None
    noticed: Moment | None = None  # the first of this boot's rows that say it is being ended
    closed: Moment | None = None
    cost: float = 0.0
    reason: str = ""

    @property
    def name(self) -> str:
        return Tag(self.token, self.number, self.tag).name

    @property
    def worst(self) -> float:
        """USD until the hard deadline."""
        return self.price * self.deadline / 3600

    def owns(self, instance: Instance) -> bool:
        tag = instance.tag
        return tag is not None and (tag.token, tag.attempt) == (self.token, self.number)

    def settled(self, now: Moment, seconds: float) -> bool:
        """Whether the provider's list tells of its launch by now. A clock set back over a restart does not hold that up."""
        return self.seen or any(now.since(since) >= seconds for since in (self.touched, self.noticed) if since)

    def committed(self, now: Moment) -> float:
        """USD that it costs at most, or has cost by now where it outlives its deadline."""
        return self.price * max(self.deadline, now.since(self.opened)) / 3600


@dataclass(frozen=True, slots=True)
class State:
    """What the rows say. `bad` lines could not be read."""

    attempts: Mapping[tuple[str, int], Attempt] = field(default_factory=dict)
    bad: int = 0

    @property
    def open(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts.values() if attempt.closed is None]

    def of(self, token: str) -> list[Attempt]:
        return [attempt for attempt in self.attempts.values() if attempt.token == token]

    def spent(self, now: Moment) -> float:
        rows = self.attempts.values()
        return sum(row.cost for row in rows if row.closed and now.wall - row.closed.wall < WINDOW)

    def committed(self, now: Moment) -> float:
        return sum(attempt.committed(now) for attempt in self.open)


class Ledger:
    """The ledger in a folder of the user's state. The file `open` stands beside it while an attempt may be alive."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self.path, self.marker = folder / "ledger.jsonl", folder / "open"

    def state(self) -> State:
        try:
            return rebuilt(self.path.read_bytes())
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise UserError(f"cannot read {self.path}: {error.strerror}. Give access to it.") from error

    def rows(self) -> list[dict[str, Any]]:
        try:
            return [row for row in map(_row, self.path.read_bytes().splitlines()) if row]
        except FileNotFoundError:
            return []

    def open(self, job: Job, price: float, deadline: float, cap: float, strays: float = 0.0) -> Attempt:
        """The intent to launch, on disk. RefusedError where another attempt of the job lives or the money is not there.

        `strays` are USD that instances of ours which no row knows may still cost.
        """
        with self._turn():
            now, state = self.clock.now(), self.state()
            mine = state.of(job.token)
            if any(attempt.closed is None for attempt in mine):
                raise RefusedError(f'the job "{job.name}" has an instance already. See `meta gpu list`.')
            worst = price * deadline / 3600
            before = sum(attempt.cost for attempt in mine)
            _afford("the job's budget (--budget)", job.budget, before, worst)
            _afford("the cap of 30 days (cap_usd)", cap, state.spent(now) + state.committed(now) + strays, worst)
            number = max((attempt.number for attempt in mine), default=0) + 1
            files.write(self.marker, "")
            self._append(
                "intent", job.token, number, now, job=job.name, type=job.type, price=price, deadline=deadline,
                cap=cap, tag=math.ceil(now.wall + deadline), folder=job.folder,
            )  # fmt: skip
            return self.state().attempts[job.token, number]

    def add(self, attempt: Attempt, event: str, **more: object) -> Attempt:
        """The attempt after one more row; a closed one takes none."""
        now = self.clock.now()
        with self._turn():
            before = self.state().attempts[attempt.token, attempt.number]
            if before.closed:
                return before
            if event in ("gone", "refused"):
                cost = 0.0 if event == "refused" else before.price * now.since(before.opened) / 3600
                more = {**more, "cost": cost}
            self._append(event, attempt.token, attempt.number, now, **more)
            state = self.state()
            if not state.open:
                self.marker.unlink(missing_ok=True)
            return state.attempts[attempt.token, attempt.number]

    @contextlib.contextmanager
    def reaping(self) -> Iterator[bool]:
        """Whether this is the one reaper at work; the marker then tells when it last was."""
        with _lock(self.folder / "reap.lock") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            with contextlib.suppress(FileNotFoundError):
                os.utime(self.marker)
            yield True

    def _append(self, event: str, token: str, number: int, now: Moment, **more: object) -> None:
        row = {"event": event, "token": token, "attempt": number, **asdict(now), **more}
        line = json.dumps(row, ensure_ascii=True).encode() + b"\n"
        try:
            fresh = not self.path.exists()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size and os.pread(handle, 1, size - 1) != b"\n":  # the line before was cut off by a crash
                    line = b"\n" + line
                if os.write(handle, line) != len(line):
                    raise UserError(f"{self.path} could not be written whole. Make room.")
                os.fsync(handle)
            finally:
                os.close(handle)
            if fresh:
                files.settle(self.folder)
        except OSError as error:
            raise UserError(f"cannot write {self.path}: {error.strerror}. Make room or access.") from error

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with _lock(self.folder / "ledger.lock") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _afford(what: str, limit: float, taken: float, worst: float) -> None:
    if taken + worst > limit + 1e-9:
        raise RefusedError(
            f"{what} of ${limit:.2f} is too small by ${taken + worst - limit:.2f}: ${taken:.2f} are spent or committed "
            f"and this launch costs ${worst:.2f} at worst. Raise it, or ask for fewer --hours."
        )


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        return row if isinstance(row, dict) else None
    except ValueError:
        return None


@functools.lru_cache(maxsize=2)
def rebuilt(content: bytes) -> State:
    """The state that the rows tell, each taken for itself: a line that cannot be read costs that line."""
    attempts: dict[tuple[str, int], Attempt] = {}
    bad = 0
    for line in content.splitlines():
        row = _row(line)
        try:
            if row is None:
                raise ValueError
            _take(attempts, row)
        except (ValueError, KeyError, TypeError):
            bad += bool(line.strip())
    return State(attempts, bad)


def _take(attempts: dict[tuple[str, int], Attempt], row: Mapping[str, Any]) -> None:
    key, event = (str(row["token"]), int(row["attempt"])), str(row["event"])
    now = Moment(float(row["wall"]), float(row["mono"]), str(row["boot"]))
    if event == "intent":
        attempts[key] = Attempt(
            *key,
            str(row["job"]),
            str(row["type"]),
            float(row["price"]),
            float(row["deadline"]),
            now,
            now,
            int(row["tag"]),
        )
        return
    old = attempts[key]
    if old.closed:
        return
    attempts[key] = replace(
        old,
        stage=event,
        reason=str(row.get("reason", old.reason)),
        id=str(row.get("id", old.id)),
        ip=str(row.get("ip", old.ip)),
        host_key=str(row.get("host_key", old.host_key)),
        touched=now if event in ("created", "unknown") else old.touched,
        active=now if event == "active" else old.active,
        noticed=now if event == "terminating" and not (old.noticed and old.noticed.boot == now.boot) else old.noticed,
        seen=old.seen or event == "active",
        closed=now if event in ("gone", "refused") else None,
        cost=float(row.get("cost", 0.0)),
    )


@dataclass(frozen=True, slots=True)
class Alive:
    """Whether a job's controller holds its lock, and how long ago it last said so, in seconds."""

    held: bool
    age: float


class Watch:
    """The lock of one job's controller, freed by the kernel with its process, and the beat it leaves there."""

    def __init__(self, folder: Path, token: str, clock: Clock) -> None:
        self.path, self.clock = folder / f"{token}.lock", clock

    @contextlib.contextmanager
    def held(self) -> Iterator[Watch]:
        with _lock(self.path) as handle:
            for _ in range(_TRIES):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                self.clock.sleep(0.1)  # a reaper that looks holds it for an instant
            else:
                raise RefusedError("this job is being run by another process. See `meta gpu list`.")
            self.beat()
            yield self

    def beat(self) -> None:
        now = json.dumps(asdict(self.clock.now())).ljust(200).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(handle, now, 0)
        finally:
            os.close(handle)

    def look(self) -> Alive:
        """A beat from before a restart of the machine is endlessly old: no process outlives one."""
        now = self.clock.now()
        try:
            beat = Moment(**json.loads(self.path.read_text("ascii")))
        except (OSError, ValueError, TypeError):
            return Alive(False, math.inf)
        with _lock(self.path) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = False
            except BlockingIOError:
                held = True
        return Alive(held, now.since(beat) if beat.boot == now.boot else math.inf)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UserError(f"cannot lock {path}: {error.strerror}. Make room or access.") from error
    try:
        yield handle
    finally:
        os.close(handle)
