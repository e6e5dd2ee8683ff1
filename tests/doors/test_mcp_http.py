"""Over HTTP the official client finds what it finds on pipes, and who has no business there gets an error and no more."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from meta.errors import UserError
from meta.knowledge import guides
from meta.mcp_server import answers
from meta.mcp_server import http as mcp_http
from meta.registration import functions, lifecycle
from tests.cli.conftest import git
from tests.doors.conftest import ECHO, HANG, MANIFEST, TOOLS, begun, over, put
from tests.services.test_process import alive

MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])
META = "io.modelcontextprotocol/"
MODERN = {f"{META}protocolVersion": "2026-07-28", f"{META}clientCapabilities": {}}
MEET = """
import argparse, json, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("--message")
parser.add_argument("--json", action="store_true")
mine = parser.parse_args().message
pathlib.Path(f"met-{mine}").touch()
end = time.monotonic() + 30
while time.monotonic() < end and len(list(pathlib.Path().glob("met-*"))) < 3:
    time.sleep(0.02)
print(json.dumps({"ok": len(list(pathlib.Path().glob("met-*"))) == 3, "exit_code": 0}))
"""
SLOW = "import json, time; time.sleep(2.5); print(json.dumps({'ok': True, 'exit_code': 0}))"
PEEK = "import json, os; print(json.dumps({'ok': True, 'exit_code': 0, 'tail': sorted(os.environ)}))"
TOKEN = "a-token-of-some-length"


@dataclass(frozen=True, slots=True)
class Place:
    """A server that runs, what it said when it began, and the workspace it serves."""

    workspace: Path
    port: int
    token: str
    said: str
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def serving(workspace: Path, *options: str, **environment: str) -> Iterator[Place]:
    argv = [sys.executable, "-m", "meta", "serve", "--workspace", str(workspace), "--http", *options]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    with subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            said = process.stderr.readline() + process.stderr.readline()
            address, header = said.split("\n")[:2]
            port = int(address.rpartition(":")[2].removesuffix("/mcp"))
            given = header.rpartition(" ")[2]
            yield Place(workspace, port, environment.get("META_SERVE_TOKEN", given), said, process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One server for all that leaves it as it was."""
    workspace = tmp_path_factory.mktemp("shop")
    git(workspace, "init", "-q")
    (workspace / "meta.toml").touch()
    for name, program in {**TOOLS, "meet": MEET, "slow": SLOW, "hang": HANG}.items():
        put(workspace, name, program, MANIFEST if name in ("echo", "meet") else "")
    (workspace / "knowledge").mkdir()
    (workspace / "knowledge" / "packing.md").write_text("# Packing\n")
    with serving(workspace) as running:
        yield running


@asynccontextmanager
async def connected(place: Place, mode: str, heard: Callable[[object], None] = print) -> AsyncIterator[Client]:
    async def handle(message: object) -> None:
        heard(message)

    async with (
        httpx2.AsyncClient(headers=place.header, timeout=60) as client,
        Client(streamable_http_client(place.url, http_client=client), mode=mode, message_handler=handle) as connection,
    ):
        yield connection


def asked(place: Place, mode: str, what: Callable[[Client], Any]) -> Any:
    return over(connected(place, mode), what)


@MODES
def test_every_tool_is_listed_and_called(place: Place, mode: str) -> None:
    async def all_of_them(client: Client) -> tuple[list[Any], dict[str, Any], Any]:
        assert client.server_capabilities.tools
        assert client.server_capabilities.tools.list_changed is True
        assert "- echo: Echo what it is given." in (client.instructions or "")
        listed = (await client.list_tools()).tools
        done = {name: await client.call_tool(name, {}) for name in TOOLS if name != "echo"}
        with pytest.raises(MCPError, match="unknown tool: nobody"):
            await client.call_tool("nobody", {})
        values = {"message": "☃ $(touch x)\n", "path": ["a b", "-x"], "count": 2, "fast": True}
        return listed, done, await client.call_tool("echo", values)

    listed, done, echo = asked(place, mode, all_of_them)
    assert {tool.name for tool in listed} == {*TOOLS, "meet", "slow", "hang"}
    for tool in listed:
        Draft202012Validator.check_schema(tool.input_schema)
    assert (echo.is_error, echo.structured_content["tail"]) == (False, ["☃ $(touch x)\n", "a b", "-x"])
    Draft202012Validator(functions.OUTPUT).validate(echo.structured_content)
    assert all(one.is_error for one in done.values())
    assert "no such luck" in done["crash"].content[0].text
    assert "printed more than 1,048,576 bytes" in done["flood"].content[0].text


