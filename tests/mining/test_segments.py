"""A session is cut where a new task begins, and its events become steps."""

import pytest

from meta.mining.segments import continues, segments
from meta.model import Event, Session


def prompt(text: str, time: float = 0.0) -> Event:
    return Event(f"p{time}{text}", "prompt", time, text)


def call(command: str, time: float = 0.0, **more: object) -> Event:
    return Event(f"c{time}{command}", "call", time, command, "Bash", "shell", status="ok", **more)  # type: ignore[arg-type]


def cut(*events: Event) -> list[list[str]]:
    found = segments(Session("a", "s", events, cwd="/home/me/repo"))
    return [[step.head for step in segment.steps] for segment in found]


def test_a_new_prompt_begins_a_new_segment() -> None:
    assert cut(prompt("test it"), call("make test"), prompt("now deploy"), call("make deploy")) == [
        ["make test"],
        ["make deploy"],
    ]


@pytest.mark.parametrize("word", ["continue", "Yes, go on.", "ok", "weiter", "proceed", "1", "go ahead please", "继续"])
def test_a_prompt_that_only_says_to_go_on_joins_what_was_before(word: str) -> None:
    assert continues(word)
    assert cut(prompt("test it"), call("make test"), prompt(word), call("make lint")) == [["make test", "make lint"]]


@pytest.mark.parametrize(
    "text", ["commit", "continue with the parser", "fix the tests", "no", "yes but use the other file"]
)
def test_a_prompt_with_a_task_of_its_own_does_not(text: str) -> None:
    assert not continues(text)


def test_long_idling_ends_a_task_and_a_short_pause_does_not() -> None:
    assert cut(prompt("x"), call("make a", 0.0), call("make b", 60.0), call("make c", 60.0 + 3600)) == [
        ["make a", "make b"],
        ["make c"],
    ]


def test_a_call_that_did_not_run_is_no_step() -> None:
    refused = Event("r", "call", 1.0, "make test", "Bash", "shell", status="not-run")
    assert cut(prompt("x"), refused) == []


def test_only_the_last_command_of_a_call_has_its_status() -> None:
    both = Event("b", "call", 1.0, "make a && make b", "Bash", "shell", status="failed", seconds=4.0)
    steps = segments(Session("a", "s", (both,)))[0].steps
    assert [step.status for step in steps] == ["unknown", "unknown"]
    assert [step.seconds for step in steps] == [2.0, 2.0]


def test_edits_are_kept_apart_from_commands_by_class_of_file() -> None:
    edit = Event("e", "call", 1.0, "", "Edit", "edit", {"file_path": "/home/me/repo/x/a.py"}, "ok")
    steps = segments(Session("a", "s", (edit, call("make test", 2.0))))[0].steps
    assert [(step.kind, step.head) for step in steps] == [("edit", "edit *.py"), ("command", "make test")]


@pytest.mark.parametrize(
    ("cwd", "command", "directory"),
    [
        ("/home/me/repo", "make", ""),
        ("/home/me/repo/web", "make", "web"),
        ("/home/me/repo", "cd web && make", "web"),
        ("/home/me/repo/web", "cd .. && make", ""),
        ("/home/me/repo", "cd /tmp/x && make", "/tmp/x"),
    ],
)
def test_where_a_step_ran_is_told_relative_to_the_project(cwd: str, command: str, directory: str) -> None:
    segment = segments(Session("a", "s", (call(command, 0.0, cwd=cwd),), cwd="/home/me/repo"))[0]
    assert segment.steps[0].directory == directory


@pytest.mark.parametrize(
    ("root", "cwd", "command", "directory"),
    [
        ("D:\\x", "D:\\x\\src", "make", "src"),
        ("D:\\x", "/d/x/src", "make", "src"),
        ("/d/x", "d:\\x", "make", ""),
        ("D:\\x", "D:\\x", "cd /d/x/src && make", "src"),
        ("D:\\x", "D:\\x", "cd 'E:\\x\\src' && make", "E:/x/src"),
        ("/d/x", "/e/x/src", "make", "/e/x/src"),
    ],
)
def test_the_folders_of_a_drive_are_one_however_they_are_written(
    root: str, cwd: str, command: str, directory: str
) -> None:
    segment = segments(Session("a", "s", (call(command, 0.0, cwd=cwd),), cwd=root))[0]
    assert segment.steps[0].directory == directory


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("make test", "ok"),
        ("make test 2>&1", "ok"),
        ("cat a | python b.py", "ok"),
        ("make test | tail", "unknown"),
        ("make test | tee log", "unknown"),
        ("make test || true", "unknown"),
    ],
)
def test_success_is_only_known_of_what_the_status_comes_from(command: str, status: str) -> None:
    assert segments(Session("a", "s", (call(command),)))[0].steps[0].status == status
