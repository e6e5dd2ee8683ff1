"""Git's own ways to run others: settings, aliases, `--exec`, and commands for each place.

What its sub-commands do is known in the tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meta.policy import table
from meta.policy.judging import evaluated, judged
from meta.policy.nouns import Finding
from meta.policy.walk import Scope, tainted

if TYPE_CHECKING:
    from meta.policy.walk import Walk


def git(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """Git's own ways to run others: `-c` settings, aliases, `--exec`, and commands for each place."""
    words = argv
    if not set(words[1:]) - {"-v", "-h", "--exec-path", "--html-path"}:
        walk.say([Finding("read", 0, "git")])
        return ""
    seen = table.parsed("git", tuple(words[1:]))
    for flag, value in seen.values:
        if flag in ("-c", "--config-env"):
            key, _, setting = value.partition("=")
            _setting(walk, key, setting, scope, unsets=key != value)
        elif flag in ("-x", "--exec", "--extcmd", "--upload-pack", "--receive-pack", "--tree-filter", "--index-filter"):
            evaluated(walk, value, scope.copy(), "git runs")
    rest = list(seen.operands)
    if rest[:1] == ["config"]:
        named = [word for word in rest[1:] if word not in ("set", "unset", "get")]
        if named:
            _setting(
                walk,
                named[0],
                " ".join(named[1:]),
                scope,
                unsets=bool({"--unset", "--unset-all", "unset"} & set(words)),
            )
    inner = _git_inner(words)
    if inner:
        walk.simple(inner, scope.copy(), None) if len(inner) > 1 else evaluated(
            walk, inner[0], scope.copy(), "git runs"
        )
    for flag, value in table.parsed(f"git {rest[0]}" if rest else "git", tuple(words[1:])).values:
        if flag in ("-x", "--exec", "--extcmd", "--tree-filter", "--msg-filter", "--index-filter") and rest[0] in (
            "rebase",
            "difftool",
            "filter-branch",
        ):
            evaluated(walk, value, scope.copy(), "git runs")
    judged(walk, words, scope, stdin)
    return tainted(stdin)


def _git_inner(words: Sequence[str]) -> list[str]:
    """The command behind `git bisect run` and `git submodule foreach`."""
    for first, second in (("bisect", "run"), ("submodule", "foreach")):
        for at in range(1, len(words) - 1):
            if words[at] == first and second in words[at + 1 : at + 4]:
                rest = list(words[words.index(second, at) + 1 :])
                while rest and rest[0] in ("--recursive", "-q", "--quiet", "--"):
                    rest.pop(0)
                return rest
    return []


_RUN_SETTINGS = re.compile(r"core\.(pager|editor|sshcommand|fsmonitor|askpass|gitproxy)|(alias|pager|credential)\..*|diff\..*\.(command|textconv)|filter\..*|(sequence\.editor|merge\..*\.driver|gpg\..*program)|uploadpack\..*", re.IGNORECASE)  # fmt: skip


def _setting(walk: Walk, key: str, value: str, scope: Scope, *, unsets: bool = False) -> None:
    if key.lower() == "core.hookspath" and (value or unsets):
        walk.never("takes the hooks of a repository away")
    elif _RUN_SETTINGS.fullmatch(key) and value:
        text = value.removeprefix("!")
        if key.startswith("alias.") and not value.startswith("!"):
            text = f"git {text}"
        if key.lower().startswith("credential"):
            walk.say([Finding("privilege", 3, "changes where passwords are kept")])
        else:
            walk.run(text, scope.copy())
