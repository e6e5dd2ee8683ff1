"""What a workspace answers over MCP: its registered tools and their calls, its documents, its prompts.

Values in, values out: who asks, in which era of the protocol, and over which transport is not known here.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta import __version__, process
from meta.errors import UserError
from meta.knowledge import guides
from meta.registration import functions, inventory, lifecycle
from meta.registration.functions import Function
from meta.registration.pieces import TOOLS

Json = dict[str, Any]
SERVER = {"name": "meta", "version": __version__}
LONGEST = 2**22  # bytes of a message
CALLS = 4  # at once
SECONDS = 900.0  # of one call
OUTPUT = 2**20  # bytes of a call's output that are kept
LOOK = 2.0  # seconds between looks at whether the tools changed
INDEX = 4000  # characters of the instructions
SAID = 2000  # characters of what a tool said that a failure repeats
PARSE, REQUEST, METHOD, PARAMS, INTERNAL, VERSION = -32700, -32600, -32601, -32602, -32603, -32022
FRESH: Json = {"ttlMs": 0, "cacheScope": "private"}  # nothing may be kept: the tools change while we serve


class ProtocolError(Exception):
    """What is wrong with a request, by its JSON-RPC code."""

    def __init__(self, code: int, text: str, data: Json | None = None) -> None:
        super().__init__(text)
        self.told: Json = {"code": code, "message": text} | ({"data": data} if data else {})


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: a text for the model, and the tool's own result where it printed one."""

    text: str
    ok: bool
    result: Json | None = None


def _complain(text: str) -> None:
    print(f"meta: {text}", file=sys.stderr, flush=True)


def registered(workspace: Path | None, complain: Callable[[str], None] = _complain) -> tuple[Function, ...]:
    """The functions of the registered tools, best payback first; none outside of a workspace.

    One that cannot be read is left out, with a complaint.
    """
    if workspace is None:
        return ()
    found = []
    for name in lifecycle.registered(workspace):
        try:
            found.append(functions.function(inventory.read(workspace / TOOLS / name)))
        except (UserError, OSError) as error:
            complain(f"{name} is not served: {error}")
    return tuple(sorted(found, key=lambda one: (one.payback_weeks, one.name)))


def call(
    workspace: Path,
    function: Function,
    values: Mapping[str, Any],
    seconds: float = SECONDS,
    stop: threading.Event | None = None,
) -> Called:
    """Run the tool. It runs as the agent's own shell would run it, with bounded time and output, until `stop` is set."""
    name, stop = function.name, stop or threading.Event()
    try:
        words = functions.arguments(function, values)
    except ValueError as error:
        return Called(f"{name}: {error}", False)
    program = workspace / TOOLS / function.tool / "tool.py"
    argv = [sys.executable, str(program), *words, "--json"]
    done = process.run(argv, cwd=workspace, timeout=seconds, limit=OUTPUT, stop=stop)
    if done.timed_out:
        return Called(f"{name} was stopped" + ("" if stop.is_set() else f" after {seconds:g} s"), False)
    try:
        result = json.loads(done.stdout.strip().rpartition("\n")[2])
    except (ValueError, RecursionError):
        result = None
    if isinstance(result, dict) and isinstance(result.get("ok"), bool):
        return Called(json.dumps(result, ensure_ascii=False), result["ok"], result)
    end = f"printed more than {OUTPUT:,} bytes" if done.clipped else f"ended with {done.code}"
    said = (done.stderr or done.stdout).strip()[-SAID:]
    return Called(f"{name} {end} and gave no result" + (f". It said:\n{said}" if said else ""), False)


