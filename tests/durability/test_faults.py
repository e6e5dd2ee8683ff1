"""A fault at any place where a command reads or writes costs that run and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, reduce
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import session, write
from tests.durability import faults
from tests.durability.faults import Done, Point, Scene, State, Warm
from tests.services.messages import Reply, message, ok, serving

pytestmark = pytest.mark.skipif(not faults.strace_works(), reason="strace is not there or may not trace")

HOUSE = "# House rules\n\nBe kind.\r\nNo line break at the end"
TOOL = "test-lint-commit"
WITHOUT = "git", "sh", "bash", "env"  # programs that are needed; without bubblewrap a tool is soon made


def _proposal(asked: dict[str, Any]) -> Reply:
    """A lesson made of the first thing that a person said, where one did."""
    said = re.search(r'"id": "(e\d+)", "source": "person", "text": "([^"]+)"', asked["messages"][0]["content"])
    lesson = {
        "name": "test-lint-commit", "claim": f"{said[2]}.", "when": "the next thing", "why": "Test it and lint it.",
        "quotes": [{"id": said[1], "text": said[2]}], "paths": [], "commits": [],
    } if said else {}  # fmt: skip
    return ok(message({"words": [], "same": [], "new": [lesson] if said else []}))


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Where a model answers."""
    with pytest.MonkeyPatch.context() as patch, serving(patch, answering=_proposal) as service:
        yield f"http://127.0.0.1:{service.server_port}"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory, warm: Warm, service: str) -> Scene:
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
        "ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": service, "NO_PROXY": "127.0.0.1",
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
    return Scene(folder, workspace, base / "template", (), environment, warm)


@pytest.fixture(scope="module")
def scene(beginning: Scene) -> Callable[..., Scene]:
    """Makes the scene in which the last of these commands will be run, the others having been."""
    start = beginning.template.with_name("start")
    shutil.copytree(beginning.folder, start, symlinks=True)

    @cache
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
    "suspend": ["init", READ, PROPOSE, f"accept {TOOL}", f"suspend {TOOL}"],
    "resume": ["init", READ, PROPOSE, f"accept {TOOL}", f"suspend {TOOL}", f"resume {TOOL}"],
    "undo accept": ["init", READ, PROPOSE, f"accept {TOOL}", "undo"],
    "undo retire": ["init", READ, PROPOSE, f"accept {TOOL}", f"retire {TOOL}", "undo"],
    "undo propose": ["init", READ, PROPOSE, "undo"],
    "undo archive": ["init", FEW, "undo"],
    "undo init": ["init", "undo"],
    "lessons of a model": [
        "init",
        READ,
        "lessons --model --dry-run",
        "lessons --model",
    ],  # the dry run's answers are kept
    "rebuild": ["init", FEW, "rebuild"],
}


def problems(
    scene: Scene, done: Done, fault: str, before: State, after: State, *, source: bool = False
) -> Iterator[str]:
    """What is wrong after a fault, and after the next run: nothing may be lost, and that run brings all about.

    A `source` that could not be read is counted and read at the next run, whatever became of the others.
    """
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
    index = faults.rows(scene.workspace / ".meta" / "store.sqlite")
    for path, rows in index.items():
        if rows not in (before.store.get(path), after.store.get(path)):
            yield f"the index tells {rows} of {path}"
    if after.store and index != after.store and not before.store.keys() <= index.keys():
        yield "the index has lost what it told"
    if not done.code and "kept, their agents have no copy" in done.out:
        return  # what cannot be read is no copy, so the other one stays
    if source and not done.code:
        if scene.run().code:
            yield "the next run refused"
        now = faults.state(scene.workspace)
        if (now.visible, now.store) != (after.visible, after.store):
            yield "what could not be read is lost"
        return
    if done.code and faults.state(scene.workspace) != after:  # else it had been finished, but for the telling
        again = scene.run()
        if again.code and faults.state(scene.workspace) != after:
            yield f"the next run refused: {again.err}"
    for name, difference in faults.differences(faults.state(scene.workspace), after):
        yield f"the end is another: {name}: {difference}"
    yield from (f"{path} is left over" for path in faults.leftovers(scene.folder))


def undisturbed(scene: Scene) -> tuple[State, State]:
    """The workspace before and after the command does its work."""
    scene.reset()
    before = faults.state(scene.workspace)
    done = scene.run()
    assert done.code == 0, done.err
    return before, faults.state(scene.workspace)


def swept(scene: Scene, share: float = 1.0) -> tuple[Counter[str], list[str]]:
    """How many faults were tried at how many points and how many stopped the command, and all that was wrong."""
    before, after = undisturbed(scene)
    points = scene.points()
    tried = faults.some(points, share)
    counts = Counter(points=len(points), faults=len(tried))
    wrong = []
    for point, fault in tried:
        done = scene.strike(point, fault)
        counts.update([fault] + ["stopped"] * bool(done.code))
        wrong += [
            f"{fault} at {point.line}: {what}"
            for what in problems(scene, done, fault, before, after, source=told(point))
        ]
    return counts, wrong


def told(point: Point) -> bool:
    """Whether the point reads what tells of sessions."""
    return point.call in faults.READS and any(name in point.line for name in ("/few", "/sessions"))


@pytest.mark.slow
@pytest.mark.parametrize("life", LIVES)
def test_no_fault_at_any_place_loses_anything(scene: Callable[..., Scene], life: str) -> None:
    counts, wrong = swept(scene(*LIVES[life]))
    print(life, dict(counts))
    assert not wrong, "\n".join(wrong)


