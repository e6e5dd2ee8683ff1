"""The ledger, the provider and the door, each by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from meta.config import folders
from meta.errors import UserError
from meta.gpu.lambda_cloud import REFUSALS, Lambda, over_http
from meta.gpu.ledger import Ledger, RefusedError, Watch, rebuilt
from meta.gpu.nouns import Instance, Job, Moment, Tag
from meta.gpu.provider import ProviderError
from meta.gpu.settings import load
from tests.gpu.conftest import Renter
from tests.gpu.fake_cloud import KEY, FakeCloud, Faults, served

JOB = Job("job", "true", "gpu_1x_a10", 1.0, budget=2.0)


class Still:
    """A clock that goes on only when it is told to, or slept by."""

    def __init__(self) -> None:
        self.at = Moment(1.7e9, 1000.0, "boot")
        self.slept: list[float] = []

    def now(self) -> Moment:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float, *, jump: float = 0.0) -> None:
        self.at = Moment(self.at.wall + seconds + jump, self.at.mono + seconds, self.at.boot)


# the ledger


def test_a_budget_too_small_is_refused_with_by_how_much(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Still())
    with pytest.raises(RefusedError, match=r"budget.* of \$2\.00 is too small by \$1\.00"):
        ledger.open(JOB, 3.0, 3600, cap=99)
    assert ledger.open(JOB, 2.0, 3600, cap=99).number == 1


def test_what_others_may_still_cost_counts_against_the_cap_and_what_is_over_by_what_it_cost(tmp_path: Path) -> None:
    clock = Still()
    ledger = Ledger(tmp_path, clock)
    first = ledger.open(JOB, 2.0, 3600, cap=3)
    other = replace(JOB, name="other")
    with pytest.raises(RefusedError, match=r"cap of 30 days.*too small by \$1\.00"):
        ledger.open(other, 2.0, 3600, cap=3)
    clock.pass_(1800)
    assert ledger.add(first, "gone").cost == pytest.approx(1.0)
    assert ledger.open(other, 2.0, 3600, cap=3).token == other.token


def test_a_budget_does_not_begin_anew_with_a_new_process(tmp_path: Path) -> None:
    clock = Still()
    first = Ledger(tmp_path, clock).open(JOB, 2.0, 3600, cap=99)
    clock.pass_(3600)
    Ledger(tmp_path, clock).add(first, "gone")
    with pytest.raises(RefusedError, match=r"\$2\.00 are spent or committed"):
        Ledger(tmp_path, clock).open(JOB, 2.0, 3600, cap=99)


def test_a_jump_of_the_wall_clock_changes_no_cost_and_no_deadline(tmp_path: Path) -> None:
    clock = Still()
    ledger = Ledger(tmp_path, clock)
    attempt = ledger.open(JOB, 2.0, 3600, cap=99)
    clock.pass_(600, jump=10**6)
    assert clock.now().since(attempt.opened) == 600
    assert ledger.state().committed(clock.now()) == pytest.approx(2.0)


def test_a_line_cut_in_the_middle_costs_that_line_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Still())
    attempt = ledger.open(JOB, 2.0, 3600, cap=99)
    with ledger.path.open("ab") as file:
        file.write(b'{"event": "crea')
    assert ledger.state().bad == 1
    ledger.add(attempt, "created", id="i-1")
    assert ledger.state().open[0].id == "i-1"
    assert rebuilt(b"").bad == 0


def test_the_marker_stands_while_something_may_be_alive(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, Still())
    attempt = ledger.open(JOB, 2.0, 3600, cap=99)
    assert ledger.marker.exists()
    ledger.add(attempt, "refused")
    assert not ledger.marker.exists()


def test_a_controller_is_seen_alive_while_it_holds_its_lock(tmp_path: Path) -> None:
    clock = Still()
    watch = Watch(tmp_path, "token", clock)
    with watch.held():
        clock.pass_(10)
        assert (watch.look().held, watch.look().age) == (True, 10)
        with pytest.raises(RefusedError), Watch(tmp_path, "token", clock).held():
            pass
    assert not watch.look().held
    clock.at = Moment(clock.at.wall, 5.0, "another boot")
    assert watch.look().age == float("inf")


def test_two_processes_that_append_at_once_lose_no_row(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from meta.gpu.ledger import Ledger; from meta.gpu.nouns import Job, SystemClock\n"
        "for n in range(20): Ledger(Path(sys.argv[1]), SystemClock()).open(Job(f'{sys.argv[2]}{n}', 'x', 't', 1, 9), 0.1, 60, 99)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program, tmp_path, name]) for name in "ab"]
    assert [run.wait(60) for run in runs] == [0, 0]
    state = rebuilt((tmp_path / "ledger.jsonl").read_bytes())
    assert (len(state.open), state.bad) == (40, 0)


# the provider


def test_the_api_is_spoken_as_documented_page_by_page() -> None:
    cloud = FakeCloud(time.time, Faults(boot=0), page=2)
    with served(cloud) as url:
        account = Lambda(over_http(KEY, url), Still())
        offer = account.offers()["gpu_1x_a10"]
        assert (offer.price, offer.regions) == (0.75, ("us-east-1",))
        ids = [
            account.launch(Tag("a" * 12, number, 1800000000).name, offer, "us-east-1", "laptop") for number in range(5)
        ]
        assert [one.id for one in account.list()] == ids
        assert account.list()[0].tag == Tag("a" * 12, 0, 1800000000)
        assert account.list()[0].ip
        cloud.faults.dying = -1.0
        account.terminate(ids[0])
        assert len(account.list()) == 4


def test_calls_keep_to_the_rate_limits() -> None:
    clock, cloud = Still(), FakeCloud(time.time)
    account = Lambda(cloud.send, clock)
    offer = account.offers()["gpu_1x_a10"]
    account.launch("x", offer, "us-east-1", "laptop")
    account.launch("y", offer, "us-east-1", "laptop")
    assert sum(clock.slept) >= 1 + 12


@pytest.mark.parametrize(("status", "code", "refused"), [
    pytest.param(400, "instance-operations/launch/insufficient-capacity", True, id="no capacity: nothing was created"),
    pytest.param(401, "global/invalid-api-key", True, id="a wrong key: nothing was created"),
    pytest.param(429, "global/whatever", True, id="too many calls: nothing was looked at"),
    pytest.param(500, "global/internal-error", False, id="an internal error: unknown"),
    pytest.param(500, "global/quota-exceeded", False, id="a known code in a server's error: unknown"),
    pytest.param(400, "provider/internal-unavailable", False, id="a code nobody documents: unknown"),
])  # fmt: skip
def test_only_a_code_that_is_known_says_that_nothing_was_created(status: int, code: str, refused: bool) -> None:
    account = Lambda(lambda *_: (status, json.dumps({"error": {"code": code, "message": ""}}).encode()), Still())
    with pytest.raises(ProviderError) as caught:
        account.list()
    assert caught.value.refused == refused
    assert ("insufficient" in code) == REFUSALS.get(code, False)


def test_an_answer_of_another_shape_is_an_error_and_no_empty_list() -> None:
    for raw in (b"<html>", b"[]", b"{}"):
        with pytest.raises(ProviderError):
            Lambda(lambda *_, raw=raw: (200, raw), Still()).list()


@pytest.mark.parametrize(
    "name", ["", "mine", "meta-gpu-", "meta-gpu-abc-1-2", f"x-meta-gpu-{'a' * 12}-1-2", f"meta-gpu-{'a' * 12}-1-2-x"]
)
def test_a_name_that_is_not_exactly_ours_is_not_ours(name: str) -> None:
    assert Instance("i", name, "active").tag is None


# the door


def test_what_a_user_gets_wrong_is_one_line(renter: Renter) -> None:
    renter.port = 1
    wrong = {
        ("run", "--command", "x"): "name an instance type",
        (
            "run",
            "--command",
            "x",
            "--type",
            "gpu_1x_a11",
            "--budget",
            "9",
        ): 'no instance type "gpu_1x_a11". Did you mean "gpu_1x_a10"?',
        ("run", "--command", "x", "--type", "gpu_1x_a10"): "--budget must be above zero",
        ("run", "--type", "gpu_1x_a10", "--budget", "9"): "nothing to run",
        ("run", "--command", "x", "--type", "gpu_1x_a10", "--budget", "9"): "there is no SSH key",
    }
    for words, told in wrong.items():
        code, out, err = renter(*words)
        assert (code, out) == (1, ""), err
        assert told in err
        assert len(err.splitlines()) == 1
    assert not renter.cloud.machines


def test_a_dry_run_tells_the_worst_case_and_launches_nothing(renter: Renter) -> None:
    code, out, _ = renter("run", "--command", "x", "--type", "gpu_1x_a10", "--budget", "9", "--hours", "2", "--dry-run")
    assert code == 0
    assert "$1.51 at worst" in out
    assert not renter.cloud.machines
    assert not renter.rows()


def test_without_a_key_nothing_is_begun(renter: Renter) -> None:
    renter.configure()
    environment = renter.environment | {"LAMBDA_API_KEY": ""}
    done = subprocess.run(
        [sys.executable, "-m", "meta", "gpu", "list"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (
        1,
        "meta: no key for lambda: put it into the environment as LAMBDA_API_KEY.\n",
    )


@pytest.mark.parametrize(("text", "told"), [
    ("cap = 5", 'unknown setting "cap"'), ("cap_usd = true", "must be a number"), ("[limits]\nssh = 'x'", "must be a number"),
    ("provider = 'x'", "unknown provider"), ("cap_usd =", "not valid TOML"), ("ssh_user = 3", "must be a text"),
])  # fmt: skip
def test_settings_that_cannot_be_meant_are_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "gpu.toml").write_text(text)
    with pytest.raises(UserError, match=told):
        load(tmp_path / "gpu.toml")


def test_any_call_of_meta_starts_the_reaper_where_something_may_be_alive(renter: Renter) -> None:
    renter.configure()
    stray = renter.cloud.create(f"meta-gpu-{'a' * 12}-1-{int(time.time()) - 60}")
    mine = renter.cloud.create("not-ours")
    call = [sys.executable, "-m", "meta", "--version"]
    subprocess.run(call, env=renter.environment, check=True, timeout=60)
    assert not renter.cloud.calls
    marker = renter.root / "state" / "meta" / "gpu" / "open"
    marker.parent.mkdir(parents=True)
    marker.touch()
    os.utime(marker, (0, 0))
    subprocess.run(call, env=renter.environment, check=True, timeout=60)
    give_up = time.monotonic() + 30
    while stray in renter.cloud.alive() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert renter.cloud.alive() == [mine]


def test_the_marker_is_looked_for_where_the_state_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from meta import cli

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert cli.marker() == str(folders().state / "gpu" / "open")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert cli.marker() == str(folders().state / "gpu" / "open")
