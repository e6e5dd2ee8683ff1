"""Judge a command by the tables, a text as a shell line, and code of another language.

These are what every program that runs others comes down to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meta.policy import code, paths, table
from meta.policy.nouns import FOREIGN, LEVELS, SECRET, UNKNOWN, Finding
from meta.policy.walk import Scope

if TYPE_CHECKING:
    from meta.policy.walk import Walk


def known(walk: Walk, argv: Sequence[str], scope: Scope, stdin: str | None = None) -> list[Finding]:
    """What the tables say of a command; nothing where they do not know it."""
    walk.judged.append(tuple(argv))
    return list(table.findings(argv[0], argv[1:], scope.folder, stdin))


def judged(walk: Walk, argv: Sequence[str], scope: Scope, stdin: str | None) -> None:
    """Say what the tables know of a command, or that they do not."""
    found = known(walk, argv, scope, stdin)
    if not found and walk.foreign:
        found = [Finding("write-project", 1, "runs a program of a container")]
    if found:
        walk.say(found)
    else:
        walk.unknown(" ".join(argv[:2]))


def evaluated(walk: Walk, text: str | None, scope: Scope, what: str) -> str:
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


def coded(walk: Walk, language: str, text: str, scope: Scope, operands: Sequence[str] = ()) -> str:
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


def table_effects(effects: str, why: str) -> list[Finding]:

    return [Finding(effect, LEVELS[effect], why) for effect in effects.split()]  # type: ignore[arg-type]  # a test holds the tables to the names
