"""Read a shell call as the simple commands that it ran, by the grammar of tree-sitter-bash.

What a program's words mean is known in `commands`; which commands belong together is decided later. Nothing is
evaluated: what only a shell can tell (expansions, globs) stays as it was written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from meta.mining import commands as known
from meta.mining.atoms import Atom, atoms_of, commands_below, read
from meta.model import StepKind, Word
from meta.rendering import quote
from meta.shell import LIMIT, Node, text_of

MOST = 1000  # atoms of a call other than words; what is set up is carried past each command
DEEPEST = 20  # groups within groups, and words of context before a command

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+(?: [A-Za-z0-9_./:@%+,=-]+)*")
_KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "for",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "function",
        "select",
        "time",
        "coproc",
        "in",
    ]
)
_PREFIX = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*=|--?[A-Za-z][A-Za-z0-9_.-]*=|[A-Za-z0-9_./@:+-]*:)(?=[\"'])")
_HEREDOC = re.compile(r"\"\$\(cat <<-?\s*'?\"?EOF'?\"?\n(.*)\nEOF\n?\s*\)\"", re.DOTALL)
_SILENCED = re.compile(r"(?:2>&1|[12&]?>>?\s*/dev/null|2>\s*&1|>&2|1>&2|\|&)")
_USED = re.compile(r"\$\{?([A-Za-z_]\w*)")
_SET = re.compile(r"\b([A-Za-z_]\w*)=")


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command or pipeline of a call; see `model.Step` for what the fields mean.

    `hidden` tells that the exit status of the call is that of another command, of what stands behind the last pipe.
    `broken` marks text that the grammar does not know, or that is too long or deep: it is one opaque word then.
    """

    head: str
    kind: StepKind
    effect: known.Effect
    words: tuple[Word, ...]
    display: str = ""
    directory: str | None = None
    hidden: bool = False
    broken: bool = False


def as_word(text: str) -> Word:
    """A word of source with its value, where it can be told without a shell."""
    prefix = match.group() if (match := _PREFIX.match(text)) else ""
    rest = text[len(prefix) :]
    for style, value in _readings(rest):
        if quote(value, style) == rest:
            return Word(text, prefix + value, style, prefix)
    return Word(text, text, "shell")


def _readings(text: str) -> Iterator[tuple[Literal["bare", "double", "single", "heredoc"], str]]:
    """The values a word may have, by how it seems to be quoted; only one that is written back the same is right."""
    if not text or text[0] not in "\"'":
        yield "bare", text
    elif match := _HEREDOC.fullmatch(text):
        yield "heredoc", match.group(1)
    elif text[0] == "'":
        yield "single", text[1:-1].replace("'\\''", "'")
    elif not re.search(r"(?<!\\)(?:\\\\)*[$`]", text):
        yield "double", re.sub(r'\\([\\$"`])', r"\1", text[1:-1])


@lru_cache(maxsize=65536)
def parse(command: str, shell: str = "bash") -> tuple[Command, ...]:
    """The commands of a call, in order. Looking, silencing and `cd` are told apart, never dropped silently."""
    if len(command) > LIMIT:
        return (_broken(command),)
    if shell == "powershell":
        return _powershell(command)
    if _PLAIN.fullmatch(command) and _KEYWORDS.isdisjoint(command.split(" ", 1)[:1]):
        return tuple(_unit([[Atom("word", word) for word in command.split(" ")]]))
    atoms = read(command)
    if atoms is None or sum(atom.kind != "word" for atom in atoms) > MOST:
        return (_broken(command),)
    return tuple(_commands(atoms))


