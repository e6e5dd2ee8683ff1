"""Change files that belong to the user so that exactly our part can be taken back, whatever they did since.

How bytes reach the disk is the business of `files`; what the text says is the business of the caller.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from meta import files, keys
from meta.errors import UserError
from meta.keys import Own, Trace

_COMMENTS = {
    ".md": ("<!-- ", " -->"), ".html": ("<!-- ", " -->"), ".xml": ("<!-- ", " -->"),
    ".js": ("// ", ""), ".ts": ("// ", ""), ".jsonc": ("// ", ""), ".rs": ("// ", ""), ".go": ("// ", ""),
    ".css": ("/* ", " */"), ".lua": ("-- ", ""), ".sql": ("-- ", ""),
}  # fmt: skip
Kind = Literal["file", "block", "key", "link"]
_PATIENCE = 20.0  # seconds of trying against someone who keeps writing
_LOOKS = 25  # at a file that somebody seems to be writing
_MOMENT = 0.02  # seconds; what a program takes from reading its settings to writing them is less
_BUSY = "kept, it is being changed right now"


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of ours. `before` and `after` are the file's hashes, "" where there was none.

    `own` is the exact text that we put at `start` and `replaced` what stood in its place; for a link `own` is its
    target. For a key `about` tells in JSON what it is and how it was put.
    """

    number: int
    path: str
    kind: Kind
    before: str
    start: int
    replaced: str
    own: str
    after: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Patch:
    """`old` at `start` gives way to `new`."""

    start: int
    old: str
    new: str

    def apply(self, content: str) -> str:
        return content[: self.start] + self.new + content[self.start + len(self.old) :]


_Change = Callable[[str], tuple[_Patch, str] | None]
"""What is to be done to a content, and how to tell it later; None where nothing is to be done."""
_Note = Callable[[str | None, _Patch, str], Entry | None]


def _load(path: Path) -> str | None:
    """The content, None where there is no file. Bytes that are not UTF-8 survive the way back (`_bytes`)."""
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Give access to it and run this again.") from error


def _bytes(content: str) -> bytes:
    return content.encode(errors="surrogateescape")


def _hash(content: str | None) -> str:
    return "" if content is None else hashlib.sha256(_bytes(content)).hexdigest()


def _markers(path: Path, marker: str) -> tuple[str, str]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9:_-]*", marker):
        raise ValueError(f"not a marker: {marker!r}")
    if path.suffix == ".json":
        raise UserError(f"{path} has no comments, so nothing can be marked as ours in it. Use a key of its own.")
    head, tail = _COMMENTS.get(path.suffix, ("# ", ""))
    return f"{head}meta:begin {marker}{tail}", f"{head}meta:end {marker}{tail}"


def _find(path: Path, content: str, marker: str) -> tuple[int, int] | None:
    """Where our block stands, with the one line break that putting it there added."""
    begin, end = (re.escape(text) for text in _markers(path, marker))
    begins = [match.start() for match in re.finditer(rf"^{begin}\r?$", content, re.MULTILINE)]
    ends = [match.end() for match in re.finditer(rf"^{end}(?=\r?$)", content, re.MULTILINE)]
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise UserError(
            f"the lines meta:begin {marker} and meta:end {marker} in {path} are no pair. Mend or drop them."
        )
    return begins[0], ends[0]


def _patch(path: Path, content: str, marker: str, text: str | None) -> _Patch | None:
    """What puts, replaces or (for None) removes the block; None where nothing is to do.

    A block is put as "block, line break" behind a complete last line, as "line break, block" behind an incomplete
    one. The place of the line break tells later which of the two it was, so removal restores every byte.
    """
    newline = "\r\n" if content.partition("\n")[0].endswith("\r") else "\n"
    place = _find(path, content, marker)
    if text is None:
        return None if place is None else _removal(content, *place)
    begin, end = _markers(path, marker)
    if begin in text or end in text:
        raise ValueError("the text of a block contains its markers")
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    block = newline.join([begin, *lines, end])
    if place is not None:
        start, stop = place
        return None if content[start:stop] == block else _Patch(start, content[start:stop], block)
    complete = not content or content.endswith("\n")
    return _Patch(len(content), "", block + newline if complete else newline + block)


def _removal(content: str, start: int, stop: int) -> _Patch:
    if following := re.match(r"\r?\n", content[stop:]):
        stop += following.end()
    elif preceding := re.search(r"\r?\n\Z", content[:start]):
        start = preceding.start()
    return _Patch(start, content[start:stop], "")


