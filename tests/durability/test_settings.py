"""A fault at any call of an edit of a user's settings leaves them as they were or as they should be, never between."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.durability import faults
from tests.durability.faults import Scene, Warm

pytestmark = pytest.mark.skipif(not faults.strace_works(), reason="strace is not there or may not trace")

CLAUDE = b"""\
{
    // mine
    "model": "opus",\r
    "big": 12345678901234567890.10e+2,
    "hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "echo hi"}]}]},
}"""
CODEX = b'# mine\r\nmodel = "o3" # why\r\n\r\n[mcp_servers.theirs]\r\ncommand = "x"'


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, warm: Warm) -> Scene:
    base = tmp_path_factory.mktemp("settings")
    folder = base / "scene"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "settings.json").write_bytes(CLAUDE)
    (folder / "home" / "config.toml").write_bytes(CODEX)
    (folder / "home" / "settings.json").chmod(0o640)
    shutil.copytree(folder, base / "template", symlinks=True)
    arguments = ("edit", "put", "journal", "home/settings.json", "home/config.toml", "home/new/settings.json")
    return Scene(folder, folder, base / "template", arguments, {"PATH": os.environ["PATH"]}, warm)


def wrong(
    scene: Scene, before: dict[str, object], after: dict[str, object], steps: list[dict[str, object]]
) -> list[str]:
    """What is not as it must be, now, after the next run, and after all was taken back."""
    found = []
    for path, content in settings(scene.folder).items():
        if content not in [step.get(path) for step in steps]:
            found.append(f"{path} is between: {content!r}")
    if scene.run().code or settings(scene.folder) != after:
        found.append(f"the next run got elsewhere: {settings(scene.folder)}")
    undone = replace(scene, arguments=("edit", "undo", "journal")).run()
    if undone.code or undone.out.strip() or settings(scene.folder) != before:
        found.append(f"undo left something: {undone} {settings(scene.folder)}")
    return found


def settings(folder: Path) -> dict[str, object]:
    return {
        path: content
        for path, content in faults.visible(folder).items()
        if content and not path.endswith(".meta-tmp") and path != "journal"
    }


def swept(scene: Scene, share: float) -> tuple[Counter[str], list[str]]:
    steps = []
    for number in range(len(scene.arguments) - 2):
        scene.reset()
        assert replace(scene, arguments=scene.arguments[: 3 + number]).run().code == 0
        steps.append(settings(scene.folder))
    before, after = steps[0], steps[-1]
    steps += one_value_a_step(scene)
    tried = faults.some(scene.points(), share)
    counts = Counter(faults=len(tried))
    found = []
    for point, fault in tried:
        done = scene.strike(point, fault)
        counts[fault] += 1
        if fault != "killed" and done.code and not (done.code == 1 and done.err.count("\n") == 1):
            found.append(f"{fault} at {point.line}: {done}")
        found += [f"{fault} at {point.line}: {what}" for what in wrong(scene, before, after, steps)]
    return counts, found


def one_value_a_step(scene: Scene) -> list[dict[str, object]]:
    """The settings after each of the values."""
    from meta.edits import edit_key
    from tests.durability.edit import JSON, TOML

    scene.reset()
    steps = []
    for name, values in (("settings.json", JSON), ("config.toml", TOML), ("new/settings.json", JSON)):
        for own in values:
            edit_key(scene.folder / "home" / name, own)
            steps.append(settings(scene.folder))
    return steps


def test_a_fault_at_some_calls_of_an_edit_leaves_the_settings_whole(scene: Scene) -> None:
    counts, found = swept(scene, share=0.015)
    assert counts.keys() >= faults.FAULTS.keys()
    assert not found, "\n".join(found)


@pytest.mark.slow
def test_a_fault_at_every_call_of_an_edit_leaves_the_settings_whole(scene: Scene) -> None:
    counts, found = swept(scene, share=1.0)
    print(dict(counts), len(found))
    assert not found, "\n".join(found)
