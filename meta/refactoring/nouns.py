"""The nouns of a refactoring: which functions become one, what each file reads afterwards, and what was refused and why.

Nothing is decided here, and nothing is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Rule = Literal["library", "helper"]
"""`library`: equal functions with an equal closure become one. `helper`: equal bodies but for constants call one."""


class RefusedError(Exception):
    """The code cannot be shared as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """One function of a member: its path and its qualified name. `constants` are what it hands to the helper."""

    path: str
    name: str
    constants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Functions that become one, called `name` in the new file `module`. `lines` is how long one of them is."""

    rule: Rule
    name: str
    module: str
    sites: tuple[Site, ...]
    lines: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Functions that look alike and stay apart, and why."""

    rule: Rule
    name: str
    sites: tuple[Site, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Refactoring:
    """Everything that would change. `files` and `before` map a path to its text after and before, a new one's is "".

    `gone` are the constants that a member no longer holds because only shared functions used them, and `notes` tell
    what a reviewer should know. `skipped` counts the files that could not be used, by reason.
    """

    groups: tuple[Group, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    added: int = 0
    removed: int = 0
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same functions, whatever else is in their files."""
        text = repr([(group.rule, group.name, group.module, group.sites) for group in self.groups])
        return "rf:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    @property
    def net(self) -> int:
        """Lines more than before; below zero, the code has become shorter."""
        return self.added - self.removed

    @property
    def instances(self) -> int:
        return sum(len(group.sites) for group in self.groups)
