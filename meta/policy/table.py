"""Look a command up in the tables: which rows count for its words, and what they say of its paths.

The tables are the files of `policy/tables`; nothing of what they know is said here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from itertools import product
from pkgutil import iter_modules

from meta.policy import paths, tables
from meta.policy.nouns import LEVELS, NEVER, SECRET, Effect, Finding, Row, Wrapper

_VERSIONED = re.compile(r"(python|pip|ruby|node|perl|php|gcc|g\+\+|clang|clang\+\+|lua|pypy|bash)[-.\d]+w?")
_VERBS = re.compile(
    r"(.*[:_-])?(delete|destroy|purge|wipe|unpublish|publish|drop|erase|terminate|nuke|uninstall|shutdown|decommission|revoke)([:_-].*)?"
)
_HELP = frozenset({"--help", "--version", "-h", "-V", "-version", "version", "help"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """The words of a command sorted: its flags, their values, and the other words."""

    flags: frozenset[str]
    values: tuple[tuple[str, str], ...]
    operands: tuple[str, ...]
    tokens: tuple[str, ...]
    own: tuple[str, ...]  # the tokens without the values that stand behind their flags

    def has(self, flags: Collection[str]) -> bool:
        """Whether one of the flags is given, be it shortened as GNU's programs allow."""
        if not self.flags.isdisjoint(flags):
            return True
        short = [flag for flag in self.flags if flag.startswith("--") and len(flag) > 4]
        return any(flag.startswith(given) for given in short for flag in flags)


def modules() -> Iterator[object]:
    for found in iter_modules(tables.__path__):
        yield import_module(f"{tables.__name__}.{found.name}")


@cache
def rows() -> dict[str, tuple[tuple[tuple[str, ...], Row], ...]]:
    """The rows by program, each with the words of its command."""
    found: dict[str, list[tuple[tuple[str, ...], Row]]] = {}
    for module in modules():
        for row in getattr(module, "ROWS", ()):
            for command in product(*(word.split("|") for word in row.command.split())):
                found.setdefault(command[0], []).append((command, row))
    return {name: tuple(known) for name, known in found.items()}


@cache
def wrappers() -> dict[tuple[str, ...], Wrapper]:
    known = [wrapper for module in modules() for wrapper in getattr(module, "WRAPPERS", ())]
    return {tuple(command): w for w in known for command in product(*(word.split("|") for word in w.command.split()))}


@cache
def valued() -> dict[str, frozenset[str]]:
    """The flags that take a value, by command."""
    found: dict[str, frozenset[str]] = {}
    for module in modules():
        for commands, flags in getattr(module, "VALUED", {}).items():
            for command in product(*(word.split("|") for word in commands.split())):
                name = " ".join(command)
                found[name] = found.get(name, frozenset()) | frozenset(flags.split())
    return found


@cache
def long_flags() -> frozenset[str]:
    """Programs whose long flags have one dash."""
    return frozenset(name for module in modules() for name in getattr(module, "ONE_DASH", "").split())


def program(word: str) -> str:
    """The name of a program by which the tables know it."""
    name = word.rstrip("/").rpartition("/")[2].removesuffix(".exe")
    return match[1] if (match := _VERSIONED.fullmatch(name)) else name


@lru_cache(maxsize=4096)
def parsed(name: str, words: tuple[str, ...]) -> Parsed:
    """The words behind a program, or behind a program and its sub-command."""
    takes = valued().get(name, frozenset())
    flags: set[str] = set()
    values: list[tuple[str, str]] = []
    operands: list[str] = []
    own: list[str] = []
    takes |= valued().get(name.partition(" ")[0], frozenset())
    one_dash = name.partition(" ")[0] in long_flags()
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        own.append(word)
        if word == "--":
            operands += words[at:]
            own += words[at:]
            break
        if not word.startswith("-") or len(word) == 1:
            operands.append(word)
            continue
        flag, equals, value = word.partition("=")
        if flag.startswith("--") or one_dash or flag in takes:
            flags.add(flag)
            if equals:
                values.append((flag, value))
            elif flag in takes and at < len(words):
                values.append((flag, words[at]))
                at += 1
            continue
        flags.add(word)
        for place, letter in enumerate(word[1:], 1):
            flags.add(f"-{letter}")
            if f"-{letter}" in takes:
                rest = word[place + 1 :]
                values.append((f"-{letter}", rest or "".join(words[at : at + 1])))
                at += not rest
                break
    return Parsed(frozenset(flags), tuple(values), tuple(operands), words, tuple(own))


