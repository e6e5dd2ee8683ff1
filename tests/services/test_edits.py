"""Our part of a user's file can be put, replaced and taken back; theirs is never touched."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.edits import Journal, edit_block, undo
from meta.errors import UserError

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
