"""A user with settings, a cloud on loopback, and boxes that are one real sshd; times are scaled by the settings alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.gpu.fake_cloud import KEY, NARROW, FakeCloud, Faults, served

Found = TypeVar("Found")
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SCALE = 10  # a second of the tests stands for so many
LIMITS = {
    "active": 15.0, "ssh": 25.0, "poll": 0.2, "answer": 5.0, "lost": 15.0, "lease": 20.0, "orphan": 16.0, "idle": 30.0,
    "collect": 30.0, "settle": 3.0, "retry": 0.5, "patience": 30.0, "stray": 5.0,
}  # fmt: skip
GRACE = 300 / SCALE
SWITCH = """import json, sys, urllib.request
request = urllib.request.Request(sys.argv[1] + "/instance-operations/terminate", method="POST",
    data=json.dumps({"instance_ids": [sys.argv[3]]}).encode(), headers={"Authorization": "Bearer " + sys.argv[2]})
urllib.request.urlopen(request, timeout=5)
"""


@dataclass
class Renter:
    """A user at a desk of their own: `meta gpu …` in real processes."""

    root: Path
    cloud: FakeCloud
    url: str
    port: int = 0
    limits: dict[str, float] = field(default_factory=lambda: dict(LIMITS))
    more: dict[str, Any] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        places = {f"XDG_{kind}_HOME": str(self.root / kind.lower()) for kind in ("CACHE", "STATE", "CONFIG", "DATA")}
        return {**os.environ, **places, "HOME": str(self.root), "LAMBDA_API_KEY": KEY}

    def configure(self) -> None:
        folder = self.root / "config" / "meta"
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            "url": self.url, "ssh_key": str(self.root / "key"), "ssh_key_name": "laptop", "ssh_user": os.environ.get("USER", "root"),
            "ssh_port": self.port, "ssh_folder": str(self.root / "box"), "request_pause": 0.02, "launch_pause": 0.1,
            "switch": f"{sys.executable} {self.root / 'switch.py'} {self.url} {NARROW} {{id}}",
        } | self.more  # fmt: skip
        lines = [f"{name} = {json.dumps(value)}" for name, value in rows.items()]
        lines += ["[limits]", *(f"{name} = {value}" for name, value in self.limits.items())]
        (folder / "gpu.toml").write_text("\n".join(lines))

    def start(self, *words: str) -> subprocess.Popen[str]:
        self.configure()
        process = subprocess.Popen(
            [sys.executable, "-m", "meta", "gpu", *words], cwd=self.root, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def __call__(self, *words: str, timeout: float = 90.0) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err

    def run(self, command: str, *more: str) -> tuple[int, dict[str, Any], str]:
        code, out, err = self(*self.words(command, *more))
        return code, json.loads(out) if out else {}, err

    @staticmethod
    def words(command: str, *more: str) -> Sequence[str]:
        return [
            "run",
            "--name",
            "job",
            "--type",
            "gpu_1x_a10",
            "--budget",
            "9",
            "--yes",
            "--json",
            "--command",
            command,
            *more,
        ]

    def rows(self, event: str = "") -> list[dict[str, Any]]:
        try:
            lines = (self.root / "state" / "meta" / "gpu" / "ledger.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        rows = [json.loads(line) for line in lines]
        return [row for row in rows if event in ("", row["event"])]

    def until(self, event: str, seconds: float = 60.0) -> dict[str, Any]:
        return wait(lambda: self.rows(event)[-1:], seconds, event)[0]

    def processes(self) -> list[int]:
        """What this user has running: runs, reapers, supervisors and their jobs."""
        marks = (f"HOME={self.root}\0".encode(), f"{self.root}/".encode())
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                if int(folder.name) != os.getpid() and any(mark in told for mark in marks):
                    found.append(int(folder.name))
        return found

    def all_gone(self, seconds: float) -> None:
        wait(lambda: not self.cloud.alive(), seconds, "everything gone")
        wait(lambda: not (self.root / "state/meta/gpu/open").exists(), 4 * GRACE, "the ledger closed")
        for row in self.rows("gone"):
            mine = [
                m
                for m in self.cloud.machines.values()
                if m.name.startswith(f"meta-gpu-{row['token']}-{row['attempt']}-")
            ]
            assert all(machine.over <= row["wall"] for machine in mine), "told to be gone before it was"


def wait(for_: Callable[[], Found], seconds: float, what: str) -> Found:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if found := for_():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:g} s")


@pytest.fixture
def renter(tmp_path: Path) -> Iterator[Renter]:
    cloud = FakeCloud(time.time, Faults(boot=0.3, lag=0.2, dying=0.3))
    (tmp_path / "switch.py").write_text(SWITCH)
    with served(cloud) as url:
        user = Renter(tmp_path, cloud, url)
        yield user
        for process in user.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for pid in user.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@dataclass
class Sshd:
    process: subprocess.Popen[bytes]
    port: int

    def tree(self) -> list[int]:
        """The daemon and its sessions; what jobs started has left the tree."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found

    def signal(self, number: int, *, daemon: bool = True) -> None:
        for pid in self.tree()[0 if daemon else 1 :]:
            os.kill(pid, number)


@pytest.fixture
def sshd(renter: Renter) -> Iterator[Sshd]:
    if not SSHD or sys.platform != "linux":
        pytest.skip("there is no sshd")
    Path("/run/sshd").mkdir(exist_ok=True) if os.getuid() == 0 else None
    root = renter.root
    for name in ("key", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root / name], check=True)
    (root / "authorized").write_text((root / "key.pub").read_text())
    (root / "bin").mkdir()
    (root / "bin" / "nvidia-smi").write_text("#!/bin/sh\necho 0\n")
    (root / "bin" / "nvidia-smi").chmod(0o755)
    port = free_port()
    (root / "sshd_config").write_text(
        f"Port {port}\nListenAddress 0.0.0.0\nHostKey {root / 'host'}\nAuthorizedKeysFile {root / 'authorized'}\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\nSetEnv PATH={root / 'bin'}:{os.environ['PATH']}\n"
        "PasswordAuthentication no\nMaxStartups 100\n"
    )
    with (root / "sshd.log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", root / "sshd_config"], stderr=log)
    daemon = Sshd(process, port)
    renter.port = port
    wait(lambda: answers(port), 10, "sshd")
    yield daemon
    daemon.signal(signal.SIGCONT)
    for pid in reversed(daemon.tree()):
        os.kill(pid, signal.SIGKILL)
    process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
