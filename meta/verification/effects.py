"""What a traced run did beside reading, in the words of declared effects, and what of it was not declared.

A trace sees what was attempted, not what the program would do elsewhere or on another day. Spending and destroying
have no calls of their own: spending shows as network, a deletion as a write where it happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from meta.model import Check
from meta.verification.sandbox import Ran, Seen

Effect = Literal["write-project", "write-outside", "network", "privilege"]
SHOWN = 3  # deeds, and programs, that a check names

# What else a declared effect brings with it.
_IMPLIED: Mapping[str, tuple[str, ...]] = {
    "write-outside": ("write-project",),
    "network": ("write-project",),
    "spend": ("network", "write-project"),
    "destroy": ("write-project",),
    "privilege": ("write-project", "write-outside"),
}
_PRIVILEGED = frozenset({"sudo", "su", "doas", "pkexec", "runuser", "setpriv", "nsenter", "unshare", "chroot"})
# Files that only keep work for later: nobody misses them, so nobody declares them.
_PROJECT_CACHES = re.compile(
    r"\.git/index(\.lock)?|(.*/)?(__pycache__|\.pytest_cache|\.ruff_cache|\.mypy_cache|\.hypothesis|node_modules/\.cache)(/.*)?"
)
_HOME_CACHES = re.compile(
    r"(\.cache|\.npm|\.yarn|\.bun/install/cache|\.cargo/registry|\.gradle|\.m2|go/pkg|\.local/(state|share/(uv|virtualenv)))(/.*)?"
    r"|\.(config|local|local/share|cargo|bun)|go|\.\w+_history|\.config/(matplotlib|yarn|configstore)(/.*)?"
)
_NOWHERE = re.compile(
    r"/dev/(null|zero|full|tty|ptmx|random|urandom|pts(/\d+)?|std(in|out|err)|fd(/.*)?)"
    r"|/proc/(self|\d+)/(?!root/|cwd/).*|/proc/(self|\d+)/fd/.*|(pipe|socket|anon_inode):.*|/memfd:.*|.* \(deleted\)"
)
_NAME_SERVICE = re.compile(r"unix:(/var)?/run/nscd/socket")  # every look-up of a user's name asks there


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was attempted: the effect it has, on what, and the program that did it."""

    effect: Effect
    what: str
    by: str = ""

    def __str__(self) -> str:
        return f"{self.effect} {self.what}" + (f" (by {self.by})" if self.by else "")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a run did and which programs it started. `missing` says why it is not known; "" where it is."""

    deeds: tuple[Deed, ...] = ()
    programs: tuple[str, ...] = ()
    missing: str = ""


def read(ran: Ran, *, own: str | None = None) -> Trace:
    """The trace of a run. Writes below `own`, a folder of the scratch folder, are not told ("" is all of it)."""
    if ran.seen is None or not ran.seen.report:
        lines = ran.stderr.strip().splitlines()
        refused = lines[-1] if lines and lines[-1].startswith("launcher:") else ""
        return Trace(missing=refused or ("time was up" if ran.code is None else "the tracer left no report"))
    report = json.loads(ran.seen.report)
    deeds: dict[Deed, None] = {}
    programs: dict[str, None] = {}
    for kind, what, by in report.get("events", ()):
        if kind == "run":
            programs[PurePosixPath(what).name] = None
        if effect := _effect(kind, what, ran.seen, own):
            deeds[Deed(effect, _plain(_shown(what, ran.seen)), _plain(by))] = None
    return Trace(tuple(deeds), tuple(programs), report["missing"])


def undeclared(trace: Trace, declared: Iterable[str]) -> tuple[Deed, ...]:
    """The deeds that no declared effect covers."""
    allowed = set(declared)
    for effect in list(allowed):
        allowed.update(_IMPLIED.get(effect, ()))
    return tuple(deed for deed in trace.deeds if deed.effect not in allowed)


def check(traces: Mapping[str, Trace], declared: Iterable[str]) -> Check:
    """The check "effects" over traced runs by their names; passed is None where nothing was traced."""
    told = [f"not traced: {name}, {trace.missing}" for name, trace in traces.items() if trace.missing]
    wrong = [f"{name}: {deed}" for name, trace in traces.items() for deed in undeclared(trace, declared)]
    seen = [name for name, trace in traces.items() if not trace.missing]
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        return Check("effects", False, "; ".join(["not declared", *wrong[:SHOWN], *more, *told]))
    if not seen:
        return Check("effects", None, "; ".join(told))
    deeds = {deed for trace in traces.values() for deed in trace.deeds}
    changed = sum(deed.effect == "write-project" for deed in deeds)
    did = [f"{changed} paths of the project changed"] if changed else []
    for effect in ("write-outside", "network", "privilege"):
        did += [f"{effect} as declared"] if any(deed.effect == effect for deed in deeds) else []
    done = ", ".join(did) or "nothing was changed or reached"
    return Check("effects", True, "; ".join([f"{' and '.join(seen)} traced: {done}", *told]))


def _effect(kind: str, what: str, seen: Seen, own: str | None) -> Effect | None:
    if kind == "run":
        return "privilege" if PurePosixPath(what).name in _PRIVILEGED else None
    if kind == "privilege":
        return "privilege"
    if kind == "network":
        local = what.startswith("unix:") and (_private(what[5:], seen) or _NAME_SERVICE.fullmatch(what))
        return None if local else "network"
    if kind == "blind":  # a call that could not be looked into may be any of them
        return "network" if what in ("connect", "sendto", "sendmsg", "sendmmsg") else "write-outside"
    return _write(what, seen, own)


def _write(path: str, seen: Seen, own: str | None) -> Effect | None:
    inside = _below(path, seen.scratch)
    if inside is not None:
        untold = own is not None and (own == "" or inside == own or inside.startswith(own + "/"))
        return None if untold or not inside or _PROJECT_CACHES.fullmatch(inside) else "write-project"
    at_home = _below(path, seen.home)
    if at_home is not None:
        return None if at_home == "" or _HOME_CACHES.fullmatch(at_home) else "write-outside"
    passing = any(_below(path, folder) is not None for folder in seen.temporary) or _NOWHERE.fullmatch(path)
    return None if passing else "write-outside"


def _private(path: str, seen: Seen) -> bool:
    return any(_below(path, folder) is not None for folder in (seen.scratch, *seen.temporary, seen.home))


def _below(path: str, folder: str) -> str | None:
    """The rest of a path in a folder, "" for the folder itself; None where it is not in it."""
    if path == folder:
        return ""
    return path[len(folder) + 1 :] if path.startswith(folder + "/") else None


def _plain(text: str) -> str:
    """Text of a program, as it may stand in a report."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _shown(what: str, seen: Seen) -> str:
    for folder, name in ((seen.home, "~"), (seen.scratch, ".")):
        rest = _below(what, folder)
        if rest is not None:
            return f"{name}/{rest}"
    return what
