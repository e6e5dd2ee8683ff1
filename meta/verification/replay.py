"""Run a tool for good on the commit it was recorded on, beside the recorded commands, both in the sandbox.

The tool passes when both end well and leave the same files. Where the commands themselves do not end well here, for
want of a program or a dependency, nothing is said about the tool.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from meta import process, rendering
from meta.model import Check, Occurrence, Tool, Workflow
from meta.verification import effects, sandbox, static
from meta.verification.effects import Trace
from meta.verification.sandbox import Limits, Ran

HARMLESS = frozenset({"read", "write-project", "unknown"})  # effects that stay inside a throw-away copy
_LIMITS = Limits(wall=10, cpu=20, memory=8 * 2**30, processes=256)
_REPOSITORY = "git init -q && git config user.name replay && git config user.email replay@localhost && git add -A && git commit -qm start"

RUNS = 5  # of a tool that is quick, so that its time is measured and not one chance
QUICK = 0.4  # seconds
_SHA = re.compile(r"[0-9a-f]{7,40}")

Files = dict[str, str]


class _NotReplayedError(Exception):
    """The text says why."""


@dataclass(frozen=True, slots=True)
class _State:
    """Where a run began: at a commit, with the changes of `made` on top that the run itself committed, if it did."""

    repository: Path
    commit: str
    made: str = ""


def check(tool: Tool, folder: Path, workflow: Workflow, workspace: Path | None) -> tuple[Check, Trace]:
    """The check "replay" of the tool that lies in `folder`, and what the tool did in it.

    Where it was not done, passed is None, with the reason.
    """
    try:
        return _replay(tool, folder, workflow, *_at_hand(tool, workflow, workspace))
    except _NotReplayedError as reason:
        return Check("replay", None, f"not replayed: {reason}"), Trace(missing="it was not replayed")


def _at_hand(tool: Tool, workflow: Workflow, workspace: Path | None) -> tuple[Occurrence, _State]:
    """The recorded run to replay and the state in which it began."""
    if sandbox.level() == "limits":
        raise _NotReplayedError("mere limits are not enough for the recorded commands")
    if workspace is None or not process.run(["git", "-C", str(workspace), "rev-parse", "HEAD"]).ok:
        raise _NotReplayedError("no commit of the project is at hand")
    if beyond := sorted(set(tool.effects) - HARMLESS):
        raise _NotReplayedError(f"it may {', '.join(beyond)}")
    if any(step.kind != "command" for step in workflow.steps):
        raise _NotReplayedError("the agent has a part in it")
    if missing := sorted(p for p in static.programs(workflow) if not shutil.which(p, path=sandbox.PATH)):
        raise _NotReplayedError(f"{', '.join(missing)} is not at hand in the sandbox")
    for occurrence in sorted(workflow.occurrences, key=lambda o: -(o.started or 0)):
        if occurrence.started is None or occurrence.bindings.get("failed"):
            continue
        if state := _began(occurrence, occurrence.started, workspace):
            return occurrence, state
    raise _NotReplayedError("no commit is as old as a recorded run that ended well")


def _began(run: Occurrence, started: float, repository: Path) -> _State | None:
    """The state before the commit that the run made or, where none is known, the last commit before it started."""
    git = ["git", "-C", str(repository)]
    if _SHA.fullmatch(run.commit):
        before = process.run([*git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{run.commit}^1"])
        if before.ok:
            return _State(repository, before.stdout.strip(), run.commit)
    commit = process.run([*git, "rev-list", "-1", f"--before=@{int(started)}", "HEAD"]).stdout.strip()
    return _State(repository, commit) if commit else None


def _replay(tool: Tool, folder: Path, workflow: Workflow, run: Occurrence, state: _State) -> tuple[Check, Trace]:
    place = f"generated_tools/{tool.name}"
    recorded = ["bash", "-c", "\n".join(f"{line} || exit" for line in _lines(run, workflow))]
    generated = ["python3", f"{place}/tool.py", *rendering.arguments(run.bindings)]
    by_hand, expected = _run(recorded, state, folder, place)
    if by_hand.code != 0:
        raise _NotReplayedError("the recorded commands do not end well in the sandbox themselves")
    ran, found = _run(generated, state, folder, place, traced=True)
    trace = effects.read(ran, own=place)
    name = f"commit {state.commit[:9]}"
    if ran.code != 0:
        return Check("replay", False, f"{name}: the commands end well, the tool with exit code {ran.code}"), trace
    differing = _differing(expected, found)
    if differing:  # some files differ from run to run whoever makes them: caches, logs with times
        differing -= _differing(expected, _run(recorded, state, folder, place)[1])
    if differing:
        detail = f"differs from the recorded commands in {', '.join(sorted(differing)[:3])}"
        return Check("replay", False, f"{name}: {detail}"), trace
    again = RUNS if ran.seconds <= QUICK else 1  # the traced run was slower than others
    seconds = tuple(_run(generated, state, folder, place)[0].seconds for _ in range(again))
    spread = f"{min(seconds):.1f} to {max(seconds):.1f} s in {again} runs" if again > 1 else f"{seconds[0]:.1f} s"
    detail = f"{name}: {spread}, by hand {by_hand.seconds:.1f} s without the waiting"
    return Check("replay", True, detail, seconds), trace


def _lines(run: Occurrence, workflow: Workflow) -> Iterable[str]:
    directories = {step.directory for step in workflow.steps}
    if len(directories) > 1:
        raise _NotReplayedError("its steps run in several folders")
    where = next(iter(directories), "")
    return [f"cd {shlex.quote(where)}", *run.commands] if where else run.commands


def _run(argv: list[str], state: _State, tool: Path, place: str, *, traced: bool = False) -> tuple[Ran, Files]:
    """What a command did in a fresh copy of a state, and the files it left."""
    with sandbox.scratch() as folder:
        _copy(state.repository, state.commit, folder)
        shutil.copytree(tool, folder / place, dirs_exist_ok=True)
        sandbox.give(folder)
        if sandbox.run(["bash", "-c", _REPOSITORY], folder, limits=_LIMITS).code != 0:
            raise _NotReplayedError("the copy of the commit could not be made a repository")
        if state.made:
            for path in _deleted(state):  # before new links can lead out of the copy
                (folder / path).unlink(missing_ok=True)
            _copy(state.repository, state.made, folder)
            sandbox.give(folder)
        ran = sandbox.run(argv, folder, limits=_LIMITS, traced=traced)
        return ran, _files(folder, {".git", place})


def _copy(repository: Path, commit: str, folder: Path) -> None:
    archive = folder.with_name("commit.tar")
    packed = process.run(
        ["git", "-C", str(repository), "archive", "--format=tar", "-o", str(archive), commit], timeout=10
    )
    if not packed.ok or not process.run(["tar", "-xf", str(archive), "-C", str(folder)], timeout=10).ok:
        raise _NotReplayedError("the commit could not be copied in time")


def _deleted(state: _State) -> list[str]:
    """The files that the run's own commit took away."""
    told = ["diff", "--name-only", "--no-renames", "--diff-filter=D", "-z", state.commit, state.made, "--"]
    return process.run(["git", "-C", str(state.repository), *told]).stdout.split("\0")[:-1]


def _files(folder: Path, left_out: set[str]) -> Files:
    found: Files = {}
    for root, directories, names in os.walk(folder):
        here = Path(root)
        directories[:] = [d for d in directories if (here / d).relative_to(folder).as_posix() not in left_out]
        for name in names:
            path = here / name
            if path.is_file() and not path.is_symlink():  # a link may lead out of the copy
                found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _differing(one: Files, other: Files) -> set[str]:
    return {path for path in one.keys() | other.keys() if one.get(path) != other.get(path)}
