"""Files reach the disk whole, and the lock has one holder."""

import os
import stat
import subprocess
import sys
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
