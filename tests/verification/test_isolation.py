"""What each isolation stops, which one a machine gets, and that nothing of a run is left."""

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meta.verification import EXECUTED, sandbox
from meta.verification.sandbox import ladder
from tests.verification import machines, probes

ROOT = os.geteuid() == 0
WHO = [
    pytest.param(False, id="as a user"),
    pytest.param(True, id="as root", marks=pytest.mark.skipif(not ROOT, reason="this is no root")),
]
needs_python = pytest.mark.skipif(not machines.python(), reason="no Python that every user may run")


@pytest.fixture(scope="module")
def house() -> Iterator[Path]:
    with machines.house() as place:
        yield place


def told(argv: list[str], house: Path, *, hidden: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = machines.environment(house, hidden=hidden)
    return subprocess.run(argv, cwd=house, env=environment, capture_output=True, text=True, check=False, timeout=300)


def there(house: Path, *, root: bool, namespaces: bool = True) -> None:
    """Skip where the machine cannot be made on this one."""
    argv = machines.wrapped(["true"], user=not root, namespaces=namespaces)
    if (tried := told(argv, house)).returncode:
        pytest.skip(f"no such machine can be made here: {tried.stderr.strip()}")


@needs_python
@pytest.mark.parametrize("root", WHO)
def test_fifteen_attempts_succeed_outside_and_none_in_an_isolation(house: Path, root: bool) -> None:
    rungs = told(machines.wrapped([machines.python(), "-c", LADDER], user=not root), house)
    level = json.loads(rungs.stdout)
    if level not in ("bubblewrap", "landlock"):
        pytest.skip(f"the isolation here is {level}")
    levels = ["bubblewrap", "landlock"] if level == "bubblewrap" and machines.landlock() else [level]
    program = [machines.python(), str(house / "tests/verification/probes.py"), *levels]
    ran = told(machines.wrapped(program, user=not root), house)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found.pop(probes.CONTROL) == levels
    assert found == {name: [""] for name in probes.ATTEMPTS}
    assert len(found) == 15


LADDER = "import json; from meta.verification import sandbox; print(json.dumps(sandbox.level()))"


no_landlock = pytest.mark.skipif(not machines.landlock(), reason="this kernel has no Landlock of version 3")
no_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
OLDER = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=landlock_create_ruleset"]
OLDER += ["-e", "inject=landlock_create_ruleset:retval=4:when=1"]  # the answer to the question for the version
SIGNALS = """
import os, subprocess, sys
from tests.verification import probes
from meta.verification.sandbox import folders, ways
with folders.scratch() as scratch:
    own = ["sh", "-c", "sleep 30 & kill $! && ! wait $!"]
    print(probes.attempt("signal a process of the host", "landlock"), ways.execute("landlock", own, scratch).code)
"""


@needs_python
@no_landlock
@no_strace
@pytest.mark.parametrize("root", WHO)
def test_under_an_older_landlock_a_tool_signals_its_own_processes_only(house: Path, root: bool) -> None:
    ran = told(machines.wrapped([*OLDER, machines.python(), "-c", SIGNALS], user=not root), house)
    assert ran.stdout.split() == ["False", "0"], ran.stderr


@needs_python
@no_landlock
def test_the_mode_of_a_file_outside_cannot_be_changed_under_landlock_and_inside_it_can(house: Path) -> None:
    program = """
import os, sys, tempfile
from pathlib import Path
from meta.verification.sandbox import folders, ways
with folders.scratch() as scratch, folders.place() as other:
    (other / "victim").touch(0o644)
    change = "import os, sys; os.chmod(sys.argv[1], 0o600); os.utime(sys.argv[1], (1, 2))"
    inside = "open('mine', 'w').close(); import os; os.chmod('mine', 0o701); os.utime('mine', (1, 2)); os.fchmod(os.open('mine', 0), 0o711)"
    python = [sys.executable, "-c"]
    print(ways.execute("landlock", [*python, change, str(other / "victim")], scratch).stderr.split(":")[-3:-1])
    print(oct((other / "victim").stat().st_mode), ways.execute("landlock", [*python, inside], scratch).code)
    print(oct((scratch / "mine").stat().st_mode), (scratch / "mine").stat().st_mtime)
"""
    ran = told(machines.wrapped([machines.python(), "-c", program], user=True), house)
    lines = ran.stdout.splitlines()
    assert "Operation not permitted" in lines[0], ran.stderr
    assert lines[1:] == ["0o100644 0", "0o100711 2.0"]


MACHINES = [
    pytest.param(("bwrap",), "", True, "landlock", "bwrap is not installed", id="no bubblewrap"),
    pytest.param((), "", False, "landlock", "user namespaces are switched off", id="no user namespaces"),
    pytest.param(("bwrap",), machines.LANDLOCK, True, "limits", "has no Landlock", id="no bubblewrap and no Landlock"),
    pytest.param((), machines.LANDLOCK, False, "limits", "has no Landlock", id="no user namespaces and no Landlock"),
    pytest.param(("bwrap",), "seccomp", True, "limits", "filters no system calls", id="no call filters"),
    pytest.param((), f"{machines.LANDLOCK} prctl", True, "none", "prctl", id="nothing at all"),
]


@pytest.mark.skipif(not machines.like_ours(), reason="no Python of this version that every user may run")
@no_landlock
@pytest.mark.parametrize(("hidden", "refused", "namespaces", "level", "reason"), MACHINES)
@pytest.mark.parametrize("root", WHO)
def test_what_a_machine_lacks_is_told_and_never_passed_over(
    house: Path, root: bool, hidden: tuple[str, ...], refused: str, namespaces: bool, level: str, reason: str
) -> None:
    if root and not namespaces:
        pytest.skip("root needs no user namespace")
    there(house, root=root, namespaces=namespaces)
    with tempfile.TemporaryDirectory(prefix="mark-") as marks:
        os.chmod(marks, 0o777)
        program = [machines.python(), str(house / "tests/verification/forced.py"), f"{marks}/mark"]
        argv = machines.wrapped(program, user=not root, refused=refused, namespaces=namespaces)
        ran = told(argv, house, hidden=hidden)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [rung[0] for rung in found["rungs"] if rung[1]] == [level] * (level != "none")
    assert any(reason in rung[2] for rung in found["rungs"] if not rung[1]), found["rungs"]
    assert all(rung[2] for rung in found["rungs"] if not rung[1])

    isolation, state, checks, marked = found["verdicts"]["write-project"]
    if level == "landlock":
        assert (isolation, found["ran"]) == ("landlock", "landlock")
        assert checks["round trip"] is True
    else:
        assert (isolation, state, found["ran"]) == ("none", "unverified", None)
        assert checks == dict.fromkeys(EXECUTED)
    assert not marked
    assert not found["executed"]

    isolation, state, checks, marked = found["verdicts"]["read"]
    assert isolation == level
    if level == "limits":
        assert (state, marked, checks["own tests"], checks["replay"]) == ("unverified", True, True, None)
    elif level == "none":
        assert (state, marked, set(checks.values())) == ("unverified", False, {None})


@pytest.mark.parametrize(
    ("files", "cause", "command"),
    [
        pytest.param({"sys/user/max_user_namespaces": "0"}, "switched off", "max_user_namespaces", id="none allowed"),
        pytest.param({"sys/kernel/unprivileged_userns_clone": "0"}, "root only", "unprivileged_userns", id="Debian"),
        pytest.param(
            {"sys/kernel/apparmor_restrict_unprivileged_userns": "1", "sys/user/max_user_namespaces": "9"},
            "AppArmor", "apparmor_parser", id="Ubuntu 24.04",
        ),
        pytest.param({"self/status": "Name:\tx\nSeccomp:\t2\n"}, "container", "docker run", id="a container"),
        pytest.param({"self/status": "Name:\tx\nSeccomp:\t0\n"}, "", "", id="nothing that is known"),
        pytest.param({"sys/kernel/apparmor_restrict_unprivileged_userns": "0"}, "", "", id="AppArmor allows it"),
    ],
)  # fmt: skip
def test_what_blocks_user_namespaces_is_told_with_the_command_that_lifts_it(
    tmp_path: Path, files: dict[str, str], cause: str, command: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    why, remedy = ladder.blocked(ladder.settings(tmp_path))
    assert (cause in why, command in remedy, bool(why)) == (True, True, bool(cause))


MANY = """
import random, sys, time
from pathlib import Path
from meta.verification.sandbox import Limits, folders, ways
isolation, marker, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
LEAVE = f"(setsid sh -c 'sleep 300; : {marker}' >/dev/null 2>&1 &) ; mkdir -p deep/er ; touch deep/er/x ; chmod 0 deep"
STAY = f"touch x ; sh -c 'sleep 300; : {marker}'"
for turn in range(count):
    with folders.scratch() as scratch:
        stays = turn % 3 == 2
        limits = Limits(wall=random.uniform(0.01, 0.2)) if stays else Limits()
        ran = ways.execute(isolation, ["sh", "-c", STAY if stays else LEAVE], scratch, limits=limits, traced=turn % 2 == 0)
        assert (ran.code is None) == stays, ran
        assert ran.isolation == isolation
"""


def leftovers(marker: str, folder: str) -> tuple[list[int], list[str]]:
    """Processes and files of runs that ended, after what was killed had a moment to go."""
    for _ in range(500):
        if not probes.left(marker):
            break
        time.sleep(0.02)
    return probes.left(marker), os.listdir(folder)


def many_runs(house: Path, isolation: str, root: bool, count: int, kills: int) -> None:
    """`count` runs that end by themselves or by time-out, `kills` of which this process is killed amid."""
    marker = f"marker{os.getpid()}x{random.getrandbits(40)}"
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        os.chmod(folder, 0o777)
        environment = {**machines.environment(house), "TMPDIR": folder}

        def start(runs: int) -> subprocess.Popen[str]:
            program = [machines.python(), "-c", MANY, isolation, marker, str(runs)]
            argv = machines.wrapped(program, user=not root)
            return subprocess.Popen(argv, cwd=house, env=environment, stderr=subprocess.PIPE, text=True)

        with start(count - kills) as ran:
            assert ran.stderr is not None
            said = ran.stderr.read()
        assert ran.returncode == 0, said
        assert leftovers(marker, folder) == ([], [])
        sweep = [machines.python(), "-c", "from meta.verification.sandbox import folders; folders.sweep()"]
        for _ in range(kills):
            with start(1000) as killed:
                time.sleep(random.uniform(0.1, 0.8))
                killed.send_signal(signal.SIGKILL)
            if isolation == "landlock":  # bubblewrap may be killed in the moment in which it binds itself to its parent
                assert leftovers(marker, folder)[0] == []
            subprocess.run(machines.wrapped(sweep, user=not root), cwd=house, env=environment, check=True)
            assert leftovers(marker, folder) == ([], [])


def possible(isolation: str) -> None:
    if (isolation == "bubblewrap" and sandbox.level() != "bubblewrap") or (
        isolation == "landlock" and not machines.landlock()
    ):
        pytest.skip(f"{isolation} does not work here")


@needs_python
@pytest.mark.parametrize("isolation", ["bubblewrap", "landlock"])
@pytest.mark.parametrize("root", WHO)
def test_fifty_runs_leave_no_process_and_no_file(house: Path, isolation: str, root: bool) -> None:
    possible(isolation)
    many_runs(house, isolation, root, 13, 2)


@needs_python
@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["bubblewrap", "landlock"])
@pytest.mark.parametrize("root", WHO)
def test_a_thousand_runs_leave_no_process_and_no_file(house: Path, isolation: str, root: bool) -> None:
    possible(isolation)
    many_runs(house, isolation, root, 250, 40)


def test_a_folder_in_use_is_not_swept_and_one_of_a_killed_process_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with sandbox.scratch() as used:
        (tmp_path / "meta-sandbox-old" / "scratch").mkdir(parents=True)
        (tmp_path / "other").mkdir()
        sandbox.folders.sweep()
        assert used.is_dir()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([used.parent.name, "other"])
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_a_sandbox_that_outlived_its_process_is_ended_and_another_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (stale := tmp_path / "meta-sandbox-old" / "scratch").mkdir(parents=True)

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["bwrap", "--bind", "/", "/", "--bind", str(folder), "/mnt", "sleep", "60"])

    with sandbox.scratch() as used, start(stale) as left, start(used) as other:
        sandbox.folders.sweep()
        assert left.wait(10) != 0
        assert other.poll() is None
        other.kill()
