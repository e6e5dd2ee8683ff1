"""Crystals: a copy and its 180-degree twin repeated over a lattice, annealed to little area, and cut by a square.

Every cut is an arrangement without overlap for each number of copies at once. Letting its copies move on their own is
the matter of `relax`.
"""

import math

import numpy as np
from geometry import AREA, CIRCLE, HULL, overlaps, place, placed
from numba import njit

# A cell is (a, bx, by, angle, ox, oy): lattice vectors (a, 0) and (bx, by), the copy at the origin turned by the
# angle, its twin at (ox, oy) turned by the angle + pi.


@njit(cache=True)
def fits(cell, corners, normals, circles, work):
    """Whether the crystal has no overlap."""
    a, bx, by, angle, ox, oy = cell
    n = 2
    work[0, 0], work[0, 1], work[0, 2] = 0.0, 0.0, angle
    work[1, 0], work[1, 1], work[1, 2] = ox, oy, angle + math.pi
    reach = 4 * CIRCLE[2] * CIRCLE[2]
    c, s = math.cos(angle), math.sin(angle)
    u, v = c * CIRCLE[0] - s * CIRCLE[1], s * CIRCLE[0] + c * CIRCLE[1]
    rows = int(2 * (2 * CIRCLE[2] + 0.5) / by) + 1
    for j in range(-rows, rows + 1):
        middle = round((-j * bx) / a)
        for i in range(middle - 6, middle + 7):
            x, y = i * a + j * bx, j * by
            if (j > 0 or (j == 0 and i > 0)) and x * x + y * y < reach:
                work[n, 0], work[n, 1], work[n, 2] = x, y, angle
                n += 1
        middle = round((-j * bx - ox + 2 * u) / a)
        for i in range(middle - 6, middle + 7):
            x, y = ox + i * a + j * bx, oy + j * by
            if (i != 0 or j != 0) and (x - 2 * u) ** 2 + (y - 2 * v) ** 2 < reach:
                work[n, 0], work[n, 1], work[n, 2] = x, y, angle + math.pi
                n += 1
        if n > work.shape[0] - 30:
            return False
    place(work[:n], corners, normals, circles)
    found = False  # all other pairs are images of these: each copy sees the others as the first one does
    for i in range(1, n):
        found = found or overlaps(corners, normals, circles, i, 0)
    return not found


@njit(cache=True)
def annealed(seed, steps):
    """A cell of little area, and that area."""
    np.random.seed(seed)
    wide = 2.2 * CIRCLE[2]
    cell = np.array([wide, 0.0, wide, np.random.uniform(0, 2 * math.pi), 0.5 * wide, 0.5 * wide])
    work = np.zeros((160, 3))
    corners, normals, circles = placed(work)
    while not fits(cell, corners, normals, circles, work):
        cell[0] *= 1.1
        cell[2] *= 1.1
        cell[4:] *= 1.1
    area, trial = cell[0] * cell[2], cell.copy()
    best, least = cell.copy(), area
    for step in range(steps):
        share = step / steps
        heat = 0.02 * math.exp(-9 * share)
        size = 0.15 * math.exp(-7.5 * share)
        trial[:] = cell
        if np.random.random() < 0.4:
            trial[np.random.randint(6)] += np.random.normal() * size
        else:
            for k in range(6):
                trial[k] += np.random.normal() * size * 0.4
        trial[1] -= round(trial[1] / trial[0]) * trial[0]
        if trial[0] < 0.2 * CIRCLE[2] or trial[2] < 0.2 * CIRCLE[2]:
            continue
        new = trial[0] * trial[2]
        if new - area > -heat * math.log(np.random.random() + 1e-300):
            continue
        if fits(trial, corners, normals, circles, work):
            cell[:] = trial
            area = new
            if area < least:
                least = area
                best[:] = cell
    return best, least


@njit(cache=True)
def crystal(cell, turn, x, y, most, both):
    """The copies of the crystal, turned, that a square around (x, y) of the cell's own frame takes up first.

    Their rows (x, y, angle), the square's centre at the origin, and half the side at which each is inside, in that
    order. Without `both` the twins are left out.
    """
    a, bx, by, angle, ox, oy = cell
    per = 2 if both else 1
    radius = 0.5 * math.sqrt(2.0 * (most / per + 1) * a * by) + 2.2 * CIRCLE[2]
    c, s = math.cos(turn), math.sin(turn)
    low, high = math.floor((y - radius) / by) - 1, math.ceil((y + radius) / by) + 1
    room = 2 * (high - low + 1) * (int(2 * radius / a) + 5)
    copies, reach = np.empty((room, 3)), np.empty(room)
    n = 0
    for j in range(low, high + 1):
        start = math.floor((x - radius - j * bx) / a) - 1
        for i in range(start, start + int(2 * radius / a) + 3):
            for twin in range(per):
                u, v = i * a + j * bx + twin * ox - x, j * by + twin * oy - y
                if u * u + v * v > radius * radius or n >= room:
                    continue
                copies[n, 0], copies[n, 1] = c * u - s * v, s * u + c * v
                copies[n, 2] = angle + turn + twin * math.pi
                n += 1
    for twin in range(per):
        cc, ss = math.cos(angle + turn + twin * math.pi), math.sin(angle + turn + twin * math.pi)
        for i in range(n):
            if per == 2 and (math.cos(copies[i, 2]) * cc + math.sin(copies[i, 2]) * ss) < 0:
                continue
            far = 0.0
            for k in range(HULL.shape[0]):
                far = max(far, abs(copies[i, 0] + cc * HULL[k, 0] - ss * HULL[k, 1]))
                far = max(far, abs(copies[i, 1] + ss * HULL[k, 0] + cc * HULL[k, 1]))
            reach[i] = far
    order = np.argsort(reach[:n])[:most]
    return copies[order], reach[order]


@njit(cache=True)
def centre(cell, which):
    """One of the four points about which half a turn maps the crystal on itself."""
    a, bx, by, _, ox, oy = cell
    i, j = which % 2, which // 2
    return 0.5 * (ox + i * a + j * bx), 0.5 * (oy + j * by)


def cells(tries: int, steps: int, seed: int, keep: int) -> np.ndarray:
    """Different cells of little area, best first."""
    found = sorted((annealed(seed * 1000 + k, steps) for k in range(tries)), key=lambda pair: pair[1])
    different: list[np.ndarray] = []
    areas: list[float] = []
    for cell, area in found:
        if area < 1.06 * found[0][1] and not any(abs(area - other) < 2e-5 * AREA for other in areas):
            different.append(cell)
            areas.append(area)
    return np.array(different[:keep])
