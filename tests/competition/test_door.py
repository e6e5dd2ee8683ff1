"""`meta compete` at the front desk, and its page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from meta import files
from meta.cli import main
from meta.competition import journal, page, settings
from meta.competition.machine import LOCK
from meta.competition.nouns import Experiment, Journal
from tests.competition.fields import field

ROWS = (
    Experiment("001-plain", "tabular-cv", "plain", ok=True, score=0.9, kept=True, cpu_seconds=10, why="<the baseline>"),
    Experiment("002-te", "tabular-cv", "te", ok=True, score=0.95, spread=0.01, kept=True, cpu_seconds=20),
    Experiment("003-broken", "tabular-cv", "broken", why="it failed", cpu_seconds=1),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return field(tmp_path / "curve")


def listing(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if ".git" not in path.parts)


def test_a_dry_run_tells_the_budget_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = listing(folder)
    assert main(["compete", str(folder), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["render"] == ["experiment-log"]
    assert told["budget"]["cpu_seconds"] == 60
    assert listing(folder) == before


def test_two_do_not_work_in_one_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with files.locked(folder / LOCK):
        assert main(["compete", str(folder)]) == 1
    assert "is at work here" in capsys.readouterr().err
    assert not (folder / journal.FILE).exists()


@pytest.mark.parametrize("words", [["--cpu", "0"], ["--cpu", "inf"], ["--page"]])
def test_what_cannot_be_done_is_one_line(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compete", str(folder), *words]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_page_holds_every_experiment_and_loads_nothing(folder: Path) -> None:
    details = {"fold_scores": [0.94, 0.95, 0.96], "importance": {"income": 0.7, "age": 0.3}}
    place = folder / "runs" / "002-te"
    place.mkdir(parents=True)
    (place / "metrics.json").write_text(json.dumps({"score": 0.95, "details": details}))
    made = page.text(settings.load(folder), Journal(ROWS))
    assert all(row.id in made for row in ROWS)
    assert "&lt;the baseline&gt;" in made
    assert "income" in made
    assert "Folds of 002-te" in made
    assert not re.search(r"<script|<link|src=|url\(['\"]?http|href=\"http", made)
    shutil.rmtree(folder / "runs")
    assert "Folds of" not in page.text(settings.load(folder), Journal(ROWS))


def test_a_packing_is_drawn_from_its_submission(folder: Path) -> None:
    told = (folder / settings.FILE).read_text().replace('kind = "tabular"', 'kind = "packing"')
    (folder / settings.FILE).write_text(told)
    (folder / "submission.csv").write_text(
        "id,x,y,deg\n001_0,s0,s0,s45\n002_0,s0,s0,s0\n002_1,s1,s0,s180\n002_x,s,s,s\n"
    )
    made = page.text(settings.load(folder), Journal(ROWS))
    assert "n = 2: side 1.7000" in made
    assert "Sum over 2 groups" in made