@MODES
def test_documents_and_prompts_are_there_and_wrong_values_are_told(place: Place, mode: str) -> None:
    async def read(client: Client) -> tuple[Any, ...]:
        with pytest.raises(MCPError, match="no such document"):
            await client.read_resource("knowledge://../meta.toml")
        with pytest.raises(MCPError, match="there is no prompt 'x'"):
            await client.get_prompt("x")
        return (
            await client.call_tool("echo", {"message": 3}),
            await client.list_resources(),
            await client.read_resource("knowledge://packing.md"),
            await client.list_prompts(),
            await client.get_prompt("review"),
        )

    wrong, listed, document, prompts, prompt = asked(place, mode, read)
    assert (wrong.is_error, wrong.content[0].text) == (True, "echo: message must be string, not 3")
    shipped = [f"knowledge://{name}" for name in guides.places(None)]
    assert [str(one.uri) for one in listed.resources] == sorted(["knowledge://packing.md", *shipped])
    assert "# Packing" in repr(document.contents)
    assert [one.name for one in prompts.prompts] == ["extract", "review"]
    assert "meta accept" in prompt.messages[0].content.text


@MODES
def test_calls_run_beside_each_other_and_tell_how_long_they_last(place: Place, mode: str) -> None:
    ticks: list[float] = []

    async def tick(progress: float, total: float | None, message: str | None) -> None:
        ticks.append(progress)

    async def all_at_once(client: Client) -> list[Any]:
        done: list[Any] = []

        async def one(name: str, values: dict[str, str]) -> None:
            done.append(await client.call_tool(name, values, progress_callback=tick if name == "slow" else None))

        async with anyio.create_task_group() as group:
            group.start_soon(one, "slow", {})
            for name in "abc":
                group.start_soon(one, "meet", {"message": name})
        return done

    try:
        assert [one.is_error for one in asked(place, mode, all_at_once)] == [False] * 4, (
            "each of three waits for the two"
        )
    finally:
        for path in place.workspace.glob("met-*"):
            path.unlink()
    assert ticks[:2] == [1, 2]


@MODES
def test_a_tool_is_stopped_when_its_client_gives_up(place: Place, mode: str) -> None:
    async def give_up(client: Client) -> list[int]:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "hang", {})
            processes = await anyio.to_thread.run_sync(begun, place.workspace)
            group.cancel_scope.cancel()
        return processes

    processes = asked(place, mode, give_up)
    (place.workspace / "begun").unlink()
    assert len(processes) == 2
    for _ in range(20):
        if not any(map(alive, processes)):
            break
    assert not any(map(alive, processes))


@MODES
@pytest.mark.parametrize("change", ["accepted", "retired"])
def test_a_tool_that_comes_or_goes_is_announced(served: Path, mode: str, change: str) -> None:
    heard: list[object] = []

    def happens() -> None:
        if change == "accepted":
            put(served, "late", ECHO)
        else:
            lifecycle.retire(served, "crash")

    async def run(place: Place) -> set[str]:
        async with connected(place, mode, heard.append) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == set(TOOLS)
            with anyio.fail_after(30):
                if mode == "legacy":
                    happens()
                    while not any("ListChanged" in repr(one) for one in heard):
                        await anyio.sleep(0.05)
                else:
                    async with client.listen(tools_list_changed=True) as events:
                        happens()
                        await anext(aiter(events))
            return {tool.name for tool in (await client.list_tools()).tools}

    with serving(served) as place:
        assert anyio.run(run, place) ^ set(TOOLS) == {"late" if change == "accepted" else "crash"}


