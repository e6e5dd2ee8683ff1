"""What a user or a machine gets wrong is one line that says what to do next, and status 1; wrong usage is 2."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meta.cli import GROUPS, main
from tests.cli.conftest import SAMPLE, Desk, git, meta, session, snapshot, write

COMMANDS = [command for _, commands in GROUPS for command in commands]
SERVE = ("serve",)  # speaks JSON already, and only to programs
IN_A_WORKSPACE = {
    "extract": [], "build": ["x"], "verify": ["x"], "review": ["x"], "accept": ["x"], "reject": ["x"], "retire": ["x"], "undo": [],
    "tools": [], "status": [], "rebuild": [],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(desk: Desk, command: str) -> None:
    text = desk(command, "--help")
    assert f"usage: meta {command}" in text
    assert ("--json" in text) == (command not in SERVE)


def test_help_lists_every_command_and_nothing_is_wrong_usage(desk: Desk) -> None:
    text = desk("--help")
    assert all(f"  {command} " in text for command in COMMANDS)
    assert desk(exit=2) == text
    assert desk("--version").startswith("meta ")


def test_every_file_of_the_front_desk_is_in_the_help() -> None:
    import meta.cli

    files = {path.stem for path in Path(str(meta.cli.__file__)).parent.glob("*.py")}
    assert files - {"__init__", "desk"} == set(COMMANDS)


@pytest.mark.parametrize("arguments", [["nonsense"], ["mine", "--nonsense"], ["accept"], ["extract", "--most", "x"]])
def test_wrong_usage_is_2(desk: Desk, arguments: list[str]) -> None:
    assert desk(*arguments, exit=2) == ""


def test_a_command_misspelt_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extrakt"]) == 2
    assert "extract" in capsys.readouterr().err


@pytest.mark.parametrize("command", IN_A_WORKSPACE)
def test_outside_of_a_workspace_the_way_into_one_is_told(desk: Desk, repository: Path, command: str) -> None:
    before = snapshot(repository)
    assert "meta init" in desk.complaint(command, *IN_A_WORKSPACE[command])
    assert snapshot(repository) == before


def test_init_wants_a_git_repository(desk: Desk) -> None:
    assert "git init" in desk.complaint("init")


@pytest.mark.parametrize("command", ["init", "mine"])
def test_without_git_the_missing_program_is_named_or_not_needed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, sessions: Path, command: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    if command == "mine":
        assert "worth building" in desk("mine", sessions)
    else:
        assert "Install git" in desk.complaint("init")


def test_a_path_that_does_not_exist_is_named(desk: Desk, tmp_path: Path) -> None:
    for command in (["mine"], ["scan"], ["show", "x"]):
        assert str(tmp_path / "gone") in desk.complaint(*command, tmp_path / "gone")


def test_a_workspace_that_is_no_folder_is_named(desk: Desk, tmp_path: Path) -> None:
    assert str(tmp_path / "gone") in desk.complaint("status", "--workspace", tmp_path / "gone")


def test_an_empty_folder_holds_nothing_and_that_is_no_error(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = desk.json("mine", tmp_path / "empty")
    assert (found["sessions"], found["workflows"]) == (0, [])
    assert "No sessions were found" in desk("scan", tmp_path / "empty")
    assert "meta scan" in desk("mine", tmp_path / "empty")


def test_files_of_no_known_format_are_counted_and_the_others_are_read(desk: Desk, sessions: Path) -> None:
    (sessions / "a.txt").write_text("hello\n")
    (sessions / "b.bin").write_bytes(bytes(range(256)))
    (sessions / "c.json").write_text("")
    found = desk.json("mine", sessions)
    assert (found["sessions"], found["skipped"]) == (8, {"unknown format": 3})


def test_a_file_that_cannot_be_read_is_counted_and_the_others_are_read(desk: Desk, sessions: Path) -> None:
    # A device in its place fails for root as well, where a file's mode would not.
    (sessions / "s0.json").unlink()
    (sessions / "s0.json").symlink_to("/proc/self/mem")
    found = desk.json("mine", sessions)
    assert (found["sessions"], found["skipped"]) == (7, {"unreadable": 1})


def test_a_link_to_nowhere_is_passed_over(desk: Desk, sessions: Path) -> None:
    (sessions / "dangling.json").symlink_to("/nowhere/at/all")
    (sessions / "round").symlink_to(sessions)
    assert desk.json("mine", sessions)["sessions"] == 8


def test_an_unknown_workflow_is_told_with_the_closest_name(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    name = desk.json("mine", sessions)["workflows"][0]["name"]
    for command in ("show", "build"):
        assert f'Did you mean "{name}"?' in desk.complaint(command, f"{name}x", sessions)
        assert "Did you mean" not in desk.complaint(command, "zzzz", sessions)


@pytest.mark.parametrize("command", ["verify", "accept", "reject", "retire"])
def test_an_unknown_tool_is_told_with_the_list_to_look_at(desk: Desk, repository: Path, command: str) -> None:
    desk("init")
    assert "`meta tools`" in desk.complaint(command, "nothing-like-it")
    if command in {"accept", "reject", "retire"}:
        assert "nothing-like-it" in desk.complaint(command, "nothing-like-it", "--dry-run")


def test_an_unknown_project_is_told_with_the_known_ones(desk: Desk, sessions: Path) -> None:
    assert "Known are: shop." in desk.complaint("mine", sessions, "--project", "shopp")
    assert desk.json("mine", sessions, "--project", "shop")["sessions"] == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("weeks = = 2\n", "not valid TOML", id="broken"),
        pytest.param("weeks = 'two'\n", '"weeks"', id="a number that is text"),
        pytest.param("wekes = 2\n", '"wekes"', id="an unknown key"),
        pytest.param("weeks = 0\n", "above zero", id="out of range"),
        pytest.param(b"weeks = 2 # \xff\n", "not valid TOML", id="not UTF-8"),
    ],
)
def test_broken_settings_name_the_file_and_the_place(
    desk: Desk, repository: Path, sessions: Path, text: str | bytes, told: str
) -> None:
    (repository / "meta.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    for command in (["status"], ["mine", str(sessions)], ["tools"]):
        line = desk.complaint(*command)
        assert "meta.toml" in line
        assert told in line


def test_a_broken_setting_of_the_environment_is_named(
    desk: Desk, sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_WEEKS", "soon")
    assert "META_WEEKS" in desk.complaint("mine", sessions)


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(desk: Desk, sessions: Path, home: Path) -> None:
    expected = desk("mine", sessions, "--json")
    shutil.rmtree(home / "cache")
    (home / "cache").write_text("a file where the folder should be\n")
    assert desk("mine", sessions, "--json") == expected


def test_a_damaged_cache_costs_time_and_nothing_else(desk: Desk, sessions: Path, home: Path) -> None:
    expected = desk("mine", sessions, "--json")
    for file in (home / "cache").rglob("*.sqlite*"):
        file.write_bytes(b"no database " * 1000)
    assert desk("mine", sessions, "--json") == expected


def test_a_state_folder_that_cannot_be_written_is_told(desk: Desk, sessions: Path, home: Path) -> None:
    (home / "state").write_text("a file where the folder should be\n")
    assert str(home / "state") in desk.complaint("mine", sessions)


def test_another_run_at_work_is_told(desk: Desk, repository: Path) -> None:
    import fcntl

    desk("init")
    with (repository / ".meta" / "lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another meta" in desk.complaint("rebuild")
    desk("rebuild")


def test_a_damaged_index_is_told_and_rebuild_mends_it(desk: Desk, repository: Path, sessions: Path) -> None:
    desk("init")
    desk("extract", sessions, "--most", "0")
    for beside in (repository / ".meta").glob("store.sqlite-*"):
        beside.unlink()
    (repository / ".meta" / "store.sqlite").write_bytes(b"no database " * 1000)
    assert "meta rebuild" in desk.complaint("status")
    desk("rebuild")
    assert desk.json("status")["sessions"] == 8


def test_a_folder_that_is_no_repository_is_told_as_a_program_too(tmp_path: Path) -> None:
    done = meta("init", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("meta: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_hears_nothing_more(tmp_path: Path) -> None:
    many = write(tmp_path / "many", *(session(number) for number in range(40)))
    for arguments in (["mine", str(many), "--json"], ["--help"], ["mine", str(many)]):
        running = subprocess.Popen(
            [sys.executable, "-m", "meta", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
        running.stderr.close()
        assert running.wait(60) in {0, 1}


def test_an_interrupted_command_says_so_and_leaves_no_traceback(tmp_path: Path) -> None:
    # A pipe without a writer holds the reading until the interrupt comes.
    fifo = tmp_path / "sessions.jsonl"
    os.mkfifo(fifo)
    running = subprocess.Popen(
        [sys.executable, "-m", "meta", "mine", str(fifo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background job, as which these tests may run, hands on that interrupts are ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        writer = os.open(fifo, os.O_WRONLY)  # returns when the command has opened its end
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
        os.close(writer)
    finally:
        running.kill()
    assert (running.returncode, out) == (130, "")
    assert err == "meta: interrupted; what was finished is kept\n"


def test_the_bundled_sample_is_read_whole(desk: Desk) -> None:
    found = desk.json("scan", SAMPLE)
    assert [(each["project"], each["sessions"]) for each in found["found"]] == [("sample", 19)]
    assert found["skipped"] == {}


def test_doctor_names_what_is_missing(desk: Desk, repository: Path) -> None:
    text = desk("doctor", exit=1)
    assert "meta init" in text
    desk("init")
    found = {row["name"]: row["ok"] for row in desk.json("doctor", exit=1)}
    assert found["workspace"]
    assert not found["sessions"]
    git(repository, "status")
