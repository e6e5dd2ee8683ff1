"""Built-in commands of the shell: what they set up for later commands, print, or run.

They start no program of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meta.policy import paths
from meta.policy.expansion import ansi
from meta.policy.judging import evaluated
from meta.policy.nouns import FOREIGN, SECRET, UNKNOWN, Finding
from meta.policy.walk import Handler, Scope, positional, tainted

if TYPE_CHECKING:
    from meta.policy.walk import Walk


def _cd(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    words = [word for word in argv[1:] if not word.startswith("-") or word == "-"]
    path = words[0] if words else paths.HOME
    scope.folder = UNKNOWN if path == "-" else paths.normal(path, scope.folder)
    return ""


def _echo(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    words = argv[1:]
    escapes = False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        escapes |= "e" in words.pop(0)
    text = " ".join(words)
    return ansi(text) if escapes else text


def _printf(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    words = [word for word in argv[1:] if word != "--"]
    if words[:1] == ["-v"] and len(words) > 2:
        scope.variables[words[1]] = _printf(walk, ["printf", *words[2:]], scope, stdin)
        return ""
    if not words:
        return ""
    form, values = ansi(words[0]), words[1:]
    found = ""
    while True:
        left = iter(values)
        used = [0]

        def fill(match: re.Match[str], left: object = left, used: list[int] = used) -> str:
            if match.group() == "%%":
                return "%"
            used[0] += 1
            value = next(left, "")  # type: ignore[call-overload]  # an iterator of words
            return ansi(value) if match.group().endswith("b") else str(value)

        found += re.sub(r"%%|%[-+ #0-9.*]*[a-zA-Z]", fill, form)
        values = values[used[0] :]
        if not values or not used[0] or len(found) > 10_000:
            return found


def _eval(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    return evaluated(walk, " ".join(argv[1:]), scope, "eval runs") if argv[1:] else ""


def _source(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    path = argv[1] if argv[1:] else ""
    if path in ("/dev/stdin", "-"):
        return evaluated(walk, stdin or UNKNOWN, scope, "a shell reads")
    if paths.place(path, scope.folder) in ("home", "system", "outside") and walk.content(path, scope) == UNKNOWN:
        walk.say([Finding("read", 1, "reads a script of the user's own")])
        return ""
    return sourced(walk, argv[1:], scope, stdin) if path else ""


def sourced(walk: Walk, rest: Sequence[str], scope: Scope, stdin: str | None) -> str:
    """A file that a shell reads."""
    path = rest[0]
    held = walk.content(path, scope)
    if held != UNKNOWN:
        return evaluated(walk, held, inside(scope, rest), "a shell runs")
    if FOREIGN in path:
        walk.never("runs a file that came from elsewhere")
    elif paths.place(path, scope.folder) in ("project", "unknown", "nothing") or walk.foreign:
        walk.say([Finding("write-project", 1, "runs a script of the project")])
        if path == UNKNOWN or path == "/dev/stdin":
            walk.unknown("a script that only the run tells")
    else:
        walk.unknown(f"a script outside of the project: {path}")
    return UNKNOWN


def _trap(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    words = [word for word in argv[1:] if word != "--"]
    return evaluated(walk, words[0], scope.copy(), "trap runs") if words and words[0] not in ("-", "-l", "-p") else ""


def _alias(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    for word in argv[1:]:
        name, equals, text = word.partition("=")
        if equals:
            scope.aliases[name] = text
            if name not in text.split():
                walk.run(text, scope.copy())
    return ""


def _read(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    for word in argv[1:] or ["REPLY"]:
        if re.fullmatch(r"[A-Za-z_]\w*", word):
            lines = (stdin or "").strip()
            scope.variables[word] = lines if lines and "\n" not in lines and len(argv) < 4 else tainted(stdin)
    return ""


def _unset(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    for word in argv[1:]:
        if word in ("HISTFILE", "HISTSIZE", "PROMPT_COMMAND"):
            walk.never(f"hides what is run: unset {word}")
        scope.variables[word] = ""
    return ""


def _set(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    if "--" in argv:
        scope.variables |= positional(argv[argv.index("--") :])
    elif argv[1:2] == ["+o"] and argv[2:3] == ["history"]:
        walk.never("hides what is run")
    return SECRET if len(argv) == 1 else ""


def nothing(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    walk.say([Finding("read", 0, argv[0])])
    return ""


def _command(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """`command`, `builtin`, `exec`, `coproc`, `!`, `time`: the words behind them, their flags aside."""
    rest = argv[1:]
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        flag = rest.pop(0)
        if argv[0] == "command" and flag in ("-v", "-V"):
            return UNKNOWN
        if flag in ("-a", "-f", "-o"):
            rest = rest[1:]
    return walk.simple(rest, scope, stdin)


def inside(scope: Scope, argv: Sequence[str]) -> Scope:
    """The scope of a script or text that is called with these words."""
    inner = scope.copy()
    inner.variables |= positional(argv)
    return inner


BUILTINS: dict[str, Handler] = {
    **dict.fromkeys(("cd", "pushd"), _cd), "popd": nothing, "echo": _echo, "printf": _printf, "eval": _eval,
    **dict.fromkeys(("source", "."), _source), "trap": _trap, "alias": _alias, **dict.fromkeys(("read", "mapfile", "readarray"), _read),
    "unset": _unset, "set": _set, **dict.fromkeys(("command", "builtin", "exec", "coproc", "!", "noglob", "nocorrect", "time", "then", "do", "else"), _command),
    **dict.fromkeys((":", "true", "false", "[", "[[", "test", "shift", "return", "exit", "break", "continue", "wait", "let", "local", "shopt", "ulimit", "umask",
                     "hash", "type", "jobs", "bg", "fg", "disown", "times", "getopts", "compgen", "complete", "unalias", "bind", "dirs", "sleep", "logout"), nothing),
}  # fmt: skip
