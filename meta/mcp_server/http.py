"""MCP over streamable HTTP on loopback, for clients that cannot start a program: both eras, behind a token.

The protocol is the official SDK's work (the extra `http`); what is answered is decided in `answers`.
"""

from __future__ import annotations

import contextlib
import hmac
import itertools
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NoReturn

import anyio
import anyio.to_thread
import mcp.types as protocol
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.session import ServerSession
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.server.transport_security import TransportSecuritySettings

from meta.errors import UserError
from meta.mcp_server.answers import CALLS, INTERNAL, LONGEST, LOOK, SECONDS, SERVER, Answers, Json, ProtocolError

HOST, PATH = "127.0.0.1", "/mcp"
SHORTEST = 16  # characters of a token
GRACE = 1  # seconds that open connections have when we are asked to end
PATIENCE = 1.0  # seconds for a client to take a notice
METHODS: Mapping[str, type[protocol.RequestParams]] = {
    "ping": protocol.RequestParams,
    "tools/list": protocol.PaginatedRequestParams,
    "tools/call": protocol.CallToolRequestParams,
    "resources/list": protocol.PaginatedRequestParams,
    "resources/templates/list": protocol.PaginatedRequestParams,
    "resources/read": protocol.ReadResourceRequestParams,
    "prompts/list": protocol.PaginatedRequestParams,
    "prompts/get": protocol.GetPromptRequestParams,
}
Message = MutableMapping[str, Any]
Context = ServerRequestContext[Any, Any]


class _Server(Server[Any]):
    """The SDK's server with our answers, for all clients at once."""

    def __init__(self, answers: Answers) -> None:
        self._bus = InMemorySubscriptionBus()
        self._listens = ListenHandler(self._bus)
        super().__init__(
            SERVER["name"],
            version=SERVER["version"],
            instructions=answers.index(),
            on_subscriptions_listen=self._listens,
            get_tool_input_schema=lambda name: None,  # none of our parameters travels as a header
        )
        self._answers = answers
        self._calls = anyio.CapacityLimiter(CALLS)
        self._stops: set[threading.Event] = set()
        self._sessions: set[ServerSession] = set()
        for method, params in METHODS.items():
            self.add_request_handler(method, params, self._answer)
        self.add_notification_handler("notifications/initialized", protocol.NotificationParams, self._opened)

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *more: Any, **named: Any
    ) -> InitializationOptions:
        return super().create_initialization_options(NotificationOptions(tools_changed=True), *more, **named)

    async def _answer(self, context: Context, _: object) -> Json | protocol.ErrorData:
        """The result of a request. When the client gives up, the tool that runs for it is stopped."""
        stop = threading.Event()

        def result() -> Json | protocol.ErrorData:
            try:
                answer = self._answers.result(context.method, dict(context.params or {}), stop)
                return {"resultType": "complete", **answer}  # which the SDK takes out again for the older era
            except ProtocolError as error:
                return protocol.ErrorData(**error.told)
            except (UserError, OSError) as error:
                return protocol.ErrorData(code=INTERNAL, message=str(error))

        limiter = self._calls if context.method == "tools/call" else None
        async with anyio.create_task_group() as group:
            group.start_soon(_tick, context.session)
            group.start_soon(self._stoppable, stop)
            answer = await anyio.to_thread.run_sync(result, limiter=limiter)  # waited for even when cancelled
            group.cancel_scope.cancel()
        return answer

    async def _stoppable(self, stop: threading.Event) -> None:
        """Lasts as long as a request; `stop` is set when that is given up, or all are."""
        self._stops.add(stop)
        try:
            await anyio.sleep_forever()
        finally:
            self._stops.discard(stop)
            stop.set()

    def stop(self) -> None:
        """End all that runs or waits, so that every client is answered."""
        self._listens.close()
        for stop in self._stops:
            stop.set()

    async def _opened(self, context: Context, _: object) -> None:
        """Lasts as long as the session, which the SDK ends."""
        self._sessions.add(context.session)
        try:
            await anyio.sleep_forever()
        finally:
            self._sessions.discard(context.session)

    async def look(self) -> None:
        """Tell the clients of both eras when the tools are others than before."""
        while True:
            await anyio.sleep(LOOK)
            if await anyio.to_thread.run_sync(self._answers.look):
                self.instructions = self._answers.index()
                await self._bus.publish(ToolsListChanged())
                for session in tuple(self._sessions):
                    with anyio.move_on_after(PATIENCE):
                        await session.send_tool_list_changed()


