"""Read a shell line as the commands that it ran, cheaply: for a hook, which has no time to load a grammar.

`mining.shell` reads the same lines exactly, and on simple ones both say the same. What is not understood here is left
out: it may cost a nudge and never makes a wrong tool.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from meta.mining import commands as known

LIMIT = 20_000  # characters of a line that are read
DEEPEST = 3  # scripts within scripts
HEREDOCS = 10  # in a line
_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*+(['\"]?)(\w++)\1([^\n]*+)\n")
_TOKEN = re.compile(
    r"""[ \t\r]*+(?:(?P<comment>\#[^\n]*+)
    |(?P<redirect>\d*+(?:&>>?|>>|>[|&]?|<<<|<[&>]?)[ \t]*+)(?!\()
    |(?P<word>(?:\\.|'[^']*+'|"(?:\\.|[^"\\])*+"|\$\([^()]*+\)|[^\s;&|()<>'"\\])++)
    |(?P<end>[;&|()\n<>]))""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""\\(.)|'([^']*+)'|"((?:\\.|[^"\\])*+)\"""", re.DOTALL)
_OPENERS = frozenset(["if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "fi", "done", "esac"])
_NO_COMMANDS = frozenset(["for", "case", "select", "function", "source", ".", "export", "unset", "alias", "set"])
_EDITORS = frozenset(["sed", "patch", "apply_patch"])  # an edit is no step, as that by an agent's own tool is none
_TOOL = re.compile(r"(?:.*/)?generated_tools/([a-z][a-z0-9-]{0,48})/tool\.py")


@dataclass(frozen=True, slots=True)
class Did:
    """A command that ran: its head, its first argument, what kind of thing it is, and the tool that it called, if any."""

    head: str
    argument: str = ""
    effect: known.Effect = "work"
    tool: str = ""

    def is_step(self, step: str) -> bool:
        """Whether it is the step of this head, as `vetting.shown_work` tells heads. Sub-commands that a project's own
        program turned out to have are in the head there, and here the first argument."""
        heads = (self.head, f"{self.head} {self.argument}")
        if not step.startswith("sha256:"):
            return step in heads
        from meta.vetting import shown_work

        return step in shown_work(heads)


def commands(line: str, inside: Callable[[str], bool] = lambda folder: True, depth: int = 0) -> Iterator[Did]:
    """The commands of a line that ran where the folder, relative to where the line began, is `inside`."""
    folder = ""
    for written in _simple(line[:LIMIT]):
        if written[0] in ("cd", "pushd"):
            folder = _joined(folder, written[1] if len(written) > 1 else "~")
            continue
        words, where = _without_context(written, folder)
        if where and not inside(where):
            continue
        if depth < DEEPEST and (script := _script(words[known.unwrapped(words) :])):
            yield from commands(script, partial(_inside_from, inside, where), depth + 1)
            continue
        head, arguments = known.head(words)
        tool = next((match[1] for word in words if (match := _TOOL.fullmatch(word))), "")
        effect = "look" if head in _EDITORS else known.effect(head, arguments)
        yield Did(head, arguments[0] if arguments else "", effect, tool)


def _script(words: Sequence[str]) -> str:
    """The script of `bash -c SCRIPT`, "" where it is none."""
    return words[2] if len(words) == 3 and words[0] in ("bash", "sh", "zsh") and words[1] in ("-c", "-lc") else ""


def _inside_from(inside: Callable[[str], bool], base: str, folder: str) -> bool:
    return inside(_joined(base, folder))


def _simple(line: str) -> Iterator[list[str]]:
    """The words of each simple command, without quotes, redirections, and what is no command of its own."""
    words: list[str] = []
    place, aside = 0, False
    text = _without_bodies(line.replace("\\\n", " ")) + "\n"
    while (token := _TOKEN.match(text, place)) and token.end() > place:
        place = token.end()
        if token["word"] is not None:
            if not aside:
                words.append(_QUOTED.sub(_value, token["word"]))
            aside = False
        elif token["redirect"]:
            aside = True
        elif token["end"]:
            if kept := _command(words):
                yield kept
            words, aside = [], False


def _without_bodies(text: str) -> str:
    """The text without its here-documents."""
    place = 0
    for _ in range(HEREDOCS):
        if not (opened := _HEREDOC.search(text, place)):
            break
        ended = re.compile(rf"^[\t ]*{opened[2]}(?=[\s)\"']|\Z)", re.MULTILINE).search(text, opened.end())
        place = opened.start() if ended else opened.end()
        if ended:
            text = f"{text[:place]}{opened[3]}\n{text[ended.end() :]}"
    return text


def _value(quoted: re.Match[str]) -> str:
    plain, single, double = quoted.groups()
    return plain or single or re.sub(r'\\([\\"$`])', r"\1", double or "")


def _command(words: list[str]) -> list[str]:
    while words and words[0] in _OPENERS:
        words = words[1:]
    if (
        not words
        or words[0] in _NO_COMMANDS
        or all(word.partition("=")[0].isidentifier() and "=" in word for word in words)
    ):
        return []
    return words


def _without_context(words: Sequence[str], folder: str) -> tuple[Sequence[str], str]:
    """The words without those that only say where to look, and the folder they name."""
    at, count, where = known.context(words)
    while count:
        folder = _joined(folder, where) if where else folder
        words = [*words[:at], *words[at + count :]]
        at, count, where = known.context(words)
    return words, folder


def _joined(folder: str, path: str) -> str:
    """The folder after a change to `path`; where only a shell could tell, the same."""
    return folder if path == "-" or "$" in path or "`" in path else os.path.join(folder, os.path.expanduser(path))
