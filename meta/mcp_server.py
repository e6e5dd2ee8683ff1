"""Serve the registered tools of a workspace to agents over MCP on stdin and stdout.

One JSON-RPC message a line, both eras of the protocol (2025-06-18 and 2025-11-25 with `initialize`, 2026-07-28 without).
It is written on the standard library because an agent's first turn does not wait: the official SDK takes longer to
load than that turn, and is what the tests hold this against.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from meta import __version__, process
from meta.errors import UserError
from meta.registration import functions, inventory, lifecycle
from meta.registration.functions import Function

Json = dict[str, Any]
MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
SERVER = {"name": "meta", "version": __version__}
LONGEST = 2**22  # bytes of a message
CALLS = 4  # at once
SECONDS = 900.0  # of one call
OUTPUT = 2**20  # bytes of a call's output that are kept
LOOK = 2.0  # seconds between looks at whether the tools changed
INDEX = 4000  # characters of the instructions
_META = "io.modelcontextprotocol/"
PARSE, REQUEST, METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603


class ProtocolError(Exception):
    """What is wrong with a request, by its JSON-RPC code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: a text for the model, and the tool's own result where it printed one."""

    text: str
    ok: bool
    result: Json | None = None


def registered(workspace: Path | None) -> tuple[Function, ...]:
    """The functions of the registered tools, best payback first; none outside of a workspace."""
    if workspace is None:
        return ()
    found = [functions.function(inventory.tool(workspace, known.name))
             for known in lifecycle.tools(workspace) if known.state == "registered"]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.payback_weeks, one.name)))


def call(workspace: Path, function: Function, values: Mapping[str, Any], seconds: float = SECONDS) -> Called:
    """Run the tool. It runs as the agent's own shell would run it, with bounded time and output."""
    try:
        words = functions.arguments(function, values)
    except ValueError as error:
        return Called(f"{function.name}: {error}", False)
    program = workspace / lifecycle.TOOLS / function.tool / "tool.py"
    done = process.run([sys.executable, str(program), *words, "--json"], cwd=workspace, timeout=seconds, limit=OUTPUT)
    if done.timed_out:
        return Called(f"{function.name} was stopped after {seconds:.0f} s", False)
    try:
        result = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        result = None
    if not isinstance(result, dict) or not isinstance(result.get("ok"), bool):
        text = (done.stderr or done.stdout).strip()[-2000:]
        return Called(text or f"{function.name} ended with {done.code} and said nothing", False)
    return Called(json.dumps(result, ensure_ascii=False), result["ok"], result)


