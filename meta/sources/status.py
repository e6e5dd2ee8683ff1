"""How a shell call ended, judged from its command and its exit code.

Where the exit code is written is each format's own knowledge; this is only what the number means.
"""

from __future__ import annotations

import re

from meta.model import Status

# An exit of 1 from these says "no match" or "there is a difference", not "it broke".
ANSWERS_WITH_ONE = frozenset(
    {"rg", "grep", "egrep", "fgrep", "zgrep", "ag", "diff", "cmp", "test", "[", "[[", "pgrep", "git grep", "git diff"}
)
_WRAPPERS = frozenset({"sudo", "env", "command", "time", "nice", "rtk", "!"})
_END = 2048  # characters at the end of a command line in which its last program is looked for
_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\d*[<>]&\d?|&>""", re.DOTALL)
_SEPARATOR = re.compile(r"&&|\|\||[|;&\n]")


def shell_status(command: str, exit_code: int | None) -> Status:
    """ok, failed, or unknown without an exit code; 1 from a program that answers with it is ok."""
    if exit_code is None:
        return "unknown"
    if exit_code == 0 or (exit_code == 1 and ANSWERS_WITH_ONE & _last_program(command)):
        return "ok"
    return "failed"


def _last_program(command: str) -> set[str]:
    """The program that gave a command line its exit code, alone and with its sub-command."""
    simple = [part.strip() for part in _SEPARATOR.split(_QUOTED.sub("_", command[-_END:])) if part.strip()]
    words = simple[-1].split() if simple else []
    while words and (words[0] in _WRAPPERS or re.match(r"\w+=", words[0])):
        words = words[1:]
    program = words[0].rpartition("/")[2] if words else ""
    return {program, " ".join([program, *words[1:2]])}
