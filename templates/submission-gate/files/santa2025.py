"""The rules of Santa 2025: trees in squares, n = 1 to 200, the sum of side^2 / n, no two trees of a group overlapping.

Values are read as decimals and the polygons scaled by 1e18, as the official metric does it. A group is judged by
itself, so that a bad one can be mended or taken from elsewhere; what is written keeps the digits that were read.
"""

import csv
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, getcontext
from pathlib import Path

from shapely import STRtree, affinity
from shapely.geometry import Polygon
from verdict import Verdict, shown

getcontext().prec = 25
SCALE = Decimal("1e18")
LIMIT = 100
LARGEST = 200
COLUMNS = ["id", "x", "y", "deg"]
CORNERS = (
    ("0", "0.8"), ("0.125", "0.5"), ("0.0625", "0.5"), ("0.2", "0.25"), ("0.1", "0.25"), ("0.35", "0"), ("0.075", "0"),
    ("0.075", "-0.2"), ("-0.075", "-0.2"), ("-0.075", "0"), ("-0.35", "0"), ("-0.1", "0.25"), ("-0.2", "0.25"),
    ("-0.0625", "0.5"), ("-0.125", "0.5"),
)  # fmt: skip
TREE = Polygon([(float(Decimal(x) * SCALE), float(Decimal(y) * SCALE)) for x, y in CORNERS])
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Group:
    """The trees of one n as they were written, and what is wrong with them; without a problem they have a score."""

    rows: tuple[Row, ...]
    problem: str = ""
    score: float = math.inf


def number(text: str) -> Decimal:
    """The value of a field; ValueError says what is wrong with it."""
    if not text.startswith("s"):
        raise ValueError(f"{text!r} has no s before it")
    try:
        value = Decimal(text[1:])
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not value.is_finite():
        raise ValueError(f"{text!r} is not finite")
    return value


def judged(rows: tuple[Row, ...]) -> Group:
    """The group with its score or its problem."""
    shapes = []
    for item, row in enumerate(rows):
        for name, text in zip(COLUMNS[1:], row, strict=True):
            try:
                value = number(text)
            except ValueError as error:
                return Group(rows, f"item {item}: {name} = {error}")
            if name != "deg" and abs(value) > LIMIT:
                return Group(rows, f"item {item}: {name} = {text} is beyond {LIMIT}")
        x, y, degrees = (number(text) for text in row)
        turned = affinity.rotate(TREE, float(degrees), origin=(0, 0))
        shapes.append(affinity.translate(turned, xoff=float(x * SCALE), yoff=float(y * SCALE)))
    near = STRtree(shapes)
    for i, shape in enumerate(shapes):
        for j in near.query(shape):
            if j > i and shape.intersects(shapes[j]) and not shape.touches(shapes[j]):
                return Group(rows, f"items {i} and {j} overlap")
    boxes = [shape.bounds for shape in shapes]
    wide = max(box[2] for box in boxes) - min(box[0] for box in boxes)
    high = max(box[3] for box in boxes) - min(box[1] for box in boxes)
    side = float(Decimal(max(wide, high)) / SCALE)
    return Group(rows, score=side * side / len(rows))


def read(path: Path) -> tuple[dict[int, Group], list[str]]:
    """The groups 1 to 200 of the file, and the problems that lie outside of any of them."""
    found: dict[int, dict[int, Row]] = {n: {} for n in range(1, LARGEST + 1)}
    problems, broken, strange = [], {}, []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        columns = next(reader, [])
        if columns != COLUMNS:
            problems.append(f"the columns are {','.join(columns)}, not {','.join(COLUMNS)}")
        for row in reader if not problems else ():
            group, _, item = row[0].partition("_") if row else ("", "", "")
            usual = len(group) == 3 and group.isascii() and group.isdigit() and item.isascii() and item.isdigit()
            if len(row) != len(COLUMNS) or not usual or int(group) not in found or str(int(item)) != item:
                strange.append(",".join(row))
            elif int(item) in found[int(group)]:
                broken[int(group)] = f"item {item} is there twice"
            else:
                found[int(group)][int(item)] = (row[1], row[2], row[3])
    if strange:
        problems.append(f"not a row of this competition: {shown(strange)}")
    groups = {}
    for n, items in found.items():
        rows = tuple(items[i] for i in sorted(items))
        missing = sorted(set(range(n)) - set(items))
        if n in broken:
            groups[n] = Group(rows, broken[n])
        elif missing or len(items) != n:
            groups[n] = Group(rows, f"item {missing[0]} is missing" if missing else f"{len(items)} items")
        else:
            groups[n] = judged(rows)
    return groups, problems


def verdict(groups: dict[int, Group], problems: list[str]) -> Verdict:
    every = [*problems, *(f"group {n:03d}: {group.problem}" for n, group in groups.items() if group.problem)]
    return Verdict(None if every else math.fsum(group.score for group in groups.values()), tuple(every))


def drawn_apart(group: Group) -> Group | None:
    """The group with its trees moved from its middle just so far that none overlap; none where that needs too much."""
    try:
        values = [[number(text) for text in row] for row in group.rows]
    except ValueError:
        return None
    if "overlap" not in group.problem:
        return None
    middle = [sum((row[k] for row in values), Decimal(0)) / len(values) for k in range(2)]
    for power in range(-14, -4):
        wider = 1 + Decimal(10) ** power
        moved = [[middle[k] + (row[k] - middle[k]) * wider for k in range(2)] for row in values]
        rows = (tuple(f"s{v:.17f}" for v in place) + (row[2],) for place, row in zip(moved, group.rows, strict=True))
        new = judged(tuple((x, y, degrees) for x, y, degrees in rows))
        if not new.problem:
            return new
    return None


def repaired(groups: dict[int, Group], best: dict[int, Group]) -> dict[int, Group]:
    """Each invalid group drawn apart, or taken from the best ones where that is better or does not help."""
    mended = {}
    for n, group in groups.items():
        if not group.problem:
            mended[n] = group
            continue
        others = [other for other in (drawn_apart(group), best.get(n)) if other and not other.problem]
        mended[n] = min(others, key=lambda other: other.score, default=group)
    return mended


def merged(groups: dict[int, Group], best: dict[int, Group]) -> dict[int, Group]:
    """The better valid group for each n; the group itself where neither is valid."""
    return {n: best[n] if n in best and best[n].score < group.score else group for n, group in groups.items()}


def written(groups: dict[int, Group]) -> bytes:
    rows = (f"{n:03d}_{item}," + ",".join(row) for n in sorted(groups) for item, row in enumerate(groups[n].rows))
    return ("\n".join([",".join(COLUMNS), *rows]) + "\n").encode()