def sent(
    place: Place, method: str = "POST", path: str = "/mcp", body: object = None, **headers: str
) -> tuple[int, str]:
    """The status and the text of an answer to a request that is wrong in some way; a header of "" is left out."""
    told = {"Host": f"127.0.0.1:{place.port}", "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream", **place.header,
            **{name.replace("_", "-"): value for name, value in headers.items()}}  # fmt: skip
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(data)), **told}.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it did not want to hear it all
            connection.send(data)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def message(method: str, number: object = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def modern(method: str, **params: Any) -> dict[str, Any]:
    return message(method, **params, _meta=MODERN)


VERSION = {"MCP_Protocol_Version": "2026-07-28"}
LISTING = {**VERSION, "Mcp_Method": "tools/list"}


def test_a_request_that_is_right_in_all_of_that_is_answered(place: Place) -> None:
    status, text = sent(place, body=modern("tools/list"), **LISTING)
    assert (status, len(json.loads(text)["result"]["tools"])) == (200, len(TOOLS) + 3)
    assert sent(place, body=modern("tools/list"), **LISTING, Host=f"localhost:{place.port}")[0] == 200
    assert sent(place, body=modern("tools/list"), **LISTING, Origin=f"http://localhost:{place.port}")[0] == 200
    assert sent(place, body=modern("tools/list"), **LISTING, Authorization=f"bearer {place.token}")[0] == 200


@pytest.mark.parametrize(
    ("status", "words", "given"),
    [
        pytest.param(401, "token is missing or wrong", {"Authorization": ""}, id="no token"),
        pytest.param(401, "token is missing or wrong", {"Authorization": "Bearer x"}, id="a wrong token"),
        pytest.param(401, "token is missing or wrong", {"Authorization": "Basic dTpw"}, id="another scheme"),
        pytest.param(401, "token is missing or wrong", {"Authorization": "Bearer é☃".encode().decode("latin-1")}, id="an odd token"),
        pytest.param(404, "the server is at /mcp", {"path": "/"}, id="the root"),
        pytest.param(404, "the server is at /mcp", {"path": "/mcp/"}, id="a path below"),
        pytest.param(404, "the server is at /mcp", {"path": "/.well-known/x", "Authorization": ""}, id="other path, no token"),
        pytest.param(421, "Invalid Host", {"Host": "evil.example"}, id="a foreign host"),
        pytest.param(421, "Invalid Host", {"Host": "127.0.0.1.evil.example:80"}, id="a host that begins like ours"),
        pytest.param(421, "Invalid Host", {"Host": "127.0.0.1:1"}, id="another port"),
        pytest.param(403, "Invalid Origin", {"Origin": "http://evil.example"}, id="a foreign origin"),
        pytest.param(403, "Invalid Origin", {"Origin": "null"}, id="no page's origin"),
        pytest.param(403, "Invalid Origin", {"Origin": "http://evil.example", **LISTING}, id="a foreign origin, new era"),
        pytest.param(413, "too large", {"body": b" " * (answers.LONGEST + 1)}, id="a huge body"),
        pytest.param(413, "too large", {"Content_Length": str(2**40)}, id="a body said to be huge"),
        pytest.param(400, "-32700", {"body": b"{"}, id="no JSON"),
        pytest.param(400, "-32700", {"body": b"[" * 100_000}, id="JSON too deep"),
        pytest.param(400, "-32700", {"body": b"\xff\xfe", **VERSION}, id="no text, new era"),
        pytest.param(400, "-32600", {"body": [modern("tools/list")], **LISTING}, id="a batch"),
        pytest.param(400, "-32602", {"body": {"id": 1}}, id="no request"),
        pytest.param(400, "Content-Type", {"Content_Type": "text/plain"}, id="another type"),
        pytest.param(406, "", {"Accept": "text/html"}, id="an answer nobody wants"),
        pytest.param(405, "", {"method": "PUT"}, id="another method"),
        pytest.param(400, "Missing session ID", {"body": message("tools/list")}, id="no session"),
        pytest.param(404, "Session not found", {"Mcp_Session_Id": "x" * 32}, id="an unknown session"),
        pytest.param(400, "-32022", {**LISTING, "body": message("tools/list", _meta={**MODERN, f"{META}protocolVersion": "2030-01-01"}), "MCP_Protocol_Version": "2030-01-01"}, id="an unknown version"),
        pytest.param(400, "-32020", {"body": modern("tools/call"), **LISTING}, id="a header that says otherwise"),
        pytest.param(404, "-32601", {"body": modern("x"), **VERSION, "Mcp_Method": "x"}, id="an unknown method"),
        pytest.param(400, "-32602", {"body": modern("tools/call", name="nobody"), **VERSION, "Mcp_Method": "tools/call", "Mcp_Name": "nobody"}, id="an unknown tool"),
        pytest.param(400, "-32020", {"body": modern("tools/call", name=[3]), **VERSION, "Mcp_Method": "tools/call"}, id="a tool of another type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_the_server_lives(
    place: Place, status: int, words: str, given: Mapping[str, Any]
) -> None:
    got, text = sent(place, **{"body": message("tools/list"), **given})
    assert (got, words in text) == (status, True), text
    assert "Traceback" not in text
    test_a_request_that_is_right_in_all_of_that_is_answered(place)


def test_a_token_of_ones_own_is_neither_told_nor_given_to_the_tools(served: Path) -> None:
    put(served, "peek", PEEK)
    with serving(served, META_SERVE_TOKEN=TOKEN) as place:
        assert TOKEN not in place.said
        seen = asked(place, "auto", lambda client: client.call_tool("peek", {})).structured_content["tail"]
        assert "PATH" in seen
        assert "META_SERVE_TOKEN" not in seen
        assert sent(place, body=message("ping"), Authorization="Bearer <META_SERVE_TOKEN>")[0] == 401


def test_a_made_token_is_long_and_another_one_each_time(served: Path) -> None:
    with serving(served) as one, serving(served) as two:
        assert one.token != two.token
        assert min(len(one.token), len(two.token)) >= 43, "256 bits"
        assert one.port != two.port


@pytest.mark.parametrize("given", ["short", "with a space in it", "nonéascii-nonéascii", "with-a\tcontrol-sign"])
def test_a_token_that_is_weak_or_fits_no_header_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="META_SERVE_TOKEN must be"):
        mcp_http.token({"META_SERVE_TOKEN": given})
    assert mcp_http.token({"META_SERVE_TOKEN": TOKEN}) == TOKEN
    assert mcp_http.token({}) == mcp_http.token({"META_SERVE_TOKEN": ""}) == ""


@pytest.mark.parametrize("port", ["taken", "70000", "-1"])
def test_a_port_that_cannot_be_had_is_told(place: Place, port: str) -> None:
    with pytest.raises(UserError, match=r"cannot listen on port .*Name another port"):
        mcp_http.serve(place.workspace, place.port if port == "taken" else int(port), TOKEN)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_no_tool_outlives_a_server_that_is_asked_to_end(served: Path, by: signal.Signals) -> None:
    put(served, "hang", HANG)

    call = {**VERSION, "Mcp_Method": "tools/call", "Mcp_Name": "hang"}
    with serving(served) as place, ThreadPoolExecutor() as threads:
        left = threads.submit(sent, place, body=modern("tools/call", name="hang"), **call)
        processes = begun(served)
        place.process.send_signal(by)
        assert place.process.wait(30) == 128 + by
        assert "hang was stopped" in left.result()[1]
        assert place.process.stderr
        assert "Traceback" not in place.process.stderr.read()
    assert len(processes) == 2
    assert not any(map(alive, processes))
