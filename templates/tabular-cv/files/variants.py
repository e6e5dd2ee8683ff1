"""The moves: which columns and which settings of LightGBM each variant stands for, and when it may be tried.

The settings were chosen once, on one large table, and are the same for every competition.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from encoding import Plan

# Many columns that say nearly the same: few of them a tree, small trees, drawn towards zero.
REGULAR = {
    "num_leaves": 15, "feature_fraction": 0.3, "bagging_fraction": 0.8, "bagging_freq": 1,
    "min_data_in_leaf": 50, "lambda_l2": 10.0,
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """`bagged`: on a small table the rows that stop a model are changed by turns, and the models' mean is taken."""

    plan: Plan
    parameters: Mapping[str, object] = field(default_factory=dict)
    bagged: bool = True
    why: str = ""


VARIANTS = {
    "plain": Variant(Plan(), bagged=False, why="LightGBM as it comes, on the columns as they are: to be beaten"),
    "steady": Variant(Plan(), REGULAR | {"feature_fraction": 0.6}, why="small trees drawn towards zero, for few rows"),
    "categories": Variant(
        Plan(categories=True, original_rows=True),
        REGULAR | {"feature_fraction": 0.5, "cat_smooth": 50.0, "min_data_per_group": 20},
        why="numbers twice: as numbers, and each value as a category of its own",
    ),
    "te": Variant(Plan(means=True), REGULAR, why="every column's target mean, learnt inside of the folds"),
    "te-original": Variant(
        Plan(means=True, original_rows=True), REGULAR, why="target means, with the original data as more rows"
    ),
    "rich": Variant(
        Plan(means=True, counts=True, bins=True, original_rows=True), REGULAR,
        why="target means and counts of every number at several resolutions and of its digits",
    ),
    "rich-means": Variant(
        Plan(means=True, counts=True, bins=True, pairs=True, original_means=True), REGULAR | {"feature_fraction": 0.15},
        why="pairs of columns too, and the original data as a source of means, not of rows",
    ),
}  # fmt: skip

NEEDS_ORIGINAL = ("te-original",)


def moves(original: bool) -> list[dict[str, object]]:
    """What may be run, in the order in which it is worth trying. Without original data its moves are not offered."""
    seconds = {
        "plain": 15, "steady": 20, "categories": 30, "te": 20, "te-original": 35, "rich": 75, "rich-means": 90,
    }  # fmt: skip
    after = {"plain": [], "rich-means": ["rich"]}
    offered: list[dict[str, object]] = [
        {
            "name": name, "arguments": ["--variant", name], "after": after.get(name, ["plain"]), "repeat": False,
            "seconds": seconds[name], "why": variant.why,
        }
        for name, variant in VARIANTS.items() if original or name not in NEEDS_ORIGINAL
    ]  # fmt: skip
    return [
        *offered,
        {
            "name": "second-seed", "arguments": ["--variant", "again"], "after": ["rich"], "repeat": True,
            "seconds": 75, "why": "the best of the runs named by --from, with another seed",
        },
        {
            "name": "blend", "arguments": ["--variant", "blend"], "after": ["plain", "te"], "repeat": True,
            "seconds": 10, "why": "a weighted mean of the runs named by --from, scored on folds that did not fit it",
        },
    ]  # fmt: skip
