"""The sub-commands of programs that no table knows, learned from how a project uses them.

What a program does is not known here, and the words of a line stay as they are: only its head gets longer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from meta.mining import commands as known
from meta.model import Segment, Step

USES, SESSIONS = 3, 2  # of each sub-command
SHARE = 2 / 3  # of the uses of a program that begin with one of its sub-commands
_WORD = re.compile(r"[a-z][a-z0-9_:-]{1,24}")
_FOLDER = re.compile(r"(?:\./)?([a-z][a-z0-9_:-]{1,24})/")
# Programs whose first word is what they work on.
PLAIN = frozenset([
    "rm", "cp", "mv", "mkdir", "rmdir", "touch", "chmod", "chown", "ln", "install", "ssh", "scp", "sftp", "rsync", "curl",
    "wget", "kill", "killall", "pkill", "tar", "zip", "unzip", "gzip", "gunzip", "tee", "dd", "patch", "open", "psql",
    "mysql", "sqlite3", "redis-cli", "createdb", "dropdb", "pg_dump", "pg_restore", "gcc", "g++", "clang", "rustc", "javac",
    "java", "cmake", "ctest", "tsc", "eslint", "prettier", "jest", "mocha", "gofmt", "goimports", "staticcheck", "rustfmt",
    "shellcheck", "shfmt", "stylelint", "oxlint", "ffmpeg", "convert", "pdflatex", "code", "vim", "nano", "git-filter-repo",
])  # fmt: skip
# First words of these kinds are values: a branch, or a place to deploy to.
VALUES = frozenset(["main", "master", "develop", "dev", "staging", "production", "prod", "latest", "origin"])

_NOT_LEARNED = PLAIN.union(
    known.SUBCOMMANDS,
    known.INTERPRETERS,
    known.LOOK,
    known.INSPECT,
    known.MODULES,
    (name for name, *_ in known.WRAPPERS),
)


def learned(found: Sequence[Segment]) -> list[Segment]:
    """The segments of one project with heads `program word` where a program turns out to have sub-commands.

    The result for a segment does not depend on the order in which they come.
    """
    uses: defaultdict[str, list[tuple[str, tuple[str, str]]]] = defaultdict(list)
    for segment in found:
        for step in segment.steps:
            if _may_have_some(step):
                uses[step.head].append((_first(step), (segment.agent, segment.session)))
    folders = _folders(found)
    words = {program: _subcommands(firsts, folders) for program, firsts in uses.items()}
    return [replace(segment, steps=tuple(_named(step, words) for step in segment.steps)) for segment in found]


def _may_have_some(step: Step) -> bool:
    if step.kind != "command" or step.effect != "work" or " " in step.head:
        return False
    return step.head.rpartition("/")[2] not in _NOT_LEARNED


def _first(step: Step) -> str:
    """The word behind the program, "" where there is none or it is not a plain lower-case one."""
    names = [known.program(word.value) for word in step.words]
    at = names.index(step.head) + 1 if step.head in names else len(names)
    plain = at < len(names) and step.words[at].style == "bare" and _WORD.fullmatch(step.words[at].value)
    return step.words[at].value if plain else ""


def _folders(found: Iterable[Segment]) -> frozenset[str]:
    """The folders that paths begin with: a first word that is one of them is no sub-command."""
    words = (word.value for segment in found for step in segment.steps for word in step.words)
    return frozenset(match[1] for word in words if (match := _FOLDER.match(word)))


def _subcommands(firsts: Sequence[tuple[str, tuple[str, str]]], folders: frozenset[str]) -> frozenset[str]:
    """The sub-commands among the first words of all uses of a program, each with its session; none if it has none."""
    sessions: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for word, session in firsts:
        if word:
            sessions[word].append(session)
    recurring = {word for word, at in sessions.items() if len(at) >= USES and len(set(at)) >= SESSIONS}
    covered = sum(len(sessions[word]) for word in recurring)
    few = len(sessions) * USES <= len(firsts) and covered >= SHARE * len(firsts)
    return frozenset(recurring) if few and not (VALUES | folders).intersection(sessions) else frozenset()


def _named(step: Step, words: Mapping[str, frozenset[str]]) -> Step:
    first = _first(step) if words.get(step.head) and _may_have_some(step) else ""
    return replace(step, head=f"{step.head} {first}") if first and first in words[step.head] else step