def _edit(path: Path, change: _Change, note: _Note, drop: Callable[[Entry], None], *, watched: bool = False) -> bool:
    """Whether the file had to change. Where others may be writing it (`watched`), their lock is taken, and what went
    in must still be there after a moment: a program that knows of no lock may put back what it had read before."""
    noted: Entry | None = None
    swapped, give_up = False, time.monotonic() + _PATIENCE
    while True:
        with files.turn(path, shared=watched):
            before, made = _wanted(path, change, looks=_LOOKS if watched else 1)
            if made is None:
                break
            if before is not None:
                _replaceable(path)
            if noted:  # it was not made, or is gone again
                drop(noted)
            noted = note(before, *made)
            swapped = files.swap(path, None if before is None else _bytes(before), _bytes(made[0].apply(before or "")))
        if (swapped and not watched) or time.monotonic() > give_up:
            break
        time.sleep(_MOMENT)
    if noted and not swapped:
        drop(noted)
    if made and not swapped:
        raise UserError(f"{path} keeps changing while it is edited. Close what writes to it and run this again.")
    return swapped


def _wanted(path: Path, change: _Change, looks: int) -> tuple[str | None, tuple[_Patch, str] | None]:
    """The content and what is to be done to it. What does not parse may be what somebody is writing at this moment."""
    for left in reversed(range(looks)):
        before = _load(path)
        try:
            made = change(before or "")
            if before != "" or not left:  # who writes in place empties the file first
                return before, made
        except UserError:
            if not left:
                raise
        time.sleep(_MOMENT)
    raise AssertionError("at least one look")


def _replaceable(path: Path) -> None:
    """Raises `UserError` for a file that its user has protected, or that has another name to be parted from."""
    status = path.stat()
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise UserError(f"{path} is read-only. Make it writable, then run this again.")
    if status.st_nlink > 1 and files.sweep([path.parent]):  # a draft of ours whose writer was killed
        status = path.stat()
    if status.st_nlink > 1:
        raise UserError(
            f"{path} is one of {status.st_nlink} hard links, which an edit would part. Make the others symbolic links."
        )


def edit_block(path: Path, marker: str, text: str | None) -> bool:
    """Whether our block of this name in the file had to change; `text` None removes it.

    The rest of the file and its line endings stay. Putting and then removing restores the file byte by byte (one
    that did not exist stays empty; `undo` removes it).
    """
    return _edit(path, _block(path, marker, text), _unnoted, lambda entry: None)


def edit_key(path: Path, own: Own) -> bool:
    """Whether our value had to be put into a JSON or TOML file; every byte of others stays."""
    return _edit(path, _key(path, own), _unnoted, lambda entry: None, watched=True)


def holds(path: Path, own: Own) -> bool:
    """Whether our key stands in the file already."""
    content = _load(path)
    return content is not None and _key(path, own)(content) is None


def _unnoted(before: str | None, patch: _Patch, about: str) -> Entry | None:
    return None


def _block(path: Path, marker: str, text: str | None) -> _Change:
    def change(content: str) -> tuple[_Patch, str] | None:
        patch = _patch(path, content, marker, text)
        return (patch, "") if patch else None

    return change


def _key(path: Path, own: Own) -> _Change:
    form = keys.form(path)

    def change(content: str) -> tuple[_Patch, str] | None:
        if any("\udc80" <= letter <= "\udcff" for letter in content):
            raise UserError(f"{path} is not UTF-8. Mend it, then run this again.")
        if form == "toml":
            after, trace = keys.put_toml(content, own, str(path)), Trace(0)
        else:
            after, trace = keys.put(content, own, str(path)) or (None, Trace(0))
        return (_difference(content, after), json.dumps([asdict(own), asdict(trace)])) if after is not None else None

    return change


def _difference(before: str, after: str) -> _Patch:
    """What lies between what both begin with and what both end with."""
    start = _shared(before, after)
    tail = _shared(before[start:][::-1], after[start:][::-1])
    return _Patch(start, before[start : len(before) - tail], after[start : len(after) - tail])


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    differing = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


