"""The official client lists and calls the tools in both eras, and nothing that it or a tool does ends the server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from meta import mcp_server
from meta.model import Tool
from meta.registration import functions

ECHO = """
import argparse, json
parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--message", required=True)
parser.add_argument("--count", type=int, default=1)
parser.add_argument("--path", action="append", default=[])
parser.add_argument("--fast", action="store_true")
parser.add_argument("--json", action="store_true")
given = parser.parse_args()
print(json.dumps({"ok": given.count > 0, "exit_code": 0, "tail": [given.message, *given.path], "steps": {}}))
"""
MANIFEST = """
name = "echo"
description = "Echo what it is given. Use when asked to echo."
effects = ["read"]
[estimate]
payback_weeks = 1.0
[[parameters]]
name = "message"
type = "str"
option = "--message"
required = true
[[parameters]]
name = "count"
type = "int"
option = "--count"
default = 1
[[parameters]]
name = "path"
type = "list"
option = "--path"
[[parameters]]
name = "fast"
type = "bool"
option = "--fast"
[[parameters]]
name = "stem"
type = "str"
source = "derived"
"""
ALLOWS = '    "--allow-destroy": {"action": "store_true"},'
TOOLS = {
    "echo": ECHO,
    "crash": "raise SystemExit('no such luck')",
    "flood": "print('x' * 100_000_000)",
    "silent": "",
    "liar": "print('[1, 2]')",
}
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


def put(workspace: Path, name: str, program: str, manifest: str = "") -> None:
    """A registered tool, as it lies in a workspace after `accept`."""
    folder, skill = workspace / "generated_tools" / name, workspace / ".agents" / "skills" / name
    folder.mkdir(parents=True)
    (folder / "tool.toml").write_text(manifest or f'description = "{name}"\neffects = ["write-project"]\n')
    (folder / "tool.py").write_text(program)
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text(f"---\nname: {name}\n---\n")


@pytest.fixture
def served(workspace: Path) -> Path:
    for name, program in TOOLS.items():
        put(workspace, name, program, MANIFEST if name == "echo" else "")
    (workspace / "knowledge").mkdir()
    (workspace / "knowledge" / "packing.md").write_text("# Packing\n")
    (workspace / "secret.md").write_text("sesame")
    return workspace


@asynccontextmanager
async def connected(workspace: Path, mode: str, heard: Callable[[object], None] = print) -> AsyncIterator[Client]:
    async def handle(message: object) -> None:
        heard(message)

    argv = ["-m", "meta", "serve", "--workspace", str(workspace)]
    parameters = StdioServerParameters(
        command=sys.executable, args=argv, env={"PYTHONPATH": str(Path(__file__).parents[2])}
    )
    async with Client(stdio_client(parameters), mode=mode, message_handler=handle, read_timeout_seconds=60) as client:
        yield client


def asked(workspace: Path, mode: str, what: Callable[[Client], Any]) -> Any:
    """What came back over a connection of its own."""

    async def run() -> Any:
        async with connected(workspace, mode) as client:
            return await what(client)

    return anyio.run(run)


@MODES
def test_the_tools_are_listed_with_what_they_take_and_may_do(served: Path, mode: str) -> None:
    listed = {tool.name: tool for tool in asked(served, mode, lambda client: client.list_tools()).tools}
    assert list(listed) == ["echo", "crash", "flood", "liar", "silent"], "best payback first"
    echo = listed["echo"]
    assert echo.input_schema["required"] == ["message"]
    assert set(echo.input_schema["properties"]) == {"message", "count", "path", "fast"}
    assert (echo.annotations.read_only_hint, echo.annotations.destructive_hint) == (True, False)
    assert listed["crash"].annotations.read_only_hint is False
    for tool in listed.values():
        Draft202012Validator.check_schema(tool.input_schema)
        Draft202012Validator.check_schema(tool.output_schema)


@MODES
@pytest.mark.parametrize("message", ["two words", "--count=7", "$(touch x)", "a\nb", "", "☃ 'q' \"d\""])
def test_a_call_arrives_exactly_and_its_result_fits_its_schema(served: Path, mode: str, message: str) -> None:
    values = {"message": message, "path": ["a b", "-x"], "count": 2, "fast": True}
    done = asked(served, mode, lambda client: client.call_tool("echo", values))
    assert done.is_error is False
    assert done.structured_content["tail"] == [message, "a b", "-x"]
    Draft202012Validator(functions.OUTPUT).validate(done.structured_content)


@MODES
@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "message is missing"),
        ({"message": 3}, "message must be string"),
        ({"message": "x", "count": "many"}, "count must be integer"),
        ({"message": "x", "count": True}, "count must be integer"),
        ({"message": "x", "path": "a"}, "path must be array"),
        ({"message": "x", "fast": "yes"}, "fast must be boolean"),
        ({"message": "x", "stem": "y"}, "there is no stem"),
        ({"message": "a\0b"}, "message must be string"),
    ],
)
def test_wrong_values_are_told_and_nothing_is_run(
    served: Path, mode: str, values: dict[str, object], complaint: str
) -> None:
    (served / "generated_tools" / "echo" / "tool.py").write_text("open('ran', 'w')")
    done = asked(served, mode, lambda client: client.call_tool("echo", values))
    assert (done.is_error, complaint in done.content[0].text) == (True, True)
    assert not (served / "ran").exists()


@MODES
def test_a_tool_that_fails_is_an_error_in_words_and_the_server_lives(served: Path, mode: str) -> None:
    async def all_of_them(client: Client) -> list[Any]:
        done = [await client.call_tool(name, {}) for name in ("crash", "flood", "silent", "liar")]
        done.append(await client.call_tool("echo", {"message": "x", "count": 0}))
        with pytest.raises(MCPError, match="unknown tool"):
            await client.call_tool("nobody", {})
        return [*done, await client.call_tool("echo", {"message": "still here"})]

    crash, flood, silent, liar, failed, last = asked(served, mode, all_of_them)
    assert [one.is_error for one in (crash, flood, silent, liar, failed, last)] == [True] * 5 + [False]
    assert "no such luck" in crash.content[0].text
    assert len(flood.content[0].text) < 10_000
    assert "said nothing" in silent.content[0].text
    assert failed.structured_content["ok"] is False
    assert last.structured_content["tail"] == ["still here"]


def test_a_tool_that_hangs_is_stopped(served: Path) -> None:
    put(served, "hang", "import time; time.sleep(600)")
    (hang,) = [one for one in mcp_server.registered(served) if one.name == "hang"]
    done = mcp_server.call(served, hang, {}, seconds=0.5)
    assert (done.ok, "was stopped" in done.text) == (False, True)


@MODES
def test_documents_are_read_and_no_other_file(served: Path, mode: str) -> None:
    (served / "knowledge" / "link.md").symlink_to(served / "secret.md")

    async def read(client: Client) -> tuple[list[str], str]:
        listed = [str(one.uri) for one in (await client.list_resources()).resources]
        for uri in ("knowledge://../secret.md", "knowledge://link.md", "file:///etc/passwd"):
            with pytest.raises(MCPError, match="no such document"):
                await client.read_resource(uri)
        return listed, repr((await client.read_resource("knowledge://packing.md")).contents)

    listed, text = asked(served, mode, read)
    assert listed == ["knowledge://packing.md"]
    assert "# Packing" in text


@MODES
def test_the_prompts_are_there(served: Path, mode: str) -> None:
    names = [one.name for one in asked(served, mode, lambda client: client.list_prompts()).prompts]
    assert names == ["extract", "review"]
    told = asked(served, mode, lambda client: client.get_prompt("review"))
    assert "meta accept" in told.messages[0].content.text


def lines(workspace: Path, *sent: object) -> list[Any]:
    """What the server answers to lines that no good client sends."""
    data = b"".join(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in sent)
    argv = [sys.executable, "-m", "meta", "serve", "--workspace", str(workspace)]
    done = subprocess.run(argv, input=data, capture_output=True, check=True, timeout=60)
    assert b"Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


PING = {"jsonrpc": "2.0", "id": 9, "method": "ping"}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"{\n", mcp_server.PARSE),
        (b"[" * 100_000 + b"\n", mcp_server.PARSE),
        (b"\xff\xfe\n", mcp_server.PARSE),
        (b'"' + b"x" * mcp_server.LONGEST + b'"\n', mcp_server.REQUEST),
        ([1], mcp_server.REQUEST),
        ({"id": 1}, mcp_server.REQUEST),
        ({"id": 1, "method": 3}, mcp_server.REQUEST),
        ({"id": 1, "method": "no/such"}, mcp_server.METHOD),
        ({"id": 1, "method": "ping", "params": []}, mcp_server.PARAMS),
        ({"id": 1, "method": "tools/call", "params": {"name": ["x"]}}, mcp_server.PARAMS),
        ({"id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": [1]}}, mcp_server.PARAMS),
        ({"id": 1, "method": "resources/read", "params": {"uri": 3}}, mcp_server.PARAMS),
        ({"id": 1, "method": "prompts/get", "params": {"name": {}}}, mcp_server.PARAMS),
        ({"id": None, "method": "subscriptions/listen"}, mcp_server.REQUEST),
    ],
)
def test_a_malformed_message_is_an_error_and_the_next_one_is_answered(served: Path, sent: object, code: int) -> None:
    answers = lines(served, sent, PING)
    assert {"jsonrpc": "2.0", "id": 9, "result": {}} in answers
    assert [answer["error"]["code"] for answer in answers if "error" in answer] == [code]


def test_what_asks_for_no_answer_gets_none(served: Path) -> None:
    told = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    answered = {"jsonrpc": "2.0", "id": 9, "result": {}}
    assert lines(served, told, {"jsonrpc": "2.0", "id": 3, "result": {}}, PING) == [answered]


@MODES
def test_a_tool_that_is_accepted_meanwhile_is_announced(served: Path, mode: str) -> None:
    heard: list[object] = []

    async def run() -> list[str]:
        async with connected(served, mode, heard.append) as client:
            assert len((await client.list_tools()).tools) == len(TOOLS)
            if mode == "legacy":
                put(served, "late", ECHO)
                with anyio.fail_after(30):
                    while not any("ListChanged" in repr(one) for one in heard):
                        await anyio.sleep(0.1)
            else:
                async with client.listen(tools_list_changed=True) as events:
                    put(served, "late", ECHO)
                    with anyio.fail_after(30):
                        heard.append(await anext(aiter(events)))
            return [tool.name for tool in (await client.list_tools()).tools]

    assert "late" in anyio.run(run)
    assert heard


def test_the_schemas_of_the_vendors_name_the_same_functions() -> None:
    tool = Tool("echo-it", "wf:1", "python-script", "1", {"tool.toml": MANIFEST, "tool.py": ALLOWS}, "Echo.")
    function = functions.function(tool)
    (one,), (two,), (three,) = (export([function]) for export in functions.VENDORS.values())
    assert one["name"] == two["name"] == three["functionDeclarations"][0]["name"] == "echo_it"
    assert one["input_schema"] == two["parameters"] == three["functionDeclarations"][0]["parametersJsonSchema"]
    assert one["input_schema"]["properties"]["allow_destroy"]["type"] == "boolean"
    assert functions.arguments(function, {"message": "-x", "allow_destroy": True}) == (
        "--message=-x",
        "--allow-destroy",
    )
    assert functions.gemini([]) == []


def test_a_broken_manifest_makes_a_function_without_options() -> None:
    tool = Tool("x" * 60, "wf:1", "", "", {"tool.toml": "not = [toml"}, "x")
    function = functions.function(tool)
    assert function.schema["properties"] == {}
    assert len(function.name) == functions.LONGEST
