"""A hook notes its session and is gone; a worker makes tools of what was noted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meta import config, spool, worker
from tests.cli.conftest import git
from tests.doors.conftest import transcript

MODULES = "import sys; from meta.cli import main; main(['hook']); print(*sys.modules, file=sys.stderr)"


def hook(call: object, folder: Path, **environment: str) -> tuple[str, list[str], set[str]]:
    """What the hook printed, what it complained of, and the modules that it had loaded."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES],
        input=call if isinstance(call, str) else json.dumps(call),
        cwd=folder, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    *complaints, modules = done.stderr.splitlines()
    return done.stdout, complaints, set(modules.split())


def call(workspace: Path, event: str = "Stop", session: str = "s1", **more: Any) -> dict[str, Any]:
    return {"session_id": session, "transcript_path": f"/t/{session}.jsonl", "cwd": str(workspace), **more,
            "hook_event_name": event}  # fmt: skip


@pytest.mark.parametrize("event", ["Stop", "AfterAgent"])
def test_a_turn_that_ends_is_noted_once_a_session_and_says_nothing(workspace: Path, event: str) -> None:
    for _ in range(2):
        printed, complaints, _ = hook(call(workspace, event), workspace)
        assert (printed, complaints) == ("", [])
    assert [job for _, job in spool.jobs(workspace)] == [spool.Job("s1", "/t/s1.jsonl")]


def test_nothing_of_what_was_said_and_no_key_is_kept(workspace: Path) -> None:
    hook(call(workspace, last_assistant_message="sesame", prompt="sesame"), workspace, GEMINI_API_KEY="sesame")
    kept = [path.read_bytes() for path in (workspace / ".meta").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"sesame" in content for content in kept)


def test_only_the_standard_library_is_loaded(workspace: Path) -> None:
    loaded = {name.split(".")[0] for name in hook(call(workspace), workspace)[2]}
    foreign = {name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert foreign <= {"meta", "sitecustomize", "usercustomize"}
    assert "meta" in foreign
    assert "argparse" not in loaded


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"cwd": 3}', '{"hook_event_name": "SessionEnd"}', '"x"', "\x00" * 9, "9" * 5000]
)
def test_a_call_that_is_none_changes_nothing_and_succeeds(workspace: Path, text: str) -> None:
    assert hook(text, workspace)[0] == ""
    assert spool.jobs(workspace) == []


def test_outside_of_a_workspace_nothing_is_noted(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    hook(call(tmp_path, "SessionEnd"), tmp_path)
    assert not (tmp_path / ".meta").exists()


@pytest.mark.parametrize("name", ["../../evil", "a/b", "", "x" * 400, "ü\ud800", "NUL\0"])
def test_a_job_stays_in_its_folder_whatever_its_session_is_called(workspace: Path, name: str) -> None:
    path = spool.put(workspace, spool.Job(name, "/t"))
    assert path.parent == workspace / spool.PLACE
    assert [job.session for _, job in spool.jobs(workspace)] == [name]


def test_what_is_no_job_is_put_aside(workspace: Path) -> None:
    folder = spool.put(workspace, spool.Job("good", "/t")).parent
    (folder / "half.json").write_text('{"session": "a"')
    assert [job.session for _, job in spool.jobs(workspace)] == ["good"]
    assert spool.counts(workspace) == (1, 1)


def test_the_sessions_that_were_noted_become_a_proposed_tool(workspace: Path, tmp_path: Path) -> None:
    for number in range(8):
        spool.put(workspace, spool.Job(f"s{number}", str(transcript(tmp_path / "agent", number))))
    done = worker.work_off(config.load(workspace, {}), wait=lambda seconds: None)
    assert done == worker.WorkedOff(done=8, failed=0)
    assert spool.counts(workspace) == (0, 0)
    assert len(list((workspace / "conversation-archive").rglob("*.json"))) == 8
    assert "meta/" in git(workspace, "branch", "--list", "meta/*")


def test_two_sessions_are_worked_off_and_nothing_is_proposed(workspace: Path, tmp_path: Path) -> None:
    for number in range(2):
        spool.put(workspace, spool.Job(f"s{number}", str(transcript(tmp_path / "agent", number))))
    assert worker.work_off(config.load(workspace, {}), wait=lambda seconds: None).done == 2
    assert git(workspace, "branch", "--list", "meta/*") == ""


def test_a_session_that_fails_each_time_is_put_aside_and_holds_up_no_other(workspace: Path, tmp_path: Path) -> None:
    spool.put(workspace, spool.Job("s0", str(transcript(tmp_path / "agent", 0))))
    (workspace / ".meta" / "store.sqlite").mkdir()  # cannot be used as an index
    waited: list[float] = []
    assert worker.work_off(config.load(workspace, {}), wait=waited.append) == worker.WorkedOff(0, 1)
    assert waited == list(worker.PAUSES)
    assert spool.counts(workspace) == (0, 1)


def test_the_end_of_a_session_starts_a_worker_that_outlives_the_hook(workspace: Path, tmp_path: Path) -> None:
    path = transcript(tmp_path / "agent", 0)
    assert hook({**call(workspace, "SessionEnd"), "transcript_path": str(path)}, workspace)[1] == []
    deadline = 60.0
    while deadline > 0 and spool.counts(workspace)[0]:
        subprocess.run(["sleep", "0.2"], check=True)
        deadline -= 0.2
    log = (workspace / ".meta" / "worker.log").read_text()
    assert "1 sessions worked off, 0 put aside" in log or spool.counts(workspace) == (0, 0), log
    assert len(list((workspace / "conversation-archive").rglob("*.json"))) == 1
