"""An archived session is a valid ATIF trajectory and reads back identical."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import atif
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta import archive
from meta.model import Event, Session, Usage
from tests.services.sessions import events, sessions, texts

CALL = Event(
    id="toolu_1", kind="call", time=1_700_000_000.25, text="pytest -q", tool="Bash", tool_kind="shell",
    arguments={"description": "Run tests"}, status="failed", exit_code=1, seconds=2.5, output="1 failed",
    message="msg_1", usage=Usage(3, 5, 100, 7), model="m-1", cwd="/p",
)  # fmt: skip
SESSION = Session(
    "claude-code", "s-1", (Event("u1", "prompt", 1_699_999_999.0, "run the tests"), CALL), "project", "/p"
)


@given(sessions())
def test_every_session_reads_back_identical(session: Session) -> None:
    assert archive.session(json.loads(archive.dumps(session))) == session


@given(sessions(text=texts(surrogates=False)))
def test_every_session_is_a_valid_trajectory(session: Session) -> None:
    trajectory = atif.Trajectory.model_validate_json(archive.dumps(session))
    assert trajectory.to_json_dict()["steps"] == json.loads(archive.dumps(session))["steps"]


def test_other_readers_find_the_parts_in_their_places() -> None:
    trajectory = atif.Trajectory.model_validate_json(archive.dumps(SESSION))
    prompt, step = trajectory.steps
    assert (trajectory.session_id, trajectory.agent.name, trajectory.agent.model_name) == ("s-1", "claude-code", "m-1")
    assert (prompt.source, prompt.message) == ("user", "run the tests")
    assert (step.source, step.model_name, step.timestamp) == ("agent", "m-1", "2023-11-14T22:13:20.250000Z")
    assert step.tool_calls
    assert step.tool_calls[0].function_name == "Bash"
    assert step.tool_calls[0].arguments == {"command": "pytest -q", "description": "Run tests"}
    assert step.observation
    assert step.observation.results[0].content == "1 failed"
    assert step.metrics
    assert (step.metrics.prompt_tokens, step.metrics.cached_tokens, step.metrics.completion_tokens) == (110, 100, 5)


def test_calls_of_one_message_are_one_step_and_others_are_not() -> None:
    second, other = replace(CALL, id="toolu_2", usage=None), replace(CALL, id="toolu_3", message="msg_2")
    session = replace(SESSION, events=(CALL, second, other))
    document = json.loads(archive.dumps(session))
    assert [len(step["tool_calls"]) for step in document["steps"]] == [2, 1]
    assert archive.session(document) == session


def test_calls_without_a_message_are_steps_of_their_own() -> None:
    session = replace(SESSION, events=(replace(CALL, message=""), replace(CALL, id="2", message="")))
    assert len(json.loads(archive.dumps(session))["steps"]) == 2


@given(events())
def test_the_order_of_arguments_does_not_change_the_bytes(event: Event) -> None:
    turned = replace(event, arguments=dict(reversed(list(event.arguments.items()))))
    assert archive.dumps(replace(SESSION, events=(event,))) == archive.dumps(replace(SESSION, events=(turned,)))


def test_writing_twice_leaves_the_same_one_file_untouched(tmp_path: Path) -> None:
    path = archive.write(tmp_path, SESSION)
    before = path.stat()
    assert archive.write(tmp_path, SESSION) == path == tmp_path / "project" / "claude-code-2023-11-14-s-1.json"
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize("identifier", ["../../etc/passwd", "a/b", "", ".", "x" * 300, "\ud800", "a b"])
def test_no_name_leaves_the_folder(tmp_path: Path, identifier: str) -> None:
    hostile = replace(SESSION, id=identifier, project=identifier, agent=identifier)
    path = archive.write(tmp_path, hostile)
    assert path.parent.parent == tmp_path
    assert archive.session(json.loads(path.read_bytes())) == hostile


def test_names_that_differ_only_in_what_is_unfit_do_not_meet() -> None:
    assert archive.name(replace(SESSION, id="a/b")) != archive.name(replace(SESSION, id="a b"))


def test_a_session_without_times_has_no_day() -> None:
    assert archive.name(replace(SESSION, events=())).name == "claude-code-undated-s-1.json"


@pytest.mark.parametrize("document", [[], {}, {"extra": {}}, {"extra": None, "schema_version": "ATIF-v1.8"}])
def test_what_others_wrote_is_not_ours(document: object) -> None:
    assert not archive.ours(document)


@given(st.data())
def test_a_damaged_document_is_a_value_error(data: st.DataObject) -> None:
    document = json.loads(archive.dumps(SESSION))
    step = document["steps"][data.draw(st.integers(0, 1))]
    part = data.draw(st.sampled_from([document, step]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(st.sampled_from([None, 1, "x", [], {}, [1]]))
    with contextlib.suppress(ValueError):
        assert isinstance(archive.session(document), Session)