class _Uvicorn(uvicorn.Server):
    def __init__(self, settings: uvicorn.Config, server: _Server) -> None:
        super().__init__(settings)
        self._server = server

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._server.stop()
        await super().shutdown(sockets)


async def _tick(session: ServerSession) -> None:
    """Tell the seconds that have passed, so that a client that asked for it does not give up."""
    for seconds in itertools.count(1):
        await anyio.sleep(1.0)
        await session.report_progress(seconds)


def token(environment: MutableMapping[str, str]) -> str:
    """The token that is wanted of clients; "" where none is. It leaves the environment, which the tools inherit."""
    given = environment.pop("META_SERVE_TOKEN", "")
    if given and (len(given) < SHORTEST or not given.isascii() or not given.isprintable() or " " in given):
        raise UserError(f"META_SERVE_TOKEN must be {SHORTEST} or more letters, digits or signs. Choose another one.")
    return given


def serve(workspace: Path | None, port: int, given: str, seconds: float = SECONDS) -> NoReturn:
    """Serve until interrupted or terminated. With port 0 a free one is taken, without a given token one is made; both are told."""
    try:
        listening = socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise UserError(f"cannot listen on port {port}: {error}. Name another port, or none.") from error
    port = listening.getsockname()[1]
    secret = given or secrets.token_urlsafe(32)
    header = "Authorization: Bearer " + (secret if not given else "<META_SERVE_TOKEN>")
    print(
        f"meta: serving http://{HOST}:{port}{PATH}\nmeta: clients send the header {header}", file=sys.stderr, flush=True
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no tool outlives us
    with listening:
        anyio.run(_serve, Answers(workspace, seconds), listening, secret)
    sys.exit(128 + signal.SIGTERM)


async def _serve(answers: Answers, listening: socket.socket, secret: str) -> None:
    names = [f"{name}:{listening.getsockname()[1]}" for name in (HOST, "localhost")]
    server = _Server(answers)
    manager = StreamableHTTPSessionManager(
        server,
        max_request_body_size=LONGEST,
        # A page of another site reaches us under that site's name (DNS rebinding), or tells where it comes from.
        security_settings=TransportSecuritySettings(
            allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
        ),
    )

    async def guarded(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["path"] != PATH:
            await _refuse(send, 404, f"there is nothing here; the server is at {PATH}")
        elif not _knows(dict(scope["headers"]).get(b"authorization", b""), secret):
            await _refuse(send, 401, "the header Authorization: Bearer with the server's token is missing or wrong")
        else:
            await manager.handle_request(scope, receive, send)

    settings = uvicorn.Config(
        guarded, lifespan="off", ws="none", access_log=False, log_level="warning", timeout_graceful_shutdown=GRACE
    )
    async with manager.run(), anyio.create_task_group() as group:
        group.start_soon(server.look)
        with contextlib.suppress(SystemExit):  # of the signal that ended it, which uvicorn raises again
            await _Uvicorn(settings, server).serve(sockets=[listening])
        group.cancel_scope.cancel()


def _knows(header: bytes, secret: str) -> bool:
    scheme, _, given = header.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), secret.encode())


async def _refuse(send: Callable[[Message], Awaitable[None]], status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain")] + [(b"www-authenticate", b"Bearer")] * (status == 401)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"meta: {text}\n".encode()})