class Reader:
    """`parse`, with what was read before at hand: the grammar takes most of the time of mining a small change.

    `known` are results in a form that JSON can hold; those that are asked for go into `used`.
    """

    def __init__(self, known: Mapping[str, Any], used: dict[str, Any]) -> None:
        self._known, self._used = known, used
        self._commands: dict[tuple[str, str], tuple[Command, ...]] = {}

    def __call__(self, command: str, shell: str = "bash") -> tuple[Command, ...]:
        if (command, shell) not in self._commands:
            key = f"{shell} {command}"
            rows = self._known.get(key)
            commands = parse(command, shell) if rows is None else tuple(map(_from_row, rows))
            self._commands[command, shell] = commands
            self._used[key] = list(map(_to_row, commands)) if rows is None else rows
        return self._commands[command, shell]


def _to_row(command: Command) -> list[Any]:
    words = [w.text if w == Word(w.text, w.text) else [w.text, w.value, w.style, w.prefix] for w in command.words]
    kept = (command.display, command.directory, command.hidden, command.broken)
    return [command.head, command.kind, command.effect, words, *kept]


def _from_row(row: list[Any]) -> Command:
    head, kind, effect, words, *kept = row
    return Command(head, kind, effect, tuple(Word(w, w) if isinstance(w, str) else Word(*w) for w in words), *kept)


def _broken(text: str) -> Command:
    """Text that is not looked into: one opaque word, called by its first program."""
    first = text.split(None, 1)[:1]
    head = known.program(first[0][:80]) if first else ""
    return Command(head or "?", "command", "work", (Word(text.strip(), text.strip(), "shell"),), broken=True)


def _commands(atoms: Sequence[Atom], depth: int = 0) -> Iterator[Command]:
    """Group atoms into pipelines, and carry what one part of the call sets up for the next."""
    directory: str | None = None
    context: list[Word] = []
    for pipeline in _pipelines(atoms):
        first = pipeline[0]
        if len(pipeline) == 1 and (where := _changes_directory(first)) is not None:
            directory = _joined(directory, where)
        elif len(pipeline) == 1 and (setting := _sets_up(first)):
            context += [*setting, Word("&&", "&&", "shell")]
        elif len(pipeline) == 1 and len(first) == 1 and first[0].kind == "compound" and _flat(first[0].node):
            inner = _inner(first[0].node, depth + 1) if depth < DEEPEST else [_broken(first[0].text)]
            yield from (replace(command, directory=_below(directory, command.directory)) for command in inner)
        elif len(pipeline) == 1 and (script := _shell_script(first)) is not None:
            yield from (replace(command, directory=_below(directory, command.directory)) for command in parse(script))
        else:
            for command in _unit(pipeline):
                where = _below(directory, command.directory)
                yield replace(command, words=_within(context, command.words), directory=where)


def _pipelines(atoms: Sequence[Atom]) -> Iterator[list[list[Atom]]]:
    members: list[list[Atom]] = [[]]
    for atom in (*atoms, Atom("operator", ";")):
        if atom.kind == "pipe":
            if atom.text == "|&":
                members[-1].append(Atom("redirect", "2>&1"))
            members.append([])
        elif atom.kind != "operator":
            members[-1].append(atom)
        else:
            if any(members):
                yield [member for member in members if member]
            members = [[]]


def _changes_directory(atoms: Sequence[Atom]) -> str | None:
    words = [as_word(atom.text) for atom in atoms if atom.kind == "word"]
    if not words or words[0].value not in ("cd", "pushd", "Set-Location"):
        return None
    return words[1].value if len(words) > 1 else "~"


def _joined(base: str | None, path: str) -> str:
    return path if base is None or path.startswith(("/", "~", "$")) or path[1:3] in (":\\", ":/") else f"{base}/{path}"


def _below(base: str | None, path: str | None) -> str | None:
    return base if path is None else _joined(base, path)


def _sets_up(atoms: Sequence[Atom]) -> list[Word]:
    """Assignments, exports and sourced files: they hold for what follows in the call and are no step of their own."""
    if all(atom.kind in ("assignment", "context") for atom in atoms):
        return [Word(atom.text, atom.text, "shell") for atom in atoms]
    words = [atom.text for atom in atoms if atom.kind == "word"]
    if words[:1] in (["source"], ["."]) and len(words) > 1:
        return [Word(word, word, "shell") for word in words]
    return []


