"""What the gate lets through and what it refuses; run it with python or pytest."""

import contextlib
import io
import json
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import santa2025
import tool

PACKING = 'name = "trees"\nkind = "packing"\nmetric = "santa2025"\ndirection = "minimize"\n'
TABLE = (
    'name = "table"\nkind = "tabular"\nmetric = "{metric}"\ndirection = "maximize"\n[files]\nsample = "sample.csv"\n'
)


def gate(folder: Path, *words: str) -> dict:
    """The gate's result for DIR/new.csv."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        tool.main(["--competition", str(folder), "--submission", str(folder / "new.csv"), "--json", *words])
    return json.loads(printed.getvalue())


def trees(apart: float = 1.2) -> dict[int, list[list[str]]]:
    """Groups 1 to 200 of trees on a square grid: valid, and worse the further they are apart."""
    groups = {}
    for n in range(1, 201):
        wide = math.ceil(math.sqrt(n))
        groups[n] = [[f"s{apart * (i % wide)!r}", f"s{apart * (i // wide)!r}", "s0.0"] for i in range(n)]
    return groups


def text(groups: dict[int, list[list[str]]]) -> str:
    rows = (f"{n:03d}_{i},{','.join(row)}" for n, rows in groups.items() for i, row in enumerate(rows))
    return "\n".join(["id,x,y,deg", *rows]) + "\n"


def two(gap: str) -> santa2025.Group:
    """Two trees side by side whose lowest branches are that far apart."""
    return santa2025.judged((("s0", "s0", "s0"), (f"s{0.7 + float(gap):.17f}", "s0", "s0")))


def test_an_overlap_of_a_millionth_of_a_millionth_is_refused_and_touching_is_not():
    assert "overlap" in two("-1e-12").problem
    assert "overlap" in two("-1e-6").problem
    assert not two("0").problem
    assert not two("1e-12").problem


def test_a_group_scores_its_larger_side_squared_over_its_size():
    assert abs(two("0").score - 1.4**2 / 2) < 1e-12


def test_bad_values_are_refused_and_good_ones_are_not():
    def problem(x: str) -> str:
        return santa2025.judged(((x, "s0", "s0"),)).problem

    assert "no s" in problem("1.0")
    assert "finite" in problem("sNaN")
    assert "finite" in problem("sInfinity")
    assert "no number" in problem("sx")
    assert "beyond" in problem("s100.1")
    assert not problem("s100")
    assert not problem("s-99.99999999999999999")


def test_a_doubled_a_missing_and_a_strange_row_are_refused_and_a_whole_file_is_not():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "competition.toml").write_text(PACKING)
        lines = text(trees()).splitlines()
        (folder / "new.csv").write_text("\n".join(lines) + "\n")
        whole = gate(folder)
        assert whole["ok"]
        assert whole["problems"] == []
        broken = [*lines[:3], lines[2], *lines[4:-1], "201_0,s0,s0,s0"]  # 002_0 twice, 002_1 and 200_199 gone
        (folder / "new.csv").write_text("\n".join(broken) + "\n")
        result = gate(folder, "--promote")
        assert not result["ok"]
        assert not result["promoted"]
        assert not (folder / "submission.csv").exists()
        told = "\n".join(result["problems"])
        assert "002_0" in told or "group 002: item 0 is there twice" in told
        assert "group 200: item 199 is missing" in told
        assert "201_0" in told


def test_worse_is_never_promoted_and_better_is_and_bad_groups_are_mended_from_the_best():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "competition.toml").write_text(PACKING)
        new, current = folder / "new.csv", folder / "submission.csv"
        new.write_text(text(trees(1.2)))
        assert gate(folder, "--promote")["promoted"]
        kept = current.read_bytes()
        new.write_text(text(trees(1.3)))
        assert not gate(folder, "--promote")["promoted"]
        assert current.read_bytes() == kept
        groups = trees(1.1)
        groups[2][1] = ["s0.69999999999", "s0.0", "s0.0"]  # a hair of overlap: drawn apart
        groups[3][1] = groups[3][0]  # one upon the other: taken from the best
        groups[9] = trees(1.4)[9]  # worse: taken from the best
        new.write_text(text(groups))
        assert len(gate(folder)["problems"]) == 2
        result = gate(folder, "--repair", "--merge", "--promote")
        assert result["ok"]
        assert result["promoted"]
        found = santa2025.read(current)[0]
        assert found[2].score < 1.0
        assert list(found[3].rows) == [tuple(row) for row in trees(1.2)[3]]
        assert list(found[9].rows) == [tuple(row) for row in trees(1.2)[9]]
        assert list(found[20].rows) == [tuple(row) for row in trees(1.1)[20]]


def table(folder: Path, metric: str, change: Callable[[list[str]], list[str]], score: float | None = 0.9) -> dict:
    """The gate's result for a table of ten rows after a change of its lines."""
    (folder / "competition.toml").write_text(TABLE.format(metric=metric))
    lines = ["id,y", *(f"{i},0.{i}" for i in range(10))]
    (folder / "sample.csv").write_text("\n".join(lines) + "\n")
    (folder / "new.csv").write_text("\n".join(change(lines)) + "\n")
    (folder / "metrics.json").unlink(missing_ok=True)
    if score is not None:
        (folder / "metrics.json").write_text(json.dumps({"score": score}))
    return gate(folder)


