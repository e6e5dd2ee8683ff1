"""What one simple command does: built-in commands, programs that run others, interpreters, and then the tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from meta.policy import code, paths, table
from meta.policy.expansion import ansi
from meta.policy.nouns import FOREIGN, MARKS, NEVER, SECRET, UNKNOWN, Finding, Wrapper
from meta.policy.walk import Scope, positional, tainted

if TYPE_CHECKING:
    from meta.policy.walk import Walk

SHELLS = frozenset("sh bash dash zsh ksh ash rbash fish mksh".split())
# Interpreters: the language of their code, the flags that hold it, and the flags that take another value.
INTERPRETERS: dict[str, tuple[str, str, str]] = {
    "python": ("python", "-c", "-m -W -X"), "pypy": ("python", "-c", "-m -W -X"), "ipython": ("python", "-c", ""),
    "perl": ("perl", "-e -E", "-I -M -m"), "ruby": ("ruby", "-e", "-r -I"), "node": ("node", "-e -p --eval --print -pe", "-r --require --import --loader"),
    "nodejs": ("node", "-e -p --eval --print", "-r --require"), "php": ("php", "-r", "-d -f -S -t"), "lua": ("lua", "-e", "-l"),
    "Rscript": ("Rscript", "-e", ""), "julia": ("julia", "-e -E", "--project"), "osascript": ("osascript", "-e", "-l"), "tsx": ("node", "-e --eval", ""),
    "ts-node": ("node", "-e --eval", "-P"),
}  # fmt: skip
# Variables whose value other programs run, and those by which a program becomes another one, with their level.
RUN_BY_OTHERS = frozenset(
    "PROMPT_COMMAND PAGER GIT_PAGER EDITOR VISUAL GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_SSH_COMMAND GIT_SSH GIT_EXTERNAL_DIFF GIT_ASKPASS "
    "MANPAGER LESSOPEN BROWSER RSYNC_RSH".split()
)
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
_DECODERS = frozenset("base64 base32 xxd openssl uudecode gpg gzip bzip2 xz zstd lz4 brotli basenc".split())
_ALWAYS = frozenset("rev tr gunzip zcat bzcat xzcat zstdcat bunzip2 unxz uudecode iconv tac".split())
_DOWNLOADS = frozenset(
    "curl wget nc ncat netcat socat fetch http https xh aria2c ftp lynx w3m telnet ssh dig nslookup host".split()
)


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
    if name in INTERPRETERS:
        return _interpreter(walk, name, argv, scope, stdin)
    if special := SPECIAL.get(name):
        return special(walk, argv, scope, stdin)
    if wrapper := table.wrappers().get((name, *argv[1:2])) or table.wrappers().get((name,)):
        return _wrapped(walk, wrapper, argv, scope, stdin)
    if TRUSTED.match(" ".join(argv)):
        walk.say([Finding("read", 0, "sets up a shell")])
        return ""
    judged(walk, argv, scope, stdin)
    return _prints(walk, argv, scope, stdin)


def judged(walk: Walk, argv: Sequence[str], scope: Scope, stdin: str | None) -> None:
    """Say what the tables know of a command, or that they do not."""
    found = list(table.findings(argv[0], argv[1:], scope.folder, stdin))
    if not found and walk.foreign:
        found = [Finding("write-project", 1, "runs a program of a container")]
    if found:
        walk.say(found)
    else:
        walk.unknown(" ".join(argv[:2]))


def _script(walk: Walk, name: str, argv: Sequence[str], scope: Scope) -> bool:
    """Whether a program given by its path is a script, and not a program that the tables know by its name."""
    first = argv[0]
    held = walk.content(first, scope)
    if FOREIGN in held:
        walk.never("runs a file that came from elsewhere")
        return True
    if held != UNKNOWN:
        walk.run(held, _inside(scope, argv), None)
        return True
    if re.search(r"(^|/)s?bin/[^/]+$", first) and not first.startswith((".", "scripts")):
        return False
    known = name in SHELLS or name in INTERPRETERS or name in SPECIAL or (name,) in table.wrappers() or name in table.rows()
    if "/.bin/" in first or re.search(r"venv/(bin|Scripts)/", first) or (set(MARKS) & set(first) and known):
        return False
    where = paths.place(first, scope.folder)
    if where == "project" or walk.foreign:
        walk.say([Finding("write-project", 1, "runs a script of the project")])
    else:
        walk.unknown(f"a program outside of the project: {first}")
    return True


def _inside(scope: Scope, argv: Sequence[str]) -> Scope:
    """The scope of a script or text that is called with these words."""
    inner = scope.copy()
    inner.variables |= positional(argv)
    return inner


def _evaluated(walk: Walk, text: str | None, scope: Scope, what: str) -> str:
    """Text that a shell reads as a line."""
    if text is None:
        return ""
    if FOREIGN in text or SECRET in text:
        walk.never(f"{what} what came from elsewhere")
        return FOREIGN
    if text.strip() and not text.replace(UNKNOWN, "").strip():
        walk.unknown(f"{what} text that only the run tells")
        return UNKNOWN
    return walk.run(text, scope)


def _shell(walk: Walk, name: str, argv: Sequence[str], scope: Scope, stdin: str | None) -> str:
    at, is_text, from_input = 1, False, False
    while at < len(argv) and argv[at].startswith(("-", "+")) and len(argv[at]) > 1 and argv[at] != "--":
        word = argv[at]
        at += 1
        if word.startswith("--"):
            at += word in ("--rcfile", "--init-file")
            if word in ("--version", "--help"):
                return ""
        elif "c" in word[1:] and word[0] == "-":
            is_text = True
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
        return _evaluated(walk, rest[0] if rest else None, inner, "a shell runs")
    if rest and not from_input and rest[0] not in ("-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"):
        return _sourced(walk, rest, scope, stdin)
    if stdin is None:
        walk.say([Finding("write-project", 1, "starts a shell")])
        return ""
    return _evaluated(walk, stdin, _inside(scope, [name, *rest]), "a shell runs")


def _sourced(walk: Walk, rest: Sequence[str], scope: Scope, stdin: str | None) -> str:
    """A file that a shell reads."""
    path = rest[0]
    held = walk.content(path, scope)
    if held != UNKNOWN:
        return _evaluated(walk, held, _inside(scope, rest), "a shell runs")
    if FOREIGN in path:
        walk.never("runs a file that came from elsewhere")
    elif paths.place(path, scope.folder) in ("project", "unknown", "nothing") or walk.foreign:
        walk.say([Finding("write-project", 1, "runs a script of the project")])
        if path == UNKNOWN or path == "/dev/stdin":
            walk.unknown("a script that only the run tells")
    else:
        walk.unknown(f"a script outside of the project: {path}")
    return UNKNOWN


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
            return run(walk, ["python-m", *argv[at:]], scope, stdin) if not _module(argv[at : at + 1]) else run(walk, list(argv[at:]), scope, stdin)
        if flag in code_flags or (not word.startswith("--") and any(word.endswith(f[1]) for f in code_flags if len(f) == 2)):
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
        return _coded(walk, language, "\n".join(found), scope, rest if language == "perl" else ())
    if rest and rest[0] not in ("-", "/dev/stdin"):
        held = walk.content(rest[0], scope)
        if held != UNKNOWN:
            return _coded(walk, language, held, scope)
        if name in ("deno",):
            return UNKNOWN
        if paths.place(rest[0], scope.folder) == "project" or walk.foreign:
            judged_script(walk, name, rest, scope)
        elif set(MARKS) & set(rest[0]):
            walk.say([Finding("write-project", 1, "runs a script of the project")])
        else:
            walk.unknown(f"a script outside of the project: {rest[0]}")
        return UNKNOWN
    if stdin is None:
        walk.say([Finding("write-project", 1, f"starts {name}")])
        return ""
    return _coded(walk, language, stdin, scope)


def judged_script(walk: Walk, name: str, rest: Sequence[str], scope: Scope) -> None:
    """A script of the project; the tables know some by their names."""
    script = rest[0].rpartition("/")[2]
    found = list(table.findings(script, rest[1:], scope.folder, None)) if script in table.rows() and "." in script else []
    walk.say(found or [Finding("write-project", 1, "runs a script of the project")])


def _module(words: Sequence[str]) -> bool:
    """Whether a Python module is a program that the tables know."""
    return bool(words) and words[0] in table.rows()


def _coded(walk: Walk, language: str, text: str, scope: Scope, operands: Sequence[str] = ()) -> str:
    """Code of another language."""
    if FOREIGN in text or SECRET in text:
        walk.never(f"{language} runs what came from elsewhere")
        return FOREIGN
    if text.strip() and not text.replace(UNKNOWN, "").strip():
        walk.unknown(f"{language} code that only the run tells")
        return UNKNOWN
    walk.say([Finding("write-project", 1, f"runs {language} code"), *code.findings(language, text)])
    for operand in operands:
        walk.say(paths.reads(operand, scope.folder))
    for line in code.shell_texts(language, text):
        if not line:
            walk.unknown(f"{language} code that starts a program")
        else:
            walk.run(line, scope.copy())
    return FOREIGN if re.search(r"urlopen|requests\.get|b64decode|fromhex", text) else UNKNOWN


def _wrapped(walk: Walk, wrapper: Wrapper, argv: Sequence[str], scope: Scope, stdin: str | None) -> str:
    """A program that runs another one."""
    names = wrapper.command.split()
    key = " ".join((argv[0], *argv[1 : len(names)]))
    takes, at, own = set(wrapper.valued.split()), len(names), wrapper.own
    walk.say(table_effects(wrapper.effects, key))
    walk.say(conditional(argv, scope))
    while at < len(argv):
        word = argv[at]
        if word == "--":
            at += 1
            if not own:
                break
        elif word.startswith("-") and len(word) > 1:
            flag, equals, value = word.partition("=")
            if flag in wrapper.flags.split() or (not word.startswith("--") and f"-{word[-1]}" in wrapper.flags.split()):
                _evaluated(walk, value if equals else "".join(argv[at + 1 : at + 2]), scope.copy(), f"{key} runs")
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
        return SECRET if argv[0] == "env" and len(argv) == 1 else _evaluated(walk, stdin, scope.copy(), f"{key} runs") if stdin and wrapper.kind == "text" else tainted(stdin)
    if wrapper.kind == "flag":
        return tainted(stdin)
    walk.foreign += wrapper.foreign
    inner = scope.copy() if wrapper.foreign or wrapper.kind == "text" else scope
    printed = _evaluated(walk, " ".join(rest), inner, f"{key} runs") if wrapper.kind == "text" else walk.simple(rest, inner, stdin)
    walk.foreign -= wrapper.foreign
    return FOREIGN if "network" in wrapper.effects and key == "ssh" else printed


def table_effects(effects: str, why: str) -> list[Finding]:
    from meta.policy.nouns import LEVELS

    return [Finding(effect, LEVELS[effect], why) for effect in effects.split()]  # type: ignore[arg-type]  # a test holds the tables to the names


def conditional(argv: Sequence[str], scope: Scope) -> list[Finding]:
    """What the rows say of a program that runs another: of its own flags."""
    return [f for f in table.findings(argv[0], argv[1:], scope.folder, None) if f.level >= 3] if argv[0] in table.rows() else []


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
        return "\n".join((stdin or "") if path == "-" else walk.content(path, scope) for path in files) if files else (stdin or "")
    if name in _ALWAYS or (name in _DECODERS and any(_DECODES.fullmatch(word) for word in words)):
        return FOREIGN
    if name in _DOWNLOADS:
        _keeps(walk, name, words, scope)
        return FOREIGN
    if (name in ("printenv", "set", "export", "declare", "env") and not words) or (name == "export" and list(words) == ["-p"]):
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
        if flag in ("-d", "--data", "--data-binary", "--data-raw", "--data-urlencode", "-F", "--form", "--json", "-H") and "@" in value and (value[0] == "@" or "=" in value):
            walk.say(paths.sends(_home(value.partition("@")[2].partition(";")[0]), scope.folder))
        elif flag in ("-T", "--upload-file", "--post-file", "--body-file", "-K", "--config"):
            walk.say(paths.sends(_home(value), scope.folder))


def _home(path: str) -> str:
    return paths.HOME + path[1:] if path.startswith("~/") else path


# Built-in commands of the shell, and programs that look at their words in their own way.


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
    return _evaluated(walk, " ".join(argv[1:]), scope, "eval runs") if argv[1:] else ""


def _source(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    path = argv[1] if argv[1:] else ""
    if path in ("/dev/stdin", "-"):
        return _evaluated(walk, stdin or UNKNOWN, scope, "a shell reads")
    if paths.place(path, scope.folder) in ("home", "system", "outside") and walk.content(path, scope) == UNKNOWN:
        walk.say([Finding("read", 1, "reads a script of the user's own")])
        return ""
    return _sourced(walk, argv[1:], scope, stdin) if path else ""


def _trap(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    words = [word for word in argv[1:] if word != "--"]
    return _evaluated(walk, words[0], scope.copy(), "trap runs") if words and words[0] not in ("-", "-l", "-p") else ""


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


def _nothing(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
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


def _xargs(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    takes = {"-n", "-P", "-L", "-I", "-d", "-a", "-s", "-E", "--max-args", "--max-procs", "--delimiter", "--arg-file", "--replace", "--max-lines"}
    at, placeholder = 1, ""
    while at < len(argv) and argv[at].startswith("-") and len(argv[at]) > 1 and argv[at] != "--":
        word = argv[at]
        if word.startswith("-I"):
            placeholder = word[2:] or "".join(argv[at + 1 : at + 2])
        elif word in ("-i", "--replace"):
            placeholder = "{}"
        at += 2 if word in takes else 1
    at += at < len(argv) and argv[at] == "--"
    rest = argv[at:] or ["echo"]
    taint = tainted(stdin)
    values = [taint] if stdin is None or taint in stdin or not stdin.strip() else stdin.split()
    for value in values[:20]:
        words = [word.replace(placeholder, value) for word in rest] if placeholder else [*rest, value]
        walk.simple(words, scope.copy(), None)
    return UNKNOWN


def _find(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    starts: list[str] = []
    for word in argv[1:]:
        if word.startswith(("-", "(", "!")) and word not in ("-H", "-L", "-P"):
            break
        starts.append(word)
    starts = [start for start in starts if not start.startswith("-")] or ["."]
    walk.say([Finding("read", 0, "find")])
    at = 1 + len(starts)
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "-delete":
            for start in starts:
                walk.say(paths.deletes(start if start != "." else "./found", scope.folder))
        elif word in ("-fprint", "-fls", "-fprintf", "-fprint0"):
            walk.say(paths.writes("".join(argv[at : at + 1]), scope.folder))
        elif word in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next((n for n in range(at, len(argv)) if argv[n] in (";", "\\;") or (argv[n] == "+" and argv[n - 1] == "{}")), len(argv))
            for start in starts:
                found = f"{start.rstrip('/')}/{UNKNOWN}"
                walk.simple([part.replace("{}", found) for part in argv[at:end]], scope.copy(), None)
            at = end
    return UNKNOWN


def _fd(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    walk.say([Finding("read", 0, "fd")])
    for at, word in enumerate(argv):
        if word in ("-x", "-X", "--exec", "--exec-batch"):
            rest = [part.replace("{}", UNKNOWN) for part in argv[at + 1 :]]
            walk.simple(rest if any(UNKNOWN in part for part in rest) else [*rest, UNKNOWN], scope.copy(), None)
            break
    return UNKNOWN


def _parallel(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    takes = {"-j", "--jobs", "-a", "--arg-file", "-N", "-n", "-S", "--sshlogin", "--joblog", "--results", "-d", "--delay", "--timeout", "-I"}
    at = 1
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "--":
        at += 2 if argv[at] in takes else 1
    rest = argv[at:]
    end = next((n for n, word in enumerate(rest) if word in (":::", "::::", ":::+")), len(rest))
    values = rest[end + 1 :] if rest[end : end + 1] == [":::"] else [tainted(stdin)]
    for value in values[:20] or [UNKNOWN]:
        line = " ".join(rest[:end])
        walk_line = re.sub(r"\{[./#%]*\}", lambda _, value=value: value, line) if re.search(r"\{[./#%]*\}", line) else f"{line} {value}"  # type: ignore[misc]  # the value of this turn
        _evaluated(walk, walk_line, scope.copy(), "parallel runs")
    return UNKNOWN


def _coded_flag(language: str) -> Callable[[Walk, list[str], Scope, str | None], str]:
    """A program whose first operand is code: awk."""

    def judge(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
        judged(walk, ["awk", *argv[1:]], scope, stdin)
        for word in argv[1:]:
            if not word.startswith("-") and re.search(r"[{}()]|system|getline", word):
                before = len(walk.found)
                _coded(walk, language, word, scope)
                walk.found[before:] = [found for found in walk.found[before:] if found.level >= 3]
                break
        return tainted(stdin)

    return judge


def _sed(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    judged(walk, argv, scope, stdin)
    seen = table.parsed("sed", tuple(argv[1:]))
    scripts = [value for flag, value in seen.values if flag in ("-e", "--expression")] or list(seen.operands[:1])
    files = seen.operands if any(flag in ("-e", "--expression") for flag, _ in seen.values) else seen.operands[1:]
    in_place = any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in argv[1:] if word.startswith("-"))
    for path in files:
        walk.say((paths.writes if in_place else paths.reads)(path, scope.folder))
    for script in scripts:
        for match in re.finditer(r"(?:^|[;\n}]|\d|/)\s*e\s+([^;\n]+)", script):
            walk.run(match[1], scope.copy())
        if re.search(r"s(.).*\1.*\1[gpI0-9]*e[gpI0-9]*$", script):
            walk.unknown("sed runs what it made")
        for match in re.finditer(r"(?:^|[;\n}/])\s*[wW]\s+(\S+)", script):
            walk.say(paths.writes(match[1], scope.folder))
    return tainted(stdin)


def _sql(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """A client of a database: its statements are judged by themselves."""
    name = argv[0]
    seen = table.parsed(name, tuple(argv[1:]))
    flags = {"-c", "--command", "-e", "--execute", "-q", "--query", "-s", "--statement"} - ({"-q", "-s", "-e"} if name == "psql" else {"-s", "-q"} if name.startswith(("mysql", "maria")) else set())
    texts = [value for flag, value in seen.values if flag in flags]
    if name.startswith(("sqlite", "duckdb")):
        texts += seen.operands[1:]
        walk.say(found for path in seen.operands[:1] for found in paths.reads(path, scope.folder) if found.level >= 3)
    judged(walk, argv, scope, stdin)
    if not texts and stdin:
        texts = [stdin]
    for text in texts:
        if text.strip() and not text.replace(UNKNOWN, "").strip():
            walk.say([Finding("network", 2, "runs SQL of a file")])
        walk.say(code.sql(text))
        for match in re.finditer(r"(?:^|\n)\s*(?:\.(?:shell|system)|\\!)\s*(.+)", text):
            walk.run(match[1], scope.copy())
        for match in re.finditer(r"PROGRAM\s+'((?:''|[^'])*)'", text, re.IGNORECASE):
            walk.run(match[1].replace("''", "'"), scope.copy())
    return tainted(stdin)


def _mongo(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    judged(walk, argv, scope, stdin)
    for flag, value in table.parsed(argv[0], tuple(argv[1:])).values:
        if flag == "--eval":
            _coded(walk, "mongo", value, scope)
    if stdin:
        _coded(walk, "mongo", stdin, scope)
    return UNKNOWN


def _git(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """Git's own ways to run others: `-c` settings, aliases, `--exec`, and commands for each place."""
    words = argv
    if not set(words[1:]) - {"-v", "-h", "--exec-path", "--html-path"}:
        return _nothing(walk, words, scope, stdin)
    seen = table.parsed("git", tuple(words[1:]))
    for flag, value in seen.values:
        if flag in ("-c", "--config-env"):
            key, _, setting = value.partition("=")
            _setting(walk, key, setting, scope)
        elif flag in ("-x", "--exec", "--extcmd", "--upload-pack", "--receive-pack", "--tree-filter", "--index-filter"):
            _evaluated(walk, value, scope.copy(), "git runs")
    rest = list(seen.operands)
    if rest[:1] == ["config"]:
        named = [word for word in rest[1:] if word not in ("set", "unset", "get")]
        if named:
            _setting(walk, named[0], " ".join(named[1:]), scope, unsets=bool({"--unset", "--unset-all", "unset"} & set(words)))
    inner = _git_inner(words)
    if inner:
        walk.simple(inner, scope.copy(), None) if len(inner) > 1 else _evaluated(walk, inner[0], scope.copy(), "git runs")
    for flag, value in table.parsed(f"git {rest[0]}" if rest else "git", tuple(words[1:])).values:
        if flag in ("-x", "--exec", "--extcmd", "--tree-filter", "--msg-filter", "--index-filter") and rest[0] in ("rebase", "difftool", "filter-branch"):
            _evaluated(walk, value, scope.copy(), "git runs")
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


