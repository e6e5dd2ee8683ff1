"""Copies that overlap pushed apart, and their square pulled in: the nearest local optimum of an arrangement.

The energy is pressure x side + half the squared overlaps of parts and walls. Lowering the pressure step by step leads
to copies that only touch. A state is the rows (x, y, angle) of the copies and, last, the side; the square lies around
the origin. In a symmetric state each row stands for two copies, itself and the one turned by 180 degrees about the
origin. Which arrangements are worth relaxing is decided in `search`.
"""

import math

import numpy as np
from geometry import CIRCLE, CIRCLES, CORNERS, COUNTS, HULL, PARTS, faced, least_gap, one_sided, place, side
from numba import njit

MEMORY = 8  # steps that the quasi-Newton direction remembers
SKIN = 0.12  # copies may come closer by this before the list of neighbours is made again
MARGIN = 1e-7  # the gap that a finished arrangement is relaxed to
SAFE = 1e-11  # the gap that a finished arrangement has at least


@njit(cache=True)
def neighbours(state, rows, symmetric, pairs):
    """Fill `pairs` (i, j, whether j is the turned copy) with those near each other; their number."""
    found = 0
    reach = 2 * CIRCLE[2] + SKIN
    centres = np.empty((rows, 2))
    for i in range(rows):
        c, s = math.cos(state[3 * i + 2]), math.sin(state[3 * i + 2])
        centres[i, 0] = state[3 * i] + c * CIRCLE[0] - s * CIRCLE[1]
        centres[i, 1] = state[3 * i + 1] + s * CIRCLE[0] + c * CIRCLE[1]
    for i in range(rows):
        x, y = centres[i, 0], centres[i, 1]
        for j in range(i + 1):
            u, v = centres[j, 0], centres[j, 1]
            if j < i and (x - u) ** 2 + (y - v) ** 2 < reach * reach and found < pairs.shape[0]:
                pairs[found, 0], pairs[found, 1], pairs[found, 2] = i, j, 0
                found += 1
            if symmetric and (x + u) ** 2 + (y + v) ** 2 < reach * reach and found < pairs.shape[0]:
                pairs[found, 0], pairs[found, 1], pairs[found, 2] = i, j, 1
                found += 1
    return found


