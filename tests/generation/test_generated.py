"""What every generated tool must do: print the recorded lines, run their words, and read well."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.generation import render
from meta.generation.generate import generate
from meta.model import Binding, Tool
from meta.rendering import UnboundError, commands, option
from tests.generation.workflows import CASES, DECISION, ESTIMATE, refused

EVERY = pytest.mark.parametrize("kind", CASES)
HOSTILE = """x"; touch owned; $(touch owned) `touch owned` ' * | cat > owned"""


@cache
def load(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("tool", folder / "tool.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def words(bindings: Mapping[str, Binding]) -> Iterator[str]:
    for name, value in bindings.items():
        for item in value if isinstance(value, list) else [value]:
            yield option(name)
            if isinstance(item, str):
                yield item


def call(tool: ModuleType, *arguments: str) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = tool.main(list(arguments))
    return code, printed.getvalue()


def ran(notes: Path) -> list[list[str]]:
    """The words of each program that was started."""
    runs = notes.read_text().split("\n\0")[:-1] if notes.exists() else []
    return [run.split("\0")[:-1] for run in runs]


@EVERY
def test_a_tool_parses_is_clean_and_imports_only_the_standard_library(kind: str, tools: dict[str, Tool]) -> None:
    for path in ("tool.py", "test_tool.py"):
        source = tools[kind].files[path]
        imported = {n.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for n in node.names}
        assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
        assert render.formatted(source) == source
        assert render.findings(source) == []


def test_what_is_not_clean_is_found() -> None:
    assert render.findings("import os\n") != []


@EVERY
def test_the_same_workflow_gives_the_same_bytes(kind: str, tools: dict[str, Tool]) -> None:
    assert generate(CASES[kind].workflow, ESTIMATE, DECISION) == tools[kind]


@EVERY
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_dry_run_prints_what_the_workflow_means(kind: str, folders: dict[str, Path], data: st.DataObject) -> None:
    case = CASES[kind]
    bindings = data.draw(case.bindings)
    try:
        expected: tuple[str, ...] | None = commands(case.workflow.steps, case.workflow.parameters, bindings)
    except UnboundError:
        expected = None
    if expected is None or refused(case.workflow, bindings):
        with pytest.raises(SystemExit):
            call(load(folders[kind]), *words(bindings), "--dry-run")
        return
    assert call(load(folders[kind]), *words(bindings), "--dry-run") == (0, "".join(line + "\n" for line in expected))


@EVERY
def test_a_tool_passes_its_own_test_as_a_program(kind: str, folders: dict[str, Path]) -> None:
    command = [sys.executable, "test_tool.py"]
    done = subprocess.run(command, cwd=folders[kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("passed") == (4 if kind == "script" else 3)


def test_a_tool_that_prints_something_else_fails_its_own_test(folders: dict[str, Path], tmp_path: Path) -> None:
    for file in folders["gate"].iterdir():
        if file.is_file():
            (tmp_path / file.name).write_text(file.read_text().replace('"lint:fix"]', '"lint:fixed"]'))
    command = [sys.executable, "test_tool.py"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_dry_run_as_a_program_writes_nothing(folders: dict[str, Path]) -> None:
    before = sorted(folders["commit"].iterdir())
    command = [sys.executable, "-B", "tool.py", "--message", "-x", "--paths", "a b", "--paths", "c", "--dry-run"]
    done = subprocess.run(command, cwd=folders["commit"], capture_output=True, text=True, check=True)
    assert done.stdout == 'git add "a b" c\ngit commit -m "-x"\n'
    assert sorted(folders["commit"].iterdir()) == before


def test_a_missing_value_is_said_before_anything_runs(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    notes = programs("git")
    with pytest.raises(SystemExit) as stop:
        call(load(folders["commit"]), "--paths", "a")
    assert stop.value.code == 2
    assert ran(notes) == []


def test_a_gate_repairs_what_it_can(folders: dict[str, Path], programs: Callable[..., Path], tmp_path: Path) -> None:
    once = f'[ "$2" = lint ] && [ ! -e {tmp_path}/seen ] && touch {tmp_path}/seen && echo untidy && exit 3'
    notes = programs("bun", f"{once}; echo done $2")
    code, printed = call(load(folders["gate"]), "--json")
    result = json.loads(printed)
    assert [run[-1] for run in ran(notes)] == ["test", "lint", "lint:fix", "lint"]
    assert (code, result["ok"]) == (0, True)
    assert result["steps"] == {"test": 0, "lint": 3, "lint-fix": 0, "lint-again": 0}
    assert Path(result["log"]).read_text() == "done test\nuntidy\ndone lint:fix\ndone lint\n"


def test_a_gate_stops_at_the_first_failure(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    notes = programs("bun", "printf 'a\\nb\\nc\\n'; exit 5")
    code, printed = call(load(folders["gate"]), "--typecheck", "--tail", "2")
    assert ran(notes) == [["bun", "run", "test"]]
    assert code == 5
    assert printed.splitlines()[:2] == ["b", "c"]
    assert "test failed (5)" in printed


def test_a_program_that_is_missing_is_a_failed_step(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    programs("other")
    code, printed = call(load(folders["each"]), "--class", "x", "--targets", "a")
    assert code in (2, 127)
    assert "failed" in printed


def test_a_failure_whose_repair_is_left_out_fails_the_run(
    folders: dict[str, Path], programs: Callable[..., Path]
) -> None:
    notes = programs("make", '[ "$1" != lint ]')
    assert call(load(folders["skipped"]), "--skip-fix")[0] == 1
    assert [run[1] for run in ran(notes)] == ["lint", "test"]
    assert call(load(folders["skipped"]))[0] == 0


def test_hostile_values_are_single_words_to_programs(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    notes = programs("git")
    assert (
        call(load(folders["commit"]), "--paths", HOSTILE, "--message", HOSTILE, "--push", "--branch", HOSTILE)[0] == 0
    )
    assert ran(notes) == [
        ["git", "add", HOSTILE],
        ["git", "commit", "-m", HOSTILE],
        ["git", "push", "origin", "HEAD:" + HOSTILE],
    ]
    assert not Path("owned").exists()


def test_hostile_values_stay_words_inside_shell_syntax(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    Path(HOSTILE.replace("/", "")).write_text("b\na\nb\n")
    notes = programs("sort", 'exec /usr/bin/sort -- "$1"')
    assert call(load(folders["shell"]), "--path", HOSTILE, "--files", "counts.txt", "--top", "1")[0] == 0
    assert ran(notes) == [["sort", HOSTILE]]
    assert Path("counts.txt").read_text().split() == ["1", "a", "2", "b"]
    assert (folders["shell"] / "last.log").read_text().split() == ["1", "a"]
    assert not Path("owned").exists()


def test_styles_change_what_is_printed_and_not_what_is_run(
    folders: dict[str, Path], programs: Callable[..., Path]
) -> None:
    notes = programs("say")
    assert call(load(folders["styles"]), "--one", "it's", "--two", "a\nb", "--three", "k v", "--four", "")[0] == 0
    assert ran(notes) == [
        ["say", "it's fixed", "plain", "--to=a b", "--one=it's", "a\nb:/x"],
        ["say", "-k", "k v", ""],
    ]


def test_an_assignment_before_a_program_is_its_environment(
    folders: dict[str, Path], programs: Callable[..., Path]
) -> None:
    notes = programs("go", 'printf "%s\\0" "$GOOS" "$GOFLAGS" >> "$NOTES"; printf "\\n\\0" >> "$NOTES"')
    assert call(load(folders["environment"]), "--system", "plan 9", "--package", "./x")[0] == 0
    assert ran(notes) == [["go", "build", "./x"], ["plan 9", ""], ["go", "vet", "./x"], ["", "-mod=mod -x"]]


def test_a_value_is_read_from_the_output_of_a_step(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    notes = programs("say", '[ "$1" = created ] && echo "made #1, then #17"; true')
    assert call(load(folders["output"]), "--path", "src/a.py")[0] == 0
    assert ran(notes)[-1] == ["say", "view", "17", "A", "src'%s", "v1{}"]
    assert call(load(folders["output"]), "--path", "src/a.py", "--number", "2")[0] == 0
    assert ran(notes)[-1] == ["say", "view", "2", "A", "src'%s", "v2"]


def test_an_output_without_the_value_ends_the_run(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    notes = programs("say", "echo nothing")
    with pytest.raises(SystemExit, match="lacks a value"):
        call(load(folders["output"]), "--path", "src/a.py")
    assert len(ran(notes)) == 1


def test_steps_run_in_their_folder_of_the_project(folders: dict[str, Path], programs: Callable[..., Path],
                                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    programs("make", "pwd")
    programs("say", "pwd")
    project = Path.cwd()
    monkeypatch.chdir("sub")
    assert call(load(folders["each"]), "--targets", "a", "--class", "x")[0] == 0
    assert (folders["each"] / "last.log").read_text().split() == [str(project), str(project / "sub")]


def test_a_hybrid_stops_where_the_agent_thinks_and_goes_on(
    folders: dict[str, Path], programs: Callable[..., Path]
) -> None:
    programs("make")
    notes = programs("git")
    tool = load(folders["hybrid"])
    code, printed = call(tool, "--base", "main")
    assert (code, ran(notes)) == (0, [["git", "diff", "main"]])
    assert "Your part now: edit *.md. Then go on with the same options and --from test\n" in printed
    assert call(tool, "--from", "test", "--message", "docs")[0] == 0
    assert ran(notes)[1:] == [["make", "test"], ["git", "commit", "-m", "docs"]]


def test_a_hybrid_waits_for_the_repair_of_a_failure(folders: dict[str, Path], programs: Callable[..., Path]) -> None:
    programs("git")
    programs("make", "exit 4")
    tool = load(folders["hybrid"])
    code, printed = call(tool, "--from", "test", "--message", "docs", "--json")
    assert code == 4
    assert json.loads(printed)["next"].endswith("--from test-again")
    notes = programs("make")
    assert call(tool, "--from", "test-again", "--message", "docs")[0] == 0
    assert ran(notes)[1:] == [["make", "test"], ["git", "commit", "-m", "docs"]]


def test_fixed_lines_with_shell_syntax_are_a_bash_script_too(
    folders: dict[str, Path], tools: dict[str, Tool], programs: Callable[..., Path]
) -> None:
    programs("other")
    Path("in.txt").write_text("b\na\nb\n")
    assert tools["script"].template == "bash-script"
    assert call(load(folders["script"]))[0] == 0
    assert Path("first.txt").read_text().split() == ["1", "a"]
    Path("first.txt").unlink()
    subprocess.run(["bash", folders["script"] / "tool.sh"], check=True)
    assert Path("first.txt").read_text().split() == ["1", "a"]


def test_what_destroys_asks_for_consent_when_it_would_run(
    folders: dict[str, Path], programs: Callable[..., Path]
) -> None:
    programs("make")
    notes = programs("rm")
    tool = load(folders["clean"])
    with pytest.raises(SystemExit):
        call(tool, "--clean")
    assert ran(notes) == []
    assert call(tool)[0] == 0
    assert call(tool, "--clean", "--allow-destroy")[0] == 0
    assert ran(notes)[1] == ["rm", "-rf", "build"]
