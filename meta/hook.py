"""What an agent calls when a session starts or ends: note the session, leave the work to a worker, be gone.

Claude Code, Codex and Gemini wait for their hooks and kill slow ones, so only the standard library is imported, little
is read but the call itself, and whatever goes wrong is the hook's own affair: the agent always sees success. Where a
person wants it (`nudge`), the agent is told of the tools that there are.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from meta import spool, trailers

ENDS = ("SessionEnd", "Stop", "AfterAgent")  # the last is what Gemini calls the end of a turn
TOLD = ("SessionStart", "PostToolUse")  # where an agent may be told of tools
INDEX = ".meta/nudge/tools.json"  # there only where that is wanted
LIMIT = 2**20  # bytes of a call that are read
_KEPT = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "PYTHONPATH")


def main(argv: list[str]) -> int:
    """Always 0: a hook that fails would be shown to the person, or stop the agent."""
    try:
        if argv[:1] == ["commit"] and len(argv) > 2:  # git's own hook calls, not an agent
            trailers.commit(Path(argv[1]), Path(argv[2]))
            return 0
        call = json.loads(sys.stdin.buffer.read(LIMIT) or b"{}")
        _answer(call)
    except Exception as error:  # this is a door, and nobody stands behind it
        _note(error)
    return 0


def _answer(call: dict[str, object]) -> None:
    event, cwd = str(call.get("hook_event_name", "")), str(call.get("cwd") or os.getcwd())
    workspace = _workspace(Path(cwd))
    if workspace is None:
        return
    transcript, session = str(call.get("transcript_path") or ""), str(call.get("session_id") or "")
    if event in ENDS and transcript and session:
        spool.put(workspace, spool.Job(session, transcript))
    if session and event and (workspace / trailers.PLACE).is_dir():  # there only where commits are tied to sessions
        if event == "SessionEnd":
            trailers.ended(workspace, session)
        else:
            trailers.began(workspace, session, transcript)
    if event == "SessionEnd" or (event == "SessionStart" and spool.counts(workspace)[0]):
        start(workspace)
    if event in TOLD and (workspace / INDEX).exists() and (text := _told(workspace, event, cwd, session, call)):
        answer = {"hookEventName": event, "additionalContext": text}
        print(json.dumps({"hookSpecificOutput": answer}), flush=True)


def _told(workspace: Path, event: str, cwd: str, session: str, call: dict[str, object]) -> str:
    """What the agent is to know of the tools now; mostly nothing."""
    from meta import nudge

    if event == "SessionStart":
        return "" if call.get("source") == "resume" else nudge.at_start(workspace)
    tool, given = str(call.get("tool_name", "")), call.get("tool_input")
    line = given.get("command") if isinstance(given, dict) else None
    turn = str(call.get("prompt_id") or call.get("turn_id") or "")

    def inside(folder: str) -> bool:
        return _workspace(Path(os.path.realpath(os.path.join(cwd, folder)))) == Path(os.path.realpath(workspace))

    return nudge.at_call(workspace, session, turn, tool, line if isinstance(line, str) else "", inside)


def _workspace(folder: Path) -> Path | None:
    """The workspace around a folder: where `.meta` lies beside `.git`."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place if (place / ".meta").is_dir() else None
    return None


def start(workspace: Path) -> None:
    """Start a worker that outlives the agent. It sees no key of the agent's: only the environment that it needs."""
    import subprocess

    environment = {name: os.environ[name] for name in os.environ if name in _KEPT or name.startswith(("XDG_", "META_"))}
    with open(workspace / ".meta" / "worker.log", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "meta", "extract", "--spooled", "--workspace", str(workspace)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=workspace, env=environment, start_new_session=True,
        )  # fmt: skip


def _note(error: Exception) -> None:
    """One line about what went wrong on stderr, where a client shows it to nobody unless asked."""
    print(f"meta hook: {type(error).__name__}: {error}", file=sys.stderr)
