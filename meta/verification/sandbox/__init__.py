"""Run a program that nobody has read yet, where it can reach nothing but a scratch folder.

This is the only place that executes generated code. It does not judge what came out. The ladder of isolation:
"bubblewrap" (namespaces and limits), "landlock" (Landlock, call filters and limits), "limits" (only those, an empty
environment and a scratch folder; for a caller who vouches that the program only reads), "none" (nothing is executed).
Each run tells which it had, and there is no other way to run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from meta.errors import UserError
from meta.verification.sandbox import ways
from meta.verification.sandbox.folders import give, place, scratch
from meta.verification.sandbox.ladder import Rung, level, rungs
from meta.verification.sandbox.ways import PATH, USUAL, Limits, Ran, Seen

__all__ = ["PATH", "Limits", "NoSandboxError", "Ran", "Rung", "Seen", "give", "level", "place", "python"]
__all__ += ["run", "rungs", "scratch"]


class NoSandboxError(UserError):
    """This program may not be executed here, because no isolation that is strong enough works."""


def run(
    argv: Sequence[str],
    scratch: Path,
    *,
    read_only: Sequence[Path] = (),
    stdin: str = "",
    limits: Limits = USUAL,
    traced: bool = False,
    harmless: bool = False,
) -> Ran:
    """What `argv` did with `scratch` as its writable working folder and `read_only` seen at their own paths.

    No network, no environment, no home, no other process is visible; as root the user is dropped first. `harmless` is
    the caller's word that the program only reads: then mere limits are enough, under which it could reach all that
    this user can. `traced` also tells what it tried to change and to reach. Raises `NoSandboxError` where the
    isolation cannot be had.
    """
    isolation = level()
    if isolation == "none" or (isolation == "limits" and not harmless):
        raise NoSandboxError("nothing is run here without a sandbox: `meta doctor` says how to get one")
    return ways.execute(isolation, argv, scratch, read_only=read_only, stdin=stdin, limits=limits, traced=traced)


def python() -> str:
    """The interpreter in use, as it is called inside."""
    return sys.executable