class Server:
    """The state of one connection. `send` writes one message. Without a workspace it has nothing to offer."""

    def __init__(self, workspace: Path | None, send: Callable[[Json], None]) -> None:
        self.workspace = workspace
        self._send = send
        self._lock = threading.Lock()
        self._listening: dict[str, Any] = {}
        self._legacy = False
        self.tools = registered(workspace)

    def send(self, message: Json) -> None:
        with self._lock:
            self._send({"jsonrpc": "2.0", **message})

    def answer(self, message: object) -> None:
        """Answer one message; whatever it is, the connection lives on."""
        number = message.get("id") if isinstance(message, dict) else None
        try:
            if not isinstance(message, dict) or not isinstance(message.get("method"), str):
                if isinstance(message, dict) and ("result" in message or "error" in message):
                    return  # an answer to nothing that we asked
                raise ProtocolError(REQUEST, "not a request")
            params = message.get("params", {})
            if not isinstance(params, dict):
                raise ProtocolError(PARAMS, "params must be an object")
            result = self._result(message["method"], params, number)
            if "id" in message and result is not None:
                self.send({"id": number, "result": self._dressed(result, params)})
        except ProtocolError as error:
            if not isinstance(message, dict) or "id" in message or error.code in (PARSE, REQUEST):
                self.send({"id": number, "error": {"code": error.code, "message": str(error)}})
        except UserError as error:
            self.send({"id": number, "error": {"code": INTERNAL, "message": str(error)}})
        except Exception:  # a bug of ours: its report goes where the client keeps logs, and the connection lives on
            traceback.print_exc()
            self.send({"id": number, "error": {"code": INTERNAL, "message": "meta failed; its log tells why"}})

    def _dressed(self, result: Json, params: Json) -> Json:
        """The result as the era of the request wants it."""
        meta = params.get("_meta")
        if not isinstance(meta, dict) or f"{_META}protocolVersion" not in meta:
            return {key: value for key, value in result.items() if key not in ("ttlMs", "cacheScope")}
        return {"resultType": "complete", **result, "_meta": {**result.get("_meta", {}), f"{_META}serverInfo": SERVER}}

    def _result(self, method: str, params: Json, number: object) -> Json | None:
        match method:
            case "initialize":
                self._legacy = True
                asked = params.get("protocolVersion")
                version = asked if asked in HANDSHAKE else HANDSHAKE[0]
                return {"protocolVersion": version, "serverInfo": SERVER, **self._offer()}
            case "server/discover":
                return {"supportedVersions": [MODERN], **self._offer(), "ttlMs": 0, "cacheScope": "private"}
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [_tool(one) for one in self.tools], "ttlMs": 0, "cacheScope": "private"}
            case "tools/call":
                return self._called(params)
            case "resources/list":
                return {"resources": list(self._documents()), "ttlMs": 0, "cacheScope": "private"}
            case "resources/read":
                return {"contents": [self._document(params.get("uri"))], "ttlMs": 0, "cacheScope": "private"}
            case "resources/templates/list":
                return {"resourceTemplates": [], "ttlMs": 0, "cacheScope": "private"}
            case "prompts/list":
                listed = [{"name": name, "description": text} for name, (text, _) in PROMPTS.items()]
                return {"prompts": listed, "ttlMs": 0, "cacheScope": "private"}
            case "prompts/get":
                return _prompt(params.get("name"))
            case "subscriptions/listen":
                self._listen(params, number)
                return None
            case _ if method.startswith("notifications/"):
                return None
        raise ProtocolError(METHOD, f"there is no method {method[:100]!r}")

    def _offer(self) -> Json:
        changes = {"listChanged": True}
        return {"capabilities": {"tools": changes, "resources": {}, "prompts": {}}, "instructions": self._index()}

    def _index(self) -> str:
        if self.workspace is None:
            return ""
        head = (
            "Tools made from work that was done again and again here. Call one instead of running its steps one by one."
        )
        lines = [f"- {one.name}: {one.description}" for one in self.tools]
        return "\n".join([head, *lines])[:INDEX]

    def _called(self, params: Json) -> Json:
        name, values = params.get("name"), params.get("arguments") or {}
        function = next((one for one in self.tools if one.name == name), None)
        if function is None or self.workspace is None:
            raise ProtocolError(PARAMS, f"unknown tool: {str(name)[:100]}")
        if not isinstance(values, dict):
            raise ProtocolError(PARAMS, "arguments must be an object")
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        with self._progress(token):
            done = call(self.workspace, function, values)
        result: Json = {"content": [{"type": "text", "text": done.text}], "isError": not done.ok}
        return result | ({"structuredContent": done.result} if done.result is not None else {})

    def _progress(self, token: object) -> _Ticking:
        def tell(seconds: int) -> None:
            self.send({"method": "notifications/progress", "params": {"progressToken": token, "progress": seconds}})

        return _Ticking(tell if isinstance(token, (str, int)) else None)

    def _knowledge(self) -> Iterator[tuple[str, Path]]:
        """The workspace's documents by address."""
        if self.workspace is not None:
            folder = self.workspace / "knowledge"
            for path in sorted(folder.rglob("*.md")):
                if path.is_file() and not path.is_symlink():
                    yield f"knowledge://{path.relative_to(folder).as_posix()}", path

    def _documents(self) -> Iterator[Json]:
        for uri, _ in self._knowledge():
            yield {"uri": uri, "name": uri.removeprefix("knowledge://"), "mimeType": "text/markdown"}

    def _document(self, uri: object) -> Json:
        for known, path in self._knowledge():  # only what is listed can be read
            if uri == known:
                text = path.read_text(encoding="utf-8", errors="replace")
                return {"uri": uri, "mimeType": "text/markdown", "text": text}
        raise ProtocolError(PARAMS, "there is no such document")

    def _listen(self, params: Json, number: object) -> None:
        """The answer to this request is a stream: first what it will carry, then each change."""
        if not isinstance(number, (str, int)):
            raise ProtocolError(REQUEST, "subscriptions/listen needs an id")
        wanted = params.get("notifications")
        tools = isinstance(wanted, dict) and wanted.get("toolsListChanged") is True
        told = {
            "_meta": {f"{_META}subscriptionId": number},
            "notifications": {"toolsListChanged": True} if tools else {},
        }
        self.send({"method": "notifications/subscriptions/acknowledged", "params": told})
        if tools:
            self._listening[str(number)] = number

    def look(self) -> None:
        """Tell the client where the tools are others than before."""
        now = registered(self.workspace)
        if now == self.tools:
            return
        self.tools = now
        method = "notifications/tools/list_changed"
        if self._legacy:
            self.send({"method": method})
        for number in self._listening.values():
            self.send({"method": method, "params": {"_meta": {f"{_META}subscriptionId": number}}})


class _Ticking:
    """While it is open, `tell` hears the seconds that have passed, so that a client does not give up."""

    def __init__(self, tell: Callable[[int], None] | None) -> None:
        self._tell, self._ended = tell, threading.Event()

    def __enter__(self) -> None:
        if self._tell is not None:
            threading.Thread(target=self._run, args=(self._tell,), daemon=True).start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()

    def _run(self, tell: Callable[[int], None]) -> None:
        seconds = 0
        while not self._ended.wait(1.0):
            seconds += 1
            tell(seconds)


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


def messages(source: BinaryIO) -> Iterator[object]:
    """What the client sent, one message a line; a line that is no JSON or too long is a `ProtocolError` in its place."""
    while line := source.readline(LONGEST):
        if not line.endswith(b"\n") and len(line) >= LONGEST:
            while (rest := source.readline(LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield ProtocolError(REQUEST, "the message is too long")
        elif line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield ProtocolError(PARSE, "not JSON")


def serve(workspace: Path | None, source: BinaryIO, sink: BinaryIO) -> None:
    """Serve until the client closes its end. Calls run beside each other, so a slow tool holds up nothing."""

    def send(message: Json) -> None:
        sink.write(json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        sink.flush()

    server = Server(workspace, send)
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK):
            server.look()

    threading.Thread(target=look, daemon=True).start()
    with ThreadPoolExecutor(CALLS) as pool:
        for message in messages(source):
            if isinstance(message, ProtocolError):
                server.send({"id": None, "error": {"code": message.code, "message": str(message)}})
            elif isinstance(message, dict) and message.get("method") == "tools/call":
                pool.submit(server.answer, message)
            else:
                server.answer(message)
    ended.set()
