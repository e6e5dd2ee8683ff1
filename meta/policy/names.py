"""Which names a tool may have, and which paths its files: what no file system and no agent takes for something else."""

from __future__ import annotations

import re
import unicodedata

_SLASH = """agents branch bug chat clear compact compress config context copy cost diff docs doctor editor effort exit
export extensions fast help hooks ide init login logout mcp memory model new permissions plan plugin quit redo resume
review rewind share skills stats status tasks test theme tools undo usage vim"""
_PROGRAMS = """awk bash bun cargo cat chmod cp curl cut date dd df docker du echo env find git go grep gzip head helm id
install java kill kubectl less link ln ls make man meta mkdir more mv nice node npm nproc patch pip pr ps pwd pytest
python rg rm rsync ruff sed sh sleep sort split ssh stat strip sudo sync tail tar tee time top touch tr true false uniq
uv wc wget which who xargs yes zip"""
DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "clock", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
RESERVED = frozenset(f"{_SLASH} {_PROGRAMS}".split()) | DEVICES
SLUG = re.compile(r"[a-z][a-z0-9-]{1,48}")
LONGEST = 200  # characters of one part of a path; most file systems take 255 bytes


def wrong_name(name: str) -> str:
    """Why this is no name for a tool, "" if it is one."""
    if not SLUG.fullmatch(name):
        return f"{name[:60]!r} is no tool name: small letters, digits and dashes, 2 to 49 of them, a letter first."
    if name in RESERVED:
        return f"{name!r} is the name of a command or a device already: choose another one."
    return ""


def wrong_path(path: str) -> str:
    """Why no file of a tool may lie here, "" if it may: it leads elsewhere, or another system reads it otherwise."""
    for part in path.split("/"):
        plain = "".join(c for c in unicodedata.normalize("NFKC", part) if unicodedata.category(c) not in ("Cf", "Mn"))
        plain = plain.casefold().rstrip(". ")
        if not plain or part in (".", "..") or "/" in plain or plain in (".git", "git~1"):
            return f"{path[:80]!r} is no path inside the workspace."
        if re.search(r'[\x00-\x1f\x7f\\:*?"<>|]', plain) or any(unicodedata.category(c) in ("Cc", "Cs") for c in part):
            return f"{path[:80]!r} has a character that not every file system takes."
        if plain.split(".")[0] in DEVICES or part != part.rstrip(". ") or len(part.encode(errors="replace")) > LONGEST:
            return f"{path[:80]!r} is a name that not every file system takes."
    return ""
