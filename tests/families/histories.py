"""Real repositories with a history, written at once through `git fast-import`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

DAY = 86400
T = 1_767_261_600  # the first commit


@dataclass(frozen=True)
class Made:
    """A commit to be: `files` maps paths to contents, None deletes. `day` is counted from the first commit."""

    files: Mapping[str, str | bytes | None]
    day: float = 0.0
    author: str = "ada"


def repository(folder: Path, commits: Iterable[Made], *, checkout: bool = False) -> Path:
    """The folder as a git repository with these commits, oldest first; its work tree is empty unless `checkout`."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=_stream(commits), check=True)
    git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    if checkout:
        git(folder, "reset", "-q", "--hard")
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=ada", "-c", "user.email=ada@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _stream(commits: Iterable[Made]) -> bytes:
    pieces: list[bytes] = []
    for made in commits:
        when = f"{made.author} <{made.author}@example.org> {int(T + made.day * DAY)} +0000"
        pieces.append(f"commit refs/heads/main\nauthor {when}\ncommitter {when}\ndata 4\nmade\n".encode())
        for path, content in made.files.items():
            if content is None:
                pieces.append(f'D "{path}"\n'.encode())
                continue
            data = content.encode() if isinstance(content, str) else content
            pieces.append(f'M 100644 inline "{path}"\ndata {len(data)}\n'.encode() + data + b"\n")
    return b"".join(pieces)


def adding(*paths: str, day: float = 0.0, edits: Mapping[str, str] | None = None) -> Made:
    """A commit that adds these files, each with a content of its own, and edits others."""
    return Made({**{path: f"{path}\n" for path in paths}, **(edits or {})}, day)
