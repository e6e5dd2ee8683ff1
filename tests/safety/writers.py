"""Session files of nine agents, written from one small script of acts.

What is said and done is the script's business; a writer only knows how its agent would have kept it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

End = Literal["ok", "failed", "denied", "lost"]  # lost: nothing came back


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the person typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the model wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class Shell:
    """A command line that the model asked for, and how that ended."""

    command: str
    output: str = "done"
    end: End = "ok"


@dataclass(frozen=True, slots=True)
class Tool:
    """A call of another tool. `name` is one of "read", "fetch", "agent", or the name of an MCP tool."""

    name: str
    given: dict[str, Any]
    output: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the client wrote itself: a compaction, a reminder, the title of a session."""

    text: str


Act = Prompt | Said | Shell | Tool | Summary


@dataclass(frozen=True, slots=True)
class Script:
    """One session: its acts, a few seconds apart, and what the client says about itself."""

    id: str
    acts: tuple[Act, ...]
    start: float
    cwd: str = "/home/ada/shop"
    model: str = "claude-sonnet-4-5"
    about: dict[str, Any] = field(default_factory=dict)  # more fields of the client's own

    def timed(self) -> Iterator[tuple[int, float, Act]]:
        yield from ((place, self.start + 20.0 * place, act) for place, act in enumerate(self.acts))


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _jsonl(path: Path, rows: Sequence[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def _json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False))
    return path


def claude(folder: Path, script: Script) -> Path:
    rows: list[dict[str, Any]] = []

    def row(kind: str, time: float, message: object, **more: object) -> None:
        before = rows[-1]["uuid"] if rows else None
        rows.append({"parentUuid": before, "isSidechain": False, "sessionId": script.id, "cwd": script.cwd, "type": kind,
                     "message": message, "uuid": f"{script.id}-{len(rows)}", "timestamp": iso(time),
                     **script.about, **more})  # fmt: skip

    def call(place: int, time: float, tool: str, given: object, output: str, end: End) -> None:
        name = f"toolu_{script.id}_{place}"
        usage = {"input_tokens": 5, "output_tokens": 60, "cache_read_input_tokens": 40_000}
        row("assistant", time, {"model": script.model, "id": f"msg_{name}", "role": "assistant", "usage": usage,
                                "content": [{"type": "tool_use", "id": name, "name": tool, "input": given}]})  # fmt: skip
        if end == "lost":
            return
        text = {"ok": output, "failed": f"Exit code 2\n{output}"}.get(end, DENIED)
        result = {"type": "tool_result", "tool_use_id": name, "content": text, "is_error": end != "ok"}
        told = {"stdout": output, "interrupted": False} if end == "ok" else f"Error: {text}"
        row("user", time + 2, {"role": "user", "content": [result]}, toolUseResult=told)

    for place, time, act in script.timed():
        match act:
            case Prompt(text):
                row("user", time, {"role": "user", "content": text})
            case Said(text):
                row("assistant", time, {"model": script.model, "id": f"msg_{place}", "role": "assistant",
                                        "content": [{"type": "text", "text": text}]})  # fmt: skip
            case Shell(command, output, end):
                call(place, time, "Bash", {"command": command, "description": "Run"}, output, end)
            case Tool(name, given, output):
                call(
                    place,
                    time,
                    {"read": "Read", "fetch": "WebFetch", "agent": "Task"}.get(name, name),
                    given,
                    output,
                    "ok",
                )
            case Summary(text):
                row("user", time, {"role": "user", "content": text}, isCompactSummary=True)
                rows.append({"type": "summary", "summary": text, "leafUuid": f"{script.id}-0", "uuid": None})
    return _jsonl(folder / "claude" / f"{script.id}.jsonl", rows)


DENIED = "The user doesn't want to proceed with this tool use. The tool use was rejected."


