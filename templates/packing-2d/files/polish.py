"""The last gain of an arrangement: linear programs that move all copies a little and make the square smaller.

Each keeps every pair of near parts apart along the axis that separates them best now. Whether it helped is decided by
who holds the pool.
"""

import math

import numpy as np
from geometry import CIRCLE, COUNTS, HULL, PARTS, centred, one_sided, placed, side
from numba import njit
from relax import SAFE, finished
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

TRUST = 0.003  # the largest move of the first program, less after one that did not help
LIMIT = 10.0  # seconds for one program


@njit(cache=True)
def constraints(copies, trust):
    """Rows of: the change of each copy's x, y, angle in a separation, and the separation itself."""
    corners, normals, circles = placed(copies)
    n = copies.shape[0]
    room = 64 + n * 120
    who, slopes, apart = np.empty((room, 2), np.int64), np.empty((room, 6)), np.empty(room)
    found = 0
    for i in range(n):
        for j in range(i):
            dx, dy = circles[i, PARTS, 0] - circles[j, PARTS, 0], circles[i, PARTS, 1] - circles[j, PARTS, 1]
            if math.hypot(dx, dy) > 2 * CIRCLE[2] + 4 * trust:
                continue
            for p in range(PARTS):
                for q in range(PARTS):
                    first, edge1, _ = one_sided(corners, normals, i, corners, j, p, q, 1e9)
                    second, edge2, _ = one_sided(corners, normals, j, corners, i, q, p, 1e9)
                    if max(first, second) > 4 * trust:
                        continue
                    a, b, pa, pb, edge = i, j, p, q, edge1
                    if second > first:
                        a, b, pa, pb, edge = j, i, q, p, edge2
                    nx, ny = normals[a, pa, edge, 0], normals[a, pa, edge, 1]
                    for k in range(COUNTS[pb]):  # every corner that might come to lie on the edge
                        px, py = corners[b, pb, k, 0], corners[b, pb, k, 1]
                        value = nx * (px - corners[a, pa, edge, 0]) + ny * (py - corners[a, pa, edge, 1])
                        if value > 4 * trust or found >= room:
                            continue
                        who[found, 0], who[found, 1] = a, b
                        slopes[found, 0], slopes[found, 1] = -nx, -ny
                        slopes[found, 2] = -ny * (px - copies[a, 0]) + nx * (py - copies[a, 1])
                        slopes[found, 3], slopes[found, 4] = nx, ny
                        slopes[found, 5] = ny * (px - copies[b, 0]) - nx * (py - copies[b, 1])
                        apart[found] = value
                        found += 1
    return who[:found], slopes[:found], apart[:found]


def program(copies: np.ndarray, trust: float) -> np.ndarray | None:
    """The copies after one linear program; none where it was not solved."""
    n = len(copies)
    who, slopes, apart = constraints(copies, trust)
    index = np.arange(len(who))
    rows, columns, values = [], [], []
    for end in range(2):
        for k in range(3):
            rows.append(index)
            columns.append(3 * who[:, end] + k)
            values.append(-slopes[:, 3 * end + k])
    limits = [apart - 2 * SAFE]
    count = len(who)
    c, s = np.cos(copies[:, 2])[:, None], np.sin(copies[:, 2])[:, None]
    u, v = c * HULL[:, 0] - s * HULL[:, 1], s * HULL[:, 0] + c * HULL[:, 1]
    half = 0.5 * side(copies)
    for axis, along, turn in ((0, u, -v), (1, v, u)):
        for sign in (1.0, -1.0):
            place = sign * (copies[:, axis][:, None] + along)
            i, k = np.nonzero(place > half - 4 * trust)
            index = count + np.arange(len(i))
            rows += [index] * 3
            columns += [3 * i + axis, 3 * i + 2, np.full(len(i), 3 * n)]
            values += [np.full(len(i), sign), sign * turn[i, k], np.full(len(i), -0.5)]
            limits.append(-place[i, k])
            count += len(i)
    matrix = csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(count, 3 * n + 1)
    )
    bounds = [(-trust, trust)] * (3 * n) + [(0, None)]
    cost = np.zeros(3 * n + 1)
    cost[-1] = 1.0
    solved = linprog(cost, matrix, np.concatenate(limits), bounds=bounds, method="highs", options={"time_limit": LIMIT})
    return copies + solved.x[:-1].reshape(n, 3) if solved.status == 0 else None


def squeezed(copies: np.ndarray, rounds: int = 40, enough: float = 1e-6) -> np.ndarray:
    """The copies after programs that made the square smaller, while one does so by a share of `enough`."""
    best, trust = centred(copies), TRUST
    for _ in range(rounds):
        moved, width = program(best, trust), side(best)
        fits = np.empty((0, 3))
        if moved is not None:
            state = np.append(centred(moved).ravel(), side(moved))
            fits, _ = finished(state, len(best), False, side(moved), width)
        if len(fits):
            best = centred(fits)
            if side(best) > width * (1 - enough):
                break
        else:
            trust /= 4
            if trust < 1e-6:
                break
    return best
