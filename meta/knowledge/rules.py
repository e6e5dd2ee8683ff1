"""What is to be said otherwise so that a command passes: the difference between two tries as a rule for the next time.

Which two commands are tries at the same is found in `repairs`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from meta.knowledge import wording
from meta.knowledge.failures import Said
from meta.model import Step

Kind = Literal["without", "with", "through", "instead", "folder", "path", "first", "edit", "again"]

NEAR = 0.6  # how much alike two names are, one of which was meant by the other
_HELP = frozenset(["--help", "-h", "help", "--version", "-V", "--collect-only", "--dry-run"])
NOT_TAUGHT = re.compile(  # a way round a check is no repair of what it found
    r"--no-verify|--no-gpg-sign|--force\b|^-f$|--skip\S*|--no-check\S*|--allow-\S+|--ignore-\S+|--legacy-peer-deps|--break-system-packages"
    r"|sudo|--no-edit|^-v+$|--verbose|^-q$|--quiet|^-s$|--trace|--debug|--insecure|^-k$|--yes|^-y$|HUSKY=0|SKIP=\S*|--admin"
)
_UNKNOWN = re.compile(
    r"(?i)not found|unknown (?:sub)?command|no such (?:sub)?command|unrecognized (?:sub)?command|not recognized|missing script"
)
_ABSENT = re.compile(
    r"(?i)no such file|cannot access|can't read|does not exist|cannot open|not found|cannot find|ENOENT"
)
_FLAG = re.compile(r"--?[A-Za-z][\w-]*")
_VERSIONED = re.compile(
    r"\d+\.\d+\.\d+|[0-9a-f]{8,}|(?:^|[/\\])(?:tmp|temp|node_modules|\.cache|cache)(?:[/\\]|$)|/(?:home|Users|root)/",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One change: `old` gives way to `new`; either is "" where nothing stood or stands."""

    kind: Kind
    old: str
    new: str


def asks_for_help(step: Step) -> bool:
    """Whether a command only tells how it is to be used."""
    return bool(_HELP.intersection(word.value for word in step.words))


def same(broken: Step, step: Step) -> bool:
    """Whether it is the very same command in the same place."""
    return (wording.line(broken), broken.directory) == (wording.line(step), step.directory)


def rule(broken: Step, step: Step, said: Said) -> Rule | None:
    """What was changed from one try to the next; None where that is no rule for another time."""
    if " - " in f"{broken.head} " or asks_for_help(step):  # the code of an interpreter is another thing each time
        return None
    if broken.line == step.line:
        return _around(broken, step, said)
    if "cript" in said.line and broken.directory != step.directory and broken.head.split()[:2] == step.head.split()[:2]:
        return _around(broken, step, said)
    old, new = ([word.text for word in one.words if not re.match(r"\d*>|&>|2>", word.text)] for one in (broken, step))
    found = _changed(old, new, broken, step, said)
    return None if found and any(NOT_TAUGHT.search(word) for word in f"{found.old} {found.new}".split()) else found


def _around(broken: Step, step: Step, said: Said) -> Rule | None:
    """The same words, but run through something else or in another folder, where that is what the failure speaks of."""
    before, after = wording.wrapper(broken), wording.wrapper(step)
    if not (_UNKNOWN.search(said.line) or _ABSENT.search(said.line)) or "cd: " in said.line:
        return None
    if before != after:
        if before and after:
            return None
        return Rule("without", before, "") if before else Rule("through", "", after)
    if broken.directory != step.directory and all(_told(place) for place in (broken.directory, step.directory)):
        return Rule("folder", broken.directory, step.directory)
    return None


def _told(place: str) -> bool:
    return not place or (wording.is_path(place) and not place.startswith(("/", "~", "$", "-")))


