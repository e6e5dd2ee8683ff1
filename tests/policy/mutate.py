"""Write a command in other ways that a shell reads the same: quoting, wrappers, here-documents, variables, spaces."""

from __future__ import annotations

import base64
import random
import re
import shlex
from collections.abc import Callable, Iterator

BUILTIN = frozenset([
    ":", ".", "alias", "bomb", "builtin", "case", "cat", "clean", "command", "coproc", "eval", "exec", "export",
    "for", "history", "if", "printf", "read", "select", "set", "source", "time", "trap", "type", "unset",
    "until", "while", "zap", "[", "{",
])  # fmt: skip
_PLAIN = re.compile(r"[\w./:=@,+~*%-]+(?: [\w./:=@,+~*%-]+)*")
_SHORT = {
    "rm -rf": ("rm -r -f", "rm -fr", "rm --recursive --force", "rm -Rf", "rm -r --force", "rm --force -R"), "git push -f": ("git push --force",),
    "git push --force": ("git push -f",), "git clean -fd": ("git clean -d -f", "git clean --force -d"), "git reset --hard": ("git reset -q --hard",), "git branch -D": ("git branch -d -f",),
    "chmod -R": ("chmod --recursive",), "sed -i": ("sed --in-place",), "kill -9": ("kill -s KILL", "kill -SIGKILL"), "git commit -nm": ("git commit -n -m", "git commit --no-verify -m"),
    "docker rm -f": ("docker rm --force", "docker container rm -f"), "rsync -av --delete": ("rsync --delete -a -v",), "curl -s": ("curl --silent", "curl -sS"), "truncate -s 0": ("truncate --size 0", "truncate -s0"),
}  # fmt: skip


def _heredoc(line: str, before: str = "bash", behind: str = "") -> str:
    end = f"END_{len(line)}"  # one within another differs
    return f"{before} <<'{end}'{behind}\n{line}\n{end}"


def _sliced(line: str) -> str:
    return f'part={shlex.quote(line[: len(line) // 2])}; part+={shlex.quote(line[len(line) // 2 :])}; eval "$part"'


WHOLE: tuple[Callable[[str], str], ...] = (
    lambda line: f"bash -c {shlex.quote(line)}",
    lambda line: f"sh -ec {shlex.quote(line)}",
    lambda line: f"bash -lc {shlex.quote(line)} && echo done",
    lambda line: f"sudo bash -c {shlex.quote(line)}",
    lambda line: f"env -i A=1 sh -c {shlex.quote(line)}",
    lambda line: f"timeout -k 1 9 bash -c {shlex.quote(line)}",
    lambda line: f"nohup sh -c {shlex.quote(line)} &",
    lambda line: f"eval {shlex.quote(line)}",
    lambda line: f"echo {shlex.quote(line)} | sh" if "\\" not in line else f"printf '%s' {shlex.quote(line)} | sh",
    lambda line: f"bash <<< {shlex.quote(line)}",
    _heredoc,
    lambda line: _heredoc(line, "cat", " | sh -s"),
    lambda line: f"run={shlex.quote(line)}; eval \"$run\"",
    lambda line: f"run={shlex.quote(line)}; bash -c \"${{run}}\"",
    _sliced,
    lambda line: f"true; {line}",
    lambda line: f"cd sub && {line}" if not line.startswith("cd ") else f"true && {line}",
    lambda line: f"ls\n{line}\n",
    lambda line: f"{{\n{line}\n}}",
    lambda line: f"(\n{line}\n)",
    lambda line: f"if true; then\n{line}\nfi",
    lambda line: f"for i in 1 2; do\n{line}\ndone",
    lambda line: f"while true; do\n{line}\ndone",
    lambda line: f"f() {{\n{line}\n}}\nf",
    lambda line: f"x=$(\n{line}\n)",
    lambda line: f"trap {shlex.quote(line)} EXIT",
    lambda line: f"find . -maxdepth 0 -exec sh -c {shlex.quote(line)} \\;",
    lambda line: f"ls | xargs -I@@ sh -c {shlex.quote(line)}",
    lambda line: f"ssh host {shlex.quote(line)}",
    lambda line: f"docker exec box sh -c {shlex.quote(line)}",
    lambda line: f"watch {shlex.quote(line)}",
    lambda line: f"script -qc {shlex.quote(line)} /dev/null",
    lambda line: f"flock l sh -c {shlex.quote(line)}",
    lambda line: f"su me -c {shlex.quote(line)}",
    lambda line: f"python3 -c {shlex.quote(f'import os; os.system({line!r})')}",
    lambda line: f"echo {base64.b64encode(line.encode()).decode()} | base64 -d | sh",
    lambda line: _heredoc(line, "cat > run.sh") + "\nsh run.sh",
    lambda line: f"uv run bash -c {shlex.quote(line)}",
    lambda line: f"git submodule foreach {shlex.quote(line)}",
)  # fmt: skip
_BEFORE = ("sudo ", "env ", "env A=1 ", "nohup ", "timeout 9 ", "time ", "nice -n 3 ", "command ", "setsid ", "A=1 ", "sudo -E ", "stdbuf -oL ", "time -p ", "\\\n", "  ", "! ", "exec ", "ionice -c 3 ")  # fmt: skip


def mutants(command: str, count: int) -> Iterator[str]:
    """So many other ways to write a command, the same ones every time."""
    chance = random.Random(command)
    for _ in range(count):
        line = command
        if chance.random() < 0.7:
            line = _words(line, chance)
        if line == command or chance.random() < 0.5:
            line = chance.choice(WHOLE)(line)
        if chance.random() < 0.15:
            line = chance.choice(WHOLE)(line)
        yield line


def _words(line: str, chance: random.Random) -> str:
    """The line with its words written otherwise."""
    for short, others in _SHORT.items():
        if line.startswith(short + " ") and chance.random() < 0.5:
            line = chance.choice(others) + line[len(short) :]
    first, blank, rest = line.partition(" ")
    if not re.fullmatch(r"[a-z][\w.-]*", first) or first in BUILTIN:
        return line
    if _PLAIN.fullmatch(line) and blank:
        rest = chance.choice((" ", "  ", "\t", " \\\n ")).join(_quoted(word, chance) for word in rest.split(" "))
    program = _program(first, chance)
    before = chance.choice(_BEFORE) if chance.random() < 0.4 and not program.startswith(("a=", "alias")) else ""
    return f"{before}{program}{blank}{rest}"


def _program(name: str, chance: random.Random) -> str:
    match chance.randrange(9):
        case 0:
            return f"{name[0]}\\{name[1:]}" if name[1:] and name[1].isalpha() else f"\\{name}"
        case 1:
            return f"'{name[:1]}'{name[1:]}"
        case 2:
            return f'"{name}"'
        case 3:
            return "$'" + "".join(f"\\x{ord(char):02x}" for char in name) + "'"
        case 4:
            return f"a={name[:1]}; b={name[1:]}; $a$b"
        case 5:
            return f"/usr/bin/{name}"
        case 6:
            return f"${{undefined_here:-{name}}}"
        case 7:
            return f"$(echo {name})"
    return name


def _quoted(word: str, chance: random.Random) -> str:
    """A word in quotes that a shell takes off again; one that a shell would expand stays."""
    if any(char in word for char in "~*$=") or not word:
        return word
    return chance.choice((word, word, f"'{word}'", f'"{word}"', f'{word[:1]}""{word[1:]}', f"\\{word}" if word[0].isalpha() else word))  # fmt: skip
