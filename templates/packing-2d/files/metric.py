"""The official score of a submission, from its statement: what every arrangement is judged by.

Values are strings with an `s` before them, read as decimals; the polygons are scaled by 1e18; any two that intersect
without merely touching make the whole submission invalid. It judges and mends nothing.
"""

import csv
import math
from collections import defaultdict
from decimal import Decimal, InvalidOperation, getcontext
from pathlib import Path

from problem import LARGEST, LIMIT, POLYGON, SMALLEST
from shapely import STRtree, affinity
from shapely.geometry import Polygon

getcontext().prec = 25
SCALE = Decimal("1e18")


class Invalid(Exception):
    """The submission would be refused."""


def read(path: Path) -> dict[int, list[tuple[Decimal, Decimal, Decimal]]]:
    """The copies (x, y, degrees) of each group, in the order of their ids."""
    groups: dict[int, dict[int, tuple[Decimal, Decimal, Decimal]]] = defaultdict(dict)
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != ["id", "x", "y", "deg"]:
            raise Invalid(f"the columns are {rows.fieldnames}, not id,x,y,deg")
        for row in rows:
            name = row["id"]
            group, _, item = name.partition("_")
            if not (group.isdigit() and item.isdigit()):
                raise Invalid(f"the id {name!r} is not NNN_i")
            if int(item) in groups[int(group)]:
                raise Invalid(f"the id {name} is there twice")
            values = []
            for key in ("x", "y", "deg"):
                text = row[key] or ""
                if not text.startswith("s"):
                    raise Invalid(f"{name}: {key} is {text!r}, without an s before it")
                try:
                    value = Decimal(text[1:])
                except InvalidOperation:
                    raise Invalid(f"{name}: {key} is no number: {text!r}") from None
                if not value.is_finite() or (key != "deg" and abs(value) > LIMIT):
                    raise Invalid(f"{name}: {key} = {text} is out of range")
                values.append(value)
            groups[int(group)][int(item)] = (values[0], values[1], values[2])
    for n in range(SMALLEST, LARGEST + 1):
        if sorted(groups.get(n, {})) != list(range(n)):
            raise Invalid(f"the group {n:03d} does not have the items 0 to {n - 1}")
    if len(groups) != LARGEST - SMALLEST + 1:
        raise Invalid(f"there are {len(groups)} groups, not {LARGEST - SMALLEST + 1}")
    return {n: [groups[n][i] for i in range(n)] for n in sorted(groups)}


def polygon(x: Decimal, y: Decimal, degrees: Decimal) -> Polygon:
    """The copy, scaled."""
    corners = [(Decimal(str(a)) * SCALE, Decimal(str(b)) * SCALE) for a, b in POLYGON]
    turned = affinity.rotate(Polygon(corners), float(degrees), origin=(0, 0))
    return affinity.translate(turned, xoff=float(x * SCALE), yoff=float(y * SCALE))


def group_score(copies: list[tuple[Decimal, Decimal, Decimal]]) -> float:
    """side^2 / n of one group."""
    shapes = [polygon(*copy) for copy in copies]
    tree = STRtree(shapes)
    for i, shape in enumerate(shapes):
        for j in tree.query(shape):
            if j > i and shape.intersects(shapes[j]) and not shape.touches(shapes[j]):
                raise Invalid(f"the items {i} and {j} of the group {len(copies):03d} overlap")
    boxes = [shape.bounds for shape in shapes]
    width = max(box[2] for box in boxes) - min(box[0] for box in boxes)
    height = max(box[3] for box in boxes) - min(box[1] for box in boxes)
    side = float(Decimal(max(width, height)) / SCALE)
    return side * side / len(copies)


def score(path: Path) -> float:
    return math.fsum(group_score(copies) for copies in read(path).values())
