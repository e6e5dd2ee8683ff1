"""Our part of a user's file can be put, replaced and taken back; theirs is never touched."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.edits import Journal, edit_block, edit_key, undo
from meta.errors import UserError
from meta.keys import Own

contents = st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"# x", "é".encode(), b"\xff", b"\x00", b" "])).map(b"".join)
names = st.sampled_from(["a.md", "a.py", "a.js", "a", "a.css"])


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / ".meta" / "journal.jsonl")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "AGENTS.md"
    path.write_text("# Mine\n")
    return path


def test_a_block_stands_between_markers_in_the_comment_syntax_of_the_file(path: Path) -> None:
    assert edit_block(path, "tools", "- gate")
    assert path.read_text() == "# Mine\n<!-- meta:begin tools -->\n- gate\n<!-- meta:end tools -->\n"


@pytest.mark.parametrize(
    ("name", "line"),
    [("a.py", "# meta:begin x"), (".gitignore", "# meta:begin x"), ("a.js", "// meta:begin x"),
     ("a.css", "/* meta:begin x */")],
)  # fmt: skip
def test_the_comment_follows_the_suffix(tmp_path: Path, name: str, line: str) -> None:
    edit_block(tmp_path / name, "x", "y")
    assert (tmp_path / name).read_text().splitlines()[0] == line


def test_a_format_without_comments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no comments"):
        edit_block(tmp_path / "a.json", "x", "y")


def test_the_same_block_again_changes_nothing(path: Path) -> None:
    edit_block(path, "tools", "- gate")
    assert not edit_block(path, "tools", "- gate\n")


def test_a_block_is_replaced_in_its_place_and_the_others_stay(path: Path) -> None:
    edit_block(path, "a", "1")
    edit_block(path, "b", "2")
    before = path.read_text()
    edit_block(path, "a", "one\ntwo")
    assert path.read_text() == before.replace("\n1\n", "\none\ntwo\n")


def test_removing_a_block_that_is_not_there_changes_nothing(path: Path) -> None:
    assert not edit_block(path, "tools", None)


def test_line_endings_of_the_file_are_kept(path: Path) -> None:
    path.write_bytes(b"# Mine\r\nx\r\n")
    edit_block(path, "a", "1\n2")
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n") == 6


def test_half_a_pair_of_markers_is_refused_and_the_file_kept(path: Path) -> None:
    path.write_text("<!-- meta:begin a -->\nx\n")
    with pytest.raises(UserError, match="no pair"):
        edit_block(path, "a", "1")
    assert path.read_text() == "<!-- meta:begin a -->\nx\n"


def test_a_text_with_the_markers_in_it_is_a_bug(path: Path) -> None:
    with pytest.raises(ValueError, match="contains its markers"):
        edit_block(path, "a", "<!-- meta:end a -->")


@settings(max_examples=50)  # each waits for the disk a few times
@given(content=contents, name=names, texts=st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_putting_and_removing_a_block_restores_every_byte(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("edit") / name
    path.write_bytes(content)
    for text in texts:
        edit_block(path, "x", "".join(c for c in text if not "\ud800" <= c <= "\udfff"))
    edit_block(path, "x", None)
    assert path.read_bytes() == content


@settings(max_examples=50)  # each waits for the disk a few times
@given(content=contents, texts=st.lists(st.sampled_from(["1", "2", None]), max_size=4))
def test_undo_of_an_untouched_file_restores_every_byte(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, texts: list[str | None]
) -> None:
    folder = tmp_path_factory.mktemp("undo")
    journal, path = Journal(folder / "journal"), folder / "a.md"
    path.write_bytes(content)
    for text in texts:
        journal.block(path, "x", text)
    assert undo(journal) == []
    assert path.read_bytes() == content
    assert journal.entries() == []


def test_undo_removes_a_file_that_the_block_made(journal: Journal, tmp_path: Path) -> None:
    journal.block(tmp_path / "NEW.md", "a", "1")
    assert undo(journal) == []
    assert not (tmp_path / "NEW.md").exists()


def test_undo_after_later_edits_takes_back_our_block_only(journal: Journal, path: Path) -> None:
    journal.block(path, "a", "1")
    path.write_text("before\n" + path.read_text() + "after\n")
    assert undo(journal) == []
    assert path.read_text() == "before\n# Mine\nafter\n"


def test_undo_keeps_a_block_that_was_changed_by_hand_and_says_so(journal: Journal, path: Path) -> None:
    journal.block(path, "a", "1")
    path.write_text(path.read_text().replace("1", "mine"))
    assert undo(journal) == [f"{path}: kept, it was changed by hand"]
    assert "mine" in path.read_text()
    assert len(journal.entries()) == 1


def test_undo_removes_a_file_of_ours_and_keeps_one_that_was_changed(journal: Journal, tmp_path: Path) -> None:
    ours, changed = tmp_path / "ours", tmp_path / "changed"
    journal.write(ours, "1")
    journal.write(ours, "2")
    journal.write(changed, "1")
    changed.write_text("1 and mine")
    assert undo(journal) == [f"{changed}: kept, it was changed by hand"]
    assert not ours.exists()
    assert changed.read_text() == "1 and mine"


def test_undo_takes_back_links_but_not_what_replaced_them(journal: Journal, tmp_path: Path) -> None:
    link, replaced = tmp_path / "skills" / "a", tmp_path / "skills" / "b"
    assert journal.link(link, "../target")
    assert not journal.link(link, "../target")
    journal.link(replaced, "../target")
    replaced.unlink()
    replaced.write_text("mine")
    assert undo(journal) == [f"{replaced}: kept, it is no longer our link"]
    assert not link.is_symlink()
    assert replaced.read_text() == "mine"


def test_a_link_does_not_overwrite_what_is_there(journal: Journal, path: Path) -> None:
    with pytest.raises(UserError, match="in the way"):
        journal.link(path, "x")


def test_undo_takes_back_only_what_is_wanted_and_never_twice(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal.block(path, "a", "1")
    journal.write(tmp_path / "b", "1")
    undo(journal, lambda entry: entry.kind == "block")
    path.write_text(path.read_text() + "later\n")
    assert [entry.kind for entry in journal.entries()] == ["file"]
    undo(journal)
    assert path.read_text() == "# Mine\nlater\n"


def test_a_journal_line_cut_in_the_middle_costs_that_line_only(journal: Journal, path: Path) -> None:
    journal.block(path, "a", "1")
    with journal.path.open("a") as file:
        file.write('{"number": 1, "pa')
    journal.block(path, "b", "2")
    assert len(journal.entries()) == 2
    assert undo(journal) == []
    assert path.read_text() == "# Mine\n"


def test_an_entry_whose_change_was_never_made_is_dropped(journal: Journal, path: Path) -> None:
    journal.block(path, "a", "1")
    path.write_text("# Mine\n")
    assert undo(journal) == []
    assert path.read_text() == "# Mine\n"


SERVER = Own(("mcpServers", "meta"), {"command": "meta", "args": ["serve"]})
HOOK = Own(("hooks", "Stop"), {"hooks": [{"type": "command", "command": "meta hook"}]}, item=True)
CODEX = Own(("mcp_servers", "meta"), {"command": "meta", "args": ["serve"]})
THEIRS = {
    "a.json": b'\xef\xbb\xbf{\r\n\t"hooks": {"Stop": [{"x": 1.0}]}, // c\r\n}',
    "a.toml": b"# c\r\nx = 0x1F # why",
}
EDITS = {"a.json": (SERVER, HOOK), "a.toml": (CODEX, Own(("notify",), ["meta"]))}


@pytest.fixture(params=THEIRS)
def settings_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / str(request.param)
    path.write_bytes(THEIRS[path.name])
    return path


def put(journal: Journal, path: Path) -> None:
    for own in EDITS[path.name]:
        assert journal.key(path, own)
        assert not journal.key(path, own)


def test_undo_of_untouched_settings_restores_every_byte_and_twice_is_once(
    journal: Journal, settings_file: Path
) -> None:
    put(journal, settings_file)
    assert undo(journal) == undo(journal) == []
    assert settings_file.read_bytes() == THEIRS[settings_file.name]


def test_undo_of_settings_edited_later_takes_back_ours_alone(journal: Journal, settings_file: Path) -> None:
    put(journal, settings_file)
    later = b"// mine\n" if settings_file.suffix == ".json" else b"\n[later]\ny = 1\n"
    settings_file.write_bytes(settings_file.read_bytes() + later)
    assert undo(journal) == []
    assert settings_file.read_bytes() == THEIRS[settings_file.name] + later


def test_undo_of_settings_that_a_program_wrote_anew_takes_back_ours_alone(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"model": "opus", "hooks": {"Stop": [{"x": 1}]}}')
    for own in (SERVER, HOOK):
        journal.key(path, own)
    values = json.loads(path.read_text())
    values["hooks"]["Stop"].insert(0, {"y": 2})
    values["mcpServers"]["theirs"] = {"command": "z"}
    path.write_text(json.dumps({"model": "haiku", **values}, indent=3))
    assert undo(journal) == []
    assert json.loads(path.read_text()) == {
        "model": "opus", "hooks": {"Stop": [{"y": 2}, {"x": 1}]}, "mcpServers": {"theirs": {"command": "z"}},
    }  # fmt: skip


def test_undo_keeps_a_value_of_ours_that_was_changed_by_hand(journal: Journal, settings_file: Path) -> None:
    own, *_ = EDITS[settings_file.name]
    journal.key(settings_file, own)
    settings_file.write_bytes(settings_file.read_bytes().replace(b'"serve"', b'"mine"'))
    before = settings_file.read_bytes()
    assert undo(journal) == [f"{settings_file}: kept, it was changed by hand"]
    assert settings_file.read_bytes() == before


def test_undo_removes_settings_that_were_made_for_ours_and_keeps_what_came_in(journal: Journal, tmp_path: Path) -> None:
    alone, shared = tmp_path / "alone.json", tmp_path / "shared.json"
    for path in (alone, shared):
        journal.key(path, SERVER)
    shared.write_text(json.dumps({**json.loads(shared.read_text()), "mine": 1}))
    assert undo(journal) == []
    assert not alone.exists()
    assert json.loads(shared.read_text()) == {"mine": 1}


def test_a_value_that_gave_way_comes_back(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"mcpServers": {"meta": "older"}}')
    journal.key(path, SERVER)
    path.write_text(path.read_text() + "\n")
    assert undo(journal) == []
    assert path.read_text() == '{"mcpServers": {"meta": "older"}}\n'


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("a.json", b'{"a": \xff}', "not UTF-8"), ("a.json", b'{"a": 1', "not valid JSON"),
     ("a.toml", b"a = \xff", "not UTF-8"), ("a.toml", b"a = \n", "not valid TOML"), ("a.ini", b"", "neither JSON")],
)  # fmt: skip
def test_settings_that_cannot_be_understood_are_refused_and_kept(
    journal: Journal, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=told) as error:
        journal.key(path, SERVER)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content
    assert journal.entries() == []


EVERY = {"AGENTS.md": lambda path: edit_block(path, "x", "1"), "a.json": lambda path: edit_key(path, SERVER)}


@pytest.mark.parametrize("name", EVERY)
def test_a_read_only_file_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("{}")
    path.chmod(0o444)
    with pytest.raises(UserError, match="read-only"):
        EVERY[name](path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("{}", 0o444)


@pytest.mark.parametrize("name", EVERY)
def test_a_file_with_two_names_is_refused_for_an_edit_would_part_them(tmp_path: Path, name: str) -> None:
    path, other = tmp_path / name, tmp_path / "other"
    path.write_text("{}")
    os.link(path, other)
    with pytest.raises(UserError, match="hard links"):
        EVERY[name](path)
    assert path.samefile(other)
    assert path.read_text() == "{}"


@pytest.mark.parametrize("name", EVERY)
def test_a_symlink_stays_and_the_file_it_names_is_edited_with_its_mode(tmp_path: Path, name: str) -> None:
    target, link = tmp_path / "dotfiles" / name, tmp_path / name
    target.parent.mkdir()
    target.write_text("{}")
    target.chmod(0o640)
    link.symlink_to(f"dotfiles/{name}")
    assert EVERY[name](link)
    assert link.is_symlink()
    assert "meta" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in target.parent.iterdir()] == [name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can edit the file of another and leave it to them")
@pytest.mark.parametrize("name", EVERY)
def test_a_file_of_another_owner_stays_theirs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("{}")
    os.chown(path, 12345, 23456)
    assert EVERY[name](path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("name", EVERY)
def test_a_folder_that_cannot_be_written_is_told_in_a_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot"):
        EVERY[name](tmp_path / "file" / name)
