"""What a step may do is known from its command line."""

from __future__ import annotations

import pytest

from meta.generation.effects import effects
from meta.model import WorkflowStep
from tests.generation.workflows import fixed, step


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("git status --short", ("read",)),
        ("git log > log.txt", ("write-project",)),
        ("git commit -m x", ("write-project",)),
        ("git push origin main", ("network",)),
        ("git -C sub push", ("network",)),
        ("git push --force origin main", ("destroy", "network")),
        ("git push origin :old", ("destroy", "network")),
        ("git reset --hard HEAD", ("destroy",)),
        ("git reset HEAD", ("write-project",)),
        ("git branch -D old", ("destroy",)),
        ("rm -rf build", ("destroy",)),
        ("sudo rm -rf build", ("destroy",)),
        ("make && rm -rf build", ("destroy",)),
        ("A=1 rm x", ("destroy",)),
        ("docker run --rm image", ("write-project",)),
        ("docker push image", ("network",)),
        ("docker system prune", ("destroy",)),
        ("npm run farm", ("write-project",)),
        ("curl https://x.org", ("network",)),
        ("ssh host ls", ("network",)),
        ("kaggle competitions submit -f x", ("network", "spend")),
        ("kaggle competitions list", ("network",)),
        ("terraform destroy", ("destroy", "network")),
        ("pip install x", ("network",)),
        ("pytest -q", ("write-project",)),
        ("cat a.txt", ("read",)),
    ],
)
def test_effects_follow_from_the_line(line: str, expected: tuple[str, ...]) -> None:
    assert effects(step("x", fixed(line, "shell"))) == expected


def test_thinking_has_no_effect() -> None:
    assert effects(WorkflowStep("think", "judgement", "rm -rf", 1.0)) == ()
