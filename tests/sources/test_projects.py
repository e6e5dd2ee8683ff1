import pytest

from meta.sources import project


@pytest.mark.parametrize(
    ("cwd", "name"),
    [
        ("/home/ada/engine", "engine"),
        ("/home/ada/engine/", "engine"),
        ("D:\\engine", "engine"),
        ("D:\\engine\\.claude\\worktrees\\heuristic-robinson-e44709", "engine"),
        ("/home/ada/engine.worktrees/fix-valve", "engine"),
        ("/home/ada/engine__worktrees/fix/.results/run-1", "engine"),
        ("/home/ada/engine-worktrees/fix", "engine"),
        ("/home/ada/engine/.worktrees/fix", "engine"),
        ("/home/ada/engine/worktrees/fix/src", "engine"),
        ("/home/ada/engine/.conductor/lima", "engine"),
        ("/home/ada/conductor/workspaces/engine/lima", "engine"),
        ("/home/ada/.codex/worktrees/1f3a/engine", "engine"),
        ("C:\\Users\\ada\\.codex\\worktrees\\1f3a\\engine", "engine"),
        ("/home/ada/.cursor/worktrees/engine/x1", "engine"),
        ("/home/ada/worktrees", "worktrees"),
        ("/home/ada/.git-worktrees-notes", ".git-worktrees-notes"),
    ],
)
def test_a_folder_names_its_project_and_a_worktree_its_repository(cwd: str, name: str) -> None:
    assert project(cwd, "", "/tmp/x.jsonl") == name


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://example.org/ada/engine.git", "engine"),
        ("git@example.org:ada/engine.git", "engine"),
        ("ssh://git@example.org/ada/engine/", "engine"),
        ("ada/engine", "engine"),
    ],
)
def test_a_remote_names_the_project_whatever_the_folder_is_called(remote: str, name: str) -> None:
    assert project("/home/ada/checkout-2", remote, "") == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/ada/engine/.specstory/history/2026-01-05-tests.md", "engine"),
        ("/srv/engine/.codex/sessions/2026/01/05/rollout-1.jsonl", "engine"),
        ("/srv/engine/5973b6c0-94b8-487b-a530-2aeb6098ae0e/subagents/agent-1.jsonl", "engine"),
        ("engine/run.traj", "engine"),
        ("run.traj", ""),
        ("/run.traj", ""),
    ],
)
def test_without_a_folder_the_place_of_the_file_names_it_but_no_folder_of_an_agent(path: str, name: str) -> None:
    assert project("", "", path) == name
