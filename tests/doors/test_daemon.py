"""The daemon finds what changes, tells once, is alone, answers, and can be started and stopped."""

from __future__ import annotations

import os
import plistlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from meta import config, flow, sources
from meta.daemon import control, loop, notices, reach, units
from meta.daemon.loop import Rhythm
from meta.errors import UserError
from meta.store import Store
from tests.cli.conftest import git, meta
from tests.doors.conftest import kept

QUICK = Rhythm(quiet=0.1, longest=1.0, look=1.0, full=600.0)
SLOW = Rhythm(quiet=0.1, longest=1.0, soon=600.0, look=600.0, full=600.0)


def until(met: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it became true; how long that takes is the machine's affair."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if met():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def watching(workspace: Path, rhythm: Rhythm) -> Iterator[list[str]]:
    """The lines that a daemon in a thread of this process logs."""
    stop, lines = threading.Event(), list[str]()
    settings = config.load(workspace, {})
    thread = threading.Thread(target=loop.watch, args=(settings, stop), kwargs={"rhythm": rhythm, "log": lines.append})
    thread.start()
    try:
        yield lines
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def indexed(workspace: Path) -> int:
    place = workspace / ".meta" / "store.sqlite"
    if not place.exists():
        return 0
    with Store(place) as store:
        return sum(bool(session.events) for session in store.sessions(sources.merge))


@pytest.mark.parametrize("rhythm", [pytest.param(SLOW, id="by a hint"), pytest.param(QUICK, id="or by looking")])
def test_a_session_that_is_written_is_soon_in_the_index(workspace: Path, home: Path, rhythm: Rhythm) -> None:
    kept(home, 0)
    with watching(workspace, rhythm):
        assert until(lambda: indexed(workspace) == 1)
        kept(home, 1)
        assert until(lambda: indexed(workspace) == 2)


def test_what_becomes_worth_a_tool_is_told_once_and_nothing_is_built(workspace: Path, home: Path) -> None:
    for number in range(8):
        kept(home, number)
    with watching(workspace, QUICK) as lines:
        assert until(lambda: any("is worth a tool" in line for line in lines))
        kept(home, 8)
        assert until(lambda: indexed(workspace) == 9)
    assert sum("is worth a tool" in line for line in lines) == 1
    (waiting,) = notices.waiting(workspace)
    told = meta("status", folder=workspace).stdout
    assert waiting.line in told
    assert git(workspace, "branch", "--list", "meta/*") == ""


def test_what_is_not_worth_a_tool_is_not_told(workspace: Path, home: Path) -> None:
    for number in range(2):
        kept(home, number)
    with watching(workspace, QUICK) as lines:
        assert until(lambda: indexed(workspace) == 2)
    assert not any("is worth a tool" in line for line in lines)
    assert notices.waiting(workspace) == ()
    assert "waiting" not in meta("status", folder=workspace).stdout


def test_a_second_notice_waits_a_day(workspace: Path, home: Path) -> None:
    for number in range(8):
        kept(home, number)
    (first, *_) = flow.candidates(config.load(workspace, {}))
    other = replace(first, id="wf:other", name="other")
    assert [notice.name for notice in notices.note(workspace, [first], 0.0)] == [first.name]
    assert notices.note(workspace, [first, other], 3600.0) == ()
    assert [notice.name for notice in notices.note(workspace, [first, other], notices.DAY)] == ["other"]
    assert notices.note(workspace, [first, other], 9 * notices.DAY) == ()
    (workspace / notices.PLACE).write_text("{half")
    assert notices.waiting(workspace) == ()


def test_files_tell_apart_what_changed_from_what_did_not(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        path.write_text("x")
    before = loop.told(paths)
    assert loop.told(paths) == before
    paths[0].write_text("xy")
    assert loop.told(paths) != before
    assert loop.told(paths[1:]) != loop.told(paths)
    paths[0].unlink()
    assert loop.told(paths) == loop.told(paths[1:])


def test_a_second_daemon_is_refused_in_one_line(workspace: Path, home: Path) -> None:
    with watching(workspace, SLOW) as lines:
        assert until(lambda: bool(lines))
        with pytest.raises(UserError, match="another meta"):
            loop.watch(config.load(workspace, {}), threading.Event())


def test_of_eight_starts_at_once_one_lives_and_a_killed_one_is_replaced(workspace: Path, home: Path) -> None:
    argv = [sys.executable, "-m", "meta", "watch", "--workspace", str(workspace)]
    starts = [subprocess.Popen(argv, stderr=subprocess.DEVNULL, start_new_session=True) for _ in range(8)]
    try:
        assert until(lambda: sum(one.poll() is None for one in starts) == 1 and reach.ask(workspace) is not None)
        told = reach.ask(workspace)
        (lives,) = [one for one in starts if one.poll() is None]
        assert told is not None
        assert told["pid"] == lives.pid
        os.kill(lives.pid, signal.SIGKILL)
        lives.wait(10)
        assert reach.ask(workspace) is None
        assert control.start(config.load(workspace, {})).running
        assert (reach.ask(workspace) or {})["pid"] != lives.pid
    finally:
        control.stop(config.load(workspace, {}))
        for one in starts:
            one.kill()
            one.wait(10)


def test_the_daemon_starts_answers_and_stops(workspace: Path, home: Path) -> None:
    settings = config.load(workspace, {})
    assert not control.status(settings).running
    assert not control.stop(settings).running
    assert control.start(settings).running
    assert control.start(settings).text == "the daemon runs already."
    assert until(lambda: (reach.ask(workspace) or {}).get("runs") == 1)
    assert "1 places, 1 looks" in control.status(settings).text
    assert not control.stop(settings).running
    assert not control.status(settings).running
    assert "stopped" in control.logs(settings).text


def test_a_child_that_fails_is_told_and_the_daemon_lives(workspace: Path, home: Path) -> None:
    (workspace / ".meta" / "store.sqlite").mkdir()
    with watching(workspace, QUICK) as lines:
        assert until(lambda: any("could not reconcile" in line for line in lines))
        (workspace / ".meta" / "store.sqlite").rmdir()
        kept(home, 0)
        assert until(lambda: indexed(workspace) == 1)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("name", ["shop", "a b%n$x", 'quo"te'])
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    unit = tmp_path / "meta-x.service"
    unit.write_text(units.systemd(folder, units.command(folder, tmp_path / "log"), (folder,)))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    argv = ["systemd-analyze", "verify", "--user", str(unit)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("Type=exec", "Type=nonsense"))
    assert subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60).stderr


def test_the_agent_of_launchd_names_the_same_command(tmp_path: Path) -> None:
    argv = units.command(tmp_path, tmp_path / "log")
    told = plistlib.loads(units.launchd("x", argv, tmp_path / "log"))
    assert (told["ProgramArguments"], told["Label"]) == (list(argv), "x")


def test_two_workspaces_of_one_name_have_two_services(tmp_path: Path) -> None:
    assert units.name(tmp_path / "a" / "shop") != units.name(tmp_path / "b" / "shop")
