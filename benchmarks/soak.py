"""What the daemon takes while sessions grow for hours: `python -m benchmarks.soak [--minutes N] [--lines N]`.

Sessions grow by so many lines a second, a new one every ten minutes; then all is quiet for three minutes. Told are the slope
of the daemon's resident memory by least squares over the second half, its open files, the most memory of it and its
children together, and the processor time while nothing happens.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed import environment, together

SESSION = 600.0  # seconds that one session grows
TURN = 40  # lines from one prompt to the next
QUIET = 180.0  # seconds at the end, in which nothing happens


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds since the start, the daemon's memory in MB, its open files, and the processor seconds it has used."""

    at: float
    memory: float
    files: int
    used: float


def lines(number: int) -> Iterator[str]:
    """A session that never ends: prompts, calls and their results, as Claude Code writes them."""
    about = {"sessionId": f"s{number}", "cwd": "/home/ann/shop", "version": "2.0.0"}
    for n in range(10**9):
        row: dict[str, object] = {**about, "uuid": f"s{number}-{n}", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if n % TURN == 0:
            row |= {"type": "user", "message": {"role": "user", "content": f"Do number {n}, test it and commit"}}
        elif n % 2:
            call = {
                "type": "tool_use",
                "id": f"t{n}",
                "name": "Bash",
                "input": {"command": f"pytest -q tests/test_{n % 7}.py"},
            }
            row |= {"type": "assistant", "message": {"role": "assistant", "id": f"m{n}", "content": [call]}}
        else:
            result = {"type": "tool_result", "tool_use_id": f"t{n - 1}", "content": "1 passed"}
            row |= {"type": "user", "message": {"role": "user", "content": [result]}}
        yield json.dumps(row) + "\n"


def sampled(process: int, start: float) -> Sample:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    used = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # with the children that have ended
    return Sample(time.monotonic() - start, memory, len(os.listdir(f"/proc/{process}/fd")), used)


def run(minutes: float, rate: float, place: Path) -> None:
    env = environment(place) | {"HOME": str(place)}
    projects, shop = place / ".claude" / "projects" / "shop", place / "shop"
    projects.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(shop)], check=True)
    meta = [sys.executable, "-m", "meta"]
    subprocess.run([*meta, "init"], cwd=shop, env=env, check=True, stdout=subprocess.DEVNULL)
    daemon = subprocess.Popen([*meta, "watch", "--workspace", str(shop)], env=env, stderr=subprocess.DEVNULL)
    start, samples, peak, written = time.monotonic(), list[Sample](), 0.0, 0
    try:
        time.sleep(5.0)
        while (now := time.monotonic() - start) < 60 * minutes:
            session = lines(int(now // SESSION))
            with (projects / f"s{int(now // SESSION)}.jsonl").open("a") as file:
                while time.monotonic() - start < min((now // SESSION + 1) * SESSION, 60 * minutes):
                    file.write("".join(next(session) for _ in range(int(rate))))
                    file.flush()
                    written += int(rate)
                    samples.append(sampled(daemon.pid, start))
                    peak = max(peak, together(daemon.pid)[0] / 2**20)
                    time.sleep(1.0)
        late = samples[len(samples) // 2 :]
        slope = statistics.linear_regression([s.at / 3600 for s in late], [s.memory for s in late]).slope
        mean = statistics.fmean(s.memory for s in late)
        files = [s.files for s in samples]
        busy = (samples[-1].used - samples[0].used) / (samples[-1].at - samples[0].at)
        print(f"{written} lines in {minutes:g} min, load {os.getloadavg()[0]:.1f}")
        print(f"resident memory      {mean:.1f} MB, slope {100 * slope / mean:+.2f} % an hour")
        print(f"open files           {files[0]} at first, {files[-1]} at last, {max(files)} at most")
        print(f"memory with children {peak:.0f} MB at most, looked at once a second")
        print(f"processor, busy      {100 * busy:.1f} %", flush=True)
        time.sleep(90.0)  # what is under way ends
        before = sampled(daemon.pid, start)
        time.sleep(QUIET)
        after = sampled(daemon.pid, start)
        print(f"processor, idle      {100 * (after.used - before.used) / (after.at - before.at):.2f} %")
    finally:
        daemon.terminate()
        daemon.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--lines", type=float, default=50.0, help="a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        run(given.minutes, given.lines, Path(place))


if __name__ == "__main__":
    main()