@njit(cache=True)
def energy(state, rows, pairs, count, pressure, margin, slope, corners, normals, circles):
    """The energy of a state (half of the whole when symmetric); its gradient goes to `slope`."""
    copies = state[: 3 * rows].reshape((rows, 3))
    place(copies, corners, normals, circles)
    edge = 0.5 * state[3 * rows]
    total = pressure * edge
    slope[:] = 0.0
    pull = 0.0
    for i in range(rows):
        c, s = math.cos(copies[i, 2]), math.sin(copies[i, 2])
        for k in range(HULL.shape[0]):
            u = c * HULL[k, 0] - s * HULL[k, 1]
            v = s * HULL[k, 0] + c * HULL[k, 1]
            x, y = copies[i, 0] + u, copies[i, 1] + v
            over = abs(x) - edge
            if over > 0:
                total += 0.5 * over * over
                force = over if x > 0 else -over
                slope[3 * i] += force
                slope[3 * i + 2] -= force * v
                pull += over
            over = abs(y) - edge
            if over > 0:
                total += 0.5 * over * over
                force = over if y > 0 else -over
                slope[3 * i + 1] += force
                slope[3 * i + 2] += force * u
                pull += over
    slope[3 * rows] = 0.5 * (pressure - pull)

    last = CORNERS.shape[1]
    turned_corners, turned_normals = np.empty((1, PARTS, last, 2)), np.empty((1, PARTS, last, 2))
    for n in range(count):
        i, j, turned = pairs[n, 0], pairs[n, 1], pairs[n, 2]
        sign = -1.0 if turned else 1.0
        dx, dy = circles[i, PARTS, 0] - sign * circles[j, PARTS, 0], circles[i, PARTS, 1] - sign * circles[j, PARTS, 1]
        reach = 2 * CIRCLE[2] + margin
        if dx * dx + dy * dy >= reach * reach:
            continue
        other_corners, other_normals, o = corners, normals, j
        if turned:
            for p in range(PARTS):
                for k in range(COUNTS[p]):
                    for d in range(2):
                        turned_corners[0, p, k, d] = -corners[j, p, k, d]
                        turned_normals[0, p, k, d] = -normals[j, p, k, d]
            other_corners, other_normals, o = turned_corners, turned_normals, 0
        weight = 0.5 if i == j else 1.0
        xj, yj = sign * copies[j, 0], sign * copies[j, 1]
        for p in range(PARTS):
            for q in range(PARTS):
                dx = circles[i, p, 0] - sign * circles[j, q, 0]
                dy = circles[i, p, 1] - sign * circles[j, q, 1]
                reach = CIRCLES[p, 2] + CIRCLES[q, 2] + margin
                if dx * dx + dy * dy >= reach * reach:
                    continue
                if (
                    faced(corners, normals, i, other_corners, o, p, q, -dx, -dy) >= margin
                    or faced(other_corners, other_normals, o, corners, i, q, p, dx, dy) >= margin
                ):
                    continue
                first, edge1, near1 = one_sided(corners, normals, i, other_corners, o, p, q, margin)
                if first >= margin:
                    continue
                second, edge2, near2 = one_sided(other_corners, other_normals, o, corners, i, q, p, margin)
                if second >= margin:
                    continue
                if first >= second:  # an edge of i, a point of j
                    nx, ny = normals[i, p, edge1, 0], normals[i, p, edge1, 1]
                    px, py = other_corners[o, q, near1, 0], other_corners[o, q, near1, 1]
                    depth = margin - first
                else:  # an edge of j, a point of i; the force on i is the other way round
                    nx, ny = -other_normals[o, q, edge2, 0], -other_normals[o, q, edge2, 1]
                    px, py = corners[i, p, near2, 0], corners[i, p, near2, 1]
                    depth = margin - second
                total += weight * 0.5 * depth * depth
                force = weight * depth
                slope[3 * i] += force * nx
                slope[3 * i + 1] += force * ny
                slope[3 * i + 2] += force * ((px - copies[i, 0]) * ny - (py - copies[i, 1]) * nx)
                slope[3 * j] -= sign * force * nx
                slope[3 * j + 1] -= sign * force * ny
                slope[3 * j + 2] -= force * ((px - xj) * ny - (py - yj) * nx)
    return total


