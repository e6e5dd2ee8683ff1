"""Change files that belong to the user so that exactly our part can be taken back, whatever they did since.

How bytes reach the disk is the business of `files`; what the text says is the business of the caller.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from meta import files
from meta.errors import UserError

_COMMENTS = {
    ".md": ("<!-- ", " -->"), ".html": ("<!-- ", " -->"), ".xml": ("<!-- ", " -->"),
    ".js": ("// ", ""), ".ts": ("// ", ""), ".jsonc": ("// ", ""), ".rs": ("// ", ""), ".go": ("// ", ""),
    ".css": ("/* ", " */"), ".lua": ("-- ", ""), ".sql": ("-- ", ""),
}  # fmt: skip
Kind = Literal["file", "block", "link"]
_ATTEMPTS = 5  # of a compare-and-swap against someone who keeps writing


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of ours. `before` and `after` are the file's hashes, "" where there was none.

    `own` is the exact text that we put at `start` and `replaced` what stood in its place; for a link `own` is its target.
    """

    number: int
    path: str
    kind: Kind
    before: str
    start: int
    replaced: str
    own: str
    after: str


@dataclass(frozen=True, slots=True)
class _Patch:
    """`old` at `start` gives way to `new`."""

    start: int
    old: str
    new: str

    def apply(self, content: str) -> str:
        return content[: self.start] + self.new + content[self.start + len(self.old) :]


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


def _swap(path: Path, before: str | None, after: str) -> bool:
    """Whether the file still was `before` and now is `after`."""
    if _load(path) != before:
        return False
    files.write(path, _bytes(after))
    return True


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


def _edit(path: Path, marker: str, text: str | None, note: Callable[[str | None, _Patch], None]) -> bool:
    for _ in range(_ATTEMPTS):
        before = _load(path)
        patch = _patch(path, before or "", marker, text)
        if patch is None:
            return False
        note(before, patch)
        if _swap(path, before, patch.apply(before or "")):
            return True
    raise UserError(f"{path} keeps changing while it is edited. Close what writes to it and run this again.")


def edit_block(path: Path, marker: str, text: str | None) -> bool:
    """Whether our block of this name in the file had to change; `text` None removes it.

    The rest of the file and its line endings stay. Putting and then removing restores the file byte by byte (one
    that did not exist stays empty; `undo` removes it).
    """
    return _edit(path, marker, text, lambda before, patch: None)


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

    def _note(self, path: Path, kind: Kind, before: str | None, patch: _Patch) -> None:
        number = sum("path" in row for row in self._rows())
        where = os.path.abspath(path)  # not resolved: a link is ours as a link
        after = _hash(patch.apply(before or "")) if kind != "link" else ""
        self._append(asdict(Entry(number, where, kind, _hash(before), patch.start, patch.old, patch.new, after)))

    def block(self, path: Path, marker: str, text: str | None) -> bool:
        """`edit_block`, recorded."""
        return _edit(path, marker, text, lambda before, patch: self._note(path, "block", before, patch))

    def write(self, path: Path, content: str | bytes) -> bool:
        """`files.write` of a file that is ours as a whole, recorded."""
        before = _load(path)
        after = content if isinstance(content, str) else content.decode(errors="surrogateescape")
        if before == after:
            return False
        self._note(path, "file", before, _Patch(0, before or "", after))
        return files.write(path, _bytes(after))

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
    if not untouched and (entry.kind == "file" or not entry.own or content.count(entry.own) != 1):
        return "kept, it was changed by hand"
    patch = _Patch(entry.start if untouched else content.index(entry.own), entry.own, entry.replaced)
    return "" if _swap(path, content, patch.apply(content)) else "kept, it is being changed right now"
