"""Every mistake in competition.toml is one line that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta.competition import settings
from meta.competition.nouns import Budget
from meta.errors import UserError

GOOD = """name = "loans"
kind = "tabular"
metric = "auc"
direction = "maximize"
seed = 3
[files]
train = "train.csv"
test = "test.csv"
sample = "sample.csv"
[budget]
cpu_seconds = 60
"""


def told(folder: Path, text: str) -> Path:
    for name in ("train", "test", "sample"):
        (folder / f"{name}.csv").touch()
    (folder / settings.FILE).write_text(text)
    return folder


def test_what_is_left_out_has_its_usual_value(tmp_path: Path) -> None:
    found = settings.load(told(tmp_path, GOOD))
    assert found.budget == Budget(cpu_seconds=60.0)
    assert found.deadline == ""
    assert (
        settings.load(told(tmp_path, "deadline = 2026-12-31T00:00:00Z\n" + GOOD)).deadline
        == "2026-12-31T00:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('name = "loans"', "", '"name" must be given'),
        ('kind = "tabular"', 'kind = "tabluar"', 'Did you mean "tabular"'),
        ('"maximize"', '"up"', '"direction" must be one of'),
        ("seed = 3", "seed = 1.5", '"seed" must be a whole number'),
        ("seed = 3", "seed = true", '"seed" must be a whole number'),
        ("seed = 3", "sede = 3", 'unknown key "sede"'),
        ("seed = 3", 'deadline = "soon"', '"deadline" must be a time'),
        ("seed = 3", "columns = 5", '"columns" must be a table'),
        ('train = "train.csv"', "", 'needs "train"'),
        ('train = "train.csv"', 'train = "gone.csv"', "which is not there"),
        ('train = "train.csv"', 'train = "../x.csv"', "leads out of the folder"),
        ('train = "train.csv"', "train = 3", '"train" in [files] must be text'),
        ("cpu_seconds = 60", "cpu_seconds = 0", "must be at least 1"),
        ("cpu_seconds = 60", "cpu_seconds = nan", "must be at least 1"),
        ("cpu_seconds = 60", 'cpu_seconds = "60"', "must be a number"),
        ("cpu_seconds = 60", "steps = 2.5", "must be a whole number"),
        ("cpu_seconds = 60", "usd = -1", "must be at least 0"),
        ("cpu_seconds = 60", "eur = 1", 'unknown key "eur" in [budget]'),
        ("seed = 3", "seed = ", "is not valid TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, before: str, after: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        settings.load(told(tmp_path, GOOD.replace(before, after)))
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert says in said


def test_a_folder_without_the_file_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"competition\.toml\. Write it"):
        settings.load(tmp_path)
