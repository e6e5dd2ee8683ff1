"""Which files a tool is made of, in its folder and for every agent, and the lists of tools in the user's files.

What is done with them is decided in `lifecycle`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from meta import edits
from meta.edits import Journal
from meta.errors import UserError
from meta.model import Tool
from meta.policy.names import wrong_path
from meta.registration import branch, index
from meta.registration.agents import registrars
from meta.registration.branch import Blob
from meta.registration.card import Card, OwnFile, Piece

TOOLS = "generated_tools"
SKILLS = ".agents/skills"
SHARED = ("AGENTS.md", "CLAUDE.md")  # files of the user in which only a block is ours


def pieces(card: Card) -> tuple[Piece, ...]:
    """What every agent is given of a tool."""
    return tuple(piece for registrar in registrars() for piece in registrar.pieces(card))


def of(name: str) -> tuple[Piece, ...]:
    """The same of a tool of which no more than the name is known: only the places count."""
    return pieces(Card(name, "", "", ""))


def own(workspace: Path, commit: str, name: str) -> dict[str, Blob]:
    """The files of a commit that belong to one tool alone."""
    return branch.tree(workspace, commit, f"{TOOLS}/{name}", *(piece.path for piece in of(name)))


def made(tool: Tool, card: Card, text: str) -> dict[str, Blob]:
    """The files of a tool; `text` becomes its PR.md."""
    files = {
        f"{TOOLS}/{tool.name}/{path}": Blob(content, "100755" if content.startswith("#!") else "100644")
        for path, content in {**tool.files, "PR.md": text}.items()
    }
    for piece in pieces(card):
        files[piece.path] = Blob(piece.text) if isinstance(piece, OwnFile) else Blob(piece.target, "120000")
    for path in files:
        inside(path)
    return files


def with_lists(workspace: Path, files: Mapping[str, Blob]) -> dict[str, Blob]:
    """The files, and the lists of tools in the user's files as they are with these."""
    at_head = branch.tree(workspace, "HEAD", SKILLS, *SHARED) if branch.commit_of(workspace, "HEAD") else {}
    skills = {path: blob.content for path, blob in {**at_head, **files}.items() if path.endswith("/SKILL.md")}
    return {
        **files,
        **_shared_at(at_head, index.text(index.entries({Path(p).parent.name: t for p, t in skills.items()}))),
    }


def _shared_at(at_head: Mapping[str, Blob], listing: str | None) -> dict[str, Blob]:
    """AGENTS.md and CLAUDE.md of a commit with our blocks in them."""
    found: dict[str, Blob] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, marker, text in _blocks(listing, at_head.get("CLAUDE.md")):
            before = at_head.get(name)
            if before is not None and (before.mode == "120000" or "\ufffd" in before.content):
                continue  # a link to another file, or not UTF-8: left to `accept`, which edits in place
            path = Path(folder, name)
            path.write_text(before.content if before else "", newline="")
            edits.edit_block(path, marker, text)
            found[name] = Blob(path.read_text(), before.mode if before else "100644")
    return found


def _blocks(listing: str | None, claude: Blob | None) -> list[tuple[str, str, str | None]]:
    """Our blocks in the user's files: (file, marker, text). CLAUDE.md hides AGENTS.md from its reader unless it imports it."""
    blocks: list[tuple[str, str, str | None]] = [("AGENTS.md", index.MARKER, listing)]
    own = (
        re.sub(rf"<!-- meta:begin {index.IMPORT}.*?meta:end {index.IMPORT} -->", "", claude.content, flags=re.S)
        if claude
        else ""
    )
    if claude is not None and claude.mode != "120000" and "@AGENTS.md" not in own:
        blocks.append(("CLAUDE.md", index.IMPORT, "@AGENTS.md" if listing else None))
    return blocks


def listed(workspace: Path) -> tuple[index.Entry, ...]:
    """The registered tools, best payback first."""
    found = {path.parent.name: path.read_text(errors="replace") for path in (workspace / SKILLS).glob("*/SKILL.md")}
    return index.entries(
        {name: text for name, text in found.items() if (workspace / TOOLS / name / "tool.py").exists()}
    )


def list_tools(workspace: Path, log: Journal) -> tuple[str, ...]:
    """Bring the lists of tools in the work tree up to date; the files that were changed for it."""
    path = workspace / "CLAUDE.md"
    mode: branch.Mode = "120000" if path.is_symlink() else "100644"
    claude = Blob(path.read_text(errors="replace"), mode) if path.exists() else None
    changed = []
    for name, marker, text in _blocks(index.text(listed(workspace)), claude):
        target = workspace / name
        if (text is not None or target.exists()) and log.block(target, marker, text):
            changed.append(name)
    return tuple(changed)


def inside(path: str) -> None:
    """Raises `UserError` for a path that would lead out of the workspace."""
    if reason := wrong_path(path):
        raise UserError(f"{reason} The tool is refused.")