def codex(folder: Path, script: Script) -> Path:
    rows: list[dict[str, Any]] = []

    def row(kind: str, time: float, payload: object) -> None:
        rows.append({"timestamp": iso(time), "type": kind, "payload": payload})

    def call(place: int, time: float, name: str, given: object, output: str | None) -> None:
        call_id = f"call_{script.id}_{place}"
        row(
            "response_item",
            time,
            {"type": "function_call", "name": name, "arguments": json.dumps(given), "call_id": call_id},
        )
        if output is not None:
            row("response_item", time + 2, {"type": "function_call_output", "call_id": call_id, "output": output})

    meta = {"id": script.id, "cwd": script.cwd, "originator": "codex-tui", "source": "cli", **script.about}
    row("session_meta", script.start, meta)
    row("turn_context", script.start, {"cwd": script.cwd, "model": script.model})
    for place, time, act in script.timed():
        match act:
            case Prompt(text):
                row("event_msg", time, {"type": "user_message", "message": text})
            case Said(text):
                row("response_item", time, {"type": "message", "role": "assistant", "id": f"{script.id}-{place}",
                                            "content": [{"type": "output_text", "text": text}]})  # fmt: skip
            case Shell(command, output, end):
                code = {"ok": 0, "failed": 2}.get(end)
                told = f"Chunk ID: 1\nWall time: 1.0 seconds\nProcess exited with code {code}\nOutput:\n{output}\n"
                given = {"cmd": command}
                call(place, time, "exec_command", given,
                     None if end == "lost" else told if code is not None else "exec command rejected by user")  # fmt: skip
            case Tool(name, given, output):
                call(place, time, {"read": "read_file", "fetch": "web_search", "agent": "spawn_agent"}.get(name, name),
                     given, output)  # fmt: skip
            case Summary(text):
                row("compacted", time, {"message": text})
    return _jsonl(folder / "codex" / f"rollout-{script.id}.jsonl", rows)


def gemini(folder: Path, script: Script) -> Path:
    messages: list[dict[str, Any]] = []

    def call(place: int, time: float, name: str, given: object, output: str, status: str) -> None:
        response = {"functionResponse": {"name": name, "response": {"output": output}}}
        messages.append({"id": f"m{place}", "timestamp": iso(time), "type": "gemini", "content": "", "model": script.model,
            "tokens": {"input": 40_000, "output": 60, "cached": 39_000, "thoughts": 0, "tool": 0, "total": 40_060},
            "toolCalls": [{"id": f"{script.id}-{place}", "name": name, "args": given, "status": status,
                           "timestamp": iso(time), **({"result": [response]} if status != "executing" else {})}]})  # fmt: skip

    for place, time, act in script.timed():
        match act:
            case Prompt(text):
                messages.append({"id": f"m{place}", "timestamp": iso(time), "type": "user", "content": text})
            case Said(text):
                messages.append(
                    {
                        "id": f"m{place}",
                        "timestamp": iso(time),
                        "type": "gemini",
                        "content": text,
                        "model": script.model,
                    }
                )
            case Shell(command, output, end):
                told = (f"Command: {command}\nDirectory: {script.cwd}\nStdout: {output}\nStderr: (empty)\nError: (none)\n"
                        f"Exit Code: {2 if end == 'failed' else 0}\nSignal: (none)")  # fmt: skip
                status = {"denied": "cancelled", "lost": "executing"}.get(end, "success")
                call(place, time, "run_shell_command", {"command": command}, told, status)
            case Tool(name, given, output):
                names = {"read": "read_file", "fetch": "web_fetch", "agent": "delegate_to_agent"}
                call(place, time, names.get(name, name), given, output, "success")
            case Summary(text):
                messages.append({"id": f"m{place}", "timestamp": iso(time), "type": "info", "content": text})
    (folder / "gemini").mkdir(parents=True, exist_ok=True)
    document = {"sessionId": script.id, "projectHash": "0" * 64, "startTime": iso(script.start),
                "directories": [script.cwd], "messages": messages, **script.about}  # fmt: skip
    return _json(folder / "gemini" / f"session-{script.id}.json", document)


