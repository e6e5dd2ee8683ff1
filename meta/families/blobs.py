"""The files of members in a repository: which are asked for, and what of their content is text.

How they are read, through one git, is in `git`.
"""

from __future__ import annotations

from meta.family import Family, Member


def files(family: Family, member: Member) -> list[tuple[str, str]]:
    """The member's files with their path templates; a name with a line break cannot be asked for."""
    return [(path, file) for path, file in zip(family.paths, member.files, strict=True) if file and "\n" not in file]


def text(content: bytes | None) -> str | None:
    """A text as it is, byte for byte; None for what is none."""
    try:
        return None if content is None or b"\0" in content else content.decode("utf-8")
    except UnicodeDecodeError:
        return None
