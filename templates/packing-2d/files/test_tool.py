"""What has to hold for any polygon this tool packs; run it with python or pytest, the first time for a minute."""

import math
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import metric
import numpy as np
import relax
import tool
from geometry import AREA, CIRCLE, CORNERS, COUNTS, PARTS, SHAPE, overlaps, placed, side
from pool import SIZES, Pool, submission
from problem import SMALLEST
from shapely import affinity
from shapely.geometry import Polygon

CHANCE = np.random.default_rng(5)


def shape(copy: np.ndarray) -> Polygon:
    turned = affinity.rotate(Polygon(SHAPE), copy[2], origin=(0, 0), use_radians=True)
    return affinity.translate(turned, copy[0], copy[1])


def pairs(count: int) -> list[np.ndarray]:
    """Two copies near each other; every fourth pair touches but for 1e-9 more or less."""
    found = []
    for k in range(count):
        two = CHANCE.uniform(-CIRCLE[2], CIRCLE[2], (2, 3))
        two[:, 2] = CHANCE.uniform(0, 2 * math.pi, 2)
        if k % 4 == 0:
            two[1, :2] = two[0, :2] + [3 * CIRCLE[2], 0]
            two[1, 0] -= shape(two[0]).distance(shape(two[1]))  # a first step; the search ends where they meet
            low, high = two[0, 0], two[1, 0] + CIRCLE[2]
            while high - low > 1e-13:
                two[1, 0] = 0.5 * (low + high)
                low, high = (two[1, 0], high) if shape(two[0]).intersects(shape(two[1])) else (low, two[1, 0])
            two[1, 0] = high + CHANCE.choice([-1e-9, 1e-9])
        found.append(two)
    return found


def test_the_parts_are_convex_and_cover_the_polygon():
    areas = [Polygon(CORNERS[p, : COUNTS[p]]).area for p in range(PARTS)]
    assert abs(sum(areas) - AREA) < 1e-12
    assert all(Polygon(CORNERS[p, : COUNTS[p]]).convex_hull.area - areas[p] < 1e-12 for p in range(PARTS))


def test_two_copies_overlap_exactly_where_shapely_says_so():
    answers = set()
    for two in pairs(1200):
        a, b = shape(two[0]), shape(two[1])
        ours = bool(overlaps(*placed(two), 0, 1))
        assert ours == (a.intersection(b).area > 0 and not a.touches(b)), two.tolist()
        answers.add(ours)
    assert answers == {True, False}


def test_copies_whose_boxes_touch_do_not_overlap():
    wide, high = np.ptp(SHAPE, axis=0)
    for x, y in ((wide, 0.0), (0.0, high), (-wide, 0.0), (wide, high)):
        assert not overlaps(*placed(np.array([[0.0, 0.0, 0.0], [x, y, 0.0]])), 0, 1)
    assert overlaps(*placed(np.array([[0.0, 0.0, 0.0], [0.3 * CIRCLE[2], 0.0, 0.0]])), 0, 1)


def test_relaxed_copies_lie_in_a_smaller_square_without_overlap():
    apart = np.array([[1.5 * CIRCLE[2] * x, 1.5 * CIRCLE[2] * y, 0.3 * x] for x in (-1, 1) for y in (-1, 1)])
    state = np.append(apart.ravel(), side(apart))
    expected, _ = relax.pressed(state, 4, False, 0.05, 3e-6, 60, 1e9, 1.0)
    copies, _ = relax.finished(state, 4, False, expected, 1e9)
    assert len(copies) == 4
    assert side(copies) < side(apart)
    assert not any(overlaps(*placed(copies), i, j) for i in range(4) for j in range(i))


def grid(n: int) -> np.ndarray:
    wide, apart = math.ceil(math.sqrt(n)), 2.1 * CIRCLE[2]
    return np.array([[apart * (i % wide), apart * (i // wide), 0.0] for i in range(n)])


def test_a_pool_comes_back_from_its_file_and_keeps_the_better():
    with tempfile.TemporaryDirectory() as name:
        pool = Pool(notes={"seconds": 3.0})
        pool.offer(grid(3) * [1.1, 1.1, 1])
        pool.offer(grid(3))
        pool.offer(grid(3) * [1.2, 1.2, 1])
        pool.offer(grid(3) * 0)  # all in one place: no arrangement
        pool.save(Path(name, "pool.npz"))
        again = Pool.load(Path(name, "pool.npz"))
        assert again.notes == {"seconds": 3.0}
        assert list(again.sides) == [3]
        assert abs(again.sides[3] - side(grid(3))) < 1e-12


def test_the_official_metric_takes_a_valid_submission_and_no_overlap():
    best = {n: grid(n) for n in SIZES}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "submission.csv")
        path.write_text(submission(best))
        groups = metric.read(path)
        assert [len(copies) for copies in groups.values()] == list(SIZES)
        size = max(SMALLEST, 2)
        assert abs(metric.group_score(groups[size]) - side(best[size]) ** 2 / size) < 1e-9
        best[size] = best[size] * 0
        path.write_text(submission(best))
        try:
            metric.group_score(metric.read(path)[size])
        except metric.Invalid as refused:
            assert "overlap" in str(refused)
        else:
            raise AssertionError("an overlap was accepted")


def test_the_moves_name_only_moves_that_exist():
    names = {move["name"] for move in tool.moves()}
    assert all(set(move["after"]) <= names for move in tool.moves())


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("passed", name)
