"""What a generator for a family would save: how soon the next member comes, what one takes by hand, whether it pays.

How much of a member a generator makes is measured elsewhere and comes in as an argument.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from meta.family import Coverage, Family
from meta.git import Commit
from meta.model import Decision, Estimate, Provenance

DAY = 86400.0
AHEAD = 14 * DAY  # uses are expected within two weeks
LONGEST_GAP = 3 * 3600.0  # seconds between two commits of an author; more is not work on the second
TYPICAL_MINUTES = 20.0  # assumed: medians of public families lie between 9 and 67
REVIEW = 30.0  # minutes, assumed: a person reads the generator; making it takes seconds
UPKEEP = 1.0  # minutes, assumed: what it asks for in its first month
DELETING = 0.2  # of the time that writing takes, assumed
_IMPORT = 8  # members in one commit: more is an import
_LEAST = 5  # members
_LEAST_LATELY = 3  # members within `AHEAD`
_TIMED = 3  # members with a known time, for a median
_OTHERS, _OWN = (
    10.0,
    5.0,
)  # fortnights of evidence that the table weighs against this repository's, and that against the family's


@dataclass(frozen=True, slots=True)
class State:
    """What was seen lately, and what came then: `uses` more within 14 days in the mean, any at all in the share `any`.

    It holds with `adds` commits within `days` whose last is at most `fresh` days old.
    """

    adds: int
    days: float
    fresh: float
    uses: float
    any: float


# The first two rows: 22 public repositories, 487 and 243 families, seen when they first came to that. The others: 12 public
# repositories, some 340 families, seen on any day, each family weighing the same (`benchmarks.families_recur`).
TABLE = (
    State(5, 28, 1, 4.1, 0.76),
    State(3, 28, 1, 2.6, 0.56),
    State(5, 28, 28, 1.5, 0.39),
    State(3, 28, 28, 0.52, 0.24),
    State(3, 84, 84, 0.19, 0.12),
    State(2, 84, 84, 0.19, 0.13),
    State(1, 84, 84, 0.13, 0.08),
    State(0, 84, math.inf, 0.08, 0.06),
)


def adds(family: Family) -> list[float]:
    """When commits added members, in order; an import is none."""
    counts = Counter(member.commit for member in family.members if member.commit)
    times = {m.commit: m.time for m in family.members if m.time is not None and counts[m.commit] <= _IMPORT}
    return sorted(time for commit, time in times.items() if commit)


def pace(family: Family, now: float) -> float:
    """Commits that added a member, in 14 days, since the first."""
    times = adds(family)
    return len(times) * AHEAD / max(now - times[0], AHEAD) if times else 0.0


def state(times: Sequence[float], now: float) -> State:
    """The row of the table that holds at a moment."""
    past = bisect_right(times, now)
    age = (now - times[past - 1]) / DAY if past else math.inf
    for row in TABLE:
        seen = past - bisect_right(times, now - row.days * DAY, 0, past)
        if seen >= row.adds and age <= row.fresh:
            return row
    return TABLE[-1]


@dataclass(frozen=True, slots=True)
class Experience:
    """Fortnights that began in a state, and the uses in them: of all families of a repository and of each."""

    everywhere: Mapping[State, tuple[float, float]]
    families: Mapping[str, Mapping[State, tuple[float, float]]]


NOTHING = Experience({}, {})


def experience(families: Iterable[Family], now: float) -> Experience:
    """What came after each state in this repository's own history."""
    own = {family.id: _experience(adds(family), now) for family in families}
    total: dict[State, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for each in own.values():
        for row, (weight, uses) in each.items():
            total[row] = total[row][0] + weight, total[row][1] + uses
    return Experience(dict(total), own)


def _experience(times: Sequence[float], now: float) -> dict[State, tuple[float, float]]:
    """Looked at with each add and each week; a look weighs half, for the fortnights of two overlap."""
    found: dict[State, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    if not times:
        return found
    weeks = int((now - times[0]) / (7 * DAY))
    for moment in (*times, *(times[0] + week * 7 * DAY for week in range(1, weeks + 1))):
        if moment + AHEAD <= now:
            row = state(times, moment)
            uses = bisect_right(times, moment + AHEAD) - bisect_right(times, moment)
            weight, sum_ = found[row]
            found[row] = weight + 0.5, sum_ + 0.5 * uses
    return dict(found)


def expected(family: Family, known: Experience, now: float) -> tuple[float, float]:
    """Uses to expect in the next 14 days, and the chance of any: the table's, drawn to what was seen here."""
    row = state(adds(family), now)
    weight, uses = known.everywhere.get(row, (0.0, 0.0))
    here = (_OTHERS * row.uses + uses) / (_OTHERS + weight)
    weight, uses = known.families.get(family.id, {}).get(row, (0.0, 0.0))
    mean = (_OWN * here + uses) / (_OWN + weight)
    return mean, 1 - (1 - row.any) ** (mean / row.uses)


def at_most(mean: float, chance: float, share: float) -> float:
    """The number of uses that is not exceeded in this share of the cases: none, or else geometric from one on."""
    if 1 - chance >= share:
        return 0.0
    among = max(mean / chance, 1.0)
    return 1.0 if among == 1.0 else math.ceil(max(math.log((1 - share) / chance) / math.log(1 - 1 / among), 1.0))


def gaps(history: Iterable[Commit]) -> dict[str, float]:
    """Minutes that each commit took at least: since its author's commit before, where that is less than three hours ago."""
    times: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for commit in history:
        times[commit.email].append((commit.time, commit.sha))
    found = {}
    for each in times.values():
        each.sort()
        for (before, _), (time, sha) in pairwise(each):
            if 0 < time - before < LONGEST_GAP:
                found[sha] = (time - before) / 60
    return found


def minutes(family: Family, known: Mapping[str, float]) -> tuple[float, Provenance]:
    """Minutes that one member takes by hand, a lower bound where it comes from git, and where it comes from."""
    counts = Counter(member.commit for member in family.members)
    timed = [known[commit] / count for commit, count in counts.items() if commit in known and count <= _IMPORT]
    return (median(timed), "estimated") if len(timed) >= _TIMED else (TYPICAL_MINUTES, "assumed")


def estimate(
    family: Family, coverage: Coverage, by_hand: Mapping[str, float], known: Experience, now: float
) -> Estimate:
    """What a generator would cost and save a week; `by_hand` is of `gaps`, `known` of `experience`.

    Git tells nothing of a model's round trips and tokens.
    """
    taken, source = minutes(family, by_hand)
    uses, chance = expected(family, known, now)
    automation = min(max(coverage.lines - DELETING * coverage.junk, 0.0), 1.0)
    build = REVIEW + UPKEEP

    def payback(in_fortnight: float) -> float:
        value = taken * automation * in_fortnight / 2
        return build / value if value > 0 else math.inf

    return Estimate(
        runs_per_week=uses / 2,
        minutes_per_run=taken,
        round_trips_per_run=0.0,
        tokens_per_run=0.0,
        usd_per_run=0.0,
        automation=automation,
        build_minutes=build,
        payback_weeks=payback(uses),
        interval=(payback(at_most(uses, chance, 0.9)), payback(at_most(uses, chance, 0.1))),
        sources={
            "runs_per_week": "estimated",
            "minutes_per_run": source,
            "automation": "measured",
            "build_minutes": "assumed",
            "round_trips_per_run": "assumed",
            "tokens_per_run": "assumed",
            "usd_per_run": "assumed",
        },
    )


def decide(family: Family, found: Estimate, now: float, *, weeks: float = 2.0) -> Decision:
    """Build or keep ad hoc, with the reason in one plain sentence."""
    count, times = len(family.members), adds(family)
    lately = len(times) - bisect_left(times, now - AHEAD)
    if count < _LEAST and lately < _LEAST_LATELY:
        return Decision(
            False, f"too rare: {count} members, at least {_LEAST} or {_LEAST_LATELY} within 14 days are needed"
        )
    if not found.automation:
        return Decision(
            False,
            f"nothing to save: what could be made of the next of {count} members is no more than what would have to be deleted",
        )
    if not times:
        return Decision(False, f"no commit added one by itself, so {count} members give no rate and no payback")
    if found.payback_weeks > weeks:
        return Decision(
            False, f"{_when(found.payback_weeks)}, later than {weeks:g} weeks: {_saving(found, times, now)}"
        )
    return Decision(True, f"{_when(found.payback_weeks)}: {_saving(found, times, now)}")


def _when(weeks: float) -> str:
    if math.isinf(weeks):
        return "never pays back"
    if weeks > 104:
        return f"pays back in {weeks / 52:.0f} years"
    return f"pays back in {weeks * 7:.0f} days"


def _saving(found: Estimate, times: Sequence[float], now: float) -> str:
    week = found.minutes_per_run * found.automation * found.runs_per_week
    days = round(max(now - times[-1], 0) / DAY)
    ago = f"{days} day{'s' if days != 1 else ''} ago"
    return (
        f"{found.runs_per_week * 2:.1f} more are expected in 14 days (the last came {ago}), "
        f"which saves {week:.1f} min a week against {found.build_minutes:.0f} min of review"
    )
