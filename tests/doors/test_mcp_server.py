"""The official client lists and calls the tools in both eras, and nothing that it or a tool does ends the server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from meta.knowledge import guides
from meta.mcp_server import answers, stdio
from meta.model import Tool
from meta.registration import functions, inventory, lifecycle
from meta.registration.functions import Function
from tests.doors.conftest import ECHO, HANG, MANIFEST, TOOLS, begun, over, put
from tests.services.test_process import alive

ALLOWS = '    "--allow-destroy": {"action": "store_true"},'
ECHOED: tuple[dict[str, str], ...] = ({}, {"message": "x"})
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


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

    return over(connected(workspace, mode), what)


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
    assert "printed more than 1,048,576 bytes and gave no result" in flood.content[0].text
    assert len(flood.content[0].text) < 3_000
    assert "ended with 0 and gave no result" in silent.content[0].text
    assert "gave no result" in liar.content[0].text
    assert failed.structured_content["ok"] is False
    assert last.structured_content["tail"] == ["still here"]


FLOODS = {
    "one-line": "print('x' * 100_000_000)",
    "a-result-too-long": """print('{"ok": true, "tail": ["' + 'x' * 100_000_000 + '"]}')""",
    "on-stderr": "import sys; sys.stderr.write('x' * 100_000_000); sys.exit(1)",
    "many-lines": "print('x\\n' * 50_000_000)",
}


def test_a_tool_that_prints_100_mb_costs_the_server_little_memory(served: Path) -> None:
    for name, program in FLOODS.items():
        put(served, name, program)
    with started(served) as server:
        for number, name in enumerate(FLOODS):
            answer = server.asked(number, "tools/call", name=name.replace("-", "_"))
            assert answer["isError"] is True
            assert "printed more than 1,048,576 bytes and gave no result" in answer["content"][0]["text"]
        assert server.peak() < 100


@pytest.mark.parametrize(
    "program", ["import time; time.sleep(600)", "import os\nos.close(1); os.close(2)\nwhile True: pass", "while True: print(1)"],
    ids=["that sleeps", "that closed its outputs", "that prints for ever"],
)  # fmt: skip
def test_a_tool_that_hangs_is_stopped_and_the_server_lives(served: Path, program: str) -> None:
    put(served, "hang", program)
    with started(served, "--timeout", "0.5") as server:
        answer = server.asked(1, "tools/call", name="hang")
        assert answer == {"content": [{"type": "text", "text": "hang was stopped after 0.5 s"}], "isError": True}
        assert server.asked(2, "tools/call", name="echo", arguments={"message": "x"})["isError"] is False


def test_a_call_that_is_cancelled_is_stopped_and_not_answered(served: Path) -> None:
    put(served, "hang", HANG)
    with started(served) as server:
        server.send(1, "tools/call", name="hang")
        processes = begun(served)
        assert (
            server.asked(1, "tools/call", code=answers.REQUEST, name="echo")["message"]
            == "a call with this id is running"
        )
        server.send(None, "notifications/cancelled", requestId="1")
        assert server.asked(2, "ping") == {}
        assert all(map(alive, processes))
        server.send(None, "notifications/cancelled", requestId=1)
        while any(map(alive, processes)):
            assert server.asked(3, "ping") == {}, "anything but the answer to what was asked is an error here"
        assert server.asked(1, "ping") == {}


def test_no_tool_outlives_a_server_that_is_asked_to_end(served: Path) -> None:
    put(served, "hang", HANG)
    with started(served) as server:
        server.send(1, "tools/call", name="hang")
        processes = begun(served)
        server.process.terminate()
        assert server.process.wait(20) == 128 + signal.SIGTERM
    assert not any(map(alive, processes))


def test_calls_have_a_moment_to_end_when_the_client_has_gone(served: Path) -> None:
    put(served, "hang", HANG)
    for name in ("one", "two", "three", "four"):
        put(served, f"wait-{name}", HANG.replace("begun", f"begun-{name}"))
    said: list[Any] = []
    connection = stdio.Connection(answers.Answers(served), said.append)
    for number, name in enumerate(["echo", "hang", "wait_one", "wait_two", "wait_three", "wait_four"]):
        connection.hear(
            {"id": number, "method": "tools/call", "params": {"name": name, "arguments": ECHOED[name == "echo"]}}
        )
    processes = begun(served)
    connection.close(0.2)
    assert [answer["id"] for answer in said] == [0]
    assert not any(map(alive, processes))
    assert not (served / "begun-four").exists(), "what had not begun does not begin"


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
    shipped = [f"knowledge://{name}" for name in guides.places(None)]
    assert "knowledge://packing/lattice-first.md" in shipped
    assert listed == sorted(["knowledge://packing.md", *shipped])
    assert "# Packing" in text


@MODES
def test_a_document_of_the_workspace_stands_for_the_shipped_one_of_its_name(served: Path, mode: str) -> None:
    (served / "knowledge" / "packing").mkdir()
    (served / "knowledge" / "packing" / "lattice-first.md").write_text("# Ours\n")

    async def read(client: Client) -> tuple[str, ...]:
        names = ("lattice-first", "small-n")
        read = [await client.read_resource(f"knowledge://packing/{name}.md") for name in names]
        return tuple(repr(one.contents) for one in read)

    ours, shipped = asked(served, mode, read)
    assert "# Ours" in ours
    assert "# Few pieces" in shipped


@MODES
def test_the_prompts_are_there(served: Path, mode: str) -> None:
    names = [one.name for one in asked(served, mode, lambda client: client.list_prompts()).prompts]
    assert names == ["extract", "review"]
    told = asked(served, mode, lambda client: client.get_prompt("review"))
    assert "meta accept" in told.messages[0].content.text


class Started:
    """A server on pipes, spoken to in lines."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def send(self, number: object, method: str, **params: object) -> None:
        told = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
        assert self.process.stdin
        self.process.stdin.write(json.dumps(told).encode() + b"\n")
        self.process.stdin.flush()

    def asked(self, number: object, method: str, *, code: int | None = None, **params: object) -> Any:
        """The result, or the error where one of this code is due."""
        self.send(number, method, **params)
        assert self.process.stdout
        answer = json.loads(self.process.stdout.readline())
        assert (answer["id"], answer.get("error", {}).get("code")) == (number, code)
        return answer["error" if code else "result"]

    def peak(self) -> float:
        """The most memory that the server itself held, in MB."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            pytest.skip("the memory of a process is read from /proc")
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def started(workspace: Path, *options: str) -> Iterator[Started]:
    argv = [sys.executable, "-m", "meta", "serve", "--workspace", str(workspace), *options]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Started(process)
        finally:
            process.kill()


def lines(workspace: Path, *sent: object) -> list[Any]:
    """What the server answers to lines that no good client sends."""
    data = b"".join(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in sent)
    argv = [sys.executable, "-m", "meta", "serve", "--workspace", str(workspace)]
    done = subprocess.run(argv, input=data, capture_output=True, check=True, timeout=60)
    assert b"Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


META = "io.modelcontextprotocol/"
PING = {"jsonrpc": "2.0", "id": 9, "method": "ping"}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"{\n", answers.PARSE),
        (b"[" * 100_000 + b"\n", answers.PARSE),
        (b"\xff\xfe\n", answers.PARSE),
        (b'"' + b"x" * answers.LONGEST + b'"\n', answers.REQUEST),
        ([1], answers.REQUEST),
        ({"id": 1}, answers.REQUEST),
        ({"id": 1, "method": 3}, answers.REQUEST),
        ({"id": 1, "method": "no/such"}, answers.METHOD),
        ({"id": 1, "method": "ping", "params": []}, answers.PARAMS),
        ({"id": 1, "method": "tools/call", "params": {"name": ["x"]}}, answers.PARAMS),
        ({"id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": [1]}}, answers.PARAMS),
        ({"id": 1, "method": "resources/read", "params": {"uri": 3}}, answers.PARAMS),
        ({"id": 1, "method": "prompts/get", "params": {"name": {}}}, answers.PARAMS),
        ({"id": None, "method": "subscriptions/listen"}, answers.REQUEST),
        ({"id": [1], "method": "ping"}, answers.REQUEST),
        ({"id": 1, "method": "ping", "params": {"_meta": {f"{META}protocolVersion": "1999-01-01"}}}, answers.VERSION),
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ASKED = st.sampled_from(["initialize", "server/discover", "ping", "tools/list", "tools/call", "resources/list",
                         "resources/read", "prompts/list", "prompts/get", "subscriptions/listen", "x",
                         "resources/templates/list", "notifications/cancelled"])  # fmt: skip
NAMED = st.sampled_from(["name", "uri", "arguments", "protocolVersion", "notifications", "_meta", "requestId"])
REQUESTS = st.fixed_dictionaries(
    {"method": ASKED | JSON, "params": st.dictionaries(NAMED, JSON, max_size=3) | JSON}, optional={"id": JSON}
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(message=REQUESTS | JSON)
def test_whatever_is_sent_is_answered_at_most_once_and_breaks_nothing(
    served: Path, capfd: pytest.CaptureFixture[str], message: object
) -> None:
    said: list[Any] = []
    connection = stdio.Connection(answers.Answers(served), said.append)
    connection.hear(message)
    connection.hear(PING)
    connection.close()
    assert len(said) <= 2
    assert said.count({"jsonrpc": "2.0", "id": 9, "result": {}}) == 1
    assert "Traceback" not in capfd.readouterr().err
    json.dumps(said, allow_nan=False)


def test_a_look_finds_what_was_accepted_retired_and_edited_and_nothing_else(served: Path) -> None:
    known = answers.Answers(served)
    assert not known.look()
    put(served, "late", ECHO)
    assert known.look()
    assert "late" in [one.name for one in known.tools]
    lifecycle.retire(served, "late")
    assert known.look()
    assert "late" not in [one.name for one in known.tools]
    place = served / "generated_tools" / "echo"
    (place / "tool.toml").write_text(MANIFEST.replace("Echo what it is given", "Say it again"))
    assert known.look()
    assert "Say it again" in known.index()
    (place / "tool.py").write_text(ECHO + ALLOWS.join(["OPTIONS = {\n", "\n}\n"]))
    assert known.look(), "it takes another option"
    (place / "tool.py").write_text((place / "tool.py").read_text() + "# a word\n")
    assert not known.look(), "a client sees no difference"


def test_a_tool_whose_manifest_is_being_written_is_left_out_until_it_can_be_read(
    served: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    manifest = served / "generated_tools" / "echo" / "tool.toml"
    manifest.write_text(MANIFEST[:40])
    known = answers.Answers(served)
    assert [one.name for one in known.tools] == ["crash", "flood", "liar", "silent"]
    assert not known.look()
    assert capfd.readouterr().err.count("echo is not served: tool.toml of echo is not valid TOML") == 1
    manifest.write_text(MANIFEST)
    assert known.look()
    assert known.tools[0].name == "echo"


@given(
    about=st.dictionaries(
        st.sampled_from(["description", "effects", "provenance", "estimate", "parameters"]),
        JSON | st.lists(st.dictionaries(st.sampled_from(["name", "option", "type", "default", "choices"]), JSON)),
    )
)
def test_a_manifest_of_any_content_makes_a_function(about: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tool.toml").write_text(tomlkit.dumps(_without_none(about)))
        function = functions.function(inventory.read(Path(folder)))
    Draft202012Validator.check_schema(function.schema)
    json.dumps([function.schema, function.annotations])


def _without_none(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value if inner is not None] if isinstance(value, list) else value


def test_what_declares_nothing_is_not_called_harmless() -> None:
    told = {
        effects: Function("x", "x", "x", {}, {}, frozenset(effects)).annotations
        for effects in ((), ("read",), ("unknown",))
    }
    assert {effects: (one["readOnlyHint"], one["destructiveHint"]) for effects, one in told.items()} == {
        (): (False, True), ("read",): (True, False), ("unknown",): (False, True),
    }  # fmt: skip


def test_a_folder_that_is_no_workspace_is_served_with_nothing_in_it(tmp_path: Path, home: Path) -> None:
    """As a plugin does that is installed for all of a person's projects."""
    asked = [{"jsonrpc": "2.0", "id": n, "method": method} for n, method in enumerate(("tools/list", "resources/list"))]
    asked.append({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
    done = subprocess.run(
        [sys.executable, "-m", "meta", "serve"],
        cwd=tmp_path, input="".join(json.dumps(one) + "\n" for one in asked), capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    told = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (told[0]["result"]["tools"], told[1]["result"]["resources"]) == ([], [])
    assert "unknown tool" in told[2]["error"]["message"]


def test_the_registered_tools_are_known_without_git(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (served / ".agents" / "skills" / "crash" / "SKILL.md").unlink()
    known = {tool.name: tool.state for tool in lifecycle.tools(served)}
    monkeypatch.setenv("PATH", "")
    assert lifecycle.registered(served) == tuple(name for name, state in known.items() if state == "registered")
    assert "crash" not in lifecycle.registered(served)


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
