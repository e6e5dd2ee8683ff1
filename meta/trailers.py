"""Which sessions of agents are live in a workspace, and the trailer that ties a commit of theirs to them.

It runs inside `git commit`: only the standard library is imported, and whatever goes wrong is its own affair. A commit
that a person makes beside an agent is not the agent's: the agent has to be among the processes that the commit runs in.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from meta import spool

PLACE = ".meta/live"
KEY = "Session"
LIVE = 24 * 3600.0  # seconds after its last sign of life
_AGENTS = (("/.codex/", "codex"), ("/.gemini/", "gemini-cli"))
_ID = re.compile(r"[\w.:#@+-]{1,120}", re.ASCII)
_SHELLS = frozenset(["sh", "bash", "dash", "zsh", "fish", "ksh", "env", "timeout"])
_BUSY = ("rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD")  # commits that were made before, by whomever


@dataclass(frozen=True, slots=True)
class Live:
    """A session that goes on. `process` is the agent's, 0 where that could not be told."""

    agent: str
    session: str
    process: int
    time: float

    @property
    def name(self) -> str:
        return f"{self.agent}/{self.session}"


def began(workspace: Path, session: str, transcript: str) -> None:
    """Note that a session goes on: the hook of its agent says so."""
    if not _ID.fullmatch(session):
        return
    agent = next((name for part, name in _AGENTS if part in transcript.replace("\\", "/")), "claude-code")
    process = next((pid for pid, name in _above() if name not in _SHELLS), 0)
    folder = workspace / PLACE
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{os.getpid()}.draft"
    draft.write_text(json.dumps(asdict(Live(agent, session, process, time.time()))), encoding="ascii")
    os.replace(draft, folder / f"{spool.fit(session)}.json")


def ended(workspace: Path, session: str) -> None:
    (workspace / PLACE / f"{spool.fit(session)}.json").unlink(missing_ok=True)


def live(workspace: Path, now: float) -> list[Live]:
    """The sessions that go on; what is no note of ours, or too old, is passed over."""
    found = []
    for path in sorted((workspace / PLACE).glob("*.json")):
        try:
            row = json.loads(path.read_text(encoding="ascii"))
            one = Live(str(row["agent"]), str(row["session"]), int(row["process"]), float(row["time"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if now - one.time < LIVE and _ID.fullmatch(one.session) and _ID.fullmatch(one.agent):
            found.append(one)
    return found


def mine(sessions: list[Live], above: set[int]) -> Live | None:
    """The session whose agent is above this process; where no process can be told, the only one that goes on."""
    own = [one for one in sessions if one.process in above]
    if not own and not (above and any(one.process for one in sessions)):
        own = sessions
    return own[0] if len(own) == 1 else None


def commit(workspace: Path, message: Path) -> bool:
    """Whether a commit's message, as git hands it to its hook, got the trailer of the session that makes the commit.

    A message that is still to be typed stays as it is: with a trailer, leaving the editor would no longer give it up.
    """
    one = mine(live(workspace, time.time()), {pid for pid, _ in _above()})
    if one is None or any(Path(_git("rev-parse", "--git-path", name)).exists() for name in _BUSY):
        return False
    if not _git(
        "stripspace", "--strip-comments", told=message.read_text("utf-8", "surrogateescape").partition(" >8 ")[0]
    ):
        return False
    before = message.read_bytes()
    if not before.endswith(b"\n"):  # as of `git merge -m`: the trailer would stand in the subject's paragraph
        message.write_bytes(before + b"\n")
    _git(
        "interpret-trailers",
        "--in-place",
        "--if-exists",
        "addIfDifferent",
        "--trailer",
        f"{KEY}: {one.name}",
        str(message),
    )
    return message.read_bytes() != before


def _git(*arguments: str, told: str = "") -> str:
    return _output("git", *arguments, told=told)


def _output(*argv: str, told: str = "", seconds: float = 10.0) -> str:
    """What a program prints. Raises `OSError` where it fails or takes longer."""
    import subprocess  # an agent's hook loads this module and starts nothing

    try:
        given = told.encode("utf-8", "surrogateescape")
        done = subprocess.run(argv, input=given, capture_output=True, timeout=seconds, check=True)
    except subprocess.SubprocessError as error:
        raise OSError(f"{argv[0]} failed: {error}") from error
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def _above() -> Iterator[tuple[int, str]]:
    """The processes that this one runs in, nearest first, each with its name; nothing where the system does not tell."""
    pid = os.getppid()
    for _ in range(64):
        if pid <= 1:
            return
        parent, name = _process(pid)
        if not name:
            return
        yield pid, name
        pid = parent


def _process(pid: int) -> tuple[int, str]:
    """A process's parent and its name."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        name, _, rest = told.partition("(")[2].rpartition(")")
        return int(rest.split()[1]), name
    except (OSError, ValueError, IndexError):
        pass
    try:  # systems without /proc
        parent, name = _output("ps", "-o", "ppid=,comm=", "-p", str(pid), seconds=2.0).split(None, 1)
        return int(parent), os.path.basename(name.strip()).lstrip("-")
    except (OSError, ValueError):
        return 0, ""
