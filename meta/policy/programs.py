"""What one simple command does: built-in commands, programs that run others, interpreters, and then the tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meta.policy import builtins, paths, special, table
from meta.policy.builtins import inside, sourced
from meta.policy.judging import coded, evaluated, judged, known, table_effects
from meta.policy.nouns import ASK, FOREIGN, MARKS, NEVER, SECRET, UNKNOWN, Finding, Wrapper
from meta.policy.walk import Scope, positional, tainted

if TYPE_CHECKING:
    from meta.policy.walk import Walk

SHELLS = frozenset(["sh", "bash", "dash", "zsh", "ksh", "ash", "rbash", "fish", "mksh"])
# Interpreters: the language of their code, the flags that hold it, and the flags that take another value.
INTERPRETERS: dict[str, tuple[str, str, str]] = {
    "python": ("python", "-c", "-m -W -X"), "pypy": ("python", "-c", "-m -W -X"), "ipython": ("python", "-c", ""),
    "perl": ("perl", "-e -E", "-I -M -m"), "ruby": ("ruby", "-e", "-r -I"), "node": ("node", "-e -p --eval --print -pe", "-r --require --import --loader"),
    "nodejs": ("node", "-e -p --eval --print", "-r --require"), "php": ("php", "-r", "-d -f -S -t"), "lua": ("lua", "-e", "-l"),
    "Rscript": ("Rscript", "-e", ""), "julia": ("julia", "-e -E", "--project"), "osascript": ("osascript", "-e", "-l"), "tsx": ("node", "-e --eval", ""),
    "ts-node": ("node", "-e --eval", "-P"),
}  # fmt: skip
# Variables whose value other programs run, and those by which a program becomes another one, with their level.
RUN_BY_OTHERS = frozenset([
    "PROMPT_COMMAND", "PAGER", "GIT_PAGER", "EDITOR", "VISUAL", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR",
    "GIT_SSH_COMMAND", "GIT_SSH", "GIT_EXTERNAL_DIFF", "GIT_ASKPASS", "MANPAGER", "LESSOPEN", "BROWSER",
    "RSYNC_RSH",
])  # fmt: skip
TAKEN_OVER = {
    "LD_PRELOAD": 3, "LD_LIBRARY_PATH": 1, "DYLD_INSERT_LIBRARIES": 3, "BASH_ENV": 3, "ENV": 1, "PERL5OPT": 3, "NODE_OPTIONS": 1, "PYTHONSTARTUP": 3,
    "HUSKY": NEVER, "HUSKY_SKIP_HOOKS": NEVER, "SKIP": 3, "PRE_COMMIT_ALLOW_NO_CONFIG": 3, "HISTFILE": 3, "GIT_CONFIG_GLOBAL": 3, "GIT_CONFIG_COUNT": 3,
}  # fmt: skip
# What these print is made to be evaluated.
TRUSTED = re.compile(
    r"(direnv (hook|export)|(py|rb|nod|go|j|ph)env (init|virtualenv-init)|starship init|zoxide init|(\S*/)?brew shellenv|ssh-agent|(\S*/)?conda shell\.|"
    r"(fnm|mise|opam|asdf|atuin|dircolors|register-python-argcomplete|thefuck)\b|(gh|kubectl|helm|uv|rustup|pip) (completion|generate-shell-completion)|fzf|"
    r"docker-machine env|minikube docker-env|luarocks path|resize|lesspipe)"
)
_DECODES = re.compile(r"-\w*[dDr]\w*|--decode|--decompress|-revert|enc|--uncompress")
_DECODERS = frozenset(
    ["base64", "base32", "xxd", "openssl", "uudecode", "gpg", "gzip", "bzip2", "xz", "zstd", "lz4", "brotli", "basenc"]
)
_ALWAYS = frozenset(
    ["rev", "tr", "gunzip", "zcat", "bzcat", "xzcat", "zstdcat", "bunzip2", "unxz", "uudecode", "iconv", "tac"]
)
_DOWNLOADS = frozenset([
    "curl", "wget", "nc", "ncat", "netcat", "socat", "fetch", "http", "https", "xh", "aria2c", "ftp", "lynx",
    "w3m", "telnet", "ssh", "dig", "nslookup", "host",
])  # fmt: skip
SPECIAL = builtins.BUILTINS | special.SPECIAL


def run(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """What one command prints, as far as that can be told; what it does is said to the walk."""
    walk.commands += 1
    if walk.depth + len(walk.active) > 40 or walk.commands > 6000:
        walk.unknown("too deep")
        return UNKNOWN
    first = argv[0]
    if FOREIGN in first or SECRET in first:
        walk.never("runs what came from elsewhere")
        return FOREIGN
    name = table.program(first)
    if re.search(r"\s", first):
        walk.unknown(f"a program with a blank in its name: {first}")
        return UNKNOWN
    if set(MARKS) & set(name) or re.search(r"[*?\[]", name.removeprefix("[").removeprefix("[")) or not name:
        if not first:
            return run(walk, argv[1:], scope, stdin) if argv[1:] else ""
        walk.unknown(f"a program that only the run tells: {first}")
        return UNKNOWN
    if "/" in first and _script(walk, name, argv, scope):
        return tainted(stdin)
    argv = [name, *argv[1:]]
    if name in SHELLS:
        return _shell(walk, name, argv, scope, stdin)
    if name in ("bun", "deno") and argv[1:2] and argv[1] in ("-e", "--eval", "-p", "--print", "eval"):
        return coded(walk, "node", "".join(argv[2:3]), scope)
    if name in INTERPRETERS:
        return _interpreter(walk, name, argv, scope, stdin)
    if own := SPECIAL.get(name):
        return own(walk, argv, scope, stdin)
    if wrapper := table.wrappers().get((name, *argv[1:2])) or table.wrappers().get((name,)):
        return _wrapped(walk, wrapper, argv, scope, stdin)
    if TRUSTED.match(" ".join(argv)):
        walk.say([Finding("read", 0, "sets up a shell")])
        return ""
    judged(walk, argv, scope, stdin)
    return _prints(walk, argv, scope, stdin)


def _script(walk: Walk, name: str, argv: Sequence[str], scope: Scope) -> bool:
    """Whether a program given by its path is a script, and not a program that the tables know by its name."""
    first = argv[0]
    held = walk.content(first, scope)
    if FOREIGN in held:
        walk.never("runs a file that came from elsewhere")
        return True
    if held != UNKNOWN:
        walk.run(held, inside(scope, argv), None)
        return True
    if re.search(r"(^|/)s?bin/[^/]+$", first) and not first.startswith((".", "scripts")):
        return False
    by_name = (
        name in SHELLS or name in INTERPRETERS or name in SPECIAL or (name,) in table.wrappers() or name in table.rows()
    )
    if "/.bin/" in first or re.search(r"venv/(bin|Scripts)/", first) or (set(MARKS) & set(first) and by_name):
        return False
    where = paths.place(first, scope.folder)
    if where == "project" or walk.foreign:
        walk.say([Finding("write-project", 1, "runs a script of the project")])
    else:
        walk.unknown(f"a program outside of the project: {first}")
    return True


def _shell(walk: Walk, name: str, argv: Sequence[str], scope: Scope, stdin: str | None) -> str:
    at, is_text, from_input = 1, False, False
    while at < len(argv) and argv[at].startswith(("-", "+")) and len(argv[at]) > 1 and argv[at] != "--":
        word = argv[at]
        at += 1
        if word.startswith("--"):
            if word in ("--rcfile", "--init-file") and argv[at:]:
                sourced(walk, argv[at : at + 1], scope.copy(), None)
                at += 1
            if word in ("--version", "--help"):
                return ""
        elif "c" in word[1:] and word[0] == "-":
            is_text = True
        elif word == "-n":
            walk.say([Finding("read", 0, "checks the syntax")])
            return ""
        elif "s" in word[1:]:
            from_input = True
        elif word in ("-o", "+o", "-O"):
            at += 1
    if at < len(argv) and argv[at] == "--":
        at += 1
    rest = list(argv[at:])
    if is_text:
        inner = scope.copy()
        inner.variables |= positional(rest[1:] or [name])
        return evaluated(walk, rest[0] if rest else None, inner, "a shell runs")
    if rest and not from_input and rest[0] not in ("-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"):
        return sourced(walk, rest, scope, stdin)
    if stdin is None:
        walk.say([Finding("write-project", 1, "starts a shell")])
        return ""
    return evaluated(walk, stdin, inside(scope, [name, *rest]), "a shell runs")


def _interpreter(walk: Walk, name: str, argv: Sequence[str], scope: Scope, stdin: str | None) -> str:
    language, holds, takes = INTERPRETERS[name]
    code_flags, valued = holds.split(), takes.split()
    at = 1
    found: list[str] = []
    while at < len(argv) and argv[at].startswith("-") and len(argv[at]) > 1:
        word = argv[at]
        at += 1
        flag, equals, value = word.partition("=")
        if language == "python" and word == "-m":
            return (
                run(walk, ["python-m", *argv[at:]], scope, stdin)
                if not _module(argv[at : at + 1])
                else run(walk, list(argv[at:]), scope, stdin)
            )
        if flag in code_flags or (
            not word.startswith("--") and any(word.endswith(f[1]) for f in code_flags if len(f) == 2)
        ):
            found.append(value if equals and flag in code_flags else "".join(argv[at : at + 1]))
            at += not (equals and flag in code_flags)
        elif not word.startswith("--") and re.match(r"-[a-zA-Z]*?c.", word) and language == "python":
            found.append(word.partition("c")[2])
        elif word in valued:
            at += 1
        elif word in ("--version", "-V", "--help", "-h", "-v"):
            walk.say([Finding("read", 0, "asks for help")])
            return UNKNOWN
    rest = argv[at:]
    if found:
        return coded(walk, language, "\n".join(found), scope, rest if language == "perl" else ())
    if rest and rest[0] not in ("-", "/dev/stdin"):
        held = walk.content(rest[0], scope)
        if held != UNKNOWN:
            return coded(walk, language, held, scope)
        if name in ("deno",):
            return UNKNOWN
        if paths.place(rest[0], scope.folder) == "project" or walk.foreign:
            _judged_script(walk, name, rest, scope)
        elif set(MARKS) & set(rest[0]):
            walk.say([Finding("write-project", 1, "runs a script of the project")])
        else:
            walk.unknown(f"a script outside of the project: {rest[0]}")
        return UNKNOWN
    if stdin is None:
        walk.say([Finding("write-project", 1, f"starts {name}")])
        return ""
    return coded(walk, language, stdin, scope)


def _judged_script(walk: Walk, name: str, rest: Sequence[str], scope: Scope) -> None:
    """A script of the project; the tables know some by their names."""
    script = rest[0].rpartition("/")[2]
    found = known(walk, [script, *rest[1:]], scope) if script in table.rows() and "." in script else []
    walk.say(found or [Finding("write-project", 1, "runs a script of the project")])


def _module(words: Sequence[str]) -> bool:
    """Whether a Python module is a program that the tables know."""
    return bool(words) and words[0] in table.rows()


def _wrapped(walk: Walk, wrapper: Wrapper, argv: Sequence[str], scope: Scope, stdin: str | None) -> str:
    """A program that runs another one."""
    names = wrapper.command.split()
    key = " ".join((argv[0], *argv[1 : len(names)]))
    takes, at, own = set(wrapper.valued.split()), len(names), wrapper.own
    walk.say(table_effects(wrapper.effects, key))
    walk.say(_conditional(walk, argv, scope))
    while at < len(argv):
        word = argv[at]
        if word == "--":
            at += 1
            if not own:
                break
        elif word.startswith("-") and len(word) > 1:
            flag, equals, value = word.partition("=")
            if flag in wrapper.flags.split() or (not word.startswith("--") and f"-{word[-1]}" in wrapper.flags.split()):
                evaluated(walk, value if equals else "".join(argv[at + 1 : at + 2]), scope.copy(), f"{key} runs")
            at += 2 if word in takes and not equals else 1
        elif argv[0] in ("env", "sudo", "doas") and re.match(r"\w+=", word):
            variable, _, value = word.partition("=")
            if variable in TAKEN_OVER:
                walk.say([Finding("privilege", TAKEN_OVER[variable], f"sets {variable}")])
            at += 1
        elif own or wrapper.kind == "flag":
            own -= 1
            at += 1
        else:
            break
    rest = list(argv[at:])
    if not rest:
        if argv[0] in ("env", "sudo") or wrapper.kind == "flag":
            walk.say([Finding("read", 0, key)])
        return (
            SECRET
            if argv[0] == "env" and len(argv) == 1
            else evaluated(walk, stdin, scope.copy(), f"{key} runs")
            if stdin and wrapper.kind == "text"
            else tainted(stdin)
        )
    if wrapper.kind == "flag":
        return tainted(stdin)
    walk.foreign += wrapper.foreign
    inner = scope.copy() if wrapper.foreign or wrapper.kind == "text" else scope
    printed = (
        evaluated(walk, " ".join(rest), inner, f"{key} runs")
        if wrapper.kind == "text"
        else walk.simple(rest, inner, stdin)
    )
    walk.foreign -= wrapper.foreign
    return FOREIGN if "network" in wrapper.effects and key == "ssh" else printed


def _conditional(walk: Walk, argv: Sequence[str], scope: Scope) -> list[Finding]:
    """What is grave about a program that runs another, by its own words."""
    return [found for found in known(walk, argv, scope) if found.level >= ASK] if argv[0] in table.rows() else []


def _prints(walk: Walk, argv: Sequence[str], scope: Scope, stdin: str | None) -> str:
    """What a program prints, by what is known of it."""
    name, words = argv[0], argv[1:]
    if name == "tee":
        for path in words:
            if not path.startswith("-"):
                walk.wrote(path, stdin or UNKNOWN, scope)
        return stdin or UNKNOWN
    if name == "cat":
        files = [word for word in words if word == "-" or not word.startswith("-")]
        return (
            "\n".join((stdin or "") if path == "-" else walk.content(path, scope) for path in files)
            if files
            else (stdin or "")
        )
    if (name in _ALWAYS and UNKNOWN not in (stdin or "")) or (
        name in _DECODERS and any(_DECODES.fullmatch(word) for word in words)
    ):
        return FOREIGN
    if name in _DOWNLOADS:
        _keeps(walk, name, words, scope)
        return FOREIGN
    if (name in ("printenv", "set", "export", "declare", "env") and not words) or (
        name == "export" and list(words) == ["-p"]
    ):
        return SECRET
    return tainted(stdin)


def _keeps(walk: Walk, name: str, words: Sequence[str], scope: Scope) -> None:
    """Remember the files that a download is kept in."""
    seen = table.parsed(name, tuple(words))
    kept = [value for flag, value in seen.values if flag in ("-o", "--output", "-O", "--output-document") and value]
    if name == "wget" or seen.has(("-O", "--remote-name")):
        kept += [url.split("?")[0].rstrip("/").rpartition("/")[2] for url in seen.operands]
    for path in kept:
        walk.wrote(path, FOREIGN, scope)
    for flag, value in seen.values:
        if (
            flag in ("-d", "--data", "--data-binary", "--data-raw", "--data-urlencode", "-F", "--form", "--json", "-H")
            and "@" in value
            and (value[0] == "@" or "=" in value)
        ):
            walk.say(paths.sends(_home(value.partition("@")[2].partition(";")[0]), scope.folder))
        elif flag in ("-T", "--upload-file", "--post-file", "--body-file", "-K", "--config"):
            walk.say(paths.sends(_home(value), scope.folder))


def _home(path: str) -> str:
    return paths.HOME + path[1:] if path.startswith("~/") else path
