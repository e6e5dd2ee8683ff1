"""Run a competition, build the tool that its sessions propose, and run it again: steps and seconds to the first score.

    python -m benchmarks.closed_loop DIR [--cpu SECONDS]

DIR is a competition's folder, of which two copies are made; both have the same budget and seed. The decision on the
tool is printed as `meta mine` gives it, also where it would not build the tool: then it is built on request, as a
person may. What repeats and what a tool of it must prove is left to `meta`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any


def meta(*words: str, cwd: Path) -> Any:
    """What a command of meta prints as JSON."""
    program = "import sys; from meta.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", program, *words, "--json"], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"meta {' '.join(words)}: {done.stderr}")
    return json.loads(done.stdout)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def commands(folder: Path) -> list[dict[str, Any]]:
    """Every command that was run, in order, with its times: as its session tells."""
    found = []
    for path in (folder / ".meta/sessions").glob("*.jsonl"):
        told = [json.loads(line) for line in path.read_text().splitlines()]
        for call, result in pairwise(told):
            if call["type"] == "assistant":
                line = call["message"]["content"][0]["input"]["command"]
                found.append(
                    {
                        "at": call["timestamp"],
                        "line": line,
                        "seconds": result["durationMs"] / 1000,
                        "cpu": result["cpuMs"] / 1000,
                    }
                )
    return sorted(found, key=lambda one: str(one["at"]))


def until(folder: Path, score: float, way: str) -> tuple[int, float, float]:
    """Commands, their wall seconds and their CPU seconds until a score was reached and logged."""
    told = rows(folder)
    good = [
        one for one in told if one["kept"] and (one["score"] >= score if way == "maximize" else one["score"] <= score)
    ]
    if not good:
        return -1, -1.0, -1.0
    done = commands(folder)
    last = max(n for n, one in enumerate(done) if good[0]["id"] in one["line"])
    return last + 1, sum(one["seconds"] for one in done[: last + 1]), sum(one["cpu"] for one in done[: last + 1])


def copied(source: Path, place: Path) -> Path:
    shutil.copytree(
        source, place, ignore=shutil.ignore_patterns(".git", ".meta", "runs", "journal.jsonl", "TRAINING_LOG.md")
    )
    place.chmod(0o755)
    for name in ("submission.csv", "metrics.json"):
        (place / name).unlink(missing_ok=True)
    return place


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cpu", type=float, default=120.0)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        name = given.folder.resolve().name
        for place in ("first", "second"):
            Path(root, place).mkdir(mode=0o755)
        first, second = (
            copied(given.folder, Path(root, "first", name)),
            copied(given.folder, Path(root, "second", name)),
        )
        began = time.process_time()
        before = meta("compete", ".", "--cpu", str(given.cpu), cwd=first)
        mined = meta("mine", ".meta/sessions", cwd=first)
        for one in mined["workflows"]:
            print(f"{one['name']}: {one['support']} runs, {one['decision']}: {one['reason']}")
            for step in one["steps"]:
                print(f"    {step['template']}")
        accepted = []
        for one in mined["workflows"]:
            built = meta("build", one["id"], ".meta/sessions", "--workspace", ".", cwd=first)
            if built["state"] == "proposed":
                meta("accept", built["name"], "--workspace", ".", cwd=first)
                accepted.append(built["name"])
        for tool in accepted:
            shutil.copytree(first / "generated_tools" / tool, second / "generated_tools" / tool)
        after = meta("compete", ".", "--cpu", str(given.cpu), cwd=second)
        way = "maximize" if 'direction = "maximize"' in (first / "competition.toml").read_text() else "minimize"
        print(
            f"accepted: {', '.join(accepted) or 'none'}; used by the second run: {', '.join(after['used']) or 'none'}"
        )
        print("run     score        experiments  commands  commands / wall s / CPU s until the first run's score")
        for label, folder, told in (("first", first, before), ("second", second, after)):
            steps, wall, cpu = until(folder, before["score"], way)
            print(
                f"{label:<8}{told['score']:<13.6g}{told['experiments']:<13}{told['steps']:<10}{steps} / {wall:.2f} / {cpu:.2f}"
            )
        print(f"this process itself: {time.process_time() - began:.1f} CPU s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
