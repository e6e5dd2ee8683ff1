"""Small tables as competitions, for the tests of the tabular tool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def competition(folder: Path, *, rows: int = 120, metric: str = "auc", column: str = "") -> Path:
    """A folder with a competition. `column` may be "house" (groups that the test table does not share) or "day"."""
    random = np.random.default_rng(1)
    table = pd.DataFrame({"id": random.permutation(rows) + 1000, "size": random.normal(size=rows).round(1)})
    table["colour"] = random.choice(["red", "green", "blue"], rows)
    table["floor"] = random.integers(0, 12, rows)
    if column == "house":
        table["house"] = np.arange(rows) // 3
    if column == "day":
        table["day"] = (pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(rows) // 2, unit="D")).strftime(
            "%Y-%m-%d"
        )
    level = table["size"] + random.normal(size=rows)
    table["answer"] = (
        level if metric == "rmse" else pd.qcut(level, 3, labels=False) if metric == "logloss" else level > 0
    )
    if metric == "auc":
        table["answer"] = table.answer.astype(int)
    train, test = table.iloc[: rows * 3 // 4], table.iloc[rows * 3 // 4 :]
    folder.mkdir(parents=True, exist_ok=True)
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns="answer").to_csv(folder / "test.csv", index=False)
    sample = test[["id"]].sample(frac=1, random_state=2)
    for name in ["0", "1", "2"] if metric == "logloss" else ["answer"]:
        sample[name] = 0.5
    sample.to_csv(folder / "sample_submission.csv", index=False)
    (folder / "competition.toml").write_text(f'metric = "{metric}"\nseed = 1\n')
    return folder
