"""Run one job on one instance: intent, launch, boot, follow, collect; whatever happens, it ends with the instance gone.

After a crash the same call goes on where the ledger stands. How an instance is ended is told in `ending`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from meta.errors import UserError, did_you_mean
from meta.gpu.box import Artefact, Box, BoxError, Connect, Look, Plan, UnknownHostError
from meta.gpu.ending import Guard, end
from meta.gpu.ledger import Attempt, RefusedError, Watch
from meta.gpu.nouns import Instance, Job, Moment, Offer
from meta.gpu.provider import ProviderError

Answer = TypeVar("Answer")


class FailedError(Exception):
    """The attempt came to nothing; `again` tells whether another may fare better."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `code` is the job's exit code, None where it never ended by itself; `alive` names what could not
    be confirmed gone. `seconds` count from the job's end until its instance was confirmed gone."""

    ok: bool
    reason: str
    code: int | None = None
    usd: float = 0.0
    artefacts: tuple[Artefact, ...] = ()
    alive: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Worst:
    """What a launch costs at most. `deadline` is the hard one, in seconds from the request."""

    offer: Offer
    region: str
    deadline: float

    @property
    def usd(self) -> float:
        return self.offer.price * self.deadline / 3600


def worst(guard: Guard, job: Job, rate: float) -> Worst:
    """The offer that the job asks for and its worst case. A type that is unknown or dearer than `rate` is refused."""
    try:
        offers = guard.provider.offers()
    except ProviderError as error:
        raise _unlisted(guard, "prices", error) from error
    offer = offers.get(job.type)
    if offer is None:
        hint = did_you_mean(job.type, offers) or f" There are: {', '.join(sorted(offers)) or 'none'}."
        raise UserError(f'{guard.provider.name} has no instance type "{job.type}".{hint}')
    if offer.price > rate:
        raise RefusedError(
            f"{job.type} costs ${offer.price:.2f} an hour, ${offer.price - rate:.2f} more than max_rate allows "
            f"(${rate:.2f}). Raise it in gpu.toml, or take a cheaper type."
        )
    region = job.region or next(iter(offer.regions), "")
    return Worst(offer, region, guard.limits.active + guard.limits.ssh + job.hours * 3600 + guard.limits.collect)


def _look(offset: int, box: Box) -> Look:
    return box.look(offset)


