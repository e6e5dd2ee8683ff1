"""How many hand-labelled workflows are among the proposals: `python -m benchmarks.labels CORPUS`.

CORPUS is a folder with a folder of sessions for each project and LABELS.json. A label worth a tool is found when its
steps stand, in order, in one of the project's top 20; one that is worthless is wrongly proposed when it is one of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from meta import contract, flow
from meta.config import Config

TOP = 20


def contains(whole: Sequence[str], part: Sequence[str]) -> bool:
    rest = iter(whole)
    return all(step in rest for step in part)


def heads(proposal: contract.Json) -> list[str]:
    return [step["head"] for step in proposal["steps"] if step["kind"] != "judgement"]


def main(corpus: Path) -> int:
    labels = json.loads((corpus / "LABELS.json").read_text())["labels"]
    top: dict[str, list[contract.Json]] = {}
    for project in sorted({label["project"] for label in labels}):
        survey = contract.survey(flow.survey(Config(), [corpus / project]))
        top[project] = survey["workflows"][:TOP]
    worth = [label for label in labels if label["label"] == "worth"]
    found = [lb for lb in worth if any(contains(heads(p), lb["steps"]) for p in top[lb["project"]])]
    wrong = [
        lb for lb in labels if lb["label"] == "worthless" and any(heads(p) == lb["steps"] for p in top[lb["project"]])
    ]
    for label in worth:
        print("found " if label in found else "MISSED", label["project"], " -> ".join(label["steps"]))
    for label in wrong:
        print("WRONG ", label["project"], " -> ".join(label["steps"]))
    print(f"{len(found)} of {len(worth)} worth a tool found, {len(wrong)} worthless proposed")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
