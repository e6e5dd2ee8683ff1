"""Flag over environment over project over user file, and mistakes are named with their file."""

import subprocess
import sys
from pathlib import Path

import pytest

from meta.config import Config, folders, load, workspace
from meta.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "src").mkdir()
    return root


def test_a_repository_with_meta_toml_is_a_workspace_from_any_folder_in_it(root: Path) -> None:
    (root / "meta.toml").write_text("weeks = 3")
    assert workspace(root / "src") == root
    assert load(root / "src", {}) == Config(root, weeks=3.0)


def test_a_table_in_pyproject_makes_a_workspace_too(root: Path) -> None:
    (root / "pyproject.toml").write_text("[tool.meta]\nmin_support = 5")
    assert load(root, {}) == Config(root, min_support=5)


@pytest.mark.parametrize("content", ["[tool.ruff]\nline-length = 100", "[tool.meta\n", "tool = 1"])
def test_a_repository_without_our_table_is_no_workspace(root: Path, content: str) -> None:
    (root / "pyproject.toml").write_text(content)
    assert workspace(root) is None


def test_a_folder_that_is_no_repository_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "meta.toml").touch()
    assert workspace(tmp_path) is None
    assert load(tmp_path, {}) == Config()


def test_a_worktree_whose_git_is_a_file_is_a_workspace(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "meta.toml").touch()
    assert workspace(tmp_path) == tmp_path


def test_nearer_settings_win(root: Path, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("weeks = 1\nmin_support = 1\nmin_sessions = 1\npolish_model = 'own'")
    (root / "meta.toml").write_text("weeks = 2.5\nmin_support = 2\nmin_sessions = 2")
    environment = {"META_WEEKS": "3.5", "META_MIN_SUPPORT": "4", "META_UNRELATED": "x", "META_MIN_SESSIONS": ""}
    config = load(root, environment, tmp_path, {"weeks": 5, "min_support": None})
    assert config == Config(root, weeks=5.0, min_support=4, min_sessions=2, polish_model="own")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("week = 1", r'unknown setting "week" in .*meta\.toml'),
        ("weeks = 'two'", r'"weeks" in .*meta\.toml must be a number'),
        ("weeks = true", r'"weeks" in .* must be a number'),
        ("min_support = 2.5", r'"min_support" in .* must be a whole number'),
        ("min_support = 0", "must be above zero"),
        ("weeks = nan", "must be above zero"),
        ("nudge = 1", '"nudge" in .* must be true or false'),
        ("nudge = 'yes'", '"nudge" in .* must be true or false'),
        ("weeks = ", "is not valid TOML"),
    ],
)
def test_a_mistake_names_the_key_and_the_file(root: Path, content: str, message: str) -> None:
    (root / "meta.toml").write_text(content)
    with pytest.raises(UserError, match=message):
        load(root, {})


def test_a_mistake_in_the_environment_names_the_variable(root: Path) -> None:
    with pytest.raises(UserError, match="META_WEEKS in the environment must be a number"):
        load(root, {"META_WEEKS": "two"})


@pytest.mark.parametrize(("text", "on"), [("true", True), ("1", True), ("False", False), ("0", False), ("", False)])
def test_a_switch_is_worded_in_the_environment_as_in_the_file(root: Path, text: str, on: bool) -> None:
    (root / "meta.toml").touch()
    assert load(root, {"META_NUDGE": text}).nudge == on
    with pytest.raises(UserError, match="META_NUDGE in the environment must be true or false"):
        load(root, {"META_NUDGE": "maybe"})


def test_folders_follow_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    assert folders().state == tmp_path / "STATE" / "meta"
    assert not (tmp_path / "STATE").exists()


def test_loading_the_module_loads_no_package_for_folders() -> None:
    program = "import sys, meta.config; sys.exit('platformdirs' in sys.modules or 'tomlkit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_model_for_polishing_is_a_name(tmp_path: Path) -> None:
    assert load(tmp_path, {"META_POLISH_MODEL": "claude-x-1"}).polish_model == "claude-x-1"
    with pytest.raises(UserError, match=r"polish_model.*must be a name"):
        load(tmp_path, {"META_POLISH_MODEL": "a b; c"})
