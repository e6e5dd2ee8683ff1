"""Evals of a guide: is it found where it should be, does it say what a right answer needs, does its check hold?

Without a model a document is judged by itself. How a check is run, and where rates are kept, is the caller's business.

Cases lie beside the document as `<document>.cases.toml`:

    [[case]]
    say = "what a person or an agent would say in the situation"
    needs = ["id-of-a-claim"]
    holds = ["12 minutes"]  # words that the document must say, for what is no claim of its own
    held-out = true     # not looked at while the ranking or the document is tuned
"""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from meta.knowledge.guides import Check, Guide, GuideError

TOP = 3  # a document further down is not read
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*case[ \t]*\]\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    """A situation, the ids of the claims that a right answer in it needs, and words that the document must say."""

    say: str
    needs: tuple[str, ...]
    held_out: bool = False
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a case: the documents that were found, best first, and the claims that the document lacks."""

    case: Case
    found: tuple[str, ...]
    missing: tuple[str, ...]
    passed: bool


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended; `skipped` says why it was not run."""

    ok: bool
    said: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a check. One that passes with something made wrong cannot fail, and proves nothing."""

    state: Literal["passed", "failed", "cannot fail", "skipped", "none"]
    why: str = ""


def cases(text: str, name: str) -> tuple[Case, ...]:
    """The cases of a file."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = re.search(r"at line (\d+)", str(error))
        raise GuideError(
            name, int(told[1]) if told else text.count("\n") + 1, f"is not valid TOML: {error}."
        ) from error
    lines = [text.count("\n", 0, mark.start()) + 1 for mark in _TABLE.finditer(text)]
    rows = table.get("case", [])
    if set(table) - {"case"} or not isinstance(rows, list):
        raise GuideError(name, 1, "holds only tables `[[case]]`.")
    found = []
    for row, line in zip(rows, [*lines, *[1] * len(rows)], strict=False):
        say, needs, held_out = row.get("say"), row.get("needs"), row.get("held-out", False)
        holds = row.get("holds", [])
        named = isinstance(needs, list) and needs and all(isinstance(one, str) for one in needs)
        worded = isinstance(holds, list) and all(isinstance(one, str) for one in holds)
        if set(row) - {"say", "needs", "holds", "held-out"} or not (
            isinstance(say, str) and say.strip() and named and worded
        ):
            raise GuideError(
                name, line, 'a case has a text "say" and a list "needs" of claims, and may have "holds" and "held-out".'
            )
        if not isinstance(held_out, bool):
            raise GuideError(name, line, '"held-out" is true or false.')
        found.append(Case(say.strip(), tuple(needs), held_out, tuple(holds)))
    return tuple(found)


def version(guide: Guide, asked: str) -> str:
    """By which a document with its cases is known."""
    return hashlib.sha256(f"{guide.version}\0{asked}".encode(errors="replace")).hexdigest()[:12]


def judge(guide: Guide, asked: Iterable[Case], search: Callable[[str], Sequence[str]]) -> tuple[Judged, ...]:
    """What comes of each case: `search` gives the names of the documents for a situation, best first."""
    ids = {claim.id for claim in guide.claims}
    said = _plain(guide)
    judged = []
    for case in asked:
        found = tuple(search(case.say)[:TOP])
        missing = (
            *(need for need in case.needs if need not in ids),
            *(words for words in case.holds if " ".join(words.split()) not in said),
        )
        judged.append(Judged(case, found, missing, guide.name in found and not missing))
    return tuple(judged)


def _plain(guide: Guide) -> str:
    """All that a document says, on one line."""
    claims, evidence = (one.text for one in guide.claims), (one.text for one in (*guide.evidence, *guide.counter))
    return " ".join(" ".join((guide.title, guide.when, guide.scope, *claims, *evidence, guide.prose)).split())


def prove(check: Check | None, run: Callable[[str, str], Run]) -> Proof:
    """Whether the check holds, and fails with each thing made wrong that it names. `run` takes language and program."""
    if check is None:
        return Proof("none")
    if lacking := _lacking(check):
        return Proof("skipped", f"it needs {lacking}, which is not installed")
    if not check.wrong:
        return Proof("cannot fail", "no line of it says `# fails with: …`")
    done = run(check.language, check.code)
    if done.skipped or not done.ok:
        return Proof("skipped", done.skipped) if done.skipped else Proof("failed", done.said)
    for wrong in check.wrong:
        done = run(check.language, wrong)
        if done.skipped or done.ok:
            return Proof("skipped", done.skipped) if done.skipped else Proof("cannot fail", _changed(check.code, wrong))
    return Proof("passed")


def _lacking(check: Check) -> str:
    """A module that the check imports and that is not here."""
    if check.language != "python":
        return ""
    try:
        nodes = list(ast.walk(ast.parse(check.code)))
    except SyntaxError:
        return ""  # running it will say so
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return next((top for top in sorted({name.partition(".")[0] for name in names}) if find_spec(top) is None), "")


def _changed(code: str, wrong: str) -> str:
    line = next(b for a, b in zip(code.splitlines(), wrong.splitlines(), strict=True) if a != b)
    return f"it passes with `{line.strip()}`"
