"""A fault at any place where a command reads or writes costs that run and nothing else."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import session, write
from tests.durability import faults
from tests.durability.faults import Done, Scene, State, Warm

pytestmark = pytest.mark.skipif(not faults.strace_works(), reason="strace is not there or may not trace")

HOUSE = "# House rules\n\nBe kind.\r\nNo line break at the end"
TOOL = "test-lint-commit"
WITHOUT = "git", "sh", "bash", "env"  # programs that are needed; without bubblewrap a tool is soon made


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A repository with files of its user, and eight sessions."""
    base = tmp_path_factory.mktemp("faults")
    folder = base / "scene"
    workspace = folder / "shop"
    workspace.mkdir(parents=True)
    programs = base / "bin"
    programs.mkdir()
    for name in WITHOUT:
        (programs / name).symlink_to(str(shutil.which(name)))
    (programs / "ruff").symlink_to(Path(sys.executable).with_name("ruff"))
    (programs / "python3").symlink_to(sys.executable)
    environment = {
        "PATH": str(programs), "HOME": str(folder / "home"), "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "NUMBA_CACHE_DIR": str(base / "numba"),
        **{f"XDG_{kind}_HOME": str(folder / "home" / kind.lower()) for kind in ("CACHE", "STATE", "CONFIG", "DATA")},
        **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.org"), ("DATE", "@1790000000 +0000"))},
    }  # fmt: skip
    write(folder / "sessions", *(session(number) for number in range(8)))
    write(folder / "few", session(8), session(9))
    (workspace / "AGENTS.md").write_bytes(HOUSE.encode())
    (workspace / "CLAUDE.md").write_text("Read the house rules.")
    (workspace / "a.py").write_text("a = 1\n")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run(["git", *arguments], cwd=workspace, env=environment, check=True)
    warm = Warm()
    yield Scene(folder, workspace, base / "template", (), environment, warm)
    warm.close()


@pytest.fixture(scope="module")
def scene(beginning: Scene) -> Callable[..., Scene]:
    """Makes the scene in which the last of these commands will be run, the others having been."""
    start = beginning.template.with_name("start")
    shutil.copytree(beginning.folder, start, symlinks=True)

    def prepared(*commands: str) -> Scene:
        replace(beginning, template=start).reset()
        *before, last = commands
        for command in before:
            done = replace(beginning, arguments=tuple(command.split())).run()
            assert done.code == 0, done.err
        template = beginning.template.with_name("template-" + "-".join(commands).replace(" ", "_").replace("/", "_"))
        shutil.rmtree(template, ignore_errors=True)
        shutil.copytree(beginning.folder, template, symlinks=True)
        return replace(beginning, template=template, arguments=tuple(last.split()))

    return prepared


FEW = "extract ../few --most 0"
READ = "extract ../sessions --most 0"
PROPOSE = "extract ../sessions --most 1"
LIVES = {
    "init": ["init"],
    "ingest and archive": ["init", FEW],
    "propose": ["init", READ, PROPOSE],
    "accept": ["init", READ, PROPOSE, f"accept {TOOL}"],
    "reject": ["init", READ, PROPOSE, f"reject {TOOL}"],
    "retire": ["init", READ, PROPOSE, f"accept {TOOL}", f"retire {TOOL}"],
    "undo accept": ["init", READ, PROPOSE, f"accept {TOOL}", "undo"],
    "undo retire": ["init", READ, PROPOSE, f"accept {TOOL}", f"retire {TOOL}", "undo"],
    "undo propose": ["init", READ, PROPOSE, "undo"],
    "undo archive": ["init", FEW, "undo"],
    "undo init": ["init", "undo"],
    "rebuild": ["init", FEW, "rebuild"],
}


def problems(scene: Scene, done: Done, fault: str, before: State, after: State) -> Iterator[str]:
    """What is wrong after a fault, and after the next run: nothing may be lost, and that run brings all about."""
    if "Traceback" in done.err + done.out:
        yield f"a traceback: {done.err}"
    if fault == "killed" and done.code != -9:
        yield f"it was not killed: {done.code}"
    if fault != "killed" and done.code and (done.code, done.err[:6], done.err.count("\n")) != (1, "meta: ", 1):
        yield f"no error in one line: {done.code} {done.err}"
    for path, content in faults.visible(scene.workspace).items():
        known = (before.visible.get(path), after.visible.get(path), False)
        if content not in known and not path.endswith(".meta-tmp"):
            yield f"{path} is neither as before nor as after: {content!r}"
    yield from (
        f"{path} is lost"
        for path in (before.visible.keys() & after.visible.keys()) - faults.visible(scene.workspace).keys()
    )
    yield from (f"{path} is no JSON" for path in faults.invalid(scene.workspace))
    told = faults.rows(scene.workspace / ".meta" / "store.sqlite")
    for path, rows in told.items():
        if rows not in (before.store.get(path), after.store.get(path)):
            yield f"the index tells {rows} of {path}"
    if after.store and not before.store.keys() <= told.keys():
        yield "the index has lost what it told"
    if done.code and faults.state(scene.workspace) != after:  # else it had been finished, but for the telling
        again = scene.run()
        if again.code and faults.state(scene.workspace) != after:
            yield f"the next run refused: {again.err}"
    for name, difference in faults.differences(faults.state(scene.workspace), after):
        yield f"the end is another: {name}: {difference}"
    yield from (f"{path} is left over" for path in faults.leftovers(scene.folder))


def swept(scene: Scene, share: float = 1.0) -> tuple[Counter[str], list[str]]:
    """How many faults were tried at how many points and how many stopped the command, and all that was wrong."""
    scene.reset()
    before = faults.state(scene.workspace)
    done = scene.run()
    assert done.code == 0, done.err
    after = faults.state(scene.workspace)
    points = scene.points()
    tried = list(faults.faults(points))
    if share < 1.0:
        tried = random.Random(7).sample(tried, max(1, round(len(tried) * share)))
    counts = Counter(points=len(points), faults=len(tried))
    wrong = []
    for point, fault in tried:
        done = scene.strike(point, fault)
        counts.update([fault] + ["stopped"] * bool(done.code))
        wrong += [f"{fault} at {point.line}: {what}" for what in problems(scene, done, fault, before, after)]
    return counts, wrong


@pytest.mark.slow
@pytest.mark.parametrize("life", LIVES)
def test_no_fault_at_any_place_loses_anything(scene: Callable[..., Scene], life: str) -> None:
    counts, wrong = swept(scene(*LIVES[life]))
    print(life, dict(counts))
    assert not wrong, "\n".join(wrong)
