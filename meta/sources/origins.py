"""Folders in which only programs work: observers of other sessions, and the runners of continuous integration.

What a format itself tells about who drove it is known to its reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a program works, with folders that are such and folders that are not."""

    program: str
    pattern: str
    examples: tuple[str, ...]
    others: tuple[str, ...]


FOLDERS = (
    Folder("claude-mem", r"[/\\]\.claude-mem(?:[/\\]|$)", ("/home/ada/.claude-mem/observer-sessions", r"C:\Users\ada\.claude-mem"),
           ("/home/ada/claude-mem", "/home/ada/.claude-memo/x")),
    Folder("GitHub Actions", r"^(?:/home/runner/work|/github/workspace|/__w|/Users/runner/work|[A-Z]:\\a)(?:[/\\]|$)",
           ("/home/runner/work/shop/shop", "/github/workspace", r"D:\a\shop\shop"), ("/home/runner", "/home/ada/github/workspace")),
    Folder("GitLab CI", r"^/builds/[^/]+/[^/]+", ("/builds/ada/shop",), ("/builds", "/home/ada/builds/shop/web")),
    Folder("Jenkins", r"[/\\]jenkins(?:_home)?[/\\]workspace[/\\]", ("/var/jenkins_home/workspace/shop",), ("/home/ada/jenkins/shop",)),
    Folder("CircleCI", r"^/(?:home|root)/circleci/project", ("/home/circleci/project",), ("/home/ada/circleci/project",)),
)  # fmt: skip
_ANY = re.compile("|".join(folder.pattern for folder in FOLDERS))


def by_program(cwd: str) -> bool:
    """Whether nobody but a program works in this folder."""
    return _ANY.search(cwd) is not None
