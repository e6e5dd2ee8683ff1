"""What an isolation adds to the start of a program: `python -m benchmarks.sandbox [--runs N]`.

The ways are run by turns, so that a busy moment hits all alike. Beside the wall time stand the CPU seconds of what was
started, which do not grow with what else the machine does. Whether an isolation holds is a test's matter.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from meta import process
from meta.model import Isolation
from meta.verification import sandbox
from meta.verification.sandbox import ways

PROGRAM = "/bin/true"


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU milliseconds, those of this process and of what it started together."""
    start, used = time.perf_counter(), _cpu()
    run()
    return (time.perf_counter() - start) * 1000, (_cpu() - used) * 1000


def _cpu() -> float:
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


def starts(folder: Path) -> dict[str, Callable[[], object]]:
    """The ways to start the program that work here, by name."""

    def isolated(isolation: Isolation, traced: bool) -> Callable[[], object]:
        return lambda: ways.execute(isolation, [PROGRAM], folder, traced=traced)

    found: dict[str, Callable[[], object]] = {"bare": lambda: process.run([PROGRAM])}
    levels: tuple[Isolation, ...] = ("bubblewrap", "landlock")
    for isolation in levels:
        if ways.execute(isolation, [PROGRAM], folder).code == 0:
            found[isolation] = isolated(isolation, False)
            found[f"{isolation}, traced"] = isolated(isolation, True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    who = "root" if os.geteuid() == 0 else "a user"
    print(f"{runs} starts of {PROGRAM} as {who}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with sandbox.scratch() as folder:
        ways_here = starts(folder)
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in ways_here}
        for _ in range(runs):
            for name, run in ways_here.items():
                measured[name].append(timed(run))
    bare = statistics.median(wall for wall, _ in measured["bare"])
    for name, rows in measured.items():
        walls, cpus = [wall for wall, _ in rows], [cpu for _, cpu in rows]
        print(
            f"{name:<20} median {statistics.median(walls):6.1f} ms (+{statistics.median(walls) - bare:.1f}), "
            f"fastest {min(walls):.1f}, p95 {statistics.quantiles(walls, n=20)[-1]:.1f}, "
            f"CPU median {statistics.median(cpus):.1f} ms"
        )


if __name__ == "__main__":
    main()