class Journal:
    """The append-only record of our changes. An entry is on disk before its change is, so none goes unrecorded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def paths(self) -> list[str]:
        """What was ever changed, taken back or not, by number."""
        return [str(row["path"]) for row in self._rows() if "path" in row]

    def _rows(self) -> Iterator[dict[str, object]]:
        for line in (_load(self.path) or "").split("\n"):
            try:
                row = json.loads(line)
            except ValueError:  # cut off when the machine stopped: its change was never made
                continue
            if isinstance(row, dict):
                yield row

    def entries(self) -> list[Entry]:
        """What was changed and not taken back, oldest first."""
        rows = list(self._rows())
        undone = {row["undone"] for row in rows if "undone" in row}
        return [Entry(**row) for row in rows if "path" in row and row["number"] not in undone]  # type: ignore[arg-type]

    def _append(self, row: dict[str, object]) -> None:
        content = _load(self.path) or ""
        complete = "" if not content or content.endswith("\n") else "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="ascii") as file:
                file.write(complete + json.dumps(row) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(f"cannot write {self.path}: {error.strerror}. Make room or access first.") from error
        if not content:
            files.settle(self.path.parent)

    def _note(self, path: Path, kind: Kind, before: str | None, patch: _Patch, about: str = "") -> Entry:
        number = sum("path" in row for row in self._rows())
        where = os.path.abspath(path)  # not resolved: a link is ours as a link
        after = _hash(patch.apply(before or "")) if kind != "link" else ""
        entry = Entry(number, where, kind, _hash(before), patch.start, patch.old, patch.new, after, about)
        self._append(asdict(entry))
        return entry

    def block(self, path: Path, marker: str, text: str | None) -> bool:
        """`edit_block`, recorded."""
        return _edit(path, _block(path, marker, text), partial(self._note, path, "block"), self.done)

    def key(self, path: Path, own: Own) -> bool:
        """`edit_key`, recorded."""
        return _edit(path, _key(path, own), partial(self._note, path, "key"), self.done, watched=True)

    def write(self, path: Path, content: str | bytes, mode: int | None = None) -> bool:
        """`files.write` of a file that is ours as a whole, recorded."""
        before = _load(path)
        after = content if isinstance(content, str) else content.decode(errors="surrogateescape")
        if before == after:
            return False
        self._note(path, "file", before, _Patch(0, before or "", after))
        return files.write(path, _bytes(after), mode)

    def link(self, path: Path, target: str) -> bool:
        """Whether a symlink to `target` had to be made. Raises `UserError` where something else is in its place."""
        if path.is_symlink() and os.readlink(path) == target:
            return False
        if os.path.lexists(path):
            raise UserError(f"{path} is in the way of a link to {target}. Move it and run this again.")
        self._note(path, "link", None, _Patch(0, "", target))
        link(path, target)
        return True

    def done(self, entry: Entry) -> None:
        """Record that an entry was taken back."""
        self._append({"undone": entry.number})


def link(path: Path, target: str) -> None:
    """Make a symlink, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    files.settle(path.parent)


def undo(journal: Journal, wanted: Callable[[Entry], bool] = lambda entry: True) -> list[str]:
    """Take back the wanted entries, latest first. What was changed by hand is kept; the lines say what and why."""
    kept: list[str] = []
    for entry in reversed([entry for entry in journal.entries() if wanted(entry)]):
        reason = _undo_link(entry) if entry.kind == "link" else _undo_content(entry)
        if reason:
            kept.append(f"{entry.path}: {reason}")
        else:
            journal.done(entry)
    return kept


def _undo_link(entry: Entry) -> str:
    path = Path(entry.path)
    if not os.path.lexists(path):
        return ""
    if not path.is_symlink() or os.readlink(path) != entry.own:
        return "kept, it is no longer our link"
    path.unlink()
    files.settle(path.parent)
    return ""


def _undo_content(entry: Entry) -> str:
    """Why the entry could not be taken back, "" where it was (or was never made, or is already gone)."""
    path = Path(entry.path)
    content = _load(path)
    if content is None or _hash(content) == entry.before:
        return ""
    untouched = _hash(content) == entry.after
    if untouched and not entry.before:
        path.unlink()
        files.settle(path.parent)
        return ""
    if entry.kind == "key" and not untouched:
        return _undo_key(path, entry)
    if not untouched and (entry.kind == "file" or not entry.own or content.count(entry.own) != 1):
        return "kept, it was changed by hand"
    patch = _Patch(entry.start if untouched else content.index(entry.own), entry.own, entry.replaced)
    with files.turn(path, shared=entry.kind == "key"):
        return "" if files.swap(path, _bytes(content), _bytes(patch.apply(content))) else _BUSY


def _undo_key(path: Path, entry: Entry) -> str:
    """The same where others have written the file since: our value goes wherever it stands now."""
    about, trace = json.loads(entry.about)
    own = Own(tuple(about["path"]), about["value"], about["item"])
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        with files.turn(path, shared=True):
            content = _load(path)
            if content is None:
                return ""
            if keys.form(path) == "toml":
                after = keys.take_toml(content, own, as_put=entry.own)
            else:
                after = keys.take(content, own, Trace(**trace), str(path))
            if after is None:
                return "kept, it was changed by hand"
            if after == content or files.swap(path, _bytes(content), _bytes(after)):
                return ""
        time.sleep(_MOMENT)
    return _BUSY