@dataclass(slots=True)
class Run:
    """One call of `meta gpu run`: what stays the same over its attempts."""

    guard: Guard
    connect: Connect
    job: Job
    asked: Worst
    cap: float
    ssh_key: str
    switch: str  # the shell line by which the box ends itself; {id} is its instance
    place: Path
    watch: Watch | None = None
    code: int | None = None
    ended: Moment | None = None
    artefacts: tuple[Artefact, ...] = ()

    def run(self) -> Outcome:
        """How it ended. All attempts share the job's budget and one deadline."""
        with self.guard.watch(self.job.token).held() as self.watch:
            begun = self._now()
            tries = self.job.tries + (self._earlier() is not None)  # what a crash left is looked at first
            for number in range(tries):
                left = self.asked.deadline - self._now().since(begun)
                try:
                    outcome = self._attempt(left, last=number == tries - 1)
                except RefusedError as refused:
                    if number == 0:
                        raise
                    return self._outcome(False, f"no further attempt: {refused}")
                if outcome is not None:
                    return outcome
        return self._outcome(False, "no attempt came to an end")

    def _attempt(self, left: float, *, last: bool) -> Outcome | None:
        """How the run ended, None where another attempt may fare better."""
        reason, again, attempt = "", False, self._earlier()
        try:
            if attempt is None:
                attempt = self._launched(left)
            elif attempt.opened.boot != self._now().boot:  # how long it has lived is not known for certain
                raise FailedError("this machine was started anew meanwhile")
            self._follow(attempt)
            reason = "done" if self.code == 0 else f"the job ended with exit code {self.code}"
        except FailedError as failed:
            reason, again = str(failed), failed.again and not last
        except BaseException as error:
            reason = f"interrupted by {type(error).__name__}"
            raise
        finally:
            attempt = attempt or self._earlier()
            gone = attempt is None or end(self.guard, attempt, reason, self.guard.limits.patience, self.watch)
            if not gone:
                self.guard.tell(f"NOT GONE: {attempt.name if attempt else ''}; the reaper goes on, see `meta gpu list`")
        if again and gone:
            self.guard.tell(f"{reason}; trying again")
            return None
        return self._outcome(self.code == 0 and gone, reason)

    def _outcome(self, ok: bool, reason: str) -> Outcome:
        rows = self.guard.ledger.state().of(self.job.token)
        alive = tuple(row.name for row in rows if row.closed is None)
        seconds = self._now().since(self.ended) if self.ended else None
        return Outcome(ok, reason, self.code, sum(row.cost for row in rows), self.artefacts, alive, seconds)

    def _now(self) -> Moment:
        return self.guard.clock.now()

    def _pause(self) -> None:
        if self.watch:
            self.watch.beat()
        self.guard.clock.sleep(self.guard.limits.poll)
        if self.watch:
            self.watch.beat()

    def _earlier(self) -> Attempt | None:
        return next((row for row in self.guard.ledger.state().of(self.job.token) if row.closed is None), None)

    def _launched(self, left: float) -> Attempt:
        """The attempt after the create call. An error of which it is unknown what it left counts as created."""
        guard, limits = self.guard, self.guard.limits
        strays = self._existing()
        if left < limits.collect:
            raise RefusedError("the deadline that all attempts share is over.")
        attempt = guard.ledger.open(self.job, self.asked.offer.price, left, self.cap, strays)
        if self.watch:
            self.watch.beat()
        if self._now().since(attempt.opened) > limits.settle / 2:
            raise FailedError("this process stood still before the launch")
        try:
            id = guard.provider.launch(attempt.name, self.asked.offer, self.asked.region, self.ssh_key)
        except ProviderError as error:
            if error.refused:
                guard.ledger.add(attempt, "refused", reason=str(error))
                raise FailedError(f"{guard.provider.name} refused: {error}", again=error.passing) from error
            guard.tell(f"the launch was answered by an error ({error}); looking whether it left an instance")
            return guard.ledger.add(attempt, "unknown", reason=str(error))
        guard.tell(f"{attempt.name}: instance {id} at ${attempt.price:.2f} an hour")
        return guard.ledger.add(attempt, "created", id=id)

    def _existing(self) -> float:
        """USD that instances of ours which stand in no row may still cost. One of this job's is a refusal."""
        guard, now, usd = self.guard, self._now(), 0.0
        try:
            listed = guard.provider.list()
        except ProviderError as error:
            raise _unlisted(guard, "instances", error) from error
        known = guard.ledger.state().attempts
        for instance in listed:
            if (tag := instance.tag) is None:
                continue
            if tag.token == self.job.token:
                raise RefusedError(
                    f'the job "{self.job.name}" has an instance already ({instance.id}, {instance.name}).'
                )
            row = known.get((tag.token, tag.attempt))
            if row is None or row.closed is not None:
                usd += instance.price * max(0.0, tag.deadline + guard.limits.stray - now.wall) / 3600
        return usd

    def _follow(self, attempt: Attempt) -> None:
        """Wait for the instance, start the job or find it started, follow it to its end and pull what it made."""
        attempt = self._active(attempt)
        line = self._line(attempt)
        attempt = line.attempt
        try:
            left = max(0.0, self._left(attempt))
            limits, switch = self.guard.limits, self.switch.replace("{id}", attempt.id)
            tick = min(1.0, limits.lease / 20)
            plan = Plan(self.job.command, left, limits.lease, limits.idle, limits.idle_percent, tick, switch)
            line.ask(lambda box: box.start(self.job, plan))
            if attempt.stage != "started":
                self.guard.ledger.add(attempt, "started")
            self._watched(line, attempt)
            self._collected(line)
        finally:
            line.close()

    def _left(self, attempt: Attempt) -> float:
        """Seconds that the job may go on: by its hours since the instance was active, and by the hard deadline."""
        now = self._now()
        hours = self.job.hours * 3600 - (now.since(attempt.active) if attempt.active else 0.0)
        return min(hours, attempt.deadline - self.guard.limits.collect - now.since(attempt.opened))

    def _watched(self, line: Line, attempt: Attempt) -> None:
        offset = 0
        self.place.mkdir(parents=True, exist_ok=True)
        with (self.place / "log").open("wb") as log:
            while True:
                look = line.ask(partial(_look, offset))
                log.write(look.log)
                log.flush()
                offset += len(look.log)
                if look.code is not None and not look.log:
                    break
                if look.log:
                    continue
                if self._left(attempt) < -2 * self.guard.limits.answer:
                    raise FailedError("the box did not end the job at its deadline", again=False)
                self._pause()
        self.code, self.ended = look.code, self._now()
        self.guard.ledger.add(attempt, "ended", code=look.code, why=look.reason)
        if look.reason:
            self.guard.tell(f"the box ended the job: {look.reason}")

    def _collected(self, line: Line) -> None:
        if not self.job.get:
            return
        limits, beat = self.guard.limits, self.watch.beat if self.watch else _nothing
        try:
            found = line.ask(lambda box: box.collect(self.job, self.place, limits.collect, beat), once=True)
        except FailedError as error:
            self.guard.tell(f"results were not pulled whole: {error}")
            return
        self.artefacts = tuple(found)
        for artefact in found:
            if not artefact.whole:
                self.guard.tell(f"{artefact.path} did not come whole; its part is kept as {artefact.path}.partial")

    def _active(self, attempt: Attempt) -> Attempt:
        guard = self.guard
        while attempt.ip == "":
            if self._now().since(attempt.opened) >= guard.limits.active:
                raise FailedError("the instance did not become active in time")
            found = self._listed(attempt)
            if found and found.status == "active" and found.ip:
                return guard.ledger.add(attempt, "active", id=found.id, ip=found.ip)
            if found and found.status == "unhealthy":
                raise FailedError("the instance is unhealthy")
            if (
                found is None
                and attempt.stage == "unknown"
                and self._now().since(attempt.touched) >= guard.limits.settle
            ):
                raise FailedError("the launch failed and left no instance")
            self._pause()
        return attempt

    def _listed(self, attempt: Attempt) -> Instance | None:
        try:
            return next((one for one in self.guard.provider.list() if attempt.owns(one)), None)
        except ProviderError:
            return None

    def _line(self, attempt: Attempt) -> Line:
        """A line to a box that answers and has a GPU, its host key pinned in the ledger."""
        guard, began = self.guard, self._now()
        while True:
            try:
                box = self.connect(attempt)
                if not attempt.host_key:
                    attempt = guard.ledger.add(attempt, "pinned", host_key=box.host_key)
                try:
                    box.check()
                except BoxError:
                    box.close()
                    raise
                if attempt.stage != "started":
                    attempt = guard.ledger.add(attempt, "ssh")
                return Line(self, attempt, box)
            except UnknownHostError as error:
                raise FailedError(str(error)) from error
            except BoxError as error:
                if self._now().since(began) >= guard.limits.ssh:
                    raise FailedError(f"the instance is active but has no shell with a GPU: {error}") from error
            self._pause()


