"""A tool goes its way through a real repository, and every step can be taken back exactly."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.model import Tool
from meta.registration import branch, lifecycle
from tests.registration.conftest import estimate, git, snapshot, workflow_of


def propose(workspace: Path, made: Tool, payback: float = 0.5) -> str:
    return lifecycle.propose(workspace, made, workflow_of(made), estimate(payback), f"{made.name}: what it is\n")


def states(workspace: Path) -> dict[str, str]:
    return {known.name: known.state for known in lifecycle.tools(workspace)}


def test_a_proposal_touches_neither_work_tree_nor_index_nor_head(workspace: Path, gate: Tool) -> None:
    before = snapshot(workspace)
    commit = propose(workspace, gate)
    after = snapshot(workspace)
    assert after.pop("refs") != before.pop("refs")
    assert after == before
    assert git(workspace, "rev-parse", "meta/gate", "meta/gate^").split() == [
        commit,
        git(workspace, "rev-parse", "HEAD").strip(),
    ]
    assert states(workspace) == {"gate": "proposed"}


def test_a_proposal_holds_the_tool_its_registration_and_the_text(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    rows = git(workspace, "diff", "--raw", "--abbrev=4", "HEAD", "meta/gate").splitlines()
    assert {row.split("\t")[1]: row.split()[1] for row in rows} == {
        ".agents/skills/gate/SKILL.md": "100644",
        ".claude/commands/gate.md": "100644",
        ".claude/skills/gate": "120000",
        ".gemini/commands/gate.toml": "100644",
        "AGENTS.md": "100644",
        "CLAUDE.md": "100644",
        "generated_tools/gate/PR.md": "100644",
        "generated_tools/gate/test_tool.py": "100644",
        "generated_tools/gate/tool.py": "100755",
        "generated_tools/gate/tool.toml": "100644",
    }
    assert git(workspace, "show", "meta/gate:AGENTS.md").startswith(
        "# House rules\n\nBe kind.\n<!-- meta:begin tools -->\n"
    )
    assert git(workspace, "show", "meta/gate:CLAUDE.md").count("@AGENTS.md") == 1


def test_the_same_proposal_again_makes_no_new_commit(workspace: Path, gate: Tool) -> None:
    assert propose(workspace, gate) == propose(workspace, gate)
    changed = replace(gate, files={**gate.files, "tool.toml": "name = 'gate'\nnew = 1\n"})
    assert propose(workspace, changed) != propose(workspace, gate)


def test_a_branch_with_work_of_others_is_not_overwritten(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    tree = git(workspace, "rev-parse", "meta/gate^{tree}").strip()
    theirs = git(workspace, "commit-tree", tree, "-p", "meta/gate", "-m", "mine").strip()
    git(workspace, "update-ref", "refs/heads/meta/gate", theirs)
    with pytest.raises(UserError, match="work of others"):
        propose(workspace, gate)
    assert git(workspace, "rev-parse", "meta/gate").strip() == theirs


def test_a_repository_without_commits_gets_its_first_on_the_branch_only(empty: Path, gate: Tool) -> None:
    commit = propose(empty, gate)
    assert git(empty, "rev-list", "--count", "meta/gate").strip() == "1"
    assert branch.commit_of(empty, "HEAD") == ""
    lifecycle.accept(empty, "gate")
    assert (empty / "generated_tools/gate/tool.py").exists()
    lifecycle.undo(empty)
    assert git(empty, "rev-parse", "meta/gate").strip() == commit


def test_a_machine_without_a_git_identity_can_propose(
    workspace: Path, gate: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose(workspace, replace(gate, name="gate-one"))
    assert git(workspace, "log", "-1", "--format=%ae", "meta/gate-one").strip() == "ann@example.org"
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(workspace, "config", "user.useConfigOnly", "true")
    propose(workspace, gate)
    assert git(workspace, "log", "-1", "--format=%ae", "meta/gate").strip() == "meta@localhost"


def test_an_accepted_tool_is_registered_and_nothing_is_committed_or_staged(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    before = snapshot(workspace)
    lifecycle.accept(workspace, "gate")
    after = snapshot(workspace)
    assert (after["index"], after["HEAD"], after["a.py"]) == (before["index"], before["HEAD"], before["a.py"])
    assert states(workspace) == {"gate": "registered"}
    assert os.access(workspace / "generated_tools/gate/tool.py", os.X_OK)
    assert (workspace / ".claude/skills/gate/SKILL.md").read_text().startswith("---\nname: gate\n")
    assert "generated_tools/gate/tool.py" in (workspace / "AGENTS.md").read_text()
    assert (workspace / "CLAUDE.md").read_text().startswith("Read the house rules.")
    assert branch.commit_of(workspace, "meta/gate") == ""


def test_an_accepted_tool_can_be_committed_and_only_it(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    accepted = lifecycle.accept(workspace, "gate", commit=True)
    assert accepted.commit == git(workspace, "rev-parse", "HEAD").strip()
    assert set(git(workspace, "show", "--name-only", "--format=", "HEAD").split()) == set(accepted.paths)
    assert git(workspace, "diff", "--cached", "--name-only").split() == ["staged.py"]


def test_edits_made_on_the_review_branch_are_accepted(workspace: Path, gate: Tool, tmp_path: Path) -> None:
    propose(workspace, gate)
    git(workspace, "worktree", "add", "-q", str(tmp_path / "review"), "meta/gate")
    (tmp_path / "review/generated_tools/gate/tool.py").write_text("better")
    git(tmp_path / "review", "commit", "-qam", "better")
    git(workspace, "worktree", "remove", str(tmp_path / "review"))
    lifecycle.accept(workspace, "gate")
    assert (workspace / "generated_tools/gate/tool.py").read_text() == "better"


def test_a_branch_that_changes_other_files_is_not_accepted(workspace: Path, gate: Tool, tmp_path: Path) -> None:
    propose(workspace, gate)
    git(workspace, "worktree", "add", "-q", str(tmp_path / "review"), "meta/gate")
    (tmp_path / "review/a.py").write_text("surprise")
    git(tmp_path / "review", "commit", "-qam", "more")
    before = snapshot(workspace)
    with pytest.raises(UserError, match="checked out"):
        lifecycle.accept(workspace, "gate")
    git(workspace, "worktree", "remove", str(tmp_path / "review"))
    with pytest.raises(UserError, match=r"changes other files too \(a\.py\)"):
        lifecycle.accept(workspace, "gate")
    assert snapshot(workspace) == before


def test_a_declined_workflow_is_not_proposed_again(workspace: Path, gate: Tool, save: Tool) -> None:
    propose(workspace, gate)
    lifecycle.reject(workspace, "gate", "we  do this\nby make")
    assert states(workspace) == {}
    assert lifecycle.declined(workspace) == {"wf:gate": "we do this by make"}
    with pytest.raises(UserError, match="declined before: we do this by make"):
        propose(workspace, replace(gate, name="gate-two"))
    propose(workspace, save)
    assert states(workspace) == {"save-work": "proposed"}


def test_a_retired_tool_is_moved_out_and_its_registration_is_gone(workspace: Path, gate: Tool, save: Tool) -> None:
    for made in (gate, save):
        propose(workspace, made)
        lifecycle.accept(workspace, made.name)
    lifecycle.retire(workspace, "gate")
    assert states(workspace) == {"gate": "retired", "save-work": "registered"}
    assert (workspace / "generated_tools/.retired/gate/tool.py").exists()
    for path in (
        ".agents/skills/gate",
        ".claude/skills/gate",
        ".claude/commands/gate.md",
        ".gemini/commands/gate.toml",
    ):
        assert not os.path.lexists(workspace / path)
    listing = (workspace / "AGENTS.md").read_text()
    assert "generated_tools/save-work/" in listing
    assert "generated_tools/gate/" not in listing
    lifecycle.retire(workspace, "save-work")
    assert (workspace / "AGENTS.md").read_text() == "# House rules\n\nBe kind.\n"
    assert (workspace / "CLAUDE.md").read_text() == "Read the house rules."


def test_every_action_is_taken_back_exactly_in_reverse(workspace: Path, gate: Tool, save: Tool) -> None:
    seen = [snapshot(workspace)]
    for action in (
        lambda: propose(workspace, gate),
        lambda: propose(workspace, replace(gate, files={**gate.files, "tool.toml": "x = 1\n"})),
        lambda: propose(workspace, save, 0.1),
        lambda: lifecycle.accept(workspace, "gate"),
        lambda: lifecycle.accept(workspace, "save-work"),
        lambda: lifecycle.retire(workspace, "gate"),
        lambda: lifecycle.retire(workspace, "save-work"),
        lambda: propose(workspace, replace(gate, name="gate-two")),
        lambda: lifecycle.reject(workspace, "gate-two", "no"),
    ):
        action()
        seen.append(snapshot(workspace))
    for number in range(len(seen) - 2, -1, -1):
        undone = lifecycle.undo(workspace)
        assert undone.kept == ()
        assert snapshot(workspace) == seen[number], f"action {number} ({undone.verb})"
    with pytest.raises(UserError, match="nothing to take back"):
        lifecycle.undo(workspace)


def test_undo_keeps_what_was_changed_by_hand_and_says_so(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    lifecycle.accept(workspace, "gate")
    (workspace / "generated_tools/gate/tool.py").write_text("mine")
    (workspace / "AGENTS.md").write_text((workspace / "AGENTS.md").read_text() + "New rule.\n")
    undone = lifecycle.undo(workspace)
    assert [line.split("/")[-1] for line in undone.kept] == ["tool.py: kept, it was changed by hand"]
    assert (workspace / "generated_tools/gate/tool.py").read_text() == "mine"
    assert (workspace / "AGENTS.md").read_text() == "# House rules\n\nBe kind.\nNew rule.\n"
    assert lifecycle.undo(workspace).verb == "propose"


def test_a_hand_edited_registration_survives_retirement_and_undo(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    lifecycle.accept(workspace, "gate")
    skill = workspace / ".agents/skills/gate/SKILL.md"
    skill.write_text(skill.read_text() + "\nMy note.\n")
    before = snapshot(workspace)
    lifecycle.retire(workspace, "gate")
    assert not skill.exists()
    lifecycle.undo(workspace)
    assert snapshot(workspace) == before


def test_an_undo_whose_branch_is_taken_changes_nothing(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    lifecycle.accept(workspace, "gate")
    git(workspace, "branch", "meta/gate")
    before = snapshot(workspace)
    with pytest.raises(UserError, match="has changed since"):
        lifecycle.undo(workspace)
    assert snapshot(workspace) == before


@pytest.mark.parametrize("name", ["../x", "x", "Gate", "-x", "a/b", "gate\n", "a" * 50, "", ".git", "gäte"])
def test_a_name_that_is_no_tool_name_is_refused(workspace: Path, gate: Tool, name: str) -> None:
    before = snapshot(workspace)
    with pytest.raises(UserError, match="no tool name"):
        propose(workspace, replace(gate, name=name))
    with pytest.raises(UserError, match="no tool name"):
        lifecycle.retire(workspace, name)
    assert snapshot(workspace) == before


@pytest.mark.parametrize("path", ["../../evil", "/etc/evil", "a/../../b", ".git/hooks/x", "a//b"])
def test_a_tool_file_that_would_lie_elsewhere_is_refused(workspace: Path, gate: Tool, path: str) -> None:
    with pytest.raises(UserError, match="refused"):
        propose(workspace, replace(gate, files={**gate.files, path: "x"}))
    assert states(workspace) == {}


@pytest.mark.parametrize("place", ["generated_tools", ".agents", ".claude/commands"])
def test_a_linked_parent_is_refused_before_anything_is_written(
    workspace: Path, gate: Tool, tmp_path: Path, place: str
) -> None:
    propose(workspace, gate)
    outside = tmp_path / "outside"
    outside.mkdir()
    (workspace / place).parent.mkdir(exist_ok=True)
    (workspace / place).symlink_to(outside)
    before = snapshot(workspace)
    with pytest.raises(UserError, match="is a link"):
        lifecycle.accept(workspace, "gate")
    assert snapshot(workspace) == before
    assert list(outside.iterdir()) == []


def test_a_skills_folder_that_links_to_the_shared_one_needs_no_link_of_its_own(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    (workspace / ".agents/skills").mkdir(parents=True)
    (workspace / ".claude").mkdir()
    (workspace / ".claude/skills").symlink_to("../.agents/skills")
    lifecycle.accept(workspace, "gate")
    assert (workspace / ".claude/skills/gate/SKILL.md").exists()
    assert not (workspace / ".claude/skills/gate").is_symlink()


def test_a_file_in_the_way_is_not_overwritten(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    (workspace / ".claude/commands").mkdir(parents=True)
    (workspace / ".claude/commands/gate.md").write_text("mine")
    before = snapshot(workspace)
    with pytest.raises(UserError, match="in the way"):
        lifecycle.accept(workspace, "gate")
    assert snapshot(workspace) == before


def test_an_unknown_name_gets_a_hint(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    with pytest.raises(UserError, match='Did you mean "gate"'):
        lifecycle.accept(workspace, "gates")
    with pytest.raises(UserError, match="no accepted or registered tool"):
        lifecycle.retire(workspace, "gate")


def test_the_branch_can_be_handed_over_as_patch_and_bundle(workspace: Path, gate: Tool, tmp_path: Path) -> None:
    propose(workspace, gate)
    (patch, bundle), _ = lifecycle.hand_over(workspace, "gate")
    assert patch.parent == workspace / ".meta/review/gate"
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(workspace), str(other))
    git(other, "apply", "--check", str(patch))
    git(other, "fetch", "-q", str(bundle), "refs/heads/meta/gate:refs/heads/meta/gate")
    assert git(other, "rev-parse", "meta/gate") == git(workspace, "rev-parse", "meta/gate")


def test_the_commands_of_a_forge_are_named_only_where_its_program_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert branch.commands("gate") == ()
    (tmp_path / "gh").write_text("#!/bin/sh\n")
    (tmp_path / "gh").chmod(0o755)
    (command,) = branch.commands("gate")
    assert "gh pr create" in command


def test_a_workspace_inside_a_repository_keeps_to_its_folder(workspace: Path, gate: Tool) -> None:
    inner = workspace / "inner"
    inner.mkdir()
    propose(inner, gate)
    names = git(workspace, "diff", "--name-only", "HEAD", "meta/gate").split()
    assert names
    assert all(name.startswith("inner/") for name in names)
    lifecycle.accept(inner, "gate")
    assert (inner / "generated_tools/gate/tool.py").exists()


def test_a_merged_branch_leaves_a_registered_tool_that_can_be_retired(workspace: Path, gate: Tool) -> None:
    propose(workspace, gate)
    subprocess.run(["git", "merge", "-q", "--no-edit", "meta/gate"], cwd=workspace, check=True)
    assert states(workspace)["gate"] == "registered"
    lifecycle.retire(workspace, "gate")
    assert (workspace / "AGENTS.md").read_text() == "# House rules\n\nBe kind.\n"
