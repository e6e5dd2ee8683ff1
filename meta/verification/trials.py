"""Try a tool with many bindings at once in the sandbox, and say what it printed and what it would have run.

Whether that is right is judged in `roundtrip`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from meta.model import Fixed, Group, Part, Tool, Workflow
from meta.verification import effects, sandbox
from meta.verification.effects import Trace
from meta.verification.sandbox import Limits

Calls = tuple[tuple[str, ...], ...]

_DRIVER = Path(__file__).with_name("driver.py")
_PROGRAM = re.compile(r"(?!-)[A-Za-z0-9_.+-]+|(?![/-])[A-Za-z0-9_.+/-]+")
_ALLOW = re.compile(r"""["'](--allow-[a-z-]+)["']""")  # what the caller has to say before the tool does harm
_LIMITS = Limits(wall=60, cpu=60, memory=2**30, size=2**24)


@dataclass(frozen=True, slots=True)
class Trial:
    """One argument list. With `rehearse` the tool is also run for good, with recorders in place of its programs.

    `fails` is which of its program calls then fails, counted from 0; -1 is none.
    """

    arguments: tuple[str, ...]
    rehearse: bool = False
    fails: int = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial showed.

    `early` are programs that ran during the dry run, `shell` what a shell runs when it is given the dry run's lines,
    `run` what the tool itself runs.
    """

    code: int
    stdout: str
    stderr: str
    early: Calls = ()
    shell: Calls = ()
    run: Calls = ()
    run_code: int = 0


class BrokenToolError(Exception):
    """The tool could not be tried at all; the text is the last line it left."""


def write(tool: Tool, folder: Path) -> Path:
    """The tool's files put into a new folder of this name, readable for the sandbox."""
    for name, content in tool.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


Order = Literal["kept", "free", "begun"]


def order(workflow: Workflow) -> Order:
    """How the programs that ran compare: the parts of a pipeline start in no fixed order, a hybrid stops half-way."""
    if any(step.kind in ("judgement", "edit") for step in workflow.steps):
        return "begun"
    return "free" if any("|" in word for step in workflow.steps for word in words(step.parts)) else "kept"


def same(found: Calls, expected: Calls, order: Order) -> bool:
    """Whether the same programs were called with the same words, as far as their order is told."""
    if order == "begun":
        return bool(found) and not Counter(found) - Counter(expected)
    return sorted(found) == sorted(expected) if order == "free" else found == expected


def attempt(
    tool: Path, workflow: Workflow, trials: Sequence[Trial], *, harmless: bool = False
) -> tuple[list[Outcome], Trace]:
    """The outcome of each trial, all in one sandboxed process, and what was attempted beside the recorded programs.

    Raises `BrokenToolError` when the tool ends the process.
    """
    distinct = list(dict.fromkeys(trials))
    request = {
        "allowed": sorted(set(_ALLOW.findall((tool / "tool.py").read_text()))),
        "programs": sorted(_programs(workflow)),
        "directories": sorted({step.directory for step in workflow.steps if _inside(step.directory)}),
        "cases": [(trial.arguments, trial.rehearse, trial.fails) for trial in distinct],
    }
    with sandbox.scratch() as folder:
        # A copy, because a tool keeps its log beside itself.
        shutil.copytree(tool, folder / "tool")
        sandbox.give(folder)
        argv = [sandbox.python(), "-I", "-B", "-c", _DRIVER.read_text()]
        text = json.dumps(request)
        ran = sandbox.run(argv, folder, stdin=text, limits=_LIMITS, traced=True, harmless=harmless)
    if ran.code != 0:
        lines = ran.stderr.strip().splitlines()
        raise BrokenToolError("time was up" if ran.code is None else lines[-1] if lines else f"exit code {ran.code}")
    outcomes = dict(zip(distinct, map(_outcome, json.loads(ran.stdout)), strict=True))
    # All of the folder is ours here: the tool, its recorders, and where it runs.
    return [outcomes[trial] for trial in trials], effects.read(ran, own="")


def _outcome(row: Mapping[str, object]) -> Outcome:
    def calls(name: str) -> Calls:
        found = row.get(name, [])
        assert isinstance(found, list)
        return tuple(tuple(call) for call in found)

    code, run_code = row["code"], row.get("run_code", 0)
    assert isinstance(code, int)
    assert isinstance(run_code, int)
    return Outcome(code, str(row["stdout"]), str(row["stderr"]), calls("early"), calls("shell"), calls("run"), run_code)


def _inside(directory: str) -> bool:
    return bool(directory) and not directory.startswith(("/", "~")) and ".." not in directory.split("/")


def _programs(workflow: Workflow) -> set[str]:
    """Every fixed word that could name a program: more recorders than needed do no harm, one too few does."""
    found: set[str] = set()
    for step in workflow.steps:
        for word in words(step.parts):
            names = [word] if _PROGRAM.fullmatch(word) else re.findall(r"[\w.+/-]+", word)
            found |= {name for name in names if _PROGRAM.fullmatch(name) and ".." not in name.split("/")}
    # A word may be both a file (`tests/a.py`) and the folder of another one (`tests`); then it is no program.
    return {name for name in found if name not in (".", "") and not any(o.startswith(name + "/") for o in found)}


def words(parts: Iterable[Part]) -> Iterable[str]:
    """The words of a step that are always the same or absent."""
    for part in parts:
        if isinstance(part, Fixed):
            yield part.word.value
        elif isinstance(part, Group):
            yield from words(part.parts)


def difference(expected: str, outcome: Outcome) -> str:
    """How a dry run differs from the expected text, for a reader."""
    if outcome.code:
        return f"exit code {outcome.code}: {outcome.stderr.strip().splitlines()[-1:]}"
    if outcome.early:
        return "the dry run ran something"
    pairs = zip(expected.split("\n"), outcome.stdout.split("\n"), strict=False)
    first = next((number for number, (a, b) in enumerate(pairs, 1) if a != b), None)
    return f"line {first} differs" if first else "another number of lines"