@dataclass(slots=True)
class Line:
    """The way to one box, opened anew where it breaks, until it has been silent for too long."""

    run: Run
    attempt: Attempt
    box: Box | None

    def ask(self, question: Callable[[Box], Answer], *, once: bool = False) -> Answer:
        guard, heard, told = self.run.guard, self.run._now(), False
        while True:
            try:
                if self.box is None:
                    self.box = self.run.connect(self.attempt)
                return question(self.box)
            except UnknownHostError as error:
                raise FailedError(str(error), again=False) from error
            except BoxError as error:
                self.close()
                if not told:
                    guard.ledger.add(self.attempt, "silent", why=str(error))
                    guard.tell(f"the box is silent: {error}")
                    told = True
                if once or self.run._now().since(heard) >= guard.limits.lost:
                    raise FailedError(f"the box is lost: {error}") from error
            if self.run._earlier() is None:
                raise FailedError("the instance was ended from outside", again=False)
            self.run._pause()

    def close(self) -> None:
        if self.box is not None:
            self.box.close()
            self.box = None


def _nothing() -> None:
    """There is no watch to beat."""


def _unlisted(guard: Guard, what: str, error: ProviderError) -> RefusedError:
    return RefusedError(
        f"{guard.provider.name} does not list its {what}, so nothing is launched ({error}). Try again later."
    )