def _container(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """`docker run IMAGE COMMAND`, `kubectl exec POD -- COMMAND`, and the rest of these programs."""
    words = argv[1:]
    judged(walk, argv, scope, stdin)
    inner = _contained(argv[0], words)
    if inner:
        walk.foreign += 1
        within = scope.copy()
        within.files = {}
        walk.simple(inner, within, stdin)
        walk.foreign -= 1
    return tainted(stdin)


def _contained(name: str, words: Sequence[str]) -> list[str]:
    takes = table.valued().get(name, frozenset())
    at = 0
    verbs: list[str] = []
    while at < len(words) and len(verbs) < 3:
        word = words[at]
        if word.startswith("-"):
            at += 2 if word in takes else 1
            continue
        verbs.append(word)
        at += 1
        if word in ("run", "exec", "create", "debug"):
            break
        if word not in ("compose", "container", "pod", "buildx"):
            return []
    if not verbs or verbs[-1] not in ("run", "exec", "create", "debug"):
        return []
    takes = table.valued().get(f"{name} {' '.join(verbs)}", frozenset()) | table.valued().get(f"{name} {verbs[-1]}", frozenset())
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in takes else 1
    rest = list(words[at + 1 :])
    while name in ("kubectl", "oc") and rest and rest[0] != "--" and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in takes else rest[1:]
    return rest[1:] if rest[:1] == ["--"] else rest


def _npx(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """A package runner: what it runs must be known."""
    takes = {"-p", "--package", "--from", "--with", "-c", "--call", "--python", "-w"}
    at = 1
    while at < len(argv) and argv[at].startswith("-"):
        if argv[at] in ("-c", "--call"):
            _evaluated(walk, "".join(argv[at + 1 : at + 2]), scope.copy(), "npx runs")
        at += 2 if argv[at] in takes else 1
    rest = argv[at:]
    walk.say([Finding("network", 2, argv[0])])
    if not rest:
        return ""
    rest[0] = re.sub(r"(?<=.)@[^/@]*$|==.*$|\[.*\]$", "", rest[0])
    return walk.simple([rest[0].rpartition("/")[2] if rest[0].startswith("@") else rest[0], *rest[1:]], scope, stdin)


def _tmux(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """Whatever stands among the words of a terminal's command and has blanks or is last is run by it."""
    judged(walk, argv, scope, stdin)
    words = argv[1:]
    verb = next((word for word in words if not word.startswith("-")), "")
    if argv[0] == "tmux" and verb in ("new", "new-session", "neww", "new-window", "split-window", "splitw", "respawn-pane", "run-shell", "run", "send-keys", "send", "if-shell"):
        seen = table.parsed("tmux new", tuple(words[words.index(verb) + 1 :]))
        text = " ".join(word for word in seen.operands if word not in ("Enter", "C-m"))
        if text and not (verb in ("send-keys", "send") and re.fullmatch(r"[CM]-\w", text)):
            _evaluated(walk, text, scope.copy(), "tmux runs")
    return ""


SPECIAL: dict[str, Callable[[Walk, list[str], Scope, str | None], str]] = {
    **dict.fromkeys(("cd", "pushd"), _cd), "popd": _nothing, "echo": _echo, "printf": _printf, "eval": _eval,
    **dict.fromkeys(("source", "."), _source), "trap": _trap, "alias": _alias, **dict.fromkeys(("read", "mapfile", "readarray"), _read),
    "unset": _unset, "set": _set, **dict.fromkeys(("command", "builtin", "exec", "coproc", "!", "noglob", "nocorrect", "time", "then", "do", "else"), _command),
    **dict.fromkeys((":", "true", "false", "[", "[[", "test", "shift", "return", "exit", "break", "continue", "wait", "let", "local", "shopt", "ulimit", "umask",
                     "hash", "type", "jobs", "bg", "fg", "disown", "times", "getopts", "compgen", "complete", "unalias", "bind", "dirs", "sleep", "logout"), _nothing),
    "xargs": _xargs, "find": _find, **dict.fromkeys(("fd", "fdfind"), _fd), "parallel": _parallel, **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _coded_flag("awk")),
    "sed": _sed, "gsed": _sed, **dict.fromkeys(("psql", "mysql", "mariadb", "sqlite3", "sqlite", "duckdb", "cqlsh", "clickhouse-client", "clickhouse", "sqlcmd", "bq"), _sql),
    **dict.fromkeys(("mongosh", "mongo"), _mongo), "git": _git, **dict.fromkeys(("docker", "podman", "nerdctl", "docker-compose", "kubectl", "oc"), _container),
    **dict.fromkeys(("npx", "uvx", "pipx", "bunx", "pnpx"), _npx), "tmux": _tmux,
}  # fmt: skip
