"""What a hostile program tries, and that it does not get it."""

import os
import socket
import textwrap
import threading
import time
from pathlib import Path

import pytest

from meta.verification import sandbox
from meta.verification.sandbox import Limits, Ran

pytestmark = pytest.mark.skipif(sandbox.level() != "bubblewrap", reason="bubblewrap does not work here")


DEFAULT = Limits()


def attempt(program: str, *, limits: Limits = DEFAULT, read_only: tuple[Path, ...] = ()) -> tuple[Ran, list[str]]:
    with sandbox.scratch() as folder:
        ran = sandbox.run(
            [sandbox.python(), "-I", "-c", textwrap.dedent(program)], folder, limits=limits, read_only=read_only
        )
        return ran, sorted(path.name for path in folder.iterdir())


def test_the_scratch_folder_can_be_written_and_the_output_comes_back() -> None:
    ran, left = attempt("open('made', 'w').write('x'); print('hello')")
    assert (ran.code, ran.stdout, left) == (0, "hello\n", ["made"])


@pytest.mark.parametrize("place", ["/made", "/usr/made", "/etc/made", "/dev/made", "/proc/sys/kernel/core_pattern"])
def test_a_write_outside_the_scratch_folder_fails(place: str) -> None:
    ran, _ = attempt(f"open({place!r}, 'w').write('x')")
    assert ran.code == 1
    assert "Error" in ran.stderr


def test_a_shown_folder_can_be_read_and_not_written(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o755)
    (tmp_path / "shown").write_text("seen")
    ran, _ = attempt(f"print(open('{tmp_path}/shown').read())", read_only=(tmp_path,))
    assert ran.stdout == "seen\n"
    ran, _ = attempt(f"open('{tmp_path}/shown', 'w')", read_only=(tmp_path,))
    assert ran.code == 1


def test_a_secret_in_a_file_outside_cannot_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    ran, _ = attempt(f"print(open({str(secret)!r}).read())")
    assert "hunter2" not in ran.stdout
    assert "FileNotFoundError" in ran.stderr


def test_the_home_folder_is_not_there() -> None:
    ran, _ = attempt(f"import os; print([n for n in os.listdir({str(Path.home())!r}) if n != '.pyenv'])")
    assert ran.stdout in ("[]\n", "")


def test_a_secret_in_the_environment_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_TEST_TOKEN", "hunter2")
    ran, _ = attempt("import os; print(dict(os.environ)); print(open('/proc/1/environ').read())")
    assert "META_TEST_TOKEN" not in ran.stdout


def test_a_server_on_the_host_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ran, _ = attempt(f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)")
    assert ran.code == 1
    assert "Error" in ran.stderr


def test_the_environment_of_the_sandbox_program_is_empty_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_TEST_TOKEN", "hunter2")
    ran, _ = attempt(
        "import os; print([open(f'/proc/{n}/environ').read() for n in os.listdir('/proc') if n.isdigit() and os.access(f'/proc/{n}/environ', os.R_OK)])"
    )
    assert "PATH" in ran.stdout
    assert "META_TEST_TOKEN" not in ran.stdout


def test_a_process_of_the_host_cannot_be_signalled() -> None:
    ran, _ = attempt(f"import os; os.kill({os.getpid()}, 0)")
    assert "ProcessLookupError" in ran.stderr


def test_a_fork_bomb_is_stopped_by_the_count_of_processes() -> None:
    ran, _ = attempt(
        """
        import os, time
        children = 0
        try:
            for _ in range(400):
                if os.fork() == 0:
                    time.sleep(60)
                children += 1
        except BlockingIOError:
            print(children, flush=True)
            os._exit(7)
        """,
        limits=Limits(processes=32),
    )
    assert ran.code == 7
    assert int(ran.stdout) < 32


def test_a_process_that_leaves_its_session_does_not_survive() -> None:
    with sandbox.scratch() as folder:
        program = """
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    with open('alive', 'w', buffering=1) as file:
                        while True:
                            file.write('x')
                            time.sleep(0.01)
                os._exit(0)
            while not os.path.exists('alive'):
                time.sleep(0.01)
        """
        assert sandbox.run([sandbox.python(), "-I", "-c", textwrap.dedent(program)], folder).code == 0
        sizes = [(folder / "alive").stat().st_size]
        threading.Event().wait(0.1)
        sizes.append((folder / "alive").stat().st_size)
        assert sizes[0] == sizes[1]


def test_a_file_of_300_megabytes_is_cut() -> None:
    ran, _ = attempt("open('big', 'wb').truncate(300 * 2**20)")
    assert ran.code != 0


def test_the_memory_backed_folders_are_bounded_too() -> None:
    ran, _ = attempt(
        """
        import os
        for n in range(64):
            with open(f'/dev/shm/{n}', 'wb') as file:
                file.write(bytes(2**20))
        """,
        limits=Limits(size=8 * 2**20),
    )
    assert "No space left" in ran.stderr


def test_three_gigabytes_of_memory_are_refused() -> None:
    ran, _ = attempt("bytearray(3 * 2**30)")
    assert "MemoryError" in ran.stderr


def test_endless_output_is_cut() -> None:
    ran, _ = attempt("while True: print('x' * 10000)", limits=Limits(size=2**20, wall=0.5))
    assert ran.code is None
    assert len(ran.stdout) < 2**20 + 100


def test_a_run_that_waits_for_ever_ends_when_time_is_up() -> None:
    started = time.monotonic()
    ran, _ = attempt("import time; time.sleep(60)", limits=Limits(wall=0.3))
    assert ran.code is None
    assert time.monotonic() - started < 5


def test_a_run_that_only_computes_ends_when_its_cpu_seconds_are_used() -> None:
    ran, _ = attempt("while True: pass", limits=Limits(cpu=1))
    assert ran.code not in (0, None)


def test_it_runs_as_a_user_that_is_not_root() -> None:
    ran, _ = attempt("import os; print(os.getuid() == 0, os.getgroups())")
    assert ran.stdout.startswith("False")
