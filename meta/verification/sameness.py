"""Whether the files of a project, changed, load into the same functions and pass the same tests; all in the sandbox.

Where there is no sandbox nothing is executed. What was changed, and why, is told by the caller.
"""

from __future__ import annotations

import json
import os
import shutil
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meta import process
from meta.errors import UserError
from meta.model import Check, Verdict
from meta.verification import sandbox
from meta.verification.sandbox import Limits

_LOADER = Path(__file__).with_name("loader.py")
_LIMITS = Limits(wall=1200, cpu=1800, memory=16 * 2**30, processes=512, size=2**28)
_SECONDS = 120  # for the loading of one module
_MOST = 2**31  # bytes of a project that is copied
_REPORT = "meta-test-report.xml"
_LEFT_OUT = {".git", ".venv", "venv", "node_modules", "__pycache__"}

Place = tuple[str, str]
"""A function: the path of its file and its qualified name."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file and how it is loaded: by its dotted `name` from the folder `root`, or as a script where it has no name."""

    path: str
    name: str
    root: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done to a project: the new texts by path, the functions that `moved` and where to, those whose body was
    `replaced` on purpose, and the names of new files that they share."""

    files: Mapping[str, str]
    modules: Sequence[Loaded]
    moved: Mapping[Place, Place] = field(default_factory=dict)
    replaced: frozenset[Place] = frozenset()
    outside: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a project runs on: its interpreter, code that is run before a file is loaded, and its tests.

    Without `tests` pytest is run where the project has tests of that kind.
    """

    python: str = ""
    first: str = ""
    tests: Sequence[str] = ()


def compare(root: Path, changed: Changed, ground: Ground) -> Verdict:
    """The checks "loads", "bytecode" and "project's tests" on copies of the project, before and after.

    Where neither of the last two could compare anything, the isolation is "none", so that nothing counts as passed.
    """
    level = sandbox.level()
    if level not in ("bubblewrap", "landlock"):
        names = ("loads", "bytecode", "project's tests")
        reason = "not run: there is no sandbox on this machine that is enough for it"
        return Verdict(tuple(Check(name, None, reason) for name in names), "none")
    with _copied(root, {}) as before, _copied(root, changed.files) as after:
        told = _loaded(before, changed, ground), _loaded(after, changed, ground)
        checks = (*_compared(changed, *told), _tests(before, after, ground))
    return Verdict(checks, level if any(map(_tells, checks)) else "none")


def _tells(check: Check) -> bool:
    """Whether something was compared in a check, or found wrong; that files load is no comparison."""
    return check.passed is False or (check.passed is True and check.name != "loads")


@contextmanager
def _copied(root: Path, files: Mapping[str, str]) -> Iterator[Path]:
    with sandbox.scratch() as folder:
        tree = folder / "tree"
        tree.mkdir()
        for path in _paths(root):
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, target, follow_symlinks=False)
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        sandbox.give(folder)
        yield folder


def _paths(root: Path) -> list[str]:
    """The files of a project: those git knows or would know, or all where there is no git."""
    asked = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "-C",
        str(root),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = process.run(asked, limit=2**26)
    if listed.ok:
        found = [path for path in listed.stdout.split("\0") if path and (root / path).is_file()]
    else:
        found = []
        for folder, names, files in os.walk(root):
            names[:] = [name for name in names if name not in _LEFT_OUT]
            found += [str((Path(folder) / name).relative_to(root)) for name in files]
    if sum((root / path).lstat().st_size for path in found) > _MOST:
        raise UserError(f"{root} is too large to be copied for a comparison. Name a smaller folder.")
    return found


def _python(ground: Ground) -> tuple[str, list[Path]]:
    """The project's interpreter and the folders it needs to see."""
    if not ground.python:
        return sandbox.python(), []
    python = Path(os.path.abspath(ground.python))  # a link in an environment is not followed: it names the environment
    return str(python), [python.parent.parent, Path(os.path.realpath(python)).parent.parent]


def _loaded(folder: Path, changed: Changed, ground: Ground) -> list[Mapping[str, Any]]:
    python, seen = _python(ground)
    shared = sorted({module for module, _ in changed.moved.values()})
    request = {
        "tree": "tree",
        "modules": [{"path": m.path, "name": m.name, "root": m.root} for m in changed.modules],
        "outside": list(changed.outside),
        "shared": shared,
        "first": ground.first,
        "seconds": _SECONDS,
    }
    argv = [python, "-B", "-c", _LOADER.read_text()]
    ran = sandbox.run(argv, folder, read_only=seen, stdin=json.dumps(request), limits=_LIMITS)
    try:
        rows = json.loads(ran.stdout)
        if ran.code == 0 and len(rows) == len(changed.modules):
            return list(rows)
    except ValueError:
        pass
    last = (ran.stderr.strip().splitlines() or [f"exit code {ran.code}"])[-1]
    return [{"error": last}] * len(changed.modules)