def opencode(folder: Path, script: Script) -> Path:
    messages: list[dict[str, Any]] = []

    def say(role: str, place: int, time: float, parts: list[dict[str, Any]]) -> None:
        info: dict[str, Any] = {"role": role, "id": f"msg_{script.id}_{place}", "time": {"created": int(time * 1000)}}
        if role == "assistant":
            info |= {
                "modelID": script.model,
                "tokens": {"input": 10, "output": 60, "cache": {"read": 40_000, "write": 0}},
            }
        messages.append({"info": info, "parts": parts})

    def call(place: int, time: float, name: str, state: dict[str, Any]) -> None:
        times = {"start": int(time * 1000), "end": int(time * 1000) + 2000}
        part = {"type": "tool", "callID": f"{script.id}_{place}", "tool": name, "state": {"time": times, **state}}
        say("assistant", place, time, [part])

    for place, time, act in script.timed():
        match act:
            case Prompt(text):
                say("user", place, time, [{"type": "text", "text": text}])
            case Said(text):
                say("assistant", place, time, [{"type": "text", "text": text}])
            case Shell(command, output, end):
                state: dict[str, Any] = {"input": {"command": command}}
                if end == "lost":
                    state |= {"status": "running"}
                elif end == "denied":
                    state |= {"status": "error", "error": "The user rejected permission to use this tool call."}
                else:
                    state |= {
                        "status": "completed",
                        "output": output,
                        "metadata": {"exit": 2 if end == "failed" else 0},
                    }
                call(place, time, "bash", state)
            case Tool(name, given, output):
                names = {"fetch": "webfetch", "agent": "task"}
                call(place, time, names.get(name, name), {"status": "completed", "input": given, "output": output})
            case Summary(text):
                say("user", place, time, [{"type": "text", "text": text, "synthetic": True}])
    info = {"id": script.id, "directory": script.cwd, "time": {"created": int(script.start * 1000)}, **script.about}
    return _json(folder / "opencode" / f"{script.id}.json", {"info": info, "messages": messages})


def copilot(folder: Path, script: Script) -> Path:
    rows: list[dict[str, Any]] = []

    def row(kind: str, time: float, data: object) -> None:
        rows.append(
            {"type": kind, "data": data, "id": f"{script.id}-e{len(rows)}", "timestamp": iso(time), "parentId": None}
        )

    def call(place: int, time: float, name: str, given: object, output: str, *, success: bool | None) -> None:
        call_id = f"{script.id}-c{place}"
        row("assistant.message", time, {"messageId": f"{script.id}-m{place}", "content": "", "outputTokens": 60,
                                        "toolRequests": [{"toolCallId": call_id}]})  # fmt: skip
        row(
            "tool.execution_start",
            time,
            {"toolCallId": call_id, "toolName": name, "arguments": given, "model": script.model},
        )
        if success is not None:
            row(
                "tool.execution_complete",
                time + 2,
                {"toolCallId": call_id, "success": success, "result": {"content": output}},
            )

    row("session.start", script.start, {"sessionId": script.id, "context": {"cwd": script.cwd}, **script.about})
    for place, time, act in script.timed():
        match act:
            case Prompt(text):
                row("user.message", time, {"content": text})
            case Said(text):
                row(
                    "assistant.message",
                    time,
                    {"messageId": f"{script.id}-m{place}", "content": text, "outputTokens": 9},
                )
            case Shell(command, output, end):
                told = f"{output}\n<shellId: 0 completed with exit code {2 if end == 'failed' else 0}>"
                if end == "denied":
                    told = "The user rejected this tool call."
                call(place, time, "bash", {"command": command, "description": f"Run {place}"}, told,
                     success=None if end == "lost" else end != "denied")  # fmt: skip
            case Tool(name, given, output):
                names = {"read": "view", "fetch": "web_fetch", "agent": "task"}
                call(place, time, names.get(name, name), given, output, success=True)
            case Summary(text):
                row("session.compaction_complete", time, {"summaryContent": text})
    return _jsonl(folder / "copilot" / script.id / "events.jsonl", rows)