class Answers:
    """The answers of a workspace, or of a folder that is none and has nothing to offer. Its tools are those of the last
    look."""

    def __init__(self, workspace: Path | None, seconds: float = SECONDS) -> None:
        self._workspace, self._seconds = workspace, seconds
        self._told: set[str] = set()
        self.tools = registered(workspace, self._complain_once)

    def _complain_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            _complain(text)

    def look(self) -> bool:
        """Whether the tools are others than before."""
        before, self.tools = self.tools, registered(self._workspace, self._complain_once)
        return before != self.tools

    def index(self) -> str:
        """What the agent is told before it asks: which tools there are."""
        if self._workspace is None:
            return ""
        head = (
            "Tools made from work that was done again and again here. Call one instead of running its steps one by one."
        )
        lines = [f"- {one.name}: {one.description}" for one in self.tools]
        return "\n".join([head, *lines])[:INDEX]

    def result(self, method: str, params: Json, stop: threading.Event | None = None) -> Json:
        """The result of a request. Raises `ProtocolError`. A call ends when `stop` is set."""
        match method:
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [_tool(one) for one in self.tools], **FRESH}
            case "tools/call":
                return self._called(params, stop)
            case "resources/list":
                return {"resources": list(self._documents()), **FRESH}
            case "resources/read":
                return {"contents": [self._document(params.get("uri"))], **FRESH}
            case "resources/templates/list":
                return {"resourceTemplates": [], **FRESH}
            case "prompts/list":
                return {
                    "prompts": [{"name": name, "description": text} for name, (text, _) in PROMPTS.items()],
                    **FRESH,
                }
            case "prompts/get":
                return _prompt(params.get("name"))
        raise ProtocolError(METHOD, f"there is no method {method[:100]!r}")

    def _called(self, params: Json, stop: threading.Event | None) -> Json:
        name, values = params.get("name"), params.get("arguments") or {}
        function = next((one for one in self.tools if one.name == name), None)
        if function is None or self._workspace is None:
            raise ProtocolError(PARAMS, f"unknown tool: {str(name)[:100]}")
        if not isinstance(values, dict):
            raise ProtocolError(PARAMS, "arguments must be an object")
        done = call(self._workspace, function, values, self._seconds, stop)
        result: Json = {"content": [{"type": "text", "text": done.text}], "isError": not done.ok}
        return result | ({"structuredContent": done.result} if done.result is not None else {})

    def _knowledge(self) -> Iterator[tuple[str, Path]]:
        """The documents by address: the workspace's own, and those of the package that it does not override."""
        if self._workspace is not None:
            for name, path in guides.places(self._workspace).items():
                yield f"knowledge://{name}", path

    def _documents(self) -> Iterator[Json]:
        for uri, _ in self._knowledge():
            yield {"uri": uri, "name": uri.removeprefix("knowledge://"), "mimeType": "text/markdown"}

    def _document(self, uri: object) -> Json:
        for known, path in self._knowledge():  # only what is listed can be read
            if uri == known:
                text = path.read_text(encoding="utf-8", errors="replace")
                return {"uri": uri, "mimeType": "text/markdown", "text": text}
        raise ProtocolError(PARAMS, "there is no such document")


def _tool(one: Function) -> Json:
    return {
        "name": one.name, "title": one.tool, "description": one.description, "inputSchema": one.schema,
        "outputSchema": functions.OUTPUT, "annotations": one.annotations,
    }  # fmt: skip


PROMPTS: Mapping[str, tuple[str, str]] = {
    "extract": (
        "Find what repeats in the recorded sessions and propose tools for it",
        "Run `meta extract`, then tell me which tools it proposes, what each saves, and when it pays back.",
    ),
    "review": (
        "Review the tools that are proposed",
        "Run `meta tools`. For each proposed tool show me PR.md and tool.py of its branch `meta/<name>`, say what it may "
        "do and what was not checked, and ask me whether to run `meta accept` or `meta reject`.",
    ),
}


def _prompt(name: object) -> Json:
    if not isinstance(name, str) or name not in PROMPTS:
        raise ProtocolError(PARAMS, f"there is no prompt {str(name)[:100]!r}")
    text, words = PROMPTS[name]
    return {"description": text, "messages": [{"role": "user", "content": {"type": "text", "text": words}}]}
