from pathlib import Path

import pytest

from meta.model import Event, Session, Usage
from meta.sources.aider import read, source

HEADER = "\n# aider chat started at 2025-07-15 14:53:34\n\n"


def sessions(tmp_path: Path, text: str, typed: str = "") -> list[Session]:
    path = tmp_path / ".aider.chat.history.md"
    path.write_text(text.replace("\n", "  \n"))  # aider ends its own lines with two blanks
    if typed:
        (tmp_path / ".aider.input.history").write_text(typed)
    return list(read(path))


def events(tmp_path: Path, text: str, typed: str = "") -> tuple[Event, ...]:
    (found,) = sessions(tmp_path, HEADER + text, typed)
    return found.events


def test_a_header_starts_a_session(tmp_path: Path) -> None:
    found = sessions(tmp_path, HEADER + "#### a\n" + HEADER + "#### b\n" + HEADER.replace("15", "16"))
    assert [session.id for session in found] == ["2025-07-15T14:53:34", "2025-07-15T14:53:34#2", "2025-07-16T14:53:34"]
    assert [len(session.events) for session in found] == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("> Run shell command? (Y)es/(N)o [Yes]: y  \n> Running git push  \n", "git push"),
        ("#### /run make x\n", "make x"),
        ("#### !make x\n", "make x"),
        ("#### /test pytest -q\n", "pytest -q"),
        ("#### /git status\n", "git status"),
    ],
)
def test_a_command_that_was_run_is_a_shell_call(tmp_path: Path, text: str, command: str) -> None:
    (event,) = events(tmp_path, text)
    assert (event.kind, event.tool_kind, event.text, event.status) == ("call", "shell", command, "unknown")


@pytest.mark.parametrize(
    "text", ["> make x\n> Run shell command? (Y)es/(N)o [Yes]: n\n", "> Added a.py to the chat.\n"]
)
def test_a_command_that_was_only_offered_is_none(tmp_path: Path, text: str) -> None:
    assert events(tmp_path, text) == ()


def test_what_follows_a_message_belongs_to_it_and_its_tokens_are_counted_once(tmp_path: Path) -> None:
    found = events(
        tmp_path,
        "> Main model: gpt-4o with diff edit format\n#### fix\n\nI fix it.\n\n"
        "> Tokens: 3.2k sent, 1k cache write, 2k cache hit, 66 received. Cost: $0.01 message.\n"
        "> Applied edit to a.py\n> Commit dde0244 fix: a\n",
    )
    assert [(event.kind, event.tool_kind, event.text) for event in found] == [
        ("prompt", "other", "fix"),
        ("note", "other", "I fix it."),
        ("call", "edit", ""),
        ("call", "commit", "fix: a"),
    ]
    assert [event.usage for event in found] == [None, Usage(200, 66, 2000, 1000), None, None]
    assert len({event.message for event in found[1:]}) == 1
    assert (found[2].arguments, found[3].arguments) == ({"file_path": "a.py"}, {"commit": "dde0244"})
    assert {event.model for event in found[1:]} == {"gpt-4o"}


def test_the_input_history_beside_it_tells_when_a_prompt_was_typed(tmp_path: Path) -> None:
    typed = "\n# 2025-07-15 14:00:00.0\n+fix\n\n# 2025-07-15 15:00:00.0\n+fix\n+it\n\n# 2025-07-15 15:10:00.0\n+fix\n"
    found = events(tmp_path, "#### fix\n#### it\n\nDone.\n\n#### fix\n", typed)
    start = sessions(tmp_path, HEADER + "#### other\n")[0].events[0].time
    assert start is not None
    assert [event.time for event in found] == [start + 386, start + 386, start + 986]


def test_the_input_history_is_read_alone_only_without_the_chat(tmp_path: Path) -> None:
    path = tmp_path / ".aider.input.history"
    path.write_text(
        "\n# 2025-07-15 14:00:00.0\n+/run ls\n\n# 2025-07-15 14:01:00.0\n+Y\n\n# 2025-07-15 16:00:00.0\n+a\n+b\n"
    )
    assert source.sniff(path, path.read_bytes())
    assert [[event.text for event in session.events] for session in read(path)] == [["ls"], ["a\nb"]]
    (tmp_path / ".aider.chat.history.md").write_text(HEADER)
    assert list(read(path)) == []


def test_the_history_of_another_program_is_not_taken_for_aiders(tmp_path: Path) -> None:
    assert not source.sniff(tmp_path / ".pgcli_history", b"\n# 2025-07-15 14:00:00.0\n+select 1\n")
    assert not source.sniff(tmp_path / "README.md", b"# aider\n\nA chat.\n")


def test_a_session_ran_at_the_root_of_the_repository(tmp_path: Path) -> None:
    told = HEADER + "> Git working dir: C:\\work\\engine\n> Cur working dir: C:\\work\\engine\\src\n#### a\n"
    assert sessions(tmp_path, told)[0].cwd == "C:\\work\\engine"
    assert sessions(tmp_path, HEADER + "#### a\n")[0].cwd == ""
    (tmp_path / ".git").mkdir()
    assert sessions(tmp_path, HEADER + "#### a\n")[0].cwd == str(tmp_path)


ASKED = "> Run shell command? (Y)es/(N)o [Yes]: {}  \n"


@pytest.mark.parametrize(
    ("text", "ran"),
    [
        pytest.param(ASKED.format("y") + "> Running make x  \n", ["make x"], id="asked"),
        pytest.param(ASKED.format("y") + "> Running a  \n> Running b  \n", ["a", "b"], id="asked once for two"),
        pytest.param(ASKED.format("n") + "\n#### no\n", [], id="refused"),
        pytest.param("It says:\n> Running make x  \n", [], id="nobody was asked"),
        pytest.param("It says:\n```\n" + ASKED.format("y") + "> Running make x  \n```\n", [], id="in a fence"),
        pytest.param(
            f"```\n```bash\nx\n```\n{ASKED.format('y')}> Running make x  \n```\n", [], id="in a fence around one"
        ),
    ],
)
def test_a_command_was_run_only_where_a_person_was_asked(tmp_path: Path, text: str, ran: list[str]) -> None:
    found = events(tmp_path, f"#### go\n\n{text}")
    assert [event.text for event in found if event.tool_kind == "shell"] == ran


def test_a_session_older_than_the_one_around_it_is_quoted(tmp_path: Path) -> None:
    older = HEADER.replace("2025-07-15", "2025-07-14") + ASKED.format("y") + "> Running make x  \n"
    newer = HEADER.replace("2025-07-15", "2025-07-16") + ASKED.format("y") + "> Running make y  \n"
    found = sessions(tmp_path, HEADER + "#### a\n" + older + newer)
    assert [session.id[:10] for session in found] == ["2025-07-15", "2025-07-16"]
    assert [event.text for session in found for event in session.events if event.tool_kind == "shell"] == ["make y"]
