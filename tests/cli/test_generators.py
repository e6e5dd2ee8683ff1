"""A family of the workspace's own code: listed, judged, built, proposed by extract, accepted, used."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Desk, git
from tests.cli.test_life import VERIFIED, names
from tests.families import histories, providers
from tests.families.histories import DAY, Made, T

TODAY = (time.time() - T) / DAY  # in days since the first commit of a made history
NAMES = (*providers.NAMES, "green_tea", "hazel", "iris_blue")


def history(repository: Path, texts: Sequence[dict[str, str]], *, days_ago: float) -> Path:
    """A repository in which each of these members was added by a commit, one every second day, the last so long ago."""
    hub = {"app/settings.py": providers.hub(()), "README.md": "x\n"}
    commits = [Made(hub, 0.0)]
    for number, files in enumerate(texts):
        known = tuple(NAMES[: number + 1])
        day = TODAY - days_ago - 2 * (len(texts) - 1 - number)
        commits += [
            Made({"README.md": f"{number}\n"}, day - 0.05),
            Made({**files, "app/settings.py": providers.hub(known)}, day),
        ]
    return histories.repository(repository, commits, checkout=True)


def alike(name: str) -> dict[str, str]:
    return {
        f"app/providers/{name}/provider.py": providers.code(name),
        f"tests/test_{name}.py": providers.test_code(name),
    }


def different(name: str) -> dict[str, str]:
    words = [f"{name}_{number} = {number * len(name)}" for number in range(len(name) * 3)]
    return {f"app/providers/{name}/provider.py": "\n".join(sorted(words, key=hash))}


@pytest.fixture
def work(tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace in which a provider was added every second day until today, an hour of work each."""
    place = history(tmp_path / "providers", [alike(name) for name in NAMES], days_ago=0.1)
    git(place, "config", "user.name", "ann")
    git(place, "config", "user.email", "ann@example.org")
    monkeypatch.chdir(place)
    (place / "meta.toml").write_text("weeks = 8\n")  # a family so small saves minutes
    desk("init")
    return place


@VERIFIED
def test_a_family_that_grows_is_proposed_accepted_and_makes_its_next_member(desk: Desk, work: Path) -> None:
    (family,) = desk.json("families")["families"]
    assert family["paths"] == list(providers.PATHS)
    assert len(family["members"]) == len(NAMES)
    assert (family["strategy"], family["decision"], len(family["replay"])) == ("template", "build", 5)
    assert family["coverage"]["leave_one_out"] > 0.9
    (built,) = desk.json("extract", "--dry-run")["tools"]
    assert (built["state"], built["verdict"]["state"]) == ("dry-run", "passed")
    (built,) = desk.json("extract")["tools"]
    assert (built["state"], built["workflow"]) == ("proposed", family["id"])
    assert desk.json("extract")["tools"] == [], "what was proposed is known"
    name = built["name"]
    assert "What it makes" in desk("review", name)
    desk("accept", name)
    assert names(desk, "registered") == [name]
    made = [sys.executable, f"generated_tools/{name}/tool.py", "juniper"]
    subprocess.run(made, cwd=work, check=True, capture_output=True)
    for path, text in alike("juniper").items():
        assert (work / path).read_text() == text
    assert (work / "app/settings.py").read_text() == providers.hub((*NAMES, "juniper"))
    desk("undo")
    assert names(desk, "proposed") == [name]


@VERIFIED
def test_a_generator_that_was_rejected_is_not_proposed_again(desk: Desk, work: Path) -> None:
    (built,) = desk.json("extract")["tools"]
    desk("reject", built["name"], "--reason", "no")
    assert desk.json("extract")["tools"] == []


def test_a_family_that_has_stopped_growing_is_kept_ad_hoc_and_built_only_by_name(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = history(tmp_path / "old", [alike(name) for name in NAMES], days_ago=300)
    monkeypatch.chdir(place)
    desk("init")
    (family,) = desk.json("families")["families"]
    assert family["decision"] == "keep-ad-hoc"
    assert desk.json("extract")["tools"] == []
    assert desk.json("generator", family["name"], "--dry-run")["state"] in ("dry-run", "refused")
    assert "Did you mean" in desk.complaint("generator", family["name"][:-1])


def test_files_in_one_folder_that_share_nothing_get_no_tool(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = history(tmp_path / "mixed", [different(name) for name in NAMES], days_ago=0.1)
    monkeypatch.chdir(place)
    desk("init")
    assert not [one for one in desk.json("families")["families"] if one["decision"] == "build"]
    assert desk.json("extract")["tools"] == []


def test_a_comment_that_still_names_the_member_it_was_copied_from_is_shown(desk: Desk, work: Path) -> None:
    assert desk.json("families", "--residue") == {"residue": []}
    path = work / "app/providers/hazel/provider.py"
    path.write_text(path.read_text().replace("Sign in by Hazel", "Sign in by Fjord"))
    git(work, "commit", "-qam", "as copied")
    (found,) = desk.json("families", "--residue")["residue"]
    assert (found["path"], found["line"]) == ("app/providers/hazel/provider.py", 1)
    assert ("Fjord" in found["says"], "Hazel" in found["expected"]) == (True, True)
    assert "provider.py:1" in desk("families", "--residue")


def test_outside_of_a_repository_there_is_one_clear_line(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").mkdir()
    assert "git init" in desk.complaint("families", tmp_path / "none")
    assert "no folder" in desk.complaint("families", tmp_path / "nowhere")