def specstory(folder: Path, script: Script) -> Path:
    day = iso(script.start)[:19].replace("T", " ") + "Z"
    lines = ["<!-- Generated by SpecStory, Markdown v2.1.0 -->", "", f"# {day}", "",
             f"<!-- Claude Code Session {script.id} ({day}) -->", ""]  # fmt: skip

    def fenced(text: str) -> str:
        return f"```text\n{text}\n```"

    for _, time, act in script.timed():
        clock = iso(time)
        agent = f"_**Agent ({script.model} {clock})**_"
        match act:
            case Prompt(text):
                lines += [f"_**User ({clock})**_", "", text, "", "---", ""]
            case Said(text):
                lines += [agent, "", text, "", "---", ""]
            case Shell(command, output, end):
                told = {"ok": output, "failed": f"Exit code 2\n{output}", "denied": DENIED, "lost": ""}[end]
                shown = f"`{command}`" if "\n" not in command and "`" not in command else f"```bash\n{command}\n```"
                lines += [agent, "", '<tool-use data-tool-type="shell" data-tool-name="Bash"><details>',
                          "<summary>Tool use: **Bash**</summary>", "", shown, "",
                          *([fenced(told)] if told else []), "</details></tool-use>", "", "---", ""]  # fmt: skip
            case Tool(name, given, output):
                kind = {"read": "read", "fetch": "search"}.get(name, "generic")
                about = " ".join(f"{key}: `{value}`" for key, value in given.items())
                lines += [agent, "", f'<tool-use data-tool-type="{kind}" data-tool-name="{name}"><details>',
                          f"<summary>Tool use: **{name}**</summary>", about, "", fenced(output), "</details></tool-use>",
                          "", "---", ""]  # fmt: skip
            case Summary(text):
                lines += [agent, "", f"<think>{text}</think>", "", "---", ""]
    path = folder / "specstory" / f"{script.id}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def aider(folder: Path, script: Script) -> Path:
    """aider keeps what it printed: the answers, the offers, and what was run of them; no output."""
    started = datetime.fromtimestamp(script.start).strftime("%Y-%m-%d %H:%M:%S")
    lines = [f"# aider chat started at {started}", "", f"> Git working dir: {script.cwd}  ",
             f"> Main model: {script.model} with diff edit format  ", ""]  # fmt: skip
    tokens = "> Tokens: 40k sent, 60 received. Cost: $0.01 message, $0.01 session.  "
    for _, _, act in script.timed():
        match act:
            case Prompt(text):
                lines += [*(f"#### {line}" for line in text.splitlines() or [""]), ""]
            case Said(text) | Summary(text):
                lines += [text, "", tokens, ""]
            case Shell(command, _, end):
                answer = "y" if end in ("ok", "failed") else "n"
                offered = command.splitlines()
                lines += [f"```bash\n{command}\n```", "", tokens, f"> {offered[0]}  ", *(f"{line}  " for line in offered[1:]),
                          f"> Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: {answer}  ",
                          *([f"> Running {offered[0]}  "] if answer == "y" else []), ""]  # fmt: skip
            case Tool(name, given, output):
                lines += [f"`{name}` says:", "", output, "", tokens, ""]
                del given
    path = folder / "aider" / script.id / ".aider.chat.history.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def atif(folder: Path, script: Script) -> Path:
    steps: list[dict[str, Any]] = []

    def call(place: int, time: float, name: str, given: object, output: str | None, **extra: object) -> None:
        call_id = f"{script.id}-c{place}"
        result = {"source_call_id": call_id, "content": output, "extra": extra}
        steps.append({"step_id": place + 1, "source": "agent", "message": "", "timestamp": iso(time), "model_name": script.model,
            "tool_calls": [{"tool_call_id": call_id, "function_name": name, "arguments": given}],
            "observation": {"results": [] if output is None else [result]},
            "metrics": {"prompt_tokens": 40_000, "cached_tokens": 39_000, "completion_tokens": 60}})  # fmt: skip

    for place, time, act in script.timed():
        match act:
            case Prompt(text):
                steps.append({"step_id": place + 1, "source": "user", "message": text, "timestamp": iso(time)})
            case Said(text):
                steps.append({"step_id": place + 1, "source": "agent", "message": text, "timestamp": iso(time)})
            case Shell(command, output, end):
                told = {
                    "ok": f"{output}\nexit code: 0",
                    "failed": f"{output}\nexit code: 2",
                    "denied": None,
                    "lost": None,
                }[end]
                call(place, time, "bash", {"command": command}, told)
            case Tool(name, given, output):
                call(place, time, {"fetch": "web_fetch", "agent": "task"}.get(name, name), given, output)
            case Summary(text):
                steps.append({"step_id": place + 1, "source": "system", "message": text, "timestamp": iso(time)})
    document = {"schema_version": "ATIF-v1.8", "session_id": script.id, "steps": steps,
                "agent": {"name": "terminus", "version": "2", "model_name": script.model}, **script.about}  # fmt: skip
    return _json(folder / "atif" / f"{script.id}.json", document)


