"""How often the next member came, in public histories: `python -m benchmarks.families_recur MIRRORS`.

For the repositories of `families_found`, each family that is found is looked at every third day from four weeks after its third add to
two weeks before the last commit. Per state of `meta.families.recurrence` it prints on how many families it was seen, the mean number
of commits that added a member in the next 14 days and how often there was one, each family weighing the same. The families are
those that became one, which makes the figures of the early states higher than those of a folder nobody knows of yet. The first two
rows of the table are another study's, which looked at each family once, when it first came to that state.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from benchmarks.families_found import ROWS
from meta import generators, git
from meta.families import recurrence
from meta.families.recurrence import AHEAD, DAY, TABLE, State


def looks(times: list[float], end: float) -> dict[State, list[int]]:
    """The uses in the fortnight after each look, by the state at the look."""
    seen: dict[State, list[int]] = defaultdict(list)
    moment = times[2] + 28 * DAY if len(times) > 2 else end
    while moment + AHEAD <= end:
        uses = bisect_right(times, moment + AHEAD) - bisect_right(times, moment)
        seen[recurrence.state(times, moment)].append(uses)
        moment += 3 * DAY
    return seen


def main(mirrors: Path) -> int:
    families: dict[State, list[list[int]]] = defaultdict(list)
    for repository in dict.fromkeys(row.repository for row in ROWS):
        folder = mirrors / repository.replace("/", "+") / "repo"
        if not folder.is_dir():
            print(f"{repository}: not at hand, left out")
            continue
        end = max(commit.time for commit in git.commits(folder))
        for family in generators.found(folder, end).families:
            for state, uses in looks(recurrence.adds(family), end).items():
                families[state].append(uses)
    print(f"{'adds':>4}{'in days':>9}{'last within':>13}{'families':>10}{'mean':>7}{'any':>6}{'table':>13}")
    for state in TABLE:
        seen = families[state]
        mean = fmean(fmean(uses) for uses in seen) if seen else 0.0
        some = fmean(fmean(use > 0 for use in uses) for uses in seen) if seen else 0.0
        told = f"{state.uses:7.2f}{state.any:6.2f}"
        print(f"{state.adds:4}{state.days:9.0f}{state.fresh:13.0f}{len(seen):10}{mean:7.2f}{some:6.2f}{told:>13}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
