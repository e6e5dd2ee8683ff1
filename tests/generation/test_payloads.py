"""Five hundred hostile values through every kind of tool: each arrives exactly as it is or is refused, and none is run."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from meta.model import Binding, Parameter, Workflow
from meta.policy.steps import openings
from meta.rendering import UnboundError, commands
from tests.generation.payloads import ATTACKS, OPTIONS, PAYLOADS
from tests.generation.test_generated import call, load, words
from tests.generation.workflows import CASES, refused

TOKEN = "metavalue"
TEXT = ("str", "path", "list", "secret", "choice", "int")
KINDS = [
    kind
    for kind, case in CASES.items()
    if any(p.type in TEXT and p.source != "constant" for p in case.workflow.parameters)
]


def test_there_are_at_least_five_hundred_and_none_has_a_null() -> None:
    assert len(PAYLOADS) >= 500
    assert not any("\0" in payload for payload in PAYLOADS)


def with_value(of: Workflow, value: str, names: frozenset[str]) -> dict[str, Binding]:
    """A recorded run with this value for these parameters."""
    base = max(of.occurrences, key=lambda run: len(run.bindings))
    kinds = {p.name: p.type for p in of.parameters}
    kept = {name: bound for name, bound in base.bindings.items() if name != "failed"}
    return kept | {name: [value, value] if kinds[name] == "list" else value for name in names}


def texts(of: Workflow) -> frozenset[str]:
    return frozenset(p.name for p in of.parameters if p.type in TEXT and p.source in ("caller", "output"))


def started(tool: ModuleType, bindings: Mapping[str, Binding], folder: Path) -> list[list[str]] | None:
    """The argv lists that the tool would start, None where it refuses; nothing is started."""
    seen: list[list[str]] = []

    def start(command: list[str], **_: object) -> SimpleNamespace:
        seen.append(command)
        return SimpleNamespace(returncode=0)

    kept, log = tool.subprocess, tool.LOG
    tool.subprocess, tool.LOG = SimpleNamespace(run=start, DEVNULL=None), folder / "last.log"  # type: ignore[attr-defined]  # names of the tool
    consent = [name for name in tool.OPTIONS if name.startswith("--allow-")]
    begin = ["--from", list(tool.RESUME)[-1]] if hasattr(tool, "RESUME") else []
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            tool.main([*words(bindings), *consent, *begin])
    except SystemExit:
        return None
    finally:
        tool.subprocess, tool.LOG = kept, log  # type: ignore[attr-defined]  # names of the tool
    return seen


def printed(tool: ModuleType, bindings: Mapping[str, Binding]) -> str | None:
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return call(tool, *words(bindings), "--dry-run")[1]
    except SystemExit:
        return None


def derives(of: Workflow) -> bool:
    return any(parameter.source == "derived" for parameter in of.parameters)


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_arrives_exactly_or_is_refused(kind: str, every: int, folders: dict[str, Path], tmp_path: Path) -> None:
    of, tool = CASES[kind].workflow, load(folders[kind])
    plain = started(tool, with_value(of, TOKEN, texts(of)), tmp_path)
    assert plain
    free = texts(of) - frozenset(openings(of))
    arrived = 0
    for payload in PAYLOADS[::every]:
        for names in dict.fromkeys((texts(of), free)) if payload.startswith(("-", "+", ":", "@")) else (texts(of),):
            bindings = with_value(of, payload, names)
            found, line = started(tool, bindings, tmp_path), printed(tool, bindings)
            try:
                expected = "".join(f"{row}\n" for row in commands(of.steps, of.parameters, bindings))
            except UnboundError:
                assert found is None, payload
                continue
            if refused(of, bindings):
                assert found is None, payload
                assert line is None, payload
                continue
            assert line == expected, payload
            assert found is not None, payload
            assert [len(argv) for argv in found] == [len(argv) for argv in started_like(tool, of, names, tmp_path)], (
                payload
            )
            for argv, before in zip(found, started_like(tool, of, names, tmp_path), strict=True):
                if argv[:2] == ["bash", "-c"]:
                    assert argv[2] == before[2], payload
                if not derives(of):
                    assert argv == [word.replace(TOKEN, payload) for word in before], payload
            arrived += 1
    assert arrived > (0.8 * len(PAYLOADS) - len(OPTIONS)) / every


_LIKE: dict[tuple[str, frozenset[str]], list[list[str]]] = {}


def started_like(tool: ModuleType, of: Workflow, names: frozenset[str], folder: Path) -> list[list[str]]:
    """What the tool starts with an ordinary value in the place of the hostile one."""
    key = (str(tool.__file__), names)
    if key not in _LIKE:
        _LIKE[key] = started(tool, with_value(of, TOKEN, names), folder) or []
    return _LIKE[key]


def guarded(of: Workflow) -> list[Parameter]:
    return [p for p in of.parameters if "-" in openings(of).get(p.name, "") and p.source != "derived"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if guarded(CASES[kind].workflow)])
def test_an_option_is_no_value_where_a_word_stands_by_itself(
    kind: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    of, tool = CASES[kind].workflow, load(folders[kind])
    for parameter in guarded(of):
        for payload in OPTIONS:
            bindings = with_value(of, payload, frozenset({parameter.name}))
            assert started(tool, bindings, tmp_path) is None, (parameter.name, payload)
            assert printed(tool, bindings) is None


def test_a_value_behind_a_flag_or_glued_to_one_may_begin_with_a_dash() -> None:
    found = openings(CASES["commit"].workflow)
    assert "message" not in found
    assert "branch" not in found
    assert "-" in found["paths"]
    assert found.keys() & {"one"} == set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shell", "commit", "styles", "environment"])
def test_no_attack_is_run_by_a_real_shell(kind: str, folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    for name in ("sort", "cat", "git", "say", "go", "head", "uniq"):
        programs(name)
    of, tool = CASES[kind].workflow, load(folders[kind])
    consent = [name for name in tool.OPTIONS if name.startswith("--allow-")]
    for payload in ATTACKS:
        with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            call(tool, *words(with_value(of, payload, texts(of))), *consent)
        assert not list(Path.cwd().rglob("owned")), payload
