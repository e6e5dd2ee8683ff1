"""The polygon as convex parts, placed copies of it, and exact tests whether two copies overlap.

A copy is (x, y, angle in radians). How copies are arranged is decided elsewhere.
"""

import hashlib
import itertools
import math
from pathlib import Path

import numba
import numpy as np
from numba import njit
from problem import POLYGON

# Compiled code holds the polygon and what it calls, so it is kept apart for each state of these files.
HERE = Path(__file__).resolve().parent
SOURCES = b"".join((HERE / name).read_bytes() for name in ("problem.py", "geometry.py", "relax.py"))
numba.config.CACHE_DIR = str(HERE / "__pycache__" / hashlib.sha256(SOURCES).hexdigest()[:16])

TOUCH = 1e-12  # interpenetration up to this is touching: about the rounding of the coordinates


def cross(o: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    return float((a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]))


def convex(corners: list[int], points: np.ndarray) -> bool:
    """Whether the corners, counter-clockwise, make a convex polygon."""
    turns = zip(corners, corners[1:] + corners[:1], corners[2:] + corners[:2], strict=True)
    return all(cross(points[a], points[b], points[c]) >= -1e-12 for a, b, c in turns)


def triangles(points: np.ndarray, random: np.random.Generator) -> list[list[int]]:
    """The polygon (counter-clockwise) cut into triangles, ear by ear, in a random order."""
    rest, found = list(range(len(points))), []
    while len(rest) > 3:
        for k in random.permutation(len(rest)):
            before, corner, after = rest[k - 1], rest[k], rest[(k + 1) % len(rest)]
            if cross(points[before], points[corner], points[after]) <= 1e-12:
                continue
            ear = points[[before, corner, after]]
            others = (points[i] for i in rest if i not in (before, corner, after))
            if not any(all(cross(ear[e], ear[(e + 1) % 3], p) >= -1e-12 for e in range(3)) for p in others):
                found.append([before, corner, after])
                del rest[k]
                break
        else:
            raise ValueError("the polygon crosses itself or has no area")
    return [*found, rest]


def joined(a: list[int], b: list[int]) -> list[int] | None:
    """The polygon of two that share an edge."""
    for i, j in itertools.product(range(len(a)), range(len(b))):
        if a[i] == b[(j + 1) % len(b)] and a[(i + 1) % len(a)] == b[j]:
            return a[i + 1 :] + a[: i + 1] + [b[(j + 2 + k) % len(b)] for k in range(len(b) - 2)]
    return None


def merged(parts: list[list[int]], points: np.ndarray) -> list[list[int]]:
    """The parts, joined while two of them make a convex one."""
    for a, b in itertools.combinations(parts, 2):
        both = joined(a, b)
        if both is not None and convex(both, points):
            return merged([*(part for part in parts if part is not a and part is not b), both], points)
    return parts


def convex_parts(polygon: np.ndarray, tries: int = 500) -> list[np.ndarray]:
    """The polygon as few convex parts that share edges: the best of some random ways to cut it."""
    area = sum(cross(np.zeros(2), a, b) for a, b in zip(polygon, np.roll(polygon, -1, 0), strict=True))
    points = polygon if area > 0 else polygon[::-1]
    turns = [cross(points[k - 1], points[k], points[(k + 1) % len(points)]) for k in range(len(points))]
    fewest = (sum(turn < -1e-12 for turn in turns) + 1) // 2 + 1  # a cut mends at most two inward corners
    random, best = np.random.default_rng(0), [list(range(len(points)))]
    for attempt in range(1 if fewest == 1 else tries):
        found = merged(triangles(points, random), points)
        best = found if attempt == 0 or len(found) < len(best) else best
        if len(best) <= fewest:
            break
    return [points[[k for i, k in enumerate(part) if bends(part, i, points)]] for part in best]


def bends(part: list[int], i: int, points: np.ndarray) -> bool:
    """Whether the part has a corner there, rather than a point on a straight edge."""
    return cross(points[part[i - 1]], points[part[i]], points[part[(i + 1) % len(part)]]) > 1e-12


