"""A tool with a hostile name or path writes nothing outside of the place it is given: it is safe or refused in one line."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.generation import naming
from meta.model import Tool
from meta.policy.names import RESERVED, SLUG, wrong_path
from meta.registration import lifecycle
from tests.generation.workflows import step, workflow
from tests.registration.conftest import estimate, snapshot, workflow_of

UP = ("..", "../..", "../../..", "..\\..", "%2e%2e", "..%2f..", "....//....", ".\u200b.", "．．", "․․", "。。")
ENDS = ("evil", "etc/cron.d/evil", ".ssh/authorized_keys", ".git/hooks/pre-commit")
TRAVERSAL = [f"{up}/{end}" for up, end in product(UP, ENDS)]
ABSOLUTE = [
    "/etc/passwd",
    "//etc/passwd",
    "/",
    "~/x",
    "~root/x",
    "C:\\x",
    "C:/x",
    "\\\\host\\share",
    "file:///etc/x",
    "\\etc",
    "/tmp/evil",
]
LOOKALIKES = [
    "ｇate", "gаte", "ɡate", "gate\u200b", "gate\u202etxe", "g\u0301ate", "gate\ufeff", "𝗀ate", "ⅿeta", "gate\u00a0", "gaﬀe", "ſave", "Gate", "GATE",
    "gate\u2215x", "gate\u2044x", "gate／x", "ｃon", "nul\u200d", "ᵍate", "gate\u0000", "gate\n", "gate\r", "gate\t", "gate\x1b[31m", "gate\x7f",
]  # fmt: skip
DEVICES = [
    f"{name}{end}"
    for name in ("con", "prn", "aux", "nul", "com1", "com9", "lpt1", "CON", "Nul")
    for end in ("", ".", ".txt", " ")
]
COMMANDS = [
    "ls",
    "rm",
    "git",
    "python",
    "sudo",
    "bash",
    "kill",
    "make",
    "cat",
    "ssh-",
    "cd",
    "env",
    "test",
    "uv",
    "meta",
]
SLASHES = [
    "help",
    "clear",
    "compact",
    "init",
    "login",
    "model",
    "review",
    "agents",
    "hooks",
    "permissions",
    "mcp",
    "memory",
    "/help",
    "/clear",
]
ODD = [
    "", ".", "-", "--", "-rf", "--force", "a", "1gate", "gate.", "gate..", "gate ", " gate", "gate/", "/gate", "gate//x", "gate/.", "gate;rm", "$(id)", "`id`", "gate|x",
    "gate&x", "gate*", "gate?", "[gate]", "{gate}", "gate'", 'gate"', "gate\\", "<gate>", "!gate", "#gate", "gate@{0}", "gate.lock", "gate~1", "gate^", "gate:x", "HEAD",
    "@", ".git", ".Git", ".GIT", ".git.", ".git ", ".gi\u200ct", "git~1", ".retired", "_gate", "gate_x", "x" * 50, "x" * 255, "x" * 5000, "é", "日本", "😀", "gate\udcff", "a.b", "..gate",
]  # fmt: skip
NAMES = list(dict.fromkeys([*TRAVERSAL, *ABSOLUTE, *LOOKALIKES, *DEVICES, *COMMANDS, *SLASHES, *ODD]))
PATHS = [p for p in NAMES if p not in ("ssh-", *COMMANDS, *SLASHES, "a", "1gate", "-", "--", "-rf", "--force")] + [
    f"data/{part}/x.txt" for part in (*UP, ".git", ".GIT", ".git.", "nul", "com1", "x\ny")
]


def test_there_are_at_least_two_hundred() -> None:
    assert len(NAMES) >= 200


def outside(folder: Path, workspace: Path) -> dict[str, object]:
    """Everything beside the workspace."""
    found: dict[str, object] = {}
    for root, directories, files in os.walk(folder):
        if Path(root) == folder:
            directories[:] = [d for d in directories if folder / d != workspace]
        found |= {str(Path(root, name)): Path(root, name).lstat().st_mtime_ns for name in [*directories, *files]}
    return found


def tried(workspace: Path, made: Tool) -> str:
    """Why the tool was refused, "" where it was taken."""
    reason = ""
    try:
        lifecycle.propose(workspace, made, workflow_of(made), estimate(), "what it is\n")
    except UserError as error:
        reason = str(error)
    assert "\n" not in reason
    assert len(reason) < 250
    return reason


def test_a_hostile_name_is_refused_and_nothing_is_written(workspace: Path, gate: Tool) -> None:
    before, beside = snapshot(workspace), outside(workspace.parent, workspace)
    taken = [name for name in NAMES if not tried(workspace, replace(gate, name=name))]
    assert taken == ["ssh-", "cd"][: len(taken)]
    for name in taken:
        assert SLUG.fullmatch(name)
        lifecycle.undo(workspace)
    assert snapshot(workspace) == before
    assert outside(workspace.parent, workspace) == beside


@pytest.mark.parametrize("act", [lifecycle.accept, lifecycle.retire, lifecycle.preview, lifecycle.hand_over])
def test_no_other_act_takes_a_hostile_name_either(act, workspace: Path) -> None:  # type: ignore[no-untyped-def]  # acts of several shapes
    before, beside = snapshot(workspace), outside(workspace.parent, workspace)
    for name in NAMES:
        with pytest.raises(UserError):
            act(workspace, name)
    assert snapshot(workspace) == before
    assert outside(workspace.parent, workspace) == beside


def test_a_hostile_path_of_a_file_stays_inside_or_is_refused(workspace: Path, gate: Tool) -> None:
    before, beside = snapshot(workspace), outside(workspace.parent, workspace)
    safe = [path for path in PATHS if not wrong_path(path)]
    assert len(safe) < len(PATHS) / 2
    for path in PATHS:
        if path not in safe:
            assert tried(workspace, replace(gate, files={**gate.files, path: "x"})), path
    assert snapshot(workspace) == before
    assert tried(workspace, replace(gate, files={**gate.files, **dict.fromkeys(safe, "x")})) == ""
    lifecycle.accept(workspace, "gate")
    for path in safe:
        place = workspace / "generated_tools/gate" / path
        assert place.resolve().is_relative_to((workspace / "generated_tools/gate").resolve()), path
        assert place.read_text() == "x"
    lifecycle.undo(workspace)
    lifecycle.undo(workspace)
    assert snapshot(workspace) == before
    assert outside(workspace.parent, workspace) == beside


@pytest.mark.parametrize("parent", ["generated_tools", ".agents", ".agents/skills", ".claude", ".claude/commands", ".gemini", ".gemini/commands"])  # fmt: skip
def test_a_linked_parent_is_refused(parent: str, workspace: Path, gate: Tool, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert tried(workspace, gate) == ""
    (workspace / parent).parent.mkdir(parents=True, exist_ok=True)
    (workspace / parent).symlink_to(elsewhere)
    with pytest.raises(UserError, match=re.escape(parent)):
        lifecycle.accept(workspace, "gate")
    assert list(elsewhere.iterdir()) == []


def test_whatever_a_program_is_called_the_tool_gets_a_safe_name() -> None:
    for head in NAMES:
        name = naming.name(workflow((step("x", "x", head=head),)))
        assert SLUG.fullmatch(name)
        assert name not in RESERVED