def mini_swe(folder: Path, script: Script) -> Path:
    """One action an answer; what it cannot read as one is answered without a return code."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You answer with one action."}]
    for place, time, act in script.timed():
        response = {
            "id": f"{script.id}-r{place}",
            "model": script.model,
            "usage": {"prompt_tokens": 40_000, "completion_tokens": 60},
        }
        extra: dict[str, Any] = {"timestamp": time, "response": response}
        match act:
            case Prompt(text) | Summary(text):
                messages.append({"role": "user", "content": text})
            case Said(text):
                messages.append({"role": "assistant", "content": text, "extra": extra})
                messages.append({"role": "user", "content": "Please answer with exactly one action."})
            case Shell(command, output, end):
                messages.append({"role": "assistant", "content": f"Next.\n\n```bash\n{command}\n```", "extra": extra})
                if end in ("ok", "failed"):
                    code = 0 if end == "ok" else 2
                    content = f"<returncode>{code}</returncode>\n<output>\n{output}\n</output>"
                    told = {"returncode": code, "raw_output": output, "timestamp": time + 2}
                    messages.append({"role": "user", "content": content, "extra": told})
                elif end == "denied":
                    messages.append({"role": "user", "content": "Command not executed. The user rejected it."})
            case Tool(name, given, output):
                messages.append(
                    {"role": "assistant", "content": f"Next.\n\n```bash\ncat {name}.txt\n```", "extra": extra}
                )
                content = f"<returncode>0</returncode>\n<output>\n{output}\n</output>"
                messages.append({"role": "user", "content": content, "extra": {"returncode": 0, "raw_output": output}})
                del given
    document = {"info": {"config": {"environment": {"cwd": script.cwd}}, "mini_version": "2.2.7", "model_stats": {}},
                "trajectory_format": "mini-swe-agent-1.1", "instance_id": script.id, "messages": messages,
                **script.about}  # fmt: skip
    return _json(folder / "mini" / f"{script.id}.traj.json", document)


WRITERS: dict[str, Callable[[Path, Script], Path]] = {
    "claude-code": claude, "codex": codex, "gemini-cli": gemini, "opencode": opencode, "copilot-cli": copilot,
    "specstory": specstory, "aider": aider, "atif": atif, "mini-swe-agent": mini_swe,
}  # fmt: skip
