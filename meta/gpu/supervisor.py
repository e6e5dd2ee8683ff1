"""What runs on the box beside the job: a deadline, a lease that the client renews, and the switch that ends the box.

It is copied there and stands alone. It trusts no wall clock, and it never decides that the instance is gone.

    supervisor.py run FOLDER PLAN      start once, detached; a second start finds the first
    supervisor.py peek FOLDER OFFSET   renew the lease; status and the log from there on, one JSON line
    supervisor.py digest FOLDER GLOB…  the files that match and their sha256, one JSON line
"""

from __future__ import annotations

import base64
import contextlib
import glob
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

CHUNK = 2**16
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    return time.clock_gettime(CLOCK)


def save(folder: str, name: str, value: Any) -> None:
    draft = os.path.join(folder, f".{name}.{os.getpid()}")
    with open(draft, "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, os.path.join(folder, name))


def load(folder: str, name: str) -> Any:
    try:
        with open(os.path.join(folder, name)) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def start(folder: str, plan: dict[str, Any]) -> None:
    """Start once. The folder `started` is made by one caller only."""
    try:
        os.mkdir(os.path.join(folder, "started"))
    except FileExistsError:
        return
    save(folder, "lease.json", now())
    if os.fork():
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.closerange(3, 1024)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervise(folder, plan)
    os._exit(0)


def supervise(folder: str, plan: dict[str, Any]) -> None:
    work = os.path.join(folder, "work")
    with open(os.path.join(folder, "log"), "ab") as log:
        job = subprocess.Popen(
            ["sh", "-c", plan["command"]],
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    began, over, reason = now(), None, ""
    while True:
        code = job.poll()
        if code is None:
            reason = "deadline" if now() - began >= plan["deadline"] else "lease" if expired(folder, plan) else ""
            if reason:
                stop(job)
                code = job.wait()
        if code is not None and over is None:
            over = now()
        save(
            folder, "status.json", {"code": code, "reason": reason, "pid": job.pid, "seconds": (over or now()) - began}
        )
        if over is not None and (expired(folder, plan) or (now() - over >= plan["idle"] and quiet(plan))):
            end(folder, plan)
        time.sleep(plan["tick"])


def expired(folder: str, plan: dict[str, Any]) -> bool:
    return bool(now() - (load(folder, "lease.json") or 0.0) >= plan["lease"])


def stop(job: subprocess.Popen[bytes]) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(job.pid, kind)
        except ProcessLookupError:
            return
        try:
            job.wait(2)
        except subprocess.TimeoutExpired:
            continue


def quiet(plan: dict[str, Any]) -> bool:
    """Whether the GPU is hardly used; one that does not answer is not used."""
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.split()
        return bool(max(map(float, told), default=0.0) < plan["idle_percent"])
    except (OSError, ValueError, subprocess.SubprocessError):
        return True


def end(folder: str, plan: dict[str, Any]) -> None:
    """The switch of a box that nobody looks after. It is pressed again until it works."""
    save(folder, "ended.json", now())
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(["sh", "-c", plan["switch"]], stdin=subprocess.DEVNULL, timeout=60, check=False)
    time.sleep(10 * plan["tick"])


def peek(folder: str, offset: int) -> dict[str, Any]:
    save(folder, "lease.json", now())
    data = b""
    try:
        with open(os.path.join(folder, "log"), "rb") as log:
            log.seek(offset)
            data = log.read(CHUNK)
    except FileNotFoundError:
        pass
    status = load(folder, "status.json") or {"code": None, "reason": "", "seconds": 0.0}
    return {**status, "log": base64.b64encode(data).decode()}


def digested(folder: str, patterns: list[str]) -> list[dict[str, Any]]:
    save(folder, "lease.json", now())
    os.chdir(os.path.join(folder, "work"))
    found = []
    for name in sorted({name for pattern in patterns for name in glob.glob(pattern, recursive=True)}):
        if os.path.isfile(name):
            digest = hashlib.sha256()
            with open(name, "rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
            found.append({"path": name, "sha256": digest.hexdigest()})
    return found


if __name__ == "__main__":
    action, place, *rest = sys.argv[1:]
    if action == "run":
        start(place, json.loads(rest[0]))
    elif action == "peek":
        print(json.dumps(peek(place, int(rest[0]))))
    else:
        print(json.dumps(digested(place, rest)))
