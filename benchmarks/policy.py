"""How the command policy judges: what must be blocked, however it is written, what must pass, and how long it takes.

Prints a table. Public beds are measured where their repositories lie under a folder that is given.
Run: python -m benchmarks.policy [FOLDER]
"""

from __future__ import annotations

import random
import re
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from meta.policy import ASK, NEVER, effects, table
from tests.policy.cases import allowed, blocked, held_out
from tests.policy.mutate import mutants

MUTANTS = 16
SAMPLE = 2000
_READS = re.compile(
    r"- \W*(show|display|list|print|count|search|view|compare|calculate|sort|filter|preview)", re.IGNORECASE
)
_GRAVE = re.compile(
    r"\b(rm|sudo|su|delete|mkfs|shred|kill|chown|dd|crontab|u?mount|rsync|shutdown|reboot|useradd|passwd|iptables|truncate|ssh|mv)\b"
)


def share(lines: Sequence[str], levels: range) -> str:
    good = sum(effects(line).level in levels for line in lines)
    return f"{good:6} of {len(lines):6}   {good / max(len(lines), 1):.4f}"


def own() -> Iterator[tuple[str, str]]:
    for name, half in (("tuned on", False), ("held out", True)):
        cases = [(level, line) for level, line in blocked() if held_out(line) is half]
        others = [(level, other) for level, line in cases for other in mutants(line, MUTANTS)]
        for what, rows in (("", cases), (", written otherwise", others)):
            yield f"must block, {name}{what}", share([line for _, line in rows], range(ASK, 5))
            grave = [line for level, line in rows if level == NEVER]
            yield f"  of level 4{what}: blocked", share(grave, range(ASK, 5))
            yield f"  of level 4{what}: at level 4", share(grave, range(NEVER, 5))
    yield "must pass, own", share(allowed(), range(ASK))


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", f"--git-dir={repository}", *arguments], capture_output=True, text=True, check=True
    ).stdout


def guard(folder: Path) -> Iterator[tuple[str, str]]:
    """The corpus of another guard."""
    repository = next(folder.glob("*destructive_command_guard/repo"))
    found: dict[str, list[str]] = {"deny": [], "allow": []}
    for path in git(repository, "ls-tree", "-r", "HEAD", "--name-only", "tests/corpus").split():
        if path.endswith(".toml"):
            for case in tomllib.loads(git(repository, "show", f"HEAD:{path}")).get("case", []):
                found.get(case.get("expected"), []).append(case.get("command", ""))
    yield "dcg, must block", share(found["deny"], range(ASK, 5))
    yield "dcg, must pass", share(found["allow"], range(ASK))
    wrong = [effects(line) for line in found["allow"] if effects(line).level >= ASK]
    yield (
        "  not passed: unknown programs, others",
        f"{sum(e.unknown for e in wrong)}, {sum(not e.unknown for e in wrong)}",
    )


def handbook(folder: Path) -> Iterator[tuple[str, str]]:
    """Examples of the tldr pages whose description says that they look."""
    repository = next(folder.glob("*tldr/repo"))
    lines, about = [], ""
    for text in git(
        repository, "grep", "-h", "-E", "^(- |`)", "HEAD", "--", "pages/common", "pages/linux"
    ).splitlines():
        if text.startswith("- "):
            about = text
        elif _READS.match(about):
            line = re.sub(r"\{\{\[(.*?)\|.*?\]\}\}", r"\1", text.strip("`"))
            lines.append(
                re.sub(r"\{\{(.*?)\}\}", lambda m: re.sub(r"\s+", "_", m[1].split("|")[0]), line).replace(
                    "path/to/", "src/"
                )
            )
    random.Random(1).shuffle(lines)
    known = [line for line in lines if table.program(line.split()[0]) in table.rows()]
    yield "tldr, looking, of known programs", share(known[:SAMPLE], range(ASK))
    yield "tldr, looking, of any program", share(lines[:SAMPLE], range(ASK))


def one_liners(folder: Path) -> Iterator[tuple[str, str]]:
    repository = next(folder.glob("*nl2bash/repo"))
    path = next(p for p in git(repository, "ls-tree", "-r", "HEAD", "--name-only").split() if p.endswith("all.cm"))
    lines = [line for line in git(repository, "show", f"HEAD:{path}").splitlines() if line.strip()]
    random.Random(2).shuffle(lines)
    yield "nl2bash, all", share(lines[:SAMPLE], range(ASK))
    yield (
        "nl2bash, without words of deleting or rights",
        share([x for x in lines if not _GRAVE.search(x)][:SAMPLE], range(ASK)),
    )


def seconds(lines: Iterable[str]) -> list[float]:
    """Milliseconds of processor time for each line, none remembered."""
    times = []
    for line in lines:
        effects.cache_clear()
        begun = time.process_time()
        effects(line)
        times.append((time.process_time() - begun) * 1000)
    return sorted(times)


def main() -> None:
    rows = list(own())
    if sys.argv[1:]:
        for bed in (guard, handbook, one_liners):
            rows += bed(Path(sys.argv[1]))
    times = seconds([*allowed(), *(other for _, line in blocked() for other in mutants(line, 2))])
    rows.append(
        (
            "processor time of a line, ms: median, p95, most",
            f"{statistics.median(times):.3f}, {times[len(times) * 95 // 100]:.3f}, {times[-1]:.1f}",
        )
    )
    for name, figure in rows:
        print(f"{name:52} {figure}")


if __name__ == "__main__":
    main()