def test_a_fault_at_some_places_of_an_acceptance_loses_nothing(scene: Callable[..., Scene]) -> None:
    counts, wrong = swept(scene(*LIVES["accept"]), share=0.005)
    assert counts["stopped"] > 2
    assert counts.keys() >= faults.FAULTS.keys()
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_a_fault_at_some_places_of_a_models_lessons_loses_nothing(scene: Callable[..., Scene]) -> None:
    counts, wrong = swept(scene(*LIVES["lessons of a model"]), share=0.005)
    assert counts["stopped"] > 2
    assert not wrong, "\n".join(wrong)


def test_what_a_killed_command_left_half_done_is_taken_back_by_undo_or_by_any_next_command(
    scene: Callable[..., Scene],
) -> None:
    accept = scene(*LIVES["accept"])
    accept.reset()
    before = faults.state(accept.workspace)
    renames = [point for point in accept.points() if point.call == "rename"]
    for command, told in (("undo", "taken back: accept"), (READ, "was stopped in the middle, so it was taken back")):
        assert accept.strike(renames[len(renames) // 2], "killed").code == -9
        assert faults.state(accept.workspace) != before
        done = replace(accept, arguments=tuple(command.split())).run()
        assert done.code == 0, done.err
        assert told in done.out + done.err
        assert list(faults.differences(faults.state(accept.workspace), before)) == []
        assert faults.leftovers(accept.folder) == []


GIT = """#!/bin/sh
read -r calls < "$GIT_CALLS"
calls=$((calls + 1))
echo $calls > "$GIT_CALLS"
case "$GIT_FAULT" in told) exec {strace} -y -s 1 -o "$GIT_CALLS.$calls" -e trace=write {git} "$@" ;; esac
[ $calls = "$GIT_AT" ] || exec {git} "$@"
case "$GIT_FAULT" in
  killed) kill -9 $$ ;;
  finished) {git} "$@"; kill -9 $$ ;;
  full) exec {strace} -f -o /dev/null -e trace={calls} -e inject={calls}:error=ENOSPC {git} "$@" ;;
  write:*) exec {strace} -o /dev/null -e trace=write -e inject="$GIT_FAULT" {git} "$@" ;;
esac
"""


def with_faulty_git(scene: Scene) -> Scene:
    """The scene with a git whose n-th call is killed, killed when it has done its work, or out of room."""
    programs = scene.folder.with_name("faulty")
    programs.mkdir(exist_ok=True)
    program = programs / "git"
    names = {"{git}": str(shutil.which("git")), "{strace}": faults.STRACE, "{calls}": "fsync,rename,link,mkdir"}
    program.write_text(reduce(lambda text, name: text.replace(name, names[name]), names, GIT))
    program.chmod(0o755)
    calls = programs / "calls"
    environment = {
        "PATH": f"{programs}:{scene.environment['PATH']}",
        "GIT_CALLS": str(calls),
        "GIT_AT": "0",
        "GIT_FAULT": "",
    }
    return replace(scene, environment=scene.environment | environment)


def with_fault(faulty: Scene, at: int, fault: str) -> Done:
    """The command from its beginning, with a fault at one of its calls of git (0 is none)."""
    Path(faulty.environment["GIT_CALLS"]).write_text("0\n")
    faulty.reset()
    return replace(faulty, environment=faulty.environment | {"GIT_AT": str(at), "GIT_FAULT": fault}).run()


def called(faulty: Scene) -> int:
    """How often the last command called git."""
    return int(Path(faulty.environment["GIT_CALLS"]).read_text())


@pytest.mark.slow
@pytest.mark.parametrize("life", ["propose", "accept", "reject", "retire", "undo accept", "undo propose"])
def test_a_git_that_fails_at_any_call_loses_nothing(scene: Callable[..., Scene], life: str) -> None:
    good = scene(*LIVES[life])
    before, after = undisturbed(good)
    faulty = with_faulty_git(good)
    assert with_fault(faulty, 0, "").code == 0
    number = called(faulty)
    wrong = []
    for at in range(1, number + 1):
        for fault in ("killed", "finished", "full"):
            done = with_fault(faulty, at, fault)
            wrong += [f"git {fault} at {at}: {what}" for what in problems(good, done, "broken", before, after)]
    print(life, f"{number} calls of git, {3 * number} faults, {len(wrong)} problems")
    assert not wrong, "\n".join(wrong)


def writes(faulty: Scene) -> list[tuple[int, int]]:
    """Which writes of which calls of git go into a file of the repository, not to a pipe."""
    assert with_fault(faulty, 0, "told").code == 0
    found = []
    for at in range(1, called(faulty) + 1):
        log = Path(f"{faulty.environment['GIT_CALLS']}.{at}")
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("write(")]
        found += [(at, number) for number, line in enumerate(lines, 1) if "/.git/" in line.partition(",")[0]]
        log.unlink()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("life", ["propose", "undo accept"])  # git writes no file when a tool is accepted
def test_a_git_whose_disk_refuses_any_one_write_loses_nothing(scene: Callable[..., Scene], life: str) -> None:
    good = scene(*LIVES[life])
    before, after = undisturbed(good)
    faulty = with_faulty_git(good)
    tried = [(at, number, error) for at, number in writes(faulty) for error in ("ENOSPC", "EIO")]
    assert tried
    stopped, wrong = 0, []
    for at, number, error in tried:
        done = with_fault(faulty, at, f"write:error={error}:when={number}")
        stopped += bool(done.code)
        wrong += [f"{error} at write {number} of git {at}: {what}"
                  for what in problems(good, done, "broken", before, after)]  # fmt: skip
    print(life, f"{len(tried)} faults of writes, {stopped} stopped the command, {len(wrong)} problems")
    assert stopped
    assert not wrong, "\n".join(wrong)
