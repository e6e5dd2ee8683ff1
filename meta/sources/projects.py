"""The short name of the project a session belongs to, from what the session tells about its place.

Names only: whether two folders hold the same repository is not looked up on this machine.
"""

from __future__ import annotations

import re
from pathlib import PurePath

_WORKTREES = tuple(  # how tools name the checkouts they make beside or inside a repository; the group is its name
    re.compile(pattern)
    for pattern in (
        r"/\.codex/worktrees/[^/]+/([^/]+)",
        r"/\.(?:cursor|superset)/worktrees/([^/]+)/",
        r"/conductor/workspaces/([^/]+)/",
        r"/([^/]+?)(?:\.|__|-|_)worktrees(?:/|$)",
        r"/([^/]+)/(?:\.[^/]+/)?\.?worktrees?/[^/]+",
        r"/([^/]+)/\.conductor/",
    )
)
_AGENT_FOLDERS = re.compile(
    r"\..*|history|sessions|archived_sessions|projects|subagents|chats|chatSessions|session-state|storage|session"
    r"|message|part|tmp|\d{1,4}|[0-9a-fA-F-]{12,}"
)


def project(cwd: str, remote: str, path: str) -> str:
    """The repository's name if `remote` is known, else the folder of `cwd`, else the folder that keeps the file.

    Worktrees give the name of their repository. Folders that belong to an agent are no projects.
    """
    return _of_remote(remote) or _of_folder(cwd) or _of_file(path)


def _of_remote(remote: str) -> str:
    return re.split(r"[/:\\]", remote.strip().rstrip("/").removesuffix(".git"))[-1]


def _of_folder(cwd: str) -> str:
    folder = cwd.replace("\\", "/").rstrip("/")
    for worktree in _WORKTREES:
        if found := worktree.search(folder + "/"):
            return found[1]
    return folder.rpartition("/")[2]


def _of_file(path: str) -> str:
    folders = reversed(PurePath(path).parts[:-1])
    return next((name for name in folders if not _AGENT_FOLDERS.fullmatch(name) and name != "/"), "")