def hull(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull, counter-clockwise."""
    rows: list[list[np.ndarray]] = []
    ordered = [points[k] for k in np.lexsort((points[:, 1], points[:, 0]))]
    for sequence in (ordered, ordered[::-1]):
        row: list[np.ndarray] = []
        for point in sequence:
            while len(row) > 1 and cross(row[-2], row[-1], point) <= 0:
                row.pop()
            row.append(point)
        rows.append(row[:-1])
    return np.array(rows[0] + rows[1])


def enclosing_circle(points: np.ndarray) -> tuple[float, float, float]:
    """A circle around the points, close to the smallest one: x, y, radius."""
    centre = points.mean(0)
    for step in range(1, 2000):
        centre = centre + (points[np.argmax(np.hypot(*(points - centre).T))] - centre) / (step + 1)
    return float(centre[0]), float(centre[1]), float(np.hypot(*(points - centre).T).max()) + 1e-9


SHAPE = np.array(POLYGON, dtype=float)
_parts = convex_parts(SHAPE)
PARTS = len(_parts)
COUNTS = np.array([len(part) for part in _parts])
CORNERS = np.zeros((PARTS, COUNTS.max(), 2))  # the corners of each part
NORMALS = np.zeros((PARTS, COUNTS.max(), 2))  # the outward normal of the edge that begins at that corner
OFFSETS = np.zeros((PARTS, COUNTS.max()))  # normal . point on the edge, in the polygon's own frame
for _p, _part in enumerate(_parts):
    _edges = np.roll(_part, -1, 0) - _part
    CORNERS[_p, : len(_part)] = _part
    NORMALS[_p, : len(_part)] = np.stack([_edges[:, 1], -_edges[:, 0]], 1) / np.hypot(*_edges.T)[:, None]
    OFFSETS[_p, : len(_part)] = (NORMALS[_p, : len(_part)] * _part).sum(1)
CIRCLES = np.array([enclosing_circle(part) for part in _parts])
INNER = np.array(  # the radius of the circle about the same centre that lies within the part
    [(OFFSETS[p, : COUNTS[p]] - NORMALS[p, : COUNTS[p]] @ CIRCLES[p, :2]).min() for p in range(PARTS)]
)
CIRCLE = np.array(enclosing_circle(SHAPE))
HULL = hull(SHAPE)
AREA = 0.5 * abs(sum(cross(np.zeros(2), a, b) for a, b in zip(SHAPE, np.roll(SHAPE, -1, 0), strict=True)))


@njit(cache=True)
def place(copies, corners, normals, circles):
    """Write the parts of each copy: corners, normals, enclosing circles (the last circle is the whole polygon's)."""
    for i in range(copies.shape[0]):
        x, y, c, s = copies[i, 0], copies[i, 1], math.cos(copies[i, 2]), math.sin(copies[i, 2])
        for p in range(PARTS):
            for k in range(COUNTS[p]):
                u, v = CORNERS[p, k, 0], CORNERS[p, k, 1]
                corners[i, p, k, 0] = x + c * u - s * v
                corners[i, p, k, 1] = y + s * u + c * v
                u, v = NORMALS[p, k, 0], NORMALS[p, k, 1]
                normals[i, p, k, 0] = c * u - s * v
                normals[i, p, k, 1] = s * u + c * v
            u, v = CIRCLES[p, 0], CIRCLES[p, 1]
            circles[i, p, 0] = x + c * u - s * v
            circles[i, p, 1] = y + s * u + c * v
        circles[i, PARTS, 0] = x + c * CIRCLE[0] - s * CIRCLE[1]
        circles[i, PARTS, 1] = y + s * CIRCLE[0] + c * CIRCLE[1]


@njit(cache=True)
def placed(copies):
    n, most = copies.shape[0], CORNERS.shape[1]
    corners, normals = np.zeros((n, PARTS, most, 2)), np.zeros((n, PARTS, most, 2))
    circles = np.zeros((n, PARTS + 1, 2))
    place(copies, corners, normals, circles)
    return corners, normals, circles


@njit(cache=True)
def one_sided(edges, normals, i, points, j, p, q, enough):
    """The largest separation of points of part q of j from an edge of part p of i: it, the edge, the nearest point.

    It stops early at a separation above `enough`.
    """
    best, edge, nearest = -1e300, -1, -1
    for k in range(COUNTS[p]):
        nx, ny = normals[i, p, k, 0], normals[i, p, k, 1]
        least, which = 1e300, -1
        for m in range(COUNTS[q]):
            d = nx * points[j, q, m, 0] + ny * points[j, q, m, 1]
            if d < least:
                least, which = d, m
        least -= nx * edges[i, p, k, 0] + ny * edges[i, p, k, 1]
        if least > best:
            best, edge, nearest = least, k, which
            if best > enough:
                break
    return best, edge, nearest


@njit(cache=True)
def faced(edges, normals, i, points, j, p, q, dx, dy):
    """The separation of the points of part q of j from the one edge of part p of i that faces the direction (dx, dy).

    It is seldom less than that from any edge, and costs a fraction.
    """
    facing, edge = -1e300, 0
    for k in range(COUNTS[p]):
        d = normals[i, p, k, 0] * dx + normals[i, p, k, 1] * dy
        if d > facing:
            facing, edge = d, k
    nx, ny = normals[i, p, edge, 0], normals[i, p, edge, 1]
    least = 1e300
    for m in range(COUNTS[q]):
        least = min(least, nx * points[j, q, m, 0] + ny * points[j, q, m, 1])
    return least - nx * edges[i, p, edge, 0] - ny * edges[i, p, edge, 1]


@njit(cache=True)
def gap(corners, normals, circles, i, j, enough):
    """The least separation over the pairs of parts of copies i and j; below zero they overlap by that much.

    Parts that are further apart than `enough` count as `enough`.
    """
    dx, dy = circles[i, PARTS, 0] - circles[j, PARTS, 0], circles[i, PARTS, 1] - circles[j, PARTS, 1]
    reach = 2 * CIRCLE[2] + enough
    if dx * dx + dy * dy >= reach * reach:
        return enough
    least = enough
    for p in range(PARTS):
        for q in range(PARTS):
            dx, dy = circles[i, p, 0] - circles[j, q, 0], circles[i, p, 1] - circles[j, q, 1]
            reach = CIRCLES[p, 2] + CIRCLES[q, 2] + enough
            if dx * dx + dy * dy >= reach * reach:
                continue
            if (
                faced(corners, normals, i, corners, j, p, q, -dx, -dy) >= least
                or faced(corners, normals, j, corners, i, q, p, dx, dy) >= least
            ):
                continue
            first = one_sided(corners, normals, i, corners, j, p, q, least)[0]
            if first < least:
                second = one_sided(corners, normals, j, corners, i, q, p, least)[0]
                least = min(least, max(first, second))
    return least


@njit(cache=True)
def overlaps(corners, normals, circles, i, j):
    """Whether the inner parts of copies i and j meet; touching is no overlap."""
    dx, dy = circles[i, PARTS, 0] - circles[j, PARTS, 0], circles[i, PARTS, 1] - circles[j, PARTS, 1]
    if dx * dx + dy * dy >= 4 * CIRCLE[2] * CIRCLE[2]:
        return False
    for p in range(PARTS):
        for q in range(PARTS):
            dx, dy = circles[i, p, 0] - circles[j, q, 0], circles[i, p, 1] - circles[j, q, 1]
            reach = INNER[p] + INNER[q] - TOUCH
            if reach > 0 and dx * dx + dy * dy < reach * reach:
                return True
    for p in range(PARTS):
        for q in range(PARTS):
            dx, dy = circles[i, p, 0] - circles[j, q, 0], circles[i, p, 1] - circles[j, q, 1]
            reach = CIRCLES[p, 2] + CIRCLES[q, 2]
            if dx * dx + dy * dy >= reach * reach:
                continue
            if (
                faced(corners, normals, i, corners, j, p, q, -dx, -dy) >= -TOUCH
                or faced(corners, normals, j, corners, i, q, p, dx, dy) >= -TOUCH
            ):
                continue
            if (
                one_sided(corners, normals, i, corners, j, p, q, -TOUCH)[0] < -TOUCH
                and one_sided(corners, normals, j, corners, i, q, p, -TOUCH)[0] < -TOUCH
            ):
                return True
    return False


@njit(cache=True)
def least_gap(copies, enough):
    """The least gap between two of the copies, at most `enough`."""
    corners, normals, circles = placed(copies)
    least = enough
    for i in range(copies.shape[0]):
        for j in range(i):
            least = min(least, gap(corners, normals, circles, i, j, enough))
    return least


@njit(cache=True)
def box(copies):
    """The bounding box of the copies: least x, least y, greatest x, greatest y."""
    left, low, right, high = 1e300, 1e300, -1e300, -1e300
    for i in range(copies.shape[0]):
        c, s = math.cos(copies[i, 2]), math.sin(copies[i, 2])
        for k in range(HULL.shape[0]):
            x = copies[i, 0] + c * HULL[k, 0] - s * HULL[k, 1]
            y = copies[i, 1] + s * HULL[k, 0] + c * HULL[k, 1]
            left, low, right, high = min(left, x), min(low, y), max(right, x), max(high, y)
    return left, low, right, high


@njit(cache=True)
def side(copies):
    """The side of the smallest upright square around the copies."""
    left, low, right, high = box(copies)
    return max(right - left, high - low)


@njit(cache=True)
def centred(copies):
    """The copies with their bounding box around the origin."""
    left, low, right, high = box(copies)
    moved = copies.copy()
    moved[:, 0] -= 0.5 * (left + right)
    moved[:, 1] -= 0.5 * (low + high)
    return moved
