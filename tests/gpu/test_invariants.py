"""Whatever fails and whenever a process dies, no instance of ours outlives its job, its deadline or its budget.

I1 at most one living instance a job. I2 none outlives min(job's end + grace, deadline) while a reaper is at work and
the API answers. I3 no row says gone while the instance lives. I4 what is spent and committed stays below the cap.
I5 after any crash the same call, or the reaper, leads to the same end. I6 what is not tagged as ours is never touched.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from meta.gpu import controller
from meta.gpu.box import Artefact, BoxError, Look, Plan
from meta.gpu.controller import Outcome, Run
from meta.gpu.ending import Guard
from meta.gpu.lambda_cloud import Lambda
from meta.gpu.ledger import Attempt, Ledger, RefusedError
from meta.gpu.nouns import Instance, Job, Limits, Moment
from meta.gpu.provider import ProviderError
from meta.gpu.reaper import reap
from tests.gpu.fake_cloud import PRICES, FakeCloud, Faults, Machine

LIMITS = Limits(active=600, poll=30, lost=150, settle=120)
GRACE, CRON = 300.0, 30.0
CAP, HOURS = 2.5, 0.5
LONGEST = LIMITS.active + LIMITS.ssh + HOURS * 3600 + LIMITS.collect  # of a job, by its own hours
JOBS = [
    Job(name, "work", "gpu_1x_a10", HOURS, budget=2.0, tries=tries, get=("out",))
    for name, tries in (("one", 1), ("two", 3))
]


class KilledError(BaseException):
    """The process is dead: nothing of it runs any more, its `finally` included."""


@dataclass
class World:
    """True time, the clocks that processes see, and what goes on beside them."""

    seconds: float = 0.0
    jump: float = 0.0
    boot: int = 0
    booted: float = 0.0
    beside: Callable[[], None] = lambda: None
    nested: bool = False

    def advance(self, seconds: float) -> None:
        while seconds > 0:
            step = min(seconds, CRON)
            self.seconds += step
            seconds -= step
            if not self.nested:
                self.nested = True
                try:
                    self.beside()
                finally:
                    self.nested = False


@dataclass
class Process:
    """The clock of one process, which dies at its n-th look at it."""

    world: World
    left: int | None = None

    def now(self) -> Moment:
        if self.left is not None:
            if self.left <= 0:
                raise KilledError
            self.left -= 1
        world = self.world
        return Moment(1.7e9 + world.seconds + world.jump, world.seconds - world.booted, f"boot-{world.boot}")

    def sleep(self, seconds: float) -> None:
        self.now()
        self.world.advance(seconds)
        self.now()


@dataclass
class Work:
    """What runs on a machine. A client's silence ends the machine, where its switch works."""

    started: float
    seconds: float
    plan: Plan
    lease: float
    ended: float | None = None


@dataclass
class Shell:
    """A box of the model: what a supervisor does, in the world's time."""

    world: World
    cloud: FakeCloud
    machine: Machine
    jobs: dict[str, Work]
    seconds: float
    broken: bool
    host_key: str = "key"

    def check(self) -> None:
        if self.broken or self.world.seconds >= self.machine.over:
            raise BoxError("no answer")

    def start(self, job: Job, plan: Plan) -> None:
        self.check()
        now = self.world.seconds
        self.jobs.setdefault(self.machine.id, Work(now, self.seconds, plan, now)).lease = now

    def look(self, offset: int) -> Look:
        self.check()
        job = self.jobs[self.machine.id]
        job.lease = self.world.seconds
        return Look(None if job.ended is None else 0, "", b"" if offset else b"log")

    def collect(self, job: Job, place: Path, seconds: float, beat: Callable[[], None]) -> list[Artefact]:
        self.check()
        return [Artefact("out", "0", True)]

    def close(self) -> None:
        """Nothing is open."""


def naive(guard: Guard, connect: Callable[[Attempt], Shell], job: Job, place: Path) -> Outcome:
    """What a script does: launch, run, terminate at the end."""
    offer = guard.provider.offers()[job.type]
    id = guard.provider.launch(f"meta-gpu-{job.token}-1-1800000000", offer, "us-east-1", "laptop")
    try:
        for _ in range(30):
            guard.clock.sleep(60)
            if any(one.id == id and one.status == "active" for one in guard.provider.list()):
                break
        guard.clock.sleep(900)
    finally:
        guard.provider.terminate(id)
    return Outcome(True, "done")