def _compared(
    changed: Changed, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Check]:
    broken: list[str] = []
    missing: Counter[str] = Counter()
    differing: list[str] = []
    same = 0
    for module, old, new in zip(changed.modules, before, after, strict=True):
        if "error" in old:
            missing[str(old["error"])] += 1
            if new.get("error") != old["error"]:
                broken.append(f"{module.path}: {new.get('error', 'loads now')}, before: {old['error']}")
            continue
        if "error" in new:
            broken.append(f"{module.path}: {new['error']}")
            continue
        for name, function in old["files"].get(module.path, {}).items():
            place = (module.path, name)
            if place in changed.replaced or function["at"][0] != module.path:
                continue  # a helper's caller is proved by its text; what was imported is told where it is defined
            if reason := _difference(function, place, new["files"], changed):
                differing.append(f"{name} of {module.path}: {reason}")
            else:
                same += 1
    count = len(changed.modules) - sum(missing.values())
    rest = f"; {sum(missing.values())} could not before either ({missing.most_common(1)[0][0]})" if missing else ""
    loads = f"{count} of {len(changed.modules)} modules load as before{rest}"
    yield Check("loads", False if broken else True if count else None, "; ".join(broken[:3]) or loads)
    if not same and not differing:
        none = "only what was replaced on purpose is defined in them" if count else "none could be loaded"
        yield Check("bytecode", None, f"not compared: {none}")
        return
    told = "; ".join(differing[:3]) or f"{same} of {same} functions have the same code, constants, and names they use"
    yield Check("bytecode", not differing, told)


def _difference(old: Mapping[str, Any], place: Place, files: Mapping[str, Any], changed: Changed) -> str:
    """How a function is another one than before; "" where it is the same."""
    path, name = changed.moved.get(place, place)
    new = files.get(path, {}).get(name)
    if new is None:
        return "it is gone"
    for part in ("kind", "code", "defaults", "keywords", "doc", "annotations"):
        if old[part] != new[part]:
            return f"its {part} differs"
    if len(old["order"]) != len(new["order"]):
        return "it uses other names"
    for one, other in zip(old["order"], new["order"], strict=True):
        was, now = old["names"].get(one), new["names"].get(other)
        if was is None and now is None:
            if one != other:
                return f"it uses {other} for {one}"
        elif _other(was, now, changed):
            return f"{one} is another than {other}"
    return ""


def _other(was: list[Any] | None, now: list[Any] | None, changed: Changed) -> bool:
    if was and now and was[0] == now[0] == "function":
        place = changed.moved.get((was[2], was[3]), (was[2], was[3]))
        return was[1] != now[1] or place != (now[2], now[3])
    return was != now


def _tests(before: Path, after: Path, ground: Ground) -> Check:
    """The check that each test of the project ends as it did. Where none passed before, they tell nothing."""
    name = "project's tests"
    argv = list(ground.tests) or [_python(ground)[0], "-m", "pytest", "-q"]
    if not ground.tests and not any((before / "tree").glob("**/test*.py")):
        return Check(name, None, "not run: it has none")
    old = _tested(before, argv, ground)
    if "passed" not in old.ends.values():
        return Check(name, None, f"could not be run: {old.complaint}")
    new = _tested(after, argv, ground)
    if not new.ends:
        return Check(name, False, f"could not be run after the change: {new.complaint}")
    counts = ", ".join(f"{count} {end}" for end, count in sorted(Counter(old.ends.values()).items()))
    if changes := sorted(
        test for test in old.ends.keys() | new.ends.keys() if old.ends.get(test) != new.ends.get(test)
    ):
        first = changes[0]
        detail = f"{first} was {old.ends.get(first, 'absent')} and is {new.ends.get(first, 'absent')}"
        return Check(name, False, f"{detail}; {len(changes)} differ")
    return Check(name, True, f"the same as before: {counts}")


@dataclass(frozen=True, slots=True)
class _Tested:
    """How each test ended, by name, and what was said where one did not pass."""

    ends: Mapping[str, str]
    complaint: str


def _tested(folder: Path, argv: Sequence[str], ground: Ground) -> _Tested:
    """A run of the tests in a copy; of a command that is not pytest only its exit code is known."""
    is_pytest = any(word.endswith(("pytest", "py.test")) for word in argv[:3])
    whole = [*argv, f"--junitxml={_REPORT}", "-p", "no:cacheprovider"] if is_pytest else argv
    script = 'cd tree && exec "$@"'
    ran = sandbox.run(["bash", "-c", script, "tests", *whole], folder, read_only=_python(ground)[1], limits=_LIMITS)
    if ran.code is None:
        return _Tested({}, f"time was up after {_LIMITS.wall:.0f} s")
    said = (ran.stdout.strip().splitlines() or ran.stderr.strip().splitlines() or ["nothing was said"])[-1]
    if not is_pytest:
        return _Tested({"exit code 0": "passed"} if ran.code == 0 else {}, f"exit code {ran.code}: {said}")
    found = _outcomes(folder / "tree" / _REPORT)
    return _Tested(found.ends, found.complaint or said)


def _outcomes(report: Path) -> _Tested:
    """What pytest wrote down."""
    try:
        tree = ElementTree.parse(report)
    except (OSError, ElementTree.ParseError):
        return _Tested({}, "")
    ends: dict[str, str] = {}
    complaint = ""
    for case in tree.iter("testcase"):
        wrong = [child for child in case if child.tag in ("failure", "error", "skipped")]
        end = {"failure": "failed", "error": "broken"}.get(wrong[0].tag, wrong[0].tag) if wrong else "passed"
        ends[f"{case.get('classname')}::{case.get('name')}"] = end
        if end in ("failed", "broken"):
            complaint = complaint or _first_line(wrong[0])
    return _Tested(ends, complaint)


def _first_line(wrong: ElementTree.Element) -> str:
    """What a test that did not pass said: the first line that pytest marks as the error, else the first of all."""
    lines = (wrong.text or "").splitlines()
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    return next(iter([*marked, *(wrong.get("message") or "").splitlines(), *lines]), "")