def fits(command: tuple[str, ...], name: str, words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words behind a command, where they are a call of it; flags may stand within."""
    rest, taken = words, name
    for part in command[1:]:
        takes = valued().get(command[0], frozenset()) | valued().get(taken, frozenset())
        at = 0
        while at < len(rest) and rest[at].startswith("-") and len(rest[at]) > 1:
            at += 2 if rest[at] in takes else 1
        if at >= len(rest) or rest[at] != part:
            return None
        rest, taken = (*rest[:at], *rest[at + 1 :]), f"{taken} {part}"
    return rest


def counted(name: str, words: tuple[str, ...]) -> Iterator[tuple[Row, Parsed]]:
    """The rows that count for a command, each with its words as it sees them."""
    longest, base = 0, list[tuple[Row, Parsed]]()
    for command, row in rows().get(name, ()):
        rest = fits(command, name, words)
        if rest is None:
            continue
        seen = parsed(" ".join(command), rest)
        if not row.conditional:
            if len(command) > longest:
                longest, base = len(command), []
            if len(command) == longest:
                base.append((row, seen))
        elif _holds(row, seen):
            yield row, seen
    yield from base


def _holds(row: Row, seen: Parsed) -> bool:
    if row.unless and seen.has(row.unless.split()):
        return False
    if row.flags and not seen.has(row.flags.split()):
        return False
    if row.values and not any(_pattern(row.values).fullmatch(token) for token in seen.tokens):
        return False
    return not row.words or any(_pattern(row.words).fullmatch(token) for token in seen.own)


@cache
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.DOTALL)


def findings(name: str, words: Sequence[str], folder: str, stdin: str | None) -> Iterator[Finding]:
    """What the tables say of a command; nothing where they do not know it."""
    known = tuple(words)
    if (len(known) == 1 and known[0] in _HELP) or (known[-1:] == ("--help",) and name in rows() and "--" not in known):
        yield Finding("read", 0, "asks for help")
        return
    for row, seen in counted(name, known):
        named = any(path for role in row.writes.split() for path in _named(role, seen))
        yield from (found for found in _effects(row) if not (named and found.effect == "write-project"))
        if "network" in row.effects and (SECRET in (stdin or "") or any(SECRET in word for word in known)):
            yield Finding("network", NEVER, "sends the environment away")
        yield from _touched(row, seen, folder)
        yield from _asked(name, row, seen)


def _asked(name: str, row: Row, seen: Parsed) -> Iterator[Finding]:
    """A verb that destroys, given to a program of which only the name is known."""
    by_name = not row.conditional and " " not in row.command and row.effects != "read"
    if by_name and not (row.reads or row.writes or row.deletes):
        for word in seen.operands[:3]:
            if _VERBS.fullmatch(word):
                yield Finding("destroy", 3, f"{name} {word}")


def _effects(row: Row) -> Iterator[Finding]:
    why = " ".join(filter(None, (row.command.split("|")[0], row.flags.partition(" ")[0])))
    effects: list[Effect] = row.effects.split()  # type: ignore[assignment]  # a test holds the tables to the names
    for effect in effects:
        yield Finding(effect, max(row.level or 0, LEVELS[effect]) if row.level is None else row.level, why)
    if row.level is not None and not effects:
        yield Finding("", row.level, why)


def _touched(row: Row, seen: Parsed, folder: str) -> Iterator[Finding]:
    for roles, judge in (
        (row.reads, paths.reads),
        (row.writes, paths.writes),
        (row.deletes, paths.deletes),
        (row.rights, paths.changes),
    ):
        for role in roles.split():
            for path in _named(role, seen):
                if judge is paths.reads and path.startswith("@"):
                    path = path[1:]
                yield from judge(path, folder)


def _named(role: str, seen: Parsed) -> Iterator[str]:
    operands = seen.operands
    if role.startswith("-"):
        yield from (value for flag, value in seen.values if flag == role)
    elif role.endswith("="):
        yield from (word.removeprefix(role) for word in seen.tokens if word.startswith(role))
    elif role == "last":
        yield from operands[1:][-1:]
    else:
        if role == "paths":
            yield from (word for word in operands if "/" in word or word.startswith((".", "~")))
            return
        yield from {"*": operands, "first": operands[:1], "rest": operands[1:], "sources": operands[:-1]}[role]
