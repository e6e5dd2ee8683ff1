"""Files reach the disk whole, and the lock has one holder."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meta import files
from meta.errors import UserError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_writing_makes_the_folders_and_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    assert files.write(path, "é\n")
    assert path.read_bytes() == "é\n".encode()


def test_writing_the_same_content_again_does_not_touch_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.write(path, b"x")
    before = path.stat()
    assert not files.write(path, b"x")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_existing_file_keeps_its_mode_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    old, new, secret = tmp_path / "old", tmp_path / "new", tmp_path / "secret"
    old.write_text("x")
    old.chmod(0o751)
    umask = os.umask(0o027)
    try:
        files.write(old, "y")
        files.write(new, "y")
        files.write(secret, "y", mode=0o600)
    finally:
        os.umask(umask)
    assert (mode(old), mode(new), mode(secret)) == (0o751, 0o640, 0o600)


def test_a_mode_is_set_even_where_the_content_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    files.write(path, "x", mode=0o600)
    assert mode(path) == 0o600


def test_a_symlink_stays_one_and_its_target_gets_the_content(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("x")
    link.symlink_to("target")
    files.write(link, "y")
    assert link.is_symlink()
    assert target.read_text() == "y"


def test_a_write_that_fails_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(UserError, match="Nothing was changed"):
        files.write(path, "x")
    assert [child.name for child in tmp_path.iterdir()] == ["folder"]


def test_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    program = (
        "import resource, signal, sys; from pathlib import Path; from meta import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "files.write(Path(sys.argv[1]), b'x' * 5000)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "UserError: cannot write" in done.stderr
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["a"]


def test_a_killed_writer_leaves_the_old_content_and_its_leftover_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    program = (
        "import os, signal, sys; from pathlib import Path; from meta import files\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write(Path(sys.argv[1]), b'new')"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    assert files.sweep([tmp_path]) == 1
    assert [child.name for child in tmp_path.iterdir()] == ["a.json"]


def test_sweeping_keeps_what_a_live_process_is_writing_and_files_of_others(tmp_path: Path) -> None:
    (tmp_path / f".{os.getppid()}.00ff.meta-tmp").touch()
    (tmp_path / ".a.tmp").touch()
    assert files.sweep([tmp_path]) == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_a_held_lock_is_refused_with_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / ".meta" / "lock"
    with files.locked(path), pytest.raises(UserError, match=f"process {os.getpid()}"), files.locked(path):
        pass
    with files.locked(path):
        assert path.read_text().startswith(f"{os.getpid()} on ")


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import os, signal, sys; from pathlib import Path; from meta import files\n"
        "with files.locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    with files.locked(path):
        pass


def test_a_lock_is_held_for_other_processes_too_and_is_free_at_once_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = (
        "import sys, time; from pathlib import Path; from meta import files\n"
        "with files.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(UserError, match=rf"process {holder.pid} on {re.escape(socket.gethostname())}\)"):
        files.locked(path).__enter__()
    holder.kill()
    holder.wait()
    with files.locked(path):
        pass


@pytest.mark.parametrize("left", [f"{os.getppid()} on {socket.gethostname()}", "1 on elsewhere", "nonsense " * 99])
def test_what_a_lock_file_says_holds_nobody_up(tmp_path: Path, left: str) -> None:
    path = tmp_path / "lock"
    path.write_text(left)
    with files.locked(path):
        assert path.read_text() == f"{os.getpid()} on {socket.gethostname()}"


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel does not list its locks here")
def test_both_kinds_of_lock_are_taken_for_network_file_systems_know_one_or_the_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with files.locked(path):
        rows = [row.split() for row in Path("/proc/locks").read_text().splitlines()]
        assert {row[1] for row in rows if row[5].endswith(f":{path.stat().st_ino}")} >= {"FLOCK", "POSIX"}


def test_a_lock_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot lock"):
        files.locked(tmp_path / "file" / "lock").__enter__()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not there")
def test_content_is_on_disk_before_it_has_its_name_and_the_name_after(tmp_path: Path) -> None:
    for existing in (False, True):
        path, log = tmp_path / "a", tmp_path / "log"
        program = (
            "import sys; from pathlib import Path; from meta import files; files.write(Path(sys.argv[1]), sys.argv[2])"
        )
        trace = ["strace", "-y", "-o", str(log), "-e", "trace=write,fsync,rename"]
        subprocess.run([*trace, sys.executable, "-c", program, str(path), f"{existing}"], check=True)
        calls = [line for line in log.read_text().splitlines() if str(tmp_path) in line]
        assert [call.split("(")[0] for call in calls] == ["write", "fsync", "rename", "fsync"]
        assert calls[1].split("<")[1] == calls[0].split("<")[1].split(">")[0] + ">) = 0" or ".meta-tmp>" in calls[1]
        assert f"<{tmp_path}>" in calls[3]


def test_a_swap_is_made_only_over_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert files.swap(path, None, b"1")
    assert not files.swap(path, None, b"2")
    assert not files.swap(path, b"0", b"2")
    assert files.swap(path, b"1", b"2")
    assert path.read_bytes() == b"2"
    assert [child.name for child in tmp_path.iterdir()] == ["a"]


def test_what_is_written_between_the_look_and_the_swap_comes_back(tmp_path: Path) -> None:
    """A program that writes all the time, by renaming and in place, finds each of its writes as it left it."""
    path, stop = tmp_path / "a", tmp_path / "stop"
    path.write_text("theirs 0")
    program = (
        "import sys; from pathlib import Path\n"
        "import time; path, stop = map(Path, sys.argv[1:]); draft = path.with_name('draft'); number = lost = 0\n"
        "print(flush=True)\n"
        "while not stop.exists():\n"
        "    for _ in range(40):\n"  # what was displaced is away for a moment
        "        text = path.read_text()\n"
        "        if text.removesuffix(' ours') == f'theirs {number}': break\n"
        "        time.sleep(0.02)\n"
        "    lost += text.removesuffix(' ours') != f'theirs {number}'\n"
        "    number += 1; time.sleep(0.003)\n"
        "    (draft.write_text(f'theirs {number}'), draft.replace(path)) if number % 2 else path.write_text(f'theirs {number}')\n"
        "print(number, lost)"
    )
    theirs = subprocess.Popen([sys.executable, "-c", program, str(path), str(stop)], stdout=subprocess.PIPE, text=True)
    assert theirs.stdout
    theirs.stdout.readline()
    swapped = 0
    for _ in range(3000):
        time.sleep(0.001)
        content = path.read_bytes()
        if content and not content.endswith(b"ours"):
            swapped += files.swap(path, content, content + b" ours")
        if swapped >= 20:
            break
    stop.touch()
    out, _ = theirs.communicate(timeout=30)
    number, lost = map(int, out.split())
    assert number > 10
    assert swapped
    assert lost == 0
