"""MCP on stdin and stdout: one JSON-RPC message a line, both eras of the protocol.

The eras are 2025-06-18 and 2025-11-25 with `initialize`, and 2026-07-28 without. What is answered is decided in `answers`.
It is written on the standard library because an agent's first turn does not wait: the official SDK takes longer to
load than that turn, and is what the tests hold this against.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from meta.errors import UserError
from meta.mcp_server.answers import (
    CALLS,
    FRESH,
    INTERNAL,
    LONGEST,
    LOOK,
    PARAMS,
    PARSE,
    REQUEST,
    SECONDS,
    SERVER,
    VERSION,
    Answers,
    Json,
    ProtocolError,
)  # fmt: skip

MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
GRACE = 5.0  # seconds that calls have to end when the client has closed its end
_META = "io.modelcontextprotocol/"
Number = str | int


class Connection:
    """One client and what it waits for. `send` writes one message."""

    def __init__(self, answers: Answers, send: Callable[[Json], None]) -> None:
        self._answers, self._send = answers, send
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(CALLS)
        self._calls: dict[Number, threading.Event] = {}
        self._listening: set[Number] = set()
        self._legacy = False

    def _say(self, message: Json) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):  # who has gone closed our input too, which ends us
            self._send({"jsonrpc": "2.0", **message})

    def hear(self, message: object) -> None:
        """Answer one message, a call when its turn comes. Whatever the message is, the connection lives on."""
        number = message.get("id") if isinstance(message, dict) else None
        number = number if _is_number(number) else None
        try:
            if isinstance(message, ProtocolError):
                raise message
            if not isinstance(message, dict) or not isinstance(message.get("method"), str):
                if isinstance(message, dict) and ("result" in message or "error" in message):
                    return  # an answer to nothing that we asked
                raise ProtocolError(REQUEST, "not a request")
            if "id" in message and number is None:
                raise ProtocolError(REQUEST, "id must be a string or a number")
            method, params = message["method"], message.get("params", {})
            if number is None:
                self._notified(method, params)
            elif not isinstance(params, dict):
                raise ProtocolError(PARAMS, "params must be an object")
            elif method == "tools/call":
                self._call(number, params)
            else:
                self._answer(number, method, params)
        except ProtocolError as error:
            self._say({"id": number, "error": error.told})

    def _notified(self, method: str, params: object) -> None:
        """Nothing is said of a notification, be it wrong or right."""
        number = params.get("requestId") if isinstance(params, dict) else None
        if method == "notifications/cancelled" and _is_number(number) and number in self._calls:
            self._calls[number].set()

    def _call(self, number: Number, params: Json) -> None:
        if number in self._calls:
            raise ProtocolError(REQUEST, "a call with this id is running")
        self._calls[number] = threading.Event()
        self._pool.submit(self._called, number, params, self._calls[number])

    def _called(self, number: Number, params: Json, stop: threading.Event) -> None:
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        if not stop.is_set():
            with self._progress(token):
                self._answer(number, "tools/call", params, stop)
        del self._calls[number]

    def _answer(self, number: Number, method: str, params: Json, stop: threading.Event | None = None) -> None:
        try:
            modern = _is_modern(params)
            result = self._result(number, method, params, stop)
            if result is not None and not (stop and stop.is_set()):  # what was cancelled is not answered
                self._say({"id": number, "result": _dressed(result, modern)})
        except ProtocolError as error:
            self._say({"id": number, "error": error.told})
        except (UserError, OSError) as error:
            self._say({"id": number, "error": {"code": INTERNAL, "message": str(error)}})
        except Exception:  # a bug of ours: its report goes where the client keeps logs, and the connection lives on
            traceback.print_exc()
            self._say({"id": number, "error": {"code": INTERNAL, "message": "meta failed; its log tells why"}})

    def _result(self, number: Number, method: str, params: Json, stop: threading.Event | None) -> Json | None:
        match method:
            case "initialize":
                self._legacy = True
                asked = params.get("protocolVersion")
                version = asked if asked in HANDSHAKE else HANDSHAKE[0]
                return {"protocolVersion": version, "serverInfo": SERVER, **self._offer()}
            case "server/discover":
                return {"supportedVersions": [MODERN], **self._offer(), **FRESH}
            case "subscriptions/listen":
                self._listen(number, params)
                return None
        return self._answers.result(method, params, stop)

    def _offer(self) -> Json:
        offered: Json = {"tools": {"listChanged": True}, "resources": {}, "prompts": {}}
        return {"capabilities": offered, "instructions": self._answers.index()}

    def _progress(self, token: object) -> _Ticking:
        def tell(seconds: int) -> None:
            self._say({"method": "notifications/progress", "params": {"progressToken": token, "progress": seconds}})

        return _Ticking(tell if _is_number(token) else None)

    def _listen(self, number: Number, params: Json) -> None:
        """The answer to this request is a stream: first what it will carry, then each change."""
        wanted = params.get("notifications")
        tools = isinstance(wanted, dict) and wanted.get("toolsListChanged") is True
        told = {
            "_meta": {f"{_META}subscriptionId": number},
            "notifications": {"toolsListChanged": True} if tools else {},
        }
        self._say({"method": "notifications/subscriptions/acknowledged", "params": told})
        if tools:
            self._listening.add(number)

    def changed(self) -> None:
        """Tell the client that the tools are others than before."""
        method = "notifications/tools/list_changed"
        if self._legacy:
            self._say({"method": method})
        for number in tuple(self._listening):
            self._say({"method": method, "params": {"_meta": {f"{_META}subscriptionId": number}}})

    def close(self, grace: float = 0.0) -> None:
        """Let the calls end for `grace` seconds, then stop those that still run, their programs included."""

        def stop() -> None:
            for call in tuple(self._calls.values()):
                call.set()

        patience = threading.Timer(grace, stop)
        patience.start()
        self._pool.shutdown()
        patience.cancel()


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


def _is_number(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _is_modern(params: Json) -> bool:
    """Whether the request is of the era without a handshake. Raises `ProtocolError` for a version that is not served."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or f"{_META}protocolVersion" not in meta:
        return False
    asked = meta[f"{_META}protocolVersion"]
    if asked != MODERN:
        raise ProtocolError(VERSION, "unsupported protocol version", {"supported": [MODERN], "requested": asked})
    return True


def _dressed(result: Json, modern: bool) -> Json:
    """The result as the era of the request wants it."""
    if modern:
        return {"resultType": "complete", **result, "_meta": {f"{_META}serverInfo": SERVER}}
    return {key: value for key, value in result.items() if key not in FRESH}


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


def serve(workspace: Path | None, source: BinaryIO, sink: BinaryIO, seconds: float = SECONDS) -> None:
    """Serve until the client closes its end. Calls run beside each other, so a slow tool holds up nothing."""

    def send(message: Json) -> None:
        sink.write(json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        sink.flush()

    answers = Answers(workspace, seconds)
    connection = Connection(answers, send)
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK):
            if answers.look():
                connection.changed()

    threading.Thread(target=look, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no tool outlives us
    try:
        for message in messages(source):
            connection.hear(message)
        connection.close(GRACE)
    finally:
        ended.set()
        connection.close()