def guarded(guard: Guard, connect: Callable[[Attempt], Shell], job: Job, place: Path) -> Outcome:
    asked = controller.worst(guard, job, rate=5.0)
    return Run(guard, connect, job, asked, CAP, "laptop", "", place).run()


class Rented(RuleBasedStateMachine):
    run_job = staticmethod(guarded)

    def __init__(self) -> None:
        super().__init__()
        shm = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
        self.world = World()
        self.cloud = FakeCloud(lambda: self.world.seconds)
        self.cloud.launched, self.cloud.terminated = self.launched, self.terminated
        self.jobs: dict[str, Work] = {}
        self.wrong: list[str] = []
        self.cron, self.switch, self.broken, self.fine_since = True, False, False, 0.0
        self.world.beside = self.beside
        self.ledger = Ledger(self.folder, Process(self.world))

    def teardown(self) -> None:
        try:
            self.at_last()
        finally:
            shutil.rmtree(self.folder)

    # what is watched

    def launched(self, machine: Machine) -> None:
        tag = Instance(machine.id, machine.name, "").tag
        if tag is None or tag.token == "f" * 12:
            return
        same = [
            one for one in self.cloud.alive() if (other := Instance("", one.name, "").tag) and other.token == tag.token
        ]
        if len(same) > 1:
            self.wrong.append(f"I1: {[one.name for one in same]} live at once")
        usd = sum(self.costs(one) for one in self.cloud.machines.values())
        if usd > CAP + 1e-6:
            self.wrong.append(f"I4: ${usd:.2f} committed, the cap is ${CAP:.2f}")

    def costs(self, machine: Machine) -> float:
        """USD at most, by what really lives. What another machine of ours rents stands in that one's ledger."""
        tag = Instance("", machine.name, "").tag
        attempt = self.ledger.state().attempts.get((tag.token, tag.attempt)) if tag else None
        if attempt is None:
            return 0.0
        seconds = machine.over - machine.born if self.world.seconds >= machine.over else attempt.deadline
        return PRICES[machine.type] / 100 * seconds / 3600

    def terminated(self, machine: Machine) -> None:
        if Instance("", machine.name, "").tag is None:
            self.wrong.append(f"I6: {machine.name} was ended")

    def beside(self) -> None:
        """What goes on beside whoever sleeps: jobs end, switches are pressed, the reaper comes round."""
        now = self.world.seconds
        for id, job in self.jobs.items():
            machine = self.cloud.machines[id]
            over = now - job.lease >= job.plan.lease
            if job.ended is None and (now - job.started >= min(job.seconds, job.plan.deadline) or over):
                job.ended = now
            if over and self.switch and not self.cloud.faults.down and machine in self.cloud.alive():
                self.cloud.end(machine)
        if self.cron:
            reap(self.guard(Process(self.world)), patience=20)
        self.in_time()

    def in_time(self) -> None:
        now = self.world.seconds
        if not self.cron or self.cloud.faults.down:
            self.fine_since = now
        for machine in self.cloud.alive():
            tag = Instance("", machine.name, "").tag
            attempt = self.ledger.state().attempts.get((tag.token, tag.attempt)) if tag else None
            if tag is None or tag.token == "f" * 12:
                continue
            due = machine.born + (attempt.deadline if attempt else LONGEST)
            job = self.jobs.get(machine.id)
            if job and job.ended is not None:
                due = min(due, job.ended)
            if now > max(due, self.fine_since) + GRACE:
                self.wrong.append(f"I2: {machine.name} lives {now - due:.0f} s after it was due")

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.in_time()
        for attempt in self.ledger.state().attempts.values():
            if attempt.closed and any(attempt.owns(Instance(m.id, m.name, "")) for m in self.cloud.alive()):
                self.wrong.append(f"I3: {attempt.name} is told to be gone and lives")
        assert not self.wrong, self.wrong

    # what happens

    def guard(self, clock: Process) -> Guard:
        return Guard(Ledger(self.folder, clock), Lambda(self.cloud.send, clock), clock, LIMITS, lambda text: None)

    def connect(self, seconds: float) -> Callable[[Attempt], Shell]:
        def to(attempt: Attempt) -> Shell:
            machine = next(one for one in self.cloud.machines.values() if one.ip == attempt.ip)
            return Shell(self.world, self.cloud, machine, self.jobs, seconds, self.broken)

        return to

    def process(self, number: int, seconds: float, left: int | None) -> Outcome | None:
        try:
            return self.run_job(
                self.guard(Process(self.world, left)), self.connect(seconds), JOBS[number], self.folder / "out"
            )
        except (KilledError, RefusedError, ProviderError):
            return None

    @initialize(
        boot=st.sampled_from([30.0, 120.0, 1e9]), lag=st.sampled_from([0.0, 20.0, 60.0]), dying=st.sampled_from([0.0, 10.0, 90.0]),
        switch=st.booleans(),
    )  # fmt: skip
    def begin(self, boot: float, lag: float, dying: float, switch: bool) -> None:
        self.cloud.faults = Faults(boot=boot, lag=lag, dying=dying)
        self.switch = switch
        self.cloud.create("somebody-elses")

    @rule(
        number=st.integers(0, 1), seconds=st.sampled_from([60.0, 600.0, 9000.0]), left=st.none() | st.integers(1, 120)
    )
    def run_one(self, number: int, seconds: float, left: int | None) -> None:
        self.process(number, seconds, left)

    @rule(left=st.none() | st.integers(1, 40))
    def reap_once(self, left: int | None) -> None:
        with contextlib.suppress(KilledError):
            reap(self.guard(Process(self.world, left)), patience=60)

    @rule(seconds=st.sampled_from([10.0, 150.0, 1000.0, 5000.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([-90000.0, -600.0, 600.0, 90000.0]))
    def the_wall_clock_jumps(self, seconds: float) -> None:
        self.world.jump += seconds

    @rule()
    def the_machine_restarts(self) -> None:
        self.world.boot, self.world.booted = self.world.boot + 1, self.world.seconds

    @rule(
        fault=st.sampled_from(["created_500", "lost_500", "list_429", "terminate_500", "terminate_409"]),
        times=st.integers(1, 3),
    )
    def the_api_will_fail(self, fault: str, times: int) -> None:
        setattr(self.cloud.faults, fault, times)

    @rule(fault=st.sampled_from(["down", "capacity"]), value=st.booleans())
    def the_cloud_changes(self, fault: str, value: bool) -> None:
        setattr(self.cloud.faults, fault, value)

    @rule(value=st.booleans())
    def the_reaper_comes_round(self, value: bool) -> None:
        self.cron = value

    @rule(value=st.booleans())
    def boxes_break(self, value: bool) -> None:
        self.broken = value

    @rule(hours=st.sampled_from([-2, 5]))
    def another_machine_of_ours_rents(self, hours: int) -> None:
        self.cloud.create(f"meta-gpu-{'f' * 12}-1-{int(1.7e9 + self.world.seconds + hours * 3600)}")

    def at_last(self) -> None:
        """The API answers again: the same calls once more, or the reaper alone, end all that is ours."""
        self.cloud.faults = Faults()
        self.broken, self.fine_since = False, self.world.seconds
        self.cron = True
        outcome = self.process(0, 60.0, None)
        no_money = outcome is None or outcome.reason.startswith("no further attempt")
        assert no_money or (outcome and outcome.ok), f"I5: {outcome}"
        self.world.advance(600)
        self.nothing_is_wrong()
        ours = [m.name for m in self.cloud.alive() if (tag := Instance("", m.name, "").tag) and tag.token != "f" * 12]
        assert not ours, f"I5: {ours} live"
        assert not self.ledger.state().open, "I5: rows are open"
        assert not self.ledger.marker.exists()
        assert any(machine.name == "somebody-elses" for machine in self.cloud.alive()), "I6"


def schedules(machine: type[Rented], count: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=count,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            phases=[Phase.generate],
        ),
    )


def test_a_hundred_schedules_of_faults_and_deaths_break_no_invariant() -> None:
    schedules(Rented, 100, 12)


@pytest.mark.slow
def test_three_thousand_schedules_of_faults_and_deaths_break_no_invariant() -> None:
    schedules(Rented, 3000, 15)


def test_a_naive_controller_is_caught() -> None:
    class Naive(Rented):
        run_job = staticmethod(naive)

    with pytest.raises(AssertionError, match=r"I[1-5]: "):
        schedules(Naive, 100, 12)