def _changed(old: Sequence[str], new: Sequence[str], broken: Step, step: Step, said: Said) -> Rule | None:
    if refused := _refused(old, new, said):
        return Rule("without", refused, "") if broken.head == step.head else None
    if missing := _path(old, new, said):
        return missing
    changes = [
        (list(old[a:b]), list(new[c:d]))
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
    if len(changes) != 1:
        return None
    ((gone, come),) = changes
    if not gone and _before(new, come) and len(come) <= 3:
        return Rule("through", "", " ".join(come)) if all(map(_plain, come)) else _set(come)
    if not gone and broken.head == step.head and all(_FLAG.fullmatch(word) or word == "--" for word in come):
        return Rule("with", "", " ".join(come))
    if not come and broken.head == step.head and all(_FLAG.fullmatch(word) for word in gone):
        return Rule("without", " ".join(gone), "")
    if len(gone) == len(come) == 1:
        return _instead(gone[0], come[0], old, broken, step, said)
    return None


def _refused(old: Sequence[str], new: Sequence[str], said: Said) -> str:
    """The option that the program named as what it does not take, and that was left out."""
    if not re.search(
        r"(?i)unknown|unrecognized|unexpected|invalid|illegal|none of the others|can ?not be (?:used|combined)",
        said.line,
    ):
        return ""
    kept = {word.partition("=")[0] for word in new}
    for flag in (word.partition("=")[0] for word in old):
        named = rf"(?<![\w-])(?:{re.escape(flag)}|{re.escape(flag.lstrip('-'))})(?![\w-])"
        if _FLAG.fullmatch(flag) and flag not in kept and re.search(named, said.line):
            return flag
    return ""


def _before(new: Sequence[str], come: Sequence[str]) -> bool:
    return list(new[: len(come)]) == list(come)


def _plain(word: str) -> bool:
    return re.fullmatch(r"[\w.-]{1,30}", word) is not None and not word[0].isdigit()


def _set(come: Sequence[str]) -> Rule | None:
    """Variables of the environment that were set: short values are told, others only by their names."""
    if not all(re.fullmatch(r"[A-Z][A-Z0-9_]*=\S*", word) for word in come):
        return None
    return Rule(
        "with", "", " ".join(w if re.search(r"=(?:[01]|true|false)$", w) else f"{w.partition('=')[0]}=…" for w in come)
    )


def _instead(gone: str, come: str, old: Sequence[str], broken: Step, step: Step, said: Said) -> Rule | None:
    """Another program or sub-command of a name that is near, or where the first one is not known."""
    place = list(old).index(gone)
    if place == 0 and _plain(gone) and _plain(come) and _UNKNOWN.search(said.line) and gone in said.line:
        return Rule("instead", gone, come)
    if not (_plain(gone.replace(":", "")) and _plain(come.replace(":", ""))) or broken.head == step.head:
        return None
    near = come.startswith(gone) or gone.startswith(come) or SequenceMatcher(None, gone, come).ratio() >= NEAR
    if place > 3 or not (near or (_UNKNOWN.search(said.line) and gone in said.line)):
        return None
    return Rule("instead", broken.head, step.head)


def _path(old: Sequence[str], new: Sequence[str], said: Said) -> Rule | None:
    """A path that is not there, and where it was found: under the same name elsewhere, or nearly so."""
    if not _ABSENT.search(said.line):
        return None
    gone = [word for word in old if word not in new and word in said.line and re.search(r"[/\\.]", word)]
    come = [
        word
        for word in new
        if word not in old and re.fullmatch(r"[\w@~+.-]*[/.\\][\w@~+./\\-]*", word) and word[0] != "-"
    ]
    if len(gone) != 1 or len(come) != 1:
        return None
    return moved(gone[0], come[0])


def moved(gone: str, come: str) -> Rule | None:
    """From one path to another, without what they share, but for the part that tells where or what it is."""
    old, new = (re.split(r"[/\\]", path.strip("'\"").removeprefix("./").rstrip("/")) for path in (gone, come))
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    stop = 0
    while stop < min(len(old), len(new)) - start and old[-1 - stop] == new[-1 - stop]:
        stop += 1
    mine, other = old[start : len(old) - stop], new[start : len(new) - stop]
    alike = SequenceMatcher(None, "/".join(mine), "/".join(other)).ratio()
    if (not stop and (len(mine) != 1 or len(other) != 1 or alike < NEAR)) or not (start or stop):
        return None
    # one folder that is called otherwise holds for all in it; else it is told of what lies there
    tail = [] if len(mine) == len(other) == 1 else old[len(old) - stop :][: stop if stop <= 2 else 1]
    head = old[start - 1 : start] if start else []
    found = ["/".join([*head, *part, *tail]) for part in (mine, other)]
    if not all(found) or any(_VERSIONED.search(path) or not wording.is_path(path) for path in found):
        return None
    slip = len(mine) == len(other) == 1 and mine[0] == other[0] * 2
    return None if slip or found[0] == found[1] else Rule("path", found[0].lstrip("/"), found[1].lstrip("/"))