@njit(cache=True)
def descend(state, rows, symmetric, pressure, margin, steps, free, enough):
    """Lower the energy of the state in place by a quasi-Newton method; the energy and the evaluations made.

    It ends after `steps`, below the energy `enough`, or where it no longer gets lower. `free`: the side may change.
    """
    size = 3 * rows + 1
    pairs = np.empty((rows * 40 + 100, 3), np.int64)
    last = CORNERS.shape[1]
    corners, normals = np.zeros((rows, PARTS, last, 2)), np.zeros((rows, PARTS, last, 2))
    circles = np.zeros((rows, PARTS + 1, 2))
    slope, trial_slope = np.empty(size), np.empty(size)
    trial, direction, anchor = np.empty(size), np.empty(size), state.copy()
    moves, changes = np.zeros((MEMORY, size)), np.zeros((MEMORY, size))
    curvature, share = np.zeros(MEMORY), np.zeros(MEMORY)
    held = 0
    count = neighbours(state, rows, symmetric, pairs)
    value = energy(state, rows, pairs, count, pressure, margin, slope, corners, normals, circles)
    if not free:
        slope[size - 1] = 0.0
    evaluations, small = 1, 0
    for _ in range(steps):
        if value < enough:
            break
        direction[:] = -slope
        first = max(0, held - MEMORY)
        for k in range(held - 1, first - 1, -1):
            m = k % MEMORY
            share[m] = np.dot(moves[m], direction) / curvature[m]
            direction -= share[m] * changes[m]
        if held:
            m = (held - 1) % MEMORY
            direction *= curvature[m] / np.dot(changes[m], changes[m])
        else:
            direction *= 0.3
        for k in range(first, held):
            m = k % MEMORY
            direction += moves[m] * (share[m] - np.dot(changes[m], direction) / curvature[m])
        descent = np.dot(slope, direction)
        if descent >= 0:
            if held == 0:
                break
            held = 0
            continue
        longest = np.max(np.abs(direction))
        length = min(1.0, 0.08 / longest)
        lower = False
        for _ in range(12):
            trial[:] = state + length * direction
            if np.max(np.abs(trial - anchor)) > 0.25 * SKIN:
                anchor[:] = trial
                count = neighbours(trial, rows, symmetric, pairs)
            new = energy(trial, rows, pairs, count, pressure, margin, trial_slope, corners, normals, circles)
            evaluations += 1
            if new <= value + 1e-4 * length * descent:
                lower = True
                break
            length *= 0.4
        if not lower:
            if held == 0:
                break
            held = 0
            continue
        if not free:
            trial_slope[size - 1] = 0.0
        move, change = trial - state, trial_slope - slope
        bend = np.dot(move, change)
        if bend > 1e-10 * np.dot(change, change):
            m = held % MEMORY
            moves[m], changes[m], curvature[m] = move, change, bend
            held += 1
        gained = value - new
        state[:] = trial
        slope[:] = trial_slope
        value = new
        small = small + 1 if gained < 1e-7 * abs(value) else 0
        if small >= 4:
            break
    return value, evaluations


@njit(cache=True)
def whole(state, rows, symmetric):
    """The copies of a state."""
    copies = np.empty((2 * rows if symmetric else rows, 3))
    for i in range(rows):
        copies[i] = state[3 * i : 3 * i + 3]
        if symmetric:
            copies[rows + i, 0], copies[rows + i, 1] = -state[3 * i], -state[3 * i + 1]
            copies[rows + i, 2] = state[3 * i + 2] + math.pi
    return copies


@njit(cache=True)
def pressed(state, rows, symmetric, first, last, steps, bound, slack):
    """Relax the state under a falling pressure; the side it will have at none, and the evaluations made.

    It gives up (a side of 1e300) where that side seems to be above `bound`. The side under pressure is a little too
    small, and from two pressures on it is known to a ten-thousandth: `slack` is the share by which the first guess may
    be above the bound, and it shrinks as the guesses get better.
    """
    pressure, evaluations, before = first, 0, 0.0
    while True:
        _, used = descend(state, rows, symmetric, pressure, 0.0, steps, True, -1.0)
        evaluations += used
        now = state[3 * rows]
        expected = now + (now - before) / 3 if pressure < first else now
        if expected > bound * (1 + slack):
            return 1e300, evaluations
        if pressure <= last:
            return expected, evaluations
        before = now
        pressure /= 4
        slack *= 0.3


@njit(cache=True)
def finished(state, rows, symmetric, expected, bound):
    """The copies of a relaxed state without overlap, and the evaluations made; none where the side passes `bound`."""
    evaluations, more = 0, 2e-6
    for _ in range(6):
        state[3 * rows] = expected * (1 + more)
        if state[3 * rows] >= bound:
            break
        _, used = descend(state, rows, symmetric, 0.0, MARGIN, 400, False, 0.5 * (MARGIN - SAFE) ** 2 * 0.9)
        evaluations += used
        copies = whole(state, rows, symmetric)
        if side(copies) < bound and least_gap(copies, 1.0) >= SAFE:
            return copies, evaluations
        more *= 3.5
    return np.empty((0, 3)), evaluations
