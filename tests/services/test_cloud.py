"""The archive and the knowledge in a place of one's own: nothing is lost, whatever stops it; nothing secret leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meta import cloud
from meta.errors import UserError

pytest.importorskip("fsspec")
KEY = bytes(range(32))


def workspace(folder: Path, name: str, count: int = 6) -> Path:
    """A folder with this many archived sessions and a lesson, the content of each its own."""
    for number in range(count):
        path = folder / "conversation-archive" / "shop" / f"{name}-{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"session": "{name}-{number}"}}\n' * (number + 1))
    lesson = folder / "knowledge" / "lessons" / f"{name}.md"
    lesson.parent.mkdir(parents=True)
    lesson.write_text(f"# {name}\n")
    return folder


def kept(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in cloud.KEPT
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket on a real S3 server on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    told = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    before = dict(os.environ)
    os.environ.update(told)
    import s3fs

    s3fs.S3FileSystem().mkdir("kept")
    yield "s3://kept"
    os.environ.clear()
    os.environ.update(before)
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return f"file://{tmp_path}/place"
    return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.mark.parametrize("seal", [None, KEY], ids=["open", "sealed"])
def test_two_machines_have_the_same_in_the_end_and_a_second_time_nothing_is_done(
    place: str, tmp_path: Path, seal: bytes | None
) -> None:
    ann, bob = workspace(tmp_path / "a", "ann"), workspace(tmp_path / "b", "bob")
    assert len(cloud.sync(ann, place, "a", seal=seal).sent) == 7
    assert len(cloud.sync(bob, place, "b", seal=seal).fetched) == 7
    assert len(cloud.sync(ann, place, "a", seal=seal).fetched) == 7
    assert kept(ann) == kept(bob)
    for folder, owner in ((ann, "a"), (bob, "b")):
        cloud.sync(folder, place, owner, seal=seal)
        done = cloud.sync(folder, place, owner, seal=seal)
        assert (done.sent, done.fetched, done.differing, done.refused) == ((), (), (), ())


def test_what_lies_there_is_legible_without_a_key_and_not_with_one(tmp_path: Path) -> None:
    ann = workspace(tmp_path / "a", "ann")

    def everything(seal: bytes | None) -> bytes:
        place = tmp_path / ("sealed" if seal else "open")
        cloud.sync(ann, f"file://{place}", "a", seal=seal)
        return b"".join(path.name.encode() + path.read_bytes() for path in place.rglob("*") if path.is_file())

    assert b"ann-3" in everything(None)
    assert b"ann" not in everything(KEY)


def test_a_file_that_differs_is_kept_here_and_there(tmp_path: Path) -> None:
    place = f"file://{tmp_path}/place"
    ann, bob = workspace(tmp_path / "a", "ann"), workspace(tmp_path / "b", "ann")
    lesson = bob / "knowledge/lessons/ann.md"
    lesson.write_text("# edited\n")
    cloud.sync(ann, place, "a")
    assert cloud.sync(bob, place, "b").differing == ("knowledge/lessons/ann.md",)
    assert lesson.read_text() == "# edited\n"
    assert cloud.sync(ann, place, "a").differing == ("knowledge/lessons/ann.md",)
    assert (ann / "knowledge/lessons/ann.md").read_text() == "# ann\n"


def test_no_secret_leaves_and_no_link_is_followed(tmp_path: Path) -> None:
    ann, place = workspace(tmp_path / "a", "ann"), tmp_path / "place"
    secret = "ghp_" + "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789", k=36))
    (ann / "knowledge/token.md").write_text(f"use {secret}\n")
    (tmp_path / "outside.txt").write_text("outside")
    (ann / "knowledge/link.md").symlink_to(tmp_path / "outside.txt")
    assert cloud.sync(ann, f"file://{place}", "a").refused == ("knowledge/token.md",)
    content = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert secret.encode() not in content
    assert b"outside" not in content


@pytest.mark.parametrize("path", ["../evil.md", "/etc/evil", "knowledge/../../evil.md", "src/evil.py", "knowledge/.git/config", "knowledge/link/evil.md"])  # fmt: skip
def test_a_list_of_another_machine_writes_nothing_where_it_has_no_business(tmp_path: Path, path: str) -> None:
    ann, url = workspace(tmp_path / "a", "ann"), f"file://{tmp_path}/place"
    (tmp_path / "elsewhere").mkdir()
    (ann / "knowledge/link").symlink_to(tmp_path / "elsewhere")
    evil = cloud._Place(url, None)
    evil.put(b"evil", "content", evil.name(b"evil"))
    text = f'{{"files": {{"{path}": "{evil.name(b"evil")}"}}, "format": 1}}'.encode()
    evil.put(text, "lists", "m", f"00000001-{evil.name(text)}")
    done = cloud.sync(ann, url, "a")
    assert (done.fetched, done.refused) == ((), (path,))
    assert not list(tmp_path.rglob("evil*"))


def test_a_wrong_key_and_a_missing_one_are_told(tmp_path: Path) -> None:
    ann, url = workspace(tmp_path / "a", "ann"), f"file://{tmp_path}/place"
    cloud.sync(ann, url, "a", seal=KEY)
    with pytest.raises(UserError, match="another key"):
        cloud.sync(ann, url, "a", seal=bytes(32))
    with pytest.raises(UserError, match="sealed: give its key"):
        cloud.sync(ann, url, "a")
    with pytest.raises(UserError, match="cannot be used"):
        cloud.sync(ann, "nowhere://x", "a")
    (tmp_path / "key").write_text("short")
    with pytest.raises(UserError, match="holds no key"):
        cloud.key(tmp_path / "key")
    made = cloud.key(tmp_path / "new")
    assert (cloud.key(tmp_path / "new"), (tmp_path / "new").stat().st_mode & 0o77) == (made, 0)


def test_killed_again_and_again_it_goes_on_and_nothing_is_lost(tmp_path: Path) -> None:
    ann, bob = workspace(tmp_path / "a", "ann", 150), workspace(tmp_path / "b", "bob", 3)
    url, cut, chance = f"file://{tmp_path}/place", 0, random.Random(7)
    program = f"from pathlib import Path\nfrom meta import cloud\nimport fsspec\nprint('on', flush=True)\ncloud.sync(Path({str(ann)!r}), {url!r}, 'a')"
    for _ in range(12):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        cut += process.wait() == -signal.SIGKILL
        process.stdout.close()
        cloud.sync(bob, url, "b")
        assert all(kept(ann).get(path, content) == content for path, content in kept(bob).items())
    assert cut > 2, "it was never stopped in the middle"
    cloud.sync(ann, url, "a")
    cloud.sync(bob, url, "b")
    assert kept(ann).items() <= kept(bob).items()


def test_what_was_cut_short_there_is_sent_again_and_never_fetched(tmp_path: Path) -> None:
    ann, bob = workspace(tmp_path / "a", "ann"), workspace(tmp_path / "b", "bob", 0)
    url, content = f"file://{tmp_path}/place", tmp_path / "place/plain/content"
    cloud.sync(ann, url, "a")
    for path in content.iterdir():
        path.write_bytes(path.read_bytes()[:3])
    assert len(cloud.sync(bob, url, "b").refused) == 7
    assert len(cloud.sync(ann, url, "a").sent) == 7
    assert len(cloud.sync(bob, url, "b").fetched) == 7
    for path in (tmp_path / "place/plain/lists/a").iterdir():
        path.write_bytes(path.read_bytes()[:-2])
    (bob / "knowledge/lessons/ann.md").unlink()
    assert cloud.sync(bob, url, "b").fetched == ()
    cloud.sync(ann, url, "a")
    assert cloud.sync(bob, url, "b").fetched == ("knowledge/lessons/ann.md",)