def _within(context: Sequence[Word], words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words with what was set up before them, where it can matter."""
    if not context:
        return words
    names = {name for word in context for name in _SET.findall(word.text)}
    used = any(not names.isdisjoint(_USED.findall(word.text)) for word in words)
    sourced = any(word.text in ("source", ".", "export") or word.text.startswith("export ") for word in context)
    return (*context, *words) if used or sourced else words


def _flat(node: Node | None) -> bool:
    return node is not None and node.type in ("subshell", "compound_statement")


def _inner(node: Node | None, depth: int) -> Iterator[Command]:
    """The commands within parentheses or braces."""
    atoms = [
        atom for child in (node.children[1:-1] if node else ()) for atom in (*atoms_of(child), Atom("operator", ";"))
    ]
    merged = [
        a for n, a in enumerate(atoms) if not (a.text == ";" and n + 1 < len(atoms) and atoms[n + 1].kind == "operator")
    ]
    return _commands(merged, depth)


def _shell_script(atoms: Sequence[Atom]) -> str | None:
    """The script of `bash -c SCRIPT`, where it can be told."""
    words = [as_word(atom.text) for atom in atoms if atom.kind == "word"]
    if len(words) != 3 or words[0].value not in ("bash", "sh", "zsh") or words[1].value not in ("-c", "-lc"):
        return None
    return words[2].value if words[2].style in ("single", "double") else None


def _unit(members: list[list[Atom]]) -> Iterator[Command]:
    """One pipeline as one command; its end, where it only shows the output, goes to `display`."""
    parsed = [_member(member) for member in members]
    shown: list[str] = []
    while len(parsed) > 1 and parsed[-1].effect == "look" and parsed[0].effect != "look":
        shown.insert(0, f"| {parsed.pop().line}")
    whole = parsed[0]
    last = parsed[-1]
    display = " ".join([*(word for member in parsed for word in member.shorteners), *last.silenced, *shown])
    words = [word for member in parsed[:-1] for word in (*member.piped, Word("|", "|", "shell"))]
    words += last.words
    if not words:
        return
    main = next((member for member in parsed if member.effect == "work"), whole)
    effect = main.effect if len(parsed) > 1 else whole.effect
    kind: StepKind = "edit" if any(member.edits for member in parsed) else "command"
    where = whole.where if len(parsed) == 1 else None
    hidden = bool(shown) or main is not last
    yield Command(main.head, kind, effect, tuple(words), display, where, hidden)


@dataclass(frozen=True, slots=True)
class _Member:
    """One command of a pipeline. `piped` are its words where it stands before a pipe that is kept."""

    head: str
    effect: known.Effect
    words: tuple[Word, ...]
    piped: tuple[Word, ...]
    shorteners: tuple[str, ...] = ()
    silenced: tuple[str, ...] = ()
    edits: bool = False
    where: str | None = None

    @property
    def line(self) -> str:
        return " ".join(word.text for word in self.words)


def _member(atoms: list[Atom]) -> _Member:
    compound = next((atom for atom in atoms if atom.kind == "compound"), None)
    if compound is not None:
        return _compound(atoms, compound)
    atoms, shorteners, where = _out_of_context(atoms)
    silenced = _silenced(atoms)
    kept = [atom for atom in atoms if atom.text not in silenced or atom.kind != "redirect"]
    words = tuple(word for atom in kept for word in _words(atom))
    values = [as_word(atom.text).value for atom in kept if atom.kind in ("word", "assignment")]
    head, arguments = known.head(values)
    heredoc = next((atom for atom in kept if atom.kind == "heredoc"), None)
    writes = any(atom.kind == "redirect" and ">" in atom.text for atom in kept)
    effect = known.effect(head, arguments)
    if head.endswith(" -"):
        code = heredoc.body if heredoc else " ".join(arguments)
        head = f"{head} {hashlib.sha256(code.encode(errors='replace')).hexdigest()[:8]}"
    edits = _writes_source(head, arguments, effect, writes=writes, heredoc=heredoc is not None)
    if effect == "look" and (edits or writes):
        effect = "work"
    piped = tuple(word for atom in atoms for word in _words(atom))
    return _Member(head, effect, words, piped, shorteners, silenced, edits, where)


def _silenced(atoms: Sequence[Atom]) -> tuple[str, ...]:
    """The redirections that only hide output; `> log 2>&1` is one thing and hides none."""
    redirects = [atom.text for atom in atoms if atom.kind == "redirect" and not atom.text.startswith("<")]
    silenced = tuple(filter(_SILENCED.fullmatch, redirects))
    return silenced if len(silenced) == len(redirects) else ()


def _out_of_context(atoms: list[Atom]) -> tuple[list[Atom], tuple[str, ...], str | None]:
    """The atoms without those that only say where to run and how to show it; what was left out, and the folder."""
    shorteners: list[str] = []
    where: str | None = None
    for _ in range(DEEPEST):
        words = [atom for atom in atoms if atom.kind in ("word", "assignment")]
        at, count, folder = known.context([as_word(atom.text).value for atom in words])
        if not count:
            break
        out = words[at : at + count]
        if folder:
            where = _below(where, folder)
        else:
            shorteners += [atom.text for atom in out]
        atoms = [atom for atom in atoms if all(atom is not other for other in out)]
    return atoms, tuple(shorteners), where


def _writes_source(head: str, arguments: Sequence[str], effect: known.Effect, *, writes: bool, heredoc: bool) -> bool:
    """Whether a command puts text that the agent thought of into a file."""
    name = head.partition(" ")[0]
    if name in ("sed", "perl") and any(re.match(r"-[a-z]*i", word) for word in arguments):
        return True
    if name in ("apply_patch", "applypatch") or (heredoc and name in ("cat", "tee", "patch")):
        return writes or name != "cat"
    return effect == "look" and writes and name in ("echo", "printf")


def _words(atom: Atom) -> tuple[Word, ...]:
    if atom.kind in ("word", "assignment"):
        return (as_word(atom.text),)
    return (Word(atom.text, atom.text, "shell"),)


def _compound(atoms: list[Atom], compound: Atom) -> _Member:
    """A loop, condition or function: one opaque step, named after the first command within that works."""
    silenced = _silenced(atoms)
    words, piped = (
        (Word(text, text, "shell"),)
        for text in (" ".join(atom.text for atom in atoms if atom.text not in out) for out in (silenced, ()))
    )
    keyword = compound.text.split(None, 1)[0] if compound.text.strip() else ""
    inside = [_member([Atom("word", text_of(child)) for child in command.children if child.type != "file_redirect"])
              for command in commands_below(compound.node)]  # fmt: skip
    main = next((member for member in inside if member.effect == "work"), inside[0] if inside else None)
    inner = main.head if main else ""
    head = f"{keyword} {inner}".strip() if keyword in _KEYWORDS else inner or keyword
    return _Member(head, main.effect if main else "look", words, piped, silenced=silenced)


def _powershell(command: str) -> tuple[Command, ...]:
    """A PowerShell call cut at `;` and line breaks outside of quotes; every line is opaque."""
    parts = re.findall(r"(?:'[^']*+(?:'|\Z)|\"(?:`.|[^\"`])*+(?:\"|`?\Z)|[^;\n'\"])+", command)
    commands = []
    for part in filter(None, map(str.strip, parts)):
        words = re.findall(r"(?:'[^']*+(?:'|\Z)|\"[^\"]*+(?:\"|\Z)|[^\s'\"])+", part.partition("|")[0])
        head, arguments = known.head([word.strip("'\"") for word in words])
        effect = "look" if head.startswith("$") else known.effect(head, arguments)
        commands.append(Command(head, "command", effect, (Word(part, part, "shell"),)))
    return tuple(commands)
