"""Real processes, a real sshd and a cloud on loopback: however a run goes, its instance is gone soon after."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.gpu.conftest import GRACE, SCALE, Renter, Sshd, free_port, wait

PROXY = """import socket, sys, threading
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
def pump(one, other):
    while data := one.recv(65536):
        other.sendall(data)
    other.close()
while True:
    here, _ = listener.accept()
    there = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((here, there), (there, here)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""
STEPS = ["intent", "created", "active", "pinned", "ssh", "started", "ended", "terminating"]


def test_a_job_runs_and_its_results_come_back_whole(renter: Renter, sshd: Sshd) -> None:
    (renter.root / "data.txt").write_text("seven")
    command = "cat data.txt; mkdir -p out; head -c 300000 /dev/urandom > out/w.bin; sha256sum out/w.bin | cut -c1-64"
    code, told, err = renter.run(command, "--send", "data.txt", "--get", "out/*")
    assert (code, told["ok"], told["reason"]) == (0, True, "done"), err
    place = renter.root / "gpu-runs" / "job"
    said = (place / "log").read_text()
    assert said.startswith("seven")
    assert hashlib.sha256((place / "out" / "w.bin").read_bytes()).hexdigest() in said
    assert told["artefacts"][0]["whole"]
    renter.all_gone(GRACE)
    assert [row["event"] for row in renter.rows()] == [
        "intent", "created", "active", "pinned", "ssh", "started", "ended", "terminating", "gone",
    ]  # fmt: skip


def test_a_job_that_crashes_is_told_and_its_instance_ended(renter: Renter, sshd: Sshd) -> None:
    code, told, _ = renter.run("exit 7")
    assert (code, told["code"]) == (1, 7)
    assert told["seconds"] <= GRACE
    renter.all_gone(0.1)


def test_a_run_that_is_killed_leaves_nothing_alive(renter: Renter, sshd: Sshd) -> None:
    killed(renter, "started")


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_at_a_step_leaves_nothing_alive(renter: Renter, sshd: Sshd, step: str) -> None:
    killed(renter, step)


def killed(renter: Renter, step: str) -> None:
    run = renter.start(*renter.words("sleep 1"))
    renter.until(step)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    renter.all_gone(GRACE)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_instance_before_the_run(renter: Renter, sshd: Sshd, number: int) -> None:
    run = renter.start(*renter.words("sleep 600"))
    renter.until("started")
    os.kill(run.pid, number)
    os.kill(run.pid, number)  # impatience changes nothing
    run.communicate(timeout=60)
    assert run.returncode != 0
    assert not renter.cloud.alive()
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_run_called_again_after_a_kill_goes_on_with_the_same_instance(renter: Renter, sshd: Sshd) -> None:
    run = renter.start(*renter.words("sleep 2; echo once >> out; cat out", "--get", "out"))
    renter.until("started")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    code, _, err = renter.run("sleep 2; echo once >> out; cat out", "--get", "out")
    assert code == 0, err
    assert len(renter.cloud.machines) == 1
    assert (renter.root / "gpu-runs" / "job" / "out").read_text() == "once\n"
    renter.all_gone(0.1)


@pytest.mark.slow
def test_an_instance_that_never_becomes_active_is_ended(renter: Renter, sshd: Sshd) -> None:
    renter.cloud.faults.boot = 1e9
    renter.limits["active"] = 2.0
    code, told, _ = renter.run("true")
    assert (code, told["reason"]) == (1, "the instance did not become active in time")
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_box_without_a_shell_is_ended(renter: Renter) -> None:
    renter.port = free_port()
    renter.limits["ssh"] = 2.0
    (renter.root / "key").write_text("")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", renter.root / "key2"], check=True)
    (renter.root / "key2").replace(renter.root / "key")
    code, told, _ = renter.run("true")
    assert code == 1
    assert "no shell with a GPU" in told["reason"]
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_box_that_refuses_the_key_is_ended(renter: Renter, sshd: Sshd) -> None:
    (renter.root / "authorized").write_text("")
    renter.limits["ssh"] = 2.0
    code, told, _ = renter.run("true")
    assert code == 1
    assert "Authentication failed" in told["reason"]
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_box_without_a_gpu_is_ended(renter: Renter, sshd: Sshd) -> None:
    (renter.root / "bin" / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    renter.limits["ssh"] = 2.0
    code, told, _ = renter.run("true")
    assert code == 1
    assert "nvidia-smi" in told["reason"]
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_job_that_hangs_is_ended_at_its_hours(renter: Renter, sshd: Sshd) -> None:
    code, told, _ = renter.run("sleep 600", "--hours", str(3 / 3600))
    assert (code, told["code"]) == (1, -15)
    assert told["seconds"] <= GRACE
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_frozen_session_is_noticed_and_the_job_followed_over_a_new_one(renter: Renter, sshd: Sshd) -> None:
    renter.limits["answer"] = 20 / SCALE
    run = renter.start(*renter.words("sleep 5"))
    renter.until("started")
    frozen = time.time()
    sshd.signal(signal.SIGSTOP, daemon=False)
    assert renter.until("silent")["wall"] - frozen <= 30 / SCALE + 1.5  # 1.5 s of a loaded machine are not scaled
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, (out, err)
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_frozen_peer_is_noticed_within_30_seconds_of_real_time(renter: Renter, sshd: Sshd) -> None:
    renter.limits |= {"answer": 20.0, "poll": 5.0, "lost": 150.0, "lease": 200.0, "orphan": 200.0}
    run = renter.start(*renter.words("sleep 20"))
    renter.until("started")
    frozen = time.time()
    sshd.signal(signal.SIGSTOP, daemon=False)
    assert renter.until("silent", 60)["wall"] - frozen <= 30
    run.communicate(timeout=90)
    assert run.returncode == 0
    renter.all_gone(0.1)


@pytest.mark.slow
def test_a_box_that_stays_frozen_is_ended(renter: Renter, sshd: Sshd) -> None:
    run = renter.start(*renter.words("sleep 600"))
    renter.until("started")
    sshd.signal(signal.SIGSTOP)
    run.communicate(timeout=60)
    assert run.returncode == 1
    renter.all_gone(0.1)


@pytest.mark.slow
def test_beyond_a_partition_the_box_ends_itself_and_so_does_the_run(renter: Renter, sshd: Sshd) -> None:
    port = free_port()
    proxy = subprocess.Popen([sys.executable, "-c", PROXY, str(port), str(sshd.port)])
    try:
        renter.port = port
        run = renter.start(*renter.words("sleep 600"))
        renter.until("started")
        os.kill(proxy.pid, signal.SIGSTOP)
        os.kill(run.pid, signal.SIGSTOP)  # and the client is gone with the network: the switch is alone
        for watcher in watchers(renter):
            os.kill(watcher, signal.SIGSTOP)
        wait(lambda: not renter.cloud.alive(), GRACE, "the switch")
        os.kill(run.pid, signal.SIGCONT)
        run.communicate(timeout=60)
        assert run.returncode == 1
        renter.all_gone(0.1)
    finally:
        for watcher in watchers(renter):
            os.kill(watcher, signal.SIGCONT)
        proxy.kill()
        proxy.wait()


def watchers(renter: Renter) -> list[int]:
    """The reapers that this user's runs have started."""
    found = subprocess.run(
        ["pgrep", "-f", "meta gpu reap --watch"], capture_output=True, text=True, check=False
    ).stdout.split()
    mark = f"HOME={renter.root}".encode()
    return [int(pid) for pid in found if mark in open(f"/proc/{pid}/environ", "rb").read().split(b"\0")]


@pytest.mark.slow
def test_the_same_job_called_twice_at_once_runs_once(renter: Renter, sshd: Sshd) -> None:
    first = renter.start(*renter.words("sleep 3"))
    renter.until("intent")
    code, _, err = renter.run("sleep 3")
    assert code == 1
    assert "another process" in err
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert len(renter.cloud.machines) == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["created_500", "lost_500", "terminate_500", "terminate_409", "list_429"])
def test_errors_of_the_api_leave_nothing_alive(renter: Renter, sshd: Sshd, fault: str) -> None:
    run = renter.start(*renter.words("sleep 1"))
    if fault == "list_429":
        renter.until("created")
    setattr(renter.cloud.faults, fault, 3 if fault.startswith(("term", "list")) else 1)
    run.communicate(timeout=90)
    assert run.returncode == (1 if fault == "lost_500" else 0)
    renter.all_gone(0.1)


@pytest.mark.slow
def test_while_it_cannot_be_confirmed_gone_the_run_ends_with_3_and_the_reaper_goes_on(
    renter: Renter, sshd: Sshd
) -> None:
    renter.limits["patience"] = 1.0
    renter.cloud.faults.terminate_500 = 10**6
    code, told, err = renter.run("true")
    assert (code, len(told["alive"])) == (3, 1)
    assert "NOT GONE" in err
    assert not renter.rows("gone")
    renter.cloud.faults.terminate_500 = 0
    renter.all_gone(GRACE)