def test_tables_are_refused_for_their_columns_ids_and_values_and_else_accepted():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def problems(change: Callable[[list[str]], list[str]], metric: str = "auc") -> str:
            result = table(folder, metric, change)
            assert result["ok"] == (not result["problems"])
            return "\n".join(result["problems"])

        assert table(folder, "auc", list) == {
            "ok": True, "score": 0.9, "best": None, "problems": [], "warnings": [], "promoted": False
        }  # fmt: skip
        assert "columns" in problems(lambda lines: ["id,z", *lines[1:]])
        assert "missing: 9" in problems(lambda lines: lines[:-1])
        assert "twice: 8" in problems(lambda lines: [*lines[:-1], "8,0.5"])
        assert "not in the sample: 77" in problems(lambda lines: [*lines[:-1], "77,0.5"])
        assert "finite" in problems(lambda lines: [*lines[:-1], "9,nan"])
        assert "no number" in problems(lambda lines: [*lines[:-1], "9,"])
        assert "0 to 1" in problems(lambda lines: [*lines[:-1], "9,1.5"], "logloss")
        assert not problems(lambda lines: [*lines[:-1], "9,1.5"])
        assert "negative" in problems(lambda lines: [*lines[:-1], "9,-1"], "rmsle")
        assert not problems(lambda lines: [lines[0], *reversed(lines[1:])])
        (folder / "train.csv").write_text("id,y\n100,yes\n101,no\n")
        metric = "accuracy"
        assert "not labels" in problems(list, metric)
        assert not problems(
            lambda lines: [lines[0], *(f"{i},{'yes' if i % 3 else 'no'}" for i in range(10))], "accuracy"
        )


def test_constant_predictions_and_an_unknown_score_are_warned_of_and_no_others_are():
    with tempfile.TemporaryDirectory() as name:
        constant = table(Path(name), "auc", lambda lines: [lines[0], *(f"{i},0.5" for i in range(10))])
        assert constant["ok"]
        assert "every row" in constant["warnings"][0]
        assert "metrics.json" in table(Path(name), "auc", list, score=None)["warnings"][0]
        assert table(Path(name), "auc", list)["warnings"] == []


def test_a_table_is_promoted_only_over_one_with_a_lower_told_score():
    with tempfile.TemporaryDirectory() as name:
        folder, runs = Path(name), Path(name, "run")
        runs.mkdir()
        table(folder, "auc", list)
        (folder / "metrics.json").unlink()
        for score, promoted in ((0.9, True), (0.8, False), (0.95, True), (None, False)):
            (runs / "new.csv").write_text((folder / "new.csv").read_text().replace("3,0.3", f"3,{score or 0.1}"))
            (runs / "metrics.json").write_text(json.dumps({"score": score}))
            result = gate(folder, "--submission", str(runs / "new.csv"), "--promote")
            assert result["ok"]
            assert result["promoted"] == promoted
        assert "3,0.95" in (folder / "submission.csv").read_text()


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("passed", name)
